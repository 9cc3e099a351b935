"""What the last hours came to, for whoever watches over the shop: SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from kiosk.db import Tx

# The customer's own doing is no failure of the shop.
OURS = ("provider", "unavailable", "no_result", "timeout")


@dataclass(frozen=True, slots=True)
class Ended:
    """Orders of a model (None: of all) that ended; `failed` of them brought the money back instead of a result."""

    model_id: str | None
    ended: int
    failed: int


async def ended(tx: Tx, *, within_s: float) -> Sequence[Ended]:
    """Of the shop and of each model. A result that came after the money went back was a failure first."""
    rows = await tx.fetch(
        """
        SELECT model_id, count(*) AS ended, count(*) FILTER (WHERE state = 'failed' OR late) AS failed
        FROM generations
        WHERE settled_at > now() - make_interval(secs => $1)
          AND (state = 'done' OR state = 'failed' AND failure = ANY($2::text[]))
        GROUP BY GROUPING SETS ((), (model_id)) ORDER BY model_id NULLS FIRST
        """,
        within_s,
        OURS,
    )
    return [Ended(**dict(row)) for row in rows]


async def spent_in_a_day(tx: Tx) -> Decimal:
    """Credits that the provider took for tasks of the last 24 hours."""
    spent: Decimal = await tx.fetchval(
        "SELECT coalesce(sum(credits), 0) FROM tasks WHERE created_at > now() - interval '1 day'"
    )
    return spent
