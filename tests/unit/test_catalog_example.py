"""The least that every model can be asked for is whole, priced where it is sold, and taken by the provider's rules."""

from decimal import Decimal
from typing import Any

import pytest

from kiosk.catalog.example import SAMPLES, example
from kiosk.catalog.form import Valid, payload, validate
from kiosk.catalog.lowest import lowest_price
from kiosk.catalog.model import Input, Listing, Media, Model
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.shelf import default_shelf
from kiosk.media.given import facts_of
from kiosk.media.luggage import addressed
from kiosk.samples import FILES, with_samples
from sandbox.kie.rules import check, rules

SHELF = default_shelf()
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
ADDRESSES = {sample.media_id: f"https://host.example/{sample.media_id}" for sample in SAMPLES.values()}


def shown(model: Model) -> dict[str, Any]:
    inputs = example(model)
    assert inputs is not None
    return inputs


@pytest.mark.parametrize("model", SHELF.models, ids=lambda model: model.id)
def test_example_is_accepted(model: Model) -> None:
    """Of all models, sold or not: our form takes it, and so does the provider's own copy of the rules."""
    checked = validate(model, shown(model))
    assert isinstance(checked, Valid)
    sent = {name: addressed(value, ADDRESSES) for name, value in payload(model, checked.inputs).items()}
    assert check(rules()[model.id], sent, 500) is None


@pytest.mark.parametrize("model", SHELF.sellable(), ids=lambda model: model.id)
def test_example_of_a_sold_model_is_cheap(model: Model) -> None:
    """It has a price, and no more than that of the files' seconds above the least that the model is sold for."""
    checked = validate(model, shown(model))
    assert isinstance(checked, Valid)
    priced, least = quote(model, checked.inputs, RATES), lowest_price(model, RATES)
    assert isinstance(priced, Quote)
    longest = max(sample.seconds or 1 for sample in SAMPLES.values())
    assert least is None or priced.price_kopecks <= least * longest


def media_of(item: Input) -> Media | None:
    kind = item.kind.of if isinstance(item.kind, Listing) else item.kind
    return kind if isinstance(kind, Media) else None


def test_samples_are_what_the_examples_say() -> None:
    """Real files, of the kind and the length that stand in the examples."""
    for media, sample in SAMPLES.items():
        facts = facts_of(FILES[media])
        assert facts is not None
        assert (facts.media, facts.seconds) == (media, sample.seconds)
        assert with_samples([str(sample), "x"]) == [FILES[media], "x"]


def test_samples_fit_every_input_that_needs_one() -> None:
    """Format, size and length of each file are within the limits of every input that is filled with it."""
    for model in SHELF.models:
        for item in model.inputs:
            wanted = media_of(item)
            if wanted is None or item.name not in shown(model):
                continue
            facts = facts_of(FILES[wanted.media])
            assert facts is not None
            assert not wanted.formats or {facts.extension, "jpeg"} & {*wanted.formats}, (model.id, item.name)
            assert wanted.max_size_mb is None or facts.size_bytes < wanted.max_size_mb * 2**20
            if facts.seconds is not None:
                assert (wanted.min_seconds or 0) <= facts.seconds <= (wanted.max_seconds or facts.seconds)
