"""Files of customers: what a message brings along, and how its bytes are read. Telegram's address of a file holds the
token, so it is made here, used here, and told to nobody."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiogram import Bot
from aiogram.exceptions import AiogramError, TelegramBadRequest
from aiogram.types import Message

from kiosk.media.links import Links
from kiosk.media.source import Gone, Stream, Unreachable
from kiosk.media.store import Source

FILE_TIMEOUT_S: Final = 60


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file of a message. `seconds`: as Telegram measured it. `is_text`: a plain text sent as a file.

    `album`: what the messages of an album have in common. `caption`: the words that came with it.
    """

    file_id: str
    size_bytes: int
    seconds: int | None = None
    is_text: bool = False
    album: str | None = None
    caption: str = ""


def attachment_of(message: Message) -> Attachment | None:
    """None for what is no file: contacts, places. An animation is a video, a sticker a picture or a clip."""
    album, said = message.media_group_id, message.caption or ""
    if message.photo:
        largest = message.photo[-1]
        return Attachment(largest.file_id, largest.file_size or 0, album=album, caption=said)
    timed = message.video or message.video_note or message.audio or message.voice or message.animation
    if timed:
        return Attachment(timed.file_id, timed.file_size or 0, timed.duration, album=album, caption=said)
    if message.document:
        document = message.document
        is_text = document.mime_type == "text/plain"
        return Attachment(document.file_id, document.file_size or 0, is_text=is_text, album=album, caption=said)
    if message.sticker:
        return Attachment(message.sticker.file_id, message.sticker.file_size or 0)
    return None


@dataclass(frozen=True, slots=True)
class CustomerFiles:
    """Implements `kiosk.media.source.Library` for one bot."""

    bot: Bot
    links: Links

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        if source.file_id is not None:
            return self._telegram(source.file_id)
        return self.links.open(source.link or "")

    @asynccontextmanager
    async def _telegram(self, file_id: str) -> AsyncIterator[Stream]:
        try:
            file = await self.bot.get_file(file_id)
            address = self.bot.session.api.file_url(self.bot.token, file.file_path or "")
            yield Stream(file.file_size, self.bot.session.stream_content(address, timeout=FILE_TIMEOUT_S))
        except TelegramBadRequest:
            raise Gone from None
        except (AiogramError, aiohttp.ClientError, TimeoutError, OSError):
            raise Unreachable from None
