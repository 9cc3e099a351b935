"""The catalog in words: everything of a model is told, and two catalogs are compared by what is told."""

from decimal import Decimal
from importlib.resources import files
from pathlib import Path

import pytest

from kiosk.catalog.model import Model
from kiosk.catalog.page import page
from kiosk.catalog.report import WHY_NOT, credits_from, differences, facts, not_kept
from kiosk.catalog.shelf import NotSoldReason, default_shelf, load_shelf

MODELS = files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8")
SHELF = default_shelf()
ONE = """models:
  - id: tomorrow/dream-2
    name: Dream 2
    vendor: Tomorrow
    type: text_to_image
    output: image
    sell: true
    inputs:
      prompt: {type: string, required: true, max_length: 300}
      size: {type: enum, required: true, values: [small, large], default: small}
      hint: {type: string, max_length: 40}
      pictures: {type: array, items: url, media: image, formats: [png], max_size_mb: 5, max_items: 3}
    rules:
      - {requires_input: {hint: [pictures]}}
    credits: 2
    pricing:
      - {when: {size: small}, credits: 2, per: image}
      - {when: {size: large}, credits: 3.5, per: image}
    source: https://provider.example/dream-2
"""


@pytest.mark.parametrize("model", SHELF.models, ids=lambda model: model.id)
def test_facts_tell_everything_once(model: Model) -> None:
    """Every input and every rule of every model is there, and no name stands for two things."""
    told = facts(model)
    assert [fact.name for fact in told if fact.what == "input"] == [item.name for item in model.inputs]
    assert sum(fact.what == "rule" for fact in told) >= len(model.rules)
    assert sum(fact.what == "price" for fact in told) >= len(model.tariff.rows)
    assert len({(fact.what, fact.name) for fact in told}) == len(told)
    assert all(fact.value or fact.what == "rule" for fact in told)


def test_facts_are_plain_words() -> None:
    """Limits, choices, defaults, rules and prices of one model as they are read."""
    said = {(fact.what, fact.name): fact.value for fact in facts(load_shelf(ONE).models[0])}
    assert said["input", "prompt"] == "required, text of 1 to 300 characters"
    assert said["input", "size"] == "required, one of small | large, small when nothing is chosen"
    assert said["input", "pictures"] == "optional, 0 to 3 of: image file (png; at most 5 MB)"
    assert ("rule", "hint needs pictures") in said
    assert said["price", "size large"] == "3.5 credits per image"


def test_credits_from_is_the_least() -> None:
    """Over all options, in credits; nothing where only the result tells."""
    assert credits_from(SHELF.get("z-image")) == Decimal("0.8")
    assert credits_from(load_shelf(ONE).models[0]) == 2
    assert credits_from(SHELF.get("topaz/image-upscale")) is None


def test_a_catalog_does_not_differ_from_itself() -> None:
    """188 models, not a word."""
    assert differences(SHELF, load_shelf(MODELS)) == ()


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        (
            "max_length: 300",
            "max_length: 400",
            "input prompt: was required, text of 1 to 300 characters, is required, ",
        ),
        ("credits: 3.5, per", "credits: 4, per", "price size large: was 3.5 credits per image, is 4 credits per image"),
        ("[pictures]}}", "[size]}}", "rule hint needs size: added"),
        ("      hint: {", "      seed: {type: integer}\n      hint: {", "input seed: added, optional, whole number"),
        ("name: Dream 2", "name: Dream 3", "model name: was Dream 2, is Dream 3"),
        ("id: tomorrow/dream-2", "id: tomorrow/dream-3", "tomorrow/dream-3: added, text_to_image, from 2 credits"),
        ("id: tomorrow/dream-2", "id: tomorrow/dream-3", "tomorrow/dream-2: removed"),
    ],
)
def test_differences_are_told_in_words(was: str, now: str, told: str) -> None:
    """Each change is a sentence that names model, thing, and what it was and is."""
    assert was in ONE
    changes = differences(load_shelf(ONE), load_shelf(ONE.replace(was, now)))
    assert any(told in change for change in changes)


def test_offered_models_that_cannot_be_sold_are_named() -> None:
    """`sell` beside a status that forbids it; the packaged catalog has none, and every reason has its words."""
    broken = load_shelf(ONE.replace("    sell: true", "    sell: true\n    status: unlisted"))
    assert not_kept(broken) == ((broken.models[0], NotSoldReason.UNLISTED),)
    assert not_kept(load_shelf(ONE)) == ()
    assert not_kept(SHELF) == ()
    assert set(WHY_NOT) == set(NotSoldReason)


def test_page_of_models_is_current() -> None:
    """docs/models.md is what `make models` writes."""
    written = Path(__file__).parents[2] / "docs" / "models.md"
    assert written.read_text(encoding="utf-8") == page(SHELF), "run `make models`"
