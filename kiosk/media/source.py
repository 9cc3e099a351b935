"""Where the bytes of a customer's file come from, as the rest of the shop sees it."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from kiosk.catalog.model import MediaType
from kiosk.delivery.fetch import HEAD_BYTES, sniff
from kiosk.delivery.plan import Media as Family
from kiosk.media.fit import MIB, Facts
from kiosk.media.store import Source

FROM_LINK_BYTES: Final = 50 * MIB  # a whole file is held in memory while it is handed over
MEDIA_OF: Final = {Family.IMAGE: MediaType.IMAGE, Family.VIDEO: MediaType.VIDEO, Family.AUDIO: MediaType.AUDIO}


class Gone(Exception):  # noqa: N818 - it states a fact
    """There is no such file (any more), or it is not for us to read."""


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


async def look(library: Library, source: Source, *, seconds: int | None) -> Facts | None:
    """What the first bytes tell; None when that is nothing any model takes. Errors: Gone, Unreachable."""
    async with library.open(source) as stream:
        head = b""
        async for chunk in stream.chunks:
            head += chunk
            if len(head) >= HEAD_BYTES:
                break
    found = sniff(head[:HEAD_BYTES])
    media = MEDIA_OF.get(found[0]) if found else None
    if found is None or media is None or stream.size_bytes is None:
        return None
    return Facts(media, found[1], found[2], stream.size_bytes, seconds)


async def read(library: Library, source: Source, most_bytes: int) -> bytes:
    """The whole file. Errors: Gone (also when it has grown beyond `most_bytes`), Unreachable."""
    content = bytearray()
    async with library.open(source) as stream:
        async for chunk in stream.chunks:
            content += chunk
            if len(content) > most_bytes:
                raise Gone
    return bytes(content)
