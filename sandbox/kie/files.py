"""The files on the result host of the provider's stand-in: made to order or uploaded, each with an expiry."""

import hashlib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.media import MIME, MediaOrder

_MAX_FILES = 100_000
_MAX_UPLOADED_BYTES = 512 * 2**20


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file: made to `order` when somebody fetches it, or the upload whose content has this digest."""

    expires_ms: int
    mime: str
    order: MediaOrder | None = None
    digest: str | None = None
    size_bytes: int = 0


@dataclass(slots=True)
class FileShelf:
    """Files by their path on the result host; uploaded bytes lie in `folder`, or in memory without one."""

    folder: Path | None
    files: dict[str, StoredFile] = field(default_factory=dict)
    _memory: dict[str, bytes] = field(default_factory=dict)

    def put_order(self, path: str, order: MediaOrder, expires_ms: int) -> None:
        self._put(path, StoredFile(expires_ms, MIME[order.extension], order=order))

    def keep(self, content: bytes) -> str:
        """Store uploaded bytes and return their digest; writes to disk when there is a folder: call it in a thread."""
        digest = hashlib.sha256(content).hexdigest()
        if self.folder is None:
            self._memory[digest] = content
        else:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / digest).write_bytes(content)
        return digest

    def put_upload(self, path: str, digest: str, size_bytes: int, mime: str, expires_ms: int) -> None:
        """Show kept bytes at a path, silently replacing what was there; the oldest go when there is too much."""
        self._put(path, StoredFile(expires_ms, mime, digest=digest, size_bytes=size_bytes))
        total = sum(file.size_bytes for file in self.files.values())
        for other in [path for path, file in self.files.items() if file.digest]:
            if total <= _MAX_UPLOADED_BYTES:
                break
            total -= self.files[other].size_bytes
            self._forget(other)

    def put_link(self, path: str, target: StoredFile, expires_ms: int) -> None:
        """A second path to a file that never outlives the first."""
        expires_ms = min(expires_ms, target.expires_ms)
        self._put(path, replace(target, expires_ms=expires_ms))

    def get(self, path: str, now_ms: int) -> StoredFile | None:
        """The file at a path, None when it never was there or has expired."""
        file = self.files.get(path)
        return file if file is not None and now_ms < file.expires_ms else None

    def uploaded(self, digest: str) -> bytes:
        """The bytes of an upload; reads from disk when there is a folder."""
        return self._memory[digest] if self.folder is None else (self.folder / digest).read_bytes()

    def as_json(self) -> dict[str, Any]:
        return {path: asdict(file) for path, file in self.files.items()}

    def restore(self, saved: dict[str, Any]) -> None:
        for path, facts in saved.items():
            order = facts.pop("order")
            self.files[path] = StoredFile(**facts, order=MediaOrder(**order) if order else None)

    def _put(self, path: str, file: StoredFile) -> None:
        if path in self.files:
            self._forget(path, unless=file.digest)
        self.files[path] = file
        while len(self.files) > _MAX_FILES:
            self._forget(next(iter(self.files)))

    def _forget(self, path: str, unless: str | None = None) -> None:
        digest = self.files.pop(path).digest
        if digest is None or digest == unless or any(file.digest == digest for file in self.files.values()):
            return
        self._memory.pop(digest, None)
        if self.folder is not None:
            (self.folder / digest).unlink(missing_ok=True)
