"""Media of a message, however it comes: uploaded, by address, or by the identifier of a file that was sent before."""

import asyncio
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from sandbox.telegram.calls import Call, Upload
from sandbox.telegram.errors import BadRequest
from sandbox.telegram.fetch import fetch
from sandbox.telegram.files import Content, StoredFile
from sandbox.telegram.probe import probe_clip, probe_cover, probe_photo
from sandbox.telegram.world import World

KINDS = ("photo", "video", "animation", "audio", "voice", "document", "video_note", "sticker")
_ATTACHED = "attach://"
_VOICE_TYPES = frozenset({"audio/ogg", "audio/mpeg", "audio/mp4"})
_FIELDS = {
    "video": ("width", "height", "duration", "file_name", "mime_type"),
    "animation": ("width", "height", "duration", "file_name", "mime_type"),
    "audio": ("duration", "file_name", "mime_type"),
    "voice": ("duration", "mime_type"),
    "document": ("file_name", "mime_type"),
    "video_note": ("length", "duration"),
    "sticker": ("width", "height"),
}
_COVERED = frozenset({"video", "animation", "audio", "document"})
_CLASS_NAMES = {"photo": "Photo", "video": "Video", "audio": "Audio", "voice": "VoiceNote", "document": "Document"}


async def take_media(world: World, bot_id: int, kind: str, call: Call, name: str) -> dict[str, Any]:
    """The content fields for the media that parameter `name` of the call states; raises BadRequest and TooLarge."""
    stated = call.text(name)
    upload = call.uploads.get(stated.removeprefix(_ATTACHED) if stated.startswith(_ATTACHED) else name)
    if upload is None and stated.startswith(("http://", "https://")):
        upload = await fetch(world.session, kind, stated, world.options.fetch_timeout_s)
    if upload is not None:
        stored = await store(world, bot_id, kind, upload)
        return with_cover(body_of(world, stored, call), await _cover(world, bot_id, call))
    if not stated or stated.startswith(_ATTACHED):
        raise BadRequest(f"there is no {kind.replace('_', ' ')} in the request")
    stored = world.files.named(bot_id, stated)
    if (stored.kind == "photo") != (kind == "photo"):
        theirs, ours = _CLASS_NAMES.get(stored.kind, "Document"), _CLASS_NAMES.get(kind, "Document")
        raise BadRequest(f"can't use file of type {theirs} as {ours}")
    return body_of(world, stored, call)


async def _cover(world: World, bot_id: int, call: Call) -> dict[str, Any] | None:
    """What the call states as the thumbnail of its file; only uploaded anew, and left out when it is none."""
    stated = call.text("thumbnail")
    upload = call.uploads.get(stated.removeprefix(_ATTACHED) if stated.startswith(_ATTACHED) else "thumbnail")
    content = await asyncio.to_thread(probe_cover, upload.data) if upload else None
    if content is None:
        return None
    return _photo_size((await world.files.keep(bot_id, "photo", [content]))[0])


def with_cover(body: dict[str, Any], cover: dict[str, Any] | None) -> dict[str, Any]:
    """Photos have none."""
    kind = kind_of(body)
    if cover is None or kind not in _COVERED:
        return body
    return {**body, kind: {**body[kind], "thumbnail": cover}}


async def store(world: World, bot_id: int, kind: str, upload: Upload) -> StoredFile:
    """Looks into the bytes, decides what they are and keeps them; raises BadRequest when they are not usable."""
    if not upload.data:
        raise BadRequest("file must be non-empty")
    contents: Iterable[Content]
    if kind == "photo":
        contents = await asyncio.to_thread(probe_photo, upload.data)
    else:
        name = PurePosixPath(upload.name.replace("\\", "/")).name[:128]
        content = await asyncio.to_thread(probe_clip, upload.data, name, upload.mime_type)
        kind = _kind_in_fact(kind, content)
        contents = [content]
    kept = await world.files.keep(bot_id, kind, contents)
    return kept[-1]


def _kind_in_fact(kind: str, content: Content) -> str:
    """Telegram may send what is not of the asked kind as another one: see sendVideo, sendAudio and sendVoice."""
    if kind == "voice" and content.mime_type not in _VOICE_TYPES:
        kind = "audio"
    if kind == "audio" and not content.mime_type.startswith("audio/"):
        return "document"
    if kind in {"video", "video_note"} and not content.mime_type.startswith("video/"):
        return "document"
    if kind == "animation" and content.mime_type != "image/gif" and not content.mime_type.startswith("video/"):
        return "document"
    return kind


def body_of(world: World, stored: StoredFile, call: Call | None = None) -> dict[str, Any]:
    """The media fields of the Bot API's Message; a call may state what the file itself does not tell."""
    if stored.kind == "photo":
        return {"photo": [_photo_size(size) for size in world.files.sizes(stored)]}
    told = {
        "width": stored.width,
        "height": stored.height,
        "length": stored.width,
        "duration": stored.duration_s,
        "file_name": stored.name,
        "mime_type": stored.mime_type,
    }
    media: dict[str, Any] = {"file_id": stored.file_id, "file_unique_id": stored.unique_id}
    for name in _FIELDS[stored.kind]:
        value = told[name] or (call.integer(name) if call and isinstance(told[name], int) else told[name])
        if value or isinstance(value, int):
            media[name] = value
    media["file_size"] = stored.size_bytes
    if stored.kind == "audio" and call is not None:
        media.update({name: call.text(name) for name in ("performer", "title") if call.text(name)})
    if stored.kind == "sticker":
        media.update({"type": "regular", "is_animated": False, "is_video": False})
    return {stored.kind: media, **({"document": media} if stored.kind == "animation" else {})}


def kind_of(body: Any) -> str | None:
    """Which kind of media a message's content holds; None for a text."""
    return next((kind for kind in KINDS if kind in body), None)


def _photo_size(stored: StoredFile) -> dict[str, Any]:
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size_bytes,
        "width": stored.width,
        "height": stored.height,
    }
