"""Whatever happens to orders, in whatever order: money, states and chats are those of a model of a few lines.

`HYPOTHESIS_PROFILE=long` searches for an hour or so instead of half a minute.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from kiosk.customers.store import Customer
from kiosk.db import Database
from kiosk.delivery.messenger import Sent
from kiosk.delivery.plan import Output
from kiosk.delivery.send import Courier
from kiosk.generations import store
from kiosk.generations.deliver import Deliverer, recipient
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from kiosk.operators.alerts import Alert
from tests.lifecycle_model import PRICE, Between, Buyer, Disturbance, Order, World
from tests.scripted import Chat, Reply, Truth
from tests.workshop import a_workshop

LONG = os.environ.get("HYPOTHESIS_PROFILE") == "long"
SEARCH = settings(
    max_examples=3000 if LONG else 70,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

buyers: Bundle[Buyer] = Bundle("buyers")
orders: Bundle[Order] = Bundle("orders")
some = st.tuples(orders, orders, orders)
replies = st.sampled_from(Reply)
answers = st.sampled_from([*[Chat.SENT] * 5, *Chat])
deaths = st.sampled_from([None, None, None, 1, 2])


async def observe(world: World, order: Order) -> None:
    await world.observe(order)


async def second_attempt(world: World, order: Order) -> None:
    await world.pass_grace(order)
    await world.submit(order, Reply.CREATED)


async def callback(world: World, order: Order) -> None:
    await world.callback(order, which=-1, is_honest=True)


async def end_well(world: World, order: Order) -> None:
    """What the provider made comes out, and it says so."""
    for task in world.provider.of_generation[order.id]:
        world.provider.tasks[task] = Truth.WHOLE
    await callback(world, order)
    await world.observe(order)


async def deadline(world: World, order: Order) -> None:
    await world.pass_deadline(order)
    await world.observe(order)


async def cancel(world: World, order: Order) -> None:
    await world.cancel(order)


async def refund(world: World, order: Order) -> None:
    await world.refund(order)


async def deliver(world: World, order: Order) -> None:
    await world.deliver(order, Chat.SENT)


# What others do while one waits: for createTask, for recordInfo, for Telegram.
WHILE_SUBMITTING = (callback, end_well, second_attempt, deadline, cancel)
WHILE_OBSERVING = (observe, end_well, deadline, callback, second_attempt, refund)
WHILE_DELIVERING = (end_well, deliver, deadline, refund)


def disturbances(meanwhile: Sequence[Between]) -> st.SearchStrategy[Disturbance]:
    """One of them; or the process dies in its first or second transaction; or nothing is the matter."""
    return st.sampled_from([None, *meanwhile, *meanwhile, 1, 2])


async def confirmed(world: World, order: Order) -> None:
    await world.confirm(order, PRICE)


async def lost(world: World, order: Order) -> None:
    await confirmed(world, order)
    await world.submit(order, Reply.LOST)


async def running(world: World, order: Order) -> None:
    await confirmed(world, order)
    await world.submit(order, Reply.CREATED)


async def doubled(world: World, order: Order) -> None:
    """Two tasks, after a first outcome that nobody knows."""
    await lost(world, order)
    await second_attempt(world, order)


async def done(world: World, order: Order) -> None:
    await running(world, order)
    await end_well(world, order)


async def timed_out(world: World, order: Order) -> None:
    """Failed, and its task still goes on."""
    await running(world, order)
    await deadline(world, order)


async def late(world: World, order: Order) -> None:
    await timed_out(world, order)
    await end_well(world, order)


async def no_history(world: World, order: Order) -> None:
    """Still a draft."""


# What an order may have behind it when the search begins with it.
HISTORIES: Sequence[Between] = (
    running,
    timed_out,
    confirmed,
    no_history,
    done,
    confirmed,
    doubled,
    lost,
    late,
)


def one_that_is(some: Sequence[Order], *states: State) -> Order:
    """Preferably in one of these states, or less would happen; but any may be asked for anything."""
    return next((order for state in states for order in some if order.state is state), some[0])


class Life(RuleBasedStateMachine):
    """Each rule is one thing that may happen; hypothesis looks for the sequence that breaks a promise."""

    def __init__(self, world: World, runner: asyncio.Runner) -> None:
        super().__init__()
        self.world = world
        self.runner = runner
        self.does(world.forget())

    def does(self, work: Awaitable[Any]) -> Any:
        return self.runner.get_loop().run_until_complete(work)

    @invariant()
    def all_promises_hold(self) -> None:
        self.does(self.world.check())

    @initialize(target=buyers, kopecks=st.sampled_from([PRICE, 10 * PRICE]))
    def arrive_first(self, kopecks: int) -> Buyer:
        return self.arrive(kopecks)

    @initialize(target=orders, histories=st.lists(st.sampled_from(HISTORIES), min_size=2, max_size=4))
    def begin_anywhere(self, histories: list[Between]) -> MultipleResults[Order]:
        buyer = self.arrive(20 * PRICE)
        return multiple(*(self.order(buyer, history) for history in histories))

    def arrive(self, kopecks: int) -> Buyer:
        buyer: Buyer = self.does(self.world.arrive(kopecks))
        return buyer

    @rule(target=orders, buyer=buyers, history=st.sampled_from(HISTORIES))
    def order(self, buyer: Buyer, history: Between) -> Order:
        order: Order = self.does(self.world.draft(buyer))
        self.does(history(self.world, order))
        return order

    @rule(buyer=buyers, reference=st.sampled_from("abc"), kopecks=st.sampled_from([1, PRICE]), dies_at=deaths)
    def pay(self, buyer: Buyer, reference: str, kopecks: int, dies_at: int | None) -> None:
        self.does(self.world.pay(buyer, reference, kopecks, dies_at))

    @rule(some=some, press=st.sampled_from(["create", "old price", "cancel", "refund"]), dies_at=deaths)
    def press(self, some: Sequence[Order], press: str, dies_at: int | None) -> None:
        match press:
            case "cancel":
                self.does(self.world.cancel(one_that_is(some, State.PENDING, State.DRAFT), dies_at))
            case "refund":
                self.does(self.world.refund(one_that_is(some, State.DONE), dies_at))
            case _:
                price = PRICE + (press == "old price")
                self.does(self.world.confirm(one_that_is(some, State.DRAFT), price, dies_at))

    @rule(some=some, reply=replies, disturbance=disturbances(WHILE_SUBMITTING))
    def submit(self, some: Sequence[Order], reply: Reply, disturbance: Disturbance) -> None:
        self.does(self.world.submit(one_that_is(some, State.PENDING, State.SUBMITTING), reply, disturbance))

    @rule(order=orders, truth=st.sampled_from(Truth), which=st.integers(0, 2))
    def end_at_the_provider(self, order: Order, truth: Truth, which: int) -> None:
        tasks = self.world.provider.of_generation[order.id]
        going = [task for task in tasks if self.world.provider.tasks[task] is Truth.GOING]
        if going:
            self.world.provider.tasks[going[which % len(going)]] = truth

    @rule(order=orders, which=st.integers(0, 2), token=st.sampled_from(["right", "right", "wrong", ""]), dies_at=deaths)
    def callback(self, order: Order, which: int, token: str, dies_at: int | None) -> None:
        if token:
            self.does(self.world.callback(order, which=which, is_honest=token == "right", dies_at=dies_at))
            return
        for task in self.world.provider.of_generation[order.id] or ["task-of-nobody"]:
            self.does(self.world.callback_without_token(task))

    @rule(some=some, is_readable=st.sampled_from([True, True, False]), disturbance=disturbances(WHILE_OBSERVING))
    def observe(self, some: Sequence[Order], is_readable: bool, disturbance: Disturbance) -> None:
        order = one_that_is(some, State.RUNNING, State.FAILED)
        self.does(self.world.observe(order, disturbance, is_readable=is_readable))

    @rule(some=some, answer=answers, disturbance=disturbances(WHILE_DELIVERING))
    def deliver(self, some: Sequence[Order], answer: Chat, disturbance: Disturbance) -> None:
        self.does(self.world.deliver(one_that_is(some, State.FAILED, State.DONE), answer, disturbance))

    @rule(order=orders, what=st.sampled_from(["deadline", "grace", "next look", "return"]))
    def let_time_pass(self, order: Order, what: str) -> None:
        match what:
            case "deadline":
                self.does(self.world.pass_deadline(order))
            case "grace":
                self.does(self.world.pass_grace(order))
            case "next look":
                self.does(self.world.come_due(order))
            case "return":
                self.does(self.world.come_back(order.buyer))

    @rule(reply=replies, answer=answers)
    def work(self, reply: Reply, answer: Chat) -> None:
        self.does(self.world.work(reply, answer))


@contextlib.contextmanager
def a_world(dsn: str) -> Iterator[tuple[World, asyncio.Runner]]:
    """One shop, one loop and one pool for all examples of a test."""
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()

        async def open_shop() -> World:
            db = await stack.enter_async_context(await Database.connect(dsn, max_size=4))
            return World(await stack.enter_async_context(a_workshop(db)))

        world = runner.run(open_shop())
        try:
            yield world, runner
        finally:
            runner.run(stack.aclose())


def test_no_sequence_of_events_breaks_a_promise(dsn: str) -> None:
    """After each step: every invariant of the audit, every balance, state and transfer as the model has them."""
    with a_world(dsn) as (world, runner):
        run_state_machine_as_test(lambda: Life(world, runner), settings=SEARCH)


class Unguarded(Settler):
    """Settles whatever it finds, instead of what its caller had seen."""

    async def _now(self, order: Generation) -> Generation:
        async with self.db.reading() as tx:
            found = await store.get(tx, order.id)
        assert found is not None
        return found

    async def succeed(self, order: Generation, outputs: Sequence[Output], *, unended: bool = False) -> bool:
        return await super().succeed(await self._now(order), outputs, unended=unended)

    async def fail(
        self, order: Generation, failure: Failure, *, was: State, alert: Alert | None = None, unended: bool = False
    ) -> bool:
        del was
        return await super().fail(order, failure, was=(await self._now(order)).state, alert=alert, unended=unended)


class Forgetful(Settler):
    """Fails orders and keeps the money on hold."""

    async def fail(
        self, order: Generation, failure: Failure, *, was: State, alert: Alert | None = None, unended: bool = False
    ) -> bool:
        del alert, unended
        async with self.db.transaction() as tx:
            return await store.settle_failed(tx, order.id, was=was, failure=failure, wake_s=600)


class Generous(Settler):
    """Cancels whatever is open, sent or not."""

    async def cancel(self, customer_id: int, generation_id: int) -> bool:
        async with self.db.transaction() as tx:
            await tx.execute(
                "UPDATE generations SET state = 'pending' WHERE id = $1 AND state = 'submitting'", generation_id
            )
        return await super().cancel(customer_id, generation_id)


class Outdated(Deliverer):
    """Delivers what is there for the order as it was before."""

    async def _deliver_all(self, courier: Courier, order: Generation, customer: Customer, shown_as: int | None) -> None:
        while claimed := await self._claim(order.id):
            _, parcels = claimed
            handed = await courier.hand_over(recipient(order, customer, shown_as), parcels[0])
            if not await self._record(order, customer, parcels, (handed,) if isinstance(handed, Sent) else handed):
                return


def settled_by(settler: type[Settler]) -> Callable[[World], None]:
    return lambda world: world.settle_by(settler)


def delivered_by_outdated(world: World) -> None:
    world.deliverer = Outdated(world.deliverer.db, world.deliverer.couriers)


def as_it_is(_world: World) -> None:
    """Nothing is broken."""


async def two_looks_at_the_deadline(world: World, order: Order) -> None:
    await running(world, order)
    await world.pass_deadline(order)
    await world.observe(order, observe)


async def cancel_after_sending(world: World, order: Order) -> None:
    await lost(world, order)
    await world.cancel(order)


async def success_while_failure_is_told(world: World, order: Order) -> None:
    await timed_out(world, order)
    await world.deliver(order, Chat.SENT, end_well)


FATAL = {
    two_looks_at_the_deadline: settled_by(Unguarded),
    timed_out: settled_by(Forgetful),
    cancel_after_sending: settled_by(Generous),
    success_while_failure_is_told: delivered_by_outdated,
}
FOUND = (AssertionError, asyncpg.IntegrityConstraintViolationError)  # by the model and the audit, or by the schema


def passes(dsn: str, path: Between, breaks: Callable[[World], None]) -> bool:
    """Whether an order may take this path through such a shop without anybody noticing anything."""
    with a_world(dsn) as (world, runner):
        breaks(world)

        async def walk() -> None:
            await path(world, await world.draft(await world.arrive(1000)))
            await world.check()

        try:
            runner.run(walk())
        except FOUND:
            return False
        return True


@pytest.mark.parametrize("path", FATAL, ids=lambda path: path.__name__)
def test_broken_shop_is_found_out(dsn: str, path: Between) -> None:
    """A model that finds nothing would prove nothing: a shop that lacks one guard does not pass, the real one does."""
    assert passes(dsn, path, as_it_is)
    assert not passes(dsn, path, FATAL[path])
