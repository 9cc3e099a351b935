"""One process of Kiosk: its port, its database, its signals, its end."""

import asyncio
import contextlib
import importlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Final, assert_never

import structlog
from stamina.instrumentation import set_on_retry_hooks

from kiosk import __version__
from kiosk.bugs import report_bugs, send_reports
from kiosk.db import Database, DatabaseUnavailable, leads_to_pooler
from kiosk.errors import BadSettings, CannotStart
from kiosk.log import Redactor, set_up_logging
from kiosk.migrate import born_at, migrate
from kiosk.postgres import embedded_postgres_async
from kiosk.role import Role
from kiosk.settings import Settings
from kiosk.tracing import belong_to, end_tracing, set_up_tracing

if TYPE_CHECKING:
    from kiosk.web import Front

log = structlog.get_logger()

WAIT_FIRST_S: Final = 0.5
WAIT_MOST_S: Final = 5.0
POOLED: Final = (
    "leads to a pooler such as PgBouncer, where the engine cannot listen: set the server's own address here, and that "
    "of the pooler as DATABASE_POOLER_URL"
)


@contextlib.asynccontextmanager
async def database_address(settings: Settings) -> AsyncIterator[str]:
    """The configured address, or that of a PostgreSQL of our own in the data folder."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with embedded_postgres_async(settings.data_dir / "postgres") as dsn:
        yield dsn


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """A pool on an up-to-date schema. Errors: BadSettings, DatabaseUnavailable, MigrationError."""
    async with database_address(settings) as dsn, await connect(settings, dsn) as db:
        yield db


async def connect(settings: Settings, dsn: str) -> Database:
    """Brings the schema up to date; an address that the operator gave is named when nobody answers there.

    Requests and short work go through a pooler where there is one; `dsn` is of PostgreSQL itself.

    Errors: BadSettings, DatabaseUnavailable, MigrationError.
    """
    try:
        if settings.database_url and await leads_to_pooler(dsn):
            raise BadSettings("DATABASE_URL", POOLED)
        await migrate(dsn, newer_too=settings.allow_newer_schema)
        if settings.database_pooler_url is None:
            return await Database.connect(dsn, max_size=settings.database_pool_size)
    except DatabaseUnavailable as error:
        if settings.database_url is None:
            raise
        raise BadSettings("DATABASE_URL", str(error)) from error
    try:
        pooled = settings.database_pooler_url.get_secret_value()
        return await Database.connect(pooled, max_size=settings.database_pool_size, behind_pooler=True)
    except DatabaseUnavailable as error:
        raise BadSettings("DATABASE_POOLER_URL", str(error)) from error


@contextlib.asynccontextmanager
async def observed(settings: Settings) -> AsyncIterator[None]:
    """The log, and whatever else the operator wants to be told by. Errors: BadSettings."""
    hidden = settings.secrets()
    set_up_logging(settings.log_level, hidden, form=settings.log_format)
    redact, headers = Redactor(hidden), settings.otel_exporter_otlp_headers
    endpoint, dsn = settings.otel_exporter_otlp_endpoint, settings.sentry_dsn
    set_up_tracing(endpoint, headers.get_secret_value() if headers else None, __version__, redact.text)
    report_bugs(dsn.get_secret_value() if dsn else None, __version__, redact)
    try:
        yield
    finally:
        await asyncio.to_thread(end_tracing)
        await asyncio.to_thread(send_reports)


async def run(settings: Settings, role: Role = Role.RUN) -> None:
    """The shop, or the part of it that this role is, until SIGTERM or Ctrl-C, at whatever moment. Errors: CannotStart.

    Parts that take long to import (most of it the Bot API's types) are imported here: the port is open and /live
    answers before them, and a command that needs neither does not wait for them.
    """
    bots = settings.bots
    settings.provider_key()
    set_on_retry_hooks([])  # the clients log their own retries
    stopping = asyncio.Event()
    _stop_on_signals(stopping)
    async with observed(settings), contextlib.AsyncExitStack() as stack:
        log.info("process.started", version=__version__, role=role.value, bots=[bot.id for bot in bots])
        from kiosk.web import Front, create_app, serving  # noqa: PLC0415 - see above

        front = Front(__version__)
        app = create_app(front, takes_in=role.takes_in, metrics_token=settings.metrics_secret())
        if has_port(settings, role):
            await stack.enter_async_context(serving(app, settings.host, settings.port))
        shop = asyncio.create_task(_keep_shop(settings, front, stopping, role), name="shop")
        try:
            await _until_closed(shop, front, stopping)
        except CannotStart:
            raise
        except Exception:
            # The boundary: Python itself would print it with whatever secret its message holds.
            log.exception("shop.crashed")
            raise SystemExit(1) from None


def has_port(settings: Settings, role: Role) -> bool:
    """A worker opens one only when asked to; where requests are to come, one is open whatever was asked."""
    match role:
        case Role.WEB:
            return True
        case Role.RUN:
            return settings.enable_health_server is not False or settings.bot_mode == "webhook"
        case Role.WORKER:
            return settings.enable_health_server is True
        case _:
            assert_never(role)


async def _keep_shop(settings: Settings, front: "Front", stopping: asyncio.Event, role: Role) -> None:
    await asyncio.to_thread(importlib.import_module, "kiosk.wiring")
    from kiosk.wiring import keep_shop  # noqa: PLC0415 - see `run`

    async with database_address(settings) as dsn, await connect_patiently(settings, dsn, front) as db:
        belong_to(await born_at(db))
        await keep_shop(settings, dsn, db, front, stopping, role)


async def connect_patiently(settings: Settings, dsn: str, front: "Front") -> Database:
    """A database that is away may be about to come: a platform starts everything at once. Not for ever: the address
    may be mistyped. What only another address or password can help is told at once.

    Errors: BadSettings, DatabaseUnavailable, MigrationError.
    """
    loop = asyncio.get_running_loop()
    ends_s, pause_s = loop.time() + settings.startup_wait_s, WAIT_FIRST_S
    while True:
        try:
            database = await connect(settings, dsn)
        except (BadSettings, DatabaseUnavailable) as error:
            why = error.__cause__ if isinstance(error, BadSettings) else error
            left_s = ends_s - loop.time()
            if not isinstance(why, DatabaseUnavailable) or not why.may_pass or left_s <= 0:
                raise
            if front.waits_for:
                log.info("database.awaited", why=why.why, left_s=round(left_s))
            else:
                log.warning("database.awaited", why=why.why, left_s=round(left_s))
            front.waits_for = f"the database: {why.why}"
            await asyncio.sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 2, WAIT_MOST_S)
        else:
            front.waits_for = None
            return database


async def _until_closed(shop: "asyncio.Task[None]", front: "Front", stopping: asyncio.Event) -> None:
    """An open shop closes by itself when told to; one that still waits for somebody to answer is called off."""
    told = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait((told, shop), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if not front.was_open:
        shop.cancel()
    await asyncio.wait((shop,))
    front.running = None  # whoever still calls is told to come back
    if shop.cancelled():
        log.info("shop.called_off")
    elif (error := shop.exception()) and (shop in done or not isinstance(error, CannotStart)):
        raise error


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)


def start_demo(arguments: Sequence[str]) -> int:
    """The demo is a program of its own, outside this package: it starts `kiosk run` the way an operator would."""
    return subprocess.run([sys.executable, "-m", "sandbox.demo", *arguments], check=False).returncode  # noqa: S603 - ourselves
