"""How long a file plays, read from its own headers: nothing is decoded."""

import math
from typing import BinaryIO, Final

from tinytag import TinyTag, TinyTagException

from kiosk.delivery import mp4
from kiosk.media.fit import plain

CONTAINERS: Final = frozenset({"mp4", "mov", "m4v", "m4a", "3gp"})
# A rest so short is what encoders add to fill their last frame.
PADDING_S: Final = 0.1


def length_of(file: BinaryIO, extension: str) -> int | None:
    """Whole seconds, the last one begun counted; None when the file does not tell. Leaves the file anywhere."""
    seconds = mp4.seconds_of(file) if plain(extension) in CONTAINERS else _of_sound(file)
    return max(1, math.ceil(seconds - PADDING_S)) if seconds else None


def _of_sound(file: BinaryIO) -> float | None:
    file.seek(0)
    try:
        found = TinyTag.get(file_obj=file, tags=False).duration
    except TinyTagException:
        return None
    return found if found is not None and 0 < found <= mp4.LONGEST_S else None
