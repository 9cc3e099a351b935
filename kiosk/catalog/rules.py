"""Which joint rules of a model a set of inputs breaks."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from kiosk.catalog.answer import Problem, ProblemKind
from kiosk.catalog.model import (
    AnyOf,
    Condition,
    ExactlyOneOf,
    Exclusive,
    Forbid,
    MaxTotalItems,
    Model,
    OnlyWhen,
    Presence,
    Requires,
    RequiresInput,
    Rule,
    TotalChars,
    TotalSeconds,
)


def is_given(inputs: Mapping[str, Any], field: str) -> bool:
    """Something is there; a switch that is off is as good as none."""
    value = inputs.get(field)
    return value is not None and value is not False and value not in ("", [])


def holds(condition: Condition, inputs: Mapping[str, Any]) -> bool:
    """A value that is not there fits no list of values."""
    if isinstance(condition.allowed, Presence):
        return is_given(inputs, condition.field) is (condition.allowed is Presence.PRESENT)
    value = inputs.get(condition.field)
    return any(value == one and isinstance(value, bool) is isinstance(one, bool) for one in condition.allowed)


def broken_rules(rules: tuple[Rule, ...], inputs: Mapping[str, Any]) -> tuple[Problem, ...]:
    """The inputs are checked one by one already. Playing times are not known here and not checked."""
    return tuple(problem for rule in rules for problem in _broken(rule, inputs))


def characters_of(rule: TotalChars, inputs: Mapping[str, Any]) -> int:
    """What the texts that share a limit come to."""
    return sum(len(item.get(rule.part, "")) for item in inputs.get(rule.field, []))


def too_much(rules: tuple[Rule, ...], inputs: Mapping[str, Any], field: str) -> Problem | None:
    """What all answers to this input, or to several, come to is more than allowed: no later answer mends that."""
    for rule in rules:
        match rule:
            case TotalChars() if rule.field == field:
                found = next(_total_broken(rule, inputs), None)
            case MaxTotalItems() if field in rule.fields:
                found = next(_total_broken(rule, inputs), None)
            case _:
                found = None
        if found:
            return found
    return None


def with_defaults(model: Model, inputs: Mapping[str, Any], *, for_required: bool = False) -> dict[str, Any]:
    """The inputs in the order of the catalog, defaults added where they turn no allowed combination into a refused one.

    `for_required`: as if a required input that is not answered yet were answered with its default.
    """
    filled = {item.name: inputs[item.name] for item in model.inputs if item.name in inputs}
    # Twice, because one default can be allowed only beside another.
    for item in (*model.inputs, *model.inputs):
        wanted = item.fill and item.preset is not None and (for_required or not item.required)
        if item.name in filled or not wanted:
            continue
        fuller = {**filled, item.name: item.preset}
        if _count_presence_broken(model, fuller) <= _count_presence_broken(model, filled):
            filled = fuller
    return {item.name: filled[item.name] for item in model.inputs if item.name in filled}


def _count_presence_broken(model: Model, inputs: Mapping[str, Any]) -> int:
    return sum(1 for rule in model.rules for _ in _presence_broken(rule, inputs))


def _broken(rule: Rule, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    match rule:
        case AnyOf() | ExactlyOneOf() | Exclusive() | RequiresInput() | OnlyWhen():
            yield from _presence_broken(rule, inputs)
        case Requires(when=when, fields=fields):
            if all(holds(condition, inputs) for condition in when):
                yield from (_needed(field, _names(when)) for field in fields if not is_given(inputs, field))
        case Forbid(when=when):
            if all(holds(condition, inputs) for condition in when):
                first, *others = _names(when)
                yield Problem(ProblemKind.NOT_TOGETHER, first, fields=tuple(others))
        case TotalChars() | MaxTotalItems():
            yield from _total_broken(rule, inputs)
        case TotalSeconds():
            return
        case _:
            assert_never(rule)


def _presence_broken(rule: Rule, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    """The rules that ask only whether inputs are there; nothing for a rule of another kind."""
    match rule:
        case AnyOf(fields=fields):
            if not any(is_given(inputs, field) for field in fields):
                yield Problem(ProblemKind.NEED_ONE_OF, fields[0], fields=fields)
        case ExactlyOneOf(fields=fields):
            yield from _not_exactly_one(fields, inputs)
        case Exclusive(groups=groups):
            used = [
                next(field for field in group if is_given(inputs, field)) for group in groups if _any(group, inputs)
            ]
            if len(used) > 1:
                yield Problem(ProblemKind.NOT_TOGETHER, used[0], fields=tuple(used[1:]))
        case RequiresInput(field=field, needs=needs):
            if is_given(inputs, field):
                yield from (_needed(other, (field,)) for other in needs if not is_given(inputs, other))
        case OnlyWhen(field=field, when=when):
            if is_given(inputs, field) and not all(holds(condition, inputs) for condition in when):
                yield Problem(ProblemKind.NOT_ALLOWED_HERE, field, fields=_names(when))
        case _:
            return


def _names(when: tuple[Condition, ...]) -> tuple[str, ...]:
    return tuple(condition.field for condition in when)


def _any(fields: tuple[str, ...], inputs: Mapping[str, Any]) -> bool:
    return any(is_given(inputs, field) for field in fields)


def _needed(field: str, because_of: tuple[str, ...]) -> Problem:
    return Problem(ProblemKind.NEEDED_HERE, field, fields=because_of)


def _not_exactly_one(fields: tuple[str, ...], inputs: Mapping[str, Any]) -> Iterator[Problem]:
    used = [field for field in fields if is_given(inputs, field)]
    if not used:
        yield Problem(ProblemKind.NEED_ONE_OF, fields[0], fields=fields)
    elif len(used) > 1:
        yield Problem(ProblemKind.ONLY_ONE_OF, used[0], fields=fields)


def _total_broken(rule: TotalChars | MaxTotalItems, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    match rule:
        case TotalChars(field=field, maximum=most):
            total = characters_of(rule, inputs)
            if total > most:
                yield Problem(ProblemKind.TOO_LONG, field, actual=total, maximum=most)
        case MaxTotalItems(fields=fields, maximum=most, when=when):
            total = sum(len(inputs.get(field, [])) for field in fields)
            if total > most and all(holds(condition, inputs) for condition in when):
                yield Problem(ProblemKind.TOO_MANY, fields[0], actual=total, maximum=most, fields=fields[1:])
        case _:
            assert_never(rule)
