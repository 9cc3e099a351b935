"""What the schema and the engine's acts make of orders without a chat, and of the house."""

import asyncpg
import pytest

from kiosk.customers.house import the_house
from kiosk.customers.store import remember_bot
from kiosk.db import Database
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Media, Output
from kiosk.generations import store
from kiosk.generations.deliver import put_at_hand
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from tests.shopkeeping import BOT, a_card, a_customer, ordered_directly, running

PRICE = 80
OUTPUTS = [Output(Media.IMAGE, f"https://files.example/{name}.png") for name in "ab"]


async def a_direct_order(db: Database, *, of_house: bool) -> Generation:
    """A running one."""
    async with db.transaction() as tx:
        customer = (await the_house(tx)).id if of_house else await a_customer(tx, kopecks=1000)
        order = await running(tx, customer, price=PRICE, order=await ordered_directly(tx, customer, price=PRICE))
    return await found(db, order)


async def found(db: Database, order: int) -> Generation:
    async with db.reading() as tx:
        row = await store.get(tx, order)
    assert row is not None
    return row


async def handed(db: Database, order: Generation) -> Generation:
    async with db.transaction() as tx:
        await put_at_hand(tx, order)
    return await found(db, order.id)


async def broken(db: Database) -> list[str]:
    async with db.reading() as tx:
        return [finding.invariant.name for finding in await audit(tx) if finding.broken]


@pytest.mark.parametrize("change", ["message_id = 5", "asking = 'prompt'", "answered_update = 5"])
async def test_direct_order_has_nothing_of_a_chat(database: Database, change: str) -> None:
    """No message, no question, no answer: `generations_direct` refuses each."""
    async with database.transaction() as tx:
        draft = await a_card(tx, await a_customer(tx, kopecks=0), price=PRICE, chat_id=None, message_id=None)
    with pytest.raises(asyncpg.CheckViolationError, match="generations_direct"):
        async with database.transaction() as tx:
            await tx.execute(f"UPDATE generations SET {change} WHERE id = $1", draft)


async def test_order_of_a_chat_still_needs_its_message(database: Database) -> None:
    """What is confirmed in a chat was shown there."""
    async with database.transaction() as tx:
        draft = await a_card(tx, await a_customer(tx, kopecks=1000), price=PRICE, message_id=None)
    with pytest.raises(asyncpg.CheckViolationError, match="generations_shown"):
        async with database.transaction() as tx:
            await store.confirm(tx, draft, message_id=None, line_s=60, run_s=60, wake_s=60)


@pytest.mark.parametrize(("bot", "telegram_id"), [(BOT, 0), (0, 5)])
async def test_house_number_is_for_the_house_alone(database: Database, bot: int, telegram_id: int) -> None:
    """No customer of a bot has the number 0, and the bot 0 has no other customer."""
    async with database.transaction() as tx:
        await remember_bot(tx, bot, "x")
    with pytest.raises(asyncpg.CheckViolationError, match="customers_house"):
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO customers (bot_id, telegram_id) VALUES ($1, $2)", bot, telegram_id)


async def test_file_without_a_source_lies_at_the_provider(database: Database) -> None:
    """A file that came with no update has an address from the first day, or it could never be read."""
    with pytest.raises(asyncpg.CheckViolationError, match="media_one_source"):
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO media (customer_id, extension, mime, size_bytes) VALUES ($1, 'png', 'image/png', 1)",
                await a_customer(tx, kopecks=0),
            )


@pytest.mark.parametrize("of_house", [True, False])
async def test_result_is_at_hand_without_a_ring(database: Database, of_house: bool) -> None:
    """Both files are there to be fetched, in their order; nothing is left to do."""
    order = await a_direct_order(database, of_house=of_house)
    assert await Settler(database).succeed(order, OUTPUTS)
    order = await handed(database, await found(database, order.id))
    assert (order.state, order.delivered_at is not None) == (State.DONE, True)
    async with database.reading() as tx:
        assert [one.source for one in await deliveries.at_hand(tx, order.id)] == [one.url for one in OUTPUTS]
        assert await tx.fetchval("SELECT count(*) FROM deliveries WHERE part = 'notice'") == 0
    assert await broken(database) == []


@pytest.mark.parametrize("of_house", [True, False])
async def test_late_success_is_at_hand_too(database: Database, of_house: bool) -> None:
    """The money went back first, and nothing is taken again; the result can be fetched."""
    order = await a_direct_order(database, of_house=of_house)
    assert await Settler(database).fail(order, Failure.TIMEOUT, was=State.RUNNING, unended=True)
    order = await handed(database, await found(database, order.id))
    assert await Settler(database).succeed(order, OUTPUTS)
    assert (await found(database, order.id)).delivered_at is None
    order = await handed(database, await found(database, order.id))
    assert (order.state, order.late, order.delivered_at is not None) == (State.DONE, True, True)
    assert await broken(database) == []


async def test_house_owns_nothing_at_any_moment(database: Database) -> None:
    """While an order runs its price is on hold and nothing else is there; afterwards nothing is."""
    order = await a_direct_order(database, of_house=True)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, order.customer_id) == ledger.Wallet(0, PRICE)
    assert await Settler(database).fail(order, Failure.PROVIDER, was=State.RUNNING)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, order.customer_id) == ledger.Wallet(0, 0)
    assert await broken(database) == []


async def test_house_is_never_refunded(database: Database) -> None:
    """Not even by whoever calls the ledger's function past the command."""
    order = await a_direct_order(database, of_house=True)
    assert await Settler(database).succeed(order, OUTPUTS)
    with pytest.raises(asyncpg.PostgresError, match="nobody paid"):
        async with database.transaction() as tx:
            await ledger.refund(tx, order.id, "x")
