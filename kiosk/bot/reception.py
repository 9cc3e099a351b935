"""Files and addresses that customers send: looked at before anything else is asked, and kept if they fit."""

from dataclasses import dataclass
from typing import Final

import structlog

from kiosk.bot.buttons import Onward, Pick, unpack
from kiosk.bot.files import Attachment
from kiosk.bot.filing import FilingDesk
from kiosk.bot.replies import Brought, Pressed, Reply, Wanted
from kiosk.catalog.form import QuestionKind
from kiosk.catalog.model import Media
from kiosk.customers.arrive import Visitor
from kiosk.generations.results import Piece
from kiosk.media.fit import (
    FROM_TELEGRAM_BYTES,
    MIB,
    Facts,
    Flaw,
    Misfit,
    misfit,
    most_of,
    must_be_timed,
    too_big,
)
from kiosk.media.source import FROM_LINK_BYTES, Gone, Library, Private, Unreachable, look, read
from kiosk.media.store import Source

log = structlog.get_logger()

TEXT_BYTES: Final = 256 * 1024  # of an answer that is longer than a message
LINKS: Final = ("https://", "http://")


@dataclass(frozen=True, slots=True)
class Reception:
    """Mostly the beginning of a file is read here: its bytes travel once there is an order for them."""

    desk: FilingDesk
    library: Library

    async def text(self, visitor: Visitor, chat_id: int, text: str, update_id: int) -> Reply | None:
        """Words; a pasted address where a file is asked for."""
        if text.strip().lower().startswith(LINKS):
            wanted = await self.desk.wanted(visitor, chat_id)
            if wanted is not None and wanted.media is not None:
                return await self._take(visitor, wanted, Source(link=text.strip()), update_id)
        return await self.desk.text(visitor, chat_id, text, update_id)

    async def press(self, visitor: Visitor, at: Pressed) -> Reply:
        """A press; a result that is about to be gone on from is looked at before."""
        press = unpack(at.data)
        if isinstance(press, Onward | Pick):
            unseen = await self.desk.followups.unseen(visitor, press)
            facts = await self._facts_of(unseen) if unseen else None
            if unseen and facts:
                await self.desk.followups.seen(visitor, unseen, facts)
        return await self.desk.press(visitor, at)

    async def _facts_of(self, piece: Piece) -> Facts | None:
        """As it is where it can be read at best; None: nowhere, or not now."""
        link = Source(link=piece.source) if piece.kept else None
        files = (Source(file_id=name) for name in (piece.original, piece.shown) if name)
        for source in (*filter(None, (link,)), *files):
            facts = await self._whatever(source, piece.seconds, FROM_LINK_BYTES)
            if facts:
                return facts
        return None

    async def file(self, visitor: Visitor, chat_id: int, sent: Attachment, update_id: int) -> Reply | None:
        """A photo, a video, a sound, a document; a text file is a long text."""
        settled = await self.desk.settled(visitor, chat_id, update_id, sent.album)
        if settled is not None:
            return settled
        wanted = await self.desk.wanted(visitor, chat_id)
        if wanted is None and not sent.is_text and sent.size_bytes <= FROM_TELEGRAM_BYTES:
            return await self._unasked(visitor, chat_id, sent, update_id)
        if wanted is not None and sent.caption and not sent.is_text and wanted.asked.kind is QuestionKind.TEXT:
            said = await self.desk.text(visitor, chat_id, sent.caption, update_id)
            wanted = await self.desk.wanted(visitor, chat_id)
            if wanted is None or wanted.media is None:  # the words were all that could be used
                return said
        if wanted is None or (wanted.media is None and not sent.is_text):
            return await self.desk.not_text(visitor, chat_id)
        source = Source(file_id=sent.file_id)
        if wanted.media is None:
            return await self._written(visitor, chat_id, source, sent, update_id)
        found = too_big(wanted.media, sent.size_bytes, FROM_TELEGRAM_BYTES)
        if found:
            return await self.desk.unfit(visitor, wanted, found)
        return await self._take(visitor, wanted, source, update_id, sent)

    async def _unasked(self, visitor: Visitor, chat_id: int, sent: Attachment, update_id: int) -> Reply:
        source = Source(file_id=sent.file_id)
        facts = await self._whatever(source, sent.seconds, FROM_TELEGRAM_BYTES)
        if facts is None:
            return await self.desk.not_text(visitor, chat_id)
        return await self.desk.unasked(visitor, Brought(source, facts), update_id)

    async def _whatever(self, source: Source, seconds: int | None, most_bytes: int) -> Facts | None:
        """What it is, whoever may want it; None: nothing that a model takes, or not to be read now."""
        try:
            facts = await look(self.library, source, seconds=seconds, timed=True, most_bytes=most_bytes)
        except (Gone, Unreachable) as error:
            log.info("media.unreadable", error=type(error).__name__)
            return None
        return facts if isinstance(facts, Facts) else None

    async def _take(
        self, visitor: Visitor, wanted: Wanted, source: Source, update_id: int, sent: Attachment | None = None
    ) -> Reply:
        assert wanted.media is not None  # noqa: S101 - callers have asked
        most_bytes = FROM_LINK_BYTES if source.link else FROM_TELEGRAM_BYTES
        facts = await self._look(wanted.media, source, sent.seconds if sent else None, wanted.timed, most_bytes)
        if isinstance(facts, Flaw):
            limit = most_of(wanted.media, most_bytes) / MIB if facts is Flaw.TOO_BIG else None
            return await self.desk.unfit(visitor, wanted, Misfit(facts, wanted.media, limit=limit))
        found = misfit(wanted.media, facts, timed=wanted.timed, most_bytes=most_bytes)
        if found:
            return await self.desk.unfit(visitor, wanted, found)
        brought = Brought(source, facts, sent.album, sent.caption) if sent else Brought(source, facts)
        return await self.desk.attach(visitor, wanted, brought, update_id)

    async def _look(
        self, wanted: Media, source: Source, seconds: int | None, timed: bool, most_bytes: int
    ) -> Facts | Flaw:
        try:
            return await look(
                self.library,
                source,
                seconds=seconds,
                timed=must_be_timed(wanted, timed=timed),
                most_bytes=most_of(wanted, most_bytes),
            )
        except (Gone, Unreachable) as error:
            log.info("media.unreadable", error=type(error).__name__)
            if source.link is None:
                return Flaw.UNREADABLE
            if isinstance(error, Private):
                return Flaw.PRIVATE
            return Flaw.NOT_THERE if isinstance(error, Gone) else Flaw.AWAY

    async def _written(
        self, visitor: Visitor, chat_id: int, source: Source, sent: Attachment, update_id: int
    ) -> Reply | None:
        if sent.size_bytes > TEXT_BYTES:
            return await self.desk.not_text(visitor, chat_id)
        try:
            text = (await read(self.library, source, TEXT_BYTES)).decode("utf-8-sig")
        except (Gone, Unreachable, UnicodeDecodeError):
            return await self.desk.not_text(visitor, chat_id)
        return await self.desk.text(visitor, chat_id, text, update_id)
