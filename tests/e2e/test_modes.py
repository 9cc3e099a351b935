"""`kiosk web` and `kiosk worker` as processes of their own: together a shop, each ready for its part alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from chaos.starter import Started, Starter
from kiosk.db import Database
from sandbox.customer import Customer
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.openshop import at_the_card, confirmed, message
from tests.shopprocess import BOT, KEY, PATIENCE_S, TOKEN

ROUNDS = {"sweep", "reopen", "look_late", "match_orphans", "reconcile", "tell_operators", "audit", "tidy"}
ROUNDS |= {"watch_credits", "watch_failures"}
WORKS = {"worker", *ROUNDS}
CHECKS = {
    "run": {"database", "updates", *WORKS},
    "web": {"database", "updates"},
    "worker": {"database", *WORKS},
}


@dataclass
class Town:
    """Processes of one shop, each with its port, and both stand-ins."""

    telegram: TelegramSandbox
    starter: Starter
    session: aiohttp.ClientSession
    folder: Path
    settings: dict[str, str]

    async def start(self, role: str, **settings: str) -> tuple[Started, str]:
        """A process that is ready, and where it tells how it is."""
        port = settings.get("PORT") or str(free_port())
        with (self.folder / f"{role}-{port}.log").open("wb") as output:
            process = await self.starter.start(
                role,
                folder=self.folder,
                environment={**self.settings, "ENABLE_HEALTH_SERVER": "true", **settings, "PORT": port},
                stdout=output.fileno(),
            )
        url = f"http://127.0.0.1:{port}"
        async with asyncio.timeout(PATIENCE_S):
            while (await self.ask(f"{url}/ready"))[0] != 200:
                assert process.returncode is None
                await asyncio.sleep(0.05)
        return process, url

    async def ask(self, url: str, method: str = "GET") -> tuple[int, Any]:
        """Status and body; 0 where nobody listens."""
        try:
            async with self.session.request(method, url) as answer:
                return answer.status, await answer.json()
        except aiohttp.ClientError:
            return 0, None


@contextlib.asynccontextmanager
async def a_town(folder: Path, dsn: str, **settings: str) -> AsyncIterator[Town]:
    telegram = TelegramSandbox(TelegramOptions(time_scale=0.02))
    kie = KieSandbox(KieOptions(time_scale=0.005, create_limit=None, poll_limit_per_s=None, newer_keys=True))
    async with telegram, kie, Starter() as starter, aiohttp.ClientSession() as session:
        chosen = {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "DATABASE_URL": dsn,
            "HOST": "127.0.0.1",
            "WELCOME_BALANCE_RUB": "100",
            "SINGLE_MODEL_ONLY": "true",
            "POLL_FIRST_S": "1",
            **settings,
        }
        yield Town(telegram, starter, session, folder, chosen)


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_web_and_worker_are_a_shop(tmp_path: Path, dsn: str, mode: str) -> None:
    """An order comes in at one process and goes out by the other; each asserts its own loops, and ends with 0."""
    port = str(free_port())
    async with (
        a_town(tmp_path, dsn, BOT_MODE=mode, WEBHOOK_BASE_URL=f"http://127.0.0.1:{port}") as town,
        Customer(town.telegram.base_url, 1001, BOT) as anna,
    ):
        web, at_web = await town.start("web", PORT=port)
        worker, at_worker = await town.start("worker")
        card = await at_the_card(anna)
        await confirmed(anna, card)
        async with asyncio.timeout(PATIENCE_S):
            while not (await message(anna, card["message_id"]))["media"]:
                await asyncio.sleep(0.05)

        told = {url: (await town.ask(f"{url}/ready"))[1]["checks"] for url in (at_web, at_worker)}
        assert {url: set(checks) for url, checks in told.items()} == {
            at_web: CHECKS["web"],
            at_worker: CHECKS["worker"],
        }
        health = {url: (await town.ask(f"{url}/health"))[1] for url in (at_web, at_worker)}
        assert [(view["role"], view["mode"], view["active"]) for view in health.values()] == [
            ("web", mode, True),
            ("worker", mode, False),
        ]
        leaders = [view["bots"][0]["leader"] for view in health.values()]
        if mode == "polling":
            assert [leader["is_me"] for leader in leaders] == [True, False]
            assert leaders[0]["holder"] == leaders[1]["holder"]
        else:
            assert leaders == [None, None]
        # A worker only tells how it is.
        assert (await town.ask(f"{at_worker}/telegram/{BOT}", "POST"))[0] == 404
        assert (await town.ask(f"{at_worker}/callbacks/kie", "POST"))[0] == 404
        for process in (web, worker):
            process.terminate()
        assert [await web.wait(), await worker.wait()] == [0, 0]


async def test_shop_in_one_process_asserts_every_loop(tmp_path: Path, dsn: str) -> None:
    """What /ready of `kiosk run` looks at; and who leads says so."""
    async with a_town(tmp_path, dsn) as town:
        process, url = await town.start("run")
        assert set((await town.ask(f"{url}/ready"))[1]["checks"]) == CHECKS["run"]
        (bot,) = (await town.ask(f"{url}/health"))[1]["bots"]
        assert (bot["id"], bot["accepted"], bot["hears"]) == (BOT, True, True)
        assert bot["leader"]["is_me"]
        assert bot["leader"]["holder"].split("/")[1] == str(process.pid)


async def test_worker_that_is_told_to_end_hands_its_jobs_back(tmp_path: Path, dsn: str, database: Database) -> None:
    """Placed while nobody works, begun by workers that are told to end at once, made by the last: nothing is lost."""
    port = str(free_port())
    async with (
        a_town(tmp_path, dsn, BOT_MODE="webhook", WEBHOOK_BASE_URL=f"http://127.0.0.1:{port}") as town,
        Customer(town.telegram.base_url, 1001, BOT) as anna,
    ):
        await town.start("web", PORT=port)
        card = await at_the_card(anna)
        await confirmed(anna, card)
        async with database.reading() as tx, asyncio.timeout(PATIENCE_S):
            while await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE status = 'queued'") != 1:
                await asyncio.sleep(0.05)
        for _ in range(2):
            worker, _url = await town.start("worker")
            worker.terminate()
            assert await worker.wait() == 0
        await town.start("worker")
        async with asyncio.timeout(PATIENCE_S):
            while not (await message(anna, card["message_id"]))["media"]:
                await asyncio.sleep(0.05)
