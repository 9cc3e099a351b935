"""Which inputs a customer can be asked for in a chat; pure."""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from kiosk.catalog.answer import ProblemKind
from kiosk.catalog.model import (
    AnyOf,
    Choice,
    Condition,
    ExactlyOneOf,
    Flag,
    Group,
    Input,
    Kind,
    Listing,
    Media,
    MediaType,
    Model,
    Number,
    Presence,
    Ratio,
    Requires,
    RequiresInput,
    Rule,
    Scalar,
    Term,
    Text,
    Value,
)
from kiosk.catalog.rules import broken_rules, holds, with_defaults

SHORT_RANGE: Final = 16
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
CARRIED: Final = frozenset({MediaType.IMAGE, MediaType.VIDEO, MediaType.AUDIO})


def is_walkable(model: Model, given: Mapping[str, Any] = NOTHING) -> bool:
    """A customer can get through: everything that must be answered can be asked, or is `given` already."""
    if any(item.required and item.name not in given and not is_askable(model, item) for item in model.inputs):
        return False
    alternatives = [rule.fields for rule in model.rules if isinstance(rule, AnyOf | ExactlyOneOf)]
    if not all(any(field in given or can_be_asked(model, field) for field in fields) for fields in alternatives):
        return False
    broken = broken_rules(model.rules, with_defaults(model, given))  # a default can demand something, too
    return all(can_be_asked(model, one.field) for one in broken if one.kind is ProblemKind.NEEDED_HERE)


def can_be_asked(model: Model, field: str) -> bool:
    """The same as `is_askable`, by name."""
    item = model.find(field)
    return item is not None and is_askable(model, item)


def is_askable(model: Model, item: Input) -> bool:
    """Not what only an earlier task could fill, nor what no chat can answer, nor what would make that necessary."""
    return _alone(item) and not any(_demands_more(model, item, rule) for rule in model.rules)


def _alone(item: Input) -> bool:
    return item.ask and item.task_ref is None and _has_a_form(item.kind)


def _has_a_form(kind: Kind) -> bool:
    """There is a way to answer it in a chat: a list of texts line by line, a list of objects part by part."""
    match kind:
        case Text() | Choice() | Number() | Flag():
            return True
        case Media(media=media):
            return media in CARRIED
        case Listing(of=Group() as group):
            return bool(parts_of(group)) and all(part in parts_of(group) for part in group.fields if part.required)
        case Listing(of=inner):
            return isinstance(inner, Text) or (isinstance(inner, Media) and inner.media in CARRIED)
        case _:
            return False


def parts_of(group: Group) -> tuple[Input, ...]:
    """The parts of an object that a customer can be asked for."""
    return tuple(part for part in group.fields if part.ask and not _holds_objects(part.kind) and _has_a_form(part.kind))


def _holds_objects(kind: Kind) -> bool:
    return isinstance(kind, Listing) and isinstance(kind.of, Group)


def _demands_more(model: Model, item: Input, rule: Rule) -> bool:
    """Setting this optional input would make another one necessary that cannot be asked."""
    match rule:
        case Requires(when=when, fields=fields) if any(_switches(condition, item) for condition in when):
            needed = fields
        case RequiresInput(field=field, needs=needs) if field == item.name:
            needed = needs
        case _:
            return False
    others = (model.find(name) for name in needed)
    return not item.required and any(other is None or not _alone(other) for other in others)


def leads_astray(model: Model, item: Input, choice: Scalar) -> bool:
    """This choice would make an input necessary that cannot be asked: it is not offered."""
    return any(
        isinstance(rule, Requires)
        and all(condition.field == item.name and holds(condition, {item.name: choice}) for condition in rule.when)
        and not all(can_be_asked(model, field) for field in rule.fields)
        for rule in model.rules
    )


def leaves_price_open(model: Model, item: Input, choice: Scalar) -> bool:
    """This choice leaves a number to the provider that the price is counted by: there is none, so it is not offered."""
    if not isinstance(item.kind, Number) or choice not in item.kind.special:
        return False
    return any(item.name in _numbers(term) for term in model.tariff.quantity)


def _numbers(term: Term) -> tuple[str, ...]:
    match term:
        case Value(field=field):
            return (field,)
        case Ratio(field=field, by=by):
            return (field, by)
        case _:
            return ()


def _switches(condition: Condition, item: Input) -> bool:
    return condition.field == item.name and condition.allowed is not Presence.ABSENT


def short_range(kind: Number) -> tuple[int | float, ...]:
    """Every value of a number that can have only few; nothing for a longer range."""
    step = Decimal(str(kind.step)) if kind.step else Decimal(1) if kind.whole else None
    if step is None:
        return ()
    low, high = Decimal(str(kind.minimum)), Decimal(str(kind.maximum))
    first = -(-low // step) * step
    count = int((high - first) // step) + 1
    if not 0 < count <= SHORT_RANGE:
        return ()
    values = (first + step * number for number in range(count))
    return tuple(int(value) if kind.whole else float(value) for value in values)
