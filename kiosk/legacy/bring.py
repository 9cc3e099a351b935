"""The loop over the earlier bot's customers: each is brought in one transaction, or not at all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from kiosk.db import Database, Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import result_parcels
from kiosk.errors import CannotStart
from kiosk.generations.states import State
from kiosk.ledger import store as ledger
from kiosk.legacy import store
from kiosk.legacy.holdings import Outcome, holdings, worth
from kiosk.legacy.plan import Known, Plan, Terms, payment_name, plan, task_of
from kiosk.legacy.read import Person, Row, Table, entry, number, paid
from kiosk.legacy.source import Source
from kiosk.legacy.store import Recorded
from kiosk.legacy.tally import Tally
from kiosk.legacy.why import Why

OF_SOMEBODY: Final = tuple(table for table in Table if table is not Table.ORPHANS)
OF_BALANCES: Final = (Table.USERS, Table.WALLETS)


@dataclass(frozen=True, slots=True)
class Import:
    """`write` False is the dry run. `tell` hears of every row, and whether this run was the first to see it."""

    db: Database
    source: Source
    terms: Terms
    write: bool
    tell: Callable[[Outcome, bool], None]
    tally: Tally = field(default_factory=Tally)

    async def run(self) -> list[str]:
        """Brings whatever is not there yet; gives what does not add up."""
        counts, sums = await self.source.counts(), await self.source.sums()
        if self.write:
            async with self.db.transaction() as tx:
                await store.know_bot(tx, self.terms.bot_id)
        for tables in (OF_SOMEBODY, (Table.ORPHANS,)):
            async for rows in self.source.owners(tables):
                await self._bring(rows)
        return [*self.tally.problems(counts, sums), *await self._unequal()]

    async def _bring(self, rows: Sequence[Row]) -> None:
        async with self.db.transaction(readonly=not self.write) as tx:
            if self.write:
                await store.alone(tx, self.terms.bot_id)
            known = await store.recorded(tx, self.terms.bot_id, rows)
            fresh = [row for row in rows if (row.table, row.key) not in known]
            outcomes = await self._fresh(tx, fresh) if fresh else ()
        for outcome in self._earlier(rows, known):
            self._count(outcome, fresh=False)
        for outcome in outcomes:
            self._count(outcome, fresh=True)

    def _count(self, outcome: Outcome, *, fresh: bool) -> None:
        self.tally.add(outcome, fresh=fresh)
        self.tell(outcome, fresh)

    def _earlier(self, rows: Sequence[Row], known: dict[tuple[Table, str], Recorded]) -> list[Outcome]:
        """Rows that an earlier run dealt with, and balances that moved since."""
        users, wallets = ([row for row in rows if row.table is table] for table in OF_BALANCES)
        told = {}
        if (users or wallets) and number(rows[0].owner):
            entries = [entry(row) for row in rows if row.table is Table.LEDGER]
            owned = holdings(users, wallets, entries, trust_holds=self.terms.trust_holds)
            told = {(one.row.table, one.row.key): one.told_kopecks for one in owned.outcomes}
        found = []
        for row in rows:
            if was := known.get((row.table, row.key)):
                now = told.get((row.table, row.key), was.told_kopecks)
                moved = was.taken and now != was.told_kopecks
                found.append(Outcome(row, Why.CHANGED if moved else was.why, was.taken, now, was.brought_kopecks))
        return found

    async def _fresh(self, tx: Tx, rows: Sequence[Row]) -> tuple[Outcome, ...]:
        telegram_id = number(rows[0].owner) if rows[0].table is not Table.ORPHANS else None
        if telegram_id and await store.is_imported(tx, self.terms.bot_id, telegram_id):
            late = tuple(Outcome(row, Why.LATE, taken=False, told_kopecks=worth(row)) for row in rows)
            await self._record(tx, Plan(None, late))
            return late
        task_ids = [task for row in rows if (task := task_of(row))]
        payments = [payment_name(paid(row), self.terms.bot_id) for row in rows if row.table is Table.PAYMENTS]
        known = Known(await store.known_tasks(tx, task_ids), await store.known_references(tx, payments))
        made = plan(rows, known, self.terms)
        await self._record(tx, made)
        return made.outcomes

    async def _record(self, tx: Tx, made: Plan) -> None:
        if not self.write:
            return
        became = await self._write(tx, made, made.person) if made.person else {}
        await store.record(tx, self.terms.bot_id, made.outcomes, became)

    async def _write(self, tx: Tx, made: Plan, who: Person) -> dict[tuple[Table, str], int]:
        """The customer with all that is theirs; gives what each taken row became. Errors: CannotStart."""
        customer = await store.customer(tx, self.terms.bot_id, who)
        await ledger.open_accounts(tx, customer)
        before = await ledger.lock(tx, customer)
        before_seq = await store.last_seq(tx, customer)
        became = await store.insert_payments(tx, customer, made.payments)
        became |= await store.insert_orders(tx, customer, made.orders)
        await store.insert_tasks(tx, made.orders, became)
        await store.insert_sent(tx, made.orders, became)
        for order in made.orders:
            if order.state is State.DONE and not order.delivered_at:
                await deliveries.insert(tx, became[order.row.table, order.row.key], result_parcels(order.outputs))
        await store.retell(tx, customer, made, became)
        await store.insert_imported(tx, customer, made, before_seq=before_seq)
        after = await ledger.wallet(tx, customer)
        moved = (after.available_kopecks - before.available_kopecks, after.held_kopecks - before.held_kopecks)
        if moved != (made.available_kopecks, made.held_kopecks):
            raise CannotStart(f"the money of customer {who.telegram_id} does not add up: nothing of theirs was changed")
        theirs = {(one.row.table, one.row.key): customer for one in made.outcomes if one.row.table in OF_BALANCES}
        return became | theirs

    async def _unequal(self) -> list[str]:
        """What our books say of all that was brought, against what was read."""
        if not self.write:
            return []
        async with self.db.transaction(readonly=True) as tx:
            brought = await store.brought(tx, self.terms.bot_id)
        read, noted, moved = self.tally.brought_kopecks, brought.noted_kopecks, brought.transfers_kopecks
        if read == noted == moved:
            return []
        return [f"{read} kopecks were read, {noted} were noted, and the transfers add up to {moved}"]
