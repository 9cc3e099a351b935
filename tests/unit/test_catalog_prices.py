"""The operator's prices change what a model costs the customer, never to less than it costs the shop."""

from decimal import Decimal
from importlib.resources import files

import pytest
import yaml

from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.shelf import CatalogError, load_shelf

CATALOG = yaml.load(files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
SOME = (
    "z-image",
    "nano-banana-2",
    "wan/2-7-image",
    "grok-imagine-image-2-0/segment-map",
    "bytedance/v1-lite-text-to-video",
)
MODELS = yaml.dump({"models": [entry for entry in CATALOG["models"] if entry["id"] in SOME]}, sort_keys=False)
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))


def price_of(model_id: str, overrides: str) -> Quote:
    price = quote(load_shelf(MODELS, overrides).get(model_id), {}, RATES)
    assert isinstance(price, Quote)
    return price


def test_prices_empty_file_changes_nothing() -> None:
    """An empty file of prices leaves the catalog's."""
    assert load_shelf(MODELS, "") == load_shelf(MODELS)


def test_prices_fixed() -> None:
    """`price_rub` is the whole price of one generation."""
    assert price_of("z-image", "z-image: {price_rub: 1.5}") == Quote(150, Decimal("0.8"), 40)


def test_prices_fixed_below_cost() -> None:
    """Where a fixed price is below what the provider takes, the cost is asked."""
    assert price_of("z-image", "z-image: {price_rub: 0.1}") == Quote(40, Decimal("0.8"), 40)


def test_prices_own_multiplier() -> None:
    """`multiplier` takes the place of the general one, for this model alone."""
    assert price_of("z-image", "z-image: {multiplier: 3.5}").price_kopecks == 140
    assert price_of("nano-banana-2", "z-image: {multiplier: 3.5}").price_kopecks == 800


def test_prices_own_credits_replace_rows() -> None:
    """`credits` is the cost of one generation whatever the inputs, rows and quantities included."""
    shelf = load_shelf(MODELS, "wan/2-7-image: {credits: 10}")
    price = quote(shelf.get("wan/2-7-image"), {"n": 3}, RATES)
    assert price == Quote(1000, Decimal(10), 500)


def test_prices_make_an_unpriced_model_priceable() -> None:
    """Who knows what a model costs can say so, with a price of his own or without."""
    overrides = "grok-imagine-image-2-0/segment-map: {credits: 0.1, price_rub: 2}"
    assert price_of("grok-imagine-image-2-0/segment-map", overrides).price_kopecks == 200


@pytest.mark.parametrize(
    ("overrides", "flaw"),
    [
        ("z-imag: {price_rub: 1}", "prices.z-imag: there is no such model"),
        ("z-image: {prise_rub: 1}", "prices.z-image.prise_rub: unknown key"),
        ("z-image: 5", "prices.z-image: must be a mapping, not 5"),
        ("- z-image", "prices: must be a mapping of model ids"),
        ("z-image: {price_rub: -1}", "prices.z-image.price_rub: must be a number of at least 0, not -1"),
        ("z-image: {price_rub: 0}", "prices.z-image.price_rub: must be more than 0"),
        ("z-image: {price_rub: .nan}", "prices.z-image.price_rub: must be a number of at least 0, not nan"),
        ("z-image: {price_rub: '1'}", "prices.z-image.price_rub: must be a number of at least 0, not '1'"),
        ("z-image: {price_rub: 1.005}", "prices.z-image.price_rub: 1.005 has more than two decimals"),
        ("z-image: {price_rub: 1.0e+300}", "prices.z-image.price_rub: more than 1000000"),
        ("z-image: {multiplier: 0.9}", "prices.z-image.multiplier: 0.9 would sell below cost"),
        ("z-image: {price_rub: 1, multiplier: 2}", "prices.z-image.multiplier: price_rub is the whole price"),
        (
            "bytedance/v1-lite-text-to-video: {price_rub: 9}",
            "prices.bytedance/v1-lite-text-to-video.price_rub: what the",
        ),
        (
            "grok-imagine-image-2-0/segment-map: {sell: true}",
            "prices.grok-imagine-image-2-0/segment-map.sell: can only be switched off here",
        ),
        ("z-image: {sell: maybe}", "prices.z-image.sell: must be true or false, not 'maybe'"),
        ("z-image: {\n", "prices, line 2: "),
        ("z-image: {credits: 1}\nz-image: {credits: 2}", "prices, line 1: 'z-image' is written twice"),
    ],
)
def test_prices_wrong_are_refused(overrides: str, flaw: str) -> None:
    """A mistake in the operator's file is told with the model and the key, and nothing is loaded."""
    with pytest.raises(CatalogError) as caught:
        load_shelf(MODELS, overrides)
    assert [str(one)[: len(flaw)] for one in caught.value.flaws] == [flaw]
