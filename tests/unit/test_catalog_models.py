"""Over all models: whatever the inputs are, the form answers, what it lets through is typed, and prices hold."""

import json
import math
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any, assert_never

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kiosk.catalog.form import Accepted, Valid, check_answer, next_question, payload, questions, validate
from kiosk.catalog.lowest import lowest_price
from kiosk.catalog.model import Choice, Flag, Group, Kind, Listing, Media, Model, Number, Text
from kiosk.catalog.objects import resolve
from kiosk.catalog.path import put, read_path
from kiosk.catalog.quote import Quote, Rates, Unpriced, UnpricedReason, is_priceable, quote
from kiosk.catalog.shelf import default_shelf

SHELF = default_shelf()
WRITTEN: dict[str, dict[str, Any]] = {
    entry["id"]: entry
    for entry in yaml.load(
        files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8"),
        yaml.CSafeLoader,
    )["models"]
}
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "enum": (str,),
    "url": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner))
RATES = st.builds(
    Rates,
    rub_per_usd=st.decimals("0.01", "1000", places=4),
    multiplier=st.decimals("0.5", "20", places=3),
)
PLAIN_RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
THOROUGH = settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))


def fitting(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that fit a kind."""
    match kind:
        case Text(pattern=None):
            return st.text("aя 🐈\n", min_size=kind.min_length, max_size=min(kind.max_length, kind.min_length + 30))
        case Text():
            return st.from_regex(str(kind.pattern), fullmatch=True, alphabet=st.characters(max_codepoint=127))
        case Choice():
            return st.sampled_from(kind.values)
        case Number(whole=True):
            return st.integers(math.ceil(kind.minimum), math.floor(kind.maximum))
        case Number():
            return st.decimals(str(kind.minimum), str(kind.maximum), places=1).map(float) | st.just(kind.minimum)
        case Flag():
            return st.booleans()
        case Media():
            return st.sampled_from(
                ["https://files.example/a.png", "http://files.example/b?c=d", "media:7", "media:8:30"]
            )
        case Listing():
            most = min(kind.max_items, max(kind.min_items, 1) + 2)
            return st.lists(fitting(kind.of), min_size=max(kind.min_items, 1), max_size=most)
        case Group():
            required = {part.name: fitting(part.kind) for part in kind.fields if part.required}
            return st.fixed_dictionaries(
                required,
                optional={part.name: fitting(part.kind) for part in kind.fields if not part.required},
            )
        case _:
            assert_never(kind)


@cache
def filled(model_id: str) -> st.SearchStrategy[dict[str, Any]]:
    """Inputs that each fit alone; joint rules may still be broken."""
    inputs = SHELF.get(model_id).inputs
    required = {item.name: fitting(item.kind) for item in inputs if item.required}
    return st.fixed_dictionaries(
        required,
        optional={item.name: fitting(item.kind) for item in inputs if not item.required},
    )


@cache
def jumbled(model_id: str) -> st.SearchStrategy[Any]:
    """Any JSON at all, or an object with the right names, the wrong values and some strangers."""
    inputs = SHELF.get(model_id).inputs
    values = {item.name: fitting(item.kind) | JSON for item in inputs}
    return JSON | st.fixed_dictionaries({}, optional=values | {"callBackUrl": JSON, "model ": JSON})


MODEL_IDS = st.sampled_from([model.id for model in SHELF.models])


def has_written_type(spec: dict[str, Any], value: Any) -> bool:
    """Judged by the file alone, not by what the code under test made of it."""
    allowed = TYPES[spec.get("value_type") or spec["type"]]
    if spec["type"] == "array":
        items = spec["items"]
        inner = items if isinstance(items, dict) else {**spec, "type": items}
        return isinstance(value, list) and all(has_written_type(inner, item) for item in value)
    if spec["type"] == "object":
        fields = spec["fields"]
        return isinstance(value, dict) and all(has_written_type(fields[name], part) for name, part in value.items())
    return isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))


def check_sent(model: Model, valid: Valid) -> None:
    """Only known keys, each of the declared JSON type, and every required one."""
    specs = {spec.get("api_name", name): spec for name, spec in WRITTEN[model.id]["inputs"].items()}
    sent = payload(model, valid.inputs)
    assert set(sent) <= set(specs)
    assert {name for name, spec in specs.items() if spec.get("required")} <= set(sent)
    assert [name for name, value in sent.items() if not has_written_type(specs[name], value)] == []
    assert json.loads(json.dumps(sent, allow_nan=False)) == sent


def check_price(model: Model, inputs: dict[str, Any], rates: Rates) -> None:
    """A price in whole kopecks that covers its cost, or a reason; a reason always, where there never is a price."""
    price = quote(model, inputs, rates)
    if isinstance(price, Unpriced):
        return
    assert is_priceable(model)
    assert type(price.price_kopecks) is type(price.cost_kopecks) is int
    assert price.price_kopecks >= price.cost_kopecks > 0
    assert price.cost_kopecks >= price.credits * rates.usd_per_credit * rates.rub_per_usd * 100
    assert price.price_kopecks >= price.credits * rates.usd_per_credit * rates.rub_per_usd * rates.multiplier * 100


@cache
def lowest(model_id: str) -> int | None:
    return lowest_price(SHELF.get(model_id), PLAIN_RATES)


def check_lowest(model: Model, inputs: dict[str, Any]) -> None:
    """The shelf's "from" promises no more than there is: nobody can have it cheaper."""
    price = quote(model, inputs, PLAIN_RATES)
    if isinstance(price, Quote):
        assert (lowest(model.id) or 0) <= price.price_kopecks


@THOROUGH
@given(data=st.data(), model_id=MODEL_IDS)
def test_models_answer_any_inputs(data: st.DataObject, model_id: str) -> None:
    """No JSON whatsoever breaks the form or the quote, and what passes as valid is fit to be sent."""
    model, inputs = SHELF.get(model_id), data.draw(jumbled(model_id))
    checked = validate(model, inputs)
    if isinstance(checked, Valid):
        check_sent(model, checked)
    if isinstance(inputs, dict):
        next_question(model, inputs)
        check_price(model, inputs, PLAIN_RATES)
        for name, value in inputs.items():
            check_answer(model, name, value)


@THOROUGH
@given(data=st.data(), model_id=MODEL_IDS, rates=RATES)
def test_models_send_what_is_valid(data: st.DataObject, model_id: str, rates: Rates) -> None:
    """Valid inputs are sent with their types, stay valid as they are, leave nothing to ask and have a fair price."""
    model, inputs = SHELF.get(model_id), data.draw(filled(model_id))
    checked = validate(model, inputs)
    if isinstance(checked, Valid):
        check_sent(model, checked)
        check_price(model, checked.inputs, rates)
        check_lowest(model, checked.inputs)
        assert validate(model, checked.inputs) == checked
        assert next_question(model, checked.inputs) is None
        assert quote(model, inputs, rates) == quote(model, checked.inputs, rates)


def simplest(kind: Kind) -> Any:
    match kind:
        case Text():
            return {"Speaker [1-9][0-9]*": "Speaker 1"}.get(kind.pattern or "", "auto" if kind.pattern else "word " * 4)
        case Choice():
            return kind.values[0]
        case Number():
            return max(1, kind.minimum)
        case Flag():
            return True
        case Media():
            return "media:7:12"
        case Listing():
            return [simplest(kind.of)] * max(kind.min_items, 1)
        case Group():
            return {part.name: simplest(part.kind) for part in kind.fields if part.required}
        case _:
            assert_never(kind)


@pytest.mark.parametrize("model", SHELF.models, ids=lambda model: model.id)
def test_models_can_all_be_answered(model: Model) -> None:
    """Answering question after question ends, and what it ends in is valid and can be sent."""
    inputs: dict[str, Any] = {}
    for _ in range(len(model.inputs) * 3):
        asked = next_question(model, inputs)
        if asked is None:
            break
        item = resolve(model, asked.field)
        assert item
        answered = check_answer(model, asked.field, simplest(item.kind))
        assert isinstance(answered, Accepted)
        inputs = put(inputs, read_path(asked.field), answered.value)
    checked = validate(model, inputs)
    assert isinstance(checked, Valid)
    check_sent(model, checked)
    assert {asked.field for asked in questions(model)} <= set(inputs)


@pytest.mark.parametrize("model", SHELF.sellable(), ids=lambda model: model.id)
def test_models_on_sale_are_offered_from_a_price(model: Model) -> None:
    """What the shelf says beside the name is there for every model, and some inputs do cost just that."""
    least = lowest(model.id)
    assert least is not None
    assert least > 0


@pytest.mark.parametrize("model", [model for model in SHELF.models if is_priceable(model)], ids=lambda model: model.id)
def test_models_that_are_priceable_have_a_price(model: Model) -> None:
    """A model counted as having a price has one for its simplest inputs, unless one more number is asked for."""
    inputs = {item.name: item.preset or simplest(item.kind) for item in model.inputs if item.required}
    price = quote(model, inputs, PLAIN_RATES)
    missing_number = Unpriced(UnpricedReason.NEEDS_INPUT, "duration_seconds")
    assert isinstance(price, Quote) or price == missing_number
