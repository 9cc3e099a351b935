"""From inputs to a price, or to the reason why there is none."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias, assert_never

from kiosk.catalog.model import (
    Characters,
    Condition,
    Input,
    Length,
    Model,
    Number,
    PriceRow,
    Ratio,
    Surcharge,
    TaskCondition,
    Term,
    Unit,
    Value,
)
from kiosk.catalog.reference import playing_time
from kiosk.catalog.rules import holds, is_given, with_defaults
from kiosk.money import to_kopecks

USD_PER_CREDIT: Final = Decimal("0.005")
MAX_NUMERAL_CHARS: Final = 20
MAX_QUANTITY: Final = 10**12

_UNIT_SIZE: Final = {
    Unit.IMAGE: Decimal(1),
    Unit.SECOND: Decimal(1),
    Unit.MINUTE: Decimal(1),
    Unit.THOUSAND_CHARACTERS: Decimal(1000),
}


@dataclass(frozen=True, slots=True)
class Rates:
    """How credits become rubles. Errors: ValueError where a rate is not a positive number."""

    rub_per_usd: Decimal
    multiplier: Decimal
    usd_per_credit: Decimal = USD_PER_CREDIT

    def __post_init__(self) -> None:
        for rate in (self.rub_per_usd, self.multiplier, self.usd_per_credit):
            if not rate.is_finite() or rate <= 0:
                raise ValueError(f"{rate} is no rate")


@dataclass(frozen=True, slots=True)
class Quote:
    """`credits`: what the provider takes; `cost_kopecks`: that in our money, rounded up; the price is never less."""

    price_kopecks: int
    credits: Decimal
    cost_kopecks: int


class UnpricedReason(StrEnum):
    NO_PRICE = "no_price"  # the provider's price is not known, or it is nothing
    NO_ROW = "no_row"  # this combination of inputs is not in the price list
    NEEDS_INPUT = "needs_input"  # the price depends on an input that is not there
    NEEDS_MEDIA_LENGTH = "needs_media_length"
    NEEDS_EARLIER_TASK = "needs_earlier_task"
    DECIDED_BY_RESULT = "decided_by_result"


@dataclass(frozen=True, slots=True)
class Unpriced:
    """`field`: the input that is in the way, "" when it is none in particular."""

    reason: UnpricedReason
    field: str = ""


Priced: TypeAlias = Quote | Unpriced


def quote(model: Model, inputs: Mapping[str, Any], rates: Rates, *, earlier: Mapping[str, Any] | None = None) -> Priced:
    """The exact price of one generation; an input that is left out counts with its default, as it would be sent.

    `earlier`: what the earlier task was sent that the inputs refer to, None: there is none.
    """
    settled = with_defaults(model, inputs, for_required=True)
    row = _row(model, settled, earlier)
    if isinstance(row, Unpriced):
        return row
    quantity = _quantity(model, row, settled)
    if isinstance(quantity, Unpriced):
        return quantity
    if not row.credits or not quantity:
        return Unpriced(UnpricedReason.NO_PRICE)
    return _priced(
        model, row.credits * quantity + sum(_extra(extra, settled) for extra in model.tariff.surcharges), rates
    )


def is_priceable(model: Model, *, as_follow_up: bool = False) -> bool:
    """Some inputs have a price: the price is known and does not hang on what only the result can tell.

    `as_follow_up`: together with what an earlier task was sent.
    """
    return any(row.credits and _is_countable(row) and (as_follow_up or not _of_task(row)) for row in _rows(model))


def is_priceable_after(model: Model, earlier: Mapping[str, Any]) -> bool:
    """The same beside this earlier task."""
    return any(row.credits and _is_countable(row) and _fits_task(row, earlier) for row in _rows(model))


def task_holds(condition: TaskCondition, earlier: Mapping[str, Any]) -> bool:
    """A value that the earlier task was not sent fits nothing."""
    return holds(Condition(condition.name, condition.allowed), earlier)


def _is_required(model: Model, field: str) -> bool:
    item = model.find(field)
    return item is not None and item.required


def _is_countable(row: PriceRow) -> bool:
    return row.per is Unit.TASK or row.per in _UNIT_SIZE


def _of_task(row: PriceRow) -> tuple[TaskCondition, ...]:
    return tuple(condition for condition in row.when if isinstance(condition, TaskCondition))


def _fits_task(row: PriceRow, earlier: Mapping[str, Any]) -> bool:
    return all(task_holds(condition, earlier) for condition in _of_task(row))


def _rows(model: Model) -> tuple[PriceRow, ...]:
    tariff = model.tariff
    if not tariff.credits:
        return ()
    return tariff.rows or (PriceRow((), tariff.credits, tariff.per),)


def _row(model: Model, inputs: Mapping[str, Any], earlier: Mapping[str, Any] | None) -> PriceRow | Unpriced:
    rows = _rows(model)
    if not rows:
        return Unpriced(UnpricedReason.NO_PRICE)
    fitting = [row for row in rows if all(holds(one, inputs) for one in row.when if isinstance(one, Condition))]
    if earlier is None and any(_of_task(row) for row in fitting):
        return Unpriced(UnpricedReason.NEEDS_EARLIER_TASK)
    fitting = [row for row in fitting if _fits_task(row, earlier or {})]
    if fitting:
        return fitting[0]
    fields = (condition.field for row in rows for condition in row.when if isinstance(condition, Condition))
    missing = next((field for field in fields if field not in inputs and _is_required(model, field)), None)
    return Unpriced(UnpricedReason.NEEDS_INPUT, missing) if missing else Unpriced(UnpricedReason.NO_ROW)


def _quantity(model: Model, row: PriceRow, inputs: Mapping[str, Any]) -> Decimal | Unpriced:
    """Begun units count whole, so that no way of rounding at the provider costs more than we took."""
    if row.per is Unit.TASK:
        return Decimal(1)
    size = _UNIT_SIZE.get(row.per)
    if size is None:
        return Unpriced(UnpricedReason.DECIDED_BY_RESULT)
    if not model.tariff.quantity:
        return Decimal(1)
    total = Decimal(0)
    for term in model.tariff.quantity:
        amount = _amount(model, term, inputs)
        if isinstance(amount, Unpriced):
            return amount
        total += amount
    return (total / size).to_integral_value(ROUND_CEILING)


def _amount(model: Model, term: Term, inputs: Mapping[str, Any]) -> Decimal | Unpriced:
    match term:
        case Value(field=field):
            return _number(model.find(field), inputs)
        case Ratio(field=field, by=by):
            dividend, divisor = _number(model.find(field), inputs), _number(model.find(by), inputs)
            if isinstance(dividend, Unpriced):
                return dividend
            return divisor if isinstance(divisor, Unpriced) else dividend / divisor
        case Characters(field=field, part=part):
            count = _characters(inputs.get(field), part)
            return Decimal(count) if count else Unpriced(UnpricedReason.NEEDS_INPUT, field)
        case Length(field=field):
            return _length(model, field, inputs)
        case _:
            assert_never(term)


def _length(model: Model, field: str, inputs: Mapping[str, Any]) -> Decimal | Unpriced:
    """Seconds of the files of an input, as they were measured when they came."""
    if not is_given(inputs, field) and not _is_required(model, field):
        return Decimal(0)
    seconds = playing_time(inputs.get(field))
    return Decimal(seconds) if seconds else Unpriced(UnpricedReason.NEEDS_MEDIA_LENGTH, field)


def _number(item: Input | None, inputs: Mapping[str, Any]) -> Decimal | Unpriced:
    field = item.name if item else ""
    value = inputs.get(field)
    if item and isinstance(item.kind, Number) and value in item.kind.special:
        return Unpriced(UnpricedReason.DECIDED_BY_RESULT, field)
    number = _numeral(value)
    return Unpriced(UnpricedReason.NEEDS_INPUT, field) if number is None else number


def _numeral(value: Any) -> Decimal | None:
    """A positive number, be it written as a text; None: anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if not isinstance(value, str):
        value = str(value) if 0 < value < MAX_QUANTITY else ""
    if len(value) > MAX_NUMERAL_CHARS or not value.replace(".", "", 1).isdecimal():
        return None
    return Decimal(value) or None


def _characters(value: Any, part: str | None) -> int:
    if part is None:
        return len(value) if isinstance(value, str) else 0
    items = value if isinstance(value, list) else []
    texts = (item.get(part) for item in items if isinstance(item, dict))
    return sum(len(text) for text in texts if isinstance(text, str))


def _extra(extra: Surcharge, inputs: Mapping[str, Any]) -> Decimal:
    given = (inputs[field] for field in extra.of if is_given(inputs, field))
    count = sum(len(value) if isinstance(value, list) else 1 for value in given)
    return extra.credits * max(count - extra.after, 0)


def _priced(model: Model, taken: Decimal, rates: Rates) -> Quote:
    cost_rub = taken * rates.usd_per_credit * rates.rub_per_usd
    price_rub = model.tariff.price_rub
    if price_rub is None:
        price_rub = cost_rub * (model.tariff.multiplier or rates.multiplier)
    cost_kopecks = to_kopecks(cost_rub)
    return Quote(max(to_kopecks(price_rub), cost_kopecks), taken, cost_kopecks)
