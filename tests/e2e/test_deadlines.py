"""Orders end in time, each span with its own; and what ends too late is looked for, given once, and never charged."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from kiosk.db import Database
from kiosk.generations import late_looks
from kiosk.generations.callback import Taken
from kiosk.generations.deadlines import LATE_LOOKS_S
from kiosk.generations.states import Failure, State
from kiosk.generations.sweep import Sweeper
from tests.workshop import Workshop, a_workshop

LINE_S, RUN_S = 300.0, 700.0
UNTOUCHED = (1000, 0)


async def column(database: Database, name: str, order: int) -> Any:
    async with database.reading() as tx:
        return await tx.fetchval(f"SELECT {name} FROM generations WHERE id = $1", order)


async def move(database: Database, order: int, **columns: str) -> None:
    """Sets columns to expressions."""
    async with database.transaction() as tx:
        for name, value in columns.items():
            await tx.execute(f"UPDATE generations SET {name} = {value} WHERE id = $1", order)


async def test_order_that_waited_has_its_full_time_at_the_provider(database: Database) -> None:
    """In line one deadline holds, from leaving the line another: together the order's end is bounded."""
    async with a_workshop(database, line_s=LINE_S, run_s=RUN_S) as shop:
        order = await shop.ordered()
        assert await column(database, "deadline_at - confirmed_at", order) == timedelta(seconds=LINE_S)
        await move(database, order, deadline_at="now() + interval '9 s'", line_ends_at="now() + interval '9 s'")
        await shop.submit(order)
        assert await column(database, "deadline_at - submitted_at", order) == timedelta(seconds=RUN_S)


async def test_repeated_submission_prolongs_nothing(database: Database) -> None:
    """The first outcome is unknown: the second attempt has what is left."""
    async with a_workshop(database, line_s=LINE_S, run_s=RUN_S) as shop:
        shop.fault("lost_reply", "createTask")
        shop.fault("callback_never", "createTask", times=2)
        order = await shop.ordered()
        await shop.submit(order)
        await move(database, order, deadline_at="deadline_at - interval '1 min'")
        before = await column(database, "deadline_at", order)
        await shop.submit(order)
        assert (await shop.order(order)).submits == 2
        assert await column(database, "deadline_at", order) == before


async def test_order_back_in_line_has_the_line_s_deadline(database: Database) -> None:
    """The provider made no task: the wait in line goes on, and when its turn comes, its full time begins."""
    async with a_workshop(database, line_s=LINE_S, run_s=RUN_S) as shop:
        shop.fault("code_455", "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.order(order)).state is State.PENDING
        assert await column(database, "deadline_at - confirmed_at", order) == timedelta(seconds=LINE_S)


async def test_order_is_given_up_in_line(database: Database) -> None:
    """Its turn did not come in time: the money is back and the provider was never asked."""
    async with a_workshop(database) as shop:
        order = await shop.ordered()
        await move(database, order, deadline_at="now()")
        await shop.submit(order)
        assert (await shop.order(order)).failure is Failure.UNAVAILABLE
        assert await shop.money(order) == UNTOUCHED
        assert len(shop.kie.provider.desk.tasks) == 0


async def given_up(database: Database, shop: Workshop) -> int:
    """An order whose task the provider did not speak of before the deadline; no callback will come."""
    shop.fault("callback_never", "createTask")
    shop.fault("task_seconds", "createTask", seconds=0)
    shop.fault("record_null", "recordInfo")
    order = await shop.ordered()
    await shop.submit(order)
    await move(database, order, deadline_at="now()")
    await shop.observe(order)
    assert (await shop.order(order)).failure is Failure.TIMEOUT
    assert await shop.money(order) == UNTOUCHED
    return order


async def look_late(database: Database, shop: Workshop, order: int) -> int:
    """The time of the look that is planned has come: how many jobs it made, and they are done."""
    assert await column(database, "late_look_at", order) is not None
    await move(database, order, late_look_at="now()")
    jobs = await shop.jobs("observe")
    await Sweeper(database).look_late()
    made = await shop.jobs("observe") - jobs
    for _ in range(made):
        await shop.observe(order)
    return made


async def test_late_success_is_found_without_a_callback(database: Database) -> None:
    """Nobody reports it: it is looked for, given once, and costs the customer nothing."""
    async with a_workshop(database) as shop:
        order = await given_up(database, shop)
        assert await column(database, "late_look_at - settled_at", order) == timedelta(seconds=LATE_LOOKS_S[0])
        assert await look_late(database, shop, order) == 1
        found = await shop.order(order)
        assert (found.state, found.late) == (State.DONE, True)
        assert await shop.money(order) == UNTOUCHED
        assert await shop.transfers(order) == ["hold", "release"]
        assert sorted(await shop.alerts()) == ["late", "stuck"]
        assert await column(database, "late_look_at", order) is None
        assert await shop.broken_invariants() == []


async def test_late_success_is_given_once(database: Database) -> None:
    """Looks, callbacks and observers at once: one gift, one delivery."""
    async with a_workshop(database) as shop:
        order = await given_up(database, shop)
        found = await shop.order(order)
        assert found.task_id
        delivered = await shop.jobs("deliver")
        assert await shop.desk.by_token(order, found.callback_token, found.task_id) is Taken.WOKEN
        await asyncio.gather(look_late(database, shop, order), *(shop.observe(order) for _ in range(10)))
        assert (await shop.order(order)).late
        assert await shop.jobs("deliver") == delivered + 1
        assert await shop.transfers(order) == ["hold", "release"]


async def test_late_looks_end(database: Database) -> None:
    """The provider never speaks of the task again: looked at ever more rarely, then no more."""
    async with a_workshop(database) as shop:
        order = await given_up(database, shop)
        shop.fault("record_null", "recordInfo", times=None)
        for pause_s in (*LATE_LOOKS_S[1:], None):
            assert await look_late(database, shop, order) == 1
            at = await column(database, "late_look_at", order)
            assert (at is None) == (pause_s is None)
        await Sweeper(database).look_late()
        assert await column(database, "late_looks", order) == len(LATE_LOOKS_S)
        assert (await shop.order(order)).state is State.FAILED


@pytest.mark.parametrize("looks", range(len(LATE_LOOKS_S) - 1))
async def test_pauses_between_late_looks_grow(database: Database, looks: int) -> None:
    """Each claim plans the next look, by the database's clock."""
    async with a_workshop(database) as shop:
        order = await given_up(database, shop)
        await move(database, order, late_looks=str(looks), late_look_at="now()")
        async with database.transaction() as tx:
            assert await late_looks.claim(tx, limit=5, pauses_s=LATE_LOOKS_S) == [order]
            ahead: timedelta = await tx.fetchval("SELECT late_look_at - now() FROM generations WHERE id = $1", order)
        assert ahead == timedelta(seconds=LATE_LOOKS_S[looks + 1])


async def test_late_failure_ends_the_looking(database: Database) -> None:
    """The task has failed since: that is how the order stays, and nobody asks again."""
    async with a_workshop(database) as shop:
        shop.fault("task_fail", "createTask")
        order = await given_up(database, shop)
        assert await look_late(database, shop, order) == 1
        found = await shop.order(order)
        assert (found.state, found.failure) == (State.FAILED, Failure.TIMEOUT)
        assert await column(database, "late_look_at", order) is None


async def test_failure_with_every_task_ended_is_not_looked_at(database: Database) -> None:
    """The provider itself said that it failed."""
    async with a_workshop(database) as shop:
        shop.fault("task_fail", "createTask")
        order = await shop.ordered()
        await shop.submit(order)
        await shop.ended(order)
        assert await column(database, "late_look_at", order) is None


async def test_late_looks_are_shared_never_doubled(database: Database) -> None:
    """Four replicas sweep at once: each order is looked at once."""
    async with a_workshop(database) as shop:
        order = await given_up(database, shop)
        await move(database, order, late_look_at="now()")
        jobs = await shop.jobs("observe")
        await asyncio.gather(*(Sweeper(database).look_late() for _ in range(4)))
        assert await shop.jobs("observe") == jobs + 1


async def test_task_that_turns_up_after_the_end_is_looked_at(database: Database) -> None:
    """Both replies were lost and the money went back; a callback names a task, and the first look learns nothing."""
    async with a_workshop(database) as shop:
        shop.fault("lost_reply", "createTask", times=2)
        shop.fault("callback_never", "createTask", times=2)
        shop.fault("task_seconds", "createTask", times=2, seconds=0)
        order = await shop.ordered()
        for _ in range(3):
            await shop.submit(order)
        assert await column(database, "late_look_at", order) is None
        task, *_ = shop.kie.provider.desk.tasks
        shop.fault("record_null", "recordInfo")
        assert await shop.desk.by_token(order, (await shop.order(order)).callback_token, task) is Taken.WOKEN
        await shop.observe(order)
        assert (await shop.order(order)).state is State.FAILED
        assert await look_late(database, shop, order) == 1
        assert (await shop.order(order)).late


async def test_cost_of_a_task_that_ends_after_the_result_is_looked_for(database: Database) -> None:
    """Two tasks, the first unknown to us when the order was done: what it took is counted, and told."""
    async with a_workshop(database, newer_keys=True) as shop:
        shop.fault("lost_reply", "createTask")
        shop.fault("callback_never", "createTask", times=2)
        shop.fault("task_seconds", "createTask", times=2, seconds=0)
        order = await shop.ordered()
        await shop.submit(order)
        await shop.submit(order)
        found = await shop.order(order)
        (lost,) = shop.kie.provider.desk.tasks.keys() - {found.task_id}
        assert await shop.desk.by_token(order, found.callback_token, lost) is Taken.WOKEN
        shop.fault("record_null", "recordInfo")
        assert (await shop.ended(order)).state is State.DONE
        assert await shop.alerts() == []
        assert await look_late(database, shop, order) == 1
        assert await shop.alerts() == ["second_task"]
        assert await column(database, "late_look_at", order) is None
