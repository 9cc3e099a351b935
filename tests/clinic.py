"""A shop to be looked at: stand-ins over HTTP, a web server of its own, and a pooler that swallows notifications."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from kiosk import __version__
from kiosk.bot.kinds import ALLOWED_UPDATES
from kiosk.bot.opening import make_bot
from kiosk.db import Database
from kiosk.doctor.finding import Finding
from kiosk.doctor.visit import CHECKS, visit
from kiosk.ids import webhook_secret
from kiosk.settings import Settings, load_settings
from sandbox.customer import Customer
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.frontdoor import BOT, Counter, Door, a_door

TOKEN = f"{BOT}:sandbox-token-of-a-clinic-that-is-long"
KEY = "sandbox-key-of-a-clinic"
NOTIFICATION, BACKEND_KEY = b"A", b"K"
HEADER_BYTES = 5


class _NoUpdate(Counter):
    """Takes what a real intake takes."""

    async def take(self, body: bytes) -> bool:
        self.taken.append(body)
        return False


@dataclass
class Clinic:
    """Everything is well until a test breaks it; `settings` are those of the shop that is looked at."""

    telegram: TelegramSandbox
    kie: KieSandbox
    door: Door
    settings: dict[str, Any]

    def told(self, **changes: Any) -> Settings:
        return load_settings({**self.settings, **changes}, env_file=None)

    async def look(self, *checks: str, **changes: Any) -> dict[str, Finding]:
        """What these checks find, all of them when none is named, with some settings changed."""
        found = await visit(self.told(**changes), {name: CHECKS[name] for name in checks or CHECKS})
        return {finding.check: finding for finding in found}

    @contextlib.asynccontextmanager
    async def telegram_customer(self) -> AsyncIterator[Customer]:
        async with Customer(self.telegram.base_url, 1001, BOT) as customer:
            yield customer

    async def set_webhook(self, base_url: str, *, updates: tuple[str, ...] = ALLOWED_UPDATES) -> None:
        async with make_bot(TOKEN, self.telegram.base_url) as bot:
            await bot.set_webhook(
                f"{base_url}/telegram/{BOT}", secret_token=webhook_secret(TOKEN), allowed_updates=list(updates)
            )


@contextlib.asynccontextmanager
async def a_clinic(db: Database, dsn: str, *, credits_left: float = 5000.0) -> AsyncIterator[Clinic]:
    """A shop in webhook mode whose web server is this process."""
    telegram = TelegramSandbox(TelegramOptions(time_scale=0.01))
    kie = KieSandbox(KieOptions(credits=credits_left, time_scale=0.001))
    intake = _NoUpdate(webhook_secret(TOKEN))
    async with telegram, kie, a_door(db, intake=intake) as door:
        door.front.version = __version__
        address = f"http://127.0.0.1:{door.port}"
        clinic = Clinic(
            telegram,
            kie,
            door,
            {
                "telegram_bot_token": TOKEN,
                "telegram_base_url": telegram.base_url,
                "kie_api_key": KEY,
                "kie_base_url": kie.api_url,
                "kie_upload_url": kie.upload_url,
                "database_url": dsn,
                "bot_mode": "webhook",
                "webhook_base_url": address,
                "admin_id": "1001",
                "support_telegram": "kiosk_help",
            },
        )
        await clinic.set_webhook(address)
        yield clinic


@contextlib.asynccontextmanager
async def a_deaf_pooler(dsn: str) -> AsyncIterator[str]:
    """An address that leads to the database as PgBouncer's transaction mode does: LISTEN is taken and nobody called."""
    parts = urlsplit(dsn)

    async def serve(client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        server, to_server = await asyncio.open_connection(parts.hostname, parts.port)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await asyncio.gather(_as_it_is(client, to_server), _without_notifications(server, to_client))

    pooler = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = pooler.sockets[0].getsockname()[1]
    async with pooler:
        yield dsn.replace(f":{parts.port}/", f":{port}/")


async def _as_it_is(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


async def _without_notifications(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Messages of the server: a letter, a length that counts itself, and the content (protocol 3)."""
    try:
        first = await source.readexactly(1)
        if first in (b"N", b"S"):  # whether the server speaks TLS, asked before anything else
            target.write(first)
            first = await source.readexactly(1)
        while True:
            head = first + await source.readexactly(HEADER_BYTES - 1)
            body = await source.readexactly(struct.unpack("!I", head[1:])[0] - 4)
            if head[:1] == BACKEND_KEY:
                body = struct.pack("!I", 1) + body[4:]  # a pooler's own, by which it knows whom to cancel
            if head[:1] != NOTIFICATION:
                target.write(head + body)
                await target.drain()
            first = await source.readexactly(1)
    except asyncio.IncompleteReadError:
        target.close()
