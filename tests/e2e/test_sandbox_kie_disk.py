"""What the provider's stand-in writes to disk."""

import asyncio
import threading
import time
from pathlib import Path

import pytest

from sandbox.kie import snapshot as saving
from sandbox.kie.files import FileShelf


def test_equal_uploads_share_their_bytes(tmp_path: Path) -> None:
    """Two names of the same bytes are one file on disk, which goes with the second."""
    files = FileShelf(folder=tmp_path)
    digest = files.keep(b"same")
    files.put_upload("a", digest, 4, "text/plain", expires_ms=1000)
    files.put_upload("b", files.keep(b"same"), 4, "text/plain", expires_ms=1000)
    files.put_upload("a", files.keep(b"else"), 4, "text/plain", expires_ms=1000)
    assert files.uploaded(digest) == b"same"
    files.put_upload("b", files.keep(b"else"), 4, "text/plain", expires_ms=1000)
    assert [path.name for path in tmp_path.iterdir()] == [files.files["a"].digest]


async def test_cancelled_save_ends_before_the_next_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A save whose caller is gone still holds back the next one, so that the file is never written by two."""
    events: list[str] = []
    begun = threading.Event()

    def write(_path: Path, text: str) -> None:
        events.append(f"begin {text}")
        begun.set()
        time.sleep(0.05)
        events.append(f"end {text}")

    monkeypatch.setattr(saving, "_replace", write)
    states = iter(({"state": 1}, {"state": 2}))
    snapshot = saving.Snapshot(tmp_path / "kie.json", lambda: next(states))
    first = asyncio.create_task(snapshot.save())
    await asyncio.to_thread(begun.wait)
    first.cancel()
    await snapshot.save()
    assert events == ['begin {"state": 1}', 'end {"state": 1}', 'begin {"state": 2}', 'end {"state": 2}']
    assert first.cancelled()
