"""The files behind the pictures: Telegram compresses what it shows, so whoever wants the original asks for it."""

from datetime import timedelta
from enum import StrEnum
from typing import Final

import structlog

from kiosk.db import Tx
from kiosk.delivery import store as deliveries
from kiosk.generations import store
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.queue.jobs import Act, Job, enqueue

log = structlog.get_logger()

WAKE_S: Final = 20.0
KEPT_FOR: Final = timedelta(days=14)  # how long the provider keeps what it made


class Owed(StrEnum):
    """What becomes of a wish for the files."""

    NOW = "now"
    ALREADY = "already"  # however often it is asked for; or there are none
    EXPIRED = "expired"  # nobody has them any more


async def owe_originals(tx: Tx, order: Generation) -> Owed:
    """The caller holds the order."""
    if order.state is not State.DONE or order.settled_at is None:
        return Owed.ALREADY
    if order.read_at - order.settled_at > KEPT_FOR:
        return Owed.EXPIRED
    if not await deliveries.insert_originals(tx, order.id):
        return Owed.ALREADY
    await store.owe_again(tx, order.id, wake_s=WAKE_S)
    await enqueue(tx, Job(Act.DELIVER, order.id))
    log.info("generation.original_asked", generation_id=order.id)
    return Owed.NOW
