"""Where the bytes of a customer's file come from, as the rest of the shop sees it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import BinaryIO, Final, Protocol, cast

from kiosk.catalog.model import MediaType
from kiosk.delivery.fetch import HEAD_BYTES, KEEP_IN_MEMORY_BYTES, is_page, sniff
from kiosk.delivery.plan import Media as Family
from kiosk.media.fit import MIB, Facts, Flaw
from kiosk.media.length import length_of
from kiosk.media.store import Source

FROM_LINK_BYTES: Final = 50 * MIB  # a whole file is on disk while it is handed over
TIMED: Final = frozenset({MediaType.VIDEO, MediaType.AUDIO})
MEDIA_OF: Final = {Family.IMAGE: MediaType.IMAGE, Family.VIDEO: MediaType.VIDEO, Family.AUDIO: MediaType.AUDIO}


class Gone(Exception):  # noqa: N818 - it states a fact
    """There is no such file (any more), or it is not for us to read."""


class Private(Gone):
    """The address leads into a network that only this machine sees."""


class Unreachable(Exception):  # noqa: N818 - it states a fact
    """It cannot be read now; later it may."""


@dataclass(frozen=True, slots=True)
class Stream:
    """`size_bytes`: as announced, None: it was not. The content comes piece by piece."""

    size_bytes: int | None
    chunks: AsyncIterator[bytes]


class Library(Protocol):
    """Opens files by where they came from."""

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        """Errors, also while reading: Gone, Unreachable."""
        ...


async def look(library: Library, source: Source, *, seconds: int | None, timed: bool, most_bytes: int) -> Facts | Flaw:
    """What the first bytes tell, or why it is nothing that any model takes. Errors: Gone, Unreachable.

    More is read, and thrown away, where the size was not announced, or where `timed` wants a length that nobody knows.
    """
    async with library.open(source) as stream:
        if (stream.size_bytes or 0) > most_bytes:
            return Flaw.TOO_BIG
        head = await _head(stream)
        found = sniff(head)
        media = MEDIA_OF.get(found[0]) if found else None
        if found is None or media is None:
            return Flaw.PAGE if is_page(head) else Flaw.WRONG_KIND
        size_bytes = stream.size_bytes
        measures = timed and seconds is None and media in TIMED
        if size_bytes is None or measures:
            with tempfile.SpooledTemporaryFile(KEEP_IN_MEMORY_BYTES) as spool:
                file = cast("BinaryIO", spool)
                size_bytes = await _copy(head, stream, file, most_bytes)
                if size_bytes is None:
                    return Flaw.TOO_BIG
                seconds = await asyncio.to_thread(length_of, file, found[1]) if measures else seconds
    return Facts(media, found[1], found[2], size_bytes, seconds)


@dataclass(frozen=True, slots=True)
class Copy:
    """A file as it came; `extension` without the dot, from the content."""

    extension: str
    mime: str
    size_bytes: int


async def bring(library: Library, source: Source, most_bytes: int, file: BinaryIO) -> Copy:
    """The whole file, as bytes on disk. Errors: Gone, Unreachable.

    Gone is also what has grown beyond `most_bytes`, or is nothing (any more) that a model takes.
    """
    async with library.open(source) as stream:
        head = await _head(stream)
        found = sniff(head)
        size_bytes = await _copy(head, stream, file, most_bytes) if found else None
    if found is None or size_bytes is None:
        raise Gone
    return Copy(found[1], found[2], size_bytes)


async def _head(stream: Stream) -> bytes:
    """At least so much as tells the kind, if there is as much; the stream goes on behind it."""
    head = bytearray()
    while len(head) < HEAD_BYTES and (chunk := await anext(stream.chunks, b"")):
        head += chunk
    return bytes(head)


async def _copy(head: bytes, stream: Stream, file: BinaryIO, most_bytes: int) -> int | None:
    """How many bytes there were; None: too many, and the rest was not read."""
    size_bytes, chunk = 0, head
    while chunk:
        size_bytes += len(chunk)
        if size_bytes > most_bytes:
            return None
        await asyncio.to_thread(file.write, chunk)
        chunk = await anext(stream.chunks, b"")
    await asyncio.to_thread(file.flush)
    return size_bytes


async def read(library: Library, source: Source, most_bytes: int) -> bytes:
    """The whole file. Errors: Gone (also when it has grown beyond `most_bytes`), Unreachable."""
    content = bytearray()
    async with library.open(source) as stream:
        async for chunk in stream.chunks:
            content += chunk
            if len(content) > most_bytes:
                raise Gone
    return bytes(content)
