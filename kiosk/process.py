"""One process of Kiosk: its port, its database, its signals, its end."""

import asyncio
import contextlib
import importlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import structlog
from stamina.instrumentation import set_on_retry_hooks

from kiosk import __version__
from kiosk.bugs import report_bugs, send_reports
from kiosk.db import Database, DatabaseUnavailable
from kiosk.errors import BadSettings, CannotStart
from kiosk.log import Redactor, set_up_logging
from kiosk.migrate import born_at, migrate
from kiosk.postgres import embedded_postgres_async
from kiosk.settings import Settings
from kiosk.tracing import belong_to, end_tracing, set_up_tracing

if TYPE_CHECKING:
    from kiosk.web import Front

log = structlog.get_logger()


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

    Errors: BadSettings, DatabaseUnavailable, MigrationError.
    """
    try:
        await migrate(dsn)
        return await Database.connect(dsn, max_size=settings.database_pool_size)
    except DatabaseUnavailable as error:
        if settings.database_url is None:
            raise
        raise BadSettings("DATABASE_URL", str(error)) from error


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


async def run(settings: Settings) -> None:
    """The whole shop until SIGTERM or Ctrl-C, at whatever moment. Errors: CannotStart.

    Parts that take long to import (most of it the Bot API's types) are imported here: the port is open and /live
    answers before them, and a command that needs neither does not wait for them.
    """
    settings.bot_token()
    settings.provider_key()
    set_on_retry_hooks([])  # the clients log their own retries
    stopping = asyncio.Event()
    _stop_on_signals(stopping)
    async with observed(settings), contextlib.AsyncExitStack() as stack:
        from kiosk.web import Front, create_app, serving  # noqa: PLC0415 - see above

        front = Front(__version__)
        app = create_app(front, metrics_token=settings.metrics_secret())
        if settings.enable_health_server or settings.bot_mode == "webhook":
            await stack.enter_async_context(serving(app, settings.host, settings.port))
        shop = asyncio.create_task(_keep_shop(settings, front, stopping), name="shop")
        try:
            await _until_closed(shop, front, stopping)
        except CannotStart:
            raise
        except Exception:
            # The boundary: Python itself would print it with whatever secret its message holds.
            log.exception("shop.crashed")
            raise SystemExit(1) from None


async def _keep_shop(settings: Settings, front: "Front", stopping: asyncio.Event) -> None:
    await asyncio.to_thread(importlib.import_module, "kiosk.wiring")
    from kiosk.wiring import keep_shop  # noqa: PLC0415 - see `run`

    async with database_address(settings) as dsn, await connect(settings, dsn) as db:
        belong_to(await born_at(db))
        await keep_shop(settings, dsn, db, front, stopping)


async def _until_closed(shop: "asyncio.Task[None]", front: "Front", stopping: asyncio.Event) -> None:
    """An open shop closes by itself when told to; one that still waits for somebody to answer is called off."""
    told = asyncio.create_task(stopping.wait())
    done, _ = await asyncio.wait((told, shop), return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if front.running is None:
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
