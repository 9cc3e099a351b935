"""The provider's tasks of a generation, and the callbacks that fitted none: SQL."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kiosk.db import Tx


@dataclass(frozen=True, slots=True)
class TaskRow:
    task_id: str
    credits: Decimal | None


async def of_generation(tx: Tx, generation_id: int) -> tuple[TaskRow, ...]:
    rows = await tx.fetch(
        "SELECT task_id, credits FROM tasks WHERE generation_id = $1 ORDER BY created_at, task_id", generation_id
    )
    return tuple(TaskRow(**dict(row)) for row in rows)


async def add(tx: Tx, generation_id: int, task_id: str, *, at_most: int) -> bool:
    """Remembers a task of the provider; False when it was known, is another's, or there are too many."""
    tag = await tx.execute(
        """
        INSERT INTO tasks (task_id, generation_id)
        SELECT $2, $1 WHERE (SELECT count(*) FROM tasks WHERE generation_id = $1) < $3
        ON CONFLICT (task_id) DO NOTHING
        """,
        generation_id,
        task_id,
        at_most,
    )
    return tag == "INSERT 0 1"


async def generation_of_task(tx: Tx, task_id: str) -> int | None:
    found: int | None = await tx.fetchval("SELECT generation_id FROM tasks WHERE task_id = $1", task_id)
    return found


async def lock(tx: Tx, generation_id: int) -> None:
    """Two observers of one generation take turns: the second sees what the first wrote."""
    await tx.execute("SELECT FROM tasks WHERE generation_id = $1 ORDER BY task_id FOR NO KEY UPDATE", generation_id)


async def record_credits(tx: Tx, task_id: str, credits_consumed: Decimal) -> bool:
    """False when they were known."""
    tag = await tx.execute(
        "UPDATE tasks SET credits = $2 WHERE task_id = $1 AND credits IS NULL", task_id, credits_consumed
    )
    return tag == "UPDATE 1"


@dataclass(frozen=True, slots=True)
class Paid:
    """For how many tasks of an order the provider took credits, and how many in all."""

    tasks: int
    credits: Decimal


async def paid(tx: Tx, generation_id: int) -> Paid:
    row = await tx.fetchrow(
        """
        SELECT count(*) AS tasks, coalesce(sum(credits), 0) AS credits
        FROM tasks WHERE generation_id = $1 AND credits > 0
        """,
        generation_id,
    )
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Paid(**dict(row))


ORPHAN_BODY_LIMIT = 16_384
# Anybody may post callbacks without a token when no signature is demanded: what is kept of them has a bound.
ORPHANS_AT_MOST = 10_000


async def keep_orphan(tx: Tx, task_id: str, body: str) -> bool:
    """Keeps a callback that fits nothing yet, the same one once. False when it was known or there are too many."""
    tag = await tx.execute(
        f"""
        INSERT INTO orphan_callbacks (task_id, body)
        SELECT $1, $2 WHERE (SELECT count(*) FROM orphan_callbacks) < {ORPHANS_AT_MOST}
        ON CONFLICT DO NOTHING
        """,  # noqa: S608 - a constant of ours
        task_id,
        body[:ORPHAN_BODY_LIMIT].replace("\x00", ""),
    )
    return tag == "INSERT 0 1"


async def match_orphans(tx: Tx, task_id: str, generation_id: int) -> bool:
    """Ties waiting callbacks of this task to their generation; True when there were any."""
    tag = await tx.execute(
        """
        UPDATE orphan_callbacks SET generation_id = $2, matched_at = now()
        WHERE task_id = $1 AND matched_at IS NULL
        """,
        task_id,
        generation_id,
    )
    return tag != "UPDATE 0"


async def match_all_orphans(tx: Tx, *, within_days: int) -> tuple[int, ...]:
    """Ties every waiting callback whose task is known by now; the generations that it concerns."""
    rows = await tx.fetch(
        """
        UPDATE orphan_callbacks o SET generation_id = t.generation_id, matched_at = now()
        FROM tasks t
        WHERE t.task_id = o.task_id AND o.matched_at IS NULL AND o.received_at > now() - make_interval(days => $1)
        RETURNING o.generation_id
        """,
        within_days,
    )
    return tuple(sorted({row["generation_id"] for row in rows}))


async def drop_orphans(tx: Tx, *, older_than_days: int) -> int:
    """Forgets those that nothing was ever going to fit."""
    tag = await tx.execute(
        "DELETE FROM orphan_callbacks WHERE received_at < now() - make_interval(days => $1)", older_than_days
    )
    return int(tag.split()[1])


@dataclass(frozen=True, slots=True)
class Orphan:
    id: int
    task_id: str
    received_at: datetime


async def orphans(tx: Tx, *, limit: int) -> tuple[Orphan, ...]:
    """Those still unmatched, oldest first."""
    rows = await tx.fetch(
        "SELECT id, task_id, received_at FROM orphan_callbacks WHERE matched_at IS NULL ORDER BY id LIMIT $1", limit
    )
    return tuple(Orphan(**dict(row)) for row in rows)
