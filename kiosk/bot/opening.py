"""The bot takes up its work: who it is, what it is called, and how updates reach it."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import AiogramError, TelegramAPIError, TelegramNotFound, TelegramUnauthorizedError
from aiogram.types import BotCommand

from kiosk.bot.intake import ALLOWED_UPDATES
from kiosk.bot.meter import Meter
from kiosk.bot.pace import Pace
from kiosk.bot.turnstile import Turnstile
from kiosk.bot.words import LANGUAGES, words
from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.errors import CannotStart

log = structlog.get_logger()

COMMANDS: Final = ("start", "balance", "help", "cancel")
REQUEST_TIMEOUT_S: Final = 15
WEBHOOK_CONNECTIONS: Final = 40
MESSAGES_PER_S: Final = 30  # https://core.telegram.org/bots/faq


class TelegramRefused(CannotStart):
    """Telegram cannot be reached or does not want this bot."""


@contextlib.asynccontextmanager
async def make_bot(token: str, base_url: str, messages_per_s: int = MESSAGES_PER_S) -> AsyncIterator[Bot]:
    """A client of one bot that keeps its pace, closed at the end."""
    session = AiohttpSession(api=TelegramAPIServer.from_base(base_url), timeout=REQUEST_TIMEOUT_S)
    session.middleware.register(Turnstile(Pace(messages_per_s)))
    session.middleware.register(Meter())
    bot = Bot(token, session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
    try:
        yield bot
    finally:
        await session.close()


async def introduce(bot: Bot, db: Database) -> None:
    """Says in the log which bot this token belongs to, remembers it, and names its commands.

    Errors: TelegramRefused.
    """
    try:
        me = await bot.get_me()
    except (TelegramUnauthorizedError, TelegramNotFound):
        raise TelegramRefused(
            "TELEGRAM_BOT_TOKEN: Telegram does not accept it; ask @BotFather for the present one"
        ) from None
    except AiogramError as error:  # a page of a gateway in place of an answer is no TelegramAPIError
        raise TelegramRefused(f"Telegram cannot be reached: {type(error).__name__}") from None
    log.info("bot.identity", bot_id=me.id, username=me.username, name=me.first_name)
    async with db.transaction() as tx:
        await customers.remember_bot(tx, me.id, me.username or "")
    try:
        for language in LANGUAGES:
            say = words(language)
            commands = [BotCommand(command=name, description=say.plain(f"command-{name}")) for name in COMMANDS]
            await bot.set_my_commands(commands, language_code=None if language == LANGUAGES[0] else language)
    except AiogramError as error:
        log.warning("bot.commands_not_set", error=type(error).__name__)  # decoration: the shop works without


async def listen_by_polling(bot: Bot) -> None:
    """A webhook would make polling a conflict; what waits for it is kept. Errors: TelegramRefused."""
    try:
        await bot.delete_webhook(drop_pending_updates=False)
    except AiogramError as error:
        raise TelegramRefused(f"the webhook cannot be removed: {type(error).__name__}") from None


async def listen_by_webhook(bot: Bot, base_url: str, secret: str) -> None:
    """Sets address, secret and the full list of updates; doing it again changes nothing. Errors: TelegramRefused."""
    try:
        await bot.set_webhook(
            f"{base_url}/telegram/{bot.id}",
            secret_token=secret,
            allowed_updates=list(ALLOWED_UPDATES),
            max_connections=WEBHOOK_CONNECTIONS,
            drop_pending_updates=False,
        )
    except TelegramAPIError as error:
        raise TelegramRefused(f"the webhook cannot be set: {error.message}") from None
    except AiogramError as error:
        raise TelegramRefused(f"the webhook cannot be set: {type(error).__name__}") from None
    log.info("bot.webhook_set", base_url=base_url)
