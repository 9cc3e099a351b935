"""The least that a model can be asked for: short texts, one file where one is needed, whatever is cheapest; pure.

Files are named as `media:1` and so on, in the order of SAMPLES; whoever orders puts real ones of that length there.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import islice, product
from typing import Any, Final, assert_never

from kiosk.catalog.answer import Accepted, check
from kiosk.catalog.form import Valid, next_question, validate
from kiosk.catalog.lowest import priced_by
from kiosk.catalog.model import Choice, Flag, Group, Input, Kind, Listing, Media, MediaType, Model, Number, Text
from kiosk.catalog.quote import USD_PER_CREDIT, Quote, Rates, quote
from kiosk.catalog.reference import Reference

# Short enough for whoever counts seconds, and no shorter than any input that is needed wants it.
SAMPLES: Final[Mapping[MediaType, Reference]] = {
    MediaType.IMAGE: Reference(1),
    MediaType.VIDEO: Reference(2, 3),
    MediaType.AUDIO: Reference(3, 3),
}
SENTENCE: Final = "A red apple on a white table."
# For texts of a certain form: a language, a switch between forms, somebody who speaks.
FORMS: Final = ("en", "auto", "Speaker 1", "1")
TRIED_AT_MOST: Final = 2_000
ROUNDS: Final = 2
_PLAIN: Final = Rates(rub_per_usd=1 / USD_PER_CREDIT, multiplier=Decimal(1))


def example(model: Model) -> dict[str, Any] | None:
    """Complete, valid inputs, as cheap as looking at each input by itself finds; None: none were found."""
    inputs = _valid(model, _answered(model))
    if inputs is None:
        return None
    for _ in range(ROUNDS):
        for item in model.inputs:
            inputs = _cheapest(model, inputs, item)
    return inputs


def _answered(model: Model) -> dict[str, Any]:
    """Every question with the first answer that fits."""
    inputs: dict[str, Any] = {}
    for _ in model.inputs:
        asked = next_question(model, inputs)
        item = model.find(asked.field.partition("[")[0]) if asked else None  # all of an object at once
        if item is None or item.name in inputs:
            break
        inputs[item.name] = next(_fitting(item), None)
    return inputs


def _valid(model: Model, inputs: dict[str, Any]) -> dict[str, Any] | None:
    """These, or others for the same questions that go together."""
    if isinstance(validate(model, inputs), Valid):
        return inputs
    items = [item for item in model.inputs if item.name in inputs]
    combinations = product(*(tuple(_fitting(item)) for item in items))
    names = [item.name for item in items]
    tried = (dict(zip(names, values, strict=True)) for values in islice(combinations, TRIED_AT_MOST))
    return next((one for one in tried if isinstance(validate(model, one), Valid)), None)


def _cheapest(model: Model, inputs: dict[str, Any], item: Input) -> dict[str, Any]:
    """The same inputs with the cheapest value of this one, among those that the price hangs on."""
    if item.name not in set(priced_by(model)) or item.task_ref:
        return inputs
    others = {name: value for name, value in inputs.items() if name != item.name}
    ways = [inputs, *({**others, item.name: value} for value in _fitting(item)), others]
    return min(ways, key=lambda way: _price(model, way))


def _price(model: Model, inputs: Mapping[str, Any]) -> float:
    """For comparison alone; what cannot be ordered is dearest."""
    checked = validate(model, inputs)
    priced = quote(model, checked.inputs, _PLAIN) if isinstance(checked, Valid) else None
    return float(priced.credits) if isinstance(priced, Quote) else float("inf")


def _fitting(item: Input) -> Iterator[Any]:
    """Values that fit this input alone, the simplest first."""
    for value in _values(item.kind):
        checked = check(item.kind, value, item.name)
        if isinstance(checked, Accepted):
            yield checked.value


def _values(kind: Kind) -> Iterator[Any]:
    match kind:
        case Text(min_length=least, max_length=most):
            yield (SENTENCE * (least // len(SENTENCE) + 1))[: max(least, min(len(SENTENCE), most))]
            yield from FORMS
        case Choice(values=values):
            yield from values
        case Number():
            yield from _numbers(kind)
        case Flag():
            yield from (False, True)
        case Media(media=media):
            if media in SAMPLES:
                yield str(SAMPLES[media])
        case Listing(of=of, min_items=least):
            yield from ([value] * max(least, 1) for value in _values(of))
        case Group(fields=fields):
            yield {part.name: next(_fitting(part), None) for part in fields if part.required}
        case _:
            assert_never(kind)


def _numbers(kind: Number) -> Iterator[float]:
    """Ends of the range, and what is small and round between them."""
    between = (1, 2, 4, 5, 8, 10)
    for value in (*(one for one in between if kind.minimum <= one <= kind.maximum), kind.minimum, kind.maximum):
        yield int(value) if kind.whole else float(value)
    yield from kind.special
