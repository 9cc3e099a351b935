"""A bot takes up its work: who it is, and what it is called."""

import contextlib
from collections.abc import AsyncIterator
from typing import Final

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand

from kiosk.bot.meter import Meter
from kiosk.bot.pace import Pace
from kiosk.bot.turnstile import Turnstile
from kiosk.bot.words import LANGUAGES, Voice
from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.errors import CannotStart

log = structlog.get_logger()

COMMANDS: Final = ("start", "balance", "help", "cancel")
REQUEST_TIMEOUT_S: Final = 15
MESSAGES_PER_S: Final = 30  # https://core.telegram.org/bots/faq


class TelegramRefused(CannotStart):
    """Telegram does not want this bot."""


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


async def introduce(bot: Bot, db: Database, voice: Voice, *, names_commands: bool = True) -> str:
    """Says in the log which bot this token belongs to, remembers it, and names its commands; gives its name.

    Errors: AiogramError, DatabaseUnavailable.
    """
    me = await bot.get_me()
    log.info("bot.identity", bot_id=me.id, username=me.username, name=me.first_name)
    async with db.transaction() as tx:
        await customers.remember_bot(tx, me.id, me.username or "")
    if names_commands:
        await _name_commands(bot, voice)
    return me.username or ""


async def _name_commands(bot: Bot, voice: Voice) -> None:
    try:
        for language in LANGUAGES:
            say = voice.words(language)
            commands = [BotCommand(command=name, description=say.plain(f"command-{name}")) for name in COMMANDS]
            await bot.set_my_commands(commands, language_code=None if language == LANGUAGES[0] else language)
    except AiogramError as error:
        log.warning("bot.commands_not_set", error=type(error).__name__)  # decoration: the shop works without
