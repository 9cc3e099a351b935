"""Files of chats: bytes on disk under their content's hash, identifiers per bot, addresses for download."""

import asyncio
import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sandbox.telegram.errors import WRONG_FILE, ApiError, BadRequest
from sandbox.telegram.limits import DOWNLOAD_BYTES, STORED_BYTES

# How the Bot API lays out file_path, and how its identifiers begin, by kind.
_FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "animation": "animations",
    "document": "documents",
    "audio": "music",
    "voice": "voice",
    "video_note": "video_notes",
    "sticker": "stickers",
}
_PREFIXES = {"photo": "AgACAgIAAxkBAA", "video": "BAACAgIAAxkBAA", "voice": "AwACAgIAAxkBAA", "audio": "CQACAgIAAxkBAA"}
_OTHER_PREFIX = "BQACAgIAAxkBAA"
_SUFFIXES = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/ogg": "oga",
    "audio/x-wav": "wav",
    "application/pdf": "pdf",
    "application/zip": "zip",
    "text/plain": "txt",
}


@dataclass(frozen=True, slots=True)
class Content:
    """What a file is, as far as it was looked at; sizes in pixels, zero where they do not apply."""

    data: bytes
    mime_type: str
    name: str = ""
    width: int = 0
    height: int = 0
    duration_s: int = 0


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that one bot may name; `family` are the unique ids of all sizes of a photo, smallest first."""

    bot_id: int
    file_id: str
    unique_id: str
    kind: str
    path: str
    digest: str
    size_bytes: int
    mime_type: str
    name: str
    width: int
    height: int
    duration_s: int
    family: tuple[str, ...]


class FileStore:
    """Keeps every file for as long as the stand-in runs, and across restarts when its folder stays."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._by_id: dict[str, StoredFile] = {}
        self._by_unique_id: dict[str, StoredFile] = {}
        self._by_path: dict[tuple[int, str], StoredFile] = {}
        self._numbers = 0
        self._stored_bytes = sum(kept.stat().st_size for kept in folder.iterdir())

    async def keep(self, bot_id: int, kind: str, contents: Iterable[Content]) -> list[StoredFile]:
        """Stores one file, or all sizes of a photo, smallest first; every call makes new identifiers."""
        sizes = list(contents)
        family = tuple(secrets.token_urlsafe(11) for _ in sizes)
        kept = []
        for unique_id, content in zip(family, sizes, strict=True):
            self._numbers += 1
            number = self._numbers
            digest = await asyncio.to_thread(self._write, content.data)
            stored = StoredFile(
                bot_id=bot_id,
                file_id=_PREFIXES.get(kind, _OTHER_PREFIX) + secrets.token_urlsafe(32),
                unique_id=unique_id,
                kind=kind,
                path=f"{_FOLDERS[kind]}/file_{number}.{_suffix(content)}",
                digest=digest,
                size_bytes=len(content.data),
                mime_type=content.mime_type,
                name=content.name,
                width=content.width,
                height=content.height,
                duration_s=content.duration_s,
                family=family,
            )
            self._remember(stored)
            kept.append(stored)
        return kept

    def named(self, bot_id: int, file_id: str) -> StoredFile:
        """Raises BadRequest for an identifier that is unknown or was given to another bot."""
        stored = self._by_id.get(file_id)
        if stored is None or stored.bot_id != bot_id:
            raise BadRequest(WRONG_FILE)
        return stored

    def sizes(self, stored: StoredFile) -> list[StoredFile]:
        """All sizes of the same photo, smallest first; the file itself when it is no photo."""
        return [self._by_unique_id[unique_id] for unique_id in stored.family]

    def by_unique_id(self, unique_id: str) -> StoredFile | None:
        """None when nothing has this identifier."""
        return self._by_unique_id.get(unique_id)

    def downloadable(self, bot_id: int, file_id: str) -> StoredFile:
        """What getFile answers; raises BadRequest beyond the 20 MB that bots can fetch."""
        try:
            stored = self.named(bot_id, file_id)
        except BadRequest:
            raise BadRequest("wrong file_id or the file is temporarily unavailable") from None
        if stored.size_bytes > DOWNLOAD_BYTES:
            raise BadRequest("file is too big")
        return stored

    def at_path(self, bot_id: int, path: str) -> StoredFile | None:
        """None when this bot has no file there that it may download."""
        stored = self._by_path.get((bot_id, path))
        return stored if stored and stored.size_bytes <= DOWNLOAD_BYTES else None

    def location(self, stored: StoredFile) -> Path:
        """Where the bytes lie."""
        return self._folder / stored.digest

    def dump(self) -> list[dict[str, Any]]:
        """Everything but the bytes, for the snapshot."""
        return [asdict(stored) for stored in self._by_id.values()]

    def load(self, rows: list[dict[str, Any]]) -> None:
        """Reads a snapshot; the bytes are expected in the folder."""
        for row in rows:
            self._remember(StoredFile(**{**row, "family": tuple(row["family"])}))
        self._numbers = len(rows)

    def _remember(self, stored: StoredFile) -> None:
        self._by_id[stored.file_id] = stored
        self._by_unique_id[stored.unique_id] = stored
        self._by_path[stored.bot_id, stored.path] = stored

    def _write(self, data: bytes) -> str:
        digest = hashlib.sha256(data).hexdigest()
        target = self._folder / digest
        if target.exists():
            return digest
        if self._stored_bytes + len(data) > STORED_BYTES:
            raise ApiError(500, "Internal Server Error: the sandbox stores no more files")
        self._stored_bytes += len(data)
        scratch = self._folder / f"{digest}.{secrets.token_hex(4)}"
        scratch.write_bytes(data)
        scratch.replace(target)
        return digest


def _suffix(content: Content) -> str:
    named = Path(content.name).suffix.lstrip(".").lower()
    if named.isalnum() and len(named) <= 8:
        return named
    return _SUFFIXES.get(content.mime_type, "bin")
