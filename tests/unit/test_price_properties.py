"""Prices over the whole catalog: every combination has one or a reason, and more is never cheaper."""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import islice, product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.bot.problems import problem, unpriced
from kiosk.bot.words import LANGUAGES, words
from kiosk.catalog.form import Invalid, Question, Rejected, check_answer, question, questions, validate
from kiosk.catalog.form import settings as settings_of
from kiosk.catalog.lowest import priced_by
from kiosk.catalog.model import UNSTATED_MAX_NUMBER, Choice, Flag, Input, Model, Number, Value
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.rules import with_defaults
from kiosk.catalog.shelf import default_shelf
from tests.answers import walked

SHELF = default_shelf()
SOLD = SHELF.sellable()
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
COMBINATIONS = 400
LEFT_OUT = object()
RESOLUTION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(p|k)", re.IGNORECASE)
NAMED = {"SD": 480, "HD": 720}


@cache
def base(model_id: str) -> dict[str, Any]:
    return walked(SHELF.get(model_id))


@cache
def chosen(model_id: str) -> st.SearchStrategy[dict[str, Any]]:
    """The required answers, and any of the buttons of every question and setting; a setting may be left out."""
    model = SHELF.get(model_id)
    with_buttons = [one for one in (*questions(model), *settings_of(model)) if one.choices]
    return st.fixed_dictionaries({one.field: _buttons(one) for one in with_buttons})


def _buttons(asked: Question) -> st.SearchStrategy[Any]:
    choices = st.sampled_from(asked.choices)
    return choices if asked.required else st.just(LEFT_OUT) | choices


@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), model=st.sampled_from(SOLD))
def test_any_buttons_have_a_price_or_a_reason_in_words(data: st.DataObject, model: Model) -> None:
    """Never below cost, never nothing; and what is refused is refused with a sentence, in every language."""
    picked = {name: value for name, value in data.draw(chosen(model.id)).items() if value is not LEFT_OUT}
    checked = validate(model, {**base(model.id), **picked})
    if isinstance(checked, Invalid):
        assert checked.problems
        for language in LANGUAGES:
            other = words(language)("wrong-other")
            assert all(problem(words(language), model, one) not in {"", other} for one in checked.problems)
        return
    price = quote(model, checked.inputs, RATES)
    if isinstance(price, Quote):
        assert price.price_kopecks >= price.cost_kopecks > 0
        assert price.credits > 0
    else:
        assert all(unpriced(words(language), model, price) for language in LANGUAGES)


@pytest.mark.parametrize("model", SOLD, ids=lambda model: model.id)
def test_nonsense_is_told_what_is_expected(model: Model) -> None:
    """Words where a number, a button or a file is wanted are refused with what would do, never with a mere "no"."""
    for asked in (*questions(model), *settings_of(model)):
        checked = check_answer(model, asked.field, "абв?")
        if isinstance(checked, Rejected):
            for language in LANGUAGES:
                say = words(language)
                told = problem(say, model, checked.problem)
                assert told not in {"", say("wrong-other")}, (asked.field, checked.problem)
                assert str(UNSTATED_MAX_NUMBER) not in told


def rank(value: Any) -> float | None:
    """How much is made: 480p < 720p < 1080p < 4K, 1K < 2K < 4K, SD < HD, and numbers; None: that has no order."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    if value.upper() in NAMED:
        return NAMED[value.upper()]
    found = RESOLUTION.fullmatch(value)
    if found:
        return float(found[1]) * (1000 if found[2].lower() == "k" else 1)
    return float(value) if value.isdecimal() else None


def ordered_values(model: Model, item: Input) -> tuple[Any, ...]:
    """The values of an input by how much they make; nothing where they have no order."""
    asked = question(model, item.name)
    values: tuple[Any, ...] = ()
    match item.kind:
        case Choice(values=values):
            pass
        case Number(minimum=low, maximum=high, whole=True) if asked and Value(item.name) in model.tariff.quantity:
            values = tuple(range(int(low), min(int(high), int(low) + 30) + 1))
        case _:
            return ()
    ranks = [rank(value) for value in values]
    if len(values) < 2 or any(one is None for one in ranks):
        return ()
    return tuple(sorted(values, key=lambda value: rank(value) or 0))


def others(model: Model, but: str) -> Iterator[dict[str, Any]]:
    """Combinations of what else the price hangs on."""
    names = [name for name in dict.fromkeys(priced_by(model)) if name != but]
    items = [item for name in names if (item := model.find(name)) and isinstance(item.kind, Choice | Flag | Number)]
    ways = [_ways(model, item) for item in items]
    for parts in islice(product(*ways), COMBINATIONS):
        yield {name: value for part in parts for name, value in part.items()}


def _ways(model: Model, item: Input) -> list[dict[str, Any]]:
    values = (True, False) if isinstance(item.kind, Flag) else ordered_values(model, item)
    values = item.kind.values if isinstance(item.kind, Choice) else values
    return [{}, *({item.name: value} for value in values)]


ORDERED = [
    (model, item.name)
    for model in SOLD
    for name in dict.fromkeys(priced_by(model))
    if (item := model.find(name)) and ordered_values(model, item)
]


@pytest.mark.parametrize(("model", "field"), ORDERED, ids=lambda one: getattr(one, "id", one))
def test_more_is_never_cheaper(model: Model, field: str) -> None:
    """Longer, larger or more of it costs at least as much, with everything else the same."""
    item = model.find(field)
    assert item
    compared = 0
    for rest in others(model, field):
        inputs = {**base(model.id), **rest}
        prices = [(value, quote(model, {**inputs, field: value}, RATES)) for value in ordered_values(model, item)]
        known = [(value, price.price_kopecks) for value, price in prices if isinstance(price, Quote)]
        compared += max(len(known) - 1, 0)
        assert known == sorted(known, key=lambda pair: pair[1]), with_defaults(model, inputs)
    assert compared


def test_most_models_have_something_to_compare() -> None:
    """The comparison above is of the catalog, not of a few."""
    assert len({model.id for model, _ in ORDERED}) > 60
