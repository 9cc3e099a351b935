"""The desk, for whoever answers with files: what waits for one, and what becomes of it."""

from dataclasses import dataclass

from kiosk.bot.desk import Desk
from kiosk.bot.onward import Place
from kiosk.bot.problems import unfit
from kiosk.bot.replies import Brought, Reply, Wanted
from kiosk.bot.words import words
from kiosk.catalog.reference import Reference
from kiosk.customers.arrive import Visitor
from kiosk.customers.store import Customer
from kiosk.db import Tx
from kiosk.generations import drafts, store
from kiosk.generations.draft import Passed
from kiosk.generations.store import Generation
from kiosk.media import store as media
from kiosk.media.fit import Misfit, is_timed
from kiosk.media.store import Answers


@dataclass(frozen=True, slots=True)
class FilingDesk(Desk):
    """A file is looked at by the reception, and kept here."""

    async def settled(self, visitor: Visitor, chat_id: int, update_id: int, album: str | None) -> Reply | None:
        """The answer to a file that need not be looked at: it has come before, or its album has filled its question.

        None: look at it.
        """
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            known = await media.is_known(tx, customer.id, update_id)
            meant = await media.answered_by(tx, customer.id, album) if album and not known else None
            if not known and meant is None:
                return None
            draft = await drafts.latest(tx, customer.id, chat_id)
            if draft is None:
                return Reply(await self._unknown(tx, customer))
            if known:
                return await self._moved(tx, customer, Passed(draft))
            assert meant is not None  # noqa: S101 - of two reasons one is left
            if (draft.id, draft.asking) == (meant.generation_id, meant.field):
                return None
            taken = draft.inputs.get(meant.field)
            count = len(taken) if isinstance(taken, list) else 1
            return await self._headed(tx, customer, draft, words(customer.language)("unfit-surplus", count=count))

    async def wanted(self, visitor: Visitor, chat_id: int) -> Wanted | None:
        """The question that waits in this chat; None: none does."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            draft = await drafts.latest(tx, customer.id, chat_id)
            model = self.wizard.model(draft.model_id) if draft else None
            asked = self.wizard.question(draft) if draft else None
        if draft is None or model is None or asked is None:
            return None
        return Wanted(draft.id, asked, asked.media, is_timed(model, asked.field))

    async def attach(self, visitor: Visitor, wanted: Wanted, brought: Brought, update_id: int) -> Reply:
        """The file is the answer, or one of the answers; an update that comes again brings nothing new."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            draft = await store.lock(tx, wanted.draft_id, customer.id)
            if draft is None:
                return Reply(await self._unknown(tx, customer))
            answers = Answers(draft.id, wanted.asked.field, brought.album)
            media_id = await media.add(tx, customer.id, update_id, brought.source, brought.facts, answers)
            if media_id is None:
                return await self._moved(tx, customer, Passed(draft))
            file = Reference(media_id, brought.facts.seconds)
            found = self.counter.too_long(draft, wanted.asked, file)
            if found:
                return await self._unfit(tx, customer, draft, found)
            answer = await self.wizard.attach(tx, draft, wanted.asked.field, file, update_id, brought.caption)
            return await self._moved(tx, customer, answer, wanted.asked.field)

    async def unasked(self, visitor: Visitor, brought: Brought, update_id: int) -> Reply:
        """A file that nothing asked for: what can be done with it?"""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            media_id = await media.add(tx, customer.id, update_id, brought.source, brought.facts)
            media_id = media_id or await media.of_update(tx, customer.id, update_id)
            screen = await self.followups.kinds(tx, customer, Place(0, media_id or 0))
            return Reply(screen or await self._unknown(tx, customer))

    async def unfit(self, visitor: Visitor, wanted: Wanted, why: Misfit) -> Reply:
        """The question again, with what is expected."""
        async with self.db.transaction() as tx:
            customer = await self._customer(tx, visitor)
            draft = await store.lock(tx, wanted.draft_id, customer.id)
            if draft is None:
                return Reply(await self._unknown(tx, customer))
            return await self._unfit(tx, customer, draft, why)

    async def _unfit(self, tx: Tx, customer: Customer, draft: Generation, why: Misfit) -> Reply:
        return await self._headed(tx, customer, draft, unfit(words(customer.language), why))
