"""One bot in one process: met when Telegram answers, asked for again when its token is refused, no burden to others."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import structlog
from aiogram import Bot

from kiosk.bot.opening import TelegramRefused, make_bot
from kiosk.bot.presence import Presence
from kiosk.bot.refusals import TokenRefused
from kiosk.customers.store import expect_bot
from kiosk.db import Database
from kiosk.operators import store as alerts
from sandbox.faults import Fault
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.shopkeeping import BOT

TOKEN = f"{BOT}:sandbox-test"
PATIENCE_S = 60.0


@dataclass
class Listening:
    """An ear that hears until it is told that the token is refused."""

    active: bool = False
    hears: bool = False
    times: int = 0
    refuse: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, stopping: asyncio.Event) -> None:
        self.active = self.hears = True
        self.times += 1
        told, refused = asyncio.create_task(stopping.wait()), asyncio.create_task(self.refuse.wait())
        await asyncio.wait((told, refused), return_when=asyncio.FIRST_COMPLETED)
        for task in (told, refused):
            task.cancel()
        await asyncio.gather(told, refused, return_exceptions=True)
        self.active = self.hears = False
        if self.refuse.is_set():
            self.refuse.clear()
            raise TokenRefused


@dataclass
class Meeting:
    db: Database
    telegram: TelegramSandbox
    bot: Bot
    ear: Listening
    lines: list[structlog.typing.EventDict]

    def presence(self, *, alone: bool, hears: bool = True) -> Presence:
        ear = self.ear if hears else None
        return Presence(self.bot, self.db, ear, alone, look_s=0.01, away_first_s=0.01, refused_first_s=0.01)

    def said(self, event: str) -> int:
        return sum(line["event"] == event for line in self.lines)

    async def raised(self) -> list[tuple[str, int]]:
        async with self.db.reading() as tx:
            return [(one.alert.kind.value, one.count) for one in await alerts.latest(tx, limit=10)]


@contextlib.asynccontextmanager
async def a_meeting(database: Database) -> AsyncIterator[Meeting]:
    async with TelegramSandbox(TelegramOptions(time_scale=0.02)) as telegram, make_bot(TOKEN, telegram.base_url) as bot:
        async with database.transaction() as tx:
            await expect_bot(tx, BOT)
        with structlog.testing.capture_logs() as lines:
            yield Meeting(database, telegram, bot, Listening(), lines)


@contextlib.asynccontextmanager
async def run(presence: Presence) -> AsyncIterator["asyncio.Task[None]"]:
    stopping = asyncio.Event()
    loop = asyncio.create_task(presence.run(stopping))
    try:
        yield loop
    finally:
        stopping.set()
        await asyncio.gather(loop, return_exceptions=True)


async def until(meeting: Meeting, what: str, times: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while meeting.said(what) < times:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("fault", ["bad_gateway", "error_before", "drop_before"])
async def test_bot_is_met_once_telegram_answers(database: Database, fault: str) -> None:
    """Whatever stands in for Telegram at the start ends nothing: it is said once, and tried again."""
    async with a_meeting(database) as meeting:
        meeting.telegram.faults.add(Fault(fault, "getMe", times=3))
        async with run(meeting.presence(alone=True)) as loop:
            await until(meeting, "bot.identity", 1)
            assert not loop.done()
        assert meeting.said("bot.not_met") == 1
        assert TOKEN not in str(meeting.lines)


async def test_token_refused_at_the_start_ends_a_shop_of_one_bot(database: Database) -> None:
    """There is nothing to sell from: one line names the setting."""
    async with a_meeting(database) as meeting:
        meeting.telegram.world.tokens[BOT] = "of @BotFather"
        with pytest.raises(TelegramRefused, match=r"^TELEGRAM_BOT_TOKEN: "):
            await meeting.presence(alone=True).run(asyncio.Event())


@pytest.mark.parametrize("alone", [True, False])
async def test_token_refused_later_is_asked_for_until_it_is_accepted(database: Database, alone: bool) -> None:
    """However often it is tried: one error in the log, one alert, and then the bot goes on by itself."""
    async with a_meeting(database) as meeting:
        presence = meeting.presence(alone=alone)
        async with run(presence) as loop:
            await until(meeting, "bot.identity", 1)
            for times in (1, 2):
                meeting.telegram.world.tokens[BOT] = "of @BotFather"
                tries = meeting.telegram.world.stats.refusals[401]
                meeting.ear.refuse.set()
                async with asyncio.timeout(PATIENCE_S):
                    while meeting.telegram.world.stats.refusals[401] < tries + 3:
                        await asyncio.sleep(0.01)
                assert presence.refused
                assert meeting.said("bot.refused") == times
                assert await meeting.raised() == [("bot_refused", times)]
                del meeting.telegram.world.tokens[BOT]
                await until(meeting, "bot.accepted_again", times)
            async with asyncio.timeout(PATIENCE_S):
                while meeting.ear.times < 3:
                    await asyncio.sleep(0.01)
            assert not loop.done()
        assert not presence.refused


async def test_process_that_hears_nothing_notices_a_refused_token(database: Database) -> None:
    """A worker looks again now and then: alerts go through another bot, and the log says who is met but once."""
    async with a_meeting(database) as meeting:
        presence = meeting.presence(alone=False, hears=False)
        async with run(presence):
            await until(meeting, "bot.identity", 1)
            meeting.telegram.world.tokens[BOT] = "of @BotFather"
            await until(meeting, "bot.refused", 1)
            assert presence.refused
            assert meeting.said("bot.identity") == 1
            del meeting.telegram.world.tokens[BOT]
            await until(meeting, "bot.accepted_again", 1)
        assert not presence.refused
