"""The catalog in words, for whoever keeps the shop: facts of a model, what differs between two catalogs; pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, assert_never

from kiosk.catalog.lowest import lowest_price
from kiosk.catalog.model import (
    UNSTATED_MAX_NUMBER,
    AnyOf,
    Choice,
    Condition,
    ExactlyOneOf,
    Exclusive,
    Flag,
    Forbid,
    Group,
    Input,
    Kind,
    Listing,
    MaxTotalItems,
    Media,
    Model,
    Number,
    OnlyWhen,
    Presence,
    PriceRow,
    Requires,
    RequiresInput,
    Rule,
    Scalar,
    TaskCondition,
    Text,
    TotalChars,
    TotalSeconds,
    Unit,
)
from kiosk.catalog.quote import USD_PER_CREDIT, Rates
from kiosk.catalog.shelf import NotSoldReason, Shelf
from kiosk.catalog.vocabulary import Status

# With these a kopeck is a hundredth of a credit.
IN_CREDITS: Final = Rates(rub_per_usd=1 / USD_PER_CREDIT, multiplier=Decimal(1))
WHY_NOT: Final[Mapping[NotSoldReason, str]] = {
    NotSoldReason.UNLISTED: "the provider does not list it any more",
    NotSoldReason.UNVERIFIED: "its page was read only in part",
    NotSoldReason.NEEDS_EARLIER_TASK: "it goes on from an earlier task",
    NotSoldReason.NO_PRICE: "its price is not known beforehand",
    NotSoldReason.CANNOT_BE_ASKED: "an input that it needs cannot be asked for in a chat",
    NotSoldReason.NOT_YET_OFFERED: "the catalog does not offer it",
    NotSoldReason.NOT_CALLED_BACK: "the provider makes it only for whoever it can call back: set WEBHOOK_BASE_URL",
    NotSoldReason.SWITCHED_OFF: "the operator switched it off",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """`what` is model, input, rule or price; a rule says everything in its name."""

    what: str
    name: str
    value: str = ""


def credits_from(model: Model) -> Decimal | None:
    """What the provider takes at least, to a hundredth; None: the inputs do not tell."""
    lowest = lowest_price(model, IN_CREDITS)
    return None if lowest is None else Decimal(lowest) / 100


def facts(model: Model) -> tuple[Fact, ...]:
    """Everything that customers and prices hang on, each thing once."""
    said = {"name": model.name, "vendor": model.vendor, "type": model.type, "makes": model.output}
    about = tuple(Fact("model", name, str(value)) for name, value in {**said, "status": model.status}.items())
    inputs = tuple(Fact("input", item.name, _input(item)) for item in model.inputs)
    rules = tuple(Fact("rule", text) for text in rules_said(model))
    return (*about, *inputs, *rules, *_prices(model))


def rules_said(model: Model) -> tuple[str, ...]:
    """What joins the inputs, a sentence each."""
    return tuple(text for rule in model.rules for text in _rule(rule))


def differences(old: Shelf, new: Shelf) -> tuple[str, ...]:
    """What is new, gone or other in the second catalog, a sentence each, in its order."""
    gone = (f"{model.id}: removed" for model in old.models if new.find(model.id) is None)
    changes = (line for model in new.models for line in _changes(old.find(model.id), model))
    return (*gone, *changes)


def against_provider(shelf: Shelf, listed: Mapping[str, str], seen: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """How the provider's own list, prices in its words by id, differs from the catalog, a sentence each.

    `seen`: the list as it was looked at before, None: never. The words of a price cannot be compared with ours.
    """
    before = {} if seen is None else seen
    new = (f"{one}: the provider lists it, the catalog does not" for one in listed if shelf.find(one) is None)
    gone = (
        f"{model.id}: the provider does not list it any more"
        for model in shelf.models
        if model.id not in listed and model.status is not Status.UNLISTED
    )
    back = (
        f"{model.id}: the provider lists it again, the catalog says {model.status}"
        for model in shelf.models
        if model.id in listed and model.status is Status.UNLISTED
    )
    prices = (
        f"{one}: price: was {before[one]!r}, is {price!r}"
        for one, price in listed.items()
        if one in before and before[one] != price
    )
    return (*new, *gone, *back, *prices)


def sold(shelf: Shelf, model: Model) -> str:
    """Where it is for sale, or why not."""
    reason = shelf.why_not_sold(model)
    if shelf.follows(model):
        earlier = dict.fromkeys(one for item in model.inputs if item.task_ref for one in item.task_ref.models)
        return ("as" if reason else "yes, also as") + f" a follow-up of {', '.join(earlier)}"
    return "yes" if reason is None else f"no: {WHY_NOT[reason]}"


def not_kept(shelf: Shelf) -> tuple[tuple[Model, NotSoldReason], ...]:
    """Models that the catalog offers and that cannot be sold all the same, unless an operator wants it so."""
    offered = [(model, shelf.why_not_sold(model)) for model in shelf.models if model.sell and not shelf.follows(model)]
    return tuple((model, why) for model, why in offered if why not in (None, NotSoldReason.SWITCHED_OFF))


def _changes(old: Model | None, new: Model) -> Iterator[str]:
    if old is None:
        lowest = credits_from(new)
        price = "no price" if lowest is None else f"from {number(lowest)} credits"
        yield f"{new.id}: added, {new.type}, {price}"
        return
    was = {(fact.what, fact.name): fact.value for fact in facts(old)}
    now = {(fact.what, fact.name): fact.value for fact in facts(new)}
    yield from (f"{new.id}: {what} {name}: removed" for what, name in was if (what, name) not in now)
    for (what, name), value in now.items():
        if (what, name) not in was:
            yield f"{new.id}: {what} {name}: added" + (f", {value}" if value else "")
        elif was[what, name] != value:
            yield f"{new.id}: {what} {name}: was {was[what, name]}, is {value}"


def _input(item: Input) -> str:
    parts = ["required" if item.required else "optional", kind_said(item.kind)]
    if item.preset is not None:
        parts.append(f"{_scalar(item.preset)} when nothing is chosen")
    if item.task_ref:
        beside = f" with {_when(item.task_ref.when)}" if item.task_ref.when else ""
        parts.append(f"of an earlier {item.task_ref.id} of {', '.join(item.task_ref.models)}{beside}")
    return ", ".join(parts)


def kind_said(kind: Kind) -> str:
    """What a value has to be."""
    match kind:
        case Text(min_length=least, max_length=most):
            return f"text of {least} to {most} characters"
        case Choice(values=values):
            return f"one of {' | '.join(map(_scalar, values))}" + (" or other" if kind.is_open else "")
        case Number(whole=whole, minimum=least, maximum=most):
            unit = "whole number" if whole else "number"
            return f"{unit}{_bound('from', least)}{_bound('to', most)}"
        case Flag():
            return "on or off"
        case Media():
            return _file(kind)
        case Listing(of=of, min_items=least, max_items=most):
            return f"{least} to {most} of: {kind_said(of)}"
        case Group(fields=fields):
            return "{" + "; ".join(f"{item.name}: {_input(item)}" for item in fields) + "}"
        case _:
            assert_never(kind)


def _bound(word: str, bound: float) -> str:
    return "" if abs(bound) == UNSTATED_MAX_NUMBER else f" {word} {bound:.15g}"


def _file(kind: Media) -> str:
    limits = [", ".join(kind.formats)] if kind.formats else []
    limits += [f"at most {kind.max_size_mb} MB"] if kind.max_size_mb else []
    limits += [f"at least {kind.min_seconds:g} s"] if kind.min_seconds else []
    limits += [f"at most {kind.max_seconds:g} s"] if kind.max_seconds else []
    return f"{kind.media} file" + (f" ({'; '.join(limits)})" if limits else "")


def _rule(rule: Rule) -> Iterator[str]:
    match rule:
        case AnyOf(fields=fields):
            yield f"at least one of {', '.join(fields)}"
        case ExactlyOneOf(fields=fields):
            yield f"exactly one of {', '.join(fields)}"
        case Exclusive(groups=groups):
            yield f"not together: {' / '.join(', '.join(group) for group in groups)}"
        case Requires(when=when, fields=fields):
            yield f"{_when(when)}: needs {', '.join(fields)}"
        case RequiresInput(field=field, needs=needs):
            yield f"{field} needs {', '.join(needs)}"
        case Forbid(when=when):
            yield f"never {_when(when)}"
        case OnlyWhen(field=field, when=when):
            yield f"{field} only with {_when(when)}"
        case TotalSeconds() | TotalChars() | MaxTotalItems():
            yield from _total(rule)
        case _:
            assert_never(rule)


def _total(rule: TotalSeconds | TotalChars | MaxTotalItems) -> Iterator[str]:
    match rule:
        case TotalSeconds(limits=limits):
            yield from (f"all of {field}: at most {most} s" for field, most in limits)
        case TotalChars(field=field, part=part, maximum=most):
            yield f"all {part} of {field}: at most {most} characters"
        case MaxTotalItems(fields=fields, maximum=most, when=when):
            together = " together" if len(fields) > 1 else ""
            yield f"{', '.join(fields)}: at most {most} files{together}" + (f" with {_when(when)}" if when else "")
        case _:
            assert_never(rule)


def _prices(model: Model) -> Iterator[Fact]:
    tariff = model.tariff
    rows = tariff.rows or ((PriceRow((), tariff.credits, tariff.per),) if tariff.credits else ())
    for row in rows:
        per = "" if row.per is Unit.TASK else f" per {row.per.replace('_', ' ')}"
        yield Fact("price", _when(row.when) or "always", f"{number(row.credits)} credits{per}")
    for extra in tariff.surcharges:
        beyond = f" beyond the first {extra.after}" if extra.after else ""
        yield Fact("price", f"each of {', '.join(extra.of)}{beyond}", f"{number(extra.credits)} credits more")


def _when(when: Sequence[Condition | TaskCondition]) -> str:
    return " and ".join(_condition(condition) for condition in when)


def _condition(condition: Condition | TaskCondition) -> str:
    if isinstance(condition, TaskCondition):
        return f"{condition.name} of the earlier task {'/'.join(map(_scalar, condition.allowed))}"
    if isinstance(condition.allowed, Presence):
        return f"{condition.field} {condition.allowed}"
    return f"{condition.field} {'/'.join(map(_scalar, condition.allowed))}"


def _scalar(value: Scalar) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def number(amount: Decimal) -> str:
    """Without zeros that say nothing."""
    return f"{amount:f}".rstrip("0").rstrip(".") if "." in f"{amount:f}" else f"{amount:f}"
