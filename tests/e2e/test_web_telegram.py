"""Telegram's updates over real HTTP: who may bring them, and when they are acknowledged."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiogram.exceptions import ClientDecodeError, TelegramNetworkError, TelegramRetryAfter, TelegramServerError
from aiogram.methods import SendMessage
from aiogram.types import Message

from kiosk.bot.intake import FAILURES_AT_MOST
from kiosk.db import Database, DatabaseUnavailable
from kiosk.web.bodies import LIMIT_BYTES
from tests.frontdoor import Counter, Door, a_bot_intake, a_door
from tests.shopkeeping import BOT

DEEP = 100_000
CALL = SendMessage(chat_id=1001, text="x")


def an_update(text: str = "hello", update_id: int = 1) -> dict[str, Any]:
    """A message as the Bot API sends it."""
    chat = {"id": 1001, "type": "private", "first_name": "Анна"}
    sender = {"id": 1001, "is_bot": False, "first_name": "Анна"}
    message = {"message_id": 5, "date": 1_790_000_000, "chat": chat, "from": sender, "text": text}
    return {"update_id": update_id, "message": message}


@contextlib.asynccontextmanager
async def a_bot_door(db: Database, handler: Callable[[Message], Awaitable[None]]) -> AsyncIterator[Door]:
    """A real intake whose only handler is this one."""
    async with a_bot_intake(handler) as intake, a_door(db, intake=intake) as door:
        yield door


async def test_update_is_acknowledged_only_after_its_handler(database: Database) -> None:
    """While the handler works there is no answer; with its end comes the 200."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def handle(_message: Message) -> None:
        begun.set()
        await may_end.wait()

    async with a_bot_door(database, handle) as door:
        telling = asyncio.create_task(door.telegram(an_update()))
        await begun.wait()
        assert (await door.get("/live")).status == 200  # the server is free to answer, and yet:
        assert not telling.done()
        may_end.set()
        assert ((await telling).status, (await telling).body) == (200, {"ok": True})


async def test_update_whose_handler_fails_is_to_come_again(database: Database) -> None:
    """A failure is no 200, so Telegram brings the update once more, and then it is dealt with."""
    seen: list[str] = []

    async def handle(message: Message) -> None:
        seen.append(message.text or "")
        if len(seen) == 1:
            raise ValueError("a bug")

    async with a_bot_door(database, handle) as door:
        first = await door.telegram(an_update())
        again = await door.telegram(an_update())
        assert (first.status, again.status, seen) == (500, 200, ["hello", "hello"])


async def test_update_without_database_is_to_come_again_later(database: Database) -> None:
    """A database that is away is no bug: 503, and when to come back."""

    async def handle(_message: Message) -> None:
        raise DatabaseUnavailable("restarting")

    async with a_bot_door(database, handle) as door:
        answer = await door.telegram(an_update())
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")


@pytest.mark.parametrize(
    ("error", "retry_after"),
    [
        (TelegramRetryAfter(CALL, "Too Many Requests", 17), "17"),
        (TelegramNetworkError(CALL, "Request timeout error"), "5"),
        (TelegramServerError(CALL, "Internal Server Error"), "5"),
        (ClientDecodeError("Failed to decode object", ValueError(), "<html>"), "5"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
async def test_update_that_telegram_cannot_answer_is_to_come_again_later(
    database: Database, error: Exception, retry_after: str
) -> None:
    """A flood wait, a broken line, a gateway's page: 503 and when to come back, as often as it takes."""

    async def handle(_message: Message) -> None:
        raise error

    async with a_bot_door(database, handle) as door:
        for _ in range(2 * FAILURES_AT_MOST):
            answer = await door.telegram(an_update())
            assert (answer.status, answer.headers["Retry-After"]) == (503, retry_after)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"update_id": "soon"}',
        b'{"update_id": 1, "message": []}',
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    ],
    ids=lambda body: body[:30].decode(),
)
async def test_what_is_no_update_is_refused(database: Database, body: bytes) -> None:
    """400, and no handler sees it."""
    seen: list[Message] = []

    async def handle(message: Message) -> None:
        seen.append(message)

    async with a_bot_door(database, handle) as door:
        answer = await door.telegram(body)
        assert (answer.status, seen) == (400, [])


@pytest.mark.parametrize("secret", [None, "", "wrong", "SECRET-OF-THE-WEBHOOK", "s", "\xff"])
async def test_update_without_the_secret_is_refused(database: Database, secret: str | None) -> None:
    """401 for whoever does not know the secret, and the bot never hears of it."""
    intake = Counter()
    async with a_door(database, intake=intake) as door:
        assert (await door.telegram(an_update(), secret=secret)).status == 401
        assert intake.taken == []


@pytest.mark.parametrize("bot", [BOT + 1, 0, -BOT, "bot", "%EF%BC%97", "7" * 30])
async def test_update_for_an_unknown_bot_is_refused(database: Database, bot: object) -> None:
    """401 as for a wrong secret: nobody learns which bots there are."""
    intake = Counter()
    async with a_door(database, intake=intake) as door:
        assert (await door.telegram(an_update(), bot=bot)).status == 401
        assert intake.taken == []


async def test_update_over_the_limit_is_refused(database: Database) -> None:
    """413 one byte above one MiB; at one MiB the bot decides."""
    intake = Counter()
    async with a_door(database, intake=intake) as door:
        head = f"POST /telegram/{BOT} HTTP/1.1\r\nHost: shop\r\nX-Telegram-Bot-Api-Secret-Token: {intake.secret}\r\n"
        answer = await door.raw(f"{head}Content-Length: {LIMIT_BYTES + 1}\r\n\r\n".encode())
        assert (answer[:13], intake.taken) == (b"HTTP/1.1 413 ", [])
        assert (await door.telegram(b" " * LIMIT_BYTES)).status == 200
        assert [len(body) for body in intake.taken] == [LIMIT_BYTES]


async def test_update_before_the_shop_runs_is_to_come_again(database: Database) -> None:
    """503 with Retry-After: early updates wait at Telegram, in their order."""
    intake = Counter()
    async with a_door(database, intake=intake, is_open=False) as door:
        answer = await door.telegram(an_update())
        assert (answer.status, answer.headers["Retry-After"], intake.taken) == (503, "5", [])


async def test_shop_that_closes_waits_for_whom_it_let_in(database: Database) -> None:
    """Whoever comes later is told to come back; an update in hand is dealt with and acknowledged first."""
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def handle(_message: Message) -> None:
        begun.set()
        await may_end.wait()

    async with a_bot_door(database, handle) as door:
        telling = asyncio.create_task(door.telegram(an_update()))
        await begun.wait()
        closing = asyncio.create_task(door.front.close())
        assert (await door.telegram(an_update(update_id=2))).status == 503
        assert not closing.done()
        may_end.set()
        assert (await telling).status == 200
        await closing
