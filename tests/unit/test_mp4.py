"""The shape of a clip is read from its header; a file that lies or breaks off has none."""

import io
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.delivery.mp4 import Shape, shape_of
from sandbox.media import MediaOrder, make


@cache
def clip(ratio: str = "16:9", seconds: int = 1) -> bytes:
    return make(MediaOrder("video", "кот", ratio, "mp4", seconds))


@pytest.mark.parametrize(
    ("ratio", "seconds", "shape"),
    [("16:9", 2, Shape(512, 288, 2)), ("9:16", 1, Shape(288, 512, 1)), ("1:1", 3, Shape(496, 496, 3))],
)
def test_clip_tells_its_shape(ratio: str, seconds: int, shape: Shape) -> None:
    """Width, height and length of real files."""
    assert shape_of(io.BytesIO(clip(ratio, seconds))) == shape


def test_clip_on_its_side_is_shown_upright() -> None:
    """Telephones write the picture as it was taken, and a matrix that turns it."""
    content = bytearray(clip("16:9"))
    matrix = content.index(b"tkhd") + 4 + 40
    content[matrix : matrix + 4] = bytes(4)
    assert shape_of(io.BytesIO(content)) == Shape(288, 512, 1)


@pytest.mark.parametrize("content", [b"", b"\x00" * 64, make(MediaOrder("audio", "x", extension="mp3", duration_s=1))])
def test_other_files_have_no_shape(content: bytes) -> None:
    """Nothing, zeros, a sound."""
    assert shape_of(io.BytesIO(content)) is None


@given(st.data())
def test_broken_clips_are_no_trouble(data: st.DataObject) -> None:
    """Bytes changed anywhere in the headers, and a file that ends anywhere: a sensible shape, or none."""
    content = bytearray(clip())
    header = content.index(b"moov") - 4
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(header, min(header + 400, len(content) - 1)))] = data.draw(st.integers(0, 255))
    shape = shape_of(io.BytesIO(content[: data.draw(st.integers(0, len(content)))]))
    assert shape is None or (0 < shape.width <= 20_000 and 0 < shape.height <= 20_000 and shape.duration_s > 0)
