"""What has no future and should have one: SQL. Each statement is bounded, and passes over what others have in hand."""

from kiosk.db import Tx

# The partial index `generations_unfinished` has this condition.
UNFINISHED = "(state IN ('pending', 'submitting', 'running') OR (state IN ('done', 'failed') AND delivered_at IS NULL))"
OPEN = "state IN ('pending', 'submitting', 'running')"

# ruff: noqa: S608 - the only texts put into these statements are those above


async def give_future(tx: Tx, *, limit: int, margin_s: float, run_s: float) -> list[int]:
    """Unfinished, and never looked at again or not within `margin_s` of when it should be: due now.

    Waiting for ever is right for one thing alone: what is owed to a customer who blocked the bot. An order without a
    deadline gets one: its time at the provider from now on, or `run_s`.
    """
    rows = await tx.fetch(
        f"""
        UPDATE generations
        SET next_at = now(),
            deadline_at = CASE WHEN {OPEN} AND (deadline_at IS NULL OR deadline_at = 'infinity')
                               THEN now() + make_interval(secs => coalesce(run_s, $3)) ELSE deadline_at END
        WHERE id IN (
            SELECT id FROM generations
            WHERE {UNFINISHED}
              AND (next_at IS NULL
                   OR next_at = 'infinity' AND NOT (
                          state IN ('done', 'failed')
                          AND EXISTS (SELECT FROM customers c WHERE c.id = customer_id AND c.blocked_at IS NOT NULL))
                   OR next_at <> 'infinity' AND next_at > make_interval(secs => $2) + CASE WHEN {OPEN}
                          THEN greatest(now(), deadline_at) ELSE now() END
                   OR {OPEN} AND (deadline_at IS NULL OR deadline_at = 'infinity'))
            ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        limit,
        margin_s,
        run_s,
    )
    return [row["id"] for row in rows]


async def reopen_undelivered(tx: Tx, *, limit: int) -> list[int]:
    """Counts as delivered while something of it is not sent: it is not, and due now."""
    rows = await tx.fetch(
        """
        UPDATE generations SET delivered_at = NULL, next_at = now()
        WHERE id IN (
            SELECT id FROM generations
            WHERE id IN (SELECT generation_id FROM deliveries WHERE state <> 'sent')
              AND delivered_at IS NOT NULL AND state IN ('done', 'failed')
            ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id
        """,
        limit,
    )
    return [row["id"] for row in rows]


async def wake(tx: Tx, generation_ids: list[int]) -> None:
    """Due now, unless it waits for a customer who blocked the bot."""
    await tx.execute(
        """
        UPDATE generations SET next_at = now()
        WHERE id = ANY($1::bigint[]) AND state IN ('done', 'failed') AND delivered_at IS NULL AND next_at <> 'infinity'
        """,
        generation_ids,
    )
