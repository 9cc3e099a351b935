"""Deliveries in Telegram: edits wherever possible, because a repeated edit leaves the chat as it is."""

from collections.abc import AsyncGenerator, Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from aiogram import Bot
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardMarkup,
    InputFile,
    InputMediaAnimation,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
    Message,
    ReplyParameters,
)

from kiosk.bot import screens
from kiosk.bot.keyboard import markup
from kiosk.bot.refusals import album_outcome, outcome
from kiosk.bot.screens import Screen
from kiosk.bot.words import SHOP_VOICE, Voice
from kiosk.catalog.shelf import Shelf
from kiosk.delivery.fetch import Download, file_name
from kiosk.delivery.messenger import (
    AlbumShown,
    Content,
    Expired,
    Link,
    Recipient,
    Shown,
    Standing,
    StatusGone,
)
from kiosk.delivery.mp4 import Shape
from kiosk.delivery.plan import EXACT, Media
from kiosk.delivery.wording import Wording
from kiosk.generations.follow import leads_on

log = structlog.get_logger()

UPLOAD_TIMEOUT_S: Final = 60
TITLE_CHARS: Final = 64
InputMedia = InputMediaPhoto | InputMediaVideo | InputMediaAnimation | InputMediaAudio | InputMediaDocument


@dataclass(frozen=True, slots=True)
class TelegramMessenger:
    """Implements `kiosk.delivery.messenger.Messenger` for one bot."""

    bot: Bot
    shelf: Shelf
    voice: Voice = SHOP_VOICE

    async def put_status(self, to: Recipient, standing: Standing) -> Shown:
        model = self.shelf.find(standing.model_id)
        return await self._edit_text(to, screens.status(self.voice.words(to.language), model, standing))

    async def put_canceled(self, to: Recipient) -> Shown:
        return await self._edit_text(to, screens.canceled(self.voice.words(to.language), to.price_kopecks))

    async def put_result(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        screen = self._done(to, content, as_document=as_document)
        if isinstance(content, Link | Expired) or (isinstance(content, Wording) and not as_document):
            return await self._edit_text(to, screen)
        if not to.message_id:
            return StatusGone()
        media = self._input_media(to, content, screen.text, as_document=as_document)
        return await outcome(
            self.bot.edit_message_media(
                media,
                chat_id=to.chat_id,
                message_id=to.message_id,
                reply_markup=markup(screen),
                request_timeout=UPLOAD_TIMEOUT_S,
            ),
            to.message_id,
        )

    async def send_result(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        screen = self._done(to, content, as_document=as_document)
        if isinstance(content, Link | Expired) or (isinstance(content, Wording) and not as_document):
            return await self._send_text(to, screen)
        return await outcome(self._send_file(to, content, screen.text, markup(screen), None, as_document=as_document))

    async def send_extra(self, to: Recipient, content: Content, *, as_document: bool) -> Shown:
        reply, say = to.shown_as or to.message_id, self.voice.words(to.language)
        if isinstance(content, Link):
            return await self._send_text(to, screens.link(say, content.url), reply)
        if isinstance(content, Expired):
            return await self._send_text(to, Screen(say("original-expired")), reply)
        if isinstance(content, Wording) and not as_document:
            return await self._send_text(to, Screen(screens.wording(content)), reply)
        return await outcome(self._send_file(to, content, None, None, reply, as_document=as_document))

    async def send_album(self, to: Recipient, files: Sequence[Download], *, as_documents: bool) -> AlbumShown:
        media = [self._input_media(to, file, None, as_document=as_documents, place=n) for n, file in enumerate(files)]
        return await album_outcome(
            self.bot.send_media_group(
                to.chat_id,
                media,  # type: ignore[arg-type]  # no animation: such a file fits no album
                reply_parameters=reply_parameters(to.shown_as or to.message_id),
                request_timeout=UPLOAD_TIMEOUT_S,
            ),
            len(files),
        )

    async def ring(self, to: Recipient) -> Shown:
        say = self.voice.words(to.language)
        text = say("ring")
        return await self._send_text(to, Screen(text), to.shown_as or to.message_id)

    async def put_failure(self, to: Recipient) -> Shown:
        return await self._edit_text(to, self._failed(to))

    async def send_failure(self, to: Recipient) -> Shown:
        return await self._send_text(to, self._failed(to))

    def _done(self, to: Recipient, content: Content, *, as_document: bool) -> Screen:
        say = self.voice.words(to.language)
        model = self.shelf.find(to.model_id)
        follows = model is not None and model.type in EXACT
        compressed = isinstance(content, Download) and content.is_compressed and not as_document and not follows
        screen = screens.done(
            say,
            self._model_name(to),
            to.generation_id,
            to.price_kopecks,
            to.late,
            compressed=compressed,
            leads_on=self._leads_on(to, content),
        )
        if isinstance(content, Link):
            return screens.followed(screen, screens.link(say, content.url).text)
        if isinstance(content, Wording) and not as_document:
            return screens.followed(screen, screens.wording(content))
        return screen

    def _leads_on(self, to: Recipient, content: Content) -> bool:
        """Whether there is anything to do with it next."""
        match content:
            case Download(media=media):
                return leads_on(self.shelf, to.model_id, media)
            case Wording():
                return leads_on(self.shelf, to.model_id, Media.TEXT, content.text if content.extension == "txt" else "")
            case Link():
                model = self.shelf.find(to.model_id)
                return model is not None and leads_on(self.shelf, model.id, Media(model.output))
            case Expired():
                return False

    def _failed(self, to: Recipient) -> Screen:
        return screens.failed(
            self.voice.words(to.language), to.failure or "provider", to.generation_id, to.price_kopecks
        )

    def _model_name(self, to: Recipient) -> str:
        model = self.shelf.find(to.model_id)
        return model.name if model else to.model_id

    async def _edit_text(self, to: Recipient, screen: Screen) -> Shown:
        if not to.message_id:
            return StatusGone()
        return await outcome(
            self.bot.edit_message_text(
                screen.text, chat_id=to.chat_id, message_id=to.message_id, reply_markup=markup(screen)
            ),
            to.message_id,
        )

    async def _send_text(self, to: Recipient, screen: Screen, reply_to: int | None = None) -> Shown:
        return await outcome(
            self.bot.send_message(
                to.chat_id, screen.text, reply_markup=markup(screen), reply_parameters=reply_parameters(reply_to)
            )
        )

    def _send_file(
        self,
        to: Recipient,
        content: Download | Wording,
        caption: str | None,
        keyboard: InlineKeyboardMarkup | None,
        reply_to: int | None,
        *,
        as_document: bool,
    ) -> Awaitable[Message]:
        file = input_file(content, to)
        reply = reply_parameters(reply_to)
        if as_document or isinstance(content, Wording):
            return self.bot.send_document(
                to.chat_id,
                file,
                caption=caption,
                reply_markup=keyboard,
                reply_parameters=reply,
                request_timeout=UPLOAD_TIMEOUT_S,
            )
        match content.media:
            case Media.IMAGE if content.moves:
                send = self.bot.send_animation
            case Media.IMAGE:
                send = self.bot.send_photo  # type: ignore[assignment]  # the same leading parameters
            case Media.VIDEO:
                send = self.bot.send_video  # type: ignore[assignment]  # likewise
            case Media.AUDIO:
                send = self.bot.send_audio  # type: ignore[assignment]  # likewise
            case Media.TEXT:
                send = self.bot.send_document  # type: ignore[assignment]  # likewise
        return send(
            to.chat_id,
            file,
            caption=caption,
            reply_markup=keyboard,
            reply_parameters=reply,
            request_timeout=UPLOAD_TIMEOUT_S,
            **self._shown_with(to, content),
        )

    def _input_media(
        self, to: Recipient, content: Download | Wording, caption: str | None, *, as_document: bool, place: int = 0
    ) -> InputMedia:
        """The file as its kind, or as a plain document. `place`: in its album."""
        file = input_file(content, to, place)
        if as_document or isinstance(content, Wording):
            return InputMediaDocument(media=file, caption=caption, disable_content_type_detection=True)
        match content.media:
            case Media.IMAGE if content.moves:
                return InputMediaAnimation(media=file, caption=caption)
            case Media.IMAGE:
                return InputMediaPhoto(media=file, caption=caption)
            case Media.VIDEO:
                return InputMediaVideo(media=file, caption=caption, **self._shown_with(to, content))
            case Media.AUDIO:
                return InputMediaAudio(media=file, caption=caption, **self._shown_with(to, content))
            case Media.TEXT:
                return InputMediaDocument(media=file, caption=caption)

    def _shown_with(self, to: Recipient, download: Download) -> dict[str, Any]:
        """What a player shows before it has the file; Telegram does not always look by itself."""
        cover = {"thumbnail": BufferedInputFile(download.cover, "cover.jpg")} if download.cover else {}
        match download:
            case Download(media=Media.VIDEO, shape=Shape(width=width, height=height, duration_s=seconds)):
                return {"width": width, "height": height, "duration": seconds, "supports_streaming": True, **cover}
            case Download(media=Media.VIDEO):
                return {"supports_streaming": True, **cover}
            case Download(media=Media.AUDIO):
                title, performer = download.title[:TITLE_CHARS] or None, self._model_name(to)[:TITLE_CHARS]
                return {"title": title, "performer": performer, "duration": download.duration_s, **cover}
            case _:
                return {}


def reply_parameters(message_id: int | None) -> ReplyParameters | None:
    """A reply to a message that may be gone by then."""
    return ReplyParameters(message_id=message_id, allow_sending_without_reply=True) if message_id else None


class DownloadedFile(InputFile):
    """A download as an upload: never in memory as a whole."""

    def __init__(self, download: Download, filename: str) -> None:
        super().__init__(filename)
        self._download = download

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:  # noqa: ARG002 - aiogram's signature
        async for chunk in self._download.chunks(self.chunk_size):
            yield chunk


def input_file(content: Download | Wording, to: Recipient, place: int = 0) -> InputFile:
    """Under a name of its own; `place`: in its album."""
    number = f"{to.generation_id}-{place + 1}" if place else f"{to.generation_id}"
    name = file_name(f"{to.model_id.rpartition('/')[2]}-{number}", content)
    if isinstance(content, Wording):
        return BufferedInputFile(content.text.encode(), name)
    return DownloadedFile(content, name)
