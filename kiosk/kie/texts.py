"""What a model that answers in words has said: its result object as texts for people, or as JSON for programs."""

import json
from dataclasses import dataclass
from typing import Literal

from kiosk.kie.document import JSON, object_of

_TIMINGS = ("words", "segments", "alignedWords")


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a result; `kind` is the extension that a file of it would have."""

    content: str
    kind: Literal["txt", "json"] = "txt"


def texts_of(said: JSON) -> tuple[Text, ...]:
    """Plain text where there is one, with timings beside it as JSON; else the object itself. Nothing: ()."""
    if not said:
        return ()
    if isinstance(said, str):
        return (Text(said),) if said.strip() else ()
    fields = object_of(said)
    plain = _lyrics(fields) or _plain(fields)
    if not plain:
        return (_as_json(said),)
    return (Text(plain), _as_json(said)) if any(fields.get(name) for name in _TIMINGS) else (Text(plain),)


def _plain(fields: dict[str, JSON]) -> str:
    """The text, or the only thing that is said."""
    alone = next(iter(fields.values())) if len(fields) == 1 else fields.get("text")
    return alone.strip() if isinstance(alone, str) else ""


def _lyrics(fields: dict[str, JSON]) -> str:
    songs = fields.get("lyricsData")
    verses = [object_of(song) for song in songs] if isinstance(songs, list) else []
    told = [f"{song.get('title') or ''}\n\n{song['text']}".strip() for song in verses if song.get("text")]
    return "\n\n* * *\n\n".join(told)


def _as_json(said: JSON) -> Text:
    return Text(json.dumps(said, ensure_ascii=False, indent=2), "json")
