"""Whatever happens to orders, in whatever order: money, states and chats are those of a model of a few lines.

`HYPOTHESIS_PROFILE=long` searches for an hour or so instead of half a minute.
"""

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
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

from kiosk.db import Database
from kiosk.delivery.plan import Output
from kiosk.generations import store
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
# For broken shops: found is found, the shortest way to it does not matter.
QUICK = settings(SEARCH, phases=[Phase.generate], max_examples=200, database=None, report_multiple_bugs=False)

buyers: Bundle[Buyer] = Bundle("buyers")
orders: Bundle[Order] = Bundle("orders")
replies = st.sampled_from(Reply)
answers = st.sampled_from([Chat.SENT, Chat.SENT, *Chat])
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


# What others do while one waits for the provider or for Telegram.
BETWEEN: Sequence[Between] = (observe, second_attempt, callback, end_well, deadline, cancel, refund, deliver)
# Or the process dies in its first or second transaction. Or nothing is the matter.
disturbances = st.sampled_from([None, None, None, *BETWEEN, *BETWEEN, 1, 2])


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
HISTORIES: Sequence[Between] = (no_history, confirmed, lost, running, doubled, done, timed_out, late)


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

    @rule(order=orders, price=st.sampled_from([PRICE, PRICE, PRICE + 1]), dies_at=deaths)
    def confirm(self, order: Order, price: int, dies_at: int | None) -> None:
        self.does(self.world.confirm(order, price, dies_at))

    @rule(order=orders, dies_at=deaths)
    def cancel(self, order: Order, dies_at: int | None) -> None:
        self.does(self.world.cancel(order, dies_at))

    @rule(order=orders, dies_at=deaths)
    def refund(self, order: Order, dies_at: int | None) -> None:
        self.does(self.world.refund(order, dies_at))

    @rule(order=orders, reply=replies, disturbance=disturbances)
    def submit(self, order: Order, reply: Reply, disturbance: Disturbance) -> None:
        self.does(self.world.submit(order, reply, disturbance))

    @rule(order=orders, truth=st.sampled_from(Truth), which=st.integers(0, 2))
    def end_at_the_provider(self, order: Order, truth: Truth, which: int) -> None:
        tasks = self.world.provider.of_generation[order.id]
        going = [task for task in tasks if self.world.provider.tasks[task] is Truth.GOING]
        if going:
            self.world.provider.tasks[going[which % len(going)]] = truth

    @rule(order=orders, which=st.integers(0, 2), is_honest=st.booleans(), dies_at=deaths)
    def callback(self, order: Order, which: int, is_honest: bool, dies_at: int | None) -> None:
        self.does(self.world.callback(order, which=which, is_honest=is_honest, dies_at=dies_at))

    @rule(order=orders)
    def callback_without_token(self, order: Order) -> None:
        for task in self.world.provider.of_generation[order.id] or ["task-of-nobody"]:
            self.does(self.world.callback_without_token(task))

    @rule(order=orders, is_readable=st.sampled_from([True, True, False]), disturbance=disturbances)
    def observe(self, order: Order, is_readable: bool, disturbance: Disturbance) -> None:
        self.does(self.world.observe(order, disturbance, is_readable=is_readable))

    @rule(order=orders, answer=answers, disturbance=disturbances)
    def deliver(self, order: Order, answer: Chat, disturbance: Disturbance) -> None:
        self.does(self.world.deliver(order, answer, disturbance))

    @rule(order=orders)
    def come_back(self, order: Order) -> None:
        self.does(self.world.come_back(order.buyer))

    @rule(order=orders, what=st.sampled_from(["deadline", "grace", "next look"]))
    def let_time_pass(self, order: Order, what: str) -> None:
        pass_it = {
            "deadline": self.world.pass_deadline,
            "grace": self.world.pass_grace,
            "next look": self.world.come_due,
        }
        self.does(pass_it[what](order))

    @rule(reply=replies, answer=answers)
    def work(self, reply: Reply, answer: Chat) -> None:
        self.does(self.world.work(reply, answer))


@contextlib.contextmanager
def a_world(dsn: str, settler: type[Settler] = Settler) -> Iterator[tuple[World, asyncio.Runner]]:
    """One shop, one loop and one pool for all examples of a test."""
    with asyncio.Runner() as runner:
        stack = contextlib.AsyncExitStack()

        async def open_shop() -> World:
            db = await stack.enter_async_context(await Database.connect(dsn, max_size=4))
            return World(await stack.enter_async_context(a_workshop(db)), settler)

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


FOUND = (AssertionError, asyncpg.IntegrityConstraintViolationError)  # by the model and the audit, or by the schema


@pytest.mark.parametrize("settler", [Unguarded, Forgetful, Generous])
def test_broken_shop_is_found_out(dsn: str, settler: type[Settler]) -> None:
    """A search that finds nothing would prove nothing: a shop that lacks one guard does not survive it."""
    with a_world(dsn, settler) as (world, runner), pytest.raises(FOUND):
        run_state_machine_as_test(lambda: Life(world, runner), settings=QUICK)
