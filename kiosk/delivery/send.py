"""One parcel into the chat, or an album of them: the ladder of forms for files, at most one ring, no result dropped."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import structlog

from kiosk.delivery.fetch import Download, Fetcher, TooBig, Unusable
from kiosk.delivery.messenger import (
    Blocked,
    Busy,
    Content,
    Expired,
    FileRefused,
    Link,
    Messenger,
    Moved,
    Recipient,
    Sent,
    Shown,
    StatusGone,
    Unknown,
)
from kiosk.delivery.plan import Part, Rung
from kiosk.delivery.store import Delivery
from kiosk.delivery.wording import Wording, forms

log = structlog.get_logger()

# After so many downloads that failed, the customer gets the address itself rather than nothing.
DOWNLOADS_AT_MOST: Final = 8
DOWNLOAD_AGAIN_S: Final = 5.0
# What came until then is an album of its own: whoever holds its files is taken for dead after a while.
ALBUM_FETCH_S: Final = 60.0

Handed: TypeAlias = Sent | Blocked | Moved | Busy | Unknown


@dataclass(frozen=True, slots=True)
class Apart:
    """Nothing was shown; these parcels, by their ids, go into no album any more."""

    which: tuple[int, ...]


AlbumHanded: TypeAlias = tuple[Sent, ...] | Apart | Blocked | Moved | Busy | Unknown
Show: TypeAlias = Callable[[Content, bool], Awaitable[Shown]]


@dataclass(frozen=True, slots=True)
class Courier:
    """Brings parcels; repeating one that was an edit changes nothing in the chat."""

    messenger: Messenger
    fetcher: Fetcher
    upload_limit_bytes: int

    async def hand_over(self, to: Recipient, parcel: Delivery) -> Handed:
        """Sent, or why not; after Unknown the same parcel may be in the chat already."""
        match parcel.part:
            case Part.NOTICE:
                return await self._ring_once(to, parcel)
            case Part.FAILURE:
                return await self._say_failure(to)
            case Part.RESULT:
                return await self._bring(parcel, lambda content, doc: self._show_result(to, content, doc))
            case Part.ORIGINAL:
                return await self._bring(
                    parcel, lambda content, _doc: self.messenger.send_extra(to, content, as_document=True)
                )
            case Part.EXTRA:
                return await self._bring(
                    parcel, lambda content, doc: self.messenger.send_extra(to, content, as_document=doc)
                )

    async def hand_over_album(self, to: Recipient, parcels: Sequence[Delivery]) -> AlbumHanded:
        """Those that are sent, from the beginning; the others were not touched. After Unknown all may be there."""
        fetched: list[Download] = []
        try:
            misfit = await self._fetch_album(parcels, fetched)
            if len(fetched) < 2:  # noqa: PLR2004 - Bot API: an album has two files or more
                return Apart((parcels[len(fetched) if misfit else 0].id,))
            as_documents = parcels[0].part is Part.ORIGINAL
            shown = await self.messenger.send_album(to, fetched, as_documents=as_documents)
            if isinstance(shown, tuple):
                return tuple(
                    replace(one, suffers=file.suffers and not as_documents)
                    for one, file in zip(shown, fetched, strict=True)
                )
        finally:
            for file in fetched:
                file.close()
        if isinstance(shown, FileRefused | StatusGone):
            log.warning("delivery.album_refused", files=len(fetched), why=getattr(shown, "why", "status message"))
            return Apart(tuple(one.id for one in parcels[: len(fetched)]))
        return shown

    async def _fetch_album(self, parcels: Sequence[Delivery], fetched: list[Download]) -> bool:
        """Fills `fetched` until the album is full. True: the next file is one that no album takes."""
        clock, room_bytes = asyncio.get_running_loop().time, self.upload_limit_bytes
        until_s = clock() + ALBUM_FETCH_S
        for parcel in parcels:
            if fetched and clock() > until_s:
                return False
            file = await self._fetch(parcel)
            if not isinstance(file, Download):
                return True
            room_bytes -= file.size_bytes
            takes = parcel.part is Part.ORIGINAL or file.media is parcel.media
            takes = takes and file.fits_album(as_document=parcel.part is Part.ORIGINAL)
            if not takes or room_bytes < 0:
                file.close()
                return not takes
            fetched.append(file)
        return False

    async def _ring_once(self, to: Recipient, parcel: Delivery) -> Handed:
        """Two rings annoy, none does no harm: an attempt of unknown outcome counts as done."""
        if parcel.tries > 0:
            return Sent(0)
        shown = await self.messenger.ring(to)
        if isinstance(shown, Blocked | Moved | Busy):
            return shown
        return Sent(shown.message_id if isinstance(shown, Sent) else 0)

    async def _say_failure(self, to: Recipient) -> Handed:
        shown = await self.messenger.put_failure(to)
        if isinstance(shown, StatusGone):
            shown = await self.messenger.send_failure(to)
        return Unknown(type(shown).__name__) if isinstance(shown, StatusGone | FileRefused) else shown

    async def _show_result(self, to: Recipient, content: Content, as_document: bool) -> Shown:
        shown = await self.messenger.put_result(to, content, as_document=as_document)
        if isinstance(shown, StatusGone):
            log.info("delivery.status_message_gone")
            shown = await self.messenger.send_result(to, content, as_document=as_document)
        return shown

    async def _bring(self, parcel: Delivery, show: Show) -> Handed:
        said = Wording.of(parcel.source)
        return await self._bring_file(parcel, show) if said is None else await self._bring_words(said, show)

    async def _bring_words(self, said: Wording, show: Show) -> Handed:
        shown: Shown = Unknown("nothing to try")
        for content, as_document in forms(said):
            shown = await show(content, as_document)
            if not isinstance(shown, FileRefused | StatusGone):
                return shown
            log.warning("delivery.rung_refused", rung="document" if as_document else "kind", why="words")
        return Unknown(type(shown).__name__)

    async def _bring_file(self, parcel: Delivery, show: Show) -> Handed:
        fetched = await self._fetch(parcel)
        match fetched:
            case Download():
                try:
                    return await self._climb(parcel, fetched, show)
                finally:
                    fetched.close()
            case TooBig(size_bytes=size_bytes):
                log.info("delivery.too_big", size_bytes=size_bytes)
                return await self._give(Link(parcel.source), show)
            case Unusable(why=why):
                log.warning("delivery.download_failed", why=why, tries=parcel.tries)
                if parcel.tries + 1 < DOWNLOADS_AT_MOST:
                    return Busy(DOWNLOAD_AGAIN_S * (parcel.tries + 1), counts=True)
                # Whoever has seen the picture is told so; of anything else the address is better than nothing.
                return await self._give(Expired() if parcel.part is Part.ORIGINAL else Link(parcel.source), show)

    async def _fetch(self, parcel: Delivery) -> Download | TooBig | Unusable:
        """The file, and what the provider told of it."""
        fetched = await self.fetcher.download(parcel.source)
        if isinstance(fetched, Download):
            fetched.title, fetched.duration_s = parcel.title, parcel.duration_s
            fetched.cover = await self.fetcher.cover(parcel.cover) if parcel.cover else b""
        return fetched

    async def _climb(self, parcel: Delivery, download: Download, show: Show) -> Handed:
        for rung in download.rungs(self.upload_limit_bytes):
            if rung is Rung.LINK:
                break
            shown = await show(download, rung is Rung.DOCUMENT)
            if isinstance(shown, FileRefused) and download.cover:  # it may have been for the decoration
                download.cover = b""
                shown = await show(download, rung is Rung.DOCUMENT)
            if isinstance(shown, Sent) and parcel.part is not Part.ORIGINAL:
                is_photo = rung is Rung.KIND
                return replace(shown, suffers=is_photo and download.suffers, as_file=not is_photo)
            if not isinstance(shown, FileRefused | StatusGone):
                return shown
            log.warning("delivery.rung_refused", rung=rung.value, why=getattr(shown, "why", "status message"))
        return await self._give(Link(parcel.source), show)

    async def _give(self, words: Link | Expired, show: Show) -> Handed:
        shown = await show(words, False)
        return Unknown(type(shown).__name__) if isinstance(shown, FileRefused | StatusGone) else shown
