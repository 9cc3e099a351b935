"""What the file of a picture tells, and covers made of pictures of any kind."""

import io
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kiosk.delivery.picture import COVER_BYTES, COVER_SIDE, PHOTO_SIDE, Picture, cover_of, picture_of


def a_picture(mode: str = "RGB", size: tuple[int, int] = (40, 30), colour: Any = 9, kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind)
    return out.getvalue()


def moving(kind: str) -> bytes:
    out = io.BytesIO()
    first, second = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    first.save(out, kind, save_all=True, append_images=[second], duration=100)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "picture", "suffers"),
    [
        (a_picture(), Picture(40, 30), False),
        (a_picture("RGBA", colour=(1, 2, 3, 254)), Picture(40, 30, transparent=True), True),
        (a_picture("RGBA", colour=(1, 2, 3, 255)), Picture(40, 30), False),
        (a_picture("LA", colour=(1, 0)), Picture(40, 30, transparent=True), True),
        (a_picture(size=(PHOTO_SIDE, 1)), Picture(PHOTO_SIDE, 1), False),
        (a_picture(size=(1, PHOTO_SIDE + 1)), Picture(1, PHOTO_SIDE + 1), True),
        (a_picture(kind="JPEG"), Picture(40, 30), False),
        (moving("GIF"), Picture(8, 8, moving=True), False),
        (moving("WEBP"), Picture(8, 8, moving=True), False),
    ],
    ids=["plain", "seen through", "opaque channel", "grey seen through", "wide", "tall", "jpeg", "gif", "webp"],
)
def test_picture_tells_what_a_photo_of_it_would_lack(content: bytes, picture: Picture, suffers: bool) -> None:
    """Its size, whether anything shows through, and whether it moves."""
    found = picture_of(io.BytesIO(content))
    assert found == picture
    assert found.suffers is suffers


@pytest.mark.parametrize(
    ("picture", "fits"),
    [
        (Picture(5000, 5000), True),
        (Picture(5000, 5001), False),
        (Picture(2000, 100), True),
        (Picture(2001, 100), False),
        (Picture(8, 8, moving=True), False),
    ],
)
def test_photo_has_limits_of_its_own(picture: Picture, fits: bool) -> None:
    """Sides together, their ratio, and one frame."""
    assert picture.fits_photo is fits


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", a_picture()[:30], b"GIF89a"])
def test_what_is_no_picture_tells_nothing(content: bytes) -> None:
    """Neither about itself nor as a cover."""
    assert picture_of(io.BytesIO(content)) is None
    assert cover_of(content) is None


@settings(max_examples=30)
@given(
    st.sampled_from(["RGB", "RGBA", "L", "P", "LA", "CMYK"]),
    st.integers(1, 400),
    st.integers(1, 400),
    st.sampled_from(["PNG", "JPEG", "WEBP"]),
)
def test_cover_is_a_small_jpeg(mode: str, width: int, height: int, kind: str) -> None:
    """Of every picture, whatever its colours and its form; never larger than Telegram takes."""
    image = Image.effect_noise((width, height), 90).convert("RGB").convert(mode)
    kind = "PNG" if mode in ("P", "LA", "RGBA") and kind == "JPEG" else kind
    out = io.BytesIO()
    (image.convert("RGB") if mode == "CMYK" and kind != "JPEG" else image).save(out, kind)
    cover = cover_of(out.getvalue())
    assert cover is not None
    assert len(cover) <= COVER_BYTES
    with Image.open(io.BytesIO(cover)) as seen:
        assert (seen.format, seen.mode) == ("JPEG", "RGB")
        assert max(seen.size) <= COVER_SIDE


def test_picture_of_too_many_pixels_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file may hold a huge picture: it has no cover, and counts as one that a photo would spoil."""
    monkeypatch.setattr("kiosk.delivery.picture.MOST_PIXELS", 99)
    content = a_picture("RGBA", (10, 10), (1, 2, 3, 255))
    assert cover_of(content) is None
    assert picture_of(io.BytesIO(content)) == Picture(10, 10, transparent=True)
