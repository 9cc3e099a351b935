"""Reads the inputs of an entry: the name and the kind of each, and whether its default fits its own kind."""

import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, assert_never

from kiosk.catalog.answer import Problem, ProblemKind, Rejected, check
from kiosk.catalog.model import (
    UNSTATED_MAX_CHARS,
    UNSTATED_MAX_ITEMS,
    UNSTATED_MAX_NUMBER,
    Choice,
    Flag,
    Group,
    Input,
    Kind,
    Listing,
    Media,
    MediaType,
    Number,
    Scalar,
    TaskCondition,
    TaskId,
    TaskRef,
    Text,
    ValueType,
)
from kiosk.catalog.reading.sheet import Sheet, is_number, quoted

# None stands for an input that is there but could not be read: nothing more is said about it.
Inputs: TypeAlias = Mapping[str, Input | None]

MAX_INPUTS: Final = 60
MAX_NESTING: Final = 3
# Ours to send, beside the inputs: no customer is ever asked for them.
SYSTEM_FIELDS: Final = frozenset({"callbackurl", "progresscallbackurl", "callback"})

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_TYPES: Final = ("string", "enum", "integer", "number", "boolean", "url", "array", "object")


def read_inputs(sheet: Sheet) -> Inputs:
    """The inputs in their order, the first being asked first."""
    named = sheet.mapping("inputs")
    if len(named) > MAX_INPUTS:
        sheet.note("inputs", f"more than {MAX_INPUTS}")
    inputs = {name: _read_input(name, sheet.below(f"inputs.{name}", value)) for name, value in named.items()}
    keys = [item.api_name for item in inputs.values() if item]
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        sheet.note("inputs", f"two inputs are sent as {quoted(key)}")
    return inputs


def _read_input(name: str, sheet: Sheet) -> Input | None:
    kind = _read_kind(sheet, depth=0)
    api_name = sheet.text_or_none("api_name") or name
    for key in {name, api_name}:
        _check_name(key, sheet)
    required = sheet.flag("required")
    default, suggested = _read_preset("default", kind, sheet), _read_preset("suggested", kind, sheet)
    if default is not None and suggested is not None:
        sheet.note("suggested", "there is a default already")
    fill = sheet.flag("fill", default=True)
    if not fill and (required or (default is None and suggested is None)):
        sheet.note("fill", "only an optional input with a default can be left unset")
    task_ref = _read_task_ref(sheet)
    undocumented = sheet.flag("undocumented")
    ask = _read_ask(sheet, required=required)
    sheet.finish()
    if kind is None or not sheet.is_sound:
        return None
    return Input(name, kind, required, default, suggested, fill, api_name, task_ref, undocumented, ask)


def _check_name(name: str, sheet: Sheet) -> None:
    if not _NAME.fullmatch(name):
        sheet.note("", f"{quoted(name)} cannot be the name of an input")
    if name.replace("_", "").lower() in SYSTEM_FIELDS:
        sheet.note("", f"{quoted(name)} is ours to send, not an input")


def _read_preset(key: str, kind: Kind | None, sheet: Sheet) -> Scalar | None:
    value = sheet.take(key)
    if value is None or kind is None:
        return None
    if isinstance(kind, Media | Listing | Group):
        sheet.note(key, "files, lists and objects have no default")
        return None
    checked = check(kind, value, "")
    if isinstance(checked, Rejected):
        sheet.note("", f"{key} {quoted(value)} {_because(checked.problem)}")
        return None
    preset: Scalar = checked.value
    return preset


def _because(problem: Problem) -> str:
    match problem.kind:
        case ProblemKind.NOT_A_CHOICE:
            return f"is not one of {', '.join(quoted(choice) for choice in problem.choices)}"
        case ProblemKind.OUT_OF_RANGE:
            return f"is not within {problem.minimum}..{problem.maximum}"
        case ProblemKind.WRONG_TYPE:
            return "has the wrong type"
        case _:
            return f"does not fit: {problem.kind.value.replace('_', ' ')}"


def _read_ask(sheet: Sheet, *, required: bool) -> bool:
    ask = sheet.flag("ask", default=True)
    if required and not ask:
        sheet.note("ask", "a required input has to be asked")
    return ask


def _read_task_ref(sheet: Sheet) -> TaskRef | None:
    value = sheet.take("task_ref")
    if value is None:
        return None
    inner = sheet.below("task_ref", value)
    models = inner.texts("models")
    if not models:
        inner.note("models", "is missing")
    task_id = inner.member("id", TaskId, TaskId.TASK) or TaskId.TASK
    conditions = inner.mapping("when").items()
    when = tuple(TaskCondition(name, allowed_values(value, inner, "when")) for name, value in conditions)
    inner.finish()
    return TaskRef(models, task_id, when)


def allowed_values(value: Any, sheet: Sheet, key: str) -> tuple[Scalar, ...]:
    """One value or a list of them."""
    values = value if isinstance(value, list) else [value]
    if not values or not all(isinstance(one, str | int | float | bool) for one in values):
        sheet.note(key, f"must be a value or a list of values, not {quoted(value)}")
        return ()
    return tuple(values)


def _read_kind(sheet: Sheet, depth: int) -> Kind | None:
    name = sheet.text("type")
    if name in {"array", "object"}:
        return _read_array(sheet, depth) if name == "array" else _read_group(sheet, depth)
    return _read_plain_kind(name, sheet)


def _read_plain_kind(name: str, sheet: Sheet) -> Kind | None:
    match name:
        case "string":
            return _read_text(sheet)
        case "enum":
            return _read_choice(sheet)
        case "integer" | "number":
            return _read_number(sheet, whole=name == "integer")
        case "boolean":
            return Flag()
        case "url":
            return _read_media(sheet)
        case _:
            if name:
                sheet.note("type", f"{quoted(name)} is not one of {', '.join(_TYPES)}")
            return None


def _read_text(sheet: Sheet) -> Text:
    shortest = sheet.whole("min_length", minimum=1) or 1
    longest = sheet.whole("max_length", minimum=1) or max(UNSTATED_MAX_CHARS, shortest)
    if shortest > longest:
        sheet.note("min_length", f"{shortest} is more than max_length {longest}")
    pattern = sheet.text_or_none("pattern")
    try:
        re.compile(pattern or "")
    except re.error as error:
        sheet.note("pattern", f"is no regular expression: {error}")
    return Text(shortest, longest, pattern)


def _read_choice(sheet: Sheet) -> Choice | None:
    values = sheet.scalars("values")
    value_type = sheet.member("value_type", ValueType, ValueType.STRING) or ValueType.STRING
    is_open = sheet.flag("open")
    labels = sheet.mapping("labels")
    discontinued = sheet.texts("discontinued")
    if not values:
        sheet.note("values", "there is nothing to choose from")
        return None
    wrong = [value for value in values if not _is_of(value_type, value)]
    if wrong:
        sheet.note("values", f"{quoted(wrong[0])} is not of type {value_type} (a text with a colon needs quotes)")
    if is_open and value_type is not ValueType.STRING:
        sheet.note("open", "only for texts")
    for label, text in labels.items():
        if label not in values or not isinstance(text, str):
            sheet.note("labels", f"{quoted(label)} must be one of the values, and its label a text")
    if set(discontinued) & set(values):
        sheet.note("discontinued", "has a value that is offered")
    return Choice(values, value_type, is_open, tuple(labels.items()), discontinued)


def _is_of(value_type: ValueType, value: Any) -> bool:
    match value_type:
        case ValueType.STRING:
            return isinstance(value, str)
        case ValueType.INTEGER:
            return is_number(value) and isinstance(value, int)
        case ValueType.NUMBER:
            return is_number(value)
        case _:
            assert_never(value_type)


def _read_number(sheet: Sheet, *, whole: bool) -> Number:
    minimum, maximum, step = sheet.number("min"), sheet.number("max"), sheet.number("step")
    special = sheet.scalars("special_values")
    low = -UNSTATED_MAX_NUMBER if minimum is None else minimum
    high = UNSTATED_MAX_NUMBER if maximum is None else maximum
    if low > high:
        sheet.note("min", f"{low} is more than max {high}")
    if step is not None and step <= 0:
        sheet.note("step", f"must be more than 0, not {step}")
        step = None
    numbers = tuple(value for value in special if isinstance(value, int | float) and is_number(value))
    if len(numbers) < len(special):
        sheet.note("special_values", "must be numbers")
    if whole and not all(isinstance(value, int) for value in (low, high, *numbers)):
        sheet.note("", "an integer has whole limits and special values")
    return Number(whole, low, high, step, numbers)


def _read_media(sheet: Sheet) -> Media | None:
    media = sheet.member("media", MediaType)
    formats = sheet.texts("formats")
    size_mb = sheet.whole("max_size_mb", minimum=1)
    shortest_s, longest_s = sheet.number("min_seconds"), sheet.number("max_seconds")
    return Media(media, formats, size_mb, shortest_s, longest_s) if media else None


def _read_array(sheet: Sheet, depth: int) -> Listing | None:
    fewest = sheet.whole("min_items", minimum=0) or 0
    most = sheet.whole("max_items", minimum=1) or max(UNSTATED_MAX_ITEMS, fewest)
    if fewest > most:
        sheet.note("min_items", f"{fewest} is more than max_items {most}")
    of = _read_items(sheet, depth)
    return Listing(of, fewest, most) if of else None


def _read_items(sheet: Sheet, depth: int) -> Kind | None:
    """`items` is the name of a kind, whose own keys then stand beside it, or a mapping that describes one."""
    if depth == MAX_NESTING:
        sheet.note("items", f"nested more than {MAX_NESTING} deep")
        return None
    items = sheet.take("items")
    if isinstance(items, dict):
        inner = sheet.below("items", items)
        kind = _read_kind(inner, depth + 1)
        inner.finish()
        return kind
    if items == "object":
        return _read_group(sheet, depth)
    if not isinstance(items, str):
        sheet.note("items", "is missing" if items is None else f"must be a type or a mapping, not {quoted(items)}")
        return None
    if items == "array":
        sheet.note("items", "say what the inner lists hold: items: {type: array, items: …}")
        return None
    return _read_plain_kind(items, sheet)


def _read_group(sheet: Sheet, depth: int) -> Group | None:
    if depth == MAX_NESTING:
        sheet.note("fields", f"nested more than {MAX_NESTING} deep")
        return None
    fields = [
        _read_field(name, sheet.below(f"fields.{name}", raw), depth + 1)
        for name, raw in sheet.mapping("fields").items()
    ]
    if not fields:
        sheet.note("fields", "an object needs fields")
    return Group(tuple(field for field in fields if field))


def _read_field(name: str, sheet: Sheet, depth: int) -> Input | None:
    kind = _read_kind(sheet, depth)
    _check_name(name, sheet)
    required = sheet.flag("required")
    default, suggested = _read_preset("default", kind, sheet), _read_preset("suggested", kind, sheet)
    ask = _read_ask(sheet, required=required)
    sheet.finish()
    return Input(name, kind, required, default, suggested, api_name=name, ask=ask) if kind else None
