"""Says in the status message where an order stands in line, and takes it back when it is being made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from kiosk.customers import store as customers
from kiosk.customers.store import Customer
from kiosk.db import Database
from kiosk.delivery import store as deliveries
from kiosk.delivery.messenger import Busy, Messenger, Sent, Shown, Standing, Unknown
from kiosk.delivery.plan import Part
from kiosk.generations import line, store
from kiosk.generations.deliver import BOT_AWAY_S, recipient
from kiosk.generations.gate import Why
from kiosk.generations.gatekeeper import InLine
from kiosk.generations.line import Told
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.queue.jobs import Act, Job, enqueue

log = structlog.get_logger()

TELL_FROM_S: Final = 3.0  # who waits for less need not know
MOVES_ALL_COUNT_TO: Final = 3
NOTABLE: Final = 0.75  # of the place that was told
EDITS_AT_MOST: Final = 4

# What the status message says, as far as it concerns us.
STAGE: Final = {State.PENDING: "line", State.SUBMITTING: "made", State.RUNNING: "made", State.CANCELED: "canceled"}
PART: Final = {State.FAILED: Part.FAILURE, State.DONE: Part.RESULT}


def worth_telling(told: Told | None, now: Told, *, wait_s: float) -> bool:
    """Pure: whether the customer is to see their new place: the first time, and when it has moved notably."""
    if told is None:
        return wait_s >= TELL_FROM_S
    if told.why is not now.why:
        return True
    if now.place < told.place:
        return now.place <= MOVES_ALL_COUNT_TO or now.place <= told.place * NOTABLE
    return now.place * NOTABLE >= told.place and now.place > told.place


def told_of(order: Generation) -> Told | None:
    """What its status message says of the line."""
    if order.place_told is None or order.wait_told is None:
        return None
    return Told(order.place_told, Why(order.wait_told))


def standing(order: Generation) -> Standing:
    """What the status message of an unfinished order is to say."""
    told = told_of(order) if order.state is State.PENDING else None
    return Standing(
        generation_id=order.id,
        model_id=order.model_id,
        inputs=order.inputs,
        place=told.place if told else None,
        why=told.why.value if told else None,
    )


@dataclass(frozen=True, slots=True)
class Usher:
    """Edits while nothing is locked, and looks afterwards whether what it said is still true."""

    db: Database
    messengers: Mapping[int, Messenger]  # of each bot, by its number

    async def tell(self, generation_id: int, where: InLine) -> None:
        """The customer sees the place, where that is worth an edit."""
        told = Told(where.place, where.expected.why)
        async with self.db.transaction() as tx:
            order = await store.get(tx, generation_id)
            if order is None or order.state is not State.PENDING or order.is_direct:
                return
            before, wait_s = told_of(order), (where.expected.until - where.now).total_seconds()
            if not worth_telling(before, told, wait_s=wait_s):
                return
            customer = await customers.get(tx, order.customer_id)
            if customer.blocked or not await line.remember_told(tx, generation_id, told):
                return
        if before is None:
            log.info("generation.in_line", place=told.place, why=told.why.value)
        await self._show(generation_id)

    async def under_way(self, generation_id: int) -> None:
        """It is not in line any more: what was told of that goes out of its message."""
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
        if order is None or STAGE.get(order.state) != "made" or order.place_told is None:
            return
        await self._show(generation_id)
        await self._forget(generation_id)

    async def catch_up(self, order: Generation) -> None:
        """Whoever edited its message was perhaps killed before looking what had come there meanwhile."""
        if order.place_told is None:
            return
        if order.state in PART:
            await self._deliver_again(order)
        else:
            await self.under_way(order.id)

    async def _show(self, generation_id: int) -> None:
        """An edit takes as long as it takes: whatever came to the message meanwhile is put there once more."""
        order, customer = await self._read(generation_id)
        for _ in range(EDITS_AT_MOST):
            if order.state not in STAGE:
                return
            shown = await self._put(order, customer)
            then = order
            order, customer = await self._read(generation_id)
            if order.state in PART and isinstance(shown, Sent | Unknown):
                await self._deliver_again(order)
            if STAGE.get(order.state) == STAGE[then.state] and told_of(order) == told_of(then):
                if isinstance(shown, Busy | Unknown):
                    await self._forget(generation_id)
                return

    async def _forget(self, generation_id: int) -> None:
        async with self.db.transaction() as tx:
            await line.forget_told(tx, generation_id)

    async def _read(self, generation_id: int) -> tuple[Generation, Customer]:
        async with self.db.transaction() as tx:
            order = await store.get(tx, generation_id)
            assert order is not None  # noqa: S101 - generations are never deleted
            return order, await customers.get(tx, order.customer_id)

    async def _put(self, order: Generation, customer: Customer) -> Shown:
        to, messenger = recipient(order, customer, None), self.messengers.get(customer.bot_id)
        if messenger is None:
            return Busy(BOT_AWAY_S)
        if order.state is State.CANCELED:
            return await messenger.put_canceled(to)
        return await messenger.put_status(to, standing(order))

    async def _deliver_again(self, order: Generation) -> None:
        """Our edit may stand where the reason, or a result that is a text, was."""
        async with self.db.transaction() as tx:
            await deliveries.again(tx, order.id, PART[order.state])
            await store.deliver_once_more(tx, order.id)
            await line.forget_told(tx, order.id)
            await enqueue(tx, Job(Act.DELIVER, order.id))
        log.info("generation.told_again", state=order.state.value)
