"""Where a value stands in the inputs: `dialogue`, `dialogue[1]` or `dialogue[1].voice`; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_PATH: Final = re.compile(r"([^\[\].]+)\[([0-9]{1,3})\](?:\.([^\[\].]+))?")


@dataclass(frozen=True, slots=True)
class Path:
    """`item`: an object in a list, counted from 0; `part`: one field of that object."""

    name: str
    item: int | None = None
    part: str | None = None

    def __str__(self) -> str:
        item = "" if self.item is None else f"[{self.item}]"
        return f"{self.name}{item}{f'.{self.part}' if self.part else ''}"


def read_path(text: str) -> Path:
    """Whatever leads into no list is a name."""
    found = _PATH.fullmatch(text)
    return Path(found[1], int(found[2]), found[3]) if found else Path(text)


def objects_at(inputs: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The objects of a list, [] where there is none."""
    value = inputs.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def value_at(inputs: Mapping[str, Any], path: Path) -> Any:
    """None where nothing is."""
    if path.item is None:
        return inputs.get(path.name)
    objects = objects_at(inputs, path.name)
    if path.item >= len(objects):
        return None
    return objects[path.item] if path.part is None else objects[path.item].get(path.part)


def put(inputs: Mapping[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """The inputs with this value there; a part of the object after the last begins a new one."""
    if path.item is None or path.part is None:
        return {**inputs, path.name: value}
    objects = objects_at(inputs, path.name)
    if path.item >= len(objects):
        return {**inputs, path.name: [*objects, {path.part: value}]}
    objects[path.item] = {**objects[path.item], path.part: value}
    return {**inputs, path.name: objects}


def without(inputs: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The inputs with nothing there; a list that loses its last object is gone."""
    others = {name: value for name, value in inputs.items() if name != path.name}
    if path.item is None:
        return others
    objects = objects_at(inputs, path.name)
    if path.item >= len(objects):
        return dict(inputs)
    if path.part is None:
        del objects[path.item]
    else:
        objects[path.item] = {name: value for name, value in objects[path.item].items() if name != path.part}
    return {**inputs, path.name: objects} if objects else others
