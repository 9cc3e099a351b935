"""Who arrives: one customer for each person at each bot, welcomed once."""

import asyncio

import pytest

from kiosk.customers import store as customers
from kiosk.customers.arrive import Visitor, arrive
from kiosk.db import Database
from kiosk.ledger import store as ledger
from tests.shopkeeping import BOT, a_customer, a_visitor

OTHER_BOT = BOT + 1
WELCOME = 100


async def the_bot(database: Database, *bots: int) -> None:
    async with database.transaction() as tx:
        for bot in bots or (BOT,):
            await customers.remember_bot(tx, bot, "kiosk_sandbox_bot")


async def test_first_updates_at_the_same_moment_are_one_customer(database: Database) -> None:
    """Twenty transactions see nobody: one customer, one pair of accounts, one bonus."""
    await the_bot(database)

    async def knock() -> int:
        async with database.transaction() as tx:
            return (await arrive(tx, a_visitor(42), WELCOME)).id

    (customer,) = set(await asyncio.gather(*(knock() for _ in range(20))))
    async with database.reading() as tx:
        assert await ledger.wallet(tx, customer) == ledger.Wallet(WELCOME, 0)
        assert await tx.fetchval("SELECT count(*) FROM accounts WHERE customer_id = $1", customer) == 2


async def test_arrival_that_is_rolled_back_leaves_nobody(database: Database) -> None:
    """What fails later in the same transaction takes the customer and the bonus with it."""
    await the_bot(database)

    async def fail_after_arrival() -> None:
        async with database.transaction() as tx:
            await arrive(tx, a_visitor(42), WELCOME)
            raise ValueError("later")

    with pytest.raises(ValueError, match="later"):
        await fail_after_arrival()
    async with database.reading() as tx:
        assert await customers.find(tx, BOT, 42) is None
        assert await tx.fetchval("SELECT count(*) FROM transfers") == 0


async def test_same_person_at_two_bots_is_two_customers(database: Database) -> None:
    """Each shop has its own books."""
    await the_bot(database, BOT, OTHER_BOT)
    async with database.transaction() as tx:
        here = await arrive(tx, Visitor(BOT, 42, "Анна", None, "ru"), WELCOME)
        there = await arrive(tx, Visitor(OTHER_BOT, 42, "Анна", None, "ru"), 0)
        assert here.id != there.id
        assert await ledger.wallet(tx, there.id) == ledger.Wallet(0, 0)


@pytest.mark.parametrize(
    ("code", "language"), [("en", "en"), ("en-GB", "en"), ("ru", "ru"), ("de", "ru"), (None, "ru"), ("", "ru")]
)
def test_language_is_russian_unless_english(code: str | None, language: str) -> None:
    """The shop's first language for everybody whose Telegram is not set to English."""
    assert Visitor(BOT, 42, "Анна", None, code).language == language


async def test_long_name_is_cut(database: Database) -> None:
    """A name is a greeting, not a place to store things."""
    await the_bot(database)
    async with database.transaction() as tx:
        customer = await arrive(tx, Visitor(BOT, 42, "Я" * 1000, None, "ru"), 0)
    assert customer.first_name == "Я" * 128


async def test_blocking_is_remembered_and_forgotten(database: Database) -> None:
    """Blocked twice is blocked since the first time; back is back."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        await customers.mark_blocked(tx, customer)
    async with database.transaction() as tx:
        since = await tx.fetchval("SELECT blocked_at FROM customers WHERE id = $1", customer)
        await customers.mark_blocked(tx, customer)
        assert await tx.fetchval("SELECT blocked_at FROM customers WHERE id = $1", customer) == since
        assert (await customers.get(tx, customer)).blocked
        await customers.mark_back(tx, customer)
        assert not (await customers.get(tx, customer)).blocked


async def test_bot_that_was_renamed_keeps_its_number(database: Database) -> None:
    """Its name is brought up to date; customers stay."""
    await the_bot(database)
    async with database.transaction() as tx:
        await customers.remember_bot(tx, BOT, "renamed_bot")
        assert await tx.fetchval("SELECT username FROM bots WHERE id = $1", BOT) == "renamed_bot"
