"""An operator gives back what a result cost: all of it, once, and only what was taken."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import structlog

from kiosk.customers import store as customers
from kiosk.customers.house import is_house
from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.states import OPEN, State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.ledger.store import Refund

log = structlog.get_logger()


class NotTaken(StrEnum):
    """Why there is nothing to give back."""

    UNORDERED = "it was never ordered, so nothing was taken"
    OPEN = "it is not finished: its price is on hold, taken only for a result, and given back without one"
    GIVEN_BACK = "it has no result, and its price went back when it ended"
    HOUSE = "the house ordered it, so nobody paid for it"
    GIFT = "its result came after the price had gone back: it was a gift"


@dataclass(frozen=True, slots=True)
class Refunded:
    """The price is back, now or by an earlier refund."""

    refund: Refund
    available_kopecks: int
    earlier: bool


@dataclass(frozen=True, slots=True)
class NothingTaken:
    generation: Generation
    why: NotTaken


@dataclass(frozen=True, slots=True)
class NoSuchGeneration:
    pass


RefundAnswer: TypeAlias = Refunded | NothingTaken | NoSuchGeneration


def why_not(order: Generation, *, of_house: bool = False) -> NotTaken | None:
    """Pure: what speaks against a refund; None when the price was taken."""
    if order.state in OPEN:
        return NotTaken.OPEN
    if order.confirmed_at is None:
        return NotTaken.UNORDERED
    if order.state is not State.DONE:
        return NotTaken.GIVEN_BACK
    if of_house:
        return NotTaken.HOUSE
    return NotTaken.GIFT if order.late else None


async def refund(db: Database, generation_id: int, reason: str) -> RefundAnswer:
    """Moves the price from the sales back to the customer; whoever comes second is told of the first."""
    async with db.transaction() as tx:
        seen = await store.get(tx, generation_id)
        if seen is None:
            return NoSuchGeneration()
        wallet = await ledger.lock(tx, seen.customer_id)
        order = await store.lock(tx, generation_id, seen.customer_id)
        assert order is not None  # noqa: S101 - generations are kept, and keep their customer
        if why := why_not(order, of_house=is_house(await customers.get(tx, order.customer_id))):
            return NothingTaken(order, why)
        if known := await ledger.refund_of(tx, order.id):
            return Refunded(known, wallet.available_kopecks, earlier=True)
        await ledger.refund(tx, order.id, reason)
        made = await ledger.refund_of(tx, order.id)
        assert made is not None  # noqa: S101 - just made
    log.info("generation.refunded", generation_id=order.id, kopecks=made.amount_kopecks)
    return Refunded(made, wallet.available_kopecks + made.amount_kopecks, earlier=False)
