"""Inputs as they are written on a command line, `prompt=a cat`, into the values that the catalog wants; pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kiosk.catalog.answer import from_writing
from kiosk.catalog.model import Flag, Group, Input, Kind, Listing, Media, Model

SWITCHES: Final = {"on": "true", "1": "true", "off": "false", "0": "false"}
FILE: Final = "@"


class Illegible(Exception):  # noqa: N818 - it states a fact
    """What was written cannot be read as what the input wants; the message says what would be."""


def read_inputs(model: Model, written: Iterable[str]) -> dict[str, Any]:
    """By name; an input that is written several times is a list. `@file` is a `Path`. Errors: Illegible.

    Only the writing is read here: whether a value fits is for the form to say.
    """
    texts: dict[str, list[str]] = {}
    for one in written:
        name, equals, text = one.partition("=")
        if not equals or not name:
            raise Illegible(f"{one!r} must look like name=value")
        texts.setdefault(name.strip(), []).append(text)
    return {name: _value(model, name, given) for name, given in texts.items()}


def read_object(model: Model, text: str) -> dict[str, Any]:
    """From a JSON object of inputs; a file is a text `@path`. Errors: Illegible."""
    given = _json(text, "the inputs")
    if not isinstance(given, dict):
        raise Illegible("the inputs must be a JSON object: names with their values")
    return {name: _with_files(item.kind, one) if (item := model.find(name)) else one for name, one in given.items()}


def _value(model: Model, name: str, texts: Sequence[str]) -> Any:
    item = model.find(name)
    if item is None:
        return texts[-1]  # the form names what there is
    if isinstance(item.kind, Listing):
        return _list(item, item.kind, texts)
    if len(texts) > 1:
        raise Illegible(f"{name} is given {len(texts)} times and takes one value")
    return _one(item, item.kind, texts[0])


def _list(item: Input, kind: Listing, texts: Sequence[str]) -> list[Any]:
    """Written one by one, or as one JSON list."""
    if len(texts) == 1 and texts[0].lstrip().startswith("["):
        whole = _json(texts[0], item.name)
        return [_with_files(kind.of, one) for one in whole] if isinstance(whole, list) else [whole]
    return [_one(item, kind.of, text) for text in texts]


def _one(item: Input, kind: Kind, text: str) -> Any:
    match kind:
        case Group():
            return _with_files(kind, _json(text, item.name))
        case Listing():
            return [_with_files(kind.of, one) for one in _json(text, item.name)]
        case Media():
            return _with_files(kind, text.strip())
        case Flag():
            return from_writing(kind, SWITCHES.get(text.strip().lower(), text))
        case _:
            return from_writing(kind, text)


def _with_files(kind: Kind, value: Any) -> Any:
    match kind:
        case Media() if isinstance(value, str) and value.startswith(FILE):
            return Path(value.removeprefix(FILE)).expanduser()
        case Listing(of=of) if isinstance(value, list):
            return [_with_files(of, one) for one in value]
        case Group(fields=fields) if isinstance(value, Mapping):
            kinds = {part.name: part.kind for part in fields}
            return {name: _with_files(kinds[name], one) if name in kinds else one for name, one in value.items()}
        case _:
            return value


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise Illegible(f'{name} must be written as JSON, such as {{"text": "…"}}') from None
