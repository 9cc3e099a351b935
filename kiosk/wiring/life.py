"""The life of a shop in one process: it opens, and at its end finishes what is in hand, or hands it back."""

import asyncio
import contextlib
from typing import Final

import structlog

from kiosk import __version__
from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.role import Role
from kiosk.settings import Settings
from kiosk.web.front import Front
from kiosk.wiring.readiness import running
from kiosk.wiring.shop import Shop, build

log = structlog.get_logger()

# Together below the 30 s after which hosting platforms kill.
STOP_S: Final = 18.0
HAND_BACK_S: Final = 3.0


async def keep_shop(
    settings: Settings, dsn: str, db: Database, front: Front, stopping: asyncio.Event, role: Role = Role.RUN
) -> None:
    """Opens the shop and keeps it until `stopping`. Errors: CannotStart."""
    async with contextlib.AsyncExitStack() as stack:
        shop = await build(stack, settings, db, dsn, role)
        async with db.transaction() as tx:
            for branch in shop.branches:
                await customers.expect_bot(tx, branch.bot.id)
        await _live(shop, front, stopping)


async def _live(shop: Shop, front: Front, stopping: asyncio.Event) -> None:
    """Runs the loops side by side; when one ends, all end. Errors: TelegramRefused, WorkerGaveUp."""
    closing = asyncio.Event()  # not `stopping`: that was told from outside, and ends well
    _begin(shop, closing)
    stop = asyncio.create_task(stopping.wait())
    try:
        front.open(running(shop))
        log.info("shop.open", version=__version__, mode=shop.parts.settings.bot_mode, role=shop.parts.role.value)
        await asyncio.wait((stop, *shop.loops.values()), return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(shop, front, closing)
        stop.cancel()
        await asyncio.gather(stop, return_exceptions=True)
    for task in shop.loops.values():
        if not task.cancelled() and (error := task.exception()):
            raise error


def _begin(shop: Shop, closing: asyncio.Event) -> None:
    """Requests are served before Telegram is told where to send them, and whatever Telegram says."""
    if shop.worker:
        shop.loops["worker"] = asyncio.create_task(shop.worker.run(), name="worker")
    if shop.rounds:
        shop.loops["rounds"] = asyncio.create_task(shop.rounds.run(), name="rounds")
    for branch in shop.branches:
        name = f"bot {branch.bot.id}"
        shop.loops[name] = asyncio.create_task(branch.presence.run(closing), name=name)


async def _end(shop: Shop, front: Front, closing: asyncio.Event) -> None:
    """Nothing is begun any more. What is in hand is finished, but not for ever: the rest is handed back."""
    closing.set()
    if shop.worker:
        shop.worker.stop()
    if shop.rounds:
        shop.rounds.stop()
    requests = asyncio.create_task(front.close(), name="requests")
    ending = {requests, *shop.loops.values()}
    _, late = await asyncio.wait(ending, timeout=STOP_S)
    if late and shop.worker:
        shop.worker.hand_back()
        _, late = await asyncio.wait(late, timeout=HAND_BACK_S)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
    log.info("shop.closed", unfinished=[task.get_name() for task in late])
