"""The first screen and the shelf behind it, by what models are for; pure."""

from collections.abc import Sequence
from typing import Final

from kiosk.bot.buttons import Aisle, Balance, Choose, model_code
from kiosk.bot.labels import grid
from kiosk.bot.screens import Button, Screen, home_row
from kiosk.bot.ways import pages
from kiosk.bot.words import Words
from kiosk.catalog.model import Model
from kiosk.catalog.vocabulary import ModelType
from kiosk.ledger.store import Wallet

PAGE_MODELS: Final = 8
AISLES_IN_ROW: Final = 2


def home(say: Words, name: str, wallet: Wallet, aisles: Sequence[tuple[ModelType, Sequence[Model]]]) -> Screen:
    """One button when one model is sold, else a button for each kind of models."""
    text = say("home", name=name, balance=say.money(wallet.available_kopecks))
    balance_row = (Button(say.plain("balance-button"), Balance()),)
    if not aisles:
        return Screen(f"{text}\n\n{say('home-closed')}", (balance_row,))
    (_, first), *others = aisles
    if not others and len(first) == 1:
        only = first[0]
        return Screen(text, ((Button(say.plain(f"create-{only.output}"), Choose(model_code(only.id))),), balance_row))
    doors = (Button(say.plain(f"type-{kind}"), Aisle(model_code(kind.value), 0)) for kind, _ in aisles)
    return Screen(f"{text}\n\n{say('home-choose')}", (*grid(doors, AISLES_IN_ROW), balance_row))


def aisle(say: Words, kind: ModelType, offers: Sequence[tuple[Model, int | None]], page: int, total: int) -> Screen:
    """One page of the models of a kind, with their lowest prices in kopecks where they are known beforehand."""
    code = model_code(kind.value)
    rows = tuple((_offer(say, model, price),) for model, price in offers)
    turns = pages(say, page, total, lambda other: Aisle(code, other), PAGE_MODELS)
    return Screen(say("aisle", kind=say.plain(f"type-{kind}")), (*rows, *turns, home_row(say)))


def _offer(say: Words, model: Model, price: int | None) -> Button:
    text = model.name if price is None else say.plain("shelf-row", model=model.name, price=say.money(price))
    return Button(text, Choose(model_code(model.id)))
