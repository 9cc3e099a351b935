"""The shelf: every model of the catalog, and which of them are for sale."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final

from kiosk.catalog.askable import is_walkable
from kiosk.catalog.followup import can_follow, refers_to_a_task
from kiosk.catalog.model import Model
from kiosk.catalog.quote import is_priceable
from kiosk.catalog.reading.entry import read_entry
from kiosk.catalog.reading.overrides import FILE as PRICES
from kiosk.catalog.reading.overrides import apply_overrides
from kiosk.catalog.reading.sheet import CatalogError, Flaw, quoted, read_yaml
from kiosk.catalog.vocabulary import ModelType, Status

__all__ = ["CatalogError", "Flaw", "NotSoldReason", "Shelf", "UnknownModel", "default_shelf", "load_shelf"]

CATALOG: Final = "models"
MAX_MODELS: Final = 2_000


class NotSoldReason(StrEnum):
    UNLISTED = "unlisted"
    UNVERIFIED = "unverified"
    NEEDS_EARLIER_TASK = "needs_earlier_task"
    NO_PRICE = "no_price"
    CANNOT_BE_ASKED = "cannot_be_asked"
    NOT_YET_OFFERED = "not_yet_offered"
    NOT_CALLED_BACK = "not_called_back"
    SWITCHED_OFF = "switched_off"


class UnknownModel(Exception):  # noqa: N818 - it states a fact
    """The catalog has no model of this id."""

    def __init__(self, model_id: str) -> None:
        self.model_id = model_id
        super().__init__(f"the catalog has no model {quoted(model_id)}")


@dataclass(frozen=True, slots=True)
class Shelf:
    """`only`: the one model that is for sale whatever the others say. `called_back`: the provider can reach us."""

    by_id: Mapping[str, Model]
    only: str | None = None
    called_back: bool = True

    @property
    def models(self) -> tuple[Model, ...]:
        """All of them, in the order of the catalog."""
        return tuple(self.by_id.values())

    def find(self, model_id: str) -> Model | None:
        """None when the catalog does not have it (any more)."""
        return self.by_id.get(model_id)

    def get(self, model_id: str) -> Model:
        """Errors: UnknownModel."""
        model = self.find(model_id)
        if model is None:
            raise UnknownModel(model_id)
        return model

    def sellable(self) -> tuple[Model, ...]:
        """What customers see."""
        return tuple(model for model in self.by_id.values() if self.why_not_sold(model) is None)

    def aisles(self) -> tuple[tuple[ModelType, tuple[Model, ...]], ...]:
        """What customers see, by what it is for."""
        on_sale = self.sellable()
        by_type = ((one, tuple(model for model in on_sale if model.type is one)) for one in ModelType)
        return tuple((one, models) for one, models in by_type if models)

    def follow_ups(self) -> tuple[Model, ...]:
        """What goes on from an earlier task, and is offered under its result."""
        return tuple(model for model in self.by_id.values() if self.follows(model))

    def follows(self, model: Model) -> bool:
        """It is for sale under a result that it goes on from, whether it is on the shelf or not."""
        return can_follow(model) and next(self._reasons_against_any(model), None) is None

    def is_sold(self, model: Model) -> bool:
        """On the shelf, or under a result."""
        return self.why_not_sold(model) is None or self.follows(model)

    def why_not_sold(self, model: Model) -> NotSoldReason | None:
        """None: it is on the shelf. What the model itself lacks comes before what we or the operator decided."""
        return next(self._reasons_against(model), None)

    def _reasons_against(self, model: Model) -> Iterator[NotSoldReason]:
        if model.status is not Status.ACTIVE:
            yield NotSoldReason(model.status.value)
        if not is_priceable(model, as_follow_up=refers_to_a_task(model)):
            yield NotSoldReason.NO_PRICE
        if refers_to_a_task(model):
            yield NotSoldReason.NEEDS_EARLIER_TASK
        if not is_walkable(model):
            yield NotSoldReason.CANNOT_BE_ASKED
        yield from self._reasons_against_any(model)

    def _reasons_against_any(self, model: Model) -> Iterator[NotSoldReason]:
        """Those that hold wherever it is offered."""
        if model.status is not Status.ACTIVE:
            yield NotSoldReason(model.status.value)
        if not model.sell:
            yield NotSoldReason.NOT_YET_OFFERED
        if model.callback_required and not self.called_back:
            yield NotSoldReason.NOT_CALLED_BACK
        if model.switched_off or self.only not in (None, model.id):
            yield NotSoldReason.SWITCHED_OFF

    def single(self, model_id: str) -> "Shelf":
        """The same shelf with one model for sale; the others are still found. Errors: UnknownModel."""
        return replace(self, only=self.get(model_id).id)


def load_shelf(text: str, overrides: str | None = None) -> Shelf:
    """From the text of a models.yaml and of an operator's prices.yaml. Errors: CatalogError with every flaw at once."""
    flaws: list[Flaw] = []
    models = _read_models(read_yaml(text, CATALOG), flaws)
    if overrides is not None and not flaws:
        models = apply_overrides(models, read_yaml(overrides, PRICES), flaws)
    if flaws:
        raise CatalogError(tuple(flaws))
    return Shelf({model.id: model for model in models})


@cache
def default_shelf(overrides: str | None = None) -> Shelf:
    """The packaged catalog with an operator's prices, read once. Errors: CatalogError."""
    return load_shelf(files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8"), overrides)


def _read_models(root: object, flaws: list[Flaw]) -> tuple[Model, ...]:
    entries = root.get("models") if isinstance(root, dict) else None
    if not isinstance(root, dict) or not isinstance(entries, list) or not 0 < len(entries) <= MAX_MODELS:
        flaws.append(Flaw(CATALOG, f"must be `models:` with a list of 1 to {MAX_MODELS} entries"))
        return ()
    flaws += [Flaw(str(key), "unknown key") for key in root if key != "models"]
    read = [read_entry(entry, f"{CATALOG}[{index}]", flaws) for index, entry in enumerate(entries)]
    ids = [entry.get("id") for entry in entries if isinstance(entry, dict)]
    twice = sorted({str(model_id) for model_id in ids if model_id is not None and ids.count(model_id) > 1})
    flaws += [Flaw(model_id, "this id is used twice") for model_id in twice]
    models = tuple(model for model in read if model)
    _check_task_refs(models, frozenset(str(model_id) for model_id in ids), flaws)
    return models


def _check_task_refs(models: tuple[Model, ...], ids: frozenset[str], flaws: list[Flaw]) -> None:
    for model in models:
        for item in model.inputs:
            unknown = [one for one in item.task_ref.models if one not in ids] if item.task_ref else []
            where = f"{model.id}.inputs.{item.name}.task_ref"
            flaws += [Flaw(where, f"there is no model {quoted(one)}") for one in unknown]
