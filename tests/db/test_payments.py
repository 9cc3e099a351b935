"""Money that comes in and money that goes back: each once, whole, and where it belongs."""

import asyncpg
import pytest

from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.refund import NoSuchGeneration, NothingTaken, NotTaken, Refunded, refund
from kiosk.generations.report import customer_report, last_day
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from kiosk.payments.topup import AlreadyRecorded, Contradicted, Credited, top_up
from tests.breakages import PRICE, a_busy_shop, done
from tests.shopkeeping import BOT, a_customer, paid

REFUSED = {
    "draft": NotTaken.UNORDERED,
    "pending": NotTaken.OPEN,
    "submitting": NotTaken.OPEN,
    "running": NotTaken.OPEN,
    "failed": NotTaken.GIVEN_BACK,
    "canceled": NotTaken.GIVEN_BACK,
    "late": NotTaken.GIFT,
}


async def available(database: Database, customer: int) -> int:
    async with database.reading() as tx:
        return (await ledger.wallet(tx, customer)).available_kopecks


async def broken(database: Database) -> list[str]:
    async with database.reading() as tx:
        return [finding.invariant.name for finding in await audit(tx) if finding.broken]


async def test_payment_recorded_twice_is_one_top_up(database: Database) -> None:
    """The second time it says when it was recorded, and nothing moves; the method's case makes no other payment."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=100)
        first = await top_up(tx, customer, method="bank", reference="A-1", amount_kopecks=5000)
    assert isinstance(first, Credited)
    assert first.available_kopecks == 5100
    async with database.transaction() as tx:
        again = await top_up(tx, customer, method="Bank", reference="A-1", amount_kopecks=5000)
    assert again == AlreadyRecorded(first.payment)
    assert await available(database, customer) == 5100
    assert await broken(database) == []


@pytest.mark.parametrize("difference", ["amount", "customer"])
async def test_payment_that_contradicts_its_record_changes_nothing(database: Database, difference: str) -> None:
    """Another amount or another customer under the same number: refused, no balance touched, the record kept."""
    async with database.transaction() as tx:
        anna, boris = [await a_customer(tx, kopecks=0) for _ in range(2)]
        first = await paid(tx, anna, 5000, reference="A-1")
    who, amount = (anna, 5001) if difference == "amount" else (boris, 5000)
    async with database.transaction() as tx:
        answer = await paid(tx, who, amount, reference="A-1")
    assert isinstance(first, Credited)
    assert answer == Contradicted(first.payment)
    assert [await available(database, each) for each in (anna, boris)] == [5000, 0]
    assert await broken(database) == []


async def test_same_number_by_another_method_is_another_payment(database: Database) -> None:
    """Each method counts on its own."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        for method in ("bank", "card"):
            await top_up(tx, customer, method=method, reference="1", amount_kopecks=100)
    assert await available(database, customer) == 200


async def test_schema_credits_a_payment_once(database: Database) -> None:
    """Whoever calls the function twice meets the index."""
    async with database.transaction() as tx:
        first = await paid(tx, await a_customer(tx, kopecks=0), 100)
    assert isinstance(first, Credited)
    with pytest.raises(asyncpg.UniqueViolationError, match="transfers_topup_once"):
        async with database.transaction() as tx:
            await ledger.top_up(tx, first.payment.id)


@pytest.mark.parametrize("statement", ["UPDATE payments SET amount_kopecks = 1", "DELETE FROM payments"])
async def test_payments_are_never_changed(database: Database, statement: str) -> None:
    """What was paid stays what it was."""
    async with database.transaction() as tx:
        await paid(tx, await a_customer(tx, kopecks=0), 100)
    with pytest.raises(asyncpg.RestrictViolationError):
        async with database.transaction() as tx:
            await tx.execute(statement)


async def test_refund_gives_back_the_price_once(database: Database) -> None:
    """The whole price, out of the sales; the second refund is told of the first one and its reason."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        order = await done(tx, customer)
    first = await refund(database, order, "the wrong picture")
    assert isinstance(first, Refunded)
    assert (first.refund.amount_kopecks, first.available_kopecks, first.earlier) == (PRICE, 1000, False)
    assert await refund(database, order, "once more") == Refunded(first.refund, 1000, earlier=True)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, customer) == ledger.Wallet(1000, 0)
        assert (await ledger.totals(tx))["sales"] == 0
    assert await broken(database) == []


async def test_refund_refuses_what_was_not_taken(database: Database) -> None:
    """Drafts, open orders, failures, cancellations and gifts: nothing moves, and the reason is told."""
    names = await a_busy_shop(database)
    before = await available(database, names["anna"])
    answers = {name: await refund(database, names[name], "x") for name in REFUSED}
    assert {name: answer.why for name, answer in answers.items() if isinstance(answer, NothingTaken)} == REFUSED
    assert isinstance(await refund(database, 999_999, "x"), NoSuchGeneration)
    assert await available(database, names["anna"]) == before
    assert await broken(database) == []


async def test_result_still_on_its_way_can_be_refunded(database: Database) -> None:
    """It was taken, so it can be given back; the delivery goes on."""
    names = await a_busy_shop(database)
    assert isinstance(await refund(database, names["undelivered"], "too slow"), Refunded)
    async with database.reading() as tx:
        order = await store.get(tx, names["undelivered"])
    assert order is not None
    assert order.delivered_at is None
    assert await broken(database) == []


async def test_schema_refunds_once_and_only_what_was_captured(database: Database) -> None:
    """Whoever calls the function without looking meets the index, the function or the reason's constraint."""
    names = await a_busy_shop(database)
    for name, reason, error in (
        ("refunded", "again", asyncpg.UniqueViolationError),
        ("late", "a gift", asyncpg.NoDataFoundError),
        ("done", "", asyncpg.CheckViolationError),
    ):
        with pytest.raises(error):
            async with database.transaction() as tx:
                await ledger.refund(tx, names[name], reason)


async def test_reports_show_refunds(database: Database) -> None:
    """What was charged and what went back stand side by side, in the customer's books and in the shop's day."""
    names = await a_busy_shop(database)
    async with database.reading() as tx:
        telegram_id = await tx.fetchval("SELECT telegram_id FROM customers WHERE id = $1", names["anna"])
        report = await customer_report(tx, BOT, telegram_id)
        day = await last_day(tx, BOT)
    money = {row["id"]: (row["charged_rub"], row["refunded_rub"], row["refunds"]) for row in report["generations"]}
    assert money[names["refunded"]] == ("0.80", "0.80", 1)
    assert money[names["done"]] == ("0.80", "0.00", 0)
    assert day.refunded_kopecks == PRICE
