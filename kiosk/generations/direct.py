"""Direct orders: without a chat, so whoever ordered it fetches it. The rest of their life is that of any order."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

import structlog

from kiosk.catalog.reference import Reference, read_reference
from kiosk.customers.house import is_house
from kiosk.customers.store import Customer
from kiosk.db import Database
from kiosk.generations import drafts
from kiosk.generations.confirm import (
    Confirmation,
    Confirmed,
    Incomplete,
    InsufficientFunds,
    NotSold,
    PriceChanged,
    SalesPaused,
    SourceGone,
    Till,
    TooMany,
)
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.inspection import NotOrdered, Ready, takes_files
from kiosk.generations.store import Generation
from kiosk.ids import new_callback_token
from kiosk.kie.errors import KieError
from kiosk.ledger import store as ledger
from kiosk.media.fit import Facts
from kiosk.media.given import Given, Porter
from kiosk.media.source import Gone, Unreachable
from kiosk.money import to_rub

log = structlog.get_logger()


class _Undone(Exception):  # noqa: N818 - it takes the draft back
    def __init__(self, answer: Confirmation) -> None:
        self.answer = answer


@dataclass(frozen=True, slots=True)
class DirectOrders:
    """Takes orders that were looked at."""

    db: Database
    till: Till
    porter: Porter
    keeper: Gatekeeper

    async def place(self, ready: Ready, payer: Customer) -> Generation:
        """Hands the files in and orders; the house pays with what it is lent. Errors: NotOrdered."""
        await self.keeper.reopen(self.porter.kie)  # no shop may be there to look whether sales go on
        numbers = {
            number: await self._handed_in(payer, given, facts)
            for number, (given, facts) in enumerate(ready.files, start=1)
        }
        answer = await self._order(ready, payer, _renamed(ready, numbers))
        match answer:
            case Confirmed(generation=order):
                log.info("generation.ordered_directly", generation_id=order.id, model=ready.model.id)
                return order
            case SalesPaused():
                raise NotOrdered("nothing can be bought from the provider at present: look at its credits and key")
            case InsufficientFunds(available_kopecks=kopecks):
                price = to_rub(ready.quote.price_kopecks)
                raise NotOrdered(f"the price is {price} ₽, and the customer has only {to_rub(kopecks)} ₽")
            case TooMany(limit=limit):
                raise NotOrdered(f"the customer has {limit} unfinished orders already, which is the limit")
            case PriceChanged() | Incomplete() | NotSold() | SourceGone():
                raise NotOrdered("the catalog or the prices have changed: try again")
            case _:
                assert_never(answer)

    async def _order(self, ready: Ready, payer: Customer, inputs: Mapping[str, Any]) -> Confirmation:
        """Draft and order in one transaction: there is nobody who could come back to the draft."""
        price = ready.quote.price_kopecks
        try:
            async with self.db.transaction() as tx:
                await ledger.lock(tx, payer.id)
                draft = await drafts.insert(
                    tx,
                    customer_id=payer.id,
                    model_id=ready.model.id,
                    inputs=inputs,
                    chat_id=None,
                    message_id=None,
                    callback_token=new_callback_token(),
                    origin_id=None,
                )
                assert draft is not None  # noqa: S101 - no message and no origin, so nothing to be in conflict with
                await drafts.save(
                    tx,
                    draft.id,
                    inputs=inputs,
                    asking=None,
                    update_id=None,
                    price_kopecks=price,
                    credits_quoted=ready.quote.credits,
                )
                answer = await self.till.sell(
                    tx, payer.id, draft.id, price_pressed=price, message_id=None, house=is_house(payer)
                )
                if not isinstance(answer, Confirmed):
                    raise _Undone(answer)  # noqa: TRY301 - leaving the transaction this way undoes it
                return answer
        except _Undone as undone:
            return undone.answer

    async def _handed_in(self, payer: Customer, given: Given, facts: Facts) -> str:
        try:
            media_id = await self.porter.hand_in(payer.id, given, facts)
        except (Gone, Unreachable, KieError) as error:
            raise NotOrdered(f"{given} could not be handed to the provider: {type(error).__name__}") from None
        return str(Reference(media_id, facts.seconds))


def _renamed(ready: Ready, numbers: Mapping[int, str]) -> dict[str, Any]:
    """The inputs with the numbers under which their files were handed in."""

    def renamed(value: Any) -> Any:
        if isinstance(value, list):
            return [renamed(one) for one in value]
        found = read_reference(value)
        return numbers[found.media_id] if found else value

    files = {item.name for item in ready.model.inputs if takes_files(item)}
    return {name: renamed(value) if name in files else value for name, value in ready.inputs.items()}
