"""What a file is, by its first bytes and nothing else."""

import tempfile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiosk.delivery.fetch import HEAD_BYTES, Download, file_name, sniff
from kiosk.delivery.plan import Media

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 \x18\x00\x00\x00"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
WEBM = b"\x1a\x45\xdf\xa3\x01\x00\x00\x00\x00\x00\x00\x23\x42\x86\x81\x01\x42\x82\x84webm"
MP3 = b"ID3\x04\x00\x00\x00\x00\x00\x23TSSE"
BARE_MP3 = b"\xff\xfb\x90\x64\x00\x00\x00\x00"
WAV = b"RIFF\x24\x08\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x02\x00"
OGG = b"OggS\x00\x02\x00\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("head", "media", "extension"),
    [
        (PNG, Media.IMAGE, "png"),
        (JPEG, Media.IMAGE, "jpg"),
        (WEBP, Media.IMAGE, "webp"),
        (GIF, Media.IMAGE, "gif"),
        (MP4, Media.VIDEO, "mp4"),
        (WEBM, Media.VIDEO, "webm"),
        (MP3, Media.AUDIO, "mp3"),
        (BARE_MP3, Media.AUDIO, "mp3"),
        (WAV, Media.AUDIO, "wav"),
        (OGG, Media.AUDIO, "ogg"),
    ],
)
def test_known_kinds_are_known(head: bytes, media: Media, extension: str) -> None:
    """Everything that models return is known by its content, and its MIME type agrees."""
    found = sniff(head + bytes(HEAD_BYTES))
    assert found is not None
    assert found[:2] == (media, extension)
    assert found[2].startswith(f"{media.value}/")


@pytest.mark.parametrize(
    "head",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\n\n  <html lang=en>",
        b"<HTML>",
        b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
        b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'{"code":404,"msg":"not found"}',
        b"%PDF-1.7",
        b"PK\x03\x04\x14\x00\x00\x00",
        b"not found",
        b"",
        bytes(HEAD_BYTES),
    ],
)
def test_pages_and_other_things_are_nothing_to_sell(head: bytes) -> None:
    """An error page with the right status and content type is no picture."""
    assert sniff(head) is None


@given(
    st.binary(max_size=300), st.sampled_from([b"", PNG, JPEG, WEBP, GIF, MP4, WEBM, MP3, WAV, b"RIFF", b"\x00\x00\x00"])
)
@example(b"", b"")
def test_no_bytes_break_it(tail: bytes, head: bytes) -> None:
    """Cut off anywhere, or followed by anything: an answer, never an error."""
    data = head + tail
    for end in (len(data), len(head) // 2, 1):
        found = sniff(data[:end])
        assert found is None or found[0] in {Media.IMAGE, Media.VIDEO, Media.AUDIO}


@pytest.mark.parametrize(
    ("stem", "name"), [("z-image-7", "z-image-7.png"), ("kling-2.5-turbo-7", "kling-2.5-turbo-7.png"), ("7", "7.png")]
)
def test_file_is_named_for_its_order_and_its_content(stem: str, name: str) -> None:
    """A dot in a model's name is no extension: the order's number stays in the name."""
    with tempfile.SpooledTemporaryFile() as file:
        assert file_name(stem, Download(Media.IMAGE, "png", "image/png", 0, file)) == name
