"""Books with everything in them, and ways to break each promise of the audit without touching another one."""

from dataclasses import dataclass

from kiosk.customers.house import the_house
from kiosk.db import Database, Tx
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Media, Output, failure_parcels, result_parcels
from kiosk.generations import store
from kiosk.generations.states import Failure, State
from kiosk.ledger import store as ledger
from tests.shopkeeping import a_customer, a_draft, confirmed, ordered_directly, paid, running, submitting

PRICE = 80
URL = "https://files.example/picture.png"


@dataclass(frozen=True, slots=True)
class Breakage:
    """`sql` is formatted with the names of `a_busy_shop`; triggers and foreign keys sleep while it runs."""

    invariant: str
    how: str
    sql: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.how}"


async def a_busy_shop(db: Database) -> dict[str, int]:
    """Three customers and the house, a generation in every state and with every kind of end; all numbers by name."""
    async with db.transaction() as tx:
        anna, boris, clara = [await a_customer(tx, kopecks=10_000) for _ in range(3)]
        await tx.execute("INSERT INTO imported_customers VALUES ($1, 10000, 0, 0, 1)", boris)
        await ledger.adjust(tx, boris, 500, "a second correction")
        await paid(tx, boris, 700, reference="boris 1")
        await paid(tx, boris, 900, reference="boris 2")
        await ledger.welcome(tx, clara, 100)
        names = {
            "draft": await a_draft(tx, anna),
            "pending": await confirmed(tx, anna, price=PRICE),
            "submitting": await submitting(tx, anna, price=PRICE),
            "running": await running(tx, anna, price=PRICE),
            "done": await done(tx, anna),
            "undelivered": await done(tx, anna, is_delivered=False),
            "failed": await failed(tx, anna),
            "late": await late(tx, anna),
            "canceled": await canceled(tx, anna),
            "refunded": await refunded(tx, anna),
        }
        house = (await the_house(tx)).id
        names |= {
            "house_running": await running(
                tx, house, price=PRICE, order=await ordered_directly(tx, house, price=PRICE)
            ),
            "house_done": await done(tx, house, order=await ordered_directly(tx, house, price=PRICE)),
            "house_failed": await failed(tx, house, order=await ordered_directly(tx, house, price=PRICE)),
            "direct": await done(tx, boris, order=await ordered_directly(tx, boris, price=PRICE)),
        }
        await running(tx, boris, price=PRICE)
        await done(tx, boris)
        rows = await tx.fetch("SELECT id, customer_id, kind FROM accounts")
        payments = {f"payment_{row['id']}": row["id"] for row in await tx.fetch("SELECT id FROM payments")}
    people = {anna: "anna", boris: "boris", clara: "clara", house: "house", None: "shop"}
    accounts = {f"{people[row['customer_id']]}_{row['kind']}": row["id"] for row in rows}
    return names | accounts | payments | {"anna": anna, "boris": boris, "clara": clara, "house": house, "price": PRICE}


async def done(tx: Tx, customer: int, *, is_delivered: bool = True, order: int | None = None) -> int:
    order = await running(tx, customer, price=PRICE, order=order)
    found = await store.get(tx, order)
    assert found is not None
    assert await store.settle_done(tx, order, was=State.RUNNING, wake_s=600)
    await ledger.resolve(tx, order, "capture")
    await deliveries.insert(tx, order, result_parcels([Output(Media.IMAGE, URL)], rings=not found.is_direct))
    if is_delivered:
        await deliver(tx, order)
    return order


async def failed(tx: Tx, customer: int, *, order: int | None = None) -> int:
    order = await running(tx, customer, price=PRICE, order=order)
    assert await store.settle_failed(tx, order, was=State.RUNNING, failure=Failure.PROVIDER, wake_s=600)
    await ledger.resolve(tx, order, "release")
    await deliveries.insert(tx, order, failure_parcels())
    await deliver(tx, order)
    return order


async def late(tx: Tx, customer: int) -> int:
    """It failed, the money went back, and then it succeeded after all."""
    order = await failed(tx, customer)
    assert await store.settle_done(tx, order, was=State.FAILED, wake_s=600)
    await deliveries.insert(tx, order, result_parcels([Output(Media.IMAGE, URL)]))
    await deliver(tx, order)
    return order


async def canceled(tx: Tx, customer: int) -> int:
    order = await confirmed(tx, customer, price=PRICE)
    assert await store.cancel(tx, order, was=State.PENDING)
    await ledger.resolve(tx, order, "release")
    return order


async def refunded(tx: Tx, customer: int) -> int:
    order = await done(tx, customer)
    await ledger.refund(tx, order, "the wrong picture")
    return order


async def deliver(tx: Tx, order: int) -> None:
    await tx.execute("UPDATE deliveries SET state = 'sent', sent_at = now() WHERE generation_id = $1", order)
    assert await store.delivered(tx, order)


async def break_books(db: Database, breakage: Breakage, names: dict[str, int]) -> None:
    """As a superuser who knows what he does."""
    async with db.transaction() as tx:
        await tx.execute("SET LOCAL session_replication_role = 'replica'")
        await tx.execute(breakage.sql.format(**names))


def post(kind: str, debit: str, credit: str, amount: str = "{price}", generation: str = "NULL") -> str:
    """A transfer by the ledger's own function, which keeps balances and numbers right."""
    return f"SELECT ledger_post('{kind}', {{{debit}}}, {{{credit}}}, {amount}, {generation}, 'by hand');"


def end_running(state: str, kind: str, credit: str) -> str:
    """The running order ends, and its money goes there."""
    failure = "'provider'" if state == "failed" else "NULL"
    return (
        f"UPDATE generations SET state = '{state}', failure = {failure}, settled_at = now() WHERE id = {{running}};"
        "INSERT INTO deliveries (generation_id, part, media) SELECT {running}, 'result', 'image' "
        f"WHERE '{state}' = 'done';" + post(kind, "anna_held", credit, generation="{running}")
    )


def end_house_running(credit: str) -> str:
    """The running order of the house succeeds, and what it was lent goes there."""
    return (
        "UPDATE generations SET state = 'done', settled_at = now() WHERE id = {house_running};"
        "INSERT INTO deliveries (generation_id, part, media) VALUES ({house_running}, 'result', 'image');"
        + post("capture", "house_held", credit, generation="{house_running}")
    )


BREAKAGES = (
    Breakage(
        "balance_equals_transfers",
        "a kopeck moved from one balance to another by hand",
        "UPDATE accounts SET balance = balance - 1 WHERE id = {anna_available};"
        "UPDATE accounts SET balance = balance + 1 WHERE id = {boris_available}",
    ),
    Breakage(
        "transfers_have_no_gap",
        "a correction taken out, its money too",
        "DELETE FROM transfers WHERE credit_id = {boris_available} AND note = 'a second correction';"
        "UPDATE accounts SET balance = balance - 500 WHERE id = {boris_available}",
    ),
    Breakage(
        "transfers_have_no_gap",
        "a count too high",
        "UPDATE accounts SET last_seq = last_seq + 1 WHERE id = {clara_available}",
    ),
    Breakage(
        "transfers_have_no_gap",
        "a number used twice, another not at all",
        "UPDATE transfers SET debit_seq = 1 WHERE debit_id = {anna_available} AND debit_seq = 2",
    ),
    Breakage(
        "transfers_have_no_gap",
        "a transfer without a number",
        "UPDATE transfers SET credit_seq = NULL WHERE credit_id = {clara_available} AND kind = 'welcome';"
        "UPDATE accounts SET last_seq = last_seq - 1 WHERE id = {clara_available}",
    ),
    Breakage(
        "transfers_have_no_gap",
        "numbers from 0",
        "UPDATE transfers SET credit_seq = 0 WHERE credit_id = {clara_available} AND credit_seq = 1",
    ),
    Breakage(
        "books_balance",
        "money out of an account that there is not",
        "SELECT ledger_post('adjust', 999999, {clara_available}, 100, NULL, 'by hand')",
    ),
    Breakage(
        "held_equals_open_generations",
        "a kopeck taken out of what is on hold",
        post("adjust", "anna_held", "shop_adjustments", "1"),
    ),
    Breakage(
        "nobody_is_overdrawn",
        "more taken than there was",
        "ALTER TABLE accounts DROP CONSTRAINT accounts_not_overdrawn;"
        + post("adjust", "clara_available", "shop_adjustments", "10101"),
    ),
    Breakage(
        "welcome_is_given_once",
        "a second welcome",
        "DROP INDEX transfers_welcome_once;" + post("welcome", "shop_bonuses", "clara_available", "1"),
    ),
    Breakage(
        "confirmed_has_one_hold",
        "the price raised after it was paid",
        "UPDATE generations SET price_kopecks = price_kopecks + 1 WHERE id = {done}",
    ),
    Breakage(
        "confirmed_has_one_hold",
        "held twice",
        "DROP INDEX transfers_hold_once;"
        + post("hold", "anna_available", "anna_held", generation="{running}")
        + post("adjust", "anna_held", "anna_available"),
    ),
    Breakage(
        "confirmed_has_one_hold",
        "never held",
        "UPDATE transfers SET kind = 'adjust', generation_id = NULL, note = 'x' "
        "WHERE kind = 'hold' AND generation_id = {done}",
    ),
    Breakage(
        "confirmed_has_one_hold",
        "paid by somebody else",
        "UPDATE generations SET customer_id = {boris} WHERE id = {done}",
    ),
    Breakage(
        "money_follows_state",
        "charged for a gift",
        "UPDATE generations SET late = true WHERE id = {done}",
    ),
    Breakage(
        "money_follows_state",
        "given back for a result in time",
        "UPDATE generations SET late = false WHERE id = {late}",
    ),
    Breakage(
        "money_follows_state",
        "charged twice",
        "DROP INDEX transfers_resolved_once;"
        + post("capture", "anna_held", "shop_sales", generation="{done}")
        + post("adjust", "anna_available", "anna_held"),
    ),
    Breakage(
        "money_follows_state",
        "given back while it runs",
        post("release", "anna_held", "anna_available", generation="{running}")
        + post("adjust", "anna_available", "anna_held"),
    ),
    Breakage(
        "money_follows_state",
        "failed and nothing given back",
        "UPDATE generations SET state = 'failed', failure = 'provider', settled_at = now() WHERE id = {running};"
        + post("adjust", "anna_held", "anna_available"),
    ),
    Breakage(
        "resolution_equals_hold",
        "a kopeck less captured than held",
        "UPDATE transfers SET amount_kopecks = amount_kopecks - 1 WHERE kind = 'capture' AND generation_id = {done};"
        "UPDATE accounts SET balance = balance + 1 WHERE id = {anna_held};"
        + post("adjust", "anna_held", "shop_sales", "1"),
    ),
    Breakage("resolution_equals_hold", "released to the shop", end_running("failed", "release", "shop_sales")),
    Breakage(
        "resolution_equals_hold", "released to somebody else", end_running("failed", "release", "boris_available")
    ),
    Breakage("resolution_equals_hold", "captured past the sales", end_running("done", "capture", "shop_bonuses")),
    Breakage(
        "refund_equals_capture",
        "a refund of a gift",
        post("refund", "shop_sales", "anna_available", generation="{late}"),
    ),
    Breakage(
        "refund_equals_capture",
        "a refund of what still runs",
        post("refund", "shop_sales", "anna_available", generation="{running}"),
    ),
    Breakage(
        "refund_equals_capture",
        "refunded twice",
        "DROP INDEX transfers_refund_once;" + post("refund", "shop_sales", "anna_available", generation="{refunded}"),
    ),
    Breakage(
        "refund_equals_capture",
        "a kopeck more given back than was taken",
        post("refund", "shop_sales", "anna_available", "{price} + 1", generation="{done}"),
    ),
    Breakage(
        "refund_equals_capture",
        "given back to somebody else",
        post("refund", "shop_sales", "boris_available", generation="{done}"),
    ),
    Breakage(
        "refund_equals_capture",
        "given back out of the bonuses",
        post("refund", "shop_bonuses", "anna_available", generation="{done}"),
    ),
    Breakage(
        "topup_has_one_payment",
        "a payment that was never credited",
        "INSERT INTO payments (customer_id, method, reference, amount_kopecks) VALUES ({boris}, 'bank', 'x', 100)",
    ),
    Breakage(
        "topup_has_one_payment",
        "credited twice",
        "DROP INDEX transfers_topup_once; SELECT ledger_topup({payment_1})",
    ),
    Breakage(
        "topup_has_one_payment",
        "more credited than was paid",
        "UPDATE payments SET amount_kopecks = amount_kopecks - 1 WHERE id = {payment_1}",
    ),
    Breakage(
        "topup_has_one_payment",
        "credited to somebody else",
        "UPDATE payments SET customer_id = {anna} WHERE id = {payment_1}",
    ),
    Breakage(
        "topup_has_one_payment",
        "credited out of the bonuses",
        "UPDATE transfers SET debit_id = {shop_bonuses} WHERE payment_id = {payment_1}",
    ),
    Breakage("topup_has_one_payment", "a top-up that nobody paid", "DELETE FROM payments WHERE id = {payment_1}"),
    Breakage(
        "topup_has_one_payment",
        "a top-up that names no payment",
        "ALTER TABLE transfers DROP CONSTRAINT transfers_paid;" + post("topup", "shop_topups", "clara_available"),
    ),
    Breakage(
        "topup_has_one_payment",
        "a correction in the place of the top-up",
        "ALTER TABLE transfers DROP CONSTRAINT transfers_paid;"
        "UPDATE transfers SET kind = 'adjust', note = 'x' WHERE payment_id = {payment_2}",
    ),
    Breakage(
        "unpaid_has_no_transfer",
        "a draft that moved money",
        post("hold", "anna_available", "anna_held", generation="{draft}")
        + post("release", "anna_held", "anna_available", generation="{draft}"),
    ),
    *(
        Breakage(
            "unfinished_has_a_future",
            f"{name} with {next_at}",
            "ALTER TABLE generations DROP CONSTRAINT generations_future;"
            f"UPDATE generations SET next_at = {next_at} WHERE id = {{{name}}}",
        )
        for name in ("pending", "submitting", "running", "undelivered")
        for next_at in ("NULL", "'infinity'")
    ),
    Breakage(
        "done_has_a_result",
        "a success without a result",
        "DELETE FROM deliveries WHERE generation_id = {undelivered} AND part = 'result'",
    ),
    Breakage(
        "done_has_a_result",
        "two results",
        "INSERT INTO deliveries (generation_id, part, position, media) VALUES ({undelivered}, 'result', 1, 'image')",
    ),
    Breakage(
        "done_has_a_result",
        "delivered with the result still to be sent",
        "UPDATE deliveries SET state = 'pending', sent_at = NULL WHERE generation_id = {done} AND part = 'result'",
    ),
    Breakage("resolution_equals_hold", "a sale to the house", end_house_running("shop_sales")),
    Breakage(
        "house_is_lent_its_prices",
        "the house was given something",
        post("adjust", "shop_adjustments", "house_available", "5"),
    ),
    Breakage(
        "house_is_lent_its_prices",
        "the house kept what was released",
        "UPDATE generations SET state = 'failed', failure = 'provider', settled_at = now() WHERE id = {house_running};"
        + post("release", "house_held", "house_available", generation="{house_running}"),
    ),
    Breakage(
        "house_is_lent_its_prices",
        "another customer's money",
        post("adjust", "clara_available", "house_available", "5")
        + post("adjust", "house_available", "clara_available", "4")
        + post("adjust", "house_available", "shop_adjustments", "1"),
    ),
    Breakage(
        "house_orders_directly",
        "an order of the house in a chat",
        "UPDATE generations SET chat_id = 5, message_id = 5 WHERE id = {house_done}",
    ),
    Breakage(
        "direct_is_shown_to_nobody",
        "a message where there is no chat",
        "UPDATE deliveries SET message_id = 5 WHERE generation_id = {direct}",
    ),
    Breakage(
        "direct_is_shown_to_nobody",
        "a ring for nobody",
        "INSERT INTO deliveries (generation_id, part, media, state, sent_at) VALUES "
        "({direct}, 'notice', 'text', 'sent', now())",
    ),
    Breakage(
        "follow_up_follows_a_result",
        "a draft goes on from a failure",
        "UPDATE generations SET follows_id = {failed} WHERE id = {draft}",
    ),
    Breakage(
        "follow_up_follows_a_result",
        "an order goes on from somebody else's result",
        "UPDATE generations SET follows_id = {done} WHERE customer_id = {boris} AND state = 'running'",
    ),
    Breakage(
        "customer_has_two_accounts",
        "a customer without accounts",
        "INSERT INTO customers (bot_id, telegram_id, first_name, language) "
        "SELECT bot_id, 1, 'Дарья', 'ru' FROM customers LIMIT 1",
    ),
    Breakage(
        "customer_has_two_accounts",
        "a second account for what is on hold",
        "DROP INDEX accounts_of_customer; INSERT INTO accounts (customer_id, kind) VALUES ({clara}, 'held')",
    ),
    Breakage(
        "customer_has_two_accounts",
        "two accounts of one kind",
        "DROP INDEX accounts_of_customer; UPDATE accounts SET kind = 'available' WHERE id = {clara_held}",
    ),
    Breakage(
        "import_equals_transfers",
        "a kopeck more noted than came",
        "UPDATE imported_customers SET available_kopecks = available_kopecks + 1",
    ),
    Breakage(
        "import_equals_transfers",
        "a later correction counted as part of it",
        "UPDATE imported_customers SET last_seq = last_seq + 1",
    ),
)
