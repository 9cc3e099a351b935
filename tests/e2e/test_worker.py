"""The worker over a real database: it outlives its jobs, its connections and whatever stands in the queue's table."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import asyncpg
import pytest
import structlog

from kiosk.db import Database, DatabaseUnavailable, Pool, open_pool
from kiosk.log import concerns, correlated
from kiosk.queue.jobs import Act, Job, enqueue
from kiosk.queue.worker import Pace, Worker, WorkerGaveUp

PATIENCE_S = 30.0
PACE = Pace(concurrency=20, batch=5, dequeue_timeout_s=0.1, stale_s=2, restart_min_s=0.01, restart_max_s=0.05)
CONNECTIONS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@dataclass
class Bench:
    """A running worker; `deal` is what its jobs do, `done` those that came to their end."""

    db: Database
    dsn: str
    worker: Worker
    loop: "asyncio.Task[None] | None" = None
    deal: Callable[[int], Awaitable[None]] | None = None
    begun: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)

    async def handle(self, generation_id: int) -> None:
        self.begun.append(generation_id)
        if self.deal:
            await self.deal(generation_id)
        self.done.append(generation_id)

    async def put(self, *numbers: int) -> None:
        async with self.db.transaction() as tx:
            await enqueue(tx, *(Job(Act.SUBMIT, number) for number in numbers))

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not reached():
                assert self.loop is None or not self.loop.done()
                await asyncio.sleep(0.01)

    async def until_done(self, number: int) -> None:
        await self.until(lambda: number in self.done)

    async def rows(self) -> list[tuple[str, bytes | None]]:
        async with self.db.reading() as tx:
            rows = await tx.fetch("SELECT status::text, payload FROM pgqueuer ORDER BY id")
        return [(row["status"], row["payload"]) for row in rows]

    async def until_rows(self, expected: list[tuple[str, bytes | None]]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while await self.rows() != expected:
                await asyncio.sleep(0.02)

    async def by_hand(self, statement: str) -> None:
        """On a connection of its own: those of the shop may be gone."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextlib.asynccontextmanager
async def a_bench(db: Database, dsn: str, pace: Pace = PACE) -> AsyncIterator[Bench]:
    """Not running yet."""

    async def pool() -> Pool:
        return await open_pool(dsn, max_size=5, application_name="kiosk worker")

    async def handle(generation_id: int) -> None:
        await bench.handle(generation_id)

    bench = Bench(db, dsn, Worker(pool, {Act.SUBMIT: handle}, pace))
    with structlog.testing.capture_logs():
        yield bench


@contextlib.asynccontextmanager
async def running(bench: Bench) -> AsyncIterator["asyncio.Task[None]"]:
    """Runs inside the block and is stopped at its end."""
    bench.loop = asyncio.create_task(bench.worker.run())
    try:
        yield bench.loop
    finally:
        bench.worker.stop()
        async with asyncio.timeout(PATIENCE_S):
            await bench.loop
        bench.loop = None


async def test_jobs_are_run_once_and_are_gone(database: Database, dsn: str) -> None:
    """Those that waited before the start, and those that come while it runs."""
    async with a_bench(database, dsn) as bench:
        await bench.put(1, 2)
        async with running(bench):
            await bench.put(3)
            await bench.until(lambda: len(bench.done) == 3)
            assert bench.worker.alive
            await bench.until_rows([])
        assert sorted(bench.begun) == [1, 2, 3]
        assert not bench.worker.alive


async def test_job_without_database_is_run_again(database: Database, dsn: str) -> None:
    """A database that is away for a moment is no failure of the job: it comes back until it is there."""
    async with a_bench(database, dsn) as bench:

        async def deal(_number: int) -> None:
            if len(bench.begun) < 3:
                raise DatabaseUnavailable("no free connection in time")

        bench.deal = deal
        async with running(bench):
            await bench.put(1)
            await bench.until_rows([("queued", b"1")])
            await bench.until(lambda: bench.done == [1])
            await bench.until_rows([])
        assert bench.begun == [1, 1, 1]


async def test_job_that_fails_is_parked_and_the_worker_goes_on(database: Database, dsn: str) -> None:
    """A bug costs one job, which is kept to be looked at, and is not run again and again."""
    async with a_bench(database, dsn) as bench:

        async def deal(number: int) -> None:
            if number == 1:
                raise ZeroDivisionError

        bench.deal = deal
        async with running(bench):
            await bench.put(1)
            await bench.until_rows([("failed", b"1")])
            await bench.put(2)
            await bench.until(lambda: bench.done == [2])
            await bench.until_rows([("failed", b"1")])
        assert bench.begun == [1, 2]


async def test_stopping_finishes_what_is_in_hand(database: Database, dsn: str) -> None:
    """`run` returns only after the job, which was not called off; what waits is left for others."""
    async with a_bench(database, dsn) as bench:
        release = asyncio.Event()

        async def deal(_number: int) -> None:
            await release.wait()

        bench.deal = deal
        async with running(bench) as loop:
            await bench.put(1)
            await bench.until(lambda: bench.begun == [1])
            bench.worker.stop()
            await bench.put(2)
            await asyncio.sleep(0)
            assert not loop.done()
            release.set()
            async with asyncio.timeout(PATIENCE_S):
                await loop
        assert bench.done == [1]
        assert await bench.rows() == [("queued", b"2")]


async def test_stopping_before_the_start_runs_nothing(database: Database, dsn: str) -> None:
    """A process that is told to end while it starts ends."""
    async with a_bench(database, dsn) as bench:
        bench.worker.stop()
        await bench.put(1)
        async with running(bench):
            pass
        assert bench.begun == []


async def test_terminated_connections_are_replaced(database: Database, dsn: str) -> None:
    """All its connections are cut, three times: it comes back by itself and runs what waits."""
    async with a_bench(database, dsn) as bench, running(bench):
        for number in range(3):
            await bench.put(number)
            await bench.until_done(number)
            await bench.by_hand(f"SELECT pg_terminate_backend(pid) {CONNECTIONS} AND application_name = 'kiosk worker'")
        await bench.put(7)
        await bench.until(lambda: 7 in bench.done)
        await bench.until(lambda: bench.worker.alive)


async def test_job_of_a_dead_worker_is_run_by_the_next(database: Database, dsn: str) -> None:
    """Picked by somebody who was not heard of since: it is taken over after the stale time."""
    async with a_bench(database, dsn) as bench:
        await bench.put(1)
        await bench.by_hand(
            "UPDATE pgqueuer SET status = 'picked', queue_manager_id = gen_random_uuid(), "
            "heartbeat = now() - interval '1 hour', updated = now() - interval '1 hour'"
        )
        async with running(bench):
            await bench.until(lambda: bench.done == [1])


@pytest.mark.parametrize(
    "row",
    [
        "(1, 'queued', 'submit', 'no number')",
        "(1, 'queued', 'submit', '\\xff00'::bytea)",
        "(1, 'queued', 'nonsense', '1')",
        "(1, 'failed', 'submit', '1')",
        "(1, 'picked', 'submit', 'no number')",
    ],
    ids=["payload", "bytes", "entry point", "parked", "left behind"],
)
async def test_poisoned_row_stops_nobody(database: Database, dsn: str, row: str) -> None:
    """A row that no job of ours looks like: the worker lives, and runs what comes after it."""
    async with a_bench(database, dsn) as bench:
        await bench.by_hand(f"INSERT INTO pgqueuer (priority, status, entrypoint, payload) VALUES {row}")
        async with running(bench) as loop:
            for number in (11, 12, 13):
                await bench.put(number)
                await bench.until_done(number)
            assert not loop.done()


async def test_unreachable_database_ends_the_process_at_last(database: Database, dsn: str) -> None:
    """After so long without an answer it gives up, so that whoever watches the process starts a new one."""

    async def nobody() -> Pool:
        raise DatabaseUnavailable("nobody answers")

    worker = Worker(nobody, {}, Pace(restart_min_s=0, restart_max_s=0, give_up_s=0.1))
    with structlog.testing.capture_logs(), pytest.raises(WorkerGaveUp):
        await worker.run()
    assert not worker.alive


async def test_job_in_hand_is_handed_back(database: Database, dsn: str) -> None:
    """A worker that ends before its job does leaves it to the next at once, not after it was missed for long."""
    async with a_bench(database, dsn, replace(PACE, stale_s=600)) as bench:
        never = asyncio.Event()

        async def hang(_number: int) -> None:
            await never.wait()

        bench.deal = hang
        async with running(bench):
            await bench.put(7)
            await bench.until(lambda: bench.begun == [7])
            bench.worker.stop()
            bench.worker.hand_back()
        assert await bench.rows() == [("queued", b"7")]
    async with a_bench(database, dsn, replace(PACE, stale_s=600)) as other, running(other):
        await other.until_done(7)


async def test_job_carries_on_what_woke_it(database: Database, dsn: str) -> None:
    """The correlation id of an update reaches the job that it caused, and the jobs that this one causes in turn."""
    seen: dict[int, dict[str, object]] = {}

    async def deal(number: int) -> None:
        seen[number] = dict(structlog.contextvars.get_contextvars())
        concerns(7)
        if number == 1:
            await bench.put(2)

    async with a_bench(database, dsn) as bench:
        bench.deal = deal
        with correlated("a-press", update_id=5):
            await bench.put(1)
        await bench.put(3)
        async with running(bench):
            await bench.until(lambda: {1, 2, 3} <= set(bench.done))
    assert [seen[number]["correlation_id"] for number in (1, 2)] == ["a-press", "a-press"]
    assert seen[3]["correlation_id"] not in ("a-press", None)
    assert seen[2].keys() == {"correlation_id", "generation_id", "act"}  # neither the update nor the customer of before
