"""The life of a generation told twice: by the shop on a real database, and by a few lines that say what must be.

Each method of `World` does one thing to the shop and the same to the model; `check` compares them and runs the audit.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, TypeVar, cast

from kiosk.catalog.shelf import default_shelf
from kiosk.customers import store as customers
from kiosk.db import Database, Tx
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.send import Courier
from kiosk.generations import store
from kiosk.generations.callback import CallbackDesk, Taken
from kiosk.generations.confirm import Confirmed, Incomplete, InsufficientFunds, PriceChanged, TooMany
from kiosk.generations.deliver import Deliverer
from kiosk.generations.refund import NothingTaken, Refunded, refund
from kiosk.generations.settle import Settler
from kiosk.generations.states import ARROWS, OPEN, State
from kiosk.generations.sweep import Sweeper
from kiosk.kie.client import KieClient
from kiosk.ledger.audit import INVARIANTS
from kiosk.payments.topup import AlreadyRecorded, Contradicted, Credited
from tests.scripted import Chat, Reply, ScriptedFiles, ScriptedMessenger, ScriptedProvider, Truth, nothing, unnoticed
from tests.shopkeeping import BOT, PROMPT, a_customer, paid
from tests.workshop import Workshop

PRICE = 80
GRACE_S = 600.0
T = TypeVar("T")
Between: TypeAlias = Callable[["World", "Order"], Awaitable[None]]
# What happens while one waits for an answer, or the transaction in which the process dies.
Disturbance: TypeAlias = Between | int | None

AUDIT = " UNION ALL ".join(
    f"SELECT '{invariant.name}: ' || violation FROM ({invariant.sql}) AS found (violation)" for invariant in INVARIANTS
)
FORGET = """
    SET LOCAL session_replication_role = 'replica';
    TRUNCATE transfers, payments, generations, deliveries, tasks, media, orphan_callbacks, alerts, pgqueuer,
        pgqueuer_log;
    DELETE FROM accounts WHERE customer_id IS NOT NULL;
    DELETE FROM customers;
"""


class Crash(Exception):  # noqa: N818 - it states a fact
    """The process is gone, and with it whatever was not committed."""


class MortalDatabase:
    """The shop's database, on which the process may die: in its `dies_at`-th transaction, just before the commit."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.dies_at: int | None = None

    @contextlib.asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[Tx]:
        async with self.db.transaction(**options) as tx:
            yield tx
            if self.dies_at is not None:
                self.dies_at -= 1
                if self.dies_at == 0:
                    raise Crash

    def reading(self) -> contextlib.AbstractAsyncContextManager[Tx]:
        return self.db.reading()


@dataclass(eq=False)
class Buyer:
    id: int
    available: int
    held: int = 0

    def __repr__(self) -> str:
        return f"buyer {self.id}"


@dataclass(eq=False)
class Order:
    """What must be true of one generation; `moves` are the kinds of its transfers."""

    id: int
    buyer: Buyer
    token: str
    state: State = State.DRAFT
    submits: int = 0
    known: list[str] = field(default_factory=list)
    is_late: bool = False
    is_overdue: bool = False  # its createTask was waited for long enough
    is_past: bool = False  # its deadline
    moves: list[str] = field(default_factory=list)

    def __repr__(self) -> str:
        return f"order {self.id}"

    def go(self, state: State) -> None:
        assert (self.state, state) in ARROWS
        self.state = state

    def hold(self) -> None:
        self.go(State.PENDING)
        self.moves.append("hold")
        self.buyer.available -= PRICE
        self.buyer.held += PRICE

    def lose(self, state: State) -> None:
        """It ends without a result."""
        if self.state in OPEN:
            self.moves.append("release")
            self.buyer.held -= PRICE
            self.buyer.available += PRICE
        self.go(state)

    def win(self) -> None:
        if self.state is State.RUNNING:
            self.moves.append("capture")
            self.buyer.held -= PRICE
        self.is_late = self.state is State.FAILED
        self.go(State.DONE)

    def give_back(self) -> None:
        self.moves.append("refund")
        self.buyer.available += PRICE


class World:
    """The shop's real parts, with scripts where its network ends."""

    def __init__(self, shop: Workshop) -> None:
        self.real = shop.db
        self.db = MortalDatabase(shop.db)
        self.provider, self.messenger = ScriptedProvider(), ScriptedMessenger()
        db, kie = cast("Database", self.db), cast("KieClient", self.provider)
        files = cast("Fetcher", ScriptedFiles())
        self.settler = Settler(db)
        self.till = replace(shop.till, db=db)
        self.wizard = shop.wizard
        self.submitter = replace(
            shop.submit,
            db=db,
            kie=kie,
            settler=self.settler,
            keeper=replace(shop.keeper, db=db, grace_s=GRACE_S),
        )
        self.observer = replace(shop.observe, db=db, kie=kie, settler=self.settler, fetcher=files)
        self.deliverer = Deliverer(db, {BOT: Courier(self.messenger, files, 50_000_000)})
        self.desk = CallbackDesk(db, poll_first_s=600)
        self.sweeper = Sweeper(db)
        self.buyers: list[Buyer] = []
        self.orders: dict[int, Order] = {}
        self.payments: dict[str, tuple[Buyer, int]] = {}
        self.messages = 1

    def settle_by(self, settler: type[Settler]) -> None:
        """Puts another one in the place of the shop's own."""
        self.settler = settler(self.settler.db)
        self.submitter = replace(self.submitter, settler=self.settler)
        self.observer = replace(self.observer, settler=self.settler)

    async def forget(self) -> None:
        """An empty shop again."""
        async with self.real.transaction() as tx:
            await tx.execute(FORGET)
        vars(self.provider).update(vars(ScriptedProvider()))
        vars(self.messenger).update(vars(ScriptedMessenger()))
        for kept in (self.buyers, self.orders, self.payments):
            kept.clear()

    async def _try(self, work: Awaitable[T], dies_at: int | None = None) -> T | None:
        """What it answers; None when the process died in it."""
        self.db.dies_at = dies_at
        try:
            return await work
        except Crash:
            return None
        finally:
            self.db.dies_at = None

    async def _disturbed(self, job: Awaitable[None], disturbance: Disturbance) -> bool:
        """Whether the process survived it."""

        async def finish() -> bool:
            await job
            return True

        return bool(await self._try(finish(), disturbance if isinstance(disturbance, int) else None))

    async def _happen(self, disturbance: Disturbance, order: Order) -> None:
        if disturbance is not None and not isinstance(disturbance, int):
            await disturbance(self, order)

    # ------------------------------------------------------------------ customers, their money, their drafts

    async def arrive(self, kopecks: int) -> Buyer:
        async with self.real.transaction() as tx:
            buyer = Buyer(await a_customer(tx, kopecks=kopecks), kopecks)
        self.buyers.append(buyer)
        return buyer

    async def pay(self, buyer: Buyer, reference: str, kopecks: int, dies_at: int | None) -> None:
        async def record() -> object:
            async with self.db.transaction() as tx:
                return await paid(tx, buyer.id, kopecks, reference=reference)

        answer = await self._try(record(), dies_at)
        if dies_at == 1:
            assert answer is None
        elif reference not in self.payments:
            assert isinstance(answer, Credited)
            buyer.available += kopecks
            assert answer.available_kopecks == buyer.available
            self.payments[reference] = (buyer, kopecks)
        else:
            assert isinstance(answer, AlreadyRecorded if self.payments[reference] == (buyer, kopecks) else Contradicted)

    async def draft(self, buyer: Buyer) -> Order:
        model = default_shelf().find("z-image")
        assert model is not None
        self.messages += 1
        await self.come_back(buyer)  # whoever writes is no longer blocked
        async with self.real.transaction() as tx:
            row = await self.wizard.begin(
                tx, customer_id=buyer.id, model=model, chat_id=buyer.id, message_id=self.messages, inputs=PROMPT
            )
        assert row.price_kopecks == PRICE
        order = self.orders[row.id] = Order(row.id, buyer, row.callback_token)
        return order

    async def confirm(self, order: Order, price: int, dies_at: int | None = None) -> None:
        is_open = [each for each in self.orders.values() if each.buyer is order.buyer and each.state in OPEN]
        if order.state is not State.DRAFT:
            expected: type = Confirmed if order.moves else Incomplete
        elif price != PRICE:
            expected = PriceChanged
        elif len(is_open) >= 5:
            expected = TooMany
        else:
            expected = Confirmed if order.buyer.available >= PRICE else InsufficientFunds
        press = self.till.confirm(order.buyer.id, order.id, price_pressed=price, message_id=1)
        answer = await self._try(press, dies_at)
        if dies_at == 1:
            assert answer is None
            return
        assert type(answer) is expected
        if expected is Confirmed and order.state is State.DRAFT:
            order.hold()

    async def cancel(self, order: Order, dies_at: int | None = None) -> None:
        canceled = await self._try(self.settler.cancel(order.buyer.id, order.id), dies_at)
        can = order.state in (State.DRAFT, State.PENDING)
        assert canceled is (None if dies_at == 1 else can)
        if canceled:
            order.lose(State.CANCELED)

    async def refund(self, order: Order, dies_at: int | None = None) -> None:
        answer = await self._try(refund(cast("Database", self.db), order.id, "a reason"), dies_at)
        if "capture" not in order.moves:
            assert isinstance(answer, NothingTaken) or dies_at == 1
        elif dies_at != 1:
            assert isinstance(answer, Refunded)
            assert answer.earlier is ("refund" in order.moves)
            if not answer.earlier:
                order.give_back()
            assert answer.available_kopecks == order.buyer.available

    # ------------------------------------------------------------------ the provider

    async def submit(self, order: Order, reply: Reply, disturbance: Disturbance = None) -> None:
        """The job of one order; which one the provider is then asked for, the shop decides."""
        placed: Order | None = None
        attempt, task = 0, ""
        can_claim = self._may_be_sent(order)
        is_lost = order.state is State.SUBMITTING and order.is_overdue and (order.submits == 2 or order.is_past)
        is_hopeless = is_lost or (order.state is State.PENDING and order.is_past)

        async def on_the_wire(number: int) -> None:
            nonlocal placed, attempt, task
            placed = self.orders[number]
            assert self._may_be_sent(placed)
            if placed.state is State.PENDING:
                placed.go(State.SUBMITTING)
            attempt = placed.submits = placed.submits + 1
            placed.is_overdue = False
            task = self.provider.of_generation[number][-1] if reply is Reply.CREATED else ""
            await self._happen(disturbance, placed)

        self.provider.reply, self.provider.while_creating = reply, on_the_wire
        async with self._first_in_line(order):
            survived = await self._disturbed(self.submitter(order.id), disturbance)
        self.provider.while_creating = unnoticed
        assert placed is (order if can_claim and disturbance != 1 else None)
        if survived and is_hopeless:
            order.lose(State.FAILED)
        elif survived and placed:
            self._conclude(placed, reply, attempt, task)

    @contextlib.asynccontextmanager
    async def _first_in_line(self, order: Order) -> AsyncIterator[None]:
        """The gate is open, and all others are in somebody's hands: whose turn it is has tests of its own."""
        async with self.real.transaction() as tx:
            await tx.execute("DELETE FROM provider_gates")
            await tx.execute("UPDATE generations SET held_back_until = NULL WHERE id = $1", order.id)
        async with self.real.transaction() as tx:
            await tx.execute(
                "SELECT FROM generations WHERE id <> $1 AND state IN ('pending', 'submitting') FOR UPDATE SKIP LOCKED",
                order.id,
            )
            yield

    def _may_be_sent(self, order: Order) -> bool:
        waits = order.state is State.PENDING or (order.state is State.SUBMITTING and order.is_overdue)
        return waits and not order.is_past and order.submits < 2

    def _conclude(self, order: Order, reply: Reply, attempt: int, task: str) -> None:
        if reply is Reply.CREATED:
            self._learn(order, task)
        elif order.state is State.SUBMITTING and reply is Reply.REFUSED:
            order.lose(State.FAILED)
        elif order.state is State.SUBMITTING and reply is Reply.NOT_NOW and order.submits == attempt:
            order.submits -= 1
            if order.submits == 0:
                order.go(State.PENDING)
                order.is_past = False  # in line its other deadline holds

    def _learn(self, order: Order, task: str) -> None:
        if task not in order.known:
            order.known.append(task)
        if order.state is State.SUBMITTING:
            order.go(State.RUNNING)

    async def callback(self, order: Order, *, which: int, is_honest: bool, dies_at: int | None = None) -> None:
        """The provider tells of one of the order's tasks, known or not; or somebody does who only guesses the token."""
        tasks = self.provider.of_generation[order.id]
        task = tasks[which % len(tasks)] if tasks else "task-of-nobody"
        is_honest = is_honest and bool(tasks)
        taken = await self._try(self.desk.by_token(order.id, order.token if is_honest else "a guess", task), dies_at)
        if is_honest and dies_at == 1:
            assert taken is None
        elif is_honest:
            assert taken is Taken.WOKEN
            self._learn(order, task)
        else:
            assert taken is Taken.FORGED or dies_at == 1

    async def callback_without_token(self, task: str) -> None:
        is_known = any(task in order.known for order in self.orders.values())
        assert await self.desk.by_task(task, "{}") is (Taken.WOKEN if is_known else Taken.KEPT)

    async def observe(self, order: Order, disturbance: Disturbance = None, *, is_readable: bool = True) -> None:
        seen, known, was_past = order.state, list(order.known), order.is_past

        async def on_the_wire() -> None:
            await self._happen(disturbance, order)
            self.provider.readable = is_readable

        self.provider.readable, self.provider.meanwhile = is_readable, on_the_wire
        survived = await self._disturbed(self.observer(order.id), disturbance)
        self.provider.meanwhile = nothing
        if not survived or seen not in (State.RUNNING, State.FAILED) or order.state is not seen:
            return  # whoever was faster decides
        verdict = self._verdict(known if is_readable else [], was_past)
        if verdict is State.DONE:
            order.win()
        elif verdict is State.FAILED and seen is State.RUNNING:
            order.lose(State.FAILED)

    def _verdict(self, readable: list[str], was_past: bool) -> State | None:
        truths = {self.provider.tasks[task] for task in readable}
        if Truth.WHOLE in truths or (was_past and Truth.PARTIAL in truths):
            return State.DONE
        if was_past or (truths and truths <= {Truth.FAILED, Truth.EMPTY}):
            return State.FAILED
        return None

    # ------------------------------------------------------------------ the chat

    async def deliver(self, order: Order, answer: Chat, disturbance: Disturbance = None) -> None:
        async def on_the_wire() -> None:
            await self._happen(disturbance, order)
            self.messenger.answer = answer

        self.messenger.answer, self.messenger.meanwhile = answer, on_the_wire
        await self._disturbed(self.deliverer(order.id), disturbance)
        self.messenger.meanwhile = nothing

    async def come_back(self, buyer: Buyer) -> None:
        async with self.db.transaction() as tx:
            await customers.mark_back(tx, buyer.id)
            await store.wake_waiting(tx, buyer.id)

    # ------------------------------------------------------------------ time, and who works in it

    async def pass_deadline(self, order: Order) -> None:
        if order.moves:
            await self._set("deadline_at = now()", order)
            order.is_past = True

    async def pass_grace(self, order: Order) -> None:
        if order.state is State.SUBMITTING:
            await self._set(f"submitted_at = now() - interval '{GRACE_S} s'", order)
            order.is_overdue = True

    async def come_due(self, order: Order) -> None:
        async with self.real.transaction() as tx:
            await tx.execute("UPDATE deliveries SET claimed_at = now() - interval '1 day' WHERE state = 'sending'")
            await tx.execute("UPDATE generations SET next_at = now() WHERE id = $1 AND next_at < 'infinity'", order.id)
            await tx.execute(
                "UPDATE generations SET late_look_at = now() WHERE id = $1 AND late_look_at IS NOT NULL", order.id
            )

    async def _set(self, assignment: str, order: Order) -> None:
        async with self.real.transaction() as tx:
            await tx.execute(f"UPDATE generations SET {assignment} WHERE id = $1", order.id)

    async def work(self, reply: Reply, answer: Chat) -> None:
        """The sweep looks, and a worker does whatever waits in the queue."""
        await self.sweeper.sweep()
        await self.sweeper.look_late()
        await self.sweeper.match_orphans()
        async with self.real.transaction() as tx:
            jobs = await tx.fetch("DELETE FROM pgqueuer RETURNING id, entrypoint, payload")
        for job in sorted(jobs, key=lambda row: row["id"]):
            order = self.orders[int(job["payload"])]
            match job["entrypoint"]:
                case "submit":
                    await self.submit(order, reply)
                case "observe":
                    await self.observe(order)
                case "deliver":
                    await self.deliver(order, answer)

    # ------------------------------------------------------------------ what must hold after every step

    async def check(self) -> None:
        async with self.real.reading() as tx:
            broken = [row[0] for row in await tx.fetch(AUDIT)]
            rows = await tx.fetch(
                "SELECT id, state, late, submits, delivered_at, ARRAY(SELECT kind FROM transfers "
                "WHERE generation_id = generations.id ORDER BY id) AS moves FROM generations"
            )
            balances = await tx.fetch("SELECT customer_id, kind, balance FROM accounts WHERE customer_id IS NOT NULL")
            top_ups = await tx.fetchval("SELECT coalesce(sum(amount_kopecks), 0) FROM transfers WHERE kind = 'topup'")
        assert broken == []
        assert {row["id"]: (row["state"], row["late"], row["submits"], row["moves"]) for row in rows} == {
            order.id: (order.state, order.is_late, order.submits, order.moves) for order in self.orders.values()
        }
        assert {(row["customer_id"], row["kind"]): row["balance"] for row in balances} == {
            (buyer.id, kind): getattr(buyer, kind) for buyer in self.buyers for kind in ("available", "held")
        }
        assert top_ups == sum(kopecks for _, kopecks in self.payments.values())
        for row in rows:
            self._check_chat(self.orders[row["id"]], is_delivered=row["delivered_at"] is not None)

    def _check_chat(self, order: Order, *, is_delivered: bool) -> None:
        results, failures = self.messenger.results[order.id], self.messenger.failures[order.id]
        assert not results or order.state is State.DONE
        assert not failures or order.state is State.FAILED or order.is_late
        assert all(shown.late == order.is_late for shown in results)
        assert not results or self.messenger.stands[order.id] == "result"
        assert self.messenger.rings[order.id] <= 1
        if is_delivered:
            assert results if order.state is State.DONE else failures
