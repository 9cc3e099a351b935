"""What a refusal of Telegram means for us: its texts as a table, its exceptions as outcomes."""

from collections.abc import Awaitable, Sequence
from typing import Final

from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import Message

from kiosk.delivery.messenger import AlbumShown, Blocked, Busy, FileRefused, Moved, Sent, Shown, StatusGone, Unknown

NOT_MODIFIED: Final = "message is not modified"
QUERY_TOO_OLD: Final = ("query is too old", "query id is invalid")
# Bot API descriptions, compared in lower case.
GONE: Final = (
    "message to edit not found",
    "message can't be edited",
    "message_id_invalid",
    "there is no media in the message to edit",
    "there is no text in the message to edit",
    "there is no caption in the message to edit",
)
CHAT_LOST: Final = ("chat not found", "user is deactivated", "bot was kicked", "not enough rights", "peer_id_invalid")
BAD_FILE: Final = (
    "wrong type of the web page content",
    "failed to get http url content",
    "photo_invalid_dimensions",
    "image_process_failed",
    "wrong file identifier",
    "file must be non-empty",
    "photo_save_file_invalid",
    "wrong type of the file",
    "video_file_invalid",
    "file is too big",
    "request entity too large",
)
# Speaks of the token or the server's address, never of a chat: whoever comes later may have a token that is good.
TOKEN_REFUSED: Final = (TelegramUnauthorizedError, TelegramNotFound)
BUSY_S: Final = 5.0
REFUSED_TOKEN_S: Final = 60.0


class TokenRefused(Exception):  # noqa: N818 - it states a fact
    """Telegram does not accept this token (any more)."""


def says(error: TelegramAPIError, *texts: str) -> bool:
    """Whether the refusal is one of these."""
    message = error.message.lower()
    return any(text in message for text in texts)


async def outcome(call: Awaitable[Message | bool], edited_message_id: int | None = None) -> Shown:
    """Awaits one sending or editing call; `edited_message_id` is what an edit that changed nothing leaves in place."""
    try:
        answer = await call
    except (TelegramAPIError, ClientDecodeError) as error:
        return _meaning(error, edited_message_id)
    if isinstance(answer, Message):
        return _sent(answer)
    return Sent(edited_message_id or 0)


async def album_outcome(call: Awaitable[Sequence[Message]], files: int) -> AlbumShown:
    """Awaits a call that sends so many files in one; they are answered in their order."""
    try:
        answer = await call
    except (TelegramAPIError, ClientDecodeError) as error:
        meant = _meaning(error, None)
        return Unknown("nothing was to be modified") if isinstance(meant, Sent) else meant
    if len(answer) != files:
        return Unknown(f"{len(answer)} of {files} files")
    return tuple(_sent(message) for message in answer)


def _sent(message: Message) -> Sent:
    return Sent(message.message_id, file_id_of(message), seconds=seconds_of(message))


def _meaning(error: TelegramAPIError | ClientDecodeError, edited_message_id: int | None) -> Shown:
    match error:
        case TelegramRetryAfter(retry_after=retry_after_s):
            return Busy(float(retry_after_s))
        case TelegramEntityTooLarge(message=why):
            return FileRefused(why)
        case TelegramNetworkError() | TelegramServerError() | ClientDecodeError():
            return Unknown(type(error).__name__)
        case TelegramMigrateToChat(migrate_to_chat_id=chat_id):
            return Moved(chat_id)
        case TelegramForbiddenError():
            return Blocked()
        case TelegramUnauthorizedError() | TelegramNotFound():  # speaks of the token, never of a chat
            return Busy(REFUSED_TOKEN_S)
        case TelegramBadRequest():
            return _refused(error, edited_message_id)
        case _:
            return Busy(BUSY_S) if says(error, "too many requests") else Unknown(type(error).__name__)


def _refused(refusal: TelegramBadRequest, edited_message_id: int | None) -> Shown:
    if says(refusal, NOT_MODIFIED):
        return Sent(edited_message_id or 0)
    if says(refusal, *GONE):
        return StatusGone()
    if says(refusal, *CHAT_LOST):
        return Blocked()
    if says(refusal, *BAD_FILE):
        return FileRefused(refusal.message)
    # An unknown refusal of a file is worth the next rung; of a text it ends as an unknown outcome.
    return FileRefused(refusal.message)


def file_id_of(message: Message) -> str | None:
    """Telegram's name for the file in a message, whatever its kind."""
    if message.photo:
        return message.photo[-1].file_id
    held = message.video or message.audio or message.document or message.animation or message.voice
    return held.file_id if held else None


def seconds_of(message: Message) -> int | None:
    """How long the file in a message plays, where Telegram says it."""
    timed = message.video or message.audio or message.animation or message.voice
    return timed.duration or None if timed else None
