"""Where a question leads besides its answer: back, on, to another page, out; pure."""

from collections.abc import Callable
from typing import Final

from kiosk.bot.buttons import Ask, Cancel, Press, Reset, Show, Tune
from kiosk.bot.labels import field_number
from kiosk.bot.screens import Button
from kiosk.bot.words import Words
from kiosk.catalog.form import Question, next_question, question, questions
from kiosk.catalog.model import Model
from kiosk.catalog.objects import group_of, missing_part
from kiosk.catalog.path import Path, objects_at, read_path, value_at
from kiosk.generations.store import Generation

PAGE_CHOICES: Final = 24


def pages(
    say: Words, page: int, total: int, to: Callable[[int], Press], size: int = PAGE_CHOICES
) -> tuple[tuple[Button, ...], ...]:
    """The row that leads to the other pages; nothing when there is only one."""
    row = []
    if page > 0:
        row.append(Button(say.plain("page-back"), to(page - 1)))
    if (page + 1) * size < total:
        row.append(Button(say.plain("page-on"), to(page + 1)))
    return (tuple(row),) if row else ()


def given_row(say: Words, draft: Generation, asked: Question, number: int) -> tuple[tuple[Button, ...], ...]:
    """What can be done with an answer that is there already and may be missing."""
    value = value_at(draft.inputs, read_path(asked.field))
    if value is None or (asked.required and not asked.is_list):
        return ()
    reset = Button(say.plain("reset-button"), Reset(draft.id, number))
    given = len(value) if asked.media and asked.is_list else 0
    if not given or given < (asked.minimum or 1):
        return ((reset,),)
    return ((Button(say.plain("files-done-button", count=given), Show(draft.id)),), (reset,))


def way_row(say: Words, model: Model, draft: Generation, asked: Question) -> tuple[Button, ...]:
    """One step back, where there is one, and out."""
    cancel = Button(say.plain("cancel-button"), Cancel(draft.id))
    back = _back_inside(model, draft, read_path(asked.field)) or _back(model, draft, asked)
    return (Button(say.plain("back-button"), back), cancel) if back else (cancel,)


def _back(model: Model, draft: Generation, asked: Question) -> Press | None:
    """From what was asked again to the card or the settings, else to the question before: never in a circle."""
    field = read_path(asked.field).name
    whole = question(model, field) or asked
    order = [item.field for item in questions(model)]
    upcoming = next_question(model, draft.inputs)
    waits = upcoming is not None and read_path(upcoming.field).name == field
    if not whole.required and not waits and all(name in draft.inputs for name in order):
        return Tune(draft.id)
    if whole.required and upcoming is None and not whole.is_list:
        return Show(draft.id)
    earlier = order.index(field) - 1 if field in order else len(order) - 1
    return Ask(draft.id, field_number(model, order[earlier])) if earlier >= 0 else None


def _back_inside(model: Model, draft: Generation, path: Path) -> Press | None:
    """Out of an object, or of one of its parts; None: its list is where it would lead, and that is empty."""
    group = group_of(model.find(path.name))
    objects = objects_at(draft.inputs, path.name)
    if path.item is None or group is None or not objects:
        return None
    if path.part is None:
        return Ask(draft.id, field_number(model, path.name))
    one = objects[path.item] if path.item < len(objects) else {}
    if one and missing_part(group, one) is None:
        return Ask(draft.id, field_number(model, str(Path(path.name, path.item))))
    required = [part.name for part in group.fields if part.required]
    earlier = required.index(path.part) - 1 if path.part in required else -1
    before = Path(path.name, path.item, required[earlier]) if earlier >= 0 else Path(path.name)
    return Ask(draft.id, field_number(model, str(before)))
