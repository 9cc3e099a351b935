"""What can be done with a result, or a file that nobody asked for: which file, which kind, which model; pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kiosk.bot.aisles import PAGE_MODELS
from kiosk.bot.buttons import Follow, FollowAisle, Pick, model_code
from kiosk.bot.labels import grid
from kiosk.bot.screens import Button, Screen, home_row
from kiosk.bot.ways import pages
from kiosk.bot.words import Words
from kiosk.catalog.model import Model
from kiosk.catalog.vocabulary import ModelType

NUMBERS_IN_ROW: Final = 4
KINDS_IN_ROW: Final = 2


@dataclass(frozen=True, slots=True)
class Place:
    """How buttons name what is gone on from; see `Pick`."""

    generation_id: int
    number: int

    @property
    def is_result(self) -> bool:
        return self.generation_id > 0


def which(say: Words, generation_id: int, numbers: Sequence[int]) -> Screen:
    """The result has several files; people count from 1."""
    buttons = (Button(str(number + 1), Pick(generation_id, number)) for number in numbers)
    return Screen(say("onward-which"), (*grid(buttons, NUMBERS_IN_ROW), home_row(say)))


def kinds(say: Words, place: Place, found: Sequence[ModelType], *, file_gone: bool) -> Screen:
    """A button for each kind of thing; `file_gone`: only the provider's memory of it is left, or nothing."""
    asked = say("onward-result") if place.is_result else say("onward-file")
    if not found:
        return Screen(say("onward-gone") if file_gone else say("onward-nothing"), (home_row(say),))
    text = f"{asked}\n\n{say('onward-file-gone')}" if file_gone else asked
    doors = (
        Button(say.plain(f"type-{kind}"), FollowAisle(model_code(kind.value), 0, place.generation_id, place.number))
        for kind in found
    )
    return Screen(text, (*grid(doors, KINDS_IN_ROW), home_row(say)))


def offers(
    say: Words, place: Place, kind: ModelType, offered: Sequence[tuple[Model, int | None]], page: int, total: int
) -> Screen:
    """One page of the models that do it, with the lowest price in kopecks of each."""
    code = model_code(kind.value)
    rows = tuple((_offer(say, place, model, price),) for model, price in offered)
    turns = pages(
        say, page, total, lambda other: FollowAisle(code, other, place.generation_id, place.number), PAGE_MODELS
    )
    back = Button(say.plain("back-button"), Pick(place.generation_id, place.number))
    return Screen(say("aisle", kind=say.plain(f"type-{kind}")), (*rows, *turns, (back,)))


def _offer(say: Words, place: Place, model: Model, price: int | None) -> Button:
    text = model.name if price is None else say.plain("shelf-row", model=model.name, price=say.money(price))
    return Button(text, Follow(model_code(model.id), place.generation_id, place.number))
