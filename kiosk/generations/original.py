"""The files behind the pictures: Telegram compresses what it shows, so whoever wants the original asks for it."""

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


async def owe_originals(tx: Tx, order: Generation) -> bool:
    """The caller holds the order. False: nothing to owe, or owed once already, however often it is asked for."""
    if order.state is not State.DONE or not await deliveries.insert_originals(tx, order.id):
        return False
    await store.owe_again(tx, order.id, wake_s=WAKE_S)
    await enqueue(tx, Job(Act.DELIVER, order.id))
    log.info("generation.original_asked", generation_id=order.id)
    return True
