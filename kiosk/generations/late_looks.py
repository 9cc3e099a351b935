"""SQL of late looks: an order is over, a task of it is not, and the provider may finish that one yet."""

from collections.abc import Sequence

from kiosk.db import Tx
from kiosk.generations.states import State


async def expect(tx: Tx, generation_id: int, *, wait_s: float) -> None:
    """A task became known of a generation that has ended: it is looked at, unless that is planned already."""
    await tx.execute(
        """
        UPDATE generations SET late_look_at = now() + make_interval(secs => $2), late_looks = 0
        WHERE id = $1 AND state IN ('done', 'failed') AND late_look_at IS NULL
        """,
        generation_id,
        wait_s,
    )


async def claim(tx: Tx, *, limit: int, pauses_s: Sequence[float]) -> Sequence[int]:
    """Takes what is due for a late look and plans the one after it, while there is one in `pauses_s`."""
    rows = await tx.fetch(
        """
        UPDATE generations
        SET late_looks = late_looks + 1, late_look_at = now() + make_interval(secs => ($2::float8[])[late_looks + 2])
        WHERE id IN (SELECT id FROM generations WHERE late_look_at <= now()
                     ORDER BY late_look_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        limit,
        list(pauses_s),
    )
    return [row["id"] for row in rows]


async def end(tx: Tx, generation_id: int, *, was: State) -> None:
    """Every task of it has ended."""
    await tx.execute(
        "UPDATE generations SET late_look_at = NULL WHERE id = $1 AND state = $2 AND late_look_at IS NOT NULL",
        generation_id,
        was.value,
    )
