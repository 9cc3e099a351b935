"""Names of inputs and of their values, as customers read them; pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from kiosk.bot.words import Words
from kiosk.catalog.form import Question, QuestionKind, question, questions, settings
from kiosk.catalog.model import Model, Scalar
from kiosk.catalog.objects import group_of
from kiosk.catalog.path import Path, read_path
from kiosk.catalog.reference import read_result_reference

SUMMARY_CHARS: Final = 600  # of one answer on the card: texts may be longer than a message
ANSWERS_CHARS: Final = 2_000  # of all of them
OBJECT_CHARS: Final = 120  # of one object of a list
OPTION: Final = str.maketrans("", "", " :/.,")
# How a button names a part of a list of objects: its input, its object and its part, as one number.
INPUTS, PARTS, OBJECTS = 1_000, 100, 1_000

Item = TypeVar("Item")


def answers(say: Words, model: Model, inputs: Mapping[str, Any]) -> str:
    """What was answered so far, line by line, as HTML."""
    given = [(asked, inputs[asked.field]) for asked in asked_of(model) if asked.field in inputs]
    most = min(SUMMARY_CHARS, ANSWERS_CHARS // max(len(given), 1))
    referring = (inputs.get(item.name) for item in model.inputs if item.task_ref)
    result = next((found for value in referring if (found := read_result_reference(value))), None)
    source = (say("card-source", number=str(result.number + 1)),) if result else ()
    lines = (
        say("card-answer", field=field_label(say, asked.field), value=short(value_label(say, asked, value), most))
        for asked, value in given
    )
    return "\n".join((*source, *lines))


def asked_of(model: Model) -> tuple[Question, ...]:
    """Questions, then settings."""
    return questions(model) + settings(model)


def field_label(say: Words, field: str) -> str:
    key = f"field-{field}"
    return say.plain(key) if say.has(key) else field.replace("_", " ").capitalize()


def path_label(say: Words, model: Model, field: str) -> str:
    """What a path leads to, `dialogue[2].text` for one; "" where that is nothing of this model's."""
    path = read_path(field)
    if question(model, path.name) is None:
        return ""
    name = field_label(say, path.name)
    if path.item is None:
        return name
    number = say.plain("object-number", list=name, number=path.item + 1)
    return f"{number}: {part_label(say, path)}" if path.part else number


def part_label(say: Words, path: Path) -> str:
    """The name of a part of an object."""
    inside = f"{path.name}-{path.part}"
    return say.plain(f"field-{inside}") if say.has(f"field-{inside}") else field_label(say, path.part or "")


def value_label(say: Words, asked: Question, value: Any) -> str:
    match asked.kind:
        case QuestionKind.CHOICE | QuestionKind.BOOLEAN | QuestionKind.NUMBER:
            return choice_label(say, asked, value)
        case QuestionKind.MEDIA:
            return say.plain("files", count=len(value) if isinstance(value, list) else 1)
        case QuestionKind.TEXT | QuestionKind.LIST:
            return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        case QuestionKind.OBJECTS:
            return "".join(f"\n{number}. {object_label(say, asked, one)}" for number, one in enumerate(value, 1))
        case QuestionKind.OBJECT:
            return object_label(say, asked, value)


def object_label(say: Words, asked: Question, one: Mapping[str, Any]) -> str:
    """One object of a list in a line."""
    given = (value_label(say, part, one[part.field]) for part in asked.parts if part.field in one)
    return short(" · ".join(given), OBJECT_CHARS)


def choice_label(say: Words, asked: Question, choice: Scalar) -> str:
    """What stands on the button of a choice, but for its price."""
    if isinstance(choice, bool):
        return say.plain("option-yes" if choice else "option-no")
    if choice in asked.special:
        return say.plain("option-special")
    label = dict(asked.labels).get(str(choice)) or _option(say, asked, choice)
    width, colon, height = str(choice).partition(":")
    if not (colon and width.isdigit() and height.isdigit()):
        return label
    shape = "square" if int(width) == int(height) else "wide" if int(width) > int(height) else "tall"
    return say.plain(f"ratio-{shape}", ratio=label)


def _option(say: Words, asked: Question, choice: Scalar) -> str:
    if isinstance(choice, float):
        return count(choice)
    key = f"option-{str(choice).translate(OPTION)}"
    if say.has(key):
        return say.plain(key)
    return say.plain("option-seconds", seconds=str(choice)) if asked.field == "duration" else str(choice)


def short(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def count(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else f"{value:g}"  # `g` alone says 1e+06 for a million


def grid(items: Iterable[Item], in_row: int) -> tuple[tuple[Item, ...], ...]:
    flat = tuple(items)
    return tuple(flat[start : start + in_row] for start in range(0, len(flat), in_row))


def field_number(model: Model, field: str) -> int:
    """How a button names an input: its place in the catalog's order; for a part of a list, places in one number."""
    path = read_path(field)
    place = [item.name for item in model.inputs].index(path.name)
    if path.item is None:
        return place
    group = group_of(model.inputs[place])
    names = [part.name for part in group.fields] if group else []
    return place + INPUTS * ((path.item + 1) * PARTS + (names.index(path.part) + 1 if path.part else 0))


def field_name(model: Model | None, number: int) -> str | None:
    """The input that a button named, or the path to a part of it; None when there is no such."""
    inside, place = divmod(number, INPUTS)
    if model is None or place >= len(model.inputs):
        return None
    name = model.inputs[place].name
    item, part = divmod(inside, PARTS)
    if inside == 0:
        return name
    group = group_of(model.inputs[place])
    if group is None or not 0 < item <= OBJECTS or part > len(group.fields):
        return None
    return str(Path(name, item - 1, group.fields[part - 1].name if part else None))
