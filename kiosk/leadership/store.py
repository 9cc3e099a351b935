"""The leases' SQL: each statement is a transaction of its own, so it works behind any pooler."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.db import Tx


@dataclass(frozen=True, slots=True)
class Claim:
    """`term` counts the changes of holder; None: somebody else holds the lease for `free_in_s` seconds more."""

    term: int | None
    free_in_s: float | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """Who leads a bot, as the database sees it."""

    bot_id: int
    holder: str
    term: int
    expires_at: datetime
    held: bool


async def claim(tx: Tx, bot_id: int, holder: str, *, ttl_s: float) -> Claim:
    """Takes a lease that is free, or renews one's own. A lease that ran out is renewed in a new term."""
    term = await tx.fetchval(
        """
        INSERT INTO leases AS held (bot_id, holder, expires_at)
        VALUES ($1, $2, clock_timestamp() + make_interval(secs => $3))
        ON CONFLICT (bot_id) DO UPDATE
        SET holder = excluded.holder, expires_at = clock_timestamp() + make_interval(secs => $3),
            term = held.term + CASE WHEN held.holder = excluded.holder AND held.expires_at > clock_timestamp()
                                    THEN 0 ELSE 1 END
        WHERE held.holder = excluded.holder OR held.expires_at <= clock_timestamp()
        RETURNING term
        """,
        bot_id,
        holder,
        ttl_s,
    )
    if term is not None:
        return Claim(term)
    free_in_s = await tx.fetchval(
        "SELECT extract(epoch FROM expires_at - clock_timestamp())::float8 FROM leases WHERE bot_id = $1", bot_id
    )
    return Claim(None, free_in_s)


async def release(tx: Tx, bot_id: int, holder: str) -> bool:
    """Lets the next one in at once. False: it was not ours any more."""
    tag = await tx.execute(
        """
        UPDATE leases SET expires_at = clock_timestamp()
        WHERE bot_id = $1 AND holder = $2 AND expires_at > clock_timestamp()
        """,
        bot_id,
        holder,
    )
    return tag == "UPDATE 1"


async def lease(tx: Tx, bot_id: int) -> Lease | None:
    row = await tx.fetchrow(
        "SELECT bot_id, holder, term, expires_at, expires_at > clock_timestamp() AS held FROM leases WHERE bot_id = $1",
        bot_id,
    )
    return Lease(**dict(row)) if row else None
