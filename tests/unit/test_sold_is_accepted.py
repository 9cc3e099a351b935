"""Whatever the wizard lets through, the provider takes: the stand-in judges by its own copy of the pages."""

from decimal import Decimal

import pytest

from kiosk.catalog.form import Valid, payload, settings, validate
from kiosk.catalog.model import Model
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.shelf import default_shelf
from kiosk.media.luggage import addressed
from sandbox.kie.rules import check, rules
from tests.answers import answers_to, walked

SOLD = default_shelf().sellable()
FILES = {1: "https://host.example/a"}
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))


def complaint(model: Model, valid: Valid) -> object:
    sent = {name: addressed(value, FILES) for name, value in payload(model, valid.inputs).items()}
    assert "media:" not in str(sent)
    return check(rules()[model.id], sent, 500)


@pytest.mark.parametrize("model", SOLD, ids=lambda model: model.id)
def test_walk_through_a_sold_model_is_accepted_and_priced(model: Model) -> None:
    """Required answers alone make an order with a price that the provider has nothing against."""
    checked = validate(model, walked(model))
    assert isinstance(checked, Valid)
    assert isinstance(quote(model, checked.inputs, RATES), Quote)
    assert complaint(model, checked) is None


@pytest.mark.parametrize("model", SOLD, ids=lambda model: model.id)
def test_each_setting_is_accepted_or_explained(model: Model) -> None:
    """Any value of any setting, one at a time: either our rules refuse it in words, or the provider takes it."""
    base = walked(model)
    tried = 0
    for asked in settings(model):
        for value in answers_to(asked):
            checked = validate(model, {**base, asked.field: value})
            if isinstance(checked, Valid):
                tried += 1
                assert (asked.field, value, complaint(model, checked)) == (asked.field, value, None)
    assert tried or not settings(model)
