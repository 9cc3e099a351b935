"""What can be made out of a result, or out of a file of a customer's own: by the catalog's entries alone; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kiosk.catalog.answer import Accepted, check
from kiosk.catalog.askable import is_askable, is_walkable
from kiosk.catalog.form import next_question
from kiosk.catalog.model import (
    AnyOf,
    Choice,
    ExactlyOneOf,
    Flag,
    Input,
    Listing,
    Media,
    MediaType,
    Model,
    Number,
    TaskCondition,
    TaskId,
    Text,
)
from kiosk.catalog.quote import is_priceable, is_priceable_after, task_holds
from kiosk.catalog.reference import ResultReference
from kiosk.catalog.rules import with_defaults

ANY_RESULT: Final = ResultReference(1, 0)


@dataclass(frozen=True, slots=True)
class EarlierTask:
    """A finished task that the provider remembers. `told`: see `told_of`; `has_track`: its file has its own id."""

    model_id: str
    result: ResultReference
    told: Mapping[str, Any]
    has_track: bool = False


def by_task(model: Model, task: EarlierTask) -> dict[str, Any] | None:
    """The inputs that hand over the task itself; None: the model does not go on from this one."""
    named = [item for item in model.inputs if _goes_on(item, task)]
    if not any(_reference_of(item) is not TaskId.FILE for item in named):
        return None
    filled = {item.name: _handed(item, task) for item in named}
    given = {name: value for name, value in filled.items() if value is not None}
    fits = all(
        isinstance(check(item.kind, given[item.name], item.name), Accepted) for item in named if item.name in given
    )
    return given if fits and is_walkable(model, given) and is_priceable_after(model, task.told) else None


def by_file(model: Model, media: MediaType) -> Input | None:
    """The input that takes a file of this kind, among those that the model cannot do without; None: there is none."""
    alternatives = {field for rule in model.rules if isinstance(rule, AnyOf | ExactlyOneOf) for field in rule.fields}
    for item in model.inputs:
        wanted = file_of(item)
        needed = item.required or item.name in alternatives
        if needed and wanted and wanted.media is media and is_askable(model, item):
            return item
    return None


def by_text(model: Model, text: str) -> Input | None:
    """The input that takes words: the first question of a model that begins with a text; None: it does not fit."""
    asked = next_question(model, {})
    item = model.find(asked.field) if asked else None
    if item is None or not item.required or not isinstance(item.kind, Text) or not is_askable(model, item):
        return None
    return item if isinstance(check(item.kind, text, item.name), Accepted) else None


def file_of(item: Input) -> Media | None:
    """What each file of an input has to be; None: it takes no files."""
    kind = item.kind.of if isinstance(item.kind, Listing) else item.kind
    return kind if isinstance(kind, Media) else None


def goes_on_from(model: Model, earlier_id: str) -> bool:
    """Some task of that model can be handed over to this one."""
    return any(item.task_ref is not None and earlier_id in item.task_ref.models for item in model.inputs)


def refers_to_a_task(model: Model) -> bool:
    """It cannot be had without an earlier task."""
    return any(item.required and item.task_ref for item in model.inputs)


def can_follow(model: Model) -> bool:
    """There is a price for it, and a way through it, once an earlier task is given."""
    task = EarlierTask("", ANY_RESULT, {}, has_track=True)
    given = {item.name: _handed(item, task) for item in model.inputs if item.task_ref}
    return bool(given) and is_priceable(model, as_follow_up=True) and is_walkable(model, given)


def told_of(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """What a task was sent that prices and conditions of later ones can hang on: choices, numbers, switches."""
    sent = with_defaults(model, inputs)
    return {item.name: sent[item.name] for item in model.inputs if item.name in sent and _is_told(item)}


def _is_told(item: Input) -> bool:
    return isinstance(item.kind, Choice | Number | Flag) and item.task_ref is None


def _goes_on(item: Input, task: EarlierTask) -> bool:
    ref = item.task_ref
    return ref is not None and task.model_id in ref.models and _all_hold(ref.when, task.told)


def _all_hold(when: tuple[TaskCondition, ...], told: Mapping[str, Any]) -> bool:
    return all(task_holds(condition, told) for condition in when)


def _reference_of(item: Input) -> TaskId:
    return item.task_ref.id if item.task_ref else TaskId.TASK


def _handed(item: Input, task: EarlierTask) -> str | int | None:
    """None: the file of this result has no id of its own."""
    match _reference_of(item):
        case TaskId.TASK:
            return str(task.result)
        case TaskId.AUDIO:
            return str(task.result) if task.has_track else None
        case TaskId.FILE:
            return task.result.number if isinstance(item.kind, Number) else str(task.result.number)
