"""What a customer sees, as values: a text in Telegram's HTML and rows of buttons; pure."""

from dataclasses import dataclass, replace

from kiosk.bot.buttons import Again, Cancel, Home, Leave, Onward, Original, Press
from kiosk.bot.labels import answers
from kiosk.bot.words import Words
from kiosk.catalog.model import Model
from kiosk.delivery.messenger import Standing
from kiosk.delivery.wording import Wording
from kiosk.generations.report import Day
from kiosk.ledger.store import Wallet
from kiosk.operators.alerts import Raised


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


def balance(say: Words, wallet: Wallet, support: str) -> Screen:
    text = say("balance", available=say.money(wallet.available_kopecks), held=say.money(wallet.held_kopecks))
    if support:
        text += f"\n\n{say('balance-top-up', support=support)}"
    return Screen(text, (home_row(say),))


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
    return Screen(text, (home_row(say),))


def alert(say: Words, raised: Raised) -> Screen:
    """What an operator is told without asking."""
    values = {**raised.alert.values, "count": str(raised.untold)}
    return Screen(say(f"alert-{raised.alert.kind}", **values))


def help_(say: Words, support: str) -> Screen:
    text = say("help") + (f"\n\n{say('help-support', support=support)}" if support else "")
    return Screen(text, (home_row(say),))


def plain(say: Words, key: str) -> Screen:
    """One sentence and the way home."""
    return Screen(say(key), (home_row(say),))


def headed(screen: Screen, heading: str) -> Screen:
    """The same screen with something to be told first; `heading` is HTML."""
    return replace(screen, text=f"{heading}\n\n{screen.text}")


def followed(screen: Screen, text: str) -> Screen:
    """The same screen with more below; `text` is HTML."""
    return replace(screen, text=f"{screen.text}\n\n{text}")


def status(say: Words, model: Model | None, order: Standing) -> Screen:
    """An order on its way; from the line the customer may still leave."""
    name = say.escape(model.name if model else order.model_id)
    given = answers(say, model, order.inputs) if model else ""
    if order.place is not None:
        heading = say("line-place", place=order.place, ahead=order.place - 1)
        text = say.markup("line", heading=heading, why=say(f"line-why-{order.why}"), answers=given, model=name)
        rows = ((Button(say.plain("cancel-button"), Cancel(order.generation_id)),),)
        return Screen(text if given else text.replace("\n" * 4, "\n\n"), rows)
    usual = say("status-usual", seconds=model.usual_seconds) if model and model.usual_seconds else ""
    text = say.markup("status", answers=given, model=name, usual=usual)
    return Screen(text if given else text.replace("\n" * 4, "\n\n"))


def done(
    say: Words,
    model_name: str,
    order_id: int,
    price: int,
    late: bool,
    *,
    compressed: bool = False,
    leads_on: bool = False,
) -> Screen:
    """The caption of a result, or the heading of one in words or of its address.

    `compressed`: Telegram shows less than there is, so the file itself is offered. `leads_on`: more can be made of it.
    """
    details = (
        say("done-details-free", model=model_name)
        if late
        else say("done-details", model=model_name, price=say.money(price))
    )
    text = f"{say('done-late') if late else say('done')}\n\n{details}"
    original = ((Button(say.plain("original-button"), Original(order_id)),),) if compressed else ()
    onward = ((Button(say.plain("onward-button"), Onward(order_id)),),) if leads_on else ()
    again = (Button(say.plain("again-button"), Again(order_id)),)
    return Screen(text, (*onward, *original, again, _leave_row(say)))


def wording(said: Wording) -> str:
    """A result in words, as HTML."""
    text = Words.escape(said.text)
    return f"<pre>{text}</pre>" if said.extension == "json" else text


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
    return Screen(text, (home_row(say),))


def home_row(say: Words) -> tuple[Button, ...]:
    return (Button(say.plain("home-button"), Home()),)


def _leave_row(say: Words) -> tuple[Button, ...]:
    return (Button(say.plain("home-button"), Leave()),)


def below(screen: Screen) -> Screen:
    """The same screen in a message of its own."""
    return replace(screen, fresh=True)
