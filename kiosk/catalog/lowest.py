"""From how much a model can be had; pure."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice, product
from types import MappingProxyType
from typing import Any, Final, assert_never

from kiosk.catalog.answer import ProblemKind
from kiosk.catalog.model import (
    Characters,
    Choice,
    Condition,
    Flag,
    Group,
    Input,
    Length,
    Listing,
    Media,
    Model,
    Number,
    Ratio,
    Text,
    Value,
)
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.reference import Reference
from kiosk.catalog.rules import broken_rules

TRIED_AT_MOST: Final = 2_000
NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
FORBIDDEN: Final = frozenset({ProblemKind.NOT_TOGETHER, ProblemKind.NOT_ALLOWED_HERE})


def lowest_price(
    model: Model, rates: Rates, given: Mapping[str, Any] = NOTHING, *, earlier: Mapping[str, Any] | None = None
) -> int | None:
    """Kopecks of the cheapest combination of whatever the price hangs on; None where inputs alone do not tell.

    `given` are answered already; `earlier` is as in `quote`.
    """
    found = cheapest(model, rates, given, earlier=earlier)
    return found[0] if found else None


def cheapest(
    model: Model, rates: Rates, given: Mapping[str, Any], *, earlier: Mapping[str, Any] | None
) -> tuple[int, dict[str, Any]] | None:
    """The same, with the answers beside those given that make it so cheap: as few as will do."""
    names = dict.fromkeys(priced_by(model))
    items = [item for name in names if name not in given and (item := model.find(name))]
    combinations = product(*([{}, *({item.name: value} for value in _values(item))] for item in items))
    best: tuple[int, dict[str, Any]] | None = None
    for parts in islice(combinations, TRIED_AT_MOST):
        inputs = {name: value for part in parts for name, value in part.items()}
        complete = {**given, **inputs}
        if any(problem.kind in FORBIDDEN for problem in broken_rules(model.rules, complete)):
            continue
        priced = quote(model, complete, rates, earlier=earlier)
        if isinstance(priced, Quote) and (best is None or priced.price_kopecks < best[0]):
            best = (priced.price_kopecks, inputs)
    return best


def _shortest(media: Media) -> str:
    """Some file that plays no longer than it has to."""
    return str(Reference(1, max(math.ceil(media.min_seconds or 0), 1)))


def priced_by(model: Model) -> Iterator[str]:
    """The inputs that the price hangs on; some may come twice."""
    for row in model.tariff.rows:
        yield from (condition.field for condition in row.when if isinstance(condition, Condition))
    for term in model.tariff.quantity:
        match term:
            case Ratio(field=field, by=by):
                yield from (field, by)
            case Value(field=field) | Characters(field=field) | Length(field=field):
                yield field
            case _:
                assert_never(term)


def _values(item: Input) -> tuple[Any, ...]:
    """What is worth trying for an input that the price hangs on, beside leaving it out."""
    match item.kind:
        case Choice(values=values):
            return values
        case Flag():
            return (True, False)
        case Number(minimum=least):
            return (least,) if least > 0 else (1,)
        case Text(min_length=shortest):
            return ("x" * max(shortest, 1),)
        case Media():
            return (_shortest(item.kind),)
        case Listing(of=Media() as media, min_items=fewest):
            return ([_shortest(media)] * max(fewest, 1),)
        case Listing(of=Group(fields=fields), min_items=fewest):
            one = {part.name: values[0] for part in fields if part.required and (values := _values(part))}
            return ([one] * max(fewest, 1),)
        case Listing() | Group():
            return ()
        case _:
            assert_never(item.kind)
