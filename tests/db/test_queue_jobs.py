"""Wake-ups belong to the transaction that makes them."""

import pytest

from kiosk.db import Database
from kiosk.queue.jobs import Act, Job, depth, enqueue, prune


async def jobs(database: Database) -> list[tuple[str, bytes]]:
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
    return [(row["entrypoint"], row["payload"]) for row in rows]


async def enqueue_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await enqueue(tx, Job(Act.SUBMIT, 1))
        raise ValueError


async def test_rolled_back_transaction_leaves_no_job(database: Database) -> None:
    """What did not happen wakes nobody."""
    with pytest.raises(ValueError, match=r"^$"):
        await enqueue_and_fail(database)
    assert await jobs(database) == []


async def test_committed_transaction_leaves_exactly_its_jobs(database: Database) -> None:
    """Nobody sees them before, everybody after."""
    async with database.transaction() as tx:
        await enqueue(tx, Job(Act.SUBMIT, 1), Job(Act.DELIVER, 2**53))
        assert await jobs(database) == []
    assert await jobs(database) == [("submit", b"1"), ("deliver", b"9007199254740992")]


async def test_no_jobs_are_no_statement(database: Database) -> None:
    """A sweep that finds nothing due asks nothing of the engine."""
    async with database.transaction() as tx:
        await enqueue(tx)
    assert await jobs(database) == []


async def test_depth_counts_what_waits_or_runs(database: Database) -> None:
    """Parked failures are not work."""
    async with database.transaction() as tx:
        await enqueue(tx, *(Job(Act.OBSERVE, n) for n in range(4)))
        await tx.execute("UPDATE pgqueuer SET status = 'picked' WHERE payload = '1'")
        await tx.execute("UPDATE pgqueuer SET status = 'failed' WHERE payload = '2'")
        assert await depth(tx) == 3


async def test_pruning_keeps_what_is_waiting_and_what_is_young(database: Database) -> None:
    """Only old history and old parked failures go."""
    async with database.transaction() as tx:
        await enqueue(tx, *(Job(Act.OBSERVE, n) for n in range(3)))
        await tx.execute("UPDATE pgqueuer SET updated = now() - interval '8 days' WHERE payload <> '2'")
        await tx.execute("UPDATE pgqueuer SET status = 'failed' WHERE payload <> '0'")
        await prune(tx, keep_days=7)
        rows = await tx.fetch("SELECT payload FROM pgqueuer ORDER BY id")
        assert [row["payload"] for row in rows] == [b"0", b"2"]
        log = await tx.fetchval("SELECT count(*) FROM pgqueuer_log")
        await tx.execute("UPDATE pgqueuer_log SET created = now() - interval '8 days'")
        await prune(tx, keep_days=7)
        assert log > 0
        assert await tx.fetchval("SELECT count(*) FROM pgqueuer_log") == 0
