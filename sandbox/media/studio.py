"""Real files for the stand-ins: pictures, clips and sounds made to order, off the event loop, and kept for a while."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Literal

from sandbox.media.clip import clip, sound
from sandbox.media.picture import PIXELS, caption, encoded, scene, size_of

MIME = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
}
MAX_DURATION_S = 10.0

Kind = Literal["image", "video", "audio"]


@dataclass(frozen=True, slots=True)
class MediaOrder:
    """What to make: the same order gives the same bytes. `ratio` like "16:9", `extension` one of MIME's keys.

    `scale`: sides of a picture as a multiple of those at about one megapixel.
    """

    kind: Kind
    prompt: str
    ratio: str = "1:1"
    extension: str = "png"
    duration_s: float = 4.0
    variant: int = 0
    scale: int = 1


def make(order: MediaOrder, picture_pixels: int = PIXELS) -> bytes:
    """The file an order asks for; takes 0.1-2 s of CPU. Clips and sounds last at most ten seconds."""
    duration_s = min(max(order.duration_s, 1.0), MAX_DURATION_S)
    if order.kind == "video":
        return clip(order.prompt, order.ratio, duration_s, order.variant)
    if order.kind == "audio":
        return sound(order.prompt, order.extension, duration_s, order.variant)
    image = scene(order.prompt, size_of(order.ratio, picture_pixels), order.variant)
    caption(image, order.prompt)
    if order.scale > 1:
        image = image.resize((image.width * order.scale, image.height * order.scale))
    return encoded(image, order.extension)


class Studio:
    """Makes files in threads, one at a time, and keeps the latest up to a total size."""

    def __init__(self, max_kept_bytes: int = 64 * 2**20, picture_pixels: int = PIXELS) -> None:
        self._picture_pixels = picture_pixels
        self._max_kept_bytes = max_kept_bytes
        self._kept: OrderedDict[MediaOrder, bytes] = OrderedDict()
        self._kept_bytes = 0
        self._making = asyncio.Lock()

    async def get(self, order: MediaOrder) -> bytes:
        """The file's bytes, made now unless kept from before."""
        if order in self._kept:
            return self._keep(order, self._kept[order])
        async with self._making:
            kept = self._kept.get(order)
            if kept is None:
                kept = await asyncio.to_thread(make, order, self._picture_pixels)
            return self._keep(order, kept)

    def _keep(self, order: MediaOrder, content: bytes) -> bytes:
        if order not in self._kept:
            self._kept_bytes += len(content)
        self._kept[order] = content
        self._kept.move_to_end(order)
        while self._kept_bytes > self._max_kept_bytes and len(self._kept) > 1:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= len(dropped)
        return content
