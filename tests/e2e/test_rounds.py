"""Rounds over a real database: none ends the others, an outage is waited out, and nightly work is done by one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import asyncpg
import pytest
import structlog

from kiosk.db import Database, DatabaseUnavailable
from kiosk.queue.rounds import AWAY_MAX_S, Nightly, Round, Rounds, away_pause_s
from tests.openshop import an_open_shop

PATIENCE_S = 30.0
OFTEN_S = 0.01


@dataclass
class Work:
    """Counts how often it was done; `failures` are what it ends in first."""

    failures: list[Exception] = field(default_factory=list)
    held: asyncio.Event | None = None
    begun: int = 0
    done: int = 0

    async def __call__(self) -> None:
        self.begun += 1
        if self.held:
            await self.held.wait()
        if self.failures:
            raise self.failures.pop(0)
        self.done += 1


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reached():
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def going(works: Mapping[str, Work], *, limit_s: float = 60) -> AsyncIterator[Rounds]:
    """Every work in a loop of its own, stopped at the end."""
    rounds = Rounds({name: Round(OFTEN_S, work, limit_s) for name, work in works.items()})
    running = asyncio.create_task(rounds.run())
    try:
        yield rounds
    finally:
        rounds.stop()
        async with asyncio.timeout(PATIENCE_S):
            await running


async def test_round_that_fails_is_tried_again_and_stops_nobody() -> None:
    """A bug in one is told with its name, and its next round and all others come."""
    broken, sound = Work([ZeroDivisionError(), ZeroDivisionError()]), Work()
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as log:
        async with going({"broken": broken, "sound": sound}) as rounds:
            await until(lambda: broken.done >= 2 and sound.done >= 2)
            assert rounds.alive("broken")
    failed = [entry["round"] for entry in log if entry["event"] == "round.failed"]
    assert failed == ["broken", "broken"]


async def test_outage_is_said_once_and_waited_out() -> None:
    """Without a database a round is tried again; only the first failure is told, and that of the next outage."""
    work = Work([DatabaseUnavailable("gone"), DatabaseUnavailable("gone")])
    with structlog.testing.capture_logs() as log:
        async with going({"work": work}):
            await until(lambda: work.done == 1)
            work.failures.append(DatabaseUnavailable("gone again"))
            await until(lambda: not work.failures)
            count = work.done
            await until(lambda: work.done > count)
    assert [entry["why"] for entry in log if entry["event"] == "round.waits"] == ["gone", "gone again"]


async def test_cut_connections_are_waited_out(database: Database, dsn: str) -> None:
    """The server ends every connection, three times: the loop is back by itself, and takes it for no bug."""
    looks: list[int] = []

    async def look() -> None:
        async with database.transaction() as tx:
            looks.append(await tx.fetchval("SELECT pg_backend_pid()"))

    rounds = Rounds({"look": Round(OFTEN_S, look)})
    running = asyncio.create_task(rounds.run())
    with structlog.testing.capture_logs() as log:
        for _ in range(3):
            count = len(looks)
            await until(lambda count=count: len(looks) > count)  # type: ignore[misc]  # a default is no argument here
            killer = await asyncpg.connect(dsn)
            cut = set(looks)
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await killer.close()
            await until(lambda cut=cut: bool(set(looks) - cut))  # type: ignore[misc]  # likewise
        rounds.stop()
        await running
    assert [entry for entry in log if entry["event"] == "round.failed"] == []


def test_pauses_of_an_outage_grow_to_a_bound() -> None:
    """Soon at first, and never so long that the end of the outage is slept through."""
    pauses = [away_pause_s(failures) for failures in range(1, 2000)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert pauses[-1] == AWAY_MAX_S


async def test_stopping_finishes_the_round_in_hand() -> None:
    """What was begun is done, and nothing else is begun."""
    work = Work(held=asyncio.Event())
    async with going({"work": work}) as rounds:
        await until(lambda: work.begun == 1)
        rounds.stop()
        await asyncio.sleep(0)
        assert work.done == 0
        assert work.held
        work.held.set()
    assert (work.begun, work.done) == (1, 1)


async def test_stuck_loop_is_named() -> None:
    """A round in hand for too long is found out; the one beside it is well, and after the stop none is."""
    stuck, sound = Work(held=asyncio.Event()), Work()
    async with going({"stuck": stuck, "sound": sound}) as rounds:
        await until(lambda: stuck.begun == 1 and sound.done > 0)
        assert [rounds.alive(name) for name in ("stuck", "sound")] == [True, True]
        rounds._begun_at["stuck"] -= 61
        assert [rounds.alive(name) for name in ("stuck", "sound")] == [False, True]
        assert stuck.held
        stuck.held.set()
        await until(lambda: stuck.done > 1)
        assert rounds.alive("stuck")
    assert [rounds.alive(name) for name in ("stuck", "sound")] == [False, False]


def test_rounds_that_do_not_run_are_not_alive() -> None:
    """Before the start there is nothing to rely on."""
    assert not Rounds({"work": Round(1, Work())}).alive("work")


async def test_open_shop_names_every_loop(database: Database, dsn: str) -> None:
    """Whoever asks /ready sees each of them."""
    async with an_open_shop(dsn, database) as shop:
        assert shop.front.running is not None
        assert shop.front.running.checks.keys() >= {"sweep", "look_late", "match_orphans", "tell_operators", "audit"}


def a_nightly(database: Database, work: Work) -> Nightly:
    return Nightly(database, "audit", work, lease_s=600)


async def due_now(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("UPDATE turns SET due_at = now()")


async def test_nightly_work_is_done_by_one_replica(database: Database) -> None:
    """Eight look at the same moment; and whoever starts later finds it done."""
    work = Work()
    await asyncio.gather(*(a_nightly(database, work)() for _ in range(8)))
    await a_nightly(database, work)()
    assert (work.begun, work.done) == (1, 1)
    await due_now(database)
    await asyncio.gather(*(a_nightly(database, work)() for _ in range(8)))
    assert work.done == 2


async def test_nightly_work_is_due_in_the_next_night(database: Database) -> None:
    """At two o'clock UTC, within a day from now."""
    await a_nightly(database, Work())()
    async with database.reading() as tx:
        row = await tx.fetchrow("SELECT due_at, due_at - last_run AS ahead FROM turns")
    assert row
    assert (row["due_at"].hour, row["due_at"].minute, row["due_at"].second) == (2, 0, 0)
    assert timedelta(0) < row["ahead"] <= timedelta(days=1)


@pytest.mark.parametrize("error", [ZeroDivisionError(), DatabaseUnavailable("gone")])
async def test_nightly_work_that_did_not_end_is_taken_over(database: Database, error: Exception) -> None:
    """Killed, or broken: nobody repeats it at once, and after the lease somebody does."""
    work = Work([error])
    with pytest.raises(type(error)):
        await a_nightly(database, work)()
    await a_nightly(database, work)()
    assert work.begun == 1
    await due_now(database)
    await a_nightly(database, work)()
    assert work.done == 1


async def test_sorts_of_nightly_work_have_turns_of_their_own(database: Database) -> None:
    """The audit's turn is not the tidying's."""
    work = Work()
    for name in ("audit", "tidy"):
        await replace(a_nightly(database, work), name=name)()
    assert work.done == 2
