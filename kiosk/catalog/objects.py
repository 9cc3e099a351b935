"""Lists of objects, such as lines of a dialogue: which part of which object is asked for; pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kiosk.catalog.answer import Accepted, check
from kiosk.catalog.askable import can_be_asked, parts_of
from kiosk.catalog.model import Group, Input, Listing, Model
from kiosk.catalog.path import Path, objects_at, read_path


def resolve(model: Model, field: str) -> Input | None:
    """The input that a path leads to, named by that path; None when there is no such."""
    path = read_path(field)
    item = model.find(path.name)
    group = group_of(item)
    if item is None or path.item is None:
        return item
    if group is None:
        return None
    if path.part is None:
        return Input(field, group, required=True)
    part = next((one for one in parts_of(group) if one.name == path.part), None)
    return replace(part, name=field) if part else None


def group_of(item: Input | None) -> Group | None:
    """What the objects of a list are; None for any other input."""
    kind = item.kind if item else None
    return kind.of if isinstance(kind, Listing) and isinstance(kind.of, Group) else None


def gap(item: Input, value: Any) -> str | None:
    """The path to what a list of objects misses first; None: nothing, or it is no such list."""
    group = group_of(item)
    if group is None or not isinstance(item.kind, Listing):
        return None
    objects = objects_at({item.name: value}, item.name)
    for number, one in enumerate(objects):
        missing = missing_part(group, one)
        if missing:
            return str(Path(item.name, number, missing))
    if len(objects) < max(item.kind.min_items, 1):
        return str(Path(item.name, len(objects), first_part(group)))
    return None


def missing_part(group: Group, one: Mapping[str, Any]) -> str | None:
    """The first part that an object has to have, and has not, or not so that it fits."""
    return next((part.name for part in group.fields if part.required and not _fits(part, one)), None)


def first_part(group: Group) -> str:
    """What a new object is begun with."""
    parts = parts_of(group)
    return next((part.name for part in parts if part.required), parts[0].name)


def opened(model: Model, inputs: Mapping[str, Any], field: str) -> str | None:
    """What is asked when somebody wants to change this: a list without objects begins one. None: nothing is."""
    path = read_path(field)
    item = model.find(path.name)
    group = group_of(item)
    if item is None or not can_be_asked(model, path.name):
        return None
    if group is None or not isinstance(item.kind, Listing):
        return path.name if path.item is None else None
    count = len(objects_at(inputs, path.name))
    begun = str(Path(path.name, count, first_part(group)))
    if path.item is None:
        return path.name if count else begun
    if path.item < count:
        return field if path.part is None or resolve(model, field) else None
    may_begin = path.item == count < item.kind.max_items and path.part in (None, first_part(group))
    return begun if may_begin and _all_complete(group, inputs, path.name) else None


def after_part(model: Model, before: Mapping[str, Any], now: Mapping[str, Any], path: Path) -> str | None:
    """What is asked once a part is answered: what the object still misses, itself if it was changed, else its list.

    None: the list is full.
    """
    item = model.find(path.name)
    group = group_of(item)
    if item is None or group is None or path.item is None or not isinstance(item.kind, Listing):
        return None
    objects = objects_at(now, path.name)
    missing = missing_part(group, objects[path.item])
    if missing:
        return str(Path(path.name, path.item, missing))
    earlier = objects_at(before, path.name)
    if path.item < len(earlier) and missing_part(group, earlier[path.item]) is None:
        return str(Path(path.name, path.item))
    return path.name if len(objects) < item.kind.max_items else None


def _all_complete(group: Group, inputs: Mapping[str, Any], name: str) -> bool:
    return all(missing_part(group, one) is None for one in objects_at(inputs, name))


def _fits(part: Input, one: Mapping[str, Any]) -> bool:
    return part.name in one and isinstance(check(part.kind, one[part.name], part.name), Accepted)
