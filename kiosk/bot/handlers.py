"""Telegram's updates to the desk, the desk's replies to the chat: parse, call, show."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from aiogram import Bot, F, Router
from aiogram.enums import ChatType
from aiogram.exceptions import ClientDecodeError, TelegramAPIError, TelegramBadRequest, TelegramForbiddenError
from aiogram.filters import JOIN_TRANSITION, LEAVE_TRANSITION, ChatMemberUpdatedFilter, Command, CommandStart
from aiogram.types import CallbackQuery, ChatMemberUpdated, Message, Update, User

from kiosk.bot.desk import Desk
from kiosk.bot.files import attachment_of
from kiosk.bot.reception import Reception
from kiosk.bot.refusals import QUERY_TOO_OLD, says
from kiosk.bot.replies import Pressed, Reply
from kiosk.bot.show import edit, send, take_away
from kiosk.bot.words import words
from kiosk.customers.arrive import Visitor
from kiosk.db import DatabaseUnavailable

log = structlog.get_logger()

SPINNER_S: Final = 0.8
HELP: Final = ("help", "support", "terms", "paysupport")


def visitor_of(bot: Bot, user: User) -> Visitor:
    return Visitor(bot.id, user.id, user.first_name, user.username, user.language_code)


@dataclass(frozen=True, slots=True)
class Handlers:
    """Which kind of update leads where: `router()` says it."""

    desk: Desk
    reception: Reception

    def router(self) -> Router:
        desk, router, answering = self.desk, Router(name="customers"), self._answering
        router.message.register(answering(lambda visitor, _chat: desk.start(visitor)), CommandStart())
        router.message.register(answering(lambda visitor, _chat: desk.balance(visitor)), Command("balance"))
        router.message.register(answering(lambda visitor, _chat: desk.help(visitor)), Command(*HELP))
        router.message.register(answering(desk.cancel), Command("cancel"))
        router.message.register(answering(lambda visitor, _chat: desk.admin(visitor)), Command("admin"))
        router.message.register(self.text, F.text)
        private = F.chat.type == ChatType.PRIVATE  # who adds the bot to a group or removes it is no less a customer
        router.message.register(self.file, private, attachment_of)
        router.message.register(answering(desk.not_text), private)  # in groups such things are not meant for us
        router.message.register(self.nothing)
        router.callback_query.register(self.press)
        router.my_chat_member.register(self.left, private, ChatMemberUpdatedFilter(LEAVE_TRANSITION))
        router.my_chat_member.register(self.joined, private, ChatMemberUpdatedFilter(JOIN_TRANSITION))
        router.my_chat_member.register(self.nothing)
        return router

    def _answering(self, act: Callable[[Visitor, int], Awaitable[Reply]]) -> Callable[[Message, Bot], Awaitable[None]]:
        """A handler that answers whoever wrote with what `act` makes of them and their chat."""

        async def answer(message: Message, bot: Bot) -> None:
            if message.from_user:
                await self._answer(bot, message, await act(visitor_of(bot, message.from_user), message.chat.id))

        return answer

    async def text(self, message: Message, bot: Bot, event_update: Update) -> None:
        if message.from_user is None or message.text is None:
            return
        visitor = visitor_of(bot, message.from_user)
        reply = await self.reception.text(visitor, message.chat.id, message.text, event_update.update_id)
        if reply:
            await self._answer(bot, message, reply)

    async def file(self, message: Message, bot: Bot, event_update: Update) -> None:
        sent = attachment_of(message)
        if message.from_user is None or sent is None:
            return
        visitor = visitor_of(bot, message.from_user)
        reply = await self.reception.file(visitor, message.chat.id, sent, event_update.update_id)
        if reply:
            await self._answer(bot, message, reply)

    async def press(self, query: CallbackQuery, bot: Bot, event_update: Update) -> None:
        """The spinner on the button ends with what there is to say, and within a second even when nothing is yet."""
        if query.message is None or query.data is None:
            await self._end_spinner(query, None)
            return
        at = Pressed(query.message.chat.id, query.message.message_id, event_update.update_id, query.data)
        visitor = visitor_of(bot, query.from_user)
        pressing = asyncio.create_task(self.reception.press(visitor, at))
        await asyncio.wait((pressing,), timeout=SPINNER_S)
        await self._end_spinner(query, _toast(pressing, visitor))
        reply = await pressing
        with contextlib.suppress(TelegramForbiddenError):  # blocked meanwhile
            await self._show_pressed(bot, visitor, at, reply)

    async def left(self, event: ChatMemberUpdated, bot: Bot) -> None:
        await self.desk.left(visitor_of(bot, event.from_user))

    async def joined(self, event: ChatMemberUpdated, bot: Bot) -> None:
        """Back again: whatever waited is sent."""
        await self.desk.balance(visitor_of(bot, event.from_user))

    async def nothing(self, event: Message | ChatMemberUpdated) -> None:
        """What happens in a group besides orders is no concern of ours."""

    async def _show_pressed(self, bot: Bot, visitor: Visitor, at: Pressed, reply: Reply) -> None:
        screen = reply.screen
        if screen is None:
            return
        if screen.fresh:
            await self._show_below(bot, at.chat_id, reply)
            return
        if reply.order_id is not None:
            # Whoever slept since the press was dealt with must not write over how the order ended meanwhile.
            standing = await self.desk.correction(visitor, reply.order_id)
            if standing is None:
                return
            screen = standing
        place = _place(at, reply)
        landed = await edit(bot, at.chat_id, place, screen)
        if landed is None:
            if reply.order_id is None:  # else it is the very order whose result came first
                await self._show_below(bot, at.chat_id, reply)
            return
        if reply.draft is not None and not await self.desk.shown(reply.draft, landed) and landed != place:
            await take_away(bot, at.chat_id, landed)
        if reply.order_id is not None:
            correction = await self.desk.correction(visitor, reply.order_id)
            if correction and correction != screen:
                await edit(bot, at.chat_id, at.message_id, correction)

    async def _answer(self, bot: Bot, message: Message, reply: Reply) -> None:
        with contextlib.suppress(TelegramForbiddenError):  # blocked meanwhile: nobody is left to be answered
            await self._show_below(bot, message.chat.id, reply)

    async def _show_below(self, bot: Bot, chat_id: int, reply: Reply) -> None:
        if reply.screen is None:
            return
        landed = await send(bot, chat_id, reply.screen)
        if reply.draft is None:
            return
        # Sending takes as long as it takes: the earlier screen may have become an order, even a result, meanwhile.
        obsolete = reply.replaces if await self.desk.shown(reply.draft, landed) else landed
        if obsolete is not None:
            await take_away(bot, chat_id, obsolete)

    async def _end_spinner(self, query: CallbackQuery, toast: str | None) -> None:
        try:
            await query.answer(toast)
        except (TelegramAPIError, ClientDecodeError) as refusal:  # decoration: the press itself goes on
            if not (isinstance(refusal, TelegramBadRequest) and says(refusal, *QUERY_TOO_OLD)):
                log.info("bot.spinner_stays", refusal=type(refusal).__name__)


def _place(at: Pressed, reply: Reply) -> int:
    """The message in which a screen is shown: the wizard's own, also when an earlier copy of it was pressed.

    It never goes back to a message that it left: whoever moved it is about to take that away.
    """
    wizard = reply.draft
    if wizard is None or wizard.message_id is None or wizard.chat_id != at.chat_id:
        return at.message_id
    return wizard.message_id


def _toast(pressing: "asyncio.Task[Reply]", visitor: Visitor) -> str | None:
    """What there is to say so far; a press that came too early is dealt with once its update comes again."""
    if not pressing.done():
        return None
    match pressing.exception():
        case None:
            return pressing.result().toast
        case DatabaseUnavailable():
            return words(visitor.language).plain("pressed-too-early")
        case _:
            return None
