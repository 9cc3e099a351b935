"""How large and how long a clip is, read from the header of its file: MP4 and QuickTime, ISO/IEC 14496-12."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

MOST_BOXES: Final = 2_000  # a hostile file could have millions
LONGEST_HEADER: Final = 200  # bytes of the two boxes that we read
CONTAINERS: Final = (b"moov", b"trak")
LONGEST_S: Final = 24 * 3600
WIDEST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Shape:
    """Pixels and whole seconds, as they are to be shown."""

    width: int
    height: int
    duration_s: int


def seconds_of(file: BinaryIO) -> float | None:
    """How long it plays; None when the file does not tell. Leaves the file anywhere."""
    file.seek(0, 2)
    found = next((_seconds(content) for kind, content in _headers(file, 0, file.tell()) if kind == b"mvhd"), 0.0)
    return found if 0 < found <= LONGEST_S else None


def shape_of(file: BinaryIO) -> Shape | None:
    """None when the file does not tell, or tells nonsense. Leaves the file anywhere."""
    file.seek(0, 2)
    duration_s, sides = 0, (0, 0)
    for kind, content in _headers(file, 0, file.tell()):
        if kind == b"mvhd":
            duration_s = round(_seconds(content))
        elif kind == b"tkhd" and sides == (0, 0):  # of a sound track they are 0
            sides = _sides(content)
    width, height = sides
    fits = 0 < width <= WIDEST and 0 < height <= WIDEST and 0 < duration_s <= LONGEST_S
    return Shape(width, height, duration_s) if fits else None


def _headers(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of movie and track headers, in the order of the file."""
    places, count = [(start, end)], 0
    while places and count < MOST_BOXES:
        start, end = places.pop()
        count += 1
        file.seek(start)
        head = file.read(16)
        size, kind, body = int.from_bytes(head[:4]), head[4:8], 8
        if size == 1:  # a long one
            size, body = int.from_bytes(head[8:16]), 16
        elif size == 0:  # to the end
            size = end - start
        if size < body or start + size > end:
            continue
        places.append((start + size, end))
        if kind in CONTAINERS:
            places.append((start + body, start + size))
        elif kind in (b"mvhd", b"tkhd"):
            file.seek(start + body)
            yield kind, file.read(min(size - body, LONGEST_HEADER))


def _seconds(header: bytes) -> float:
    """Version, flags, two dates, time scale, duration: the dates and the duration are longer in version 1."""
    long = header[:1] == b"\x01"
    scale, units = (header[20:24], header[24:32]) if long else (header[12:16], header[16:20])
    return int.from_bytes(units) / int.from_bytes(scale) if any(scale) else 0.0


def _sides(header: bytes) -> tuple[int, int]:
    """The last two numbers, in 1/65536 pixels; before them a matrix that may turn the picture on its side."""
    at = 88 if header[:1] == b"\x01" else 76
    width, height = (int.from_bytes(header[start : start + 4]) >> 16 for start in (at, at + 4))
    lies = len(header) >= at and not any(header[at - 36 : at - 32])
    return (height, width) if lies else (width, height)
