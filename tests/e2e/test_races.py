"""Many at once on connections of their own: whoever wins, money moves once, and nobody waits for ever."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ClassVar, cast

import asyncpg
import pytest

from kiosk.db import Database, Limits
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.plan import Media, Output
from kiosk.generations import store
from kiosk.generations.refund import NothingTaken, Refunded, refund
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from kiosk.kie.client import KieClient
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from kiosk.payments.topup import AlreadyRecorded, Contradicted, Credited
from tests.breakages import done
from tests.scripted import ScriptedFiles, ScriptedProvider, Truth
from tests.shopkeeping import a_customer, a_draft, confirmed, paid, running
from tests.workshop import a_workshop

PRICE = 80
CONNECTIONS = 16
PATIENCE_S = 120.0  # everybody wants the same rows on a machine that may have better to do
OUTPUTS = (Output(Media.IMAGE, "https://files.example/1.png"),)


@pytest.fixture
async def db(dsn: str) -> AsyncIterator[Database]:
    """As many connections as replicas would have."""
    limits = Limits(acquire_s=PATIENCE_S, lock_s=PATIENCE_S, statement_s=PATIENCE_S, command_s=PATIENCE_S)
    async with await Database.connect(dsn, max_size=CONNECTIONS, limits=limits) as connected:
        yield connected


async def found(db: Database, generation_id: int) -> Generation:
    async with db.reading() as tx:
        row = await store.get(tx, generation_id)
    assert row is not None
    return row


async def wallet(db: Database, customer: int) -> ledger.Wallet:
    async with db.reading() as tx:
        return await ledger.wallet(tx, customer)


async def broken(db: Database) -> list[tuple[str, Sequence[str]]]:
    async with db.transaction(isolation="repeatable_read", readonly=True) as tx:
        return [(finding.invariant.name, finding.examples) for finding in await audit(tx) if finding.broken]


async def at_once(*works: Awaitable[object]) -> list[object]:
    """Nobody begins before all have come."""
    barrier = asyncio.Barrier(len(works))

    async def go(work: Awaitable[object]) -> object:
        await barrier.wait()
        return await work

    return await asyncio.gather(*(go(work) for work in works))


class Counting(Settler):
    """Counts who tried to settle what they had seen running, and who did."""

    tried: ClassVar[Counter[int]] = Counter()
    won: ClassVar[Counter[int]] = Counter()

    async def succeed(self, order: Generation, outputs: Sequence[Output], *, unended: bool = False) -> bool:
        assert order.state is State.RUNNING
        self.tried[order.id] += 1
        won = await super().succeed(order, outputs, unended=unended)
        self.won[order.id] += won
        return won


class Rendezvous(ScriptedProvider):
    """Answers nobody before both have asked: so both have seen the order run, and settle at the same moment."""

    barriers: dict[str, asyncio.Barrier]

    async def get_task(self, task_id: str):  # noqa: ANN201 - as its parent
        await self.barriers[task_id].wait()
        return await super().get_task(task_id)


async def test_callback_and_poll_settle_once_a_thousand_times(db: Database) -> None:
    """Both look at the same moment, both want to settle: one capture, one set of parcels, one wake-up."""
    races, batch = 1000, CONNECTIONS // 2
    async with a_workshop(db) as shop:
        async with db.transaction() as tx:
            people = [await a_customer(tx, kopecks=races * PRICE) for _ in range(batch)]
            orders = [await running(tx, people[n % batch], price=PRICE) for n in range(races)]
            rows = [await store.get(tx, order) for order in orders]
        provider, settler = Rendezvous(), Counting(db)
        tasks = {row.id: (row.task_id or "", row.callback_token) for row in rows if row}
        provider.tasks = {task: Truth.WHOLE for task, _ in tasks.values()}
        provider.barriers = {task: asyncio.Barrier(2) for task in provider.tasks}
        observe = replace(
            shop.observe,
            kie=cast("KieClient", provider),
            fetcher=cast("Fetcher", ScriptedFiles()),
            settler=settler,
        )

        async def called_back(order: int) -> None:
            task, token = tasks[order]
            await shop.desk.by_token(order, token, task)
            await observe(order)

        for start in range(0, races, batch):
            several = orders[start : start + batch]
            await asyncio.gather(*(observe(order) for order in several), *(called_back(order) for order in several))
    assert settler.tried == dict.fromkeys(orders, 2)
    assert settler.won == dict.fromkeys(orders, 1)
    async with db.reading() as tx:
        captures = await tx.fetchval("SELECT count(*) FROM transfers WHERE kind = 'capture'")
        parcels = await tx.fetch("SELECT part, count(*) FROM deliveries GROUP BY part ORDER BY part")
        jobs = await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'deliver'")
    assert (captures, jobs) == (races, races)
    assert [tuple(row) for row in parcels] == [("notice", races), ("result", races)]
    assert await broken(db) == []


async def test_parallel_holds_never_overdraw(db: Database) -> None:
    """A hundred holds at once on money for ten and a half: exactly ten succeed, nothing is left over or missing."""
    async with db.transaction() as tx:
        customer = await a_customer(tx, kopecks=1050)
    inside, most_inside = 0, 0

    async def try_hold() -> bool:
        nonlocal inside, most_inside
        try:
            async with db.transaction() as tx:
                inside += 1
                most_inside = max(most_inside, inside)
                try:
                    await ledger.lock(tx, customer)
                    await confirmed(tx, customer, price=100)
                finally:
                    inside -= 1
        except asyncpg.CheckViolationError:
            return False
        return True

    assert Counter(await at_once(*(try_hold() for _ in range(100)))) == {True: 10, False: 90}
    assert most_inside >= CONNECTIONS // 2
    assert await wallet(db, customer) == ledger.Wallet(50, 1000)
    async with db.reading() as tx:
        numbers = await tx.fetch("SELECT debit_seq FROM transfers WHERE kind = 'hold' ORDER BY debit_seq")
    assert [row["debit_seq"] for row in numbers] == list(range(2, 12))
    assert await broken(db) == []


async def test_payment_told_twenty_times_at_once_is_one_top_up(db: Database) -> None:
    """Ten tell it as it was, five with another amount, five for somebody else: one is credited, and nobody else."""
    async with db.transaction() as tx:
        anna, boris = [await a_customer(tx, kopecks=0) for _ in range(2)]

    async def record(who: int, kopecks: int) -> object:
        async with db.transaction() as tx:
            return await paid(tx, who, kopecks, reference="A-1")

    told = [(anna, 500)] * 10 + [(anna, 501)] * 5 + [(boris, 500)] * 5
    answers = await at_once(*(record(*each) for each in told))
    ((winner, credited),) = [pair for pair in zip(told, answers, strict=True) if isinstance(pair[1], Credited)]
    assert Counter(type(answer) for answer in answers) == {
        Credited: 1,
        AlreadyRecorded: told.count(winner) - 1,
        Contradicted: 20 - told.count(winner),
    }
    assert isinstance(credited, Credited)
    assert (credited.payment.customer_id, credited.payment.amount_kopecks) == winner
    assert {who: (await wallet(db, who)).available_kopecks for who in (anna, boris)} == {anna: 0, boris: 0} | dict(
        [winner]
    )
    assert await broken(db) == []


async def test_refund_asked_twenty_times_at_once_is_given_once(db: Database) -> None:
    """One gives back, nineteen are told of it."""
    async with db.transaction() as tx:
        customer = await a_customer(tx, kopecks=PRICE)
        order = await done(tx, customer)
    answers = await at_once(*(refund(db, order, f"operator {n}") for n in range(20)))
    assert Counter(answer.earlier for answer in answers if isinstance(answer, Refunded)) == {False: 1, True: 19}
    assert await wallet(db, customer) == ledger.Wallet(PRICE, 0)
    assert await broken(db) == []


async def test_success_failure_gift_and_refund_at_once_end_in_one_story(db: Database) -> None:
    """At the deadline everything is tried at once: captured or released, and refunded only when captured."""
    async with db.transaction() as tx:
        customer = await a_customer(tx, kopecks=50 * PRICE)
        orders = [await running(tx, customer, price=PRICE) for _ in range(50)]
    settler = Settler(db)

    async def gift(order: int) -> bool:
        return await settler.succeed(await found(db, order), OUTPUTS)

    for order in orders:
        seen = await found(db, order)
        failed, won, _, refunded = await at_once(
            settler.fail(seen, Failure.TIMEOUT, was=State.RUNNING),
            settler.succeed(seen, OUTPUTS),
            gift(order),
            refund(db, order, "at once"),
        )
        ended = await found(db, order)
        was_captured = ended.state is State.DONE and not ended.late
        assert failed is not was_captured
        assert not (won and failed)
        assert isinstance(refunded, NothingTaken) or was_captured
    assert await broken(db) == []


async def test_cancel_and_claim_at_once_end_in_one_of_them(db: Database) -> None:
    """Either the money is back and nothing is sent, or it is sent, by one of three, and cannot be canceled."""
    async with db.transaction() as tx:
        customer = await a_customer(tx, kopecks=50 * PRICE)
        orders = [await confirmed(tx, customer, price=PRICE) for _ in range(50)]

    async def claim(order: int) -> bool:
        async with db.transaction() as tx:
            return await store.claim_submit(tx, order, grace_s=600, submits_at_most=2) is not None

    for order in orders:
        canceled, *sent = await at_once(Settler(db).cancel(customer, order), *(claim(order) for _ in range(3)))
        assert sum(map(bool, sent)) == (not canceled)
        assert (await found(db, order)).state is (State.CANCELED if canceled else State.SUBMITTING)
    assert await broken(db) == []


class Bustle:
    """One customer, and everybody who moves their money; each move is one transaction of the shop's own."""

    def __init__(self, db: Database, customer: int, seed: int) -> None:
        self.db, self.customer = db, customer
        self.dice = random.Random(seed)
        self.settler = Settler(db)
        self.orders: list[int] = []
        self.moves: Sequence[Callable[[], Awaitable[object]]] = (
            *(self.order, self.start, self.pay, self.adjust),
            *(self.claim, self.cancel, self.succeed, self.fail, self.refund),
        )
        self.made: Counter[str] = Counter()
        self.deadlocks = 0

    async def one_move(self) -> None:
        move = self.dice.choice(self.moves)
        try:
            await move()
        except asyncpg.DeadlockDetectedError:
            self.deadlocks += 1
        self.made[move.__name__] += 1

    async def seen(self) -> Generation:
        return await found(self.db, self.dice.choice(self.orders[-12:]))

    async def order(self) -> None:
        async with self.db.transaction() as tx:
            await ledger.lock(tx, self.customer)
            order = await confirmed(tx, self.customer, price=PRICE)
        self.orders.append(order)

    async def start(self) -> None:
        async with self.db.transaction() as tx:
            await ledger.lock(tx, self.customer)
            order = await running(tx, self.customer, price=PRICE)
        self.orders.append(order)

    async def pay(self) -> None:
        async with self.db.transaction() as tx:
            await paid(tx, self.customer, 100, reference=str(self.dice.randrange(30)))

    async def adjust(self) -> None:
        async with self.db.transaction() as tx:
            await ledger.adjust(tx, self.customer, self.dice.choice([-1, 1]), "by hand")

    async def claim(self) -> None:
        order = await self.seen()
        async with self.db.transaction() as tx:
            await store.claim_submit(tx, order.id, grace_s=0, submits_at_most=2)

    async def cancel(self) -> None:
        await self.settler.cancel(self.customer, (await self.seen()).id)

    async def succeed(self) -> None:
        order = await self.seen()
        if order.state in (State.RUNNING, State.FAILED):
            await self.settler.succeed(order, OUTPUTS)

    async def fail(self) -> None:
        order = await self.seen()
        if order.state in (State.RUNNING, State.SUBMITTING):
            await self.settler.fail(order, Failure.PROVIDER, was=order.state)

    async def refund(self) -> None:
        await refund(self.db, (await self.seen()).id, "by hand")


async def test_all_movements_of_one_wallet_at_once_never_deadlock(db: Database) -> None:
    """Sixteen people and machines do whatever moves money, four hundred times: no deadlock, and clean books."""
    async with db.transaction() as tx:
        bustle = Bustle(db, await a_customer(tx, kopecks=100_000), seed=1)
    for _ in range(4):
        await bustle.start()

    async def worker() -> None:
        for _ in range(25):
            await bustle.one_move()

    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    assert bustle.deadlocks == 0
    assert bustle.made.total() == 25 * CONNECTIONS
    assert bustle.made.keys() == {move.__name__ for move in bustle.moves}
    assert await broken(db) == []


async def test_wrong_order_of_locks_would_be_noticed(db: Database) -> None:
    """Whoever takes the generation before the wallet deadlocks with whoever does it right: that can be seen."""
    async with db.transaction() as tx:
        customer = await a_customer(tx, kopecks=PRICE)
        order = await a_draft(tx, customer)
    both = asyncio.Barrier(2)

    async def lock(*, wallet_first: bool) -> bool:
        steps = [lambda tx: ledger.lock(tx, customer), lambda tx: store.lock(tx, order, customer)]
        first, second = steps if wallet_first else reversed(steps)
        try:
            async with db.transaction() as tx:
                await first(tx)
                await both.wait()
                await second(tx)
        except asyncpg.DeadlockDetectedError:
            return False
        return True

    assert sorted(await asyncio.gather(lock(wallet_first=True), lock(wallet_first=False))) == [False, True]
