"""Who stands at the counter: a visitor's words and presses in, the screen to show out; nothing here knows Telegram."""

from dataclasses import dataclass, replace
from typing import Final, assert_never

from kiosk.bot import aisles, buttons, screens
from kiosk.bot.buttons import unpack
from kiosk.bot.counter import Counter, answered_field
from kiosk.bot.replies import Pressed, Reply
from kiosk.bot.screens import Screen
from kiosk.bot.words import Words, words
from kiosk.catalog.shelf import Shelf
from kiosk.customers import store as customers
from kiosk.customers.arrive import Visitor, arrive
from kiosk.customers.store import Customer
from kiosk.db import Database, Tx
from kiosk.generations import drafts, store
from kiosk.generations.confirm import (
    Confirmed,
    Incomplete,
    InsufficientFunds,
    NotSold,
    PriceChanged,
    SalesPaused,
    Till,
    TooMany,
)
from kiosk.generations.draft import Answer, Answered, Missing, Passed, Wizard, Wrong
from kiosk.generations.original import owe_originals
from kiosk.generations.report import last_day
from kiosk.generations.settle import Settler
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.generations.usher import standing
from kiosk.ledger import store as ledger
from kiosk.log import concerns
from kiosk.queue.jobs import depth

BEGUN: Final = (State.PENDING, State.SUBMITTING, State.RUNNING)


@dataclass(frozen=True, slots=True)
class Desk:
    """Everything that a customer of one bot can do."""

    db: Database
    shelf: Shelf
    wizard: Wizard
    till: Till
    settler: Settler
    welcome_kopecks: int
    support: str
    admins: frozenset[int]

    @property
    def counter(self) -> Counter:
        return Counter(self.wizard)

    # Commands

    async def start(self, visitor: Visitor) -> Reply:
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            return Reply(await self._home(tx, customer))

    async def balance(self, visitor: Visitor) -> Reply:
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            return Reply(await self._balance(tx, customer))

    async def admin(self, visitor: Visitor) -> Reply:
        """The day of this bot, for its operators; to everybody else it is a word like any other."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            if visitor.telegram_id not in self.admins:
                return Reply(await self._unknown(tx, customer))
            return Reply(screens.day(words(customer.language), await last_day(tx, visitor.bot_id), await depth(tx)))

    async def help(self, visitor: Visitor) -> Reply:
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
        return Reply(screens.help_(words(customer.language), self.support))

    async def cancel(self, visitor: Visitor, chat_id: int) -> Reply:
        """/cancel drops the draft that was touched last in this chat."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            draft = await drafts.latest(tx, customer.id, chat_id)
            if draft:
                await store.cancel(tx, draft.id, was=State.DRAFT)
        say = words(customer.language)
        return Reply(screens.canceled(say) if draft else screens.plain(say, "nothing-to-cancel"))

    async def left(self, visitor: Visitor) -> None:
        """The visitor blocked the bot."""
        async with self.db.transaction() as tx:
            customer = await customers.find(tx, visitor.bot_id, visitor.telegram_id)
            if customer:
                await customers.mark_blocked(tx, customer.id)

    # Words

    async def text(self, visitor: Visitor, chat_id: int, text: str, update_id: int) -> Reply | None:
        """Free text answers the question that waits. None: it was not meant for us (a group's chatter)."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            draft = await drafts.answered_by(tx, customer.id, update_id)
            draft = draft or await drafts.latest(tx, customer.id, chat_id)
            if draft is None or draft.state is not State.DRAFT:
                private = chat_id == visitor.telegram_id
                return Reply(await self._unknown(tx, customer)) if private else None
            if draft.asking is None:
                return await self._moved(tx, customer, Passed(draft))
            answer = await self.wizard.answer(tx, draft, draft.asking, text, update_id)
            return await self._moved(tx, customer, answer, draft.asking)

    async def not_text(self, visitor: Visitor, chat_id: int) -> Reply:
        """A contact, a place, a file where words are asked for."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            draft = await drafts.latest(tx, customer.id, chat_id)
            if draft is None or draft.asking is None:
                return Reply(await self._unknown(tx, customer))
            asked = self.wizard.question(draft)
            wrong = "wrong-link" if asked and asked.media else "wrong-media"
            return await self._headed(tx, customer, draft, words(customer.language)(wrong))

    async def _headed(self, tx: Tx, customer: Customer, draft: Generation, heading: str) -> Reply:
        """Where the draft stands, with something to be told first."""
        reply = await self._moved(tx, customer, Passed(draft))
        assert reply.screen is not None  # noqa: S101 - a draft always has a screen
        return replace(reply, screen=screens.headed(reply.screen, heading))

    # Presses

    async def press(self, visitor: Visitor, at: Pressed) -> Reply:
        press = unpack(at.data)
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            match press:
                case None:
                    return self._old(customer, await self._home(tx, customer))
                case buttons.Home():
                    return Reply(await self._home(tx, customer))
                case buttons.Leave():
                    return Reply(screens.below(await self._home(tx, customer)))
                case buttons.Balance():
                    return Reply(await self._balance(tx, customer))
                case buttons.Aisle(code=code, page=page):
                    shelf = self._aisle(words(customer.language), code, page)
                    return Reply(shelf) if shelf else self._old(customer, await self._home(tx, customer))
                case buttons.Choose(code=code):
                    return await self._choose(tx, customer, at, code)
                case buttons.Create() | buttons.Cancel():
                    pass  # these open transactions of their own: money is locked before anything else
                case _:
                    return await self._press_on_generation(tx, customer, at, press)
        match press:
            case buttons.Create(generation_id=generation_id, price_kopecks=price):
                return await self._create(customer, at, generation_id, price)
            case buttons.Cancel(generation_id=generation_id):
                return await self._cancel(customer, at, generation_id)
            case _:
                assert_never(press)

    async def _press_on_generation(
        self,
        tx: Tx,
        customer: Customer,
        at: Pressed,
        press: buttons.OnDraft | buttons.Again | buttons.Original,
    ) -> Reply:
        found = await store.lock(tx, press.generation_id, customer.id)
        if found is None:
            return self._old(customer, await self._home(tx, customer))
        if isinstance(press, buttons.Again):
            return await self._again(tx, customer, found)
        if isinstance(press, buttons.Original):
            owed = await owe_originals(tx, found)
            return Reply(None, toast=words(customer.language).plain(f"original-owed-{owed}"))
        answer = await self.counter.press(tx, customer, found, press, at.update_id)
        if isinstance(answer, Screen):
            return Reply(answer, draft=found)
        return await self._after(tx, customer, at, answer, answered_field(self.wizard, found, press))

    async def shown(self, draft: Generation, message_id: int) -> bool:
        """The wizard's screen landed in this message. False: too late, it went on elsewhere, or is over."""
        async with self.db.transaction() as tx:
            return await drafts.move(tx, draft.id, message_id, was=draft.message_id)

    async def correction(self, visitor: Visitor, order_id: int) -> Screen | None:
        """What the order's message is to show by now: it may have moved while its status was on its way."""
        async with self.db.reading() as tx:
            order = await store.get(tx, order_id)
        say = words(visitor.language)
        if order and order.state is State.FAILED:
            return self._failed(say, order)
        return self._status(say, order) if order and order.state in BEGUN else None

    # Steps

    async def _choose(self, tx: Tx, customer: Customer, at: Pressed, code: str) -> Reply:
        model = next((model for model in self.shelf.sellable() if buttons.model_code(model.id) == code), None)
        if model is None:
            return Reply(screens.plain(words(customer.language), "not-sold"))
        draft = await self.wizard.begin(
            tx, customer_id=customer.id, model=model, chat_id=at.chat_id, message_id=at.message_id
        )
        return Reply(await self._draft_screen(tx, customer, draft), draft=draft)

    async def _again(self, tx: Tx, customer: Customer, origin: Generation) -> Reply:
        """A new card with the same answers, in a message of its own: the old one keeps its result or its reason."""
        model = self.wizard.model(origin.model_id)
        if model is None or origin.is_direct:
            return Reply(None, toast=words(customer.language).plain("not-sold"))
        draft = await self.wizard.begin(
            tx,
            customer_id=customer.id,
            model=model,
            chat_id=origin.chat,
            message_id=None,
            inputs=origin.inputs,
            origin_id=origin.id,
        )
        screen = await self._draft_screen(tx, customer, draft)
        return Reply(screens.below(screen), draft=draft, replaces=draft.message_id)

    async def _create(self, customer: Customer, at: Pressed, generation_id: int, price: int) -> Reply:
        result = await self.till.confirm(customer.id, generation_id, price_pressed=price, message_id=at.message_id)
        say = words(customer.language)
        async with self.db.transaction() as tx:
            match result:
                case Confirmed(generation=order):
                    return await self._stand(tx, customer, at, order)
                case InsufficientFunds(generation=draft):
                    return Reply(await self._draft_screen(tx, customer, draft), draft=draft)
                case PriceChanged(generation=draft):
                    screen = screens.headed(await self._draft_screen(tx, customer, draft), say("card-price-changed"))
                    return Reply(screen, draft=draft)
                case SalesPaused(generation=draft):
                    return Reply(
                        screens.headed(await self._draft_screen(tx, customer, draft), say("card-paused")), draft=draft
                    )
                case TooMany(generation=draft, limit=limit):
                    heading = say("card-too-many", limit=limit)
                    return Reply(screens.headed(await self._draft_screen(tx, customer, draft), heading), draft=draft)
                case Incomplete(generation=found):
                    return await self._stand(tx, customer, at, found)
                case NotSold():
                    return Reply(screens.plain(say, "not-sold"))
                case _:
                    assert_never(result)

    async def _cancel(self, customer: Customer, at: Pressed, generation_id: int) -> Reply:
        canceled = await self.settler.cancel(customer.id, generation_id)
        async with self.db.transaction() as tx:
            found = await store.lock(tx, generation_id, customer.id)
            if found is None:
                return self._old(customer, await self._home(tx, customer))
            if not canceled:
                return await self._stand(tx, customer, at, found)
            price = found.price if found.confirmed_at else None
            return Reply(screens.canceled(words(customer.language), price))

    async def _after(self, tx: Tx, customer: Customer, at: Pressed, answer: Answer, field: str | None) -> Reply:
        match answer:
            case Answered(generation=draft):
                return Reply(await self._draft_screen(tx, customer, draft, field), draft=draft)
            case Wrong(generation=draft, problem=problem):
                heading = self.counter.heading(customer, draft, problem)
                return Reply(screens.headed(await self._draft_screen(tx, customer, draft), heading), draft=draft)
            case Passed(generation=found):
                return await self._stand(tx, customer, at, found)
            case Missing():
                return Reply(screens.plain(words(customer.language), "not-sold"))
            case _:
                assert_never(answer)

    async def _moved(self, tx: Tx, customer: Customer, answer: Answer, field: str | None = None) -> Reply:
        """After words the wizard goes on below them, and its earlier screen is taken away."""
        match answer:
            case Answered(generation=draft) | Passed(generation=draft):
                screen = await self._draft_screen(tx, customer, draft, field)
            case Wrong(generation=draft, problem=problem):
                heading = self.counter.heading(customer, draft, problem)
                screen = screens.headed(await self._draft_screen(tx, customer, draft), heading)
            case Missing():
                return Reply(screens.plain(words(customer.language), "not-sold"))
            case _:
                assert_never(answer)
        return Reply(screen, draft=draft, replaces=draft.message_id)

    async def _stand(self, tx: Tx, customer: Customer, at: Pressed, found: Generation) -> Reply:
        """Where things stand, without ever writing over a result."""
        say = words(customer.language)
        own = (at.chat_id, at.message_id) == (found.chat_id, found.message_id)
        over = Reply(None, toast=say.plain("order-elsewhere" if found.state in BEGUN else "order-over"))
        if found.state is State.DRAFT:
            return Reply(await self._draft_screen(tx, customer, found), draft=found)
        if found.state in BEGUN:
            return Reply(self._status(say, found), order_id=found.id) if own else over
        if found.state is State.FAILED:
            return Reply(self._failed(say, found)) if own else over
        if found.state is State.CANCELED:
            return Reply(screens.canceled(say))
        return over

    # Screens that need the database

    async def _draft_screen(self, tx: Tx, customer: Customer, draft: Generation, after: str | None = None) -> Screen:
        return await self.counter.screen(tx, customer, draft, after=after)

    async def _home(self, tx: Tx, customer: Customer) -> Screen:
        wallet = await ledger.wallet(tx, customer.id)
        return aisles.home(words(customer.language), customer.first_name, wallet, self.shelf.aisles())

    async def _unknown(self, tx: Tx, customer: Customer) -> Screen:
        return screens.headed(await self._home(tx, customer), words(customer.language)("unknown"))

    async def _balance(self, tx: Tx, customer: Customer) -> Screen:
        return screens.balance(words(customer.language), await ledger.wallet(tx, customer.id), self.support)

    def _aisle(self, say: Words, code: str, page: int) -> Screen | None:
        """One page of one kind of models; None when there is no such (any more)."""
        found = next(((kind, models) for kind, models in self.shelf.aisles() if buttons.model_code(kind) == code), None)
        if found is None:
            return None
        kind, models = found
        first = page * aisles.PAGE_MODELS
        offers = [(model, self.wizard.from_price(model)) for model in models[first : first + aisles.PAGE_MODELS]]
        return aisles.aisle(say, kind, offers, page, len(models)) if offers else None

    def _status(self, say: Words, order: Generation) -> Screen:
        return screens.status(say, self.shelf.find(order.model_id), standing(order))

    def _failed(self, say: Words, order: Generation) -> Screen:
        return screens.failed(say, order.failure.value if order.failure else "provider", order.id, order.price)

    def _old(self, customer: Customer, home: Screen) -> Reply:
        """What this message shows is not known here, so it is left alone."""
        return Reply(screens.below(home), toast=words(customer.language).plain("old-button"))

    async def _customer(self, tx: Tx, visitor: Visitor) -> Customer:
        customer = await arrive(tx, visitor, self.welcome_kopecks)
        concerns(customer.id)
        if customer.blocked:
            await customers.mark_back(tx, customer.id)
            await store.wake_waiting(tx, customer.id)
        return customer
