"""The screens of a list of objects: what is in it so far, and one object with its parts; pure."""

from typing import Final

from kiosk.bot.buttons import Ask, Drop, Reset, Show, Turn
from kiosk.bot.labels import field_number, object_label, part_label, short, value_label
from kiosk.bot.screens import Button, Screen
from kiosk.bot.ways import pages, way_row
from kiosk.bot.words import Words
from kiosk.catalog.form import Question
from kiosk.catalog.model import Model
from kiosk.catalog.objects import group_of, missing_part
from kiosk.catalog.path import Path, objects_at, read_path, value_at
from kiosk.generations.store import Generation

PAGE_OBJECTS: Final = 8
LABEL_CHARS: Final = 40  # of an object, or of one of its parts, on a button


def listing(
    say: Words, model: Model, draft: Generation, asked: Question, heading: str, page: int | None = None
) -> Screen:
    """Each object as a button, and what can be done with them all. `page` None: the last one, where they grow."""
    objects = objects_at(draft.inputs, asked.field)
    number = field_number(model, asked.field)
    page = max(len(objects) - 1, 0) // PAGE_OBJECTS if page is None else page
    first = page * PAGE_OBJECTS
    rows = [
        (Button(_object(say, asked, one, place), Ask(draft.id, field_number(model, f"{asked.field}[{place}]"))),)
        for place, one in enumerate(objects[first : first + PAGE_OBJECTS], first)
    ]
    turns = pages(say, page, len(objects), lambda other: Turn(draft.id, number, other), PAGE_OBJECTS)
    rest = (*_changes(say, model, draft, asked), way_row(say, model, draft, asked))
    return Screen(heading, (*rows, *turns, *rest))


def _changes(say: Words, model: Model, draft: Generation, asked: Question) -> tuple[tuple[Button, ...], ...]:
    objects = objects_at(draft.inputs, asked.field)
    number, total = field_number(model, asked.field), len(objects)
    group = group_of(model.find(asked.field))
    rows: list[tuple[Button, ...]] = []
    complete = group is not None and all(missing_part(group, one) is None for one in objects)
    if complete and total < (asked.maximum or 1):
        new = field_number(model, f"{asked.field}[{total}]")
        rows.append((Button(say.plain("object-add-button"), Ask(draft.id, new)),))
    if objects:
        last = Button(say.plain("object-drop-last-button"), Drop(draft.id, number, total - 1, total))
        rows.append((last,) if asked.required else (last, Button(say.plain("reset-button"), Reset(draft.id, number))))
    if total >= (asked.minimum or 1):
        rows.append((Button(say.plain("objects-done-button", count=total), Show(draft.id)),))
    return tuple(rows)


def one_object(say: Words, model: Model, draft: Generation, asked: Question, heading: str) -> Screen:
    """One object of a list: each part with its value."""
    path = read_path(asked.field)
    one = value_at(draft.inputs, path) or {}
    rows = [
        (Button(_part(say, path, part, one), Ask(draft.id, field_number(model, f"{asked.field}.{part.field}"))),)
        for part in asked.parts
    ]
    total = len(objects_at(draft.inputs, path.name))
    away = Drop(draft.id, field_number(model, path.name), path.item or 0, total)
    drop = (Button(say.plain("object-drop-button"), away),)
    return Screen(heading, (*rows, drop, way_row(say, model, draft, asked)))


def _object(say: Words, asked: Question, one: dict[str, object], place: int) -> str:
    return short(f"{place + 1}. {object_label(say, asked, one)}", LABEL_CHARS)


def _part(say: Words, path: Path, part: Question, one: dict[str, object]) -> str:
    value = one.get(part.field, part.preset)
    shown = say.plain("setting-none") if value is None else short(value_label(say, part, value), LABEL_CHARS)
    key = "setting-row-changed" if part.field in one else "setting-row"
    label = part_label(say, Path(path.name, path.item, part.field))
    return say.plain(key, field=label, value=shown)
