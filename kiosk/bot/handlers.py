"""Telegram's updates to the desk, the desk's replies to the chat: parse, call, show."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import Final

import structlog
from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import JOIN_TRANSITION, LEAVE_TRANSITION, ChatMemberUpdatedFilter, Command, CommandStart
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, Update, User

from kiosk.bot.desk import Desk, Pressed, Reply
from kiosk.bot.refusals import QUERY_TOO_OLD, says
from kiosk.bot.show import edit, send, take_away
from kiosk.customers.arrive import Visitor

log = structlog.get_logger()

SPINNER_S: Final = 0.8


def visitor_of(bot: Bot, user: User) -> Visitor:
    return Visitor(bot.id, user.id, user.first_name, user.username, user.language_code)


@dataclass(frozen=True, slots=True)
class Handlers:
    """One method per kind of update; `router()` says which."""

    desk: Desk

    def router(self) -> Router:
        router = Router(name="customers")
        router.message.register(self.start, CommandStart())
        router.message.register(self.balance, Command("balance"))
        router.message.register(self.help, Command("help", "support", "terms", "paysupport"))
        router.message.register(self.cancel, Command("cancel"))
        router.message.register(self.admin, Command("admin"))
        router.message.register(self.text, F.text)
        router.message.register(self.other)
        router.callback_query.register(self.press)
        private = F.chat.type == ChatType.PRIVATE  # who adds the bot to a group or removes it is no less a customer
        router.my_chat_member.register(self.left, private, ChatMemberUpdatedFilter(LEAVE_TRANSITION))
        router.my_chat_member.register(self.joined, private, ChatMemberUpdatedFilter(JOIN_TRANSITION))
        router.my_chat_member.register(self.nothing)
        return router

    async def start(self, message: Message, bot: Bot) -> None:
        if message.from_user:
            await self._answer(bot, message, await self.desk.start(visitor_of(bot, message.from_user)))

    async def balance(self, message: Message, bot: Bot) -> None:
        if message.from_user:
            await self._answer(bot, message, await self.desk.balance(visitor_of(bot, message.from_user)))

    async def help(self, message: Message, bot: Bot) -> None:
        if message.from_user:
            await self._answer(bot, message, await self.desk.help(visitor_of(bot, message.from_user)))

    async def cancel(self, message: Message, bot: Bot) -> None:
        if message.from_user:
            await self._answer(
                bot, message, await self.desk.cancel(visitor_of(bot, message.from_user), message.chat.id)
            )

    async def admin(self, message: Message, bot: Bot) -> None:
        if message.from_user:
            await self._answer(bot, message, await self.desk.admin(visitor_of(bot, message.from_user)))

    async def text(self, message: Message, bot: Bot, event_update: Update) -> None:
        if message.from_user is None or message.text is None:
            return
        visitor = visitor_of(bot, message.from_user)
        reply = await self.desk.text(visitor, message.chat.id, message.text, event_update.update_id)
        if reply:
            await self._answer(bot, message, reply)

    async def other(self, message: Message, bot: Bot) -> None:
        """A sticker, a voice message, a file. In groups such things are not meant for us."""
        if message.from_user and message.chat.type == ChatType.PRIVATE:
            await self._answer(
                bot, message, await self.desk.not_text(visitor_of(bot, message.from_user), message.chat.id)
            )

    async def press(self, query: CallbackQuery, bot: Bot, event_update: Update) -> None:
        """The spinner on the button ends with what there is to say, and within a second even when nothing is yet."""
        if query.message is None or query.data is None:
            await self._end_spinner(query, None)
            return
        at = Pressed(query.message.chat.id, query.message.message_id, event_update.update_id, query.data)
        visitor = visitor_of(bot, query.from_user)
        pressing = asyncio.create_task(self.desk.press(visitor, at))
        in_time, _ = await asyncio.wait((pressing,), timeout=SPINNER_S)
        well = bool(in_time) and pressing.exception() is None
        await self._end_spinner(query, pressing.result().toast if well else None)
        reply = await pressing
        with contextlib.suppress(TelegramForbiddenError):  # blocked meanwhile
            await self._show_pressed(bot, visitor, at, reply)

    async def left(self, event: ChatMemberUpdated, bot: Bot) -> None:
        await self.desk.left(visitor_of(bot, event.from_user))

    async def joined(self, event: ChatMemberUpdated, bot: Bot) -> None:
        """Back again: whatever waited is sent."""
        await self.desk.balance(visitor_of(bot, event.from_user))

    async def nothing(self, event: ChatMemberUpdated) -> None:
        """Something about a group changed: no concern of ours."""

    async def _show_pressed(self, bot: Bot, visitor: Visitor, at: Pressed, reply: Reply) -> None:
        if reply.screen is None:
            return
        if reply.screen.fresh:
            await self._show_below(bot, at.chat_id, reply)
            return
        landed = await edit(bot, at.chat_id, at.message_id, reply.screen)
        if landed is None:
            if reply.order_id is None:  # else it is the very order whose result came first
                await self._show_below(bot, at.chat_id, reply)
            return
        if reply.draft_id is not None:
            await self.desk.shown(reply.draft_id, landed)
        if reply.order_id is not None:
            correction = await self.desk.correction(visitor, reply.order_id)
            if correction:
                await edit(bot, at.chat_id, at.message_id, correction)

    async def _answer(self, bot: Bot, message: Message, reply: Reply) -> None:
        with contextlib.suppress(TelegramForbiddenError):  # blocked meanwhile: nobody is left to be answered
            await self._show_below(bot, message.chat.id, reply)

    async def _show_below(self, bot: Bot, chat_id: int, reply: Reply) -> None:
        if reply.screen is None:
            return
        landed = await send(bot, chat_id, reply.screen)
        # Sending takes as long as it takes: the earlier screen may have become an order, even a result, meanwhile.
        moved = reply.draft_id is not None and await self.desk.shown(reply.draft_id, landed)
        if reply.replaces is not None and moved:
            await take_away(bot, chat_id, reply.replaces)

    async def _end_spinner(self, query: CallbackQuery, toast: str | None) -> None:
        try:
            await query.answer(toast)
        except (TelegramAPIError, ClientDecodeError) as refusal:  # decoration: the press itself goes on
            if not (isinstance(refusal, TelegramBadRequest) and says(refusal, *QUERY_TOO_OLD)):
                log.info("bot.spinner_stays", refusal=type(refusal).__name__)
