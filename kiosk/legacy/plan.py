"""One customer's rows to what is written for them, and why the rest is not; pure."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from kiosk.catalog.shelf import Shelf
from kiosk.delivery.plan import Media, Output
from kiosk.generations.deadlines import Patience
from kiosk.generations.states import Failure, State
from kiosk.legacy.holdings import Outcome, holdings, worth
from kiosk.legacy.read import Entry, Fate, Job, Paid, Person, Row, Table, entry, job, number, paid, person, words
from kiosk.legacy.why import Why

# Whoever waited two days for a picture wants it no more, and the provider may not have it any longer.
STILL_WANTED: Final = timedelta(days=2)
LONG_AGO: Final = datetime(2000, 1, 1, tzinfo=UTC)  # of what has no time at all
NOTE: Final = "brought from the earlier bot"

PostingKind = Literal["adjust", "topup", "hold", "capture", "release"]
FIRST: Final = {Fate.GOOD: 0, Fate.OPEN: 1}  # of two orders with one task, the one that is known to have a result


@dataclass(frozen=True, slots=True)
class Terms:
    """What is decided by. `trust_holds`: as in `holdings`."""

    bot_id: int
    now: datetime
    shelf: Shelf
    patience: Patience
    trust_holds: bool = True


@dataclass(frozen=True, slots=True)
class Known:
    """What our books have already of what the rows name."""

    tasks: AbstractSet[str] = frozenset()
    references: AbstractSet[str] = frozenset()


@dataclass(frozen=True, slots=True)
class PaymentIn:
    row: Row
    method: str
    reference: str
    kopecks: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OrderIn:
    """`state` is running, done or failed; `delivered_at` None of one that is done: it is still owed."""

    row: Row
    state: State
    model_id: str
    inputs: dict[str, Any]
    chat_id: int
    kopecks: int
    task_id: str | None
    outputs: tuple[Output, ...]
    created_at: datetime
    settled_at: datetime | None
    delivered_at: datetime | None
    run_s: float

    @property
    def failure(self) -> Failure | None:
        return Failure.PROVIDER if self.state is State.FAILED else None


@dataclass(frozen=True, slots=True)
class Posting:
    """A transfer; `of` is the payment's or the order's row, and `kopecks` below 0 takes a correction away."""

    kind: PostingKind
    kopecks: int
    of: Row | None
    moment: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """`person` None: nothing is written but why. Afterwards the customer has so much more in balance and on hold."""

    person: Person | None
    outcomes: tuple[Outcome, ...]
    payments: tuple[PaymentIn, ...] = ()
    orders: tuple[OrderIn, ...] = ()
    postings: tuple[Posting, ...] = ()
    available_kopecks: int = 0
    held_kopecks: int = 0


def plan(rows: Sequence[Row], known: Known, terms: Terms) -> Plan:
    """Of all rows of one owner, in the order of the tables."""
    by_table = {table: [row for row in rows if row.table is table] for table in Table}
    users, wallets = by_table[Table.USERS], by_table[Table.WALLETS]
    telegram_id = number(rows[0].owner)
    if not (users or wallets) or telegram_id is None:
        return Plan(None, tuple(_of_nobody(row) for row in rows))
    who = person(telegram_id, users[0].values if users else {})
    entries = [entry(row) for row in by_table[Table.LEDGER]]
    owned = holdings(users, wallets, entries, trust_holds=terms.trust_holds)
    payments, paid_outcomes = _payments([paid(row) for row in by_table[Table.PAYMENTS]], known, terms)
    jobs = [job(row) for table in (Table.GENERATION_JOBS, Table.JOBS) for row in by_table[table]]
    desk = _Orders(who, terms, known.tasks, _charged(entries), owned.kopecks)
    desk.take_all(jobs)
    # A failure's price can have been on hold when it was no more than all that ever was in the account.
    most = max(desk.balance + desk.on_hold + desk.spent, sum(payment.kopecks for payment in payments))
    failures = sorted((one for one in desk.failed if one.kopecks <= most), key=lambda order: order.created_at)
    uncovered = [order for order in desk.failed if order.kopecks > most]
    orders = (*failures, *desk.done, *desk.running)
    lost = {(order.row.table, order.row.key) for order in uncovered}
    outcomes = (
        *owned.outcomes,
        *paid_outcomes,
        *(one for one in desk.outcomes if (one.row.table, one.row.key) not in lost),
        *(Outcome(order.row, Why.UNCOVERED_FAILURE, taken=False) for order in uncovered),
        *(Outcome(row, Why.TOLD_OTHERWISE, taken=False) for row in by_table[Table.LEDGER]),
        *(Outcome(row, Why.NO_SUCH_FEATURE, taken=False) for row in by_table[Table.REFERRALS]),
    )
    return Plan(
        who,
        outcomes,
        payments,
        orders,
        tuple(_postings(payments, orders, desk.balance + desk.on_hold, terms.now)),
        desk.balance,
        desk.on_hold,
    )


def _of_nobody(row: Row) -> Outcome:
    match row.table:
        case Table.USERS | Table.WALLETS:
            return Outcome(row, Why.NO_NUMBER, taken=False, told_kopecks=worth(row))
        case Table.ORPHANS:
            return Outcome(row, Why.WAKE_UP, taken=False)
        case _:
            return Outcome(row, Why.UNKNOWN_OWNER, taken=False)


def payment_name(one: Paid, bot_id: int) -> tuple[str, str]:
    """Method and reference here; the bot is part of it, for bots that were apart had the same numbers."""
    number_there = words(one.row.values.get("payment_id")) or f"{one.row.owner}:{one.row.key}"
    return f"legacy:{one.method}", f"{bot_id}/{number_there}"


def task_of(row: Row) -> str:
    """The task that a row of either jobs table names, or nothing."""
    return job(row).task_id if row.table in (Table.GENERATION_JOBS, Table.JOBS) else ""


def _payments(paids: Sequence[Paid], known: Known, terms: Terms) -> tuple[tuple[PaymentIn, ...], tuple[Outcome, ...]]:
    seen = set(known.references)
    taken, outcomes = [], []
    for one in paids:
        method, own = payment_name(one, terms.bot_id)
        same = {own, *([f"same {one.same_as}"] if one.same_as else [])}
        why = _against_payment(one, twice=bool(seen & same))
        outcomes.append(Outcome(one.row, why, taken=why is None))
        if why is None:
            seen |= same
            at = min(one.created_at or LONG_AGO, terms.now)
            taken.append(PaymentIn(one.row, method, own, one.kopecks, at))
    return tuple(sorted(taken, key=lambda payment: payment.created_at)), tuple(outcomes)


def _against_payment(one: Paid, *, twice: bool) -> Why | None:
    match one.fate:
        case Fate.GOOD if one.kopecks <= 0:
            return Why.NOT_AN_AMOUNT
        case Fate.GOOD:
            return Why.PAID_TWICE if twice else None
        case Fate.OPEN:
            return Why.UNDECIDED
        case Fate.BAD:
            return Why.REJECTED
        case _:
            return Why.UNKNOWN_STATUS


def _charged(entries: Sequence[Entry]) -> frozenset[str]:
    """Names of orders that were charged and not refunded."""
    names: dict[str, set[str]] = {"charge": set(), "refund": set()}
    for one in entries:
        if one.counts and one.kind in names:
            names[one.kind] |= one.names
    return frozenset(names["charge"] - names["refund"])


class _Orders:
    """The orders of one customer, looked at one after the other: each may use up money or a task."""

    def __init__(
        self, who: Person, terms: Terms, tasks: AbstractSet[str], charged: AbstractSet[str], owned: int
    ) -> None:
        self.who, self.terms, self.charged = who, terms, charged
        self.tasks = set(tasks)
        self.balance, self.on_hold, self.spent = owned, 0, 0
        self.done: list[OrderIn] = []
        self.failed: list[OrderIn] = []
        self.running: list[OrderIn] = []
        self.outcomes: list[Outcome] = []

    def take_all(self, jobs: Sequence[Job]) -> None:
        for one in sorted(jobs, key=lambda job: (FIRST.get(job.fate, 2) if job.fate else 2, job.began_at or LONG_AGO)):
            why = self._against(one)
            self.outcomes.append(self._take(one) if why is None else Outcome(one.row, why, taken=False))
        self.done.sort(key=lambda order: order.created_at)

    def _against(self, one: Job) -> Why | None:
        match one.fate:
            case None:
                return Why.UNKNOWN_STATUS
            case Fate.UNORDERED:
                return Why.UNORDERED
            case Fate.CANCELED:
                return Why.CANCELED
            case _ if one.task_id in self.tasks:
                return Why.TASK_TAKEN
            case _ if one.price.kopecks <= 0:
                return Why.NOT_AN_AMOUNT
            case Fate.OPEN:
                return self._against_open(one)
            case Fate.GOOD:
                return self._against_done(one)
            case Fate.BAD:
                return None

    def _against_open(self, one: Job) -> Why | None:
        if not one.task_id:
            return Why.NEVER_SUBMITTED
        if self.terms.now - (one.began_at or LONG_AGO) > STILL_WANTED:
            return Why.TOO_OLD
        return Why.NOT_COVERED if not self._paid_ahead(one) and one.price.kopecks > self.balance else None

    def _against_done(self, one: Job) -> Why | None:
        if not one.urls:
            return Why.NO_RESULT
        waits = one.deliveries_were_noted and one.delivered_at is None
        return Why.NEVER_DELIVERED if waits and self.terms.now - self._ended(one) > STILL_WANTED else None

    def _paid_ahead(self, one: Job) -> bool:
        return bool(one.names & self.charged)

    def _ended(self, one: Job) -> datetime:
        return min(one.ended_at or one.began_at or self.who.created_at or LONG_AGO, self.terms.now)

    def _take(self, one: Job) -> Outcome:
        if one.task_id:
            self.tasks.add(one.task_id)
        unknown = None if self.terms.shelf.find(one.model_id) else Why.UNKNOWN_MODEL
        match one.fate:
            case Fate.OPEN:
                self.running.append(self._order(one, State.RUNNING))
                self.on_hold += one.price.kopecks
                if self._paid_ahead(one):
                    return Outcome(one.row, Why.PAID_AHEAD, brought_kopecks=one.price.kopecks)
                self.balance -= one.price.kopecks
            case Fate.GOOD:
                self.done.append(self._order(one, State.DONE))
                self.spent += one.price.kopecks
            case _:
                self.failed.append(self._order(one, State.FAILED))
        return Outcome(one.row, unknown)

    def _order(self, one: Job, state: State) -> OrderIn:
        ended = self._ended(one)
        model = self.terms.shelf.find(one.model_id)
        media = Media(model.output) if model else Media.IMAGE
        run_s = self.terms.patience.run_s
        return OrderIn(
            row=one.row,
            state=state,
            model_id=one.model_id or "unknown",
            inputs=one.inputs,
            chat_id=one.chat_id or self.who.telegram_id,
            kopecks=one.price.kopecks,
            task_id=one.task_id or None,
            outputs=tuple(Output(media, url) for url in one.urls) if state is State.DONE else (),
            created_at=min(one.began_at or ended, ended if state is not State.RUNNING else self.terms.now),
            settled_at=None if state is State.RUNNING else ended,
            delivered_at=self._delivered(one, state, ended),
            run_s=self.terms.patience.at_provider_s(model) if model else max(run_s.values()),
        )

    def _delivered(self, one: Job, state: State, ended: datetime) -> datetime | None:
        """A failure is told, whatever the row says; so is a result when nobody noted deliveries."""
        if state is State.RUNNING or (state is State.DONE and one.deliveries_were_noted and not one.delivered_at):
            return None
        return min(max(one.delivered_at or ended, ended), self.terms.now)


def _postings(payments: Sequence[PaymentIn], orders: Sequence[OrderIn], owned: int, now: datetime) -> Iterator[Posting]:
    """Whatever comes in stands before whatever goes out, so no balance on the way is below 0.

    One correction makes up what payments and orders do not tell: bonuses, corrections and refunds of the earlier bot.
    """
    spent = sum(order.kopecks for order in orders if order.state is State.DONE)
    untold = owned + spent - sum(payment.kopecks for payment in payments)
    if untold > 0:
        yield Posting("adjust", untold, None, now)
    for payment in payments:
        yield Posting("topup", payment.kopecks, payment.row, payment.created_at)
    for order in orders:
        yield Posting("hold", order.kopecks, order.row, order.created_at)
        if order.settled_at:
            end: PostingKind = "capture" if order.state is State.DONE else "release"
            yield Posting(end, order.kopecks, order.row, order.settled_at)
    if untold < 0:
        yield Posting("adjust", untold, None, now)
