"""Reads the operator's prices: `{model id: {credits, price_rub, multiplier, sell: false}}`."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Final

from kiosk.catalog.model import Model, Tariff
from kiosk.catalog.reading.sheet import Flaw, Sheet, quoted

FILE: Final = "prices"
MAX_PRICE_RUB: Final = 1_000_000


def apply_overrides(models: tuple[Model, ...], overrides: object, flaws: list[Flaw]) -> tuple[Model, ...]:
    """The models with the operator's prices; an empty file changes nothing."""
    if overrides is None:
        return models
    if not isinstance(overrides, dict):
        flaws.append(Flaw(FILE, f"must be a mapping of model ids, not {quoted(overrides)}"))
        return models
    ids = {model.id for model in models}
    flaws += [Flaw(f"{FILE}.{name}", "there is no such model") for name in overrides if name not in ids]
    return tuple(_override(model, overrides, flaws) for model in models)


def _override(model: Model, overrides: Mapping[object, object], flaws: list[Flaw]) -> Model:
    if model.id not in overrides:
        return model
    sheet = Sheet(overrides[model.id], f"{FILE}.{model.id}", flaws)
    tariff = _tariff(model.tariff, sheet)
    stays = sheet.flag("sell", default=True)
    asks_to_sell = stays and "sell" in _keys(overrides[model.id])
    if asks_to_sell and not model.sell:
        sheet.note("sell", "can only be switched off here: the catalog decides what is offered")
    sheet.finish()
    return replace(model, tariff=tariff, switched_off=not stays)


def _keys(value: object) -> frozenset[object]:
    return frozenset(value) if isinstance(value, dict) else frozenset()


def _tariff(tariff: Tariff, sheet: Sheet) -> Tariff:
    taken = _positive(sheet, "credits")
    if taken is not None:
        tariff = Tariff(credits=taken, as_of=tariff.as_of, note=tariff.note)
    price_rub, multiplier = _positive(sheet, "price_rub"), _positive(sheet, "multiplier")
    if price_rub is not None and multiplier is not None:
        sheet.note("multiplier", "price_rub is the whole price: give one of the two")
    if price_rub is not None:
        _check_price(price_rub, tariff, sheet)
    if multiplier is not None and multiplier < 1:
        sheet.note("multiplier", f"{multiplier} would sell below cost")
    return replace(tariff, price_rub=price_rub, multiplier=multiplier)


def _check_price(price_rub: Decimal, tariff: Tariff, sheet: Sheet) -> None:
    if price_rub > MAX_PRICE_RUB:
        sheet.note("price_rub", f"more than {MAX_PRICE_RUB}")
    elif price_rub != price_rub.quantize(Decimal("0.01")):
        sheet.note("price_rub", f"{price_rub} has more than two decimals")
    if not tariff.credits:
        sheet.note(
            "price_rub", "what the model costs is not known: give credits too, so that it is never sold below cost"
        )


def _positive(sheet: Sheet, key: str) -> Decimal | None:
    value = sheet.decimal(key)
    if value is not None and not value:
        sheet.note(key, "must be more than 0")
        return None
    return value
