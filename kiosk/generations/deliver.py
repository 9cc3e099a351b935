"""Puts what a settled generation owes into the chat, parcel by parcel, each remembered before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from kiosk import metrics, tracing
from kiosk.customers import store as customers
from kiosk.customers.store import Customer
from kiosk.db import Database, Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.messenger import Blocked, Busy, Moved, Recipient, Sent, Unknown
from kiosk.delivery.plan import Part
from kiosk.delivery.send import AlbumHanded, Apart, Courier
from kiosk.delivery.store import Delivery
from kiosk.generations import store
from kiosk.generations.states import State, delivery_delay_s
from kiosk.generations.store import Generation
from kiosk.log import concerns
from kiosk.tracing import span

log = structlog.get_logger()

EDIT_LEASE_S: Final = 25.0
BOT_AWAY_S: Final = 60.0
SEND_LEASE_S: Final = 280.0  # longer than downloads and an upload on each rung, and without a cover, may take


@dataclass(frozen=True, slots=True)
class Deliverer:
    """The `deliver` job. `couriers`: one for each bot, by its number; who has none here waits for another process."""

    db: Database
    couriers: Mapping[int, Courier]

    async def __call__(self, generation_id: int) -> None:
        async with self.db.transaction() as tx:
            order = await store.get(tx, generation_id)
            if order is None or order.delivered_at or order.state not in (State.DONE, State.FAILED):
                return
            concerns(order.customer_id)
            if order.is_direct:
                await put_at_hand(tx, order)
                return
            # Coming back at this very moment wakes what waits by then: so it must wait by then, or not at all.
            customer = await customers.get_as_is(tx, order.customer_id)
            courier = self.couriers.get(customer.bot_id)
            if customer.blocked or courier is None:
                if not customer.blocked:
                    log.warning("delivery.bot_away", bot_id=customer.bot_id)
                await store.deliver_again(tx, order.id, wait_s=None if customer.blocked else BOT_AWAY_S)
                return
            shown_as = await deliveries.result_message(tx, order.id)
        await self._deliver_all(courier, order, customer, shown_as)

    async def _deliver_all(self, courier: Courier, order: Generation, customer: Customer, shown_as: int | None) -> None:
        told = False
        while claimed := await self._claim(order.id):
            order, parcels = claimed
            part = parcels[0].part
            with span(f"bring {part.value}", files=len(parcels)):
                handed = await self._hand_over(courier, recipient(order, customer, shown_as), parcels)
            outcome = "sent" if isinstance(handed, tuple) else type(handed).__name__.lower()
            metrics.DELIVERIES.labels(part.value, outcome).inc(len(parcels))
            told = told or part in (Part.RESULT, Part.FAILURE)
            if not await self._record(order, customer, parcels, handed):
                return
            if parcels[0].part is Part.RESULT and isinstance(handed, tuple):
                shown_as = handed[0].message_id
        async with self.db.transaction() as tx:
            complete = await store.delivered(tx, order.id)
            ended = await store.get(tx, order.id) if complete and told else None
        if ended:
            measure(ended)
        if complete:
            log.info("generation.delivered", state=order.state.value, tries=order.delivery_tries)

    async def _hand_over(self, courier: Courier, to: Recipient, parcels: Sequence[Delivery]) -> AlbumHanded:
        if len(parcels) > 1:
            return await courier.hand_over_album(to, parcels)
        handed = await courier.hand_over(to, parcels[0])
        return (handed,) if isinstance(handed, Sent) else handed

    async def _claim(self, generation_id: int) -> tuple[Generation, Sequence[Delivery]] | None:
        """The next parcels, and the order as it is by then: it may have succeeded while its failure was being told."""
        async with self.db.transaction() as tx:
            parcel = await self._next(tx, generation_id)
            order = await store.get(tx, generation_id)  # after the parcel, so that it is no older
            assert order is not None  # noqa: S101 - generations are kept
            if parcel and parcel.part is Part.FAILURE and order.state is State.DONE:
                # Overtaken, and in nobody else's hands: whoever had it could still write it over the result.
                await deliveries.mark_sent(tx, parcel.id, message_id=None, file_id=None)
                parcel = await self._next(tx, generation_id)
            parcels = await deliveries.claim_with(tx, order.id, parcel) if parcel else ()
        return (order, parcels) if parcels else None

    async def _next(self, tx: Tx, generation_id: int) -> Delivery | None:
        return await deliveries.claim_next(tx, generation_id, edit_lease_s=EDIT_LEASE_S, send_lease_s=SEND_LEASE_S)

    async def _record(
        self, order: Generation, customer: Customer, parcels: Sequence[Delivery], handed: AlbumHanded
    ) -> bool:
        """Whether to go on with the next parcels."""
        async with self.db.transaction() as tx:
            match handed:
                case tuple() | Apart():
                    await self._record_shown(tx, order, parcels, handed)
                    return True
                case Blocked():
                    await customers.mark_blocked(tx, customer.id)
                    await self._put_back(tx, parcels, untried=parcels[0].part is Part.NOTICE)
                    await store.deliver_again(tx, order.id, wait_s=None)
                    log.info("delivery.customer_blocked", customer_id=customer.id)
                case Moved(chat_id=chat_id):
                    await self._put_back(tx, parcels, untried=True)
                    await deliveries.forget_result_message(tx, order.id)
                    await store.move(tx, order.id, chat_id)
                    await store.deliver_again(tx, order.id, wait_s=0)
                    log.info("delivery.chat_moved", from_chat_id=order.chat_id, to_chat_id=chat_id)
                case Busy(retry_after_s=wait_s, counts=counts):
                    await self._put_back(tx, parcels, untried=not counts)
                    await store.deliver_again(tx, order.id, wait_s=wait_s)
                case Unknown(why=why):
                    # An edit may be repeated freely; a send is repeated too, since a result twice beats none.
                    log.warning(
                        "delivery.outcome_unknown",
                        part=parcels[0].part.value,
                        files=len(parcels),
                        why=why,
                        tries=parcels[0].tries,
                    )
                    await self._put_back(tx, parcels)
                    await store.deliver_again(tx, order.id, wait_s=delivery_delay_s(order.delivery_tries))
        return False

    async def _record_shown(
        self, tx: Tx, order: Generation, parcels: Sequence[Delivery], handed: tuple[Sent, ...] | Apart
    ) -> None:
        """Parcel by parcel, each as it went; those that nobody got to are free for the next album."""
        sent = handed if isinstance(handed, tuple) else ()
        for parcel, one in zip(parcels, sent, strict=False):
            await deliveries.mark_sent(
                tx, parcel.id, message_id=one.message_id or None, file_id=one.file_id, seconds=one.seconds
            )
            if one.suffers:
                await deliveries.insert_original(tx, order.id, parcel.id)
            if one.as_file:
                await deliveries.original_is_there(tx, parcel.id)
        rest = parcels[len(sent) :]
        alone = handed.which if isinstance(handed, Apart) else ()
        for parcel in rest:
            if parcel.id in alone:
                await deliveries.send_alone(tx, parcel.id)
        await self._put_back(tx, [parcel for parcel in rest if parcel.id not in alone], untried=True)

    async def _put_back(self, tx: Tx, parcels: Sequence[Delivery], *, untried: bool = False) -> None:
        for parcel in parcels:
            await deliveries.put_back(tx, parcel.id, untried=untried)


def measure(order: Generation) -> None:
    """How long each stage of a delivered order took, and its trace as a whole. Called for what ended, once."""
    stages = {
        "in_line": (order.confirmed_at, order.submitted_at),
        "at_provider": (order.submitted_at, order.settled_at),
        "delivery": (order.settled_at, order.delivered_at),
    }
    for name, (begun_at, ended_at) in stages.items():
        tracing.stage(name, order.id, begun_at, ended_at)
    if order.state is State.DONE and not order.late:  # how long failures were waited for is another matter
        stages["whole"] = (order.confirmed_at, order.delivered_at)
        for name, (begun_at, ended_at) in stages.items():
            metrics.stage(name, order.model_id, begun_at, ended_at)
    facts = {"model": order.model_id, "state": order.state.value, "late": order.late, "submits": order.submits}
    tracing.whole(order.id, order.confirmed_at, order.delivered_at, facts)


async def put_at_hand(tx: Tx, order: Generation) -> None:
    """A direct order is delivered when its result, or its failure, lies ready: whoever ordered it fetches it."""
    await deliveries.put_at_hand(tx, order.id)
    if await store.delivered(tx, order.id):
        log.info("generation.delivered", state=order.state.value, tries=order.delivery_tries)


def recipient(order: Generation, customer: Customer, shown_as: int | None) -> Recipient:
    """What the messenger needs to know of an order."""
    return Recipient(
        chat_id=order.chat,
        message_id=order.status_message,
        shown_as=shown_as,
        language=customer.language,
        generation_id=order.id,
        model_id=order.model_id,
        price_kopecks=order.price,
        late=order.late,
        failure=order.failure.value if order.failure else None,
    )
