"""The wizard is a row: each answer fills its inputs, and a restart or a week later finds it where it stood."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from kiosk.catalog.form import (
    Invalid,
    Problem,
    ProblemKind,
    Question,
    QuestionKind,
    Rejected,
    Valid,
    check_answer,
    next_question,
    validate,
)
from kiosk.catalog.form import question as question_about
from kiosk.catalog.lowest import NOTHING, lowest_price
from kiosk.catalog.model import Model
from kiosk.catalog.objects import after_part, opened, resolve
from kiosk.catalog.path import objects_at, put, read_path, value_at, without
from kiosk.catalog.quote import Quote, Rates, Unpriced, quote
from kiosk.catalog.reference import Reference
from kiosk.catalog.rules import too_much
from kiosk.catalog.shelf import Shelf
from kiosk.db import Tx
from kiosk.generations import drafts, store
from kiosk.generations.drafts import ALONE, Follows
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.ids import new_callback_token


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer is in the row; `generation.asking` says what comes next, None: the card."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class Wrong:
    """The answer does not fit; nothing changed."""

    generation: Generation
    problem: Problem


@dataclass(frozen=True, slots=True)
class Passed:
    """This step is over (an old button, a repeated update): show where things stand."""

    generation: Generation


@dataclass(frozen=True, slots=True)
class Missing:
    """There is no such generation of this customer, or its model is no longer sold."""


Answer: TypeAlias = Answered | Wrong | Passed | Missing


@dataclass(frozen=True, slots=True)
class Wizard:
    """Turns answers into a quoted draft; prices and questions come from the shelf."""

    shelf: Shelf
    rates: Rates

    def model(self, model_id: str) -> Model | None:
        """None when it is not sold (any more)."""
        model = self.shelf.find(model_id)
        return model if model and self.shelf.is_sold(model) else None

    async def begin(
        self,
        tx: Tx,
        *,
        customer_id: int,
        model: Model,
        chat_id: int,
        message_id: int | None,
        inputs: Mapping[str, Any] | None = None,
        origin_id: int | None = None,
        follows: Follows = ALONE,
    ) -> Generation:
        """A draft in this message, or from this origin; doing it again gives the same draft."""
        known = await drafts.find(tx, customer_id, chat_id=chat_id, message_id=message_id, origin_id=origin_id)
        if known and known.model_id == model.id and known.follows_id == follows.generation_id:
            return known
        if known:
            await store.cancel(tx, known.id, was=State.DRAFT)
        draft = await drafts.insert(
            tx,
            customer_id=customer_id,
            model_id=model.id,
            inputs=inputs or {},
            chat_id=chat_id,
            message_id=message_id,
            callback_token=new_callback_token(),
            origin_id=origin_id,
            follows=follows,
        )
        if draft is None:  # a click at the same moment was faster: its row is committed, the insert waited for it
            draft = await drafts.find(tx, customer_id, chat_id=chat_id, message_id=message_id, origin_id=origin_id)
            assert draft is not None  # noqa: S101
            return draft
        return await self._save(tx, draft, model, dict(draft.inputs), asking=None, update_id=None)

    async def answer(self, tx: Tx, draft: Generation, field: str, raw: Any, update_id: int) -> Answer:
        """Applies one answer to a locked draft, if the wizard waits for exactly this field."""
        model = self.model(draft.model_id)
        if model is None:
            return Missing()
        over = draft.state is not State.DRAFT or draft.answered_update == update_id
        if over or draft.asking != field:
            return Passed(draft)
        asked = question_about(model, field)
        if asked and asked.kind is QuestionKind.MEDIA:  # only `attach` may name a file
            return Wrong(draft, Problem(ProblemKind.NOT_A_LINK, field))
        if asked and asked.kind in {QuestionKind.OBJECTS, QuestionKind.OBJECT}:  # an answer goes to one of its parts
            return Wrong(draft, Problem(ProblemKind.NOT_A_CHOICE, field))
        if is_reference(model, field):  # only the shop may name an earlier task
            return Passed(draft)
        checked = check_answer(model, field, raw)
        if isinstance(checked, Rejected):
            return Wrong(draft, checked.problem)
        if asked and asked.kind is QuestionKind.BOOLEAN and checked.value not in asked.choices:
            return Wrong(draft, Problem(ProblemKind.NOT_A_CHOICE, field, choices=asked.choices))
        inputs = put(draft.inputs, read_path(field), checked.value)
        excess = too_much(model.rules, inputs, read_path(field).name)
        if excess:
            return Wrong(draft, excess)
        asking = after_part(model, draft.inputs, inputs, read_path(field))
        return Answered(await self._save(tx, draft, model, inputs, asking=asking, update_id=update_id))

    async def attach(
        self, tx: Tx, draft: Generation, field: str, file: Reference, update_id: int, caption: str = ""
    ) -> Answer:
        """One more file for a locked draft; a list is asked for until it is full or the customer goes on.

        `caption`: words that came with it, the answer to what is asked next if that is a text.
        """
        model = self.model(draft.model_id)
        asked = question_about(model, field) if model else None
        if model is None or asked is None:
            return Missing()
        if draft.state is not State.DRAFT or draft.asking != field:
            return Passed(draft)
        value = with_file(draft.inputs, asked, file)
        checked = check_answer(model, field, value)
        if isinstance(checked, Rejected) and checked.problem.kind is not ProblemKind.TOO_FEW:
            return Wrong(draft, checked.problem)
        inputs = put(draft.inputs, read_path(field), value)
        excess = too_much(model.rules, inputs, field)
        if excess:
            return Wrong(draft, excess)
        open_end = asked.is_list and len(value) < (asked.maximum or 1)
        inputs = with_caption(model, inputs, caption)
        asking = field if open_end else after_part(model, draft.inputs, inputs, read_path(field))
        return Answered(await self._save(tx, draft, model, inputs, asking=asking, update_id=update_id))

    async def ask_again(self, tx: Tx, draft: Generation, field: str) -> Answer:
        """Goes back to one question; its earlier answer stays until it is answered anew."""
        model = self.model(draft.model_id)
        if model is None:
            return Missing()
        asking = opened(model, draft.inputs, field)
        if draft.state is not State.DRAFT or asking is None:
            return Passed(draft)
        return Answered(await self._save(tx, draft, model, dict(draft.inputs), asking=asking, update_id=None))

    async def take_back(self, tx: Tx, draft: Generation, field: str) -> Answer:
        """Forgets one answer: its default holds again, and what is required is asked anew."""
        model = self.model(draft.model_id)
        if model is None:
            return Missing()
        path = read_path(field)
        if (
            draft.state is not State.DRAFT
            or (path.item is not None and path.part is None)
            or is_reference(model, field)
        ):
            return Passed(draft)
        asking = None
        if path.part is not None:  # back to the object, or to the part again that it cannot be without
            part = resolve(model, field)
            asking = opened(model, draft.inputs, field if part and part.required else f"{path.name}[{path.item}]")
        inputs = without(draft.inputs, path)
        return Answered(await self._save(tx, draft, model, inputs, asking=asking, update_id=None))

    async def drop(self, tx: Tx, draft: Generation, name: str, item: int, count: int) -> Answer:
        """Takes one object out of a list of `count`; with another count it is the same press once more."""
        model = self.model(draft.model_id)
        if model is None:
            return Missing()
        if draft.state is not State.DRAFT or len(objects_at(draft.inputs, name)) != count or item >= count:
            return Passed(draft)
        inputs = without(draft.inputs, read_path(f"{name}[{item}]"))
        return Answered(await self._save(tx, draft, model, inputs, asking=opened(model, inputs, name), update_id=None))

    async def go_on(self, tx: Tx, draft: Generation) -> Generation:
        """Leaves the question that waits as it is: on to what is missing, or to the card, out of an object first."""
        model = self.model(draft.model_id)
        assert model is not None  # noqa: S101 - callers have asked `model` before
        path = read_path(draft.asking or "")
        inside = path.part is not None and value_at(draft.inputs, path) is not None
        asking = after_part(model, {}, draft.inputs, path) if inside else None
        return await self._save(tx, draft, model, dict(draft.inputs), asking=asking, update_id=None)

    async def requote(self, tx: Tx, draft: Generation) -> Generation:
        """Prices the draft anew."""
        model = self.model(draft.model_id)
        assert model is not None  # noqa: S101 - callers have asked `model` before
        return await self._save(tx, draft, model, dict(draft.inputs), asking=None, update_id=None)

    def question(self, draft: Generation) -> Question | None:
        """What the wizard waits for; None: the card is complete."""
        model = self.model(draft.model_id)
        if model is None or draft.asking is None:
            return None
        return question_about(model, draft.asking)

    def price(self, model: Model, inputs: Mapping[str, Any], earlier: Mapping[str, Any] | None = None) -> Quote | None:
        """None while the inputs are not complete and valid, or have no price. `earlier` is as in `quote`."""
        match validate(model, inputs):
            case Valid(inputs=complete):
                priced = quote(model, complete, self.rates, earlier=earlier)
                return priced if isinstance(priced, Quote) else None
            case Invalid():
                return None

    def trouble(
        self, model: Model, inputs: Mapping[str, Any], earlier: Mapping[str, Any] | None = None
    ) -> tuple[Problem, ...] | Unpriced:
        """Why complete inputs have no price: what is wrong with them, or with their price; () when nothing is."""
        match validate(model, inputs):
            case Valid(inputs=complete):
                priced = quote(model, complete, self.rates, earlier=earlier)
                return priced if isinstance(priced, Unpriced) else ()
            case Invalid(problems=problems):
                return problems

    def choice_prices(self, draft: Generation, asked: Question) -> tuple[int | None, ...]:
        """Kopecks for each choice beside the other answers; all None where the choice changes nothing."""
        model = self.model(draft.model_id)
        if model is None:
            return ()
        path = read_path(asked.field)
        priced = [
            quote(model, put(draft.inputs, path, choice), self.rates, earlier=draft.earlier) for choice in asked.choices
        ]
        prices = tuple(one.price_kopecks if isinstance(one, Quote) else None for one in priced)
        return prices if len({price for price in prices if price is not None}) > 1 else (None,) * len(prices)

    def from_price(
        self, model: Model, given: Mapping[str, Any] = NOTHING, earlier: Mapping[str, Any] | None = None
    ) -> int | None:
        """Kopecks of the cheapest that it can make; None where that is not known beforehand."""
        return lowest_price(model, self.rates, given, earlier=earlier)

    async def _save(
        self,
        tx: Tx,
        draft: Generation,
        model: Model,
        inputs: dict[str, Any],
        *,
        asking: str | None,
        update_id: int | None,
    ) -> Generation:
        if asking is None:
            upcoming = next_question(model, inputs)
            asking = upcoming.field if upcoming else None
        priced = self.price(model, inputs, draft.earlier) if asking is None else None
        saved = await drafts.save(
            tx,
            draft.id,
            inputs=inputs,
            asking=asking,
            update_id=update_id,
            price_kopecks=priced.price_kopecks if priced else None,
            credits_quoted=priced.credits if priced else None,
        )
        return saved or draft


def is_reference(model: Model, field: str) -> bool:
    """An input that an earlier result fills."""
    item = model.find(field)
    return item is not None and item.task_ref is not None


def with_caption(model: Model, inputs: dict[str, Any], caption: str) -> dict[str, Any]:
    """The inputs with these words in the text that would be asked for next, if one would and they fit."""
    upcoming = next_question(model, inputs) if caption else None
    if upcoming is None or upcoming.kind is not QuestionKind.TEXT or is_reference(model, upcoming.field):
        return inputs
    checked = check_answer(model, upcoming.field, caption)
    return inputs if isinstance(checked, Rejected) else {**inputs, upcoming.field: checked.value}


def with_file(inputs: Mapping[str, Any], asked: Question, file: Reference) -> Any:
    """What the input holds once this file is in it."""
    return [*(value_at(inputs, read_path(asked.field)) or []), str(file)] if asked.is_list else str(file)
