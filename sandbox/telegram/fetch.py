"""Files sent by address: the stand-in fetches them itself, within the limits that Telegram's servers keep."""

from pathlib import PurePosixPath

import aiohttp
from yarl import URL

from sandbox.telegram.calls import Upload
from sandbox.telegram.errors import URL_FAILED, URL_WRONG_TYPE, BadRequest
from sandbox.telegram.limits import URL_FILE_BYTES, URL_PHOTO_BYTES

# https://core.telegram.org/bots/api#sending-files: "must have the correct MIME type".
_TYPES = {
    "document": frozenset({"image/gif", "application/pdf", "application/zip"}),
    "animation": frozenset({"image/gif", "video/mp4"}),
    "video": frozenset({"video/mp4"}),
    "audio": frozenset({"audio/mpeg", "audio/mp4"}),
    "voice": frozenset({"audio/ogg"}),
}
_CHUNK_BYTES = 256 * 1024
_MAX_REDIRECTS = 5


async def fetch(session: aiohttp.ClientSession, kind: str, address: str, timeout_s: float) -> Upload:
    """Raises BadRequest when nothing comes, or too much, or too slowly, or of a type not taken by address."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with session.get(address, timeout=timeout, max_redirects=_MAX_REDIRECTS) as response:
            if response.status != 200:
                raise BadRequest(URL_FAILED)
            if not _is_taken(kind, response.content_type):
                raise BadRequest(URL_WRONG_TYPE)
            data = await _read(response, URL_PHOTO_BYTES if kind == "photo" else URL_FILE_BYTES)
            return Upload(_name(response.url), response.content_type, data)
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise BadRequest(URL_FAILED) from None


def _is_taken(kind: str, mime_type: str) -> bool:
    return mime_type.startswith("image/") if kind == "photo" else mime_type in _TYPES.get(kind, ())


async def _read(response: aiohttp.ClientResponse, limit_bytes: int) -> bytes:
    data = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
        data += chunk
        if len(data) > limit_bytes:
            raise BadRequest(URL_FAILED)
    if not data:
        raise BadRequest(URL_WRONG_TYPE)
    return bytes(data)


def _name(address: URL) -> str:
    return PurePosixPath(address.path).name or "file"
