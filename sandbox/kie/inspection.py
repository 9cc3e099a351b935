"""What the stand-in of the provider finds when it fetches the files that a task names.

Only files of its own host are looked at; what lies elsewhere is taken for fitting. The real provider accepts the task
first and fails it when a file does not fit, so that is what happens here.
"""

import asyncio
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import av
import filetype
from av.error import FFmpegError

from sandbox.kie.files import FileShelf, StoredFile
from sandbox.kie.prices import UNKNOWN_FILE_S
from sandbox.kie.rules import Field, ModelRule, Refusal
from sandbox.media import MAX_DURATION_S

_LOOKED_INTO = {"image", "video", "audio"}
_FORMATS = {"jpg": "jpeg", "tif": "tiff"}
_SLACK_S = 0.5  # containers round their length up to whole frames


@dataclass(frozen=True, slots=True)
class Look:
    """One file: its media, its format by content, its size and length; None where that says nothing."""

    media: str
    format: str
    size_bytes: int | None
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Inspection:
    """Seconds by the input that names the files, and why the task is going to fail, if it is."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    unfit: Refusal | None = None


async def inspect(rule: ModelRule, given: Mapping[str, Any], files: FileShelf, host: str, now_ms: int) -> Inspection:
    """Looks at every file of the input that lies on `host`."""
    seconds: dict[str, float] = {}
    for item, url in _addresses(rule, given):
        look = await _look(url, files, host, now_ms)
        if isinstance(look, Refusal):
            return Inspection(seconds, look)
        complaint = _complaint(item, look) if look else None
        if complaint:
            return Inspection(seconds, Refusal(400, f"{item.name} {complaint}"))
        length_s = UNKNOWN_FILE_S if look is None or look.seconds is None else look.seconds
        seconds[item.name] = seconds.get(item.name, 0.0) + length_s
    return Inspection(seconds, _too_long_together(rule, seconds))


def _addresses(rule: ModelRule, given: Mapping[str, Any]) -> Iterator[tuple[Field, str]]:
    for item in rule.inputs:
        value = given.get(item.name)
        urls = value if isinstance(value, list) else [value]
        if item.media in _LOOKED_INTO:
            yield from ((item, url) for url in urls if isinstance(url, str) and url)


async def _look(url: str, files: FileShelf, host: str, now_ms: int) -> Look | Refusal | None:
    if not url.startswith(f"{host}/"):
        return None
    file = files.get(unquote(url.removeprefix(f"{host}/")), now_ms)
    if file is None:
        return Refusal(451, "Failed to fetch the file")
    return await asyncio.to_thread(_looked_into, file, files)


def _looked_into(file: StoredFile, files: FileShelf) -> Look:
    if file.order is not None:
        lasts = file.order.kind != "image"
        seconds = min(max(file.order.duration_s, 1.0), MAX_DURATION_S) if lasts else None
        return Look(file.order.kind, _FORMATS.get(file.order.extension, file.order.extension), None, seconds)
    content = files.uploaded(file.digest or "")
    kind = filetype.guess(content)
    media, extension = (kind.mime.partition("/")[0], kind.extension) if kind else ("", "")
    seconds = _seconds(content) if media in ("video", "audio") else None
    return Look(media, _FORMATS.get(extension, extension), len(content), seconds)


def _seconds(content: bytes) -> float | None:
    try:
        with av.open(io.BytesIO(content), mode="r") as container:
            return container.duration / av.time_base if container.duration else None
    except (FFmpegError, ValueError):
        return None


def _complaint(item: Field, look: Look) -> str | None:
    if look.media != item.media:
        return f"must be {item.media}"
    if item.formats and look.format not in item.formats:
        return f"must be one of {', '.join(item.formats)}"
    if item.max_size_mb and (look.size_bytes or 0) > item.max_size_mb * 2**20:
        return f"must not be larger than {item.max_size_mb:g} MB"
    return _length_complaint(item, look.seconds)


def _length_complaint(item: Field, seconds: float | None) -> str | None:
    if seconds is None:
        return None
    if item.min_seconds and seconds < item.min_seconds - _SLACK_S:
        return f"must not be shorter than {item.min_seconds:g} seconds"
    if item.max_seconds and seconds > item.max_seconds + _SLACK_S:
        return f"must not be longer than {item.max_seconds:g} seconds"
    return None


def _too_long_together(rule: ModelRule, seconds: Mapping[str, float]) -> Refusal | None:
    for one in rule.joint:
        most = one.get("max_seconds")
        if most and sum(seconds.get(name, 0.0) for name in one["together"]) > most + _SLACK_S:
            return Refusal(400, f"{', '.join(one['together'])} must not be longer than {most} seconds together")
    return None
