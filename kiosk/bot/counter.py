"""The wizard's side of the desk: what a press does to a draft, and the screen that a draft shows."""

from dataclasses import dataclass
from typing import assert_never

from kiosk.bot import asking, buttons, cards, screens
from kiosk.bot.labels import field_name
from kiosk.bot.listing import PAGE_OBJECTS
from kiosk.bot.problems import problem, unpriced
from kiosk.bot.screens import Screen
from kiosk.bot.ways import PAGE_CHOICES
from kiosk.bot.words import Words, words
from kiosk.catalog.form import Problem, Question
from kiosk.catalog.form import question as question_about
from kiosk.catalog.model import Model
from kiosk.catalog.path import objects_at, read_path
from kiosk.catalog.quote import Unpriced
from kiosk.catalog.reference import Reference
from kiosk.customers.store import Customer
from kiosk.db import Tx
from kiosk.generations.draft import Answer, Answered, Passed, Wizard, with_file
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.media.fit import Misfit, too_long_together


@dataclass(frozen=True, slots=True)
class Counter:
    """Everything that the desk needs to know of drafts."""

    wizard: Wizard

    async def screen(self, tx: Tx, customer: Customer, draft: Generation, *, after: str | None = None) -> Screen:
        """Where the draft stands. `after`: the input just answered; a setting leads back to the settings."""
        say = words(customer.language)
        model = self.wizard.model(draft.model_id)
        if model is None:
            return screens.plain(say, "not-sold")
        asked = self.wizard.question(draft)
        if asked is not None:
            return asking.question(say, model, draft, asked, prices=self.wizard.choice_prices(draft, asked))
        answered = question_about(model, read_path(after).name) if after else None
        if answered and not answered.required:
            return asking.tune(say, model, draft)
        if draft.price_kopecks is None:
            return cards.stuck(say, model, draft, self._why(say, model, draft))
        return cards.card(say, model, draft, await ledger.wallet(tx, customer.id))

    def heading(self, customer: Customer, draft: Generation, found: Problem) -> str:
        """What was wrong with an answer, as HTML."""
        say, model = words(customer.language), self.wizard.model(draft.model_id)
        return problem(say, model, found) if model else say("wrong-other")

    def too_long(self, draft: Generation, asked: Question, file: Reference) -> Misfit | None:
        """All files of one input together, this one among them, play longer than the model allows."""
        model = self.wizard.model(draft.model_id)
        if model is None or asked.media is None:
            return None
        return too_long_together(model, asked.field, asked.media, with_file(draft.inputs, asked, file))

    def _why(self, say: Words, model: Model, draft: Generation) -> str:
        trouble = self.wizard.trouble(model, draft.inputs, draft.earlier)
        if isinstance(trouble, Unpriced):
            return unpriced(say, model, trouble)
        return "\n".join(problem(say, model, one) for one in trouble) or say("unpriced-other")

    async def press(
        self, tx: Tx, customer: Customer, draft: Generation, press: buttons.OnDraft, update_id: int
    ) -> Answer | Screen:
        """What becomes of a locked draft; a screen where only something else of it is shown."""
        model = self.wizard.model(draft.model_id)
        if draft.state is not State.DRAFT or model is None:
            return Passed(draft)
        say = words(customer.language)
        match press:
            case buttons.Answer():
                return await self._choose(tx, model, draft, press, update_id)
            case buttons.Ask(field=number):
                name = field_name(model, number)
                return await self.wizard.ask_again(tx, draft, name) if name else Passed(draft)
            case buttons.Reset(field=number):
                name = field_name(model, number)
                return await self.wizard.take_back(tx, draft, name) if name else Passed(draft)
            case buttons.Drop(field=number, item=item, count=count):
                name = field_name(model, number)
                return await self.wizard.drop(tx, draft, name, item, count) if name else Passed(draft)
            case buttons.Turn(field=number, page=page):
                return self._turned(say, model, draft, number, page) or Passed(draft)
            case buttons.Tune():
                return asking.tune(say, model, await self.wizard.requote(tx, draft))
            case buttons.Edit():
                return asking.edit(say, model, draft)
            case buttons.Show():  # whatever was asked again is left as it was
                return Answered(await self.wizard.go_on(tx, draft))
            case _:
                assert_never(press)

    def _turned(self, say: Words, model: Model, draft: Generation, number: int, page: int) -> Screen | None:
        asked = self.wizard.question(draft)
        if asked is None or asked.field != field_name(model, number):
            return None
        shown = page * PAGE_CHOICES < len(asked.choices)
        if not shown and page * PAGE_OBJECTS >= len(objects_at(draft.inputs, asked.field)):
            return None
        prices = self.wizard.choice_prices(draft, asked)
        return asking.question(say, model, draft, asked, prices=prices, page=page)

    async def _choose(self, tx: Tx, model: Model, draft: Generation, press: buttons.Answer, update_id: int) -> Answer:
        """A press on a choice; one that is not the choice that was shown changes nothing."""
        name = field_name(model, press.field)
        asked = self.wizard.question(draft)
        if name is None or asked is None or asked.field != name or press.choice >= len(asked.choices):
            return Passed(draft)
        choice = asked.choices[press.choice]
        if buttons.choice_mark(name, choice) != press.mark:
            return Passed(draft)
        return await self.wizard.answer(tx, draft, name, choice, update_id)


def answered_field(wizard: Wizard, draft: Generation, press: buttons.OnDraft) -> str | None:
    """The input that a press has answered, or taken back."""
    if isinstance(press, buttons.Answer | buttons.Reset):
        return field_name(wizard.model(draft.model_id), press.field)
    return None
