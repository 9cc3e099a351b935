"""Every request to Telegram, timed and counted by what came back."""

from contextlib import nullcontext
from typing import Final

from aiogram import Bot
from aiogram.client.session.middlewares.base import BaseRequestMiddleware, NextRequestMiddlewareType
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
)
from aiogram.methods import Response, TelegramMethod
from aiogram.methods.base import TelegramType

from kiosk.bot.turnstile import GET_UPDATES
from kiosk.metrics import OTHER, TELEGRAM, timed
from kiosk.tracing import span

# The first that fits; labels, so they are few.
WORDS: Final[tuple[tuple[type[Exception], str], ...]] = (
    (TelegramRetryAfter, "flood_wait"),
    (TelegramConflictError, "conflict"),
    (TelegramNetworkError, "away"),
    (TelegramServerError, "away"),
    (ClientDecodeError, "away"),
    (TelegramAPIError, "refused"),
)


class Meter(BaseRequestMiddleware):
    """Stands behind the turnstile: waiting there is not Telegram's time."""

    async def __call__(
        self,
        make_request: NextRequestMiddlewareType[TelegramType],
        bot: Bot,
        method: TelegramMethod[TelegramType],
    ) -> Response[TelegramType]:
        name = method.__api_method__
        about = span(f"telegram {name}") if name != GET_UPDATES else nullcontext()
        with about, timed(TELEGRAM, name) as call:
            try:
                response = await make_request(bot, method)
            except Exception as error:
                call.outcome = next((word for kind, word in WORDS if isinstance(error, kind)), OTHER)
                raise
            call.outcome = "ok"
        return response
