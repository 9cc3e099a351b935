"""The desk's side of going on: what can be done with a result or a file of one's own, and the draft that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from kiosk.bot import buttons, onward, screens
from kiosk.bot.aisles import PAGE_MODELS
from kiosk.bot.buttons import model_code
from kiosk.bot.counter import Counter
from kiosk.bot.onward import Place
from kiosk.bot.replies import Pressed, Reply
from kiosk.bot.screens import Screen
from kiosk.bot.words import words
from kiosk.catalog.lowest import cheapest
from kiosk.catalog.quote import Unpriced, UnpricedReason, quote
from kiosk.catalog.reference import Reference
from kiosk.catalog.vocabulary import ModelType
from kiosk.customers import store as customers
from kiosk.customers.arrive import Visitor
from kiosk.customers.store import Customer
from kiosk.db import Database, Tx
from kiosk.delivery.plan import Media
from kiosk.delivery.wording import Wording
from kiosk.generations import follow, results
from kiosk.generations.draft import Wizard
from kiosk.generations.drafts import Follows
from kiosk.generations.follow import Offer, Subject
from kiosk.generations.results import Piece
from kiosk.generations.store import Generation
from kiosk.media import store as media
from kiosk.media.fit import Facts


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Everything that goes on from something; of other customers' results it knows nothing."""

    db: Database
    wizard: Wizard

    # Files, which are looked at before they are offered for anything

    async def unseen(self, visitor: Visitor, press: buttons.Onward | buttons.Pick) -> Piece | None:
        """The result that the press is about, if it is a file that nobody has looked at; None: nothing to look at."""
        async with self.db.reading() as tx:
            customer = await customers.find(tx, visitor.bot_id, visitor.telegram_id)
            if customer is None or press.generation_id == 0:
                return None
            found = await results.pieces(tx, customer.id, press.generation_id)
            piece = _meant(found, press)
            if piece is None or piece.media is Media.TEXT:
                return None
            seen = await media.of_delivery(tx, customer.id, piece.delivery_id)
        return piece if seen is None else None

    async def seen(self, visitor: Visitor, piece: Piece, facts: Facts) -> None:
        """From here on it can be ordered with."""
        async with self.db.transaction() as tx:
            customer = await customers.find(tx, visitor.bot_id, visitor.telegram_id)
            if customer:
                await media.add_result(tx, customer.id, piece.delivery_id, facts)

    # Presses

    async def press(self, tx: Tx, customer: Customer, at: Pressed, press: buttons.OnResult) -> Reply | None:
        """None: there is no such result of this customer, or it cannot be told what was meant."""
        match press:
            case buttons.Onward(generation_id=generation_id):
                first = await self._onward(tx, customer, generation_id)
                return Reply(screens.below(first)) if first else None
            case buttons.Pick(generation_id=generation_id, number=number):
                screen = await self.kinds(tx, customer, Place(generation_id, number))
                return Reply(screen) if screen else None
            case buttons.FollowAisle():
                return await self._aisle(tx, customer, press)
            case buttons.Follow():
                return await self._begin(tx, customer, at, press)
            case _:
                assert_never(press)

    async def _onward(self, tx: Tx, customer: Customer, generation_id: int) -> Screen | None:
        found = await results.pieces(tx, customer.id, generation_id)
        if len(found) == 1:
            return await self.kinds(tx, customer, Place(generation_id, found[0].number))
        numbers = [piece.number for piece in found]
        return onward.which(words(customer.language), generation_id, numbers) if found else None

    async def kinds(self, tx: Tx, customer: Customer, place: Place) -> Screen | None:
        """What can be done with it, by kind."""
        subject = await self._subject(tx, customer, place)
        if subject is None:
            return None
        offered = {found.model.type for found in follow.offers(self.wizard.shelf, subject)}
        gone = subject.file is None and subject.text is None
        kinds = [kind for kind in ModelType if kind in offered]
        return onward.kinds(words(customer.language), place, kinds, file_gone=gone)

    async def _aisle(self, tx: Tx, customer: Customer, press: buttons.FollowAisle) -> Reply | None:
        place = Place(press.generation_id, press.number)
        subject = await self._subject(tx, customer, place)
        kind = next((kind for kind in ModelType if model_code(kind.value) == press.code), None)
        if subject is None or kind is None:
            return None
        found = [one for one in follow.offers(self.wizard.shelf, subject) if one.model.type is kind]
        first = press.page * PAGE_MODELS
        page = [
            (one.model, self.wizard.from_price(one.model, one.given, one.earlier))
            for one in found[first : first + PAGE_MODELS]
        ]
        say = words(customer.language)
        return Reply(onward.offers(say, place, kind, page, press.page, len(found))) if page else None

    async def _begin(self, tx: Tx, customer: Customer, at: Pressed, press: buttons.Follow) -> Reply | None:
        """The wizard takes the place of the screen that was pressed; pressed again, it is the same draft."""
        subject = await self._subject(tx, customer, Place(press.generation_id, press.number))
        shelf = self.wizard.shelf
        model = next((one for one in shelf.models if model_code(one.id) == press.code), None)
        if subject is None or model is None:
            return None
        found = follow.offer(shelf, model, subject)
        if found is None:
            return Reply(screens.plain(words(customer.language), "onward-gone"))
        draft = await self.wizard.begin(
            tx,
            customer_id=customer.id,
            model=model,
            chat_id=at.chat_id,
            message_id=at.message_id,
            inputs=self._with_a_price(found),
            follows=Follows(press.generation_id or None, found.earlier),
        )
        return Reply(await Counter(self.wizard).screen(tx, customer, draft), draft=draft)

    def _with_a_price(self, found: Offer) -> dict[str, object]:
        """Beside some earlier tasks the usual settings are not sold: then it begins with the cheapest that are."""
        given = dict(found.given)
        priced = quote(found.model, given, self.wizard.rates, earlier=found.earlier)
        if isinstance(priced, Unpriced) and priced.reason is UnpricedReason.NO_ROW:
            best = cheapest(found.model, self.wizard.rates, given, earlier=found.earlier)
            given |= best[1] if best else {}
        return given

    async def again(self, tx: Tx, customer: Customer, origin: Generation) -> Reply:
        """A new card with the same answers, in a message of its own: the old one keeps its result or its reason."""
        model = self.wizard.model(origin.model_id)
        say = words(customer.language)
        if model is None or origin.is_direct:
            return Reply(None, toast=say.plain("not-sold"))
        if await follow.is_gone(tx, customer.id, model, origin.inputs):
            return Reply(screens.below(screens.plain(say, "onward-gone")))
        draft = await self.wizard.begin(
            tx,
            customer_id=customer.id,
            model=model,
            chat_id=origin.chat,
            message_id=None,
            inputs=origin.inputs,
            origin_id=origin.id,
            follows=Follows(origin.follows_id, origin.earlier),
        )
        screen = await Counter(self.wizard).screen(tx, customer, draft)
        return Reply(screens.below(screen), draft=draft, replaces=draft.message_id)

    async def _subject(self, tx: Tx, customer: Customer, place: Place) -> Subject | None:
        """None: there is no such result or file of this customer."""
        if not place.is_result:
            return await self._file(tx, customer, place.number)
        piece = await results.piece(tx, customer.id, place.generation_id, place.number)
        if piece is None:
            return None
        task = follow.earlier_task(self.wizard.shelf, piece)
        said = Wording.of(piece.source)
        if said is not None:
            return Subject(task=task, text=said.text if said.extension == "txt" else "")
        media_id = await media.of_delivery(tx, customer.id, piece.delivery_id)
        file = await self._file(tx, customer, media_id) if media_id else None
        return Subject(task=task, file=file.file, facts=file.facts) if file else Subject(task=task)

    async def _file(self, tx: Tx, customer: Customer, media_id: int) -> Subject | None:
        kept = (await media.find(tx, customer.id, [media_id])).get(media_id)
        if kept is None or not kept.is_there:
            return None
        return Subject(file=Reference(media_id, kept.facts.seconds), facts=kept.facts)


def _meant(found: Sequence[Piece], press: buttons.Onward | buttons.Pick) -> Piece | None:
    """Of several it is not known yet."""
    if isinstance(press, buttons.Pick):
        return next((piece for piece in found if piece.number == press.number), None)
    return found[0] if len(found) == 1 else None
