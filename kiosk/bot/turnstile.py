"""Every request to Telegram goes through here and waits for its turn, but not for long."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil
from typing import Final, cast

import structlog
from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import TelegramRetryAfter
from aiogram.methods import Response, SendMediaGroup, TelegramMethod
from aiogram.methods.base import TelegramType

from kiosk.bot.pace import ChatId, Pace

log = structlog.get_logger()

# How long a request waits here before it is refused; who sent it is told when to come again.
PATIENCE_S: Final = 10.0
# Each waiting delivery keeps a worker's place: one chat may not have them all.
DELIVERIES_WAITING: Final = 5
# Kinds of calls that Telegram counts as messages; taking one away, say, is none.
COUNTED: Final = ("send", "edit", "copy", "forward")
GET_UPDATES: Final = "getUpdates"

_answering: ContextVar[bool] = ContextVar("answering", default=False)


@contextlib.contextmanager
def answering() -> Iterator[None]:
    """What is sent inside answers a customer who looks at the screen: it goes before deliveries."""
    token = _answering.set(True)
    try:
        yield
    finally:
        _answering.reset(token)


@dataclass(frozen=True, slots=True)
class Turnstile(BaseRequestMiddleware):
    """Keeps `pace` for one bot. A 429 of Telegram's is waited for as well, as long as patience lasts."""

    pace: Pace
    clock: Callable[[], float] = time.monotonic
    _waiting: Counter[ChatId | None] = field(default_factory=Counter)

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        """Errors: TelegramRetryAfter when it would have to wait too long; then nothing was sent."""
        if method.__api_method__ == GET_UPDATES:  # polling waits by itself, and writes to nobody
            return await make_request(bot, method)
        give_up_s = self.clock() + PATIENCE_S
        while True:
            await self._wait(method, give_up_s)
            try:
                return await make_request(bot, method)
            except TelegramRetryAfter as flood:
                self._close(method, flood.retry_after)

    async def _wait(self, method: TelegramMethod[TelegramType], give_up_s: float) -> None:
        chat_id = _chat_of(method)
        crowded = not _answering.get() and self._waiting[chat_id] >= DELIVERIES_WAITING
        self._waiting[chat_id] += 1
        try:
            while (wait_s := self._ask(method)) > 0:
                if crowded or self.clock() + wait_s > give_up_s:
                    raise TelegramRetryAfter(method=method, message="not sent: too fast", retry_after=ceil(wait_s))
                await asyncio.sleep(wait_s)
        finally:
            self._waiting[chat_id] -= 1
            if not self._waiting[chat_id]:
                del self._waiting[chat_id]

    def _ask(self, method: TelegramMethod[TelegramType]) -> float:
        chat_id = _chat_of(method)
        if chat_id is None or not method.__api_method__.startswith(COUNTED):
            return self.pace.closed_s(self.clock(), chat_id)
        messages = len(method.media) if isinstance(method, SendMediaGroup) else 1
        return self.pace.ask(self.clock(), chat_id, answer=_answering.get(), messages=messages)

    def _close(self, method: TelegramMethod[TelegramType], retry_after_s: int) -> None:
        chat_id = _chat_of(method)
        log.warning("telegram.flood_wait", method=method.__api_method__, chat_id=chat_id, retry_after_s=retry_after_s)
        self.pace.close(self.clock(), chat_id, retry_after_s)


def _chat_of(method: TelegramMethod[TelegramType]) -> ChatId | None:
    return cast("ChatId | None", getattr(method, "chat_id", None))
