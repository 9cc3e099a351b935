"""One leader for each bot: by a lease in the database, and by the holder's own clock."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from kiosk.db import Database
from kiosk.leadership import store
from kiosk.leadership.leader import Leader, LeadershipLost
from kiosk.leadership.lease import Terms
from kiosk.metrics import REGISTRY

BOT = 7000001
TTL_S = 15.0
PATIENCE_S = 30.0
TERMS = Terms(ttl_s=TTL_S, renew_s=0.05, margin_s=1)


@dataclass
class Clock:
    """A monotonic clock that stands still until it is moved."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


async def claimed(database: Database, holder: str, bot: int = BOT) -> int | None:
    async with database.transaction() as tx:
        return (await store.claim(tx, bot, holder, ttl_s=TTL_S)).term


async def run_out(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute("UPDATE leases SET expires_at = clock_timestamp() - interval '1 ms'")


async def test_lease_has_one_holder(database: Database) -> None:
    """Whoever holds it renews it in the same term; others are told how long it is held."""
    assert await claimed(database, "a") == 1
    assert await claimed(database, "a") == 1
    assert await claimed(database, "b") is None
    async with database.transaction() as tx:
        refused = await store.claim(tx, BOT, "b", ttl_s=TTL_S)
    assert refused.free_in_s is not None
    assert 0 < refused.free_in_s <= TTL_S


async def test_lease_that_ran_out_changes_hands_in_a_new_term(database: Database) -> None:
    """Also for its earlier holder: what it began in the term before may be in other hands."""
    assert await claimed(database, "a") == 1
    await run_out(database)
    assert await claimed(database, "b") == 2
    assert await claimed(database, "a") is None
    await run_out(database)
    assert await claimed(database, "b") == 3


async def test_released_lease_is_free_at_once(database: Database) -> None:
    """Only its holder can release it."""
    await claimed(database, "a")
    async with database.transaction() as tx:
        assert not await store.release(tx, BOT, "b")
    assert await claimed(database, "b") is None
    async with database.transaction() as tx:
        assert await store.release(tx, BOT, "a")
    assert await claimed(database, "b") == 2


async def test_bots_are_led_apart(database: Database) -> None:
    """The lease of one bot keeps nobody from another."""
    assert await claimed(database, "a") == 1
    assert await claimed(database, "b", bot=BOT + 1) == 1


async def test_many_ask_at_once_and_one_leads(database: Database) -> None:
    """A first lease, and one that ran out."""
    for _ in range(2):
        terms = await asyncio.gather(*(claimed(database, f"replica {number}") for number in range(20)))
        assert len([term for term in terms if term is not None]) == 1
        await run_out(database)


@contextlib.asynccontextmanager
async def standing(database: Database, holder: str, clock: Clock) -> AsyncIterator[Leader]:
    leader = Leader(database, BOT, holder, TERMS, clock)
    async with leader.standing():
        yield leader


async def until_leading(leader: Leader) -> None:
    async with asyncio.timeout(PATIENCE_S):
        await leader.until_leading()


def changes(events: list[Any]) -> list[str]:
    return [event["event"] for event in events if event["event"] in ("leadership.active", "leadership.passive")]


async def test_next_one_leads_when_the_first_lets_go(database: Database) -> None:
    """In order, as after SIGTERM: nobody waits for the lease to run out, and each change is told once."""
    with structlog.testing.capture_logs() as events:
        async with contextlib.AsyncExitStack() as later:
            async with standing(database, "a", Clock()) as first:
                await until_leading(first)
                second = await later.enter_async_context(standing(database, "b", Clock()))
                while not second.stands_by:
                    await asyncio.sleep(0.01)
                assert not second.leads
            await until_leading(second)
    assert changes(events) == ["leadership.active", "leadership.passive"] * 2


async def test_holder_stops_by_its_own_clock(database: Database) -> None:
    """A process that slept through its lease finds that out before it asks anybody, and stops what it does."""
    clock = Clock()
    async with standing(database, "a", clock) as leader:
        await until_leading(leader)
        doing = asyncio.ensure_future(leader.while_leading(asyncio.Event().wait()))
        await asyncio.sleep(0)
        async with database.transaction() as tx:  # nobody renews while it sleeps
            await tx.execute("UPDATE leases SET holder = 'b', expires_at = clock_timestamp() + interval '1 hour'")
        clock.now_s += TTL_S - TERMS.margin_s
        assert not leader.leads
        assert leader.left_s == 0
        with pytest.raises(LeadershipLost):
            await leader.while_leading(asyncio.sleep(0))
        doing.cancel()
        await asyncio.gather(doing, return_exceptions=True)


async def test_work_is_cancelled_when_the_lease_goes(database: Database) -> None:
    """Somebody stepped back: what was being done is over, and what was done keeps its result."""
    async with standing(database, "a", Clock()) as leader:
        await until_leading(leader)
        assert await leader.while_leading(asyncio.sleep(0, "done")) == "done"

        async def give_up() -> None:
            await leader.step_back()
            await asyncio.Event().wait()

        with pytest.raises(LeadershipLost):
            async with asyncio.timeout(PATIENCE_S):
                await leader.while_leading(give_up())


async def test_idle_holder_keeps_its_lease(database: Database) -> None:
    """Nothing to do is no sign of death: the lease is renewed many times, and nobody else gets it."""
    with structlog.testing.capture_logs() as events:
        async with standing(database, "a", Clock()) as first:
            await until_leading(first)
            async with database.reading() as tx:
                before = await store.lease(tx, BOT)
                assert before is not None
                while (now := await store.lease(tx, BOT)) is not None and now.expires_at == before.expires_at:
                    await asyncio.sleep(0.01)
            assert now is not None
            assert (now.holder, now.term, now.held) == ("a", 1, True)
            assert await claimed(database, "b") is None
    assert changes(events) == ["leadership.active", "leadership.passive"]


async def test_loop_outlives_a_bug(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong in one round is told, and the next round leads all the same."""
    right, failures = store.claim, 2

    async def claim(*args: Any, **kwargs: Any) -> store.Claim:
        nonlocal failures
        failures -= 1
        if failures >= 0:
            raise ValueError("a bug")
        return await right(*args, **kwargs)

    monkeypatch.setattr(store, "claim", claim)
    with structlog.testing.capture_logs() as events:
        async with standing(database, "a", Clock()) as leader:
            await until_leading(leader)
    assert [event["event"] for event in events].count("leadership.broke") == 2


async def test_who_leads_is_a_metric(database: Database) -> None:
    """1 while this process leads, 0 before and after: a bot that nobody leads is seen by its sum."""

    def told() -> float | None:
        return REGISTRY.get_sample_value("kiosk_leads", {"bot_id": str(BOT + 77)})

    leader = Leader(database, BOT + 77, "a", TERMS)
    assert told() is None
    async with leader.standing():
        assert told() == 0
        async with asyncio.timeout(PATIENCE_S):
            await leader.until_leading()
        assert told() == 1
    assert told() == 0
