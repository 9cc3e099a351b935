"""From a model to the questions that its customer answers, and from the answers to what the provider is sent."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, TypeAlias, assert_never

from kiosk.catalog.answer import (
    MAX_FIELD_CHARS,
    Accepted,
    Problem,
    ProblemKind,
    Rejected,
    check,
    from_writing,
)
from kiosk.catalog.askable import can_be_asked as _can_be_asked
from kiosk.catalog.askable import is_askable, leads_astray, leaves_price_open, parts_of, short_range
from kiosk.catalog.model import Choice, Flag, Group, Input, Listing, Media, Model, Number, Scalar, Text
from kiosk.catalog.objects import gap, group_of, resolve
from kiosk.catalog.rules import broken_rules, with_defaults

__all__ = [
    "Accepted",
    "Invalid",
    "Problem",
    "ProblemKind",
    "Question",
    "QuestionKind",
    "Rejected",
    "Valid",
    "check_answer",
    "next_question",
    "payload",
    "question",
    "questions",
    "settings",
    "validate",
]

# A rule that is broken in one of these ways is mended by one more answer.
_MENDED_BY_AN_ANSWER: Final = frozenset({ProblemKind.NEED_ONE_OF, ProblemKind.NEEDED_HERE})


class QuestionKind(StrEnum):
    TEXT = "text"
    CHOICE = "choice"
    NUMBER = "number"
    BOOLEAN = "boolean"
    MEDIA = "media"
    LIST = "list"
    OBJECTS = "objects"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask for one input, or for a part of one, in which case `field` is a path.

    `preset`: the value that holds unanswered, None: there is none.
    minimum..maximum: code points of a text, the value of a number, the count of files or items of a list.
    `choices` with `labels` where a value alone says nothing; `is_open`: any other text is fine too. A switch and a
    number of a short range have choices too. `special`: choices that leave the value to the provider.
    `media`: what each file has to be; `is_list`: the answer is a JSON list, even of one file. `parts`: what can be
    asked about an object, or about each object of a list; an answer goes to a part.
    """

    field: str
    kind: QuestionKind
    required: bool
    preset: Scalar | None = None
    minimum: float | None = None
    maximum: float | None = None
    whole: bool = False
    step: float | None = None
    choices: tuple[Scalar, ...] = ()
    special: tuple[float, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    is_open: bool = False
    media: Media | None = None
    is_list: bool = False
    parts: tuple["Question", ...] = ()


@dataclass(frozen=True, slots=True)
class Valid:
    """Everything that is to be sent, in the order of the catalog, defaults included."""

    inputs: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Invalid:
    """At most one problem for each input; those of several inputs together only once each alone is fine."""

    problems: tuple[Problem, ...]


Validated: TypeAlias = Valid | Invalid


def questions(model: Model) -> tuple[Question, ...]:
    """The required inputs, in the order in which they are asked; what an earlier task fills is never asked."""
    return tuple(_question(model, item) for item in model.inputs if item.required and not item.task_ref)


def settings(model: Model) -> tuple[Question, ...]:
    """The optional inputs that a customer can be asked for."""
    return tuple(_question(model, item) for item in model.inputs if not item.required and is_askable(model, item))


def question(model: Model, field: str) -> Question | None:
    """The question or setting of one input, or of the part that a path leads to; None when there is no such."""
    item = resolve(model, field)
    return _question(model, item) if item else None


def next_question(model: Model, inputs: Mapping[str, Any]) -> Question | None:
    """The first required input without a fitting answer, then what the answers given make necessary; None: complete.

    A list of objects that was begun is asked to its end, and what is asked is a part of one of them.
    """
    fitting = {item.name: inputs[item.name] for item in model.inputs if _fits(item, inputs)}
    for item in model.inputs:
        begun = item.name in inputs and group_of(item) is not None
        if (item.required or begun) and item.name not in fitting:
            return _missing(model, item, inputs)
    for problem in broken_rules(model.rules, with_defaults(model, fitting)):
        if problem.kind in _MENDED_BY_AN_ANSWER:
            item_needed = model.find(_mending(model, problem))
            return _missing(model, item_needed, inputs) if item_needed else None
    return None


def _missing(model: Model, item: Input, inputs: Mapping[str, Any]) -> Question | None:
    return question(model, gap(item, inputs.get(item.name)) or item.name)


def _mending(model: Model, problem: Problem) -> str:
    """Which input to ask for: of several that would do, the first that can be asked."""
    if problem.kind is not ProblemKind.NEED_ONE_OF:
        return problem.field
    return next((name for name in problem.fields if _can_be_asked(model, name)), problem.field)


def _fits(item: Input, inputs: Mapping[str, Any]) -> bool:
    return item.name in inputs and isinstance(check(item.kind, inputs[item.name], item.name), Accepted)


def check_answer(model: Model, field: str, raw_value: Any) -> Accepted | Rejected:
    """One answer as it came from a chat: a number or a switch may be written out as text."""
    item = resolve(model, field)
    if item is None:
        return Rejected(Problem(ProblemKind.UNKNOWN_FIELD, field[:MAX_FIELD_CHARS]))
    return check(item.kind, from_writing(item.kind, raw_value), field)


def validate(model: Model, inputs: Any) -> Validated:
    """Total: any JSON value gives an answer. Values have to be of exactly the declared JSON type.

    An optional list without items counts as left out. A required input is never filled in.
    """
    if not isinstance(inputs, Mapping):
        return Invalid((Problem(ProblemKind.WRONG_TYPE, ""),))
    given = {name: value for name, value in inputs.items() if value != [] or _is_required(model, name)}
    kept: dict[str, Any] = {}
    problems = list(_unknown_fields(model, given))
    for item in model.inputs:
        if item.name in given:
            checked = check(item.kind, given[item.name], item.name)
            if isinstance(checked, Rejected):
                problems.append(checked.problem)
            else:
                kept[item.name] = checked.value
        elif item.required:
            problems.append(Problem(ProblemKind.MISSING, item.name))
    if problems:
        return Invalid(tuple(problems))
    complete = with_defaults(model, kept)
    broken = broken_rules(model.rules, complete)
    return Invalid(broken) if broken else Valid(complete)


def payload(model: Model, valid_inputs: Mapping[str, Any]) -> dict[str, Any]:
    """The provider's `input` object, from the inputs of a `Valid`; a name that the model does not have is not sent."""
    return {item.api_name: valid_inputs[item.name] for item in model.inputs if item.name in valid_inputs}


def _is_required(model: Model, name: str) -> bool:
    item = model.find(name)
    return item is None or item.required


def _unknown_fields(model: Model, inputs: Mapping[str, Any]) -> Iterator[Problem]:
    names = {item.name for item in model.inputs}
    for name in inputs:
        if name not in names:
            yield Problem(ProblemKind.UNKNOWN_FIELD, str(name)[:MAX_FIELD_CHARS])


def _question(model: Model, item: Input) -> Question:
    whole = _shape(item)
    choices = tuple(
        choice
        for choice in whole.choices
        if not leads_astray(model, item, choice) and not leaves_price_open(model, item, choice)
    )
    return whole if choices == whole.choices else replace(whole, choices=choices)


def _shape(item: Input) -> Question:
    kind = item.kind
    match kind:
        case Text(min_length=shortest, max_length=longest):
            return Question(item.name, QuestionKind.TEXT, item.required, item.preset, shortest, longest)
        case Choice():
            return _choice(item, kind)
        case Number():
            return _number(item, kind)
        case Flag():
            return Question(item.name, QuestionKind.BOOLEAN, item.required, item.preset, choices=(True, False))
        case Group():
            return Question(item.name, QuestionKind.OBJECT, item.required, parts=_parts(kind))
        case Media():
            return Question(item.name, QuestionKind.MEDIA, item.required, minimum=1, maximum=1, media=kind)
        case Listing():
            return _listing(item, kind)
        case _:
            assert_never(kind)


def _number(item: Input, kind: Number) -> Question:
    return Question(
        item.name,
        QuestionKind.NUMBER,
        item.required,
        item.preset,
        kind.minimum,
        kind.maximum,
        kind.whole,
        kind.step,
        choices=(*kind.special, *short_range(kind)),
        special=kind.special,
    )


def _choice(item: Input, kind: Choice) -> Question:
    return Question(
        item.name,
        QuestionKind.CHOICE,
        item.required,
        item.preset,
        choices=kind.values,
        labels=kind.labels,
        is_open=kind.is_open,
    )


def _parts(group: Group) -> tuple[Question, ...]:
    return tuple(_shape(part) for part in parts_of(group))


def _listing(item: Input, kind: Listing) -> Question:
    media = kind.of if isinstance(kind.of, Media) else None
    parts = _parts(kind.of) if isinstance(kind.of, Group) else ()
    return Question(
        item.name,
        QuestionKind.MEDIA if media else QuestionKind.OBJECTS if parts else QuestionKind.LIST,
        item.required,
        minimum=max(kind.min_items, 1),
        maximum=kind.max_items,
        media=media,
        is_list=True,
        parts=parts,
    )
