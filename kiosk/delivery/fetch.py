"""Result files: probed before the customer pays, downloaded before they are sent, never trusted by their name."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

import aiohttp
import filetype

from kiosk.delivery.mp4 import Shape, shape_of
from kiosk.delivery.picture import Picture, cover_of, picture_of
from kiosk.delivery.plan import PHOTO_LIMIT_BYTES, Media, Rung, ladder
from kiosk.delivery.wording import Wording
from kiosk.tracing import traced

HEAD_BYTES: Final = 4096
CHUNK_BYTES: Final = 256 * 1024
KEEP_IN_MEMORY_BYTES: Final = 1024 * 1024  # of each file; forty may be on their way at once
COVER_TIMEOUT_S: Final = 10.0
COVER_BYTES: Final = 8 * 1024 * 1024  # of a picture that a cover is made of
# What Telegram shows as what it is; the rest it may turn into documents, which no album of others takes.
IN_ALBUMS: Final = frozenset({"jpg", "png", "webp", "mp4", "mp3", "m4a"})
MARKUP: Final = (b"<!doctype html", b"<html", b"<?xml")


@dataclass(frozen=True, slots=True)
class Unusable:
    """The address holds nothing that could be sent."""

    why: str


@dataclass(frozen=True, slots=True)
class TooBig:
    """Over the upload limit: only a link can be given. `size_bytes` is what the server announced or what came."""

    size_bytes: int


@dataclass(slots=True)
class Download:
    """A file on disk for as long as `close` was not called; `extension` without the dot, from its content."""

    media: Media
    extension: str
    mime: str
    size_bytes: int
    _file: "tempfile.SpooledTemporaryFile[bytes]"
    shape: Shape | None = None  # of a clip, where its file tells
    picture: Picture | None = None  # of a picture, where its file tells
    title: str = ""
    duration_s: int | None = None
    cover: bytes = b""  # a small JPEG beside a song or a clip

    @property
    def moves(self) -> bool:
        """A GIF, which Telegram plays."""
        return self.extension == "gif" and self.picture is not None and self.picture.moving

    @property
    def suffers(self) -> bool:
        """A photo of it lacks what was paid for."""
        return self.picture is not None and not self.picture.moving and self.picture.suffers

    @property
    def is_compressed(self) -> bool:
        """A photo of it is less than the file, which does not follow by itself."""
        return self.media is Media.IMAGE and not self.suffers and not self.moves

    def rungs(self, upload_limit_bytes: int) -> tuple[Rung, ...]:
        """The ways of showing it, best first."""
        photo = self.picture is None or self.picture.fits_photo or self.moves
        return ladder(self.media, self.size_bytes, upload_limit_bytes, photo=photo)

    def fits_album(self, *, as_document: bool) -> bool:
        """Whether Telegram takes it beside others."""
        if as_document:
            return True
        big = self.media is Media.IMAGE and self.size_bytes > PHOTO_LIMIT_BYTES
        still = self.picture is None or self.picture.fits_photo
        return self.extension in IN_ALBUMS and still and not big

    async def chunks(self, size_bytes: int) -> AsyncIterator[bytes]:
        """The content from its beginning, a piece at a time; for one reader at a time."""
        self._file.seek(0)
        while chunk := await asyncio.to_thread(self._file.read, size_bytes):
            yield chunk

    def close(self) -> None:
        self._file.close()


def sniff(head: bytes) -> tuple[Media, str, str] | None:
    """Media, extension and MIME type from the first bytes; None when it is nothing we sell."""
    if is_page(head):
        return None
    kind = filetype.guess(head[:HEAD_BYTES])
    if kind is None:
        return None
    family = kind.mime.partition("/")[0]
    return (Media(family), kind.extension, kind.mime) if family in ("image", "video", "audio") else None


def is_page(head: bytes) -> bool:
    """Whether this is how a web page begins."""
    return head[:64].lstrip().lower().startswith(MARKUP)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Reads from the provider's file hosts; every request is bounded in time and size."""

    session: aiohttp.ClientSession
    user_agent: str
    upload_limit_bytes: int
    timeout_s: float = 15

    @traced("probe file")
    async def probe(self, url: str, expected: Media) -> Media | Unusable:
        """Looks at the first bytes only."""
        try:
            async with self._get(url, {"Range": f"bytes=0-{HEAD_BYTES - 1}"}) as response:
                if response.status not in (200, 206):
                    return Unusable(f"HTTP {response.status}")
                head = await read_up_to(response.content, HEAD_BYTES)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Unusable(type(error).__name__)
        if expected is Media.TEXT:
            return Media.TEXT if head else Unusable("empty")
        found = sniff(head)
        return found[0] if found else Unusable("no known media type")

    @traced("download file")
    async def download(self, url: str) -> Download | TooBig | Unusable:
        """The whole file; the caller closes it."""
        file: tempfile.SpooledTemporaryFile[bytes] = tempfile.SpooledTemporaryFile(KEEP_IN_MEMORY_BYTES)  # noqa: SIM115 - the caller closes it
        try:
            got = await self._download_into(url, file)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            got = Unusable(type(error).__name__)
        except BaseException:
            file.close()
            raise
        if not isinstance(got, Download):
            file.close()
        return got

    async def cover(self, url: str) -> bytes:
        """A small JPEG of the picture at this address; empty when there is none to be had: nothing hangs on it."""
        try:
            async with asyncio.timeout(COVER_TIMEOUT_S), self._get(url, {}) as response:
                if response.status != 200:  # noqa: PLR2004 - the one status that carries the file
                    return b""
                content = await read_up_to(response.content, COVER_BYTES + 1)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return b""
        if len(content) > COVER_BYTES:
            return b""
        return await asyncio.to_thread(cover_of, content) or b""

    async def _download_into(
        self, url: str, file: "tempfile.SpooledTemporaryFile[bytes]"
    ) -> Download | TooBig | Unusable:
        size_bytes = 0
        async with self._get(url, {}) as response:
            if response.status != 200:  # noqa: PLR2004 - the one status that carries the file
                return Unusable(f"HTTP {response.status}")
            if (response.content_length or 0) > self.upload_limit_bytes:
                return TooBig(response.content_length or 0)
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                size_bytes += len(chunk)
                if size_bytes > self.upload_limit_bytes:
                    return TooBig(size_bytes)
                await asyncio.to_thread(file.write, chunk)
        file.seek(0)
        found = sniff(file.read(HEAD_BYTES))
        if found is None:
            return Unusable("no known media type")
        media, extension, mime = found
        binary = cast("BinaryIO", file)  # a spooled file is as good as one, which its type does not say
        shape = await asyncio.to_thread(shape_of, binary) if media is Media.VIDEO else None
        picture = await asyncio.to_thread(picture_of, binary) if media is Media.IMAGE else None
        return Download(media, extension, mime, size_bytes, file, shape, picture)

    def _get(self, url: str, headers: dict[str, str]) -> "aiohttp.client._RequestContextManager":
        timeout = aiohttp.ClientTimeout(total=self.timeout_s * 4, sock_connect=self.timeout_s, sock_read=self.timeout_s)
        return self.session.get(url, headers={"User-Agent": self.user_agent, **headers}, timeout=timeout)


def file_name(stem: str, content: Download | Wording) -> str:
    """A name with the extension that its content deserves."""
    return f"{stem}.{content.extension}"


async def read_up_to(content: aiohttp.StreamReader, most_bytes: int) -> bytes:
    """As much of the beginning as there is: a single read gives what has just arrived, maybe one byte."""
    head = bytearray()
    while len(head) < most_bytes and (more := await content.read(most_bytes - len(head))):
        head += more
    return bytes(head)
