"""Going on from a result: what can be made out of it, and what an order's inputs mean that refer to one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.catalog.followup import EarlierTask, by_file, by_task, by_text, file_of, goes_on_from, told_of
from kiosk.catalog.model import Input, Listing, Model, TaskId
from kiosk.catalog.reference import Reference, ResultReference, read_result_reference, references
from kiosk.catalog.shelf import Shelf
from kiosk.db import Tx
from kiosk.delivery.plan import Media
from kiosk.generations.results import Piece, piece
from kiosk.media import store as media
from kiosk.media.fit import Facts, is_timed, misfit, too_long_together
from kiosk.media.source import FROM_LINK_BYTES, MEDIA_OF


@dataclass(frozen=True, slots=True)
class Subject:
    """What is gone on from: a task that the provider remembers, a file that can be had, words; any may be missing.

    `text` None: it is no result in words; "": words that are for programs.
    """

    task: EarlierTask | None = None
    file: Reference | None = None
    facts: Facts | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A model that goes on from it, with the inputs that it fills; `earlier` is as in `quote`."""

    model: Model
    given: Mapping[str, Any]
    earlier: Mapping[str, Any] | None = None


def offers(shelf: Shelf, subject: Subject) -> tuple[Offer, ...]:
    """Everything that can be done with it, in the catalog's order; first what goes on from its very task."""
    found = (offer(shelf, model, subject) for model in shelf.models)
    return tuple(sorted(filter(None, found), key=lambda one: one.earlier is None))


def offer(shelf: Shelf, model: Model, subject: Subject) -> Offer | None:
    """None: the model does not take it, or is not for sale."""
    if subject.task and shelf.follows(model) and (given := by_task(model, subject.task)):
        return Offer(model, given, subject.task.told)
    if shelf.why_not_sold(model) is not None:
        return None
    if subject.file and subject.facts:
        item = by_file(model, subject.facts.media)
        if item is None or not _takes(model, item, subject.file, subject.facts):
            return None
        named = str(subject.file)
        return Offer(model, {item.name: [named] if isinstance(item.kind, Listing) else named})
    item = by_text(model, subject.text) if subject.text else None
    return Offer(model, {item.name: subject.text}) if item else None


def _takes(model: Model, item: Input, file: Reference, facts: Facts) -> bool:
    wanted = file_of(item)
    if wanted is None or too_long_together(model, item.name, wanted, str(file)):
        return False
    return misfit(wanted, facts, timed=is_timed(model, item.name), most_bytes=FROM_LINK_BYTES) is None


def leads_on(shelf: Shelf, model_id: str, kind: Media, text: str = "") -> bool:
    """Whether anything at all goes on from results like this, as long as they are there."""
    return any(
        (goes_on_from(model, model_id) and shelf.follows(model))
        or (_may_take(model, kind, text) and shelf.why_not_sold(model) is None)
        for model in shelf.models
    )


def _may_take(model: Model, kind: Media, text: str) -> bool:
    if kind is Media.TEXT:
        return bool(text) and by_text(model, text) is not None
    return by_file(model, MEDIA_OF[kind]) is not None


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
