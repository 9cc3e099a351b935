"""What a finished task hands over: the files to make for its input and the resultJson that names them."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sandbox.faults import JSON
from sandbox.kie.records import Task
from sandbox.kie.rules import ModelRule
from sandbox.media import MIME, MediaOrder

MAX_OUTPUTS = 12

_NAMED_SIZES = {
    "square": "1:1",
    "square_hd": "1:1",
    "portrait_4_3": "3:4",
    "portrait_3_2": "2:3",
    "portrait_16_9": "9:16",
    "landscape_4_3": "4:3",
    "landscape_3_2": "3:2",
    "landscape_16_9": "16:9",
    "landscape_21_9": "21:9",
    "portrait": "9:16",
    "landscape": "16:9",
}


@dataclass(frozen=True, slots=True)
class Output:
    """One file of a task: its path on the result host and what to put there."""

    path: str
    order: MediaOrder


def outputs(task: Task, rule: ModelRule, ended_ms: int) -> list[Output]:
    """The files of a successful task, none for models that answer with text."""
    if rule.output == "text":
        return []
    count = task.script.results
    if count is None:
        count = _count(task.input)
    return [_output(task, ended_ms, _order(task.input, rule.output, number)) for number in range(count)]


def result_json(task: Task, rule: ModelRule, urls: Sequence[str]) -> str:
    """The text of resultJson in the shape the model's family uses."""
    if task.script.result_json is not None:
        return task.script.result_json
    prompt = str(task.input.get("prompt") or task.model)[:300]
    shape: dict[str, JSON] = {"resultUrls": list(urls)}
    if rule.output == "text":
        shape = {"resultObject": {"text": prompt, "lyricsData": [{"text": prompt, "title": prompt[:40]}]}}
    elif rule.vendor == "Suno" and rule.output == "audio":
        shape = {"data": [_song(url, prompt) for url in urls]}
    elif task.input.get("return_last_frame"):
        shape = {"resultUrls": list(urls), "firstFrameUrl": [], "lastFrameUrl": []}
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":"))


def _song(url: str, prompt: str) -> JSON:
    return {"audio_url": url, "stream_audio_url": url, "image_url": None, "title": prompt[:40], "duration": 4.0}


def _count(given: Mapping[str, Any]) -> int:
    for name in ("n", "num_images", "max_images"):
        value = str(given.get(name, ""))
        if value.isdecimal():
            return min(max(int(value), 1), MAX_OUTPUTS)
    return 1


def _output(task: Task, ended_ms: int, order: MediaOrder) -> Output:
    name = random.Random(f"{task.id}/{order.variant}").getrandbits(128)
    return Output(f"s/{ended_ms // 1000}_{name:032x}.{order.extension}", order)


def _order(given: Mapping[str, Any], kind: Literal["image", "video", "audio"], variant: int) -> MediaOrder:
    prompt = str(given.get("prompt") or given.get("text") or given.get("title") or kind)
    asked = str(given.get("output_format") or given.get("format") or "").split("_")[0]
    default = {"image": "png", "video": "mp4", "audio": "mp3"}[kind]
    fitting = MIME.get(asked, "").startswith(f"{kind}/")
    return MediaOrder(kind, prompt, _ratio(given, kind), asked if fitting else default, _duration_s(given), variant)


def _ratio(given: Mapping[str, Any], kind: str) -> str:
    for name in ("aspect_ratio", "image_size", "ratio", "size"):
        value = str(given.get(name, ""))
        if value in _NAMED_SIZES or value.replace(":", "", 1).isdecimal():
            return _NAMED_SIZES.get(value, value)
    return "16:9" if kind == "video" else "1:1"


def _duration_s(given: Mapping[str, Any]) -> float:
    try:
        return float(given.get("duration") or 4.0)
    except (TypeError, ValueError):
        return 4.0
