"""Result files: probed before the customer pays, downloaded before they are sent, never trusted by their name."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

import aiohttp
import filetype

from kiosk.delivery.mp4 import Shape, shape_of
from kiosk.delivery.plan import Media
from kiosk.delivery.wording import Wording
from kiosk.tracing import traced

HEAD_BYTES: Final = 4096
CHUNK_BYTES: Final = 256 * 1024
KEEP_IN_MEMORY_BYTES: Final = 1024 * 1024  # of each file; forty may be on their way at once
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
    title: str = ""
    duration_s: int | None = None

    async def chunks(self, size_bytes: int) -> AsyncIterator[bytes]:
        """The content from its beginning, a piece at a time; for one reader at a time."""
        self._file.seek(0)
        while chunk := await asyncio.to_thread(self._file.read, size_bytes):
            yield chunk

    def close(self) -> None:
        self._file.close()


def sniff(head: bytes) -> tuple[Media, str, str] | None:
    """Media, extension and MIME type from the first bytes; None when it is nothing we sell."""
    if head[:64].lstrip().lower().startswith(MARKUP):
        return None
    kind = filetype.guess(head)
    if kind is None:
        return None
    family = kind.mime.partition("/")[0]
    return (Media(family), kind.extension, kind.mime) if family in ("image", "video", "audio") else None


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
                head = await _head(response.content)
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
        # A spooled file is as good as a binary one, which its type does not say.
        shape = await asyncio.to_thread(shape_of, cast("BinaryIO", file)) if media is Media.VIDEO else None
        return Download(media, extension, mime, size_bytes, file, shape)

    def _get(self, url: str, headers: dict[str, str]) -> "aiohttp.client._RequestContextManager":
        timeout = aiohttp.ClientTimeout(total=self.timeout_s * 4, sock_connect=self.timeout_s, sock_read=self.timeout_s)
        return self.session.get(url, headers={"User-Agent": self.user_agent, **headers}, timeout=timeout)


def file_name(stem: str, content: Download | Wording) -> str:
    """A name with the extension that its content deserves."""
    return f"{stem}.{content.extension}"


async def _head(content: aiohttp.StreamReader) -> bytes:
    """As much of the beginning as there is: a single read gives what has just arrived, maybe one byte."""
    head = b""
    while len(head) < HEAD_BYTES and (more := await content.read(HEAD_BYTES - len(head))):
        head += more
    return head
