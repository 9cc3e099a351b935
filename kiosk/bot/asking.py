"""The wizard's screens: one question, the settings, and which answer to change; pure."""

from collections.abc import Callable, Sequence
from typing import Final

from kiosk.bot.buttons import Answer, Ask, Cancel, Press, Reset, Show, Tune, Turn, choice_mark
from kiosk.bot.labels import answers, choice_label, count, field_label, field_number, grid, short, value_label
from kiosk.bot.screens import Button, Screen
from kiosk.bot.words import Words
from kiosk.catalog.form import Question, QuestionKind, questions, settings
from kiosk.catalog.model import UNSTATED_MAX_NUMBER, Model
from kiosk.generations.store import Generation

PAGE_CHOICES: Final = 24
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
    page: int = 0,
) -> Screen:
    """One question, its choices as buttons and the way back. `prices`: kopecks for each choice, where they differ."""
    priced = any(price is not None for price in prices)
    hint = say("prices-hint") if priced else ""
    text = "\n\n".join(part for part in (answers(say, model, draft.inputs), _ask(say, model, asked), hint) if part)
    number = field_number(model, asked.field)
    buttons = []
    for index, choice in enumerate(asked.choices):
        label = choice_label(say, asked, choice)
        if priced and (price := prices[index]) is not None:
            label = say.plain("choice-price", choice=label, price=say.money(price))
        buttons.append(Button(label, Answer(draft.id, number, index, choice_mark(asked.field, choice))))
    first = page * PAGE_CHOICES
    shown = buttons[first : first + PAGE_CHOICES]
    longest = max((len(button.text) for button in shown), default=0)
    in_row = next((in_row for most, in_row in ROWS if longest <= most), 1)
    turns = pages(say, page, len(buttons), lambda other: Turn(draft.id, number, other))
    extra = _given_row(say, draft, asked, number)
    return Screen(text, (*grid(shown, in_row), *turns, *extra, _way_row(say, model, draft, asked)))


def pages(
    say: Words, page: int, total: int, to: Callable[[int], Press], size: int = PAGE_CHOICES
) -> tuple[tuple[Button, ...], ...]:
    """The row that leads to the other pages; nothing when there is only one."""
    row = []
    if page > 0:
        row.append(Button(say.plain("page-back"), to(page - 1)))
    if (page + 1) * size < total:
        row.append(Button(say.plain("page-on"), to(page + 1)))
    return (tuple(row),) if row else ()


def _ask(say: Words, model: Model, asked: Question) -> str:
    title = say("ask-other", field=field_label(say, asked.field))
    stems = (f"{asked.field}-{model.type}", f"{asked.field}-{model.output}", asked.field)
    for stem in stems:
        if say.has(f"ask-{stem}"):
            title = say(f"ask-{stem}")
            break
    return f"{title}\n{_hint(say, model, asked)}"


def _hint(say: Words, model: Model, asked: Question) -> str:
    match asked.kind:
        case QuestionKind.TEXT:
            stem = f"{asked.field}-{model.type}"
            key = f"ask-{stem}-hint" if say.has(f"ask-{stem}-hint") else "ask-text-hint"
            return say(key, max=count(asked.maximum))
        case QuestionKind.NUMBER:
            return _number_hint(say, asked)
        case QuestionKind.CHOICE if asked.is_open:
            return say("ask-open-hint")
        case QuestionKind.CHOICE | QuestionKind.BOOLEAN:
            return say("ask-choice-hint")
        case QuestionKind.LIST:
            return say("ask-list-hint", max=count(asked.maximum))
        case QuestionKind.MEDIA:
            return _file_hint(say, asked)


def _number_hint(say: Words, asked: Question) -> str:
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


def _given_row(say: Words, draft: Generation, asked: Question, number: int) -> tuple[tuple[Button, ...], ...]:
    """What can be done with an answer that is there already and may be missing."""
    if asked.field not in draft.inputs or (asked.required and not asked.is_list):
        return ()
    reset = Button(say.plain("reset-button"), Reset(draft.id, number))
    given = len(draft.inputs[asked.field]) if asked.media and asked.is_list else 0
    if not given or given < (asked.minimum or 1):
        return ((reset,),)
    return ((Button(say.plain("files-done-button", count=given), Show(draft.id)),), (reset,))


def _way_row(say: Words, model: Model, draft: Generation, asked: Question) -> tuple[Button, ...]:
    cancel = Button(say.plain("cancel-button"), Cancel(draft.id))
    order = [item.field for item in questions(model)]
    if all(field in draft.inputs for field in order) and not (asked.required and asked.is_list):
        back = Show(draft.id) if asked.required else Tune(draft.id)
        return (Button(say.plain("back-button"), back), cancel)
    earlier = order.index(asked.field) - 1 if asked.field in order else -1
    if earlier < 0:
        return (cancel,)
    return (Button(say.plain("back-button"), Ask(draft.id, field_number(model, order[earlier]))), cancel)


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
    shown = say.plain("setting-none") if value is None else short(value_label(say, asked, value), VALUE_CHARS)
    key = "setting-row-changed" if asked.field in draft.inputs else "setting-row"
    return say.plain(key, field=field_label(say, asked.field), value=shown)
