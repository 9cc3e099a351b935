"""A bot as Telegram's servers know it: its profile, its queue, its webhook, its open questions and its Stars."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.telegram.updates import UpdateQueue
from sandbox.telegram.webhook import Webhook, WebhookPusher

MAX_OPEN_CLICKS = 10_000


@dataclass(frozen=True, slots=True)
class Click:
    """A pressed button that waits for answerCallbackQuery; `expires_at_s` is on the event loop's clock."""

    user_id: int
    message_id: int
    data: str
    expires_at_s: float


@dataclass(frozen=True, slots=True)
class Checkout:
    """A payment that waits for answerPreCheckoutQuery; the future gives None for yes, a text for no."""

    user_id: int
    message_id: int
    verdict: asyncio.Future[str | None]


@dataclass(frozen=True, slots=True)
class StarPayment:
    """Stars that a customer gave; `refunded_at` is None while they stay with the bot."""

    charge_id: str
    user_id: int
    stars: int
    payload: str
    paid_at: int
    refunded_at: int | None = None


@dataclass(slots=True)
class Profile:
    """What the bot says about itself, and the commands it offers, by scope and language."""

    name: str
    username: str
    description: str = ""
    short_description: str = ""
    commands: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    menu_buttons: dict[str, dict[str, Any]] = field(default_factory=dict)

    def commands_for(self, language_code: str) -> list[dict[str, str]]:
        """What a customer of this language sees in a private chat: the narrowest list that is not empty."""
        for key in (
            f"all_private_chats/{language_code}",
            "all_private_chats/",
            f"default/{language_code}",
            "default/",
        ):
            if self.commands.get(key):
                return self.commands[key]
        return []


@dataclass(slots=True)
class Bot:
    """Lives as soon as its token is used; the digits of the token are its id."""

    id: int
    profile: Profile
    queue: UpdateQueue = field(default_factory=UpdateQueue)
    webhook: Webhook | None = None
    payments: list[StarPayment] = field(default_factory=list)
    pusher: WebhookPusher | None = None
    clicks: dict[str, Click] = field(default_factory=dict)
    checkouts: dict[str, Checkout] = field(default_factory=dict)

    def as_user(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#user"""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.profile.name,
            "username": self.profile.username,
        }

    def remember_click(self, query_id: str, click: Click) -> None:
        """Bounded: the oldest unanswered press is forgotten, as it would be too old anyway."""
        self.clicks[query_id] = click
        if len(self.clicks) > MAX_OPEN_CLICKS:
            del self.clicks[next(iter(self.clicks))]

    def dump(self) -> dict[str, Any]:
        """For the snapshot; open questions are not in it, they expire."""
        return {
            "id": self.id,
            "profile": asdict(self.profile),
            "queue": self.queue.dump(),
            "webhook": self.webhook.dump() if self.webhook else None,
            "payments": [asdict(payment) for payment in self.payments],
        }

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> "Bot":
        """Reads a snapshot."""
        return cls(
            id=row["id"],
            profile=Profile(**row["profile"]),
            queue=UpdateQueue.load(row["queue"]),
            webhook=Webhook(**row["webhook"]) if row["webhook"] else None,
            payments=[StarPayment(**payment) for payment in row["payments"]],
        )


def unix_now() -> int:
    """Seconds since the epoch, as the Bot API writes every date."""
    return int(time.time())
