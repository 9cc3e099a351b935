"""Customers, and the private chat of each with each bot: the messages in it and how they change."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from sandbox.telegram.errors import BadRequest
from sandbox.telegram.events import EventLog
from sandbox.telegram.limits import MESSAGES_PER_CHAT
from sandbox.telegram.markup import INLINE

_FIRST_NAMES = ("Анна", "Иван", "Мария", "Пётр", "Ольга", "Сергей", "Дарья", "Алексей", "Елена", "Никита")


@dataclass(slots=True)
class User:
    """A customer."""

    id: int
    first_name: str
    username: str
    language_code: str = "ru"

    @classmethod
    def invented(cls, user_id: int) -> "User":
        """Someone plausible, the same for the same number."""
        return cls(user_id, _FIRST_NAMES[user_id % len(_FIRST_NAMES)], f"customer{user_id}")

    def as_user(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#user"""
        return {"id": self.id, "is_bot": False, **self._names(), "language_code": self.language_code}

    def as_chat(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#chat"""
        return {"id": self.id, **self._names(), "type": "private"}

    def _names(self) -> dict[str, Any]:
        names = {"first_name": self.first_name, "username": self.username}
        return {name: value for name, value in names.items() if value}


@dataclass(frozen=True, slots=True)
class Message:
    """`body` holds the content in the fields of the Bot API's Message; a change makes a new Message.

    `payload` is what a bot notes on an invoice: no one sees it until the invoice is being paid.
    """

    message_id: int
    from_bot: bool
    date: int
    body: Mapping[str, Any]
    markup: Mapping[str, Any] | None = None
    edit_date: int | None = None
    reply_to: int | None = None
    album: str | None = None
    payload: str = ""
    paid: bool = False

    @property
    def inline_keyboard(self) -> list[list[dict[str, Any]]]:
        """Empty when there is none."""
        return list((self.markup or {}).get(INLINE, []))

    def says(self, body: Mapping[str, Any], markup: Mapping[str, Any] | None) -> bool:
        """Whether this is already the content and the keyboard."""
        return dict(self.body) == dict(body) and self.inline_keyboard == list((markup or {}).get(INLINE, []))


@dataclass(slots=True)
class Chat:
    """One customer with one bot. `started`: the customer wrote at least once, so the bot may write."""

    bot_id: int
    user: User
    started: bool = False
    blocked: bool = False
    last_message_id: int = 0
    reply_keyboard: dict[str, Any] | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog)

    def add(self, message: Message) -> Message:
        """Gives the message the next number, forgets the oldest beyond the bound, tells those who watch."""
        self.last_message_id += 1
        numbered = replace(message, message_id=self.last_message_id)
        self.messages[numbered.message_id] = numbered
        if len(self.messages) > MESSAGES_PER_CHAT:
            del self.messages[next(iter(self.messages))]
        self._note_keyboard(numbered)
        self.events.publish("message", numbered)
        return numbered

    def change(self, message: Message) -> Message:
        """Puts the changed message in the place of the old one."""
        self.messages[message.message_id] = message
        self.events.publish("edit", message)
        return message

    def remove(self, message_id: int) -> bool:
        """False when there is no such message."""
        if self.messages.pop(message_id, None) is None:
            return False
        self.events.publish("delete", message_id)
        return True

    def message(self, message_id: int, missing: str) -> Message:
        """Raises BadRequest with `missing` when there is no such message."""
        found = self.messages.get(message_id)
        if found is None:
            raise BadRequest(missing)
        return found

    def _note_keyboard(self, message: Message) -> None:
        markup = message.markup or {}
        if markup.get("keyboard"):
            self.reply_keyboard = dict(markup)
        elif markup.get("remove_keyboard"):
            self.reply_keyboard = None

    def dump(self) -> dict[str, Any]:
        """For the snapshot."""
        return {
            "bot_id": self.bot_id,
            "user_id": self.user.id,
            "started": self.started,
            "blocked": self.blocked,
            "last_message_id": self.last_message_id,
            "reply_keyboard": self.reply_keyboard,
            "seq": self.events.seq,
            "messages": [asdict(message) for message in self.messages.values()],
        }

    @classmethod
    def load(cls, row: Mapping[str, Any], user: User) -> "Chat":
        """Reads a snapshot."""
        return cls(
            bot_id=row["bot_id"],
            user=user,
            started=row["started"],
            blocked=row["blocked"],
            last_message_id=row["last_message_id"],
            reply_keyboard=row["reply_keyboard"],
            messages={message["message_id"]: Message(**message) for message in row["messages"]},
            events=EventLog(row["seq"]),
        )
