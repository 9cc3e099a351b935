"""Several polling processes and one bot: one polls at a time, whatever happens to it, and nothing said is lost."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import asyncpg
import pytest

from chaos.proxy import TcpProxy
from chaos.starter import Started, Starter
from sandbox.customer import Customer
from sandbox.shopkeeper import free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.shopprocess import BOT, KEY, PATIENCE_S, TOKEN

TTL_S = 5.0
WELCOME = "Привет"


@dataclass
class Street:
    """Shops of one bot side by side, and a customer who talks to whoever listens."""

    telegram: TelegramSandbox
    customer: Customer
    starter: Starter
    folder: Path
    settings: Mapping[str, str]
    stack: contextlib.AsyncExitStack
    shops: list[Started] = field(default_factory=list)
    lines: dict[int, TcpProxy] = field(default_factory=dict)  # to the database, of each shop by its number
    said: int = 0

    async def open(self) -> Started:
        """A shop that polls, or stands by because another does."""
        port, database = free_port(), urlsplit(self.settings["DATABASE_URL"])
        assert database.port is not None
        line = await self.stack.enter_async_context(TcpProxy(database.port))
        address = self.settings["DATABASE_URL"].replace(f":{database.port}/", f":{line.listens_on}/")
        with (self.folder / f"{port}.log").open("wb") as output:
            shop = await self.starter.start(
                "run",
                folder=self.folder,
                environment={**self.settings, "DATABASE_URL": address, "PORT": str(port)},
                stdout=output.fileno(),
            )
        self.shops.append(shop)
        self.lines[shop.pid] = line
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
            while not await ready(session, f"http://127.0.0.1:{port}/ready"):
                await asyncio.sleep(0.05)
        return shop

    async def say(self) -> None:
        await self.customer.send_text("/start")
        self.said += 1

    async def answers(self) -> int:
        chat = await self.customer.chat()
        return sum(item["from"] == "bot" and WELCOME in (item["text"] or "") for item in chat["messages"])

    async def answered(self) -> None:
        """Everything said so far has an answer."""
        await until(lambda: len(self.telegram.world.bots[BOT].queue) == 0)
        async with asyncio.timeout(PATIENCE_S):
            while await self.answers() < self.said:
                await asyncio.sleep(0.05)

    @property
    def conflicts(self) -> int:
        """Polls that met another."""
        return self.telegram.world.stats.refusals[409]

    def events(self, name: str) -> int:
        return sum(log.read_text(encoding="utf-8").count(f'"{name}"') for log in self.folder.glob("*.log"))


async def ready(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(address) as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reached():
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def a_street(folder: Path, dsn: str) -> AsyncIterator[Street]:
    async with (
        TelegramSandbox(TelegramOptions(time_scale=0.02)) as telegram,
        contextlib.AsyncExitStack() as stack,
        Starter() as starter,
    ):
        settings = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KEY,
            "DATABASE_URL": dsn,
            "HOST": "127.0.0.1",
            "LEASE_TTL_S": str(TTL_S),
        }
        async with Customer(telegram.base_url, 1001, BOT) as customer:
            yield Street(telegram, customer, starter, folder, settings, stack)


async def leader(dsn: str) -> dict[str, Any]:
    connection = await asyncpg.connect(dsn)
    try:
        row = await connection.fetchrow("SELECT holder, term, expires_at > clock_timestamp() AS held FROM leases")
        return dict(row) if row else {"holder": None, "term": 0, "held": False}
    finally:
        await connection.close()


async def holder(street: Street, dsn: str) -> Started:
    """The shop that leads now."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            found = await leader(dsn)
            for shop in street.shops:
                if found["held"] and f"/{shop.pid}/" in found["holder"] and shop.returncode is None:
                    return shop
            await asyncio.sleep(0.02)


async def test_deploys_in_polling_mode_lose_and_double_nothing(tmp_path: Path, dsn: str) -> None:
    """Each new process starts beside the old one, which then gets SIGTERM, while a customer keeps talking."""
    async with a_street(tmp_path, dsn) as street:
        old = await street.open()
        await holder(street, dsn)
        for _ in range(4):
            await street.say()
            new = await street.open()
            await street.say()
            old.terminate()
            await street.say()
            assert await old.wait() == 0
            await street.answered()
            old = new
        assert await street.answers() == street.said
        assert street.conflicts == 0
        assert (await leader(dsn))["term"] == 5
        assert street.events("leadership.active") == 5
        assert street.events("leadership.passive") == 4


@pytest.mark.parametrize("blow", ["killed", "frozen", "cut off", "half-open"])
async def test_another_takes_over_from_a_holder_that_is_gone(tmp_path: Path, dsn: str, blow: str) -> None:
    """Within a lease's lifetime, and a holder that wakes up later does nothing more: no two polls ever meet."""
    async with a_street(tmp_path, dsn) as street:
        for _ in range(2):
            await street.open()
        for _ in range(2):
            struck = await holder(street, dsn)
            term = (await leader(dsn))["term"]
            match blow:
                case "killed":
                    struck.kill()
                    await struck.wait()
                    await street.open()
                case "frozen":
                    struck.send_signal(signal.SIGSTOP)
                case "cut off":
                    await cut_off(dsn)
                case "half-open":  # nothing passes any more, and neither end is told
                    while street.lines[struck.pid].freeze(0):
                        pass
            await street.say()
            if blow != "cut off":
                while (await leader(dsn))["term"] == term:
                    await asyncio.sleep(0.02)
            await street.answered()
            struck.send_signal(signal.SIGCONT)
            await street.say()
            await street.answered()
        assert street.conflicts == 0
        assert await street.answers() >= street.said


async def cut_off(dsn: str) -> None:
    """Every connection of the shops is ended by the server."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'kiosk%'"
        )
    finally:
        await connection.close()
