"""A payment becomes money of its customer, once, however often it is told."""

from dataclasses import dataclass
from typing import TypeAlias

from kiosk.db import Tx
from kiosk.ledger import store as ledger
from kiosk.payments import store
from kiosk.payments.store import Payment


@dataclass(frozen=True, slots=True)
class Credited:
    """It is the customer's now."""

    payment: Payment
    available_kopecks: int


@dataclass(frozen=True, slots=True)
class AlreadyRecorded:
    """The same payment was credited before; nothing changed."""

    payment: Payment


@dataclass(frozen=True, slots=True)
class Contradicted:
    """This payment was recorded with another amount, or for another customer; nothing changed."""

    payment: Payment


TopUp: TypeAlias = Credited | AlreadyRecorded | Contradicted


async def top_up(tx: Tx, customer_id: int, *, method: str, reference: str, amount_kopecks: int) -> TopUp:
    """Records and credits a payment in the caller's transaction, which should do nothing else with money.

    `method` is compared without regard to case, so that a card is a Card.
    """
    method = method.casefold()
    wallet = await ledger.lock(tx, customer_id)
    payment = await store.insert(tx, customer_id, method=method, reference=reference, amount_kopecks=amount_kopecks)
    if payment is None:
        known = await store.find(tx, method=method, reference=reference)
        assert known is not None  # noqa: S101 - it stood in the way of the insert, and payments are kept
        same = (known.customer_id, known.amount_kopecks) == (customer_id, amount_kopecks)
        return AlreadyRecorded(known) if same else Contradicted(known)
    await ledger.top_up(tx, payment.id)
    return Credited(payment, wallet.available_kopecks + amount_kopecks)
