"""One parcel into the chat: the ladder of forms for files, at most one ring, no result dropped."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import structlog

from kiosk.delivery.fetch import Download, Fetcher, TooBig, Unusable
from kiosk.delivery.messenger import (
    Blocked,
    Busy,
    Content,
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
from kiosk.delivery.plan import Part, Rung, ladder
from kiosk.delivery.store import Delivery
from kiosk.delivery.wording import Wording, forms

log = structlog.get_logger()

# After so many downloads that failed, the customer gets the address itself rather than nothing.
DOWNLOADS_AT_MOST: Final = 8
DOWNLOAD_AGAIN_S: Final = 5.0

Handed: TypeAlias = Sent | Blocked | Moved | Busy | Unknown
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
        fetched = await self.fetcher.download(parcel.source)
        match fetched:
            case Download():
                fetched.title, fetched.duration_s = parcel.title, parcel.duration_s
                try:
                    return await self._climb(parcel, fetched, show)
                finally:
                    fetched.close()
            case TooBig(size_bytes=size_bytes):
                log.info("delivery.too_big", size_bytes=size_bytes)
                return await self._give_link(parcel, show)
            case Unusable(why=why):
                log.warning("delivery.download_failed", why=why, tries=parcel.tries)
                if parcel.tries + 1 < DOWNLOADS_AT_MOST:
                    return Busy(DOWNLOAD_AGAIN_S * (parcel.tries + 1), counts=True)
                return await self._give_link(parcel, show)

    async def _climb(self, parcel: Delivery, download: Download, show: Show) -> Handed:
        for rung in ladder(download.media, download.size_bytes, self.upload_limit_bytes):
            if rung is Rung.LINK:
                break
            shown = await show(download, rung is Rung.DOCUMENT)
            if not isinstance(shown, FileRefused | StatusGone):
                return shown
            log.warning("delivery.rung_refused", rung=rung.value, why=getattr(shown, "why", "status message"))
        return await self._give_link(parcel, show)

    async def _give_link(self, parcel: Delivery, show: Show) -> Handed:
        shown = await show(Link(parcel.source), False)
        return Unknown(type(shown).__name__) if isinstance(shown, FileRefused | StatusGone) else shown
