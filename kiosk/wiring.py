"""The composition root: settings to a running shop. The one file that knows everybody."""

import asyncio
import contextlib
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import aiohttp
import structlog
from aiogram import Bot, Dispatcher

from kiosk import __version__
from kiosk.bot.crier import TelegramCrier
from kiosk.bot.desk import Desk
from kiosk.bot.files import CustomerFiles
from kiosk.bot.handlers import Handlers
from kiosk.bot.intake import BotIntake
from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import introduce, listen_by_polling, listen_by_webhook, make_bot
from kiosk.bot.reception import Reception
from kiosk.catalog.model import Output
from kiosk.catalog.quote import Rates
from kiosk.catalog.shelf import Shelf, default_shelf
from kiosk.db import Database, Pool, open_pool
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.send import Courier
from kiosk.generations.callback import CallbackDesk
from kiosk.generations.confirm import Till
from kiosk.generations.deadlines import Patience
from kiosk.generations.deliver import Deliverer
from kiosk.generations.draft import Wizard
from kiosk.generations.gate import Rate
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.observe import Observer
from kiosk.generations.reconcile import Reconciler
from kiosk.generations.settle import Settler
from kiosk.generations.submit import Submitter
from kiosk.generations.sweep import Sweeper
from kiosk.generations.usher import Usher
from kiosk.ids import key_name, webhook_secret
from kiosk.kie.client import KieClient
from kiosk.leadership.leader import Leader
from kiosk.leadership.lease import Terms
from kiosk.media.links import Links, link_session
from kiosk.media.luggage import Luggage
from kiosk.metrics import know_models
from kiosk.money import to_kopecks
from kiosk.operators.audit import Auditor
from kiosk.operators.credits import look_at_credits
from kiosk.operators.tell import Teller
from kiosk.queue.jobs import Act
from kiosk.queue.rounds import Nightly, Round, Rounds, Run
from kiosk.queue.worker import Worker
from kiosk.settings import Settings
from kiosk.web.front import Front, Running

log = structlog.get_logger()

UPLOAD_LIMIT_BYTES: Final = 50 * 1024 * 1024  # Bot API, "Sending files"
PROVIDER_CONNECTIONS: Final = 100
FILES_AT_ONCE: Final = 4  # of customers, whole in memory while they are handed to the provider
STOP_S: Final = 25.0
SINGLE_MODEL: Final = "z-image"
NIGHTLY_LOOK_S: Final = 60.0
CREDITS_LOOK_S: Final = 300.0
AUDIT_LEASE_S: Final = 4 * 3600.0
TIDY_LEASE_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Shop:
    """Everything that runs, built and not yet started."""

    db: Database
    bot: Bot
    intake: BotIntake
    leader: Leader
    callbacks: CallbackDesk
    worker: Worker
    rounds: Rounds


def assortment(settings: Settings) -> Shelf:
    """What is sold. Errors: CatalogError, naming every mistake in the operator's prices."""
    overrides = settings.prices_file.read_text(encoding="utf-8") if settings.prices_file else None
    shelf = default_shelf(overrides)
    return shelf.single(SINGLE_MODEL) if settings.single_model_only else shelf


def patience(settings: Settings) -> Patience:
    """How long orders may take."""
    return Patience(
        line_s=settings.line_deadline_s,
        run_s={
            Output.IMAGE: settings.image_deadline_s,
            Output.VIDEO: settings.video_deadline_s,
            Output.AUDIO: settings.audio_deadline_s,
            Output.TEXT: settings.text_deadline_s,
        },
    )


def provider_session() -> aiohttp.ClientSession:
    """For the provider and its file hosts: bounded, and without the cookies of whoever stands before them."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=PROVIDER_CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar()
    )


async def _links(stack: contextlib.AsyncExitStack, settings: Settings) -> Links:
    """For the addresses that customers paste: connections of their own."""
    session = await stack.enter_async_context(link_session(allow_private=settings.allow_private_links))
    return Links(session, allow_private=settings.allow_private_links, user_agent=f"Kiosk/{__version__}")


def _client(settings: Settings, session: aiohttp.ClientSession) -> KieClient:
    return KieClient(
        session,
        api_key=settings.provider_key(),
        base_url=settings.kie_base_url,
        upload_url=settings.kie_upload_url,
    )


def _gatekeeper(settings: Settings, db: Database) -> Gatekeeper:
    return Gatekeeper(
        db=db,
        key_name=key_name(settings.provider_key()),
        rate=Rate(settings.provider_creates, settings.provider_window_s),
        grace_s=settings.submit_grace_s,
    )


def build(settings: Settings, db: Database, bot: Bot, session: aiohttp.ClientSession, links: Links, dsn: str) -> Shop:
    """Puts the parts together; nothing here waits or talks to anyone."""
    shelf = assortment(settings)
    know_models({model.id: model.output.value for model in shelf.models})
    kie = _client(settings, session)
    fetcher = Fetcher(session, f"Kiosk/{__version__}", UPLOAD_LIMIT_BYTES)
    wizard = Wizard(shelf, Rates(rub_per_usd=settings.rub_per_usd, multiplier=settings.price_multiplier))
    settler = Settler(db)
    messenger = TelegramMessenger(bot, shelf)
    keeper = _gatekeeper(settings, db)
    desk = Desk(
        db=db,
        shelf=shelf,
        wizard=wizard,
        till=Till(db, wizard, patience(settings), settings.open_orders_per_customer, keeper.key_name),
        settler=settler,
        welcome_kopecks=to_kopecks(settings.welcome_balance_rub),
        support=settings.support_telegram,
        admins=frozenset(settings.admin_id),
    )
    dispatcher = Dispatcher(disable_fsm=True)
    files = CustomerFiles(bot, links)
    dispatcher.include_router(Handlers(desk, Reception(desk, files)).router())
    submit = Submitter(
        db=db,
        kie=kie,
        shelf=shelf,
        settler=settler,
        keeper=keeper,
        usher=Usher(db, messenger),
        callback_base=settings.webhook_base_url,
        poll_first_s=settings.poll_first_s,
        luggage=Luggage(db, kie, files, asyncio.Semaphore(FILES_AT_ONCE)),
    )
    observe = Observer(db, kie, shelf, fetcher, settler, settings.poll_first_s)
    deliver = Deliverer(db, Courier(messenger, fetcher, UPLOAD_LIMIT_BYTES))

    async def engine_pool() -> Pool:
        return await open_pool(dsn, max_size=settings.database_pool_size, application_name="kiosk worker")

    worker = Worker(
        open_pool=engine_pool,
        handlers={Act.SUBMIT: submit, Act.OBSERVE: observe, Act.DELIVER: deliver},
    )
    intake = BotIntake(bot, dispatcher, webhook_secret(settings.bot_token()))
    leader = Leader(
        db, bot.id, f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}", Terms.of(settings.lease_ttl_s)
    )
    rounds = make_rounds(settings, db, bot, partial(keeper.reopen, kie), partial(look_at_credits, kie))
    return Shop(db, bot, intake, leader, CallbackDesk(db, settings.poll_first_s), worker, rounds)


def make_rounds(settings: Settings, db: Database, bot: Bot, reopen: Run, look: Run) -> Rounds:
    """What every replica does again and again."""
    sweeper = Sweeper(db)
    teller = Teller(db, TelegramCrier(bot), bot.id, frozenset(settings.admin_id))
    audit = Nightly(db, "audit", Auditor(db).audit, AUDIT_LEASE_S)
    tidy = Nightly(db, "tidy", sweeper.tidy, TIDY_LEASE_S)
    return Rounds(
        {
            "sweep": Round(2, sweeper.sweep),
            "reopen": Round(5, reopen),
            "credits": Round(CREDITS_LOOK_S, look),
            "look_late": Round(10, sweeper.look_late),
            "match_orphans": Round(60, sweeper.match_orphans),
            "reconcile": Round(60, Reconciler(db).reconcile),
            "tell_operators": Round(5, teller.tell, limit_s=900),
            "audit": Round(NIGHTLY_LOOK_S, audit, limit_s=AUDIT_LEASE_S),
            "tidy": Round(NIGHTLY_LOOK_S, tidy, limit_s=TIDY_LEASE_S),
        }
    )


async def keep_shop(settings: Settings, dsn: str, db: Database, front: Front, stopping: asyncio.Event) -> None:
    """Opens the shop and keeps it until `stopping`. Errors: CannotStart."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(provider_session())
        bot = await stack.enter_async_context(
            make_bot(settings.bot_token(), settings.telegram_base_url, settings.telegram_messages_per_s)
        )
        shop = build(settings, db, bot, session, await _links(stack, settings), dsn)
        await introduce(bot, db)
        await _live(shop, settings, front, stopping)


async def _live(shop: Shop, settings: Settings, front: Front, stopping: asyncio.Event) -> None:
    """Runs the loops side by side; when one ends, all end. Errors: TelegramRefused, WorkerGaveUp."""
    loops = {
        "worker": asyncio.create_task(shop.worker.run(), name="worker"),
        "rounds": asyncio.create_task(shop.rounds.run(), name="rounds"),
    }
    stop = asyncio.create_task(stopping.wait())
    try:
        await _listen(shop, settings, front, loops, stopping)
        log.info("shop.open", version=__version__, mode=settings.bot_mode)
        await asyncio.wait((stop, *loops.values()), return_when=asyncio.FIRST_COMPLETED)
    finally:
        front.running = None  # whoever knocks now is told to come back
        await _end(shop, loops, stop, stopping)
    for task in loops.values():
        if not task.cancelled() and (error := task.exception()):
            raise error


async def _listen(
    shop: Shop, settings: Settings, front: Front, loops: dict[str, "asyncio.Task[None]"], stopping: asyncio.Event
) -> None:
    """Requests are served before Telegram is told where to send them. Errors: TelegramRefused."""
    if settings.bot_mode == "polling":
        await listen_by_polling(shop.bot)
        loops["polling"] = asyncio.create_task(shop.intake.poll(shop.leader, stopping), name="polling")
    front.running = _running(shop, settings, loops)
    if settings.bot_mode == "webhook":
        assert settings.webhook_base_url is not None  # noqa: S101 - the settings demand it
        await listen_by_webhook(shop.bot, settings.webhook_base_url, shop.intake.secret)
        shop.intake.active = True


async def _end(
    shop: Shop, loops: dict[str, "asyncio.Task[None]"], stop: "asyncio.Task[bool]", stopping: asyncio.Event
) -> None:
    """What is in hand is finished, but not for ever."""
    stopping.set()
    shop.worker.stop()
    shop.rounds.stop()
    _, late = await asyncio.wait(loops.values(), timeout=STOP_S)
    for task in late:
        task.cancel()
    await asyncio.gather(stop, *late, return_exceptions=True)
    log.info("shop.closed", unfinished=[task.get_name() for task in late])


def _running(shop: Shop, settings: Settings, loops: dict[str, "asyncio.Task[None]"]) -> Running:
    async def database_answers() -> bool:
        await shop.db.ping()
        return True

    async def worker_lives() -> bool:
        return shop.worker.alive and not loops["worker"].done()

    async def updates_come() -> bool:
        return shop.intake.active or shop.leader.stands_by

    async def goes_round(name: str) -> bool:
        return shop.rounds.alive(name)

    checks: dict[str, Callable[[], Awaitable[bool]]] = {
        "database": database_answers,
        "worker": worker_lives,
        "updates": updates_come,
        **{name: partial(goes_round, name) for name in shop.rounds.rounds},
    }
    key = settings.kie_webhook_hmac_key
    return Running(
        db=shop.db,
        callbacks=shop.callbacks,
        intakes={shop.bot.id: shop.intake},
        hmac_key=key.get_secret_value() if key else None,
        checks=checks,
        active=lambda: shop.intake.active,
        key_name=key_name(settings.provider_key()),
    )
