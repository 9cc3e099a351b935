"""How long a file plays, out of its own headers; one that lies about its form is no trouble."""

import io
import wave
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.media.length import length_of
from sandbox.media import MediaOrder, make

WEBM = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm" + bytes(64)


@cache
def sound(seconds: float) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", "not compressed"))
        file.writeframes(b"\x80" * int(8000 * seconds))
    return out.getvalue()


@cache
def made(extension: str, seconds: int) -> bytes:
    kind = "video" if extension == "mp4" else "audio"
    return make(MediaOrder("video" if kind == "video" else "audio", "кот", extension=extension, duration_s=seconds))


@pytest.mark.parametrize(
    ("extension", "content", "seconds"),
    [
        ("mp4", made("mp4", 2), 2),
        ("mp3", made("mp3", 3), 3),
        ("wav", made("wav", 2), 2),
        ("wav", sound(5), 5),
        ("wav", sound(5.05), 5),
        ("wav", sound(5.5), 6),
        ("wav", sound(0.05), 1),
    ],
)
def test_file_tells_how_long_it_plays(extension: str, content: bytes, seconds: int) -> None:
    """Whole seconds, the last one begun counted, but for the rest that encoders add."""
    assert length_of(io.BytesIO(content), extension) == seconds


@pytest.mark.parametrize(
    ("extension", "content"),
    [("webm", WEBM), ("mp4", WEBM), ("mp3", b""), ("wav", b"RIFF\x00\x00\x00\x00WAVE"), ("ogg", b"OggS" + bytes(90))],
)
def test_file_that_does_not_tell_has_no_length(extension: str, content: bytes) -> None:
    """Containers that are not read here, and what only begins like a sound."""
    assert length_of(io.BytesIO(content), extension) is None


@given(st.sampled_from(["mp3", "wav"]), st.data())
def test_broken_sounds_are_no_trouble(extension: str, data: st.DataObject) -> None:
    """Bytes changed anywhere near the beginning, and a file that ends anywhere: a sensible length, or none."""
    content = bytearray(made(extension, 1))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, 300))] = data.draw(st.integers(0, 255))
    found = length_of(io.BytesIO(content[: data.draw(st.integers(0, len(content)))]), extension)
    assert found is None or 0 < found <= 24 * 3600
