"""What a customer sees, as values: a text in Telegram's HTML and rows of buttons; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from kiosk.bot.buttons import (
    Again,
    Answer,
    Ask,
    Balance,
    Cancel,
    Choose,
    Create,
    Edit,
    Home,
    Leave,
    Press,
    Show,
    model_code,
)
from kiosk.bot.words import Words
from kiosk.catalog.form import Problem, ProblemKind, Question, QuestionKind, questions
from kiosk.catalog.model import Model, Scalar
from kiosk.generations.report import Day
from kiosk.generations.store import Generation
from kiosk.ledger.store import Wallet
from kiosk.operators.alerts import Raised

CHOICES_IN_ROW: Final = 3
SUMMARY_CHARS: Final = 600  # of one answer on the card: texts may be longer than a message
SHELF_AT_MOST: Final = 90  # Telegram takes 100 buttons


@dataclass(frozen=True, slots=True)
class Button:
    text: str
    press: Press


@dataclass(frozen=True, slots=True)
class Screen:
    """`fresh`: it belongs into a message of its own, below."""

    text: str
    rows: tuple[tuple[Button, ...], ...] = ()
    fresh: bool = False


def home(say: Words, name: str, wallet: Wallet, offers: Sequence[tuple[Model, int | None]]) -> Screen:
    """The first screen: one button when one model is sold, else the shelf. Offers carry their lowest price, kopecks."""
    text = say("home", name=name, balance=say.money(wallet.available_kopecks))
    balance_row = (Button(say.plain("balance-button"), Balance()),)
    if not offers:
        return Screen(f"{text}\n\n{say('home-closed')}", (balance_row,))
    if len(offers) == 1:
        (only, _price), *_ = offers
        return Screen(text, ((Button(say.plain(f"create-{only.output}"), Choose(model_code(only.id))),), balance_row))
    return Screen(text, (*((_offer(say, model, price),) for model, price in offers[:SHELF_AT_MOST]), balance_row))


def _offer(say: Words, model: Model, price: int | None) -> Button:
    text = model.name if price is None else say.plain("shelf-row", model=model.name, price=say.money(price))
    return Button(text, Choose(model_code(model.id)))


def balance(say: Words, wallet: Wallet, support: str) -> Screen:
    text = say("balance", available=say.money(wallet.available_kopecks), held=say.money(wallet.held_kopecks))
    if support:
        text += f"\n\n{say('balance-top-up', support=support)}"
    return Screen(text, (_home_row(say),))


def day(say: Words, report: Day, queue_depth: int) -> Screen:
    """What an operator wants to know first."""
    text = say(
        "day",
        done=report.done,
        failed=report.failed,
        revenue=say.money(report.revenue_kopecks),
        refunded=say.money(report.refunded_kopecks),
        credits=f"{report.credits.normalize():f}",
        open=report.open_now,
        queue=queue_depth,
        orphans=report.orphans,
    )
    return Screen(text, (_home_row(say),))


def alert(say: Words, raised: Raised) -> Screen:
    """What an operator is told without asking."""
    values = {**raised.alert.values, "count": str(raised.untold)}
    return Screen(say(f"alert-{raised.alert.kind}", **values))


def help_(say: Words, support: str) -> Screen:
    text = say("help") + (f"\n\n{say('help-support', support=support)}" if support else "")
    return Screen(text, (_home_row(say),))


def plain(say: Words, key: str) -> Screen:
    """One sentence and the way home."""
    return Screen(say(key), (_home_row(say),))


def headed(screen: Screen, heading: str) -> Screen:
    """The same screen with something to be told first; `heading` is HTML."""
    return replace(screen, text=f"{heading}\n\n{screen.text}")


def question(say: Words, model: Model, draft: Generation, asked: Question) -> Screen:
    """One question of the wizard, with its choices as buttons and the way back."""
    text = "\n\n".join(part for part in (_answers(say, model, draft.inputs), _ask(say, asked)) if part)
    buttons = [
        Button(_choice_label(say, asked, choice), Answer(draft.id, field_number(model, asked.field), number))
        for number, choice in enumerate(asked.choices)
    ]
    return Screen(text, (*_grid(buttons), _wizard_row(say, model, draft, asked)))


def _ask(say: Words, asked: Question) -> str:
    key = f"ask-{asked.field}"
    title = say(key) if say.has(key) else say("ask-other", field=_field_label(say, asked.field))
    match asked.kind:
        case QuestionKind.TEXT:
            hint = f"ask-{asked.field}-hint" if say.has(f"ask-{asked.field}-hint") else "ask-text-hint"
            return f"{title}\n{say(hint, max=_count(asked.maximum))}"
        case QuestionKind.NUMBER:
            return f"{title}\n{say('ask-number-hint', min=_count(asked.minimum), max=_count(asked.maximum))}"
        case QuestionKind.CHOICE | QuestionKind.BOOLEAN:
            return f"{title}\n{say('ask-choice-hint')}"
        case QuestionKind.MEDIA | QuestionKind.LIST:
            return f"{title}\n{say('ask-text-hint')}"


def _wizard_row(say: Words, model: Model, draft: Generation, asked: Question) -> tuple[Button, ...]:
    cancel = Button(say.plain("cancel-button"), Cancel(draft.id))
    order = [item.field for item in questions(model)]
    if asked.field in draft.inputs and all(field in draft.inputs for field in order):
        return (Button(say.plain("back-button"), Show(draft.id)), cancel)
    earlier = order.index(asked.field) - 1 if asked.field in order else -1
    if earlier < 0:
        return (cancel,)
    return (Button(say.plain("back-button"), Ask(draft.id, field_number(model, order[earlier]))), cancel)


def problem(say: Words, found: Problem) -> str:
    """What was wrong with an answer, as HTML."""
    match found.kind:
        case ProblemKind.EMPTY | ProblemKind.MISSING:
            return say("wrong-empty")
        case ProblemKind.TOO_LONG:
            return say("wrong-too-long", actual=_count(found.actual), max=_count(found.maximum))
        case ProblemKind.TOO_SHORT:
            return say("wrong-too-short", min=_count(found.minimum))
        case ProblemKind.NOT_A_CHOICE:
            return say("wrong-choice")
        case ProblemKind.OUT_OF_RANGE:
            return say("wrong-range", min=_count(found.minimum), max=_count(found.maximum))
        case _:
            return say("wrong-other")


def edit(say: Words, model: Model, draft: Generation) -> Screen:
    """Which answer is to be changed?"""
    rows = tuple(
        (Button(_field_label(say, asked.field), Ask(draft.id, field_number(model, asked.field))),)
        for asked in questions(model)
    )
    return Screen(say("edit"), (*rows, (Button(say.plain("back-button"), Show(draft.id)),)))


def card(say: Words, model: Model, draft: Generation, wallet: Wallet) -> Screen:
    """Everything before the money moves: what, for how much, and what is left afterwards."""
    answers = _answers(say, model, draft.inputs)
    available = wallet.available_kopecks
    rows = (
        (Button(say.plain("create-button", price=say.money(draft.price)), Create(draft.id, draft.price)),),
        (
            Button(say.plain("edit-button"), Edit(draft.id)),
            Button(say.plain("cancel-button"), Cancel(draft.id)),
        ),
    )
    values = {"model": say.escape(model.name), "answers": answers, "price": say.money(draft.price)}
    if available < draft.price:
        missing = say.money(draft.price - available)
        return Screen(say.markup("card-poor", **values, available=say.money(available), missing=missing), rows)
    after = say.money(available - draft.price)
    return Screen(say.markup("card", **values, available=say.money(available), after=after), rows)


def status(say: Words, model: Model | None, order: Generation) -> Screen:
    """An order on its way."""
    name = say.escape(model.name if model else order.model_id)
    answers = _answers(say, model, order.inputs) if model else ""
    usual = say("status-usual", seconds=model.usual_seconds) if model and model.usual_seconds else ""
    text = say.markup("status", answers=answers, model=name, usual=usual)
    return Screen(text if answers else text.replace("\n" * 4, "\n\n"))


def done(say: Words, model_name: str, order_id: int, price: int, late: bool, url: str | None) -> Screen:
    """The caption of a result, or the message with its address."""
    details = (
        say("done-details-free", model=model_name)
        if late
        else say("done-details", model=model_name, price=say.money(price))
    )
    parts = [say("done-late") if late else say("done"), details]
    if url:
        parts.append(say("done-link", url=url))
    return Screen("\n\n".join(parts), ((Button(say.plain("again-button"), Again(order_id)),), _leave_row(say)))


def link(say: Words, url: str) -> Screen:
    """A further file that is too big for Telegram."""
    return Screen(say("done-link", url=url))


def failed(say: Words, failure: str, order_id: int, price: int) -> Screen:
    """Why there is no result, that the money is back, and a way to try again."""
    text = say.markup("failed", reason=say(f"failed-{failure}"), price=say.money(price))
    return Screen(text, ((Button(say.plain("retry-button"), Again(order_id)),), _leave_row(say)))


def canceled(say: Words, price: int | None = None) -> Screen:
    """`price`: what went back to the balance, kopecks."""
    text = say("canceled") if price is None else say("canceled-line", price=say.money(price))
    return Screen(text, (_home_row(say),))


def field_number(model: Model, field: str) -> int:
    """How a button names an input: its place in the catalog's order."""
    return [item.name for item in model.inputs].index(field)


def field_name(model: Model | None, number: int) -> str | None:
    """The input that a button named; None when there is no such."""
    if model is None or number >= len(model.inputs):
        return None
    return model.inputs[number].name


def _home_row(say: Words) -> tuple[Button, ...]:
    return (Button(say.plain("home-button"), Home()),)


def _leave_row(say: Words) -> tuple[Button, ...]:
    return (Button(say.plain("home-button"), Leave()),)


def below(screen: Screen) -> Screen:
    """The same screen in a message of its own."""
    return replace(screen, fresh=True)


def _answers(say: Words, model: Model, inputs: Mapping[str, Any]) -> str:
    given = [(asked, inputs[asked.field]) for asked in questions(model) if asked.field in inputs]
    lines = (
        say("card-answer", field=_field_label(say, asked.field), value=_short(_value_label(say, asked, value)))
        for asked, value in given
    )
    return "\n".join(lines)


def _value_label(say: Words, asked: Question, value: Any) -> str:
    return _choice_label(say, asked, value) if asked.kind is QuestionKind.CHOICE else str(value)


def _choice_label(say: Words, asked: Question, choice: Scalar) -> str:
    label = dict(asked.labels).get(str(choice), str(choice))
    if asked.field != "aspect_ratio":
        return label
    width, colon, height = str(choice).partition(":")
    if not (colon and width.isdigit() and height.isdigit()):
        return label
    shape = "square" if int(width) == int(height) else "wide" if int(width) > int(height) else "tall"
    return say.plain(f"ratio-{shape}", ratio=label)


def _field_label(say: Words, field: str) -> str:
    key = f"field-{field}"
    return say.plain(key) if say.has(key) else field.replace("_", " ").capitalize()


def _short(text: str) -> str:
    return text if len(text) <= SUMMARY_CHARS else f"{text[:SUMMARY_CHARS]}…"


def _count(value: float | None) -> str:
    if value is None:
        return ""
    return str(int(value)) if value == int(value) else f"{value:g}"  # `g` alone says 1e+06 for a million


def _grid(buttons: Iterable[Button]) -> tuple[tuple[Button, ...], ...]:
    flat = tuple(buttons)
    return tuple(flat[start : start + CHOICES_IN_ROW] for start in range(0, len(flat), CHOICES_IN_ROW))
