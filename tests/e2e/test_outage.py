"""The database goes away with orders open, and comes back: whoever knocks is told so, and nobody has to help."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from chaos.balancer import Balancer
from chaos.replicas import Replica
from chaos.starter import Starter
from kiosk.db import Database
from kiosk.ledger.audit import audit
from kiosk.postgres import EmbeddedPostgres
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, Shop, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.openshop import PATIENCE_S, at_the_card, button, confirmed, shows

QUIET_SERVER = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
RECOVERY_S = 4 * PATIENCE_S
SHORT_S, LONG_S = 4.0, 60.0
ANNA, BORIS, VERA = 1001, 1002, 1003


@dataclass
class Stage:
    """Replicas of a shop, and what they stand on."""

    postgres: EmbeddedPostgres
    dsn: str
    telegram: TelegramSandbox
    kie: KieSandbox
    replicas: list[Replica]

    @contextlib.asynccontextmanager
    async def without_database(self, lasts_s: float) -> AsyncIterator[None]:
        """The server stops, whatever happens inside happens without it, and it starts on the same port."""
        await asyncio.to_thread(self.postgres.stop)
        ends_at = asyncio.get_running_loop().time() + lasts_s
        yield
        await asyncio.sleep(max(0, ends_at - asyncio.get_running_loop().time()))
        assert await asyncio.to_thread(self.postgres.start) == self.dsn

    async def all_acknowledged(self) -> None:
        """Waits until the shop is through with every update: a screen is seen before its update is dealt with."""
        async with asyncio.timeout(PATIENCE_S):
            while self.telegram.world.bots[BOT_ID].queue.pending():
                await asyncio.sleep(0.05)

    async def knock(self, replica: Replica) -> tuple[int, str | None]:
        """What this replica says to an update of Telegram's."""
        webhook = self.telegram.world.bots[BOT_ID].webhook
        assert webhook is not None
        person = {"id": VERA, "is_bot": False, "first_name": "Вера"}
        chat = {"id": VERA, "type": "private", "first_name": "Вера"}
        message = {"message_id": 1, "date": 1, "chat": chat, "from": person, "text": "/start"}
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"http://127.0.0.1:{replica.port}/telegram/{BOT_ID}",
                json={"update_id": 900_000_000, "message": message},
                headers={"X-Telegram-Bot-Api-Secret-Token": webhook.secret},
            ) as answer,
        ):
            return answer.status, answer.headers.get("Retry-After")

    async def all_delivered(self, orders: int) -> None:
        """Waits until so many orders are in their chats."""
        async with asyncio.timeout(RECOVERY_S), await Database.connect(self.dsn) as db:
            while await self._delivered(db) < orders:
                await asyncio.sleep(0.1)

    async def _delivered(self, db: Database) -> int:
        async with db.reading() as tx:
            count: int = await tx.fetchval("SELECT count(*) FROM generations WHERE delivered_at IS NOT NULL")
        return count

    async def broken_invariants(self) -> list[str]:
        async with await Database.connect(self.dsn) as db, db.reading() as tx:
            return [finding.invariant.name for finding in await audit(tx) if finding.broken]


@pytest.fixture
def own_postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop and start again; it keeps its port."""
    server = EmbeddedPostgres(open_folder / "data", QUIET_SERVER)
    yield server
    server.stop()


@contextlib.asynccontextmanager
async def staged(postgres: EmbeddedPostgres, folder: Path, mode: str, replicas: int) -> AsyncIterator[Stage]:
    """Real processes of `kiosk run`, ready inside the block."""
    telegram = TelegramSandbox(TelegramOptions(time_scale=0.02))
    kie = KieSandbox(KieOptions(time_scale=0.005, create_limit=None, poll_limit_per_s=None, newer_keys=True))
    ports = list(itertools.islice(iter(free_port, None), replicas))
    dsn = await asyncio.to_thread(postgres.start)
    async with telegram, kie, Balancer(ports) as balancer, Starter() as starter, contextlib.AsyncExitStack() as stack:
        settings = {
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "BOT_MODE": mode,
            "WEBHOOK_BASE_URL": balancer.url,
            "HOST": "127.0.0.1",
            "DATABASE_URL": dsn,
            "SINGLE_MODEL_ONLY": "true",
            "WELCOME_BALANCE_RUB": "100",
        }
        kept = []
        for number, port in enumerate(ports, start=1):
            shop = Shop(folder / f"replica{number}", {**settings, "PORT": str(port)})
            kept.append(Replica(number, shop, starter))
            kept[-1].start()
            stack.push_async_callback(kept[-1].stop)
            await kept[-1].ready()
        yield Stage(postgres, dsn, telegram, kie, kept)


async def pictures(customer: Customer) -> int:
    return sum(bool(item["media"]) for item in (await customer.chat())["messages"] if item["from"] == "bot")


@pytest.mark.parametrize("lasts_s", [SHORT_S, pytest.param(LONG_S, marks=pytest.mark.chaos)])
@pytest.mark.parametrize(("mode", "replicas"), [("webhook", 3), ("polling", 1)])
async def test_database_away_for_a_while_loses_nothing(
    own_postgres: EmbeddedPostgres, open_folder: Path, mode: str, replicas: int, lasts_s: float
) -> None:
    """Every replica refuses updates meanwhile, outlasts it, and everything ends as if nothing had been."""
    async with (
        staged(own_postgres, open_folder, mode, replicas) as stage,
        Customer(stage.telegram.base_url, ANNA, BOT_ID) as anna,
        Customer(stage.telegram.base_url, BORIS, BOT_ID) as boris,
        Customer(stage.telegram.base_url, VERA, BOT_ID) as vera,
    ):
        stage.kie.faults.add(Fault("task_seconds", "createTask", times=1, args={"seconds": 300}))
        await confirmed(anna, await at_the_card(anna))
        await anna.wait_until(shows("Генерирую"), PATIENCE_S)
        card = await at_the_card(boris)
        await stage.all_acknowledged()  # else Boris's press waits in line behind an update that needs the database
        async with stage.without_database(lasts_s):
            press = await boris.click(card["message_id"], button(card, "Создать"))
            told = await boris.wait_for(lambda event: event.get("callback_query_id") == press, PATIENCE_S)
            assert "чуть позже" in told["text"]
            await vera.send_text("/start")
            if mode == "webhook":
                answers = [await stage.knock(replica) for replica in stage.replicas]
                assert answers == [(503, "5")] * replicas
        await vera.wait_until(shows("Привет"), RECOVERY_S)
        await stage.all_delivered(2)
        await asyncio.gather(*(replica.ready() for replica in stage.replicas))
        assert [await pictures(customer) for customer in (anna, boris)] == [1, 1]
        assert await stage.broken_invariants() == []
        assert [(replica.starts, replica.exits) for replica in stage.replicas] == [(1, 0)] * replicas
        assert stage.kie.provider.desk.created == 2
