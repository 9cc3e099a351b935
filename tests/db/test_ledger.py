"""Money in the real database: what can move, what cannot, and what is refused by the schema itself."""

import asyncpg
import pytest

from kiosk.db import Database
from kiosk.ledger import store as ledger
from tests.shopkeeping import a_customer, a_draft, confirmed, running


async def test_welcome_is_given_once(database: Database) -> None:
    """A second welcome for the same customer is refused by a unique index."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        await ledger.welcome(tx, customer, 100)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction() as tx:
            await ledger.welcome(tx, customer, 100)


async def test_hold_moves_the_price_from_available_to_held(database: Database) -> None:
    """After a hold the price is out of reach and still the customer's."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        await confirmed(tx, customer, price=300)
        wallet = await ledger.wallet(tx, customer)
    assert (wallet.available_kopecks, wallet.held_kopecks) == (700, 300)


async def test_hold_beyond_the_balance_is_refused_whole(database: Database) -> None:
    """Not enough money: the constraint refuses and nothing of the transaction stays."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=100)
    with pytest.raises(asyncpg.CheckViolationError, match="accounts_not_overdrawn"):
        async with database.transaction() as tx:
            await confirmed(tx, customer, price=101)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, customer) == ledger.Wallet(100, 0)
        assert await tx.fetchval("SELECT count(*) FROM transfers WHERE kind = 'hold'") == 0


@pytest.mark.parametrize("second", ["capture", "release"])
@pytest.mark.parametrize("first", ["capture", "release"])
async def test_hold_is_resolved_once(database: Database, first: str, second: str) -> None:
    """At most one of capture and release exists for a generation, in any order."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        await running(tx, customer, price=300)  # enough on hold, so that only the index can refuse
        order = await running(tx, customer, price=300)
        await ledger.resolve(tx, order, first)  # type: ignore[arg-type]  # parametrized
    with pytest.raises(asyncpg.UniqueViolationError):
        async with database.transaction() as tx:
            await ledger.resolve(tx, order, second)  # type: ignore[arg-type]  # parametrized


async def test_capture_takes_the_price_and_release_gives_it_back(database: Database) -> None:
    """Captured money is gone to sales, released money is available again."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        taken = await running(tx, customer, price=300)
        returned = await running(tx, customer, price=200)
        await ledger.resolve(tx, taken, "capture")
        await ledger.resolve(tx, returned, "release")
        assert await ledger.wallet(tx, customer) == ledger.Wallet(700, 0)
        totals = await ledger.totals(tx)
    assert (str(totals["sales"]), str(totals["available"]), str(totals["held"])) == ("3.00", "7.00", "0.00")


@pytest.mark.parametrize(
    "statement", ["UPDATE transfers SET amount_kopecks = 1", "DELETE FROM transfers", "TRUNCATE transfers"]
)
async def test_transfers_are_append_only(database: Database, statement: str) -> None:
    """The database itself refuses to change or remove a transfer."""
    async with database.transaction() as tx:
        await a_customer(tx, kopecks=1000)
    with pytest.raises(asyncpg.RestrictViolationError, match="append-only"):
        async with database.transaction() as tx:
            await tx.execute(statement)


async def test_draft_cannot_be_held(database: Database) -> None:
    """A draft has no price, and money for it does not move."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        draft = await a_draft(tx, customer)
    with pytest.raises(asyncpg.NotNullViolationError):
        async with database.transaction() as tx:
            await ledger.hold(tx, draft)


async def test_wallets_say_it_in_rubles(database: Database) -> None:
    """The view gives balance and hold the way an operator says them."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1050)
        await confirmed(tx, customer, price=80)
        row = await tx.fetchrow("SELECT user_id, balance_rub, hold_rub FROM wallets WHERE customer_id = $1", customer)
    assert row is not None
    assert (str(row["balance_rub"]), str(row["hold_rub"])) == ("9.70", "0.80")
