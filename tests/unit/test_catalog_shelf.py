"""The packaged catalog is whole, and only what can be delivered and priced is for sale."""

from collections.abc import Iterator
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
import yaml

from kiosk.catalog.form import Accepted, check_answer
from kiosk.catalog.model import Group, Kind, Listing, Media, Model
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.rules import with_defaults
from kiosk.catalog.shelf import NotSoldReason, UnknownModel, default_shelf, load_shelf
from kiosk.catalog.vocabulary import Confidence, Output

TEXT = files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8")
SHELF = default_shelf()
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))


def test_catalog_loads_whole() -> None:
    """All 188 models are there, each once, in the order of the file, and none is lost on the way."""
    written = [entry["id"] for entry in yaml.load(TEXT, yaml.CSafeLoader)["models"]]
    assert written == [model.id for model in SHELF.models]
    assert len(set(written)) == 188


def test_catalog_keeps_what_an_entry_says() -> None:
    """An entry's own facts arrive on the model."""
    model = SHELF.get("wan/2-7-image")
    assert (model.name, model.vendor, model.output) == ("Wan 2.7 Image", "Alibaba", Output.IMAGE)
    assert (model.usual_seconds, model.confidence) == (12, Confidence.HIGH)
    assert model.modes == ("text_to_image", "image_to_image")
    assert model.source == "https://docs.kie.ai/market/wan/2-7-image"


def test_shelf_sells_what_can_be_asked_priced_and_delivered() -> None:
    """A model is on sale when nothing speaks against it, and each of them is there once, under its type."""
    able = [model for model in SHELF.models if SHELF.why_not_sold(model) in (None, NotSoldReason.NOT_YET_OFFERED)]
    assert [model.id for model in able] == [one.id for one in SHELF.sellable()]
    assert len(SHELF.sellable()) == 151
    assert sorted(model.id for _, models in SHELF.aisles() for model in models) == sorted(
        model.id for model in SHELF.sellable()
    )


@pytest.mark.parametrize(
    ("model_id", "reason"),
    [
        ("ai-music-api/check-voice", NotSoldReason.NO_PRICE),
        ("elevenlabs/speech-to-text", NotSoldReason.UNLISTED),
        ("gpt-image-2-6-economy-text-to-image", NotSoldReason.UNVERIFIED),
        ("veo/extend", NotSoldReason.NEEDS_EARLIER_TASK),
        ("bytedance/v1-lite-text-to-video", NotSoldReason.NO_PRICE),
        ("grok-imagine-image-2-0/segment-map", NotSoldReason.NO_PRICE),
        ("google/gemini-3-8-flash-tts", NotSoldReason.NO_PRICE),
    ],
)
def test_shelf_says_why_not_sold(model_id: str, reason: NotSoldReason) -> None:
    """Each model that is not for sale has one reason."""
    assert SHELF.why_not_sold(SHELF.get(model_id)) is reason


def test_shelf_switches_off_what_the_operator_says() -> None:
    """A model switched off by the operator is off the shelf and still found."""
    shelf = load_shelf(TEXT, "z-image: {sell: false}")
    assert len(shelf.sellable()) == len(SHELF.sellable()) - 1
    assert shelf.why_not_sold(shelf.get("z-image")) is NotSoldReason.SWITCHED_OFF


def test_shelf_single_sells_one_and_finds_all() -> None:
    """With a single model the others are off the shelf, but old orders of theirs are still understood."""
    single = SHELF.single("z-image")
    assert [model.id for model in single.sellable()] == ["z-image"]
    assert single.why_not_sold(single.get("nano-banana-2")) is NotSoldReason.SWITCHED_OFF
    assert single.models == SHELF.models


def test_shelf_knows_no_other_models() -> None:
    """An id that the catalog does not have is None or an error, as the caller asks."""
    assert SHELF.find("sora-2") is None
    with pytest.raises(UnknownModel, match="sora-2"):
        SHELF.get("sora-2")
    with pytest.raises(UnknownModel):
        SHELF.single("sora-2")


def presets() -> Iterator[tuple[Model, str, Any]]:
    return (
        (model, item.name, item.preset) for model in SHELF.models for item in model.inputs if item.preset is not None
    )


def test_catalog_defaults_fit_their_own_inputs() -> None:
    """Every default and suggested value is an answer that would be accepted as it is."""
    unfit = [
        (model.id, name) for model, name, preset in presets() if check_answer(model, name, preset) != Accepted(preset)
    ]
    assert unfit == []


def test_no_file_is_ever_filled_in() -> None:
    """What is missing is asked for, never made up: no file of an input has a default, inside a list neither."""

    def holds_files(kind: Kind) -> bool:
        match kind:
            case Listing(of=of):
                return holds_files(of)
            case Group(fields=fields):
                return any(holds_files(part.kind) for part in fields)
            case _:
                return isinstance(kind, Media)

    filed = [(model, item) for model in SHELF.models for item in model.inputs if holds_files(item.kind)]
    assert len(filed) > 100
    assert [(model.id, item.name) for model, item in filed if item.preset is not None] == []
    for model, item in filed:
        assert item.name not in with_defaults(model, {}, for_required=True)


def test_catalog_headline_is_what_defaults_cost() -> None:
    """Where default inputs have a price, it is the `credits` of the entry."""
    priced = [(model, quote(model, {}, RATES)) for model in SHELF.models]
    differing = [m.id for m, price in priced if isinstance(price, Quote) and price.credits != m.tariff.credits]
    assert differing == []
    assert sum(isinstance(price, Quote) for _, price in priced) > 130
