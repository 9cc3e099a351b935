"""What the file of a picture tells about itself, and the small copy of it that a player shows beside a song."""

import io
import threading
from dataclasses import dataclass
from typing import BinaryIO, Final

from PIL import Image, UnidentifiedImageError

# Larger ones are looked at from outside only; whoever made them may have meant to fill our memory.
MOST_PIXELS: Final = 40_000_000
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF")
# Bot API, "thumbnail" of sendAudio and sendVideo.
COVER_SIDE: Final = 320
COVER_BYTES: Final = 200 * 1024
QUALITIES: Final = (88, 70, 50)
# Telegram scales photos down to this side.
PHOTO_SIDE: Final = 2560
# Bot API, sendPhoto.
PHOTO_SIDES_SUM: Final = 10_000
PHOTO_RATIO: Final = 20

_decoding = threading.Lock()  # one at a time: a decoded picture has four bytes for each pixel

Image.MAX_IMAGE_PIXELS = None  # the bound is kept here, where it can be answered for
_UNREADABLE: Final = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)


@dataclass(frozen=True, slots=True)
class Picture:
    """`transparent`: part of it can be seen through. `moving`: it has several frames."""

    width: int
    height: int
    transparent: bool = False
    moving: bool = False

    @property
    def fits_photo(self) -> bool:
        """Whether Telegram takes it as a photo."""
        narrow, wide = sorted((self.width, self.height))
        return not self.moving and narrow + wide <= PHOTO_SIDES_SUM and wide <= PHOTO_RATIO * narrow

    @property
    def suffers(self) -> bool:
        """Whether a photo of it lacks what was paid for: its size, or what can be seen through it."""
        return self.transparent or max(self.width, self.height) > PHOTO_SIDE


def picture_of(file: BinaryIO) -> Picture | None:
    """None when the file does not tell. Leaves the file open and anywhere; takes as long as decoding does."""
    file.seek(0)
    try:
        with _decoding, Image.open(file, formats=FORMATS) as image:
            width, height = image.size
            moving = bool(getattr(image, "is_animated", False))
            return Picture(width, height, _transparent(image), moving)
    except _UNREADABLE:
        return None


def cover_of(content: bytes) -> bytes | None:
    """A JPEG that Telegram takes as a thumbnail; None when there is none to be made."""
    try:
        with _decoding, Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                return None
            image.draft("RGB", (COVER_SIDE, COVER_SIDE))  # a JPEG need not be decoded in full
            small = image.convert("RGB")
        small.thumbnail((COVER_SIDE, COVER_SIDE))
        return next((jpeg for quality in QUALITIES if len(jpeg := _jpeg(small, quality)) <= COVER_BYTES), None)
    except _UNREADABLE:
        return None


def _transparent(image: Image.Image) -> bool:
    if not image.has_transparency_data:
        return False
    if image.width * image.height > MOST_PIXELS:
        return True
    channels = image if "A" in image.getbands() else image.convert("RGBA")
    least, _ = channels.getchannel("A").getextrema()
    return isinstance(least, int | float) and least < 255  # noqa: PLR2004 - wholly opaque


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality)
    return out.getvalue()
