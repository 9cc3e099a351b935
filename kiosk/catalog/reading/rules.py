"""Reads the joint rules of an entry, each naming inputs that exist and values that they can have."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from kiosk.catalog.model import (
    AnyOf,
    Choice,
    Condition,
    ExactlyOneOf,
    Exclusive,
    Flag,
    Forbid,
    Group,
    Input,
    Listing,
    MaxTotalItems,
    Number,
    OnlyWhen,
    Presence,
    Requires,
    RequiresInput,
    Rule,
    Scalar,
    Text,
    TotalChars,
    TotalSeconds,
)
from kiosk.catalog.reading.inputs import Inputs, allowed_values
from kiosk.catalog.reading.sheet import Sheet, is_number, quoted

RULES: Final = (
    "any_of",
    "exactly_one_of",
    "exclusive",
    "requires",
    "requires_input",
    "forbid",
    "only_when",
    "total_seconds",
    "total_chars",
    "max_total_items",
)


def read_rules(sheet: Sheet, inputs: Inputs) -> tuple[Rule, ...]:
    """Every rule is a mapping of one key, the name of the rule."""
    read: list[Rule] = []
    for rule in sheet.sheets("rules"):
        names = rule.keys()
        if len(names) == 1 and names[0] in RULES:
            read += _read_rule(names[0], rule, inputs)
        elif rule.is_sound:
            rule.note("", f"must be one of {', '.join(RULES)}, not {', '.join(names)}")
    return tuple(read)


def _read_rule(name: str, rule: Sheet, inputs: Inputs) -> Iterable[Rule]:
    match name:
        case "any_of":
            yield AnyOf(_fields(rule, name, inputs))
        case "exactly_one_of":
            yield ExactlyOneOf(_fields(rule, name, inputs))
        case "exclusive":
            yield Exclusive(_groups(rule, inputs))
        case "requires":
            yield _requires(rule.below(name, rule.take(name)), inputs)
        case "requires_input":
            yield from _requires_inputs(rule, inputs)
        case "forbid":
            yield Forbid(read_conditions(rule, "forbid", inputs))
        case _:
            yield from _read_limit(name, rule, inputs)


def _read_limit(name: str, rule: Sheet, inputs: Inputs) -> Iterable[Rule]:
    match name:
        case "only_when":
            yield from _only_when(rule, inputs)
        case "total_seconds":
            limits = {key: _limit(rule, name, value) for key, value in rule.mapping(name).items()}
            yield TotalSeconds(tuple((known(key, rule, name, inputs), most) for key, most in limits.items()))
        case "total_chars":
            for path, value in rule.mapping(name).items():
                field, part = text_in_list(path, rule, name, inputs)
                yield TotalChars(field, part, _limit(rule, name, value))
        case _:
            inner = rule.below(name, rule.take(name))
            fields = _fields(inner, "inputs", inputs)
            most = inner.whole("max", minimum=1) or 1
            when = conditions_of(inner.mapping("when"), inner, "when", inputs)
            yield MaxTotalItems(fields, most, when)
            inner.finish()


def known(field: str, sheet: Sheet, key: str, inputs: Inputs) -> str:
    """The field; a flaw is noted when there is no such input."""
    if field not in inputs:
        sheet.note(key, f"there is no input {quoted(field)}")
    return field


def text_in_list(path: str, sheet: Sheet, key: str, inputs: Inputs) -> tuple[str, str]:
    """`dialogue.text` as its two names, where `dialogue` is a list of objects with a text `text`."""
    field, _, part = path.partition(".")
    item = inputs.get(known(field, sheet, key, inputs))
    if item and not _has_text_part(item, part):
        sheet.note(key, f"{quoted(path)} is not a text in a list of objects")
    return field, part


def _has_text_part(item: Input, part: str) -> bool:
    if not isinstance(item.kind, Listing) or not isinstance(item.kind.of, Group):
        return False
    return any(field.name == part and isinstance(field.kind, Text) for field in item.kind.of.fields)


def read_conditions(sheet: Sheet, key: str, inputs: Inputs) -> tuple[Condition, ...]:
    """`{input: value}`, `{input: [values]}`, `{input: present}` or `{input: absent}`, all of which must hold."""
    raw = sheet.mapping(key)
    if not raw:
        sheet.note(key, "names no input")
    return conditions_of(raw, sheet, key, inputs)


def conditions_of(raw: Mapping[str, Any], sheet: Sheet, key: str, inputs: Inputs) -> tuple[Condition, ...]:
    """The same from a mapping that was taken already."""
    return tuple(_condition(field, value, sheet, key, inputs) for field, value in raw.items())


def _condition(field: str, value: Any, sheet: Sheet, key: str, inputs: Inputs) -> Condition:
    item = inputs.get(known(field, sheet, key, inputs))
    if isinstance(value, str) and value in set(Presence):
        return Condition(field, Presence(value))
    allowed = allowed_values(value, sheet, key)
    impossible = [one for one in allowed if item and not _can_be(item, one)]
    if impossible:
        sheet.note(key, f"{quoted(field)} is never {quoted(impossible[0])}")
    return Condition(field, allowed)


def _can_be(item: Input, value: Scalar) -> bool:
    match item.kind:
        case Choice(values=values):
            return any(type(one) is type(value) and one == value for one in values)
        case Flag():
            return isinstance(value, bool)
        case Number(minimum=low, maximum=high, special=special):
            return is_number(value) and (value in special or low <= float(value) <= high)
        case _:
            return False


def _fields(sheet: Sheet, key: str, inputs: Inputs) -> tuple[str, ...]:
    fields = sheet.texts(key)
    if not fields:
        sheet.note(key, "names no input")
    return tuple(known(field, sheet, key, inputs) for field in fields)


def _groups(rule: Sheet, inputs: Inputs) -> tuple[tuple[str, ...], ...]:
    groups = rule.items("exclusive", list, "lists of inputs")
    if len(groups) < 2:  # noqa: PLR2004 - one group excludes nothing
        rule.note("exclusive", "needs two groups")
    return tuple(tuple(known(str(field), rule, "exclusive", inputs) for field in group) for group in groups)


def _requires(sheet: Sheet, inputs: Inputs) -> Requires:
    when = read_conditions(sheet, "when", inputs)
    fields = _fields(sheet, "inputs", inputs)
    sheet.finish()
    return Requires(when, fields)


def _requires_inputs(rule: Sheet, inputs: Inputs) -> Iterable[RequiresInput]:
    needs = rule.mapping("requires_input")
    sheet = rule.below("requires_input", dict(needs))
    for field in needs:
        yield RequiresInput(known(field, rule, "requires_input", inputs), _fields(sheet, field, inputs))


def _only_when(rule: Sheet, inputs: Inputs) -> Iterable[OnlyWhen]:
    raw = dict(rule.mapping("only_when"))
    field = raw.pop("input", None)
    if not isinstance(field, str) or not raw:
        rule.note("only_when", "needs `input` and at least one condition")
        return
    yield OnlyWhen(known(field, rule, "only_when", inputs), conditions_of(raw, rule, "only_when", inputs))


def _limit(rule: Sheet, key: str, value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    rule.note(key, f"must be a whole number of at least 1, not {quoted(value)}")
    return 1
