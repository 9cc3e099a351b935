"""Polling: an update is asked for until it was dealt with, and nothing that Telegram answers ends the asking."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import structlog
from aiogram import Bot, Dispatcher
from aiogram.exceptions import ClientDecodeError, TelegramConflictError, TelegramNetworkError, TelegramRetryAfter
from aiogram.methods import SendMessage
from aiogram.types import Message

from kiosk.bot.intake import FAILURES_AT_MOST, BotIntake
from kiosk.bot.opening import make_bot
from kiosk.bot.refusals import TokenRefused
from kiosk.db import Database, DatabaseUnavailable
from kiosk.leadership.leader import Leader
from kiosk.leadership.lease import Terms
from kiosk.leadership.store import claim
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.telegram import TelegramOptions, TelegramSandbox

BOT = 7000001
TOKEN = f"{BOT}:sandbox-test"
PATIENCE_S = 30.0
TTL_S = 5.0


@dataclass
class Listener:
    """A bot that polls; `deal` is what it does with a text, `dealt` what it was given, failures included."""

    telegram: TelegramSandbox
    bot: Bot
    intake: BotIntake
    leader: Leader
    deal: Callable[[str], Awaitable[None]] | None = None
    given: list[str] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, message: Message) -> None:
        assert message.text is not None
        self.given.append(message.text)
        if self.deal:
            await self.deal(message.text)

    @property
    def unconfirmed(self) -> int:
        """What Telegram would give again."""
        return len(self.telegram.world.bots[BOT].queue)

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not reached():
                await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def a_listener(database: Database) -> AsyncIterator[Listener]:
    """Not polling yet; its pauses are short, and nobody reads its log."""
    async with (
        TelegramSandbox(TelegramOptions(time_scale=0.02)) as telegram,
        make_bot(TOKEN, telegram.base_url) as bot,
    ):
        await bot.get_me()
        dispatcher = Dispatcher(disable_fsm=True)
        intake = BotIntake(bot, dispatcher, "", retry_s=0.01)
        leader = Leader(database, BOT, "listener", Terms.of(TTL_S))
        listener = Listener(telegram, bot, intake, leader)
        dispatcher.message.register(listener.take)
        with structlog.testing.capture_logs():
            yield listener


@contextlib.asynccontextmanager
async def polling(listener: Listener) -> AsyncIterator["asyncio.Task[None]"]:
    """Polls inside the block; what the loop dies of is raised at its end."""
    loop = asyncio.create_task(listener.intake.poll(listener.leader, listener.stopping))
    try:
        yield loop
    finally:
        listener.stopping.set()
        await loop


def customer(listener: Listener, telegram_id: int = 1001) -> Customer:
    return Customer(listener.telegram.base_url, telegram_id, BOT)


def failing(error: Exception, *, times: int) -> Callable[[str], Awaitable[None]]:
    """Deals with "bad" only after this many failures."""
    left = times

    async def deal(text: str) -> None:
        nonlocal left
        if text == "bad" and left:
            left -= 1
            raise error

    return deal


async def test_offset_waits_for_an_update_that_fails(database: Database) -> None:
    """A handler that fails and then succeeds: nothing is confirmed before, the order holds, nothing is lost."""
    async with a_listener(database) as listener, customer(listener) as anna:
        held: list[int] = []

        async def deal(text: str) -> None:
            held.append(listener.unconfirmed)
            if text == "bad" and listener.given.count("bad") < 3:
                raise ValueError(text)

        listener.deal = deal
        for text in ("bad", "good"):
            await anna.send_text(text)
        async with polling(listener):
            await listener.until(lambda: listener.unconfirmed == 0)
        assert listener.given == ["bad", "bad", "bad", "good"]
        assert held == [2, 2, 2, 2]


async def test_poison_is_given_up_and_the_chat_goes_on(database: Database) -> None:
    """An update that always fails is tried so often and no more; what comes after it is dealt with."""
    async with a_listener(database) as listener, customer(listener) as anna:
        listener.deal = failing(ValueError("never"), times=10**6)
        for text in ("bad", "good"):
            await anna.send_text(text)
        async with polling(listener):
            await listener.until(lambda: listener.unconfirmed == 0)
        assert listener.given == ["bad"] * FAILURES_AT_MOST + ["good"]


@pytest.mark.parametrize(
    "error",
    [
        DatabaseUnavailable("away"),
        TelegramRetryAfter(method=SendMessage(chat_id=1, text="x"), message="Too Many Requests", retry_after=0),
        TelegramNetworkError(method=SendMessage(chat_id=1, text="x"), message="Request timeout error"),
        ClientDecodeError("Failed to decode object", ValueError(), "<html>"),
    ],
    ids=["database", "flood", "network", "gateway"],
)
async def test_update_is_never_given_up_for_what_passes(database: Database, error: Exception) -> None:
    """An absent database or Telegram and a flood wait are not the update's fault: it is tried until it works."""
    async with a_listener(database) as listener, customer(listener) as anna:
        listener.deal = failing(error, times=2 * FAILURES_AT_MOST)
        await anna.send_text("bad")
        async with polling(listener):
            await listener.until(lambda: listener.unconfirmed == 0)
        assert len(listener.given) == 2 * FAILURES_AT_MOST + 1


async def test_chats_do_not_wait_for_each_other(database: Database) -> None:
    """While one chat's update fails again and again, another chat's update of the same batch is dealt with."""
    async with a_listener(database) as listener, customer(listener) as anna, customer(listener, 1002) as boris:
        release = asyncio.Event()

        async def deal(text: str) -> None:
            if text == "bad":
                await release.wait()

        listener.deal = deal
        await anna.send_text("bad")
        await boris.send_text("good")
        async with polling(listener):
            await listener.until(lambda: "good" in listener.given)
            assert listener.unconfirmed == 2
            release.set()
            await listener.until(lambda: listener.unconfirmed == 0)


async def test_stopping_leaves_what_is_undone_to_the_next(database: Database) -> None:
    """A process that ends in the middle confirms nothing that it has not done: whoever polls next gets it."""
    async with a_listener(database) as listener, customer(listener) as anna:
        listener.deal = failing(DatabaseUnavailable("away"), times=10**6)
        await anna.send_text("bad")
        async with polling(listener):
            await listener.until(lambda: len(listener.given) > 1)
        assert listener.unconfirmed == 1
        assert not listener.intake.active
        listener.deal, listener.given, listener.stopping = None, [], asyncio.Event()
        async with polling(listener):
            await listener.until(lambda: listener.unconfirmed == 0)
        assert listener.given == ["bad"]


@pytest.mark.parametrize("fault", ["bad_gateway", "error_before", "drop_before", "flood", "drop_after"])
async def test_no_answer_ends_the_polling(database: Database, fault: str) -> None:
    """A gateway's page, an error, a broken connection, a flood wait: polling goes on and loses nothing."""
    async with a_listener(database) as listener, customer(listener) as anna:
        listener.telegram.faults.add(Fault(fault, "getUpdates", times=2, args={"retry_after": 1}))
        await anna.send_text("good")
        async with polling(listener):
            await listener.until(lambda: listener.unconfirmed == 0)
        assert listener.given == ["good"]


async def test_second_poller_is_waited_for(database: Database) -> None:
    """A conflict makes this one passive, not dead: once the other is gone it takes over and misses nothing."""
    async with (
        a_listener(database) as listener,
        customer(listener) as anna,
        make_bot(TOKEN, listener.telegram.base_url) as other,
        polling(listener) as loop,
    ):
        await listener.until(lambda: listener.telegram.world.stats.calls["getUpdates"] > 0)
        while listener.telegram.world.stats.refusals[409] < 2:
            with contextlib.suppress(TelegramConflictError):
                await other.get_updates(timeout=1)
        assert not loop.done()
        await anna.send_text("good")
        await listener.until(lambda: listener.given == ["good"] and listener.unconfirmed == 0)
        assert listener.intake.active


async def test_webhook_of_before_is_taken_away(database: Database) -> None:
    """Polling would be refused because of it; what waited for the webhook is dealt with."""
    async with a_listener(database) as listener, customer(listener) as anna:
        await listener.bot.set_webhook("http://127.0.0.1:9")
        await anna.send_text("good")
        async with polling(listener):
            await listener.until(lambda: listener.given == ["good"] and listener.unconfirmed == 0)
            assert listener.telegram.world.stats.refusals[409] == 0


async def test_webhook_that_somebody_sets_is_taken_away_at_once(database: Database) -> None:
    """A conflict because of a webhook is none with another poller: the lease is kept, and nothing is lost."""
    async with a_listener(database) as listener, customer(listener) as anna, polling(listener):
        await listener.until(lambda: listener.intake.active)
        await listener.bot.set_webhook("http://127.0.0.1:9")
        await anna.send_text("good")
        await listener.until(lambda: listener.given == ["good"] and listener.unconfirmed == 0)
        assert listener.leader.term == 1
        assert listener.intake.active


async def test_refused_token_gives_the_lease_away(database: Database) -> None:
    """Asking on and on would help nobody: whoever has the present token may lead at once."""
    async with a_listener(database) as listener, customer(listener) as anna:
        loop = asyncio.create_task(listener.intake.poll(listener.leader, listener.stopping))
        await listener.until(lambda: listener.intake.active)
        listener.telegram.world.tokens[BOT] = "of @BotFather"
        await anna.send_text("good")
        with pytest.raises(TokenRefused):
            await asyncio.wait_for(loop, PATIENCE_S)
        assert not listener.intake.active
        async with database.transaction() as tx:
            assert (await claim(tx, BOT, "somebody else", ttl_s=5)).term == 2
