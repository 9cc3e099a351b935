"""Going on from a result: what its inputs refer to, put into the provider's words, or missed in time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.catalog.followup import EarlierTask, told_of
from kiosk.catalog.model import Input, Model, TaskId
from kiosk.catalog.reference import ResultReference, read_result_reference, references
from kiosk.catalog.shelf import Shelf
from kiosk.db import Tx
from kiosk.generations.results import Piece, piece
from kiosk.media import store as media


def earlier_task(shelf: Shelf, found: Piece) -> EarlierTask | None:
    """The task behind a result, as later ones see it; None: the provider has forgotten it, or we its model."""
    model = shelf.find(found.model_id)
    if model is None or not found.kept or found.task_id is None:
        return None
    result = ResultReference(found.generation_id, found.number)
    return EarlierTask(model.id, result, told_of(model, found.inputs), has_track=found.track_id is not None)


@dataclass(frozen=True, slots=True)
class Referred:
    """An input that names an earlier result until the order is placed."""

    item: Input
    result: ResultReference


def referred(model: Model, inputs: Mapping[str, Any]) -> Iterator[Referred]:
    """Those alone that the catalog says are references: what a customer writes elsewhere is never taken for one."""
    for item in model.inputs:
        wanted = item.task_ref is not None and item.task_ref.id is not TaskId.FILE
        result = read_result_reference(inputs.get(item.name)) if wanted else None
        if result:
            yield Referred(item, result)


async def resolved(tx: Tx, customer_id: int, model: Model, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
    """The inputs with the provider's ids in them; None: something is not this customer's, or gone."""
    known = dict(inputs)
    for one in referred(model, inputs):
        found = await piece(tx, customer_id, one.result.generation_id, one.result.number)
        name = _name_at_provider(one.item, found) if found else None
        if name is None:
            return None
        known[one.item.name] = name
    return known


def _name_at_provider(item: Input, found: Piece) -> str | None:
    ref = item.task_ref
    if ref is None or not found.kept or found.model_id not in ref.models:
        return None
    return found.track_id if ref.id is TaskId.AUDIO else found.task_id


async def is_gone(tx: Tx, customer_id: int, model: Model, inputs: Mapping[str, Any]) -> bool:
    """Whether it is known by now that this cannot be ordered, because of what it goes on from."""
    if await resolved(tx, customer_id, model, inputs) is None:
        return True
    named = {found.media_id for value in inputs.values() for found in references(value)}
    kept = await media.find(tx, customer_id, named)
    return any(media_id not in kept or not kept[media_id].is_there for media_id in named)
