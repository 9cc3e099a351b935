"""Everything the stand-in knows: bots, customers, chats, files and counters, and how a message comes into being."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import aiohttp

from sandbox.faults import Faults
from sandbox.telegram.bots import Bot, Profile, unix_now
from sandbox.telegram.calls import Call
from sandbox.telegram.chats import Chat, Message, User
from sandbox.telegram.errors import ApiError, BadRequest, Forbidden
from sandbox.telegram.files import FileStore
from sandbox.telegram.limits import FloodLimits
from sandbox.telegram.markup import INLINE
from sandbox.telegram.stats import Stats

MAX_BOTS = 1_000
MAX_USERS = 100_000
MAX_USER_ID = 2**52
_TOKEN = re.compile(r"(\d{1,15}):sandbox[\w-]{0,200}")


@dataclass(frozen=True, slots=True)
class TelegramOptions:
    """How the stand-in runs. Port 0: any free one. Without `state_dir` nothing outlives the process.

    `time_scale` stretches the pauses between deliveries to a webhook (0.01: a second becomes ten milliseconds).
    """

    port: int = 0
    seed: int = 0
    state_dir: Path | None = None
    bot_name: str = "Магазин"
    time_scale: float = 1.0
    webhook_timeout_s: float = 60.0
    fetch_timeout_s: float = 10.0
    callback_lifetime_s: float = 30.0
    pre_checkout_s: float = 10.0
    flood: FloodLimits | None = None


async def _ignore(_bot: Bot, _call: Mapping[str, Any]) -> None:
    return None


@dataclass(slots=True)
class World:
    """State changes only on the event loop and between awaits, so every change is whole.

    `tokens` holds what @BotFather gave last, for bots of which that matters: any other token of theirs is refused.

    `changed` is told of every change worth keeping; `on_reply` carries out a call that a webhook replied with.
    """

    options: TelegramOptions
    files: FileStore
    faults: Faults
    session: aiohttp.ClientSession
    changed: Callable[[], None] = lambda: None
    on_reply: Callable[[Bot, Mapping[str, Any]], Awaitable[None]] = _ignore
    stats: Stats = field(default_factory=Stats)
    bots: dict[int, Bot] = field(default_factory=dict)
    tokens: dict[int, str] = field(default_factory=dict)
    users: dict[int, User] = field(default_factory=dict)
    chats: dict[tuple[int, int], Chat] = field(default_factory=dict)

    def bot_of(self, token: str) -> Bot:
        """The bot is made on first use; raises ApiError 401 for anything but a sandbox's token."""
        match = _TOKEN.fullmatch(token)
        if match is None:
            raise ApiError(401, "Unauthorized")
        bot_id = int(match.group(1))
        if self.tokens.get(bot_id, token) != token:
            raise ApiError(401, "Unauthorized")
        bot = self.bots.get(bot_id)
        if bot is None:
            if len(self.bots) >= MAX_BOTS:
                raise ApiError(401, "Unauthorized")
            name = self.options.bot_name if not self.bots else f"{self.options.bot_name} {bot_id}"
            bot = self.bots[bot_id] = Bot(bot_id, Profile(name, f"sandbox_{bot_id}_bot"))
        return bot

    def user(self, user_id: int) -> User:
        """The customer is made on first use; raises BadRequest beyond the stand-in's bounds."""
        user = self.users.get(user_id)
        if user is None:
            if not 0 < user_id <= MAX_USER_ID or len(self.users) >= MAX_USERS:
                raise BadRequest("user not found")
            user = self.users[user_id] = User.invented(user_id)
        return user

    def chat(self, bot_id: int, user_id: int) -> Chat:
        """The customer's side of a chat; made on first use, but the bot may not write until the customer has."""
        key = (bot_id, user_id)
        if key not in self.chats:
            self.chats[key] = Chat(bot_id, self.user(user_id))
        return self.chats[key]

    def known_chat(self, bot: Bot, call: Call, name: str = "chat_id") -> Chat:
        """The chat that a bot's call names, whatever may be written there; raises BadRequest and Forbidden."""
        stated = call.text(name)
        if not stated:
            raise BadRequest(f"{name} is empty")
        user_id = call.integer(name)
        if not 0 < user_id <= MAX_USER_ID:
            raise BadRequest("chat not found")
        chat = self.chats.get((bot.id, user_id))
        if chat is None or not chat.started:
            raise Forbidden("bot can't initiate conversation with a user")
        return chat

    def open_chat(self, bot: Bot, call: Call) -> Chat:
        """The chat that a bot wants to write into; raises Forbidden when the customer blocked it."""
        chat = self.known_chat(bot, call)
        if chat.blocked:
            raise Forbidden("bot was blocked by the user")
        return chat

    def send(
        self,
        chat: Chat,
        body: Mapping[str, Any],
        *,
        markup: Mapping[str, Any] | None = None,
        reply_to: int | None = None,
        album: str | None = None,
        payload: str = "",
    ) -> Message:
        """The bot writes."""
        self.stats.sends += 1
        message = Message(
            message_id=0,
            from_bot=True,
            date=unix_now(),
            body=body,
            markup=markup,
            reply_to=reply_to,
            album=album,
            payload=payload,
        )
        return self._add(chat, message)

    def say(self, chat: Chat, body: Mapping[str, Any], *, album: str | None = None) -> Message:
        """The customer writes, and the bot gets an update; raises QueueFull."""
        message = Message(message_id=0, from_bot=False, date=unix_now(), body=body, album=album)
        message = self._add(chat, message)
        chat.started = True
        self.stats.customer_messages += 1
        self.deliver(chat, "message", self.as_message(chat, message))
        return message

    def deliver(self, chat: Chat, kind: str, payload: Mapping[str, Any]) -> None:
        """Puts an update into the bot's queue; raises QueueFull."""
        self.bots[chat.bot_id].queue.put(kind, chat.user.id, payload)
        self.changed()

    def as_message(self, chat: Chat, message: Message, *, with_reply: bool = True) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#message"""
        sender = self.bots[chat.bot_id].as_user() if message.from_bot else chat.user.as_user()
        wire: dict[str, Any] = {
            "message_id": message.message_id,
            "from": sender,
            "chat": chat.user.as_chat(),
            "date": message.date,
        }
        if message.edit_date is not None:
            wire["edit_date"] = message.edit_date
        if message.album is not None:
            wire["media_group_id"] = message.album
        replied = chat.messages.get(message.reply_to or 0)
        if with_reply and replied is not None:
            wire["reply_to_message"] = self.as_message(chat, replied, with_reply=False)
        wire.update(message.body)
        if message.inline_keyboard:
            wire["reply_markup"] = {INLINE: message.inline_keyboard}
        return wire

    def profile_changed(self, bot: Bot) -> None:
        """Lets everyone who looks at a chat with this bot know."""
        for chat in self.chats.values():
            if chat.bot_id == bot.id:
                chat.events.publish("chat", None)
        self.changed()

    def _add(self, chat: Chat, message: Message) -> Message:
        added = chat.add(message)
        self.changed()
        return added


Method: TypeAlias = Callable[[World, Bot, Call], Awaitable[Any]]
