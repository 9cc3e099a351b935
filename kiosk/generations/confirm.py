"""The customer presses "create": one transaction from draft to pending, with the money set aside and the job queued."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias, assert_never

from kiosk import metrics
from kiosk.catalog.model import Model
from kiosk.db import Database, Tx
from kiosk.generations import follow, gates, store
from kiosk.generations.deadlines import Patience
from kiosk.generations.draft import Wizard
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.ledger.store import Wallet
from kiosk.queue.jobs import Act, Job, enqueue
from kiosk.tracing import span

QUOTE_LIFETIME = timedelta(hours=1)
WAKE_S = 15.0


@dataclass(frozen=True, slots=True)
class Confirmed:
    """It is ordered and paid for, now or by an `earlier` click."""

    generation: Generation
    earlier: bool = False


@dataclass(frozen=True, slots=True)
class Incomplete:
    """Something is still asked, or it is no longer a draft: show where things stand."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class PriceChanged:
    """The price on the button is not today's: the card is shown again with the new one."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class InsufficientFunds:
    """The draft stays as it is; a top-up and another click go on from here."""

    generation: Generation
    available_kopecks: int


@dataclass(frozen=True, slots=True)
class TooMany:
    """The customer has `limit` unfinished generations already."""

    generation: Generation
    limit: int


@dataclass(frozen=True, slots=True)
class SalesPaused:
    """Nothing can be bought from the provider at present: the draft stays as it is."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class SourceGone:
    """What it goes on from cannot be had any more: the draft stays as it is."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class NotSold:
    """The model was taken off the shelf, or there is no such draft of this customer."""


Confirmation: TypeAlias = (
    Confirmed | Incomplete | PriceChanged | SalesPaused | InsufficientFunds | TooMany | SourceGone | NotSold
)


@dataclass(frozen=True, slots=True)
class Accept:
    """Nothing speaks against it."""


def decide(
    draft: Generation,
    wallet: Wallet,
    *,
    price_now: int | None,
    price_pressed: int,
    open_count: int,
    open_at_most: int,
    paused: bool,
) -> Accept | Incomplete | PriceChanged | SalesPaused | InsufficientFunds | TooMany:
    """Pure: what a press on "create" leads to. Prices in kopecks; `price_now` is None while something is missing."""
    if draft.state is not State.DRAFT or draft.asking is not None or price_now is None or draft.quoted_at is None:
        return Incomplete(draft)
    expired = draft.read_at - draft.quoted_at > QUOTE_LIFETIME
    if price_pressed != draft.price_kopecks or (expired and price_now != draft.price_kopecks):
        return PriceChanged(draft)
    if paused:
        return SalesPaused(draft)
    if open_count >= open_at_most:
        return TooMany(draft, open_at_most)
    if wallet.available_kopecks < draft.price:
        return InsufficientFunds(draft, wallet.available_kopecks)
    return Accept()


@dataclass(frozen=True, slots=True)
class Till:
    """Where drafts become orders. `open_at_most`: unfinished ones per customer; `key_name` names the gate."""

    db: Database
    wizard: Wizard
    patience: Patience
    open_at_most: int
    key_name: str

    async def confirm(
        self, customer_id: int, generation_id: int, *, price_pressed: int, message_id: int
    ) -> Confirmation:
        """Twenty clicks are one order: whoever comes second finds it no longer a draft."""
        with span("confirm", generation_id=generation_id):
            answer = await self._confirm(customer_id, generation_id, price_pressed=price_pressed, message_id=message_id)
        match answer:
            case Confirmed(generation=order, earlier=False):
                metrics.ORDERS.labels(metrics.model_label(order.model_id)).inc()
            case Confirmed():
                pass
            case _:
                metrics.NOT_ORDERED.labels(type(answer).__name__).inc()
        return answer

    async def _confirm(
        self, customer_id: int, generation_id: int, *, price_pressed: int, message_id: int
    ) -> Confirmation:
        async with self.db.transaction() as tx:
            return await self.sell(tx, customer_id, generation_id, price_pressed=price_pressed, message_id=message_id)

    async def sell(
        self,
        tx: Tx,
        customer_id: int,
        generation_id: int,
        *,
        price_pressed: int,
        message_id: int | None,
        house: bool = False,
    ) -> Confirmation:
        """The same in the caller's transaction. `house`: no limit of orders, and the price is lent with the hold."""
        wallet = await ledger.lock(tx, customer_id)
        draft = await store.lock(tx, generation_id, customer_id)
        if draft is None:
            return NotSold()
        if draft.state is not State.DRAFT:
            return Confirmed(draft, earlier=True) if draft.confirmed_at else Incomplete(draft)
        model = self.wizard.model(draft.model_id)
        if model is None:
            return NotSold()
        if await follow.is_gone(tx, customer_id, model, draft.inputs):
            return SourceGone(draft)
        quote = self.wizard.price(model, draft.inputs, draft.earlier)
        decision = decide(
            draft,
            Wallet(draft.price_kopecks or 0, 0) if house else wallet,
            price_now=quote.price_kopecks if quote else None,
            price_pressed=price_pressed,
            open_count=0 if house else await store.open_count(tx, customer_id),
            open_at_most=self.open_at_most,
            paused=await gates.is_paused(tx, self.key_name),
        )
        match decision:
            case Accept():
                return await self._accept(tx, draft, model, message_id)
            case PriceChanged():
                return PriceChanged(await self.wizard.requote(tx, draft))
            case Incomplete() | SalesPaused() | InsufficientFunds() | TooMany():
                return decision
            case _:
                assert_never(decision)

    async def _accept(self, tx: Tx, draft: Generation, model: Model, message_id: int | None) -> Confirmed:
        confirmed = await store.confirm(
            tx,
            draft.id,
            message_id=message_id,
            line_s=self.patience.line_s,
            run_s=self.patience.at_provider_s(model),
            wake_s=WAKE_S,
        )
        assert confirmed is not None  # noqa: S101 - the row is locked and was a draft
        await ledger.hold(tx, draft.id)
        await enqueue(tx, Job(Act.SUBMIT, draft.id))
        return Confirmed(confirmed)
