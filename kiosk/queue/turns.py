"""Which replica does what only one needs to do, once a day: SQL."""

from kiosk.db import Tx

HOUR_UTC = 2  # night where the customers are


async def take(tx: Tx, name: str, *, lease_s: float) -> bool:
    """Whether it is due and now the caller's, for `lease_s`."""
    tag = await tx.execute(
        """
        INSERT INTO turns (name, due_at) VALUES ($1, now() + make_interval(secs => $2))
        ON CONFLICT (name) DO UPDATE SET due_at = excluded.due_at WHERE turns.due_at <= now()
        """,
        name,
        lease_s,
    )
    return tag == "INSERT 0 1"


async def finish(tx: Tx, name: str) -> None:
    """Due again in the night after."""
    await tx.execute(
        """
        UPDATE turns SET last_run = now(),
               due_at = date_trunc('day', now() AT TIME ZONE 'UTC' - make_interval(hours => $2)) AT TIME ZONE 'UTC'
                        + make_interval(days => 1, hours => $2)
        WHERE name = $1
        """,
        name,
        HOUR_UTC,
    )
