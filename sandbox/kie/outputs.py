"""What a finished task hands over: the files to make for its input and the resultJson that names them."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

from sandbox.faults import JSON
from sandbox.kie.answers import answer
from sandbox.kie.records import Task
from sandbox.kie.rules import ModelRule, rules, with_defaults
from sandbox.media import MAX_DURATION_S, MIME, MediaOrder

MAX_OUTPUTS = 12

_WORDS = ("prompt", "text", "content", "title")
_SCALES = {"1K": 1, "2K": 2, "4K": 4}
_CHARACTERS_PER_S = 15

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
    made = count(rule, task.input) if task.script.results is None else task.script.results
    given = with_defaults(rule, task.input)
    return [_output(task, ended_ms, _order(given, rule.output, number)) for number in range(made)]


def covers(task: Task, made: Sequence[Output]) -> list[Output]:
    """The pictures that come with songs: at the song's own path, as JPEG."""
    orders = [replace(output.order, kind="image", extension="jpeg", ratio="1:1") for output in made]
    songs = is_song(rules()[task.model])
    return [Output(cover_of(output.path), order) for output, order in zip(made, orders, strict=True)] if songs else []


def is_song(rule: ModelRule) -> bool:
    return rule.vendor == "Suno" and rule.output == "audio"


def cover_of(song: str) -> str:
    return f"{song.rpartition('.')[0]}.jpeg"


def count(rule: ModelRule, given: Mapping[str, Any]) -> int:
    """How many files the input asks for."""
    meant = with_defaults(rule, given)
    for name in ("n", "num_images", "max_images"):
        value = str(meant.get(name, ""))
        if value.isdecimal():
            return min(max(int(value), 1), MAX_OUTPUTS)
    return rule.results


def result_json(task: Task, rule: ModelRule, urls: Sequence[str]) -> str:
    """The text of resultJson in the shape the model's family uses."""
    if task.script.result_json is not None:
        return task.script.result_json
    prompt = str(next((task.input[name] for name in _WORDS if task.input.get(name)), task.model))[:300]
    if rule.output == "text":
        return _compact({"resultObject": answer(task.model, prompt)})
    shape: dict[str, JSON] = {"resultUrls": list(urls)}
    if task.model == "omnihuman-1-5/subject-detection":
        shape = {"resultObject": {"mask_urls": list(urls)}}
    elif is_song(rule):
        seconds = min(_duration_s(task.input), MAX_DURATION_S)
        shape = {"data": [_song(url, task.input, prompt, seconds) for url in urls]}
    elif task.input.get("return_last_frame"):
        shape = {"resultUrls": list(urls), "firstFrameUrl": [], "lastFrameUrl": []}
    return _compact(shape)


def _compact(shape: JSON) -> str:
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":"))


def _song(url: str, given: Mapping[str, Any], prompt: str, seconds: float) -> JSON:
    """`id` is what other models want as audio_id."""
    title = str(given.get("title") or prompt)[:40]
    number = uuid5(NAMESPACE_URL, urlsplit(url).path)
    addresses: dict[str, JSON] = {"audio_url": url, "stream_audio_url": url, "image_url": cover_of(url)}
    return {"id": str(number), **addresses, "title": title, "duration": seconds}


def _output(task: Task, ended_ms: int, order: MediaOrder) -> Output:
    name = random.Random(f"{task.id}/{order.variant}").getrandbits(128)
    return Output(f"s/{ended_ms // 1000}_{name:032x}.{order.extension}", order)


def _order(given: Mapping[str, Any], kind: Literal["image", "video", "audio"], variant: int) -> MediaOrder:
    prompt = str(given.get("prompt") or given.get("text") or given.get("title") or kind)
    asked = str(given.get("output_format") or given.get("format") or "").split("_")[0]
    default = {"image": "png", "video": "mp4", "audio": "mp3"}[kind]
    fitting = MIME.get(asked, "").startswith(f"{kind}/")
    extension, scale = asked if fitting else default, _scale(given) if kind == "image" else 1
    return MediaOrder(kind, prompt, _ratio(given, kind), extension, _duration_s(given), variant, scale)


def _scale(given: Mapping[str, Any]) -> int:
    asked = (str(given.get(name, "")).upper() for name in ("resolution", "image_resolution", "output_resolution"))
    return max(_SCALES.get(size, 1) for size in asked)


def _ratio(given: Mapping[str, Any], kind: str) -> str:
    for name in ("aspect_ratio", "image_size", "ratio", "size"):
        value = str(given.get(name, ""))
        if value in _NAMED_SIZES or value.replace(":", "", 1).isdecimal():
            return _NAMED_SIZES.get(value, value)
    return "16:9" if kind == "video" else "1:1"


def _duration_s(given: Mapping[str, Any]) -> float:
    """The asked length, else that of the text read aloud, else four seconds."""
    said = str(given.get("text") or "")
    try:
        asked = float(given.get("duration") or given.get("duration_seconds") or 0)
    except (TypeError, ValueError):
        asked = 0.0
    return asked if asked > 0 else max(len(said) / _CHARACTERS_PER_S, 1.0) if said else 4.0
