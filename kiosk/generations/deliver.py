"""Puts what a settled generation owes into the chat, parcel by parcel, each remembered before and after."""

from dataclasses import dataclass
from typing import Final

import structlog

from kiosk.customers import store as customers
from kiosk.customers.store import Customer
from kiosk.db import Database, Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.messenger import Blocked, Busy, Moved, Recipient, Sent, Unknown
from kiosk.delivery.plan import Part
from kiosk.delivery.send import Courier, Handed
from kiosk.delivery.store import Delivery
from kiosk.generations import store
from kiosk.generations.states import State, delivery_delay_s
from kiosk.generations.store import Generation

log = structlog.get_logger()

EDIT_LEASE_S: Final = 25.0
SEND_LEASE_S: Final = 200.0  # longer than a download and an upload on each rung may take


@dataclass(frozen=True, slots=True)
class Deliverer:
    """The `deliver` job."""

    db: Database
    courier: Courier

    async def __call__(self, generation_id: int) -> None:
        async with self.db.transaction() as tx:
            order = await store.get(tx, generation_id)
            if order is None or order.delivered_at or order.state not in (State.DONE, State.FAILED):
                return
            # Coming back at this very moment wakes what waits by then: so it must wait by then, or not at all.
            customer = await customers.get_as_is(tx, order.customer_id)
            if customer.blocked:
                await store.deliver_again(tx, order.id, wait_s=None)
                return
            shown_as = await deliveries.result_message(tx, order.id)
        await self._deliver_all(order, customer, shown_as)

    async def _deliver_all(self, order: Generation, customer: Customer, shown_as: int | None) -> None:
        while claimed := await self._claim(order.id):
            order, parcel = claimed
            handed = await self.courier.hand_over(recipient(order, customer, shown_as), parcel)
            if not await self._record(order, customer, parcel, handed):
                return
            if parcel.part is Part.RESULT and isinstance(handed, Sent):
                shown_as = handed.message_id
        async with self.db.transaction() as tx:
            complete = await store.delivered(tx, order.id)
        if complete:
            log.info("generation.delivered", state=order.state.value, tries=order.delivery_tries)

    async def _claim(self, generation_id: int) -> tuple[Generation, Delivery] | None:
        """The next parcel, and the order as it is by then: it may have succeeded while its failure was being told."""
        async with self.db.transaction() as tx:
            parcel = await self._next(tx, generation_id)
            order = await store.get(tx, generation_id)  # after the parcel, so that it is no older
            assert order is not None  # noqa: S101 - generations are kept
            if parcel and parcel.part is Part.FAILURE and order.state is State.DONE:
                # Overtaken, and in nobody else's hands: whoever had it could still write it over the result.
                await deliveries.mark_sent(tx, parcel.id, message_id=None, file_id=None)
                parcel = await self._next(tx, generation_id)
        return (order, parcel) if parcel else None

    async def _next(self, tx: Tx, generation_id: int) -> Delivery | None:
        return await deliveries.claim_next(tx, generation_id, edit_lease_s=EDIT_LEASE_S, send_lease_s=SEND_LEASE_S)

    async def _record(self, order: Generation, customer: Customer, parcel: Delivery, handed: Handed) -> bool:
        """Whether to go on with the next parcel."""
        async with self.db.transaction() as tx:
            match handed:
                case Sent(message_id=message_id, file_id=file_id, seconds=seconds):
                    await deliveries.mark_sent(
                        tx, parcel.id, message_id=message_id or None, file_id=file_id, seconds=seconds
                    )
                    return True
                case Blocked():
                    await customers.mark_blocked(tx, customer.id)
                    await deliveries.put_back(tx, parcel.id, untried=parcel.part is Part.NOTICE)
                    await store.deliver_again(tx, order.id, wait_s=None)
                    log.info("delivery.customer_blocked", customer_id=customer.id)
                case Moved(chat_id=chat_id):
                    await deliveries.put_back(tx, parcel.id, untried=True)
                    await deliveries.forget_result_message(tx, order.id)
                    await store.move(tx, order.id, chat_id)
                    await store.deliver_again(tx, order.id, wait_s=0)
                    log.info("delivery.chat_moved", from_chat_id=order.chat_id, to_chat_id=chat_id)
                case Busy(retry_after_s=wait_s, counts=counts):
                    await deliveries.put_back(tx, parcel.id, untried=not counts)
                    await store.deliver_again(tx, order.id, wait_s=wait_s)
                case Unknown(why=why):
                    # An edit may be repeated freely; a send is repeated too, since a result twice beats none.
                    log.warning("delivery.outcome_unknown", part=parcel.part.value, why=why, tries=parcel.tries)
                    await deliveries.put_back(tx, parcel.id)
                    await store.deliver_again(tx, order.id, wait_s=delivery_delay_s(order.delivery_tries))
        return False


def recipient(order: Generation, customer: Customer, shown_as: int | None) -> Recipient:
    """What the messenger needs to know of an order."""
    return Recipient(
        chat_id=order.chat_id,
        message_id=order.status_message,
        shown_as=shown_as,
        language=customer.language,
        generation_id=order.id,
        model_id=order.model_id,
        price_kopecks=order.price,
        late=order.late,
        failure=order.failure.value if order.failure else None,
    )
