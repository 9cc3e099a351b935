"""Reads what a model costs: for any inputs at most one row applies, and each row can be worked out or says why not."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import combinations
from typing import Any, Final

from kiosk.catalog.model import (
    Characters,
    Choice,
    Condition,
    Length,
    Listing,
    Media,
    Number,
    Presence,
    PriceRow,
    Ratio,
    Surcharge,
    Tariff,
    TaskCondition,
    Term,
    Text,
    Unit,
    Value,
)
from kiosk.catalog.reading.inputs import Inputs, allowed_values
from kiosk.catalog.reading.rules import conditions_of, known, text_in_list
from kiosk.catalog.reading.sheet import Sheet, quoted

TASK_PREFIX: Final = "task."
COUNTED: Final = frozenset({Unit.IMAGE, Unit.SECOND, Unit.MINUTE, Unit.THOUSAND_CHARACTERS})


def read_tariff(sheet: Sheet, inputs: Inputs) -> Tariff:
    """The price keys of an entry; an entry without any has no price."""
    headline = sheet.decimal("credits")
    per = sheet.member("credits_per", Unit, Unit.TASK) or Unit.TASK
    rows = tuple(_read_row(row, inputs) for row in sheet.sheets("pricing"))
    quantity = _read_quantity(sheet, inputs)
    surcharges = tuple(_read_surcharge(extra, inputs) for extra in sheet.sheets("surcharges"))
    as_of, note = sheet.text_or_none("price_as_of"), sheet.text_or_none("pricing_note")
    if headline is None and (rows or surcharges or quantity):
        sheet.note("credits", "is missing: what default inputs come to")
    _check_units(sheet, rows or (PriceRow((), Decimal(0), per),), quantity)
    for (first, one), (second, other) in combinations(enumerate(rows), 2):
        if _may_meet(one, other):
            sheet.note("pricing", f"rows {first} and {second} can both apply")
    return Tariff(headline, per, rows, quantity, surcharges, as_of, note)


def _read_row(row: Sheet, inputs: Inputs) -> PriceRow:
    when = _read_when(row, inputs)
    taken = row.decimal("credits", needed=True)
    per = row.member("per", Unit, Unit.TASK) or Unit.TASK
    row.finish()
    return PriceRow(when, taken or Decimal(0), per)


def _read_when(row: Sheet, inputs: Inputs) -> tuple[Condition | TaskCondition, ...]:
    raw = row.mapping("when")
    of_task = {field: value for field, value in raw.items() if field.startswith(TASK_PREFIX)}
    of_inputs = {field: value for field, value in raw.items() if field not in of_task}
    conditions = conditions_of(of_inputs, row, "when", inputs)
    for condition in conditions:
        _check_is_always_known(condition, row, inputs)
    named = ((name.removeprefix(TASK_PREFIX), value) for name, value in of_task.items())
    return *conditions, *(TaskCondition(name, allowed_values(value, row, "when")) for name, value in named)


def _check_is_always_known(condition: Condition, row: Sheet, inputs: Inputs) -> None:
    item = inputs.get(condition.field)
    if item is None or isinstance(condition.allowed, Presence):
        return
    if not item.required and (item.preset is None or not item.fill):
        row.note("when", f"{quoted(item.name)} may be left out: it needs a default or suggested value that is sent")


def _read_quantity(sheet: Sheet, inputs: Inputs) -> tuple[Term, ...]:
    text = sheet.text_or_none("price_quantity")
    if text is None:
        return ()
    return tuple(term for part in text.split("+") for term in _read_term(part.strip(), sheet, inputs))


def _read_term(text: str, sheet: Sheet, inputs: Inputs) -> Iterable[Term]:
    key = "price_quantity"
    field, slash, by = text.partition("/")
    if slash:
        for name in (field, by):
            _check_kind(name, (Number,), sheet, inputs)
        yield Ratio(field, by)
        return
    field, dot, part = text.partition(".")
    if part in ("seconds", "minutes"):
        _check_kind(field, (Media,), sheet, inputs)
        yield Length(field)
    elif dot:
        yield Characters(*text_in_list(text, sheet, key, inputs))
    else:
        _check_kind(field, (Number, Choice, Text), sheet, inputs)
        item = inputs.get(field)
        yield Characters(field, None) if item and isinstance(item.kind, Text) else Value(field)


def _check_kind(field: str, kinds: tuple[type[Any], ...], sheet: Sheet, inputs: Inputs) -> None:
    item = inputs.get(known(field, sheet, "price_quantity", inputs))
    if item is None:
        return
    kind = item.kind.of if isinstance(item.kind, Listing) and Media in kinds else item.kind
    if not isinstance(kind, kinds):
        sheet.note("price_quantity", f"{quoted(field)} cannot be counted")
    if isinstance(kind, Choice) and not all(_is_count(value) for value in kind.values):
        sheet.note("price_quantity", f"{quoted(field)} has values that are no numbers")


def _is_count(value: Any) -> bool:
    return str(value).removesuffix(".0").isdecimal()


def _check_units(sheet: Sheet, rows: tuple[PriceRow, ...], quantity: tuple[Term, ...]) -> None:
    units = {row.per for row in rows}
    if quantity and Unit.TASK in units:
        sheet.note("price_quantity", "a price per task is multiplied by nothing: say what `per` is")
    uncounted = sorted(units & (COUNTED - {Unit.IMAGE})) if not quantity else []
    for unit in uncounted:
        sheet.note("price_quantity", f"is missing: how many of {quoted(unit.value)}")


def _may_meet(one: PriceRow, other: PriceRow) -> bool:
    return not any(
        _key(first) == _key(second) and _exclude_each_other(first, second)
        for first in one.when
        for second in other.when
    )


def _key(condition: Condition | TaskCondition) -> str:
    return f"{TASK_PREFIX}{condition.name}" if isinstance(condition, TaskCondition) else condition.field


def _exclude_each_other(one: Condition | TaskCondition, other: Condition | TaskCondition) -> bool:
    first, second = one.allowed, other.allowed
    if isinstance(first, tuple) and isinstance(second, tuple):
        return not {(type(value), value) for value in first} & {(type(value), value) for value in second}
    presences = {allowed for allowed in (first, second) if isinstance(allowed, Presence)}
    return len(presences) > 1 or (presences == {Presence.ABSENT} and first != second)


def _read_surcharge(extra: Sheet, inputs: Inputs) -> Surcharge:
    taken, after = extra.decimal("credits", needed=True), extra.whole("after") or 0
    of = extra.texts("of")
    if not of:
        extra.note("of", "names no input")
    for field in of:
        item = inputs.get(known(field, extra, "of", inputs))
        if item and not isinstance(item.kind, Media | Listing):
            extra.note("of", f"{quoted(field)} is no file and no list")
    extra.finish()
    return Surcharge(taken or Decimal(0), of, after)
