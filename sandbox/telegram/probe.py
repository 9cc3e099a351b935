"""Looks into media the way Telegram's servers do before they accept it; blocking, to be called in a thread."""

import io
import mimetypes
from functools import lru_cache

import av
import filetype
from av.error import FFmpegError
from PIL import Image, ImageOps, UnidentifiedImageError

from sandbox.telegram.errors import BadRequest
from sandbox.telegram.files import Content
from sandbox.telegram.limits import COVER_BYTES, COVER_SIDE, PHOTO_BYTES, PHOTO_RATIO, PHOTO_SIDES_SUM

# The sides to which Telegram scales a photo; the last is what a bot gets as "the photo".
_SIDES = (90, 320, 800, 1280, 2560)
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
_JPEG_QUALITY = 88
# Dimensions are checked below, before anything is decoded; Pillow's own warning would come too late and as a warning.
Image.MAX_IMAGE_PIXELS = None


@lru_cache(maxsize=16)
def probe_photo(data: bytes) -> tuple[Content, ...]:
    """All sizes of a photo as JPEG, smallest first; raises BadRequest with Telegram's reason.

    Remembers the last few: shops and tests send the same sample pictures again and again.
    """
    if len(data) > PHOTO_BYTES:
        raise BadRequest(
            f"file of size {len(data)} bytes is too big for a photo; the maximum size is {PHOTO_BYTES} bytes"
        )
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as opened:
            _check_sides(*opened.size)
            is_plain_jpeg = opened.format == "JPEG" and not opened.getexif()
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise BadRequest("IMAGE_PROCESS_FAILED") from None
    longest = max(picture.size)
    sizes = [_scaled(picture, side) for side in _SIDES if side < longest]
    if longest > _SIDES[-1]:
        return tuple(sizes)
    biggest = data if is_plain_jpeg else _jpeg(picture)
    return (*sizes, Content(biggest, "image/jpeg", width=picture.width, height=picture.height))


def probe_cover(data: bytes) -> Content | None:
    """A thumbnail as Telegram takes it; None for what it silently leaves out."""
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG",)) as opened:
            width, height = opened.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None
    if len(data) > COVER_BYTES or max(width, height) > COVER_SIDE:
        return None
    return Content(data, "image/jpeg", width=width, height=height)


def _check_sides(width: int, height: int) -> None:
    if width + height > PHOTO_SIDES_SUM or max(width, height) > PHOTO_RATIO * min(width, height):
        raise BadRequest("PHOTO_INVALID_DIMENSIONS")


def _scaled(picture: Image.Image, side: int) -> Content:
    copy = picture.copy()
    copy.thumbnail((side, side), reducing_gap=2.0)
    return Content(_jpeg(copy), "image/jpeg", width=copy.width, height=copy.height)


def _jpeg(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue()


def probe_clip(data: bytes, name: str, mime_type: str) -> Content:
    """Video and sound: the type from the content, length and frame size where the container tells them."""
    mime_type = sniffed_type(data, name, mime_type)
    if not mime_type.startswith(("video/", "audio/")):
        return Content(data, mime_type, name)
    try:
        with av.open(io.BytesIO(data), mode="r") as container:
            duration_s = round((container.duration or 0) / av.time_base)
            video = next(iter(container.streams.video), None)
            width, height = (video.width, video.height) if video else (0, 0)
    except (FFmpegError, ValueError):
        return Content(data, "application/octet-stream", name)
    return Content(data, mime_type, name, width, height, duration_s)


def sniffed_type(data: bytes, name: str, claimed: str) -> str:
    """The type from the first bytes, else from the name, else as claimed."""
    found = filetype.guess_mime(data[:4096])
    if found == "video/mp4" and data[8:12] in {b"M4A ", b"M4B "}:
        return "audio/mp4"
    guessed = found or mimetypes.guess_type(name)[0] or claimed or "application/octet-stream"
    return {"application/ogg": "audio/ogg", "audio/m4a": "audio/mp4", "audio/x-m4a": "audio/mp4"}.get(guessed, guessed)
