"""Whatever the wizard lets through, the provider takes: the stand-in judges by its own copy of the pages."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from kiosk.catalog.form import (
    Accepted,
    Question,
    QuestionKind,
    Valid,
    check_answer,
    next_question,
    payload,
    settings,
    validate,
)
from kiosk.catalog.model import Model
from kiosk.catalog.path import put, read_path, value_at
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.reference import Reference
from kiosk.catalog.shelf import default_shelf
from kiosk.generations.draft import with_file
from kiosk.media.luggage import addressed
from sandbox.kie.rules import check, rules

SOLD = default_shelf().sellable()
FILES = {1: "https://host.example/a"}
SECONDS = 7
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))


def answers_to(asked: Question) -> Iterator[Any]:
    """What a customer could say: each choice, the ends of a range, the shortest and the longest text, a file."""
    if asked.kind is QuestionKind.MEDIA:
        files = with_file({}, asked, Reference(1, SECONDS))
        yield files * int(asked.minimum or 1) if asked.is_list else files
    elif asked.kind is QuestionKind.OBJECTS:
        yield [an_object(asked, last=last) for last in (False, True)][: int(asked.maximum or 1)]
    elif asked.choices:
        yield from asked.choices
    elif asked.kind is QuestionKind.NUMBER:
        kind = int if asked.whole else float
        yield from (kind(asked.minimum or 0), kind(asked.maximum or 0))
    elif asked.kind is QuestionKind.TEXT:
        yield from ("ы" * int(length) for length in (asked.minimum or 1, asked.maximum or 1))
    else:
        yield ["ы"]


def an_object(asked: Question, *, last: bool) -> dict[str, Any]:
    """With the first or the last of what each part could be; the last has the optional parts, too."""
    wanted = [part for part in asked.parts if part.required or last]
    return {part.field: list(answers_to(part))[-1 if last else 0] for part in wanted}


def walked(model: Model) -> dict[str, Any]:
    """Every question answered with the first that fits."""
    inputs: dict[str, Any] = {}
    while asked := next_question(model, inputs):
        assert value_at(inputs, read_path(asked.field)) is None
        said = answers_to(asked)
        fitting = [value for value in said if isinstance(check_answer(model, asked.field, value), Accepted)]
        inputs = put(inputs, read_path(asked.field), fitting[0] if fitting else "en")  # a text of a certain form
    return inputs


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
