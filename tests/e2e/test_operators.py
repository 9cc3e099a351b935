"""Operators hear of what goes wrong: in their chats, in their language, whoever else cannot be reached."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import structlog

from kiosk.bot.crier import TelegramCrier
from kiosk.bot.opening import make_bot
from kiosk.customers.arrive import arrive
from kiosk.customers.store import remember_bot
from kiosk.db import Database
from kiosk.operators import store
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert
from kiosk.operators.tell import Teller
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.openshop import PATIENCE_S, an_open_shop, shows
from tests.shopkeeping import BOT, a_visitor
from tests.shopprocess import ran

ANNA, STRANGER = 1001, 1002
LOST = Alert(Kind.LOST, values={"generation": "77"})


@dataclass
class Office:
    """Two operators in ADMIN_ID: Anna, who started the bot, and a stranger, who did not."""

    db: Database
    telegram: TelegramSandbox
    anna: Customer
    teller: Teller

    async def told(self) -> list[str]:
        """What the bot wrote to Anna."""
        messages = (await self.anna.chat())["messages"]
        return [message["text"] for message in messages if message["from"] == "bot"]

    async def untold(self) -> int:
        async with self.db.reading() as tx:
            (raised,) = await store.latest(tx, limit=2)
        return raised.untold


@contextlib.asynccontextmanager
async def an_office(db: Database) -> AsyncIterator[Office]:
    """One alert is raised."""
    async with (
        TelegramSandbox(TelegramOptions(time_scale=0.01)) as telegram,
        make_bot(f"{BOT}:sandbox-test", telegram.base_url) as bot,
    ):
        await bot.get_me()
        async with db.transaction() as tx:
            await raise_alert(tx, LOST)
        async with Customer(telegram.base_url, ANNA, BOT) as anna:
            await anna.send_text("/start")
            yield Office(db, telegram, anna, Teller(db, TelegramCrier(bot), BOT, frozenset({ANNA, STRANGER})))


async def test_operator_is_told_though_another_cannot_be(database: Database) -> None:
    """An operator who never came to the bot is logged; the one who did has the message, and has it once."""
    async with an_office(database) as office:
        with structlog.testing.capture_logs() as log:
            for _ in range(2):
                await office.teller.tell()
        (text,) = await office.told()
        assert "Потеряно у поставщика" in text
        assert "77" in text
        assert [entry["operator"] for entry in log if entry["event"] == "operator.unreachable"] == [STRANGER]
        assert await office.untold() == 0


async def test_operator_is_told_in_their_language(database: Database) -> None:
    """Who is a customer too has chosen one."""
    async with database.transaction() as tx:
        await remember_bot(tx, BOT, "kiosk_sandbox_bot")
        await arrive(tx, replace(a_visitor(ANNA), language_code="en"), 0)
    async with an_office(database) as office:
        with structlog.testing.capture_logs():
            await office.teller.tell()
        (text,) = await office.told()
        assert "Lost at the provider" in text


@pytest.mark.parametrize("fault", ["error_before", "drop_before"])
async def test_message_that_did_not_arrive_is_sent_again(database: Database, fault: str) -> None:
    """Telegram was away: nothing counts as told, and after the lease it is."""
    async with an_office(database) as office:
        office.telegram.faults.add(Fault(fault, "sendMessage", times=1))
        with structlog.testing.capture_logs():
            await office.teller.tell()
            assert (await office.told(), await office.untold()) == ([], 1)
            async with database.transaction() as tx:
                await tx.execute("UPDATE alerts SET due_at = now()")
            await office.teller.tell()
        assert (len(await office.told()), await office.untold()) == (1, 0)


async def test_open_shop_tells_its_operators(database: Database, dsn: str) -> None:
    """Nobody has to ask: what a transaction raised comes into the chat."""
    async with an_open_shop(dsn, database, admin_id=str(ANNA)) as shop, shop.customer(ANNA) as anna:
        await anna.send_text("/start")
        await anna.wait_until(shows("Привет"), PATIENCE_S)
        async with database.transaction() as tx:
            await raise_alert(tx, LOST)
        with structlog.testing.capture_logs():
            await anna.wait_until(shows("Потеряно у поставщика", "77"), PATIENCE_S)
            async with asyncio.timeout(PATIENCE_S):
                while not await told(database):
                    await asyncio.sleep(0.05)


async def told(database: Database) -> bool:
    async with database.reading() as tx:
        (raised,) = await store.latest(tx, limit=2)
    return raised.told_at is not None


async def test_command_lists_alerts(tmp_path: Path, database: Database, dsn: str) -> None:
    """For eyes as a table, for programs as JSON, told or not."""
    async with database.transaction() as tx:
        for _ in range(2):
            await raise_alert(tx, LOST)
    listed = await ran(tmp_path, "alerts", DATABASE_URL=dsn, COLUMNS="200")
    assert (listed.code, listed.err) == (0, "")
    assert "lost" in listed.out
    assert "generation 77" in listed.out
    as_json = await ran(tmp_path, "alerts", "--json", DATABASE_URL=dsn)
    (row,) = json.loads(as_json.out)
    assert row.pop("raised_at")
    expected = {"kind": "lost", "subject": "", "values": {"generation": "77"}, "count": 2, "untold": 2, "told_at": None}
    assert row == expected
