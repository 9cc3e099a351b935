"""What Telegram's refusals mean, each through the exception that aiogram really makes of it."""

import json
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.exceptions import AiogramError, TelegramNetworkError
from aiogram.methods import SendMessage
from aiogram.types import Message

from kiosk.bot.refusals import BAD_FILE, BUSY_S, CHAT_LOST, GONE, NOT_MODIFIED, REFUSED_TOKEN_S, file_id_of, outcome
from kiosk.delivery.messenger import Blocked, Busy, FileRefused, Moved, Sent, Shown, StatusGone, Unknown

CALL = SendMessage(chat_id=1, text="x")
EDITED = 5


def answer(status: int, content: str) -> Message:
    """What aiogram makes of an answer of the Bot API. Errors: AiogramError."""
    read = AiohttpSession().check_response(Bot("42:test"), CALL, status, content)
    assert isinstance(read.result, Message)
    return read.result


async def meaning(status: int, content: Any, *, edited: int | None = EDITED) -> Shown:
    async def call() -> Message:
        return answer(status, content if isinstance(content, str) else json.dumps(content))

    return await outcome(call(), edited)


def refusal(code: int, description: str, **parameters: int) -> dict[str, Any]:
    return {"ok": False, "error_code": code, "description": description, "parameters": parameters}


@pytest.mark.parametrize("text", GONE)
async def test_message_that_cannot_be_edited_is_gone(text: str) -> None:
    """Whatever the reason: the result goes into a new message."""
    assert await meaning(400, refusal(400, f"Bad Request: {text.upper()}")) == StatusGone()


@pytest.mark.parametrize("text", CHAT_LOST)
async def test_lost_chat_is_waited_for(text: str) -> None:
    """Nothing reaches them until they come back."""
    assert await meaning(400, refusal(400, f"Bad Request: {text}")) == Blocked()


@pytest.mark.parametrize("text", [*BAD_FILE, "something that nobody has ever read"])
async def test_refused_file_goes_to_the_next_rung(text: str) -> None:
    """Also for a reason that is not in the table: another form may be taken."""
    said = f"Bad Request: {text}"
    assert await meaning(400, refusal(400, said)) == FileRefused(said)


async def test_edit_that_changes_nothing_is_done() -> None:
    """The chat shows it already: an earlier try got through."""
    assert await meaning(400, refusal(400, f"Bad Request: {NOT_MODIFIED}: specified new...")) == Sent(EDITED)


@pytest.mark.parametrize(
    "text", ["bot was blocked by the user", "user is deactivated", "bot was kicked from the group chat", "anything"]
)
async def test_forbidden_is_waited_for(text: str) -> None:
    """403 in any words: until the customer acts, nothing can be sent."""
    assert await meaning(403, refusal(403, f"Forbidden: {text}")) == Blocked()


async def test_group_that_moved_says_where() -> None:
    """The old number of a chat that became a supergroup reaches nobody, the new one does."""
    said = refusal(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-100)
    assert await meaning(400, said) == Moved(-100)


async def test_flood_wait_says_how_long() -> None:
    """Exactly as long as Telegram asks; without a number, a little."""
    assert await meaning(429, refusal(429, "Too Many Requests: retry after 17", retry_after=17)) == Busy(17.0)
    assert await meaning(429, refusal(429, "Too Many Requests")) == Busy(BUSY_S)


@pytest.mark.parametrize(("status", "text"), [(404, "Not Found"), (401, "Unauthorized")])
async def test_unknown_method_or_token_blames_no_customer(status: int, text: str) -> None:
    """They speak of the server's address or the token: nothing was shown, and nobody has blocked anything."""
    assert await meaning(status, refusal(status, text)) == Busy(REFUSED_TOKEN_S)


async def test_file_too_large_for_the_server_goes_to_the_next_rung() -> None:
    """413 is about the file."""
    assert isinstance(await meaning(413, refusal(413, "Request Entity Too Large")), FileRefused)


@pytest.mark.parametrize(
    ("status", "content"),
    [
        (500, refusal(500, "Internal Server Error")),
        (502, refusal(502, "Bad Gateway")),
        (500, refusal(500, "restart")),
        (409, refusal(409, "Conflict")),
        (502, "<html>502 Bad Gateway</html>"),
        (200, ""),
        (200, '{"ok": true, "result": {"message_id"'),
        (200, {"ok": True, "result": {"nothing": "of a message"}}),
    ],
    ids=str,
)
async def test_doubtful_answer_is_unknown(status: int, content: Any) -> None:
    """The server may have done it: only the chat knows."""
    assert isinstance(await meaning(status, content), Unknown)


async def test_broken_connection_is_unknown() -> None:
    """A time-out or a lost connection after the request had left."""

    async def call() -> Message:
        raise TelegramNetworkError(method=CALL, message="ClientOSError")

    assert await outcome(call()) == Unknown("TelegramNetworkError")


async def test_our_own_mistakes_are_not_hidden() -> None:
    """What is no answer of Telegram's stays an error."""

    async def call() -> Message:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        await outcome(call())


PHOTO = [{"file_id": name, "file_unique_id": name, "width": 1, "height": 1} for name in ("small", "large")]
FILE = {"file_id": "it", "file_unique_id": "it", "duration": 1, "width": 1, "height": 1}


@pytest.mark.parametrize(
    ("held", "file_id", "seconds"),
    [
        ({"photo": PHOTO}, "large", None),
        ({"video": FILE}, "it", 1),
        ({"audio": FILE}, "it", 1),
        ({"audio": FILE | {"duration": 0}}, "it", None),
        ({"document": FILE}, "it", None),
        ({"text": "x"}, None, None),
    ],
)
async def test_success_names_the_message_its_file_and_length(
    held: dict[str, Any], file_id: str | None, seconds: int | None
) -> None:
    """The largest photo, or whatever else the message holds; no length is none that is not known."""
    result = {"message_id": 9, "date": 1, "chat": {"id": 1, "type": "private"}, **held}
    assert await meaning(200, {"ok": True, "result": result}) == Sent(9, file_id, seconds=seconds)
    assert file_id_of(answer(200, json.dumps({"ok": True, "result": result}))) == file_id


async def test_edit_may_be_answered_with_true() -> None:
    """Bot API: an edit of an inline message gives true instead of the message."""

    async def call() -> bool:
        return True

    assert await outcome(call(), EDITED) == Sent(EDITED)


def test_aiogram_tells_every_refusal_by_its_own_error() -> None:
    """A refusal that aiogram told by an error of another family would pass the table by."""
    with pytest.raises(AiogramError):
        answer(418, json.dumps(refusal(418, "teapot")))
