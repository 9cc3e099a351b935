"""Files on the result host live as long as they should, and cost no more room than they may."""

import pytest

from sandbox.kie.files import FileShelf
from sandbox.kie.results import padded
from sandbox.media import MediaOrder

ORDER = MediaOrder("image", "кот")


def shelf() -> FileShelf:
    return FileShelf(folder=None)


def test_link_never_outlives_its_file() -> None:
    """A second address ends with its own time or with the file, whichever comes first."""
    files = shelf()
    files.put_order("s/1.png", ORDER, expires_ms=1000)
    file = files.files["s/1.png"]
    files.put_link("d/short.png", file, expires_ms=500)
    files.put_link("d/long.png", file, expires_ms=5000)
    assert files.get("d/short.png", 499) is not None
    assert files.get("d/short.png", 500) is None
    assert files.get("d/long.png", 999) is not None
    assert files.get("d/long.png", 1000) is None


def test_oldest_uploads_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the total size the oldest uploads go; results, which take no room, stay."""
    monkeypatch.setattr("sandbox.kie.files._MAX_UPLOADED_BYTES", 10)
    files = shelf()
    files.put_order("s/1.png", ORDER, expires_ms=1000)
    for name, content in (("a", b"aaaa"), ("b", b"bbbb"), ("c", b"cccc")):
        files.put_upload(name, files.keep(content), len(content), "text/plain", expires_ms=1000)
    assert list(files.files) == ["s/1.png", "b", "c"]
    assert files.uploaded(files.files["c"].digest or "") == b"cccc"


def test_padding_of_a_clip_is_a_free_box() -> None:
    """Four bytes of length, the word `free`, nothing else; other files get plain zeros behind their end."""
    assert padded(b"clip", "video/mp4", 24) == b"clip" + (20).to_bytes(4, "big") + b"free" + bytes(12)
    assert padded(b"picture", "image/png", 20) == b"picture" + bytes(13)
    assert padded(b"picture", "image/png", 3) == b"picture"
