"""Puts a screen into a chat: edited in place where possible, sent anew where not."""

import structlog
from aiogram import Bot
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest

from kiosk.bot.keyboard import markup
from kiosk.bot.refusals import GONE, NOT_MODIFIED, says
from kiosk.bot.screens import Screen

log = structlog.get_logger()


async def edit(bot: Bot, chat_id: int, message_id: int, screen: Screen) -> int | None:
    """The message that shows it afterwards: the same, a new one if that is gone; None: it holds a result by now."""
    try:
        await bot.edit_message_text(screen.text, chat_id=chat_id, message_id=message_id, reply_markup=markup(screen))
    except TelegramBadRequest as refusal:
        if says(refusal, NOT_MODIFIED):
            return message_id
        if says(refusal, "there is no text in the message to edit"):
            return None
        if says(refusal, *GONE):
            return await send(bot, chat_id, screen)
        raise
    return message_id


async def send(bot: Bot, chat_id: int, screen: Screen) -> int:
    """The new message's number."""
    message = await bot.send_message(chat_id, screen.text, reply_markup=markup(screen))
    return message.message_id


async def take_away(bot: Bot, chat_id: int, message_id: int) -> None:
    """Removes an earlier screen; it does no harm where that is not possible any more."""
    try:
        await bot.delete_message(chat_id, message_id)
    except TelegramAPIError as refusal:
        log.debug("bot.old_screen_stays", refusal=refusal.message)
