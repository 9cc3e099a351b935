"""The shop keeps Telegram's pace by itself, and when Telegram asks it to wait nothing is sent before."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiogram import Bot
from aiogram.types import BotCommand

from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.bot.turnstile import DELIVERIES_WAITING, PATIENCE_S, answering
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database
from kiosk.delivery.messenger import Busy, Recipient, Sent
from kiosk.generations import store
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from sandbox.faults import Fault
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.limits import FloodLimits
from tests.openshop import BOT, OpenShop, an_open_shop
from tests.shopkeeping import a_customer, running

ANNA, BORIS = 1001, 1002
TOKEN = f"{BOT}:sandbox-test"
LONG_S = int(PATIENCE_S) + 20


@dataclass
class Post:
    """A messenger and the Telegram that it writes to."""

    telegram: TelegramSandbox
    bot: Bot
    messenger: TelegramMessenger

    async def ring(self, chat_id: int) -> object:
        to = Recipient(chat_id, 5, "ru", 1, "z-image", 100, late=False, failure=None, shown_as=None)
        return await self.messenger.ring(to)

    def flood(self, method: str, wait_s: int, *, times: int | None) -> None:
        self.telegram.faults.add(Fault("flood", method, times=times, args={"retry_after": wait_s}))

    def refused(self) -> int:
        return self.telegram.faults.struck().get("flood", 0)

    def texts(self, chat_id: int) -> int:
        return len(self.telegram.world.chat(BOT, chat_id).messages)


@contextlib.asynccontextmanager
async def a_post() -> AsyncIterator[Post]:
    """Both customers have begun to talk to the bot."""
    async with TelegramSandbox(TelegramOptions()) as telegram, make_bot(TOKEN, telegram.base_url) as bot:
        for customer in (ANNA, BORIS):
            telegram.world.chat(BOT, customer).started = True
        yield Post(telegram, bot, TelegramMessenger(bot, default_shelf()))


async def failed_orders(shop: OpenShop, customers: int, each: int) -> list[int]:
    """Orders that owe their reason to the chat; its status message is gone, so a new one is sent."""
    settler, orders = Settler(shop.db), []
    for _ in range(customers):
        async with shop.db.transaction() as tx:
            customer = await a_customer(tx, kopecks=10 * each)
            orders += [await running(tx, customer, price=10) for _ in range(each)]
        shop.telegram.world.chat(BOT, customer).started = True  # `a_draft` takes the customer's number for the chat's
    async with shop.db.reading() as tx:
        found = [await store.get(tx, order) for order in orders]
    await asyncio.gather(
        *(settler.fail(order, Failure.PROVIDER, was=State.RUNNING) for order in found if order is not None)
    )
    return orders


@pytest.mark.parametrize(("customers", "each"), [(60, 1), (1, 6)], ids=["many chats", "one chat"])
async def test_burst_of_deliveries_keeps_the_pace(database: Database, dsn: str, customers: int, each: int) -> None:
    """Everything comes due at once: each message arrives once, and Telegram never has to say 429."""
    async with an_open_shop(dsn, database, flood=FloodLimits()) as shop:
        orders = await failed_orders(shop, customers, each)
        for order in orders:
            assert (await shop.settled_order(order)).state is State.FAILED
        chats = [chat for chat in shop.telegram.world.chats.values() if chat.messages]
        assert Counter(len(chat.messages) for chat in chats) == {each: customers}
        assert shop.telegram.world.stats.refusals[429] == 0


async def test_nothing_is_sent_before_a_flood_wait_is_over() -> None:
    """What waits for one chat leaves when Telegram allows it again; other chats do not wait."""
    async with a_post() as post:
        post.flood("sendMessage", 1, times=1)
        first = asyncio.create_task(post.ring(ANNA))
        while not post.refused():
            await asyncio.sleep(0.01)
        others = [asyncio.create_task(post.ring(ANNA)) for _ in range(2)]
        assert isinstance(await post.ring(BORIS), Sent)
        assert post.texts(ANNA) == 0
        assert all(isinstance(shown, Sent) for shown in await asyncio.gather(first, *others))
        assert (post.texts(ANNA), post.texts(BORIS)) == (3, 1)
        assert (post.refused(), post.telegram.world.stats.too_early) == (1, 0)


async def test_long_flood_wait_is_not_waited_for() -> None:
    """Whoever wants to write there is told when to come again, and not one request more leaves."""
    async with a_post() as post:
        post.flood("sendMessage", LONG_S, times=None)
        shown = [await post.ring(ANNA) for _ in range(3)]
        with answering():
            shown.append(await post.ring(ANNA))
        assert all(isinstance(each, Busy) and 0 < each.retry_after_s <= LONG_S for each in shown)
        assert (post.refused(), post.telegram.world.stats.too_early) == (1, 0)


async def test_crowd_before_one_chat_is_sent_away() -> None:
    """Of many deliveries to a chat a few wait, the others are told to come again; an answer waits in any case."""
    async with a_post() as post:
        post.flood("sendMessage", 2, times=1)
        waiting = [asyncio.create_task(post.ring(ANNA))]
        while not post.refused():
            await asyncio.sleep(0.01)
        waiting += [asyncio.create_task(post.ring(ANNA)) for _ in range(DELIVERIES_WAITING - 1)]
        await asyncio.sleep(0)
        assert isinstance(await post.ring(ANNA), Busy)
        with answering():
            assert isinstance(await post.ring(ANNA), Sent)
        for each in waiting:
            each.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_flood_wait_of_the_bot_holds_for_every_chat() -> None:
    """A call without a chat was refused: nobody is written to, and nothing is asked of Telegram."""
    async with a_post() as post:
        post.flood("setMyCommands", LONG_S, times=1)
        post.flood("sendMessage", LONG_S, times=None)
        with contextlib.suppress(Exception):
            await post.bot.set_my_commands([BotCommand(command="start", description="x")])
        assert post.refused() == 1
        assert [type(await post.ring(chat)) for chat in (ANNA, BORIS)] == [Busy, Busy]
        assert post.refused() == 1
