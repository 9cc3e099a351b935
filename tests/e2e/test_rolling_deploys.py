"""Three replicas, five rolling deploys, customers who talk and buy: no update is lost, none is handled twice."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest

from chaos import scale
from chaos.balancer import Balancer
from chaos.customers import Diary, crowd, look_on
from chaos.database import Witness
from chaos.run import beside
from chaos.starter import Started, Starter
from chaos.verdict import Evidence, judge
from kiosk.db import Database
from kiosk.ledger.audit import audit
from sandbox.customer import Customer
from sandbox.kie import KieSandbox
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, free_port
from sandbox.telegram import TelegramSandbox
from sandbox.telegram.views import chat_view

REPLICAS = 3
DEPLOYS = 5
TALKERS = range(2001, 2007)
BUYERS = 4
SEED = 11
PATIENCE_S = 120.0
LOOK_S = 0.05
MESSAGES = 5_000
WELCOME = "Привет"


@dataclass
class Fleet:
    """As many processes as there are replicas, each replaced by a new one that starts beside it."""

    starter: Starter
    folder: Path
    settings: Mapping[str, str]
    ports: list[int]  # those that the balancer asks
    running: list[tuple[Started, int]] = field(default_factory=list)
    started: int = 0

    async def open(self) -> tuple[Started, int]:
        """A new process that is ready."""
        port = free_port()
        self.started += 1
        with (self.folder / f"{self.started:02}.log").open("wb") as output:
            process = await self.starter.start(
                "run",
                folder=self.folder,
                environment={**self.settings, "PORT": str(port)},
                stdout=output.fileno(),
            )
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
            while not await is_ready(session, port):
                assert process.returncode is None
                await asyncio.sleep(LOOK_S)
        return process, port

    async def fill(self) -> None:
        for _ in range(REPLICAS):
            one = await self.open()
            self.running.append(one)
            self.ports.append(one[1])

    async def deploy(self) -> None:
        """One after the other; who is told to end is still sent requests, as no balancer knows it at once."""
        for old, old_port in list(self.running):
            new = await self.open()
            self.ports.append(new[1])
            old.terminate()
            assert await asyncio.wait_for(old.wait(), PATIENCE_S) == 0
            self.ports.remove(old_port)
            self.running.remove((old, old_port))
            self.running.append(new)

    def events(self, name: str) -> int:
        return sum(log.read_text(encoding="utf-8").count(f'"{name}"') for log in self.folder.glob("*.log"))


async def is_ready(session: aiohttp.ClientSession, port: int) -> bool:
    try:
        async with session.get(f"http://127.0.0.1:{port}/ready") as answer:
            return answer.ok
    except aiohttp.ClientError:
        return False


@dataclass
class Talker:
    """Says the next thing once it was answered."""

    customer: Customer

    async def talk(self) -> None:
        while True:
            sent = await self.customer.send_text("/start")
            await self.customer.wait_until(is_answer_below(sent["message_id"]), PATIENCE_S)

    async def said_and_answered(self) -> tuple[int, int]:
        messages = (await self.customer.chat())["messages"]
        said = sum(message["from"] == "customer" for message in messages)
        return said, sum(is_answer_below(0)(message) for message in messages)


def is_answer_below(message_id: int) -> Callable[[dict[str, Any]], bool]:
    """To what was said in this message."""
    return lambda message: (
        message["from"] == "bot" and message["message_id"] > message_id and WELCOME in (message["text"] or "")
    )


@contextlib.asynccontextmanager
async def talkers(base_url: str) -> AsyncIterator[list[Talker]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            Talker(await stack.enter_async_context(Customer(base_url, number, BOT_ID, looks_at=MESSAGES)))
            for number in TALKERS
        ]


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_no_update_is_lost_or_doubled_by_rolling_deploys(
    tmp_path: Path, dsn: str, database: Database, mode: str
) -> None:
    """What is said has one answer, what is ordered one result, and the books are clean; nobody meets another poller."""
    diary = Diary(target=10**9)
    witness = Witness(SimpleNamespace(dsn=dsn))
    ports: list[int] = []
    async with (
        TelegramSandbox(scale.telegram_options(SEED)) as telegram,
        KieSandbox(scale.kie_options(SEED)) as kie,
        Starter() as starter,
        Balancer(ports) as balancer,
        talkers(telegram.base_url) as talking,
    ):
        settings = {
            **scale.SHOP_SETTINGS,
            "BOT_MODE": mode,
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "WEBHOOK_BASE_URL": balancer.url,
            "DATABASE_URL": dsn,
            "LEASE_TTL_S": "5",
            "SUBMIT_GRACE_S": "60",  # no order may be placed twice just because the machine is slow
            "PATH": os.environ["PATH"],
        }
        fleet = Fleet(starter, tmp_path, settings, ports)
        await fleet.fill()
        async with beside(look_on(telegram, diary)):
            async with beside(*(one.talk() for one in talking), crowd(telegram, diary, SEED, BUYERS)):
                for _ in range(DEPLOYS):
                    await fleet.deploy()
            await at_rest(telegram, kie, witness)
        await asyncio.gather(*(stop(process) for process, _ in fleet.running))
        for one in talking:
            said, answered = await one.said_and_answered()
            assert said == answered > DEPLOYS
        verdict = judge(await evidence(telegram, kie, witness, diary, database))
        assert verdict.complaints == []
        assert verdict.extra_tasks == 0
        assert verdict.delivered_once + verdict.failed_told + verdict.canceled == verdict.generations > DEPLOYS
    assert fleet.events("polling.conflict") == 0
    if mode == "polling":
        assert fleet.events("leadership.active") == fleet.events("leadership.passive") > DEPLOYS


async def stop(process: Started) -> None:
    process.terminate()
    assert await process.wait() == 0


async def at_rest(telegram: TelegramSandbox, kie: KieSandbox, witness: Witness) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while (
            any(len(bot.queue) for bot in telegram.world.bots.values())
            or any(task.callback_open for task in kie.provider.desk.tasks.values())
            or await witness.unfinished()
        ):
            await asyncio.sleep(LOOK_S)


async def evidence(
    telegram: TelegramSandbox, kie: KieSandbox, witness: Witness, diary: Diary, database: Database
) -> Evidence:
    world = telegram.world
    async with database.transaction(isolation="repeatable_read", readonly=True) as tx:
        findings = await audit(tx)
    return Evidence(
        diary=diary,
        chats={
            user_id: chat_view(world.bots[bot_id], chat, MESSAGES)["messages"]
            for (bot_id, user_id), chat in world.chats.items()
        },
        creates=dict(kie.provider.desk.creates_by_url),
        orders=await witness.orders(),
        wallets=await witness.wallets(),
        welcome_kopecks=scale.WELCOME_RUB * 100,
        audit={finding.invariant.name: finding.broken for finding in findings},
    )
