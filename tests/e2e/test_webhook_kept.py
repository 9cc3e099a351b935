"""A webhook is kept as it is expected, whoever changes it and whatever Telegram does meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from aiogram import Bot
from aiogram.types import WebhookInfo

from kiosk.bot.opening import make_bot
from kiosk.bot.refusals import TokenRefused
from kiosk.bot.webhook import Expected, Webhook, differences
from kiosk.customers.store import expect_bot, webhook_mark
from kiosk.db import Database
from kiosk.ids import webhook_secret
from kiosk.operators import store as alerts
from kiosk.operators.alerts import Kind
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.shopkeeping import BOT

TOKEN = f"{BOT}:sandbox-test"
URL = f"http://127.0.0.1:9/telegram/{BOT}"
EXPECTED = Expected(URL, webhook_secret(TOKEN))
PATIENCE_S = 60.0


@dataclass
class Kept:
    """A webhook that is being kept, with short pauses between looks."""

    db: Database
    telegram: TelegramSandbox
    bot: Bot
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def webhook(self, expected: Expected = EXPECTED) -> Webhook:
        return Webhook(self.bot, self.db, expected, look_s=0.02)

    @property
    def sets(self) -> int:
        return self.telegram.world.stats.calls["setWebhook"]

    def stands(self, expected: Expected = EXPECTED) -> bool:
        now = self.telegram.world.bots[BOT]
        return now.webhook is not None and (now.webhook.url, now.webhook.secret, set(now.queue.allowed or ())) == (
            expected.url,
            expected.secret,
            set(expected.updates),
        )


@contextlib.asynccontextmanager
async def a_kept(database: Database) -> AsyncIterator[Kept]:
    async with TelegramSandbox(TelegramOptions(time_scale=0.02)) as telegram, make_bot(TOKEN, telegram.base_url) as bot:
        await bot.get_me()
        async with database.transaction() as tx:
            await expect_bot(tx, BOT)
        with structlog.testing.capture_logs():
            yield Kept(database, telegram, bot)


@contextlib.asynccontextmanager
async def keeping(kept: Kept, *webhooks: Webhook) -> AsyncIterator[None]:
    loops = [asyncio.create_task(webhook.listen(kept.stopping)) for webhook in webhooks]
    try:
        yield
    finally:
        kept.stopping.set()
        await asyncio.gather(*loops)


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reached():
            await asyncio.sleep(0.01)


async def deleted(kept: Kept) -> None:
    await kept.bot.delete_webhook()


async def led_away(kept: Kept) -> None:
    await kept.bot.set_webhook("http://127.0.0.1:9/elsewhere")


async def narrowed(kept: Kept) -> None:
    await kept.bot.set_webhook(URL, secret_token=EXPECTED.secret, allowed_updates=["message"])


async def throttled(kept: Kept) -> None:
    updates = list(EXPECTED.updates)
    await kept.bot.set_webhook(URL, secret_token=EXPECTED.secret, max_connections=1, allowed_updates=updates)


@pytest.mark.parametrize("change", [deleted, led_away, narrowed, throttled], ids=lambda change: change.__name__)
async def test_change_is_noticed_and_mended(database: Database, change: Callable[[Kept], Awaitable[None]]) -> None:
    """Address, updates and connections are compared; what nobody changed is set once and left alone."""
    async with a_kept(database) as kept:
        webhook = kept.webhook()
        async with keeping(kept, webhook):
            await until(lambda: webhook.as_expected)
            looks = kept.telegram.world.stats.calls["getWebhookInfo"]
            await until(lambda: kept.telegram.world.stats.calls["getWebhookInfo"] > looks + 2)
            assert kept.sets == 1
            await change(kept)
            sets = kept.sets
            await until(lambda: kept.sets > sets and kept.stands() and webhook.as_expected)
        assert not webhook.as_expected  # nobody looks any longer


async def test_changed_secret_is_set_anew(database: Database) -> None:
    """The secret cannot be read back: what was last set is remembered, and a new token is a new secret."""
    async with a_kept(database) as kept:
        other = replace(EXPECTED, secret=webhook_secret(f"{BOT}:sandbox-new"))
        for expected in (EXPECTED, other):
            webhook = kept.webhook(expected)
            kept.stopping.clear()
            async with keeping(kept, webhook):
                await until(lambda webhook=webhook: webhook.as_expected)
            assert kept.stands(expected)
        assert kept.sets == 2
        async with database.reading() as tx:
            assert await webhook_mark(tx, BOT) == other.mark
        assert other.secret not in other.mark


async def test_replicas_look_without_a_storm(database: Database) -> None:
    """Three of them find the same webhook: whoever is second finds nothing to do."""
    async with a_kept(database) as kept:
        webhooks = [kept.webhook() for _ in range(3)]
        async with keeping(kept, *webhooks):
            await until(lambda: all(webhook.as_expected for webhook in webhooks))
            sets, looks = kept.sets, kept.telegram.world.stats.calls["getWebhookInfo"]
            await until(lambda: kept.telegram.world.stats.calls["getWebhookInfo"] > looks + 6)
            assert kept.sets == sets <= 3


@pytest.mark.parametrize("fault", ["bad_gateway", "error_before", "drop_before", "flood"])
async def test_telegram_that_is_away_ends_nothing(database: Database, fault: str) -> None:
    """A look that fails says nothing of the webhook; the next one does."""
    async with a_kept(database) as kept:
        kept.telegram.faults.add(Fault(fault, "getWebhookInfo", times=2, args={"retry_after": 0}))
        kept.telegram.faults.add(Fault(fault, "setWebhook", times=1, args={"retry_after": 0}))
        webhook = kept.webhook()
        async with keeping(kept, webhook):
            await until(lambda: webhook.as_expected and kept.stands())
            kept.telegram.faults.add(Fault(fault, "getWebhookInfo", times=1, args={"retry_after": 0}))
            await until(lambda: not kept.telegram.faults.active())
            assert webhook.as_expected


async def test_refused_token_ends_the_looking(database: Database) -> None:
    """Whoever watches over the bot goes on from there."""
    async with a_kept(database) as kept:
        kept.telegram.world.tokens[BOT] = "of @BotFather"
        with pytest.raises(TokenRefused):
            await kept.webhook().listen(kept.stopping)


async def test_updates_that_do_not_get_through_are_told(database: Database) -> None:
    """One failed push may be a deploy; where they go on failing while updates wait, operators hear of it."""
    async with a_kept(database) as kept:
        webhook = kept.webhook()
        async with keeping(kept, webhook):
            await until(lambda: webhook.as_expected)
            async with Customer(kept.telegram.base_url, 1001, BOT) as anna:
                await anna.send_text("/start")
            async with asyncio.timeout(PATIENCE_S):
                while not (told := await troubles(database)):
                    await asyncio.sleep(0.05)
        assert told == [{"bot": str(BOT), "error": "Connection refused", "pending": "1"}]


async def troubles(database: Database) -> list[dict[str, Any]]:
    async with database.reading() as tx:
        raised = await alerts.latest(tx, limit=10)
    return [dict(one.alert.values) for one in raised if one.alert.kind is Kind.WEBHOOK_TROUBLED]


def test_differences_are_named() -> None:
    """Telegram leaves out what is as it is by default, and the defaults are not ours."""
    same = WebhookInfo(
        url=URL,
        has_custom_certificate=False,
        pending_update_count=0,
        max_connections=EXPECTED.connections,
        allowed_updates=list(reversed(EXPECTED.updates)),
        last_error_date=datetime.now(UTC),
    )
    assert differences(same, EXPECTED.mark, EXPECTED) == ()
    none = WebhookInfo(url="", has_custom_certificate=False, pending_update_count=0)
    assert differences(none, None, EXPECTED) == ("address", "updates", "connections", "secret")
