"""One process of Kiosk: its port, its database, its signals, its end."""

import asyncio
import contextlib
import importlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence

from kiosk import __version__
from kiosk.db import Database
from kiosk.log import set_up_logging
from kiosk.migrate import migrate
from kiosk.postgres import embedded_postgres_async
from kiosk.settings import Settings


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
    """A pool on an up-to-date schema. Errors: DatabaseUnavailable, MigrationError."""
    async with database_address(settings) as dsn:
        await migrate(dsn)
        async with await Database.connect(dsn, max_size=settings.database_pool_size) as db:
            yield db


async def run(settings: Settings) -> None:
    """The whole shop until SIGTERM or Ctrl-C. Errors: CannotStart.

    Parts that take long to import (most of it the Bot API's types) are imported here: the port is open and /live
    answers before them, and a command that needs neither does not wait for them.
    """
    settings.bot_token()
    settings.provider_key()
    set_up_logging(settings.log_level, settings.secrets())
    stopping = asyncio.Event()
    _stop_on_signals(stopping)
    async with contextlib.AsyncExitStack() as stack:
        from kiosk.web import Front, create_app, serving  # noqa: PLC0415 - see above

        front = Front(__version__)
        if settings.enable_health_server or settings.bot_mode == "webhook":
            await stack.enter_async_context(serving(create_app(front), settings.host, settings.port))
        await asyncio.to_thread(importlib.import_module, "kiosk.wiring")
        from kiosk.wiring import keep_shop  # noqa: PLC0415 - see above

        dsn = await stack.enter_async_context(database_address(settings))
        await migrate(dsn)
        db = await stack.enter_async_context(await Database.connect(dsn, max_size=settings.database_pool_size))
        await keep_shop(settings, dsn, db, front, stopping)


def _stop_on_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)


def start_demo(arguments: Sequence[str]) -> int:
    """The demo is a program of its own, outside this package: it starts `kiosk run` the way an operator would."""
    return subprocess.run([sys.executable, "-m", "sandbox.demo", *arguments], check=False).returncode  # noqa: S603 - ourselves
