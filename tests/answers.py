"""Answers that fit: what a customer could say to each question of a model, by the form alone."""

from collections.abc import Iterator
from typing import Any

from kiosk.catalog.form import Accepted, Question, QuestionKind, check_answer, next_question
from kiosk.catalog.model import Model
from kiosk.catalog.path import put, read_path, value_at
from kiosk.catalog.reference import Reference
from kiosk.generations.draft import with_file

SECONDS = 7


def answers_to(asked: Question) -> Iterator[Any]:
    """Each choice, the ends of a range, the shortest and the longest text, a file, one object and two."""
    if asked.kind is QuestionKind.MEDIA:
        files = with_file({}, asked, Reference(1, SECONDS))
        yield files * int(asked.minimum or 1) if asked.is_list else files
    elif asked.kind is QuestionKind.OBJECTS:
        yield [an_object(asked, last=last) for last in (False, True)][: int(asked.maximum or 1)]
    elif asked.choices:
        yield from asked.choices
    elif asked.kind is QuestionKind.NUMBER:
        kind = int if asked.whole else float
        yield from (kind(asked.minimum or 0), kind(asked.maximum or 0))
    elif asked.kind is QuestionKind.TEXT:
        yield from ("ы" * int(length) for length in (asked.minimum or 1, asked.maximum or 1))
    else:
        yield ["ы"]


def an_object(asked: Question, *, last: bool) -> dict[str, Any]:
    """With the first or the last of what each part could be; the last has the optional parts, too."""
    wanted = [part for part in asked.parts if part.required or last]
    return {part.field: list(answers_to(part))[-1 if last else 0] for part in wanted}


def first_answer(model: Model, asked: Question) -> Any:
    """The first that fits."""
    said = answers_to(asked)
    fitting = [value for value in said if isinstance(check_answer(model, asked.field, value), Accepted)]
    return fitting[0] if fitting else "en"  # a text of a certain form


def walked(model: Model) -> dict[str, Any]:
    """Every question answered with the first that fits."""
    inputs: dict[str, Any] = {}
    while asked := next_question(model, inputs):
        assert value_at(inputs, read_path(asked.field)) is None
        inputs = put(inputs, read_path(asked.field), first_answer(model, asked))
    return inputs
