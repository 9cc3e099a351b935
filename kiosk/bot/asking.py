"""The wizard's screens: one question, the settings, and which answer to change; pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from kiosk.bot.buttons import Answer, Ask, Show, Turn, choice_mark
from kiosk.bot.labels import (
    answers,
    choice_label,
    count,
    field_label,
    field_number,
    grid,
    part_label,
    path_label,
    short,
    value_label,
)
from kiosk.bot.listing import listing, one_object
from kiosk.bot.screens import Button, Screen
from kiosk.bot.ways import PAGE_CHOICES, given_row, pages, way_row
from kiosk.bot.words import Words
from kiosk.catalog.form import Question, QuestionKind, questions, settings
from kiosk.catalog.model import UNSTATED_MAX_NUMBER, Model, TotalChars
from kiosk.catalog.path import read_path, value_at
from kiosk.catalog.rules import characters_of
from kiosk.generations.store import Generation

VALUE_CHARS: Final = 30  # of a setting on its button
# A row holds as many buttons as can be read side by side on a phone.
ROWS: Final = ((12, 3), (20, 2))


def question(
    say: Words,
    model: Model,
    draft: Generation,
    asked: Question,
    *,
    prices: Sequence[int | None] = (),
    page: int | None = None,
) -> Screen:
    """One question, its choices as buttons and the way back. `prices`: kopecks for each choice, where they differ."""
    heading = _heading(say, model, draft, asked)
    if asked.kind is QuestionKind.OBJECTS:
        return listing(say, model, draft, asked, heading, page)
    if asked.kind is QuestionKind.OBJECT:
        return one_object(say, model, draft, asked, heading)
    buttons = _choices(say, model, draft, asked, prices)
    hint = say("prices-hint") if any(price is not None for price in prices) else ""
    number = field_number(model, asked.field)
    first = (page or 0) * PAGE_CHOICES
    shown = buttons[first : first + PAGE_CHOICES]
    longest = max((len(button.text) for button in shown), default=0)
    in_row = next((in_row for most, in_row in ROWS if longest <= most), 1)
    turns = pages(say, page or 0, len(buttons), lambda other: Turn(draft.id, number, other))
    rest = (*given_row(say, draft, asked, number), way_row(say, model, draft, asked))
    return Screen("\n\n".join(part for part in (heading, hint) if part), (*grid(shown, in_row), *turns, *rest))


def _choices(
    say: Words, model: Model, draft: Generation, asked: Question, prices: Sequence[int | None]
) -> tuple[Button, ...]:
    number = field_number(model, asked.field)
    buttons = []
    for index, choice in enumerate(asked.choices):
        label = choice_label(say, asked, choice)
        if index < len(prices) and (price := prices[index]) is not None:
            label = say.plain("choice-price", choice=label, price=say.money(price))
        buttons.append(Button(label, Answer(draft.id, number, index, choice_mark(asked.field, choice))))
    return tuple(buttons)


def _heading(say: Words, model: Model, draft: Generation, asked: Question) -> str:
    asks = "\n".join(part for part in (_ask(say, model, asked), _preset_hint(say, draft, asked)) if part)
    parts = (answers(say, model, draft.inputs), asks, _left_hint(say, model, draft, asked))
    return "\n\n".join(part for part in parts if part)


def _preset_hint(say: Words, draft: Generation, asked: Question) -> str:
    """What is usual, or holds as long as nothing is chosen."""
    if asked.preset is None or value_at(draft.inputs, read_path(asked.field)) is not None:
        return ""
    return say("ask-preset-hint", value=value_label(say, asked, asked.preset))


def _ask(say: Words, model: Model, asked: Question) -> str:
    path = read_path(asked.field)
    if path.item is not None:
        return f"{_ask_inside(say, model, asked)}\n{_hint(say, model, asked)}"
    title = say("ask-other", field=field_label(say, asked.field))
    stems = (f"{asked.field}-{model.type}", f"{asked.field}-{model.output}", asked.field)
    for stem in stems:
        if say.has(f"ask-{stem}"):
            title = say(f"ask-{stem}")
            break
    return f"{title}\n{_hint(say, model, asked)}"


def _ask_inside(say: Words, model: Model, asked: Question) -> str:
    """An object of a list, or one of its parts."""
    path = read_path(asked.field)
    title = say("ask-object", object=path_label(say, model, str(replace(path, part=None))))
    if path.part is None:
        return title
    stem = f"{path.name}-{path.part}"
    asks = say(f"ask-{stem}") if say.has(f"ask-{stem}") else say("ask-other", field=part_label(say, path))
    return f"{title}\n{asks}"


def _left_hint(say: Words, model: Model, draft: Generation, asked: Question) -> str:
    """How much may still be written, where all objects of a list share a limit."""
    path = read_path(asked.field)
    for rule in model.rules:
        if isinstance(rule, TotalChars) and rule.field == path.name and path.part in (None, rule.part):
            left = rule.maximum - characters_of(rule, draft.inputs)
            return say("ask-left-hint", max=str(rule.maximum), left=str(left))
    return ""


def _hint(say: Words, model: Model, asked: Question) -> str:
    match asked.kind:
        case QuestionKind.TEXT:
            stem = f"{asked.field}-{model.type}"
            key = f"ask-{stem}-hint" if say.has(f"ask-{stem}-hint") else "ask-text-hint"
            return say(key, max=count(asked.maximum))
        case QuestionKind.NUMBER:
            return number_hint(say, asked)
        case QuestionKind.CHOICE if asked.is_open:
            return say("ask-open-hint")
        case QuestionKind.CHOICE | QuestionKind.BOOLEAN:
            return say("ask-choice-hint")
        case QuestionKind.LIST:
            return say("ask-list-hint", max=count(asked.maximum))
        case QuestionKind.OBJECTS:
            return say("ask-objects-hint", max=count(asked.maximum))
        case QuestionKind.OBJECT:
            return say("ask-object-hint")
        case QuestionKind.MEDIA:
            return _file_hint(say, asked)


def number_hint(say: Words, asked: Question) -> str:
    """Which numbers are possible."""
    key = "ask-whole-hint" if asked.whole else "ask-number-hint"
    if asked.minimum is not None and asked.minimum <= -UNSTATED_MAX_NUMBER:
        return say("ask-any-number-hint")
    if asked.maximum is not None and asked.maximum >= UNSTATED_MAX_NUMBER:
        return say("ask-from-number-hint", min=count(asked.minimum))
    return say(key, min=count(asked.minimum), max=count(asked.maximum))


def _file_hint(say: Words, asked: Question) -> str:
    """What to send, and what is taken of it."""
    wanted = asked.media
    if wanted is None:
        return ""
    kind = wanted.media
    parts = [say(f"ask-file-{kind}")]
    if asked.is_list:
        parts.append(say("ask-files-hint", max=count(asked.maximum)))
    if wanted.formats:
        parts.append(say("ask-formats-hint", formats=", ".join(wanted.formats).upper()))
    if wanted.max_size_mb:
        parts.append(say("ask-size-hint", max=str(wanted.max_size_mb)))
    if wanted.max_seconds:
        parts.append(say("ask-length-hint", min=count(wanted.min_seconds or 0), max=count(wanted.max_seconds)))
    return "\n".join(parts)


def edit(say: Words, model: Model, draft: Generation) -> Screen:
    """Which answer is to be changed?"""
    rows = tuple(
        (Button(field_label(say, asked.field), Ask(draft.id, field_number(model, asked.field))),)
        for asked in questions(model)
    )
    return Screen(say("edit"), (*rows, (Button(say.plain("back-button"), Show(draft.id)),)))


def tune(say: Words, model: Model, draft: Generation) -> Screen:
    """The optional inputs, each with the value that holds now."""
    rows = tuple(
        (Button(_setting(say, asked, draft), Ask(draft.id, field_number(model, asked.field))),)
        for asked in settings(model)
    )
    return Screen(say("tune", model=model.name), (*rows, (Button(say.plain("back-button"), Show(draft.id)),)))


def _setting(say: Words, asked: Question, draft: Generation) -> str:
    value = draft.inputs.get(asked.field, asked.preset)
    if value is None:
        shown = say.plain("setting-none")
    elif asked.kind is QuestionKind.OBJECTS:
        shown = say.plain("objects", count=len(value))
    else:
        shown = short(value_label(say, asked, value), VALUE_CHARS)
    key = "setting-row-changed" if asked.field in draft.inputs else "setting-row"
    return say.plain(key, field=field_label(say, asked.field), value=shown)
