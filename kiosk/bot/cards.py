"""The card: a complete draft before money moves; pure."""

from kiosk.bot.buttons import Cancel, Create, Edit, Tune
from kiosk.bot.labels import answers
from kiosk.bot.screens import Button, Screen
from kiosk.bot.words import Words
from kiosk.catalog.form import questions, settings
from kiosk.catalog.model import Model
from kiosk.generations.store import Generation
from kiosk.ledger.store import Wallet


def card(say: Words, model: Model, draft: Generation, wallet: Wallet) -> Screen:
    """What, for how much, and what is left afterwards."""
    available = wallet.available_kopecks
    create = (Button(say.plain("create-button", price=say.money(draft.price)), Create(draft.id, draft.price)),)
    rows = (create, *_ways(say, model, draft))
    values = {
        "model": say.escape(model.name),
        "answers": answers(say, model, draft.inputs),
        "price": say.money(draft.price),
    }
    if available < draft.price:
        missing = say.money(draft.price - available)
        return Screen(say.markup("card-poor", **values, available=say.money(available), missing=missing), rows)
    after = say.money(available - draft.price)
    return Screen(say.markup("card", **values, available=say.money(available), after=after), rows)


def stuck(say: Words, model: Model, draft: Generation, why: str) -> Screen:
    """Everything is answered, and yet it cannot be ordered like this; `why` is HTML."""
    values = {"model": say.escape(model.name), "answers": answers(say, model, draft.inputs), "why": why}
    return Screen(say.markup("card-stuck", **values), _ways(say, model, draft))


def _ways(say: Words, model: Model, draft: Generation) -> tuple[tuple[Button, ...], ...]:
    edit = (Button(say.plain("edit-button"), Edit(draft.id)),) if questions(model) else ()
    change = (*edit, Button(say.plain("cancel-button"), Cancel(draft.id)))
    if not settings(model):
        return (change,)
    return ((Button(say.plain("tune-button"), Tune(draft.id)),), change)
