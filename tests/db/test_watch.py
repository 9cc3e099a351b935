"""What goes wrong slowly is told: credits that run out, orders that fail too often, costs above the price."""

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal

import aiohttp
import pytest
import structlog

from kiosk.catalog.quote import Rates
from kiosk.db import Database
from kiosk.delivery.plan import Media, Output
from kiosk.generations import margin, store, tasks
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from kiosk.generations.tasks import Paid
from kiosk.kie.client import KieClient
from kiosk.kie.pacing import Waits
from kiosk.operators import store as alerts
from kiosk.operators.alerts import Kind
from kiosk.operators.lately import Ended
from kiosk.operators.watch import Limits, Watcher, low, too_many
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from tests.shopkeeping import a_customer, running
from tests.workshop import a_workshop

LIMITS = Limits(low_credits=Decimal(1000), share=Decimal("0.3"), failures_at_least=5, window_s=3600)


@pytest.mark.parametrize(
    ("balance", "spent", "hours"),
    [(999, 0, "—"), (999, 24_000, "0"), (23_999, 24_000, "23"), (1000, 0, None), (24_000, 24_000, None)],
)
def test_credits_are_low_below_the_limit_or_a_day(balance: int, spent: int, hours: str | None) -> None:
    """However many are left, they must last until tomorrow at the pace of the last day."""
    found = low(Decimal(balance), Decimal(spent), LIMITS)
    assert (found.values["hours"] if found else None) == hours


@pytest.mark.parametrize(("ended", "failed", "told"), [(10, 5, True), (16, 5, True), (17, 5, False), (4, 4, False)])
def test_failures_need_a_share_and_a_number(ended: int, failed: int, told: bool) -> None:
    """Neither four of four nor five of seventeen alarm anybody."""
    assert [alert.kind for alert in too_many([Ended(None, ended, failed)], LIMITS)] == [Kind.FAILURES] * told


RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))  # a credit costs 50 kopecks


@pytest.mark.parametrize(
    ("quoted", "consumed", "paid", "kinds"),
    [
        ("0.8", "0.8", Paid(1, Decimal("0.8")), []),
        ("0.8", "0.9", Paid(1, Decimal("0.9")), [Kind.COST_ABOVE_QUOTE]),
        ("0.8", "0.5", Paid(2, Decimal("1.6")), [Kind.SECOND_TASK]),  # both together cost what was taken
        ("0.8", "1.7", Paid(1, Decimal("1.7")), [Kind.COST_ABOVE_QUOTE, Kind.COST_ABOVE_PRICE]),
        (None, "1.7", Paid(1, Decimal("1.7")), [Kind.COST_ABOVE_PRICE]),
    ],
)
async def test_cost_is_held_against_quote_and_price(
    database: Database, quoted: str | None, consumed: str, paid: Paid, kinds: list[Kind]
) -> None:
    """An order at 80 kopecks: what it cost beyond the quote, and beyond what its customer gave."""
    async with database.transaction() as tx:
        number = await running(tx, await a_customer(tx, kopecks=100), price=80)
        await tx.execute("UPDATE generations SET credits_quoted = $2 WHERE id = $1", number, _amount(quoted))
        order = await store.get(tx, number)
    assert order
    assert [alert.kind for alert in margin.alerts(order, Decimal(consumed), paid, RATES)] == kinds


def _amount(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


async def test_cost_above_quote_is_told_by_whoever_observes(database: Database) -> None:
    """The provider takes more than the order was quoted: counted once, however often it is looked at."""
    async with a_workshop(database, newer_keys=True) as shop:
        order = await shop.ordered()
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET credits_quoted = 0.1 WHERE id = $1", order)
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE
        await shop.observe(order)
        (raised,) = await told(database)
    assert raised == (Kind.COST_ABOVE_QUOTE, "z-image", 1, {**raised[3], "consumed": "0.8", "quoted": "0.1"})


@pytest.fixture
async def kie() -> AsyncIterator[KieSandbox]:
    """A provider with 500 credits."""
    async with KieSandbox(KieOptions(credits=500.0)) as sandbox:
        yield sandbox


@pytest.fixture
async def watcher(database: Database, kie: KieSandbox) -> AsyncIterator[Watcher]:
    """Asks that provider once."""
    async with aiohttp.ClientSession() as session:
        client = KieClient(session, api_key="sandbox-key", base_url=kie.api_url, waits=Waits(tries=1))
        yield Watcher(database, client, LIMITS)


async def told(database: Database) -> list[tuple[Kind, str, int, Mapping[str, str]]]:
    async with database.reading() as tx:
        rows = await alerts.latest(tx, limit=100)
    return [(row.alert.kind, row.alert.subject, row.count, row.alert.values) for row in rows]


async def a_while_later(database: Database) -> None:
    """The next turn is due."""
    async with database.transaction() as tx:
        await tx.execute("UPDATE turns SET due_at = now()")


async def test_low_credits_are_told_once_per_window(database: Database, watcher: Watcher) -> None:
    """While it lasts it does not pile up, or operators would be told again when it is long over."""
    async with database.transaction() as tx:
        await running(tx, await a_customer(tx, kopecks=100), price=80, task_id="spent")
        assert await tasks.record_credits(tx, "spent", Decimal(250))
    for _ in range(3):
        await watcher.credits()
        await a_while_later(database)
    assert await told(database) == [(Kind.CREDITS_LOW, "", 1, {"balance": "500", "spent": "250", "hours": "48"})]
    async with database.transaction() as tx:
        await tx.execute("UPDATE alerts SET told_count = count, due_at = now()")  # told, and the window is over
    await watcher.credits()
    assert [count for _, _, count, _ in await told(database)] == [2]


async def test_one_replica_asks_for_all(database: Database, watcher: Watcher, kie: KieSandbox) -> None:
    """A second one in the same minutes asks nobody; and a provider that does not answer alarms nobody."""
    await watcher.credits()
    await kie.stop()
    await watcher.credits()
    await a_while_later(database)
    with structlog.testing.capture_logs() as log:
        await watcher.credits()
    assert [entry["event"] for entry in log if entry["log_level"] == "info"] == ["credits.unknown"]
    assert len(await told(database)) == 1


async def orders(database: Database, model: str, *, done: int, failures: list[Failure]) -> None:
    """Orders of a model that ended just now."""
    settler = Settler(database)
    for failure in [*failures, *[None] * done]:
        async with database.transaction() as tx:
            number = await running(tx, await a_customer(tx, kopecks=1), price=1)
            await tx.execute("UPDATE generations SET model_id = $2 WHERE id = $1", number, model)
            order = await store.get(tx, number)
        assert order
        if failure:
            assert await settler.fail(order, failure, was=State.RUNNING)
        else:
            assert await settler.succeed(order, [Output(Media.IMAGE, "https://files.example/picture.png")])


async def test_failures_are_told_by_shop_and_model(database: Database, watcher: Watcher) -> None:
    """What customers asked wrongly is no failure; a model is told apart; what ended long ago does not count."""
    await orders(database, "good", done=4, failures=[Failure.MODERATION] * 6)
    await watcher.failures()
    assert await told(database) == []
    await orders(database, "bad", done=1, failures=[Failure.PROVIDER, Failure.TIMEOUT, Failure.NO_RESULT] * 2)
    await watcher.failures()  # not its turn yet
    assert await told(database) == []
    await a_while_later(database)
    await watcher.failures()
    found = {(kind, subject): values for kind, subject, _, values in await told(database)}
    of_shop = {"failed": "6", "ended": "11", "share": "54", "minutes": "60"}
    assert found == {
        (Kind.FAILURES, ""): of_shop,
        (Kind.MODEL_FAILURES, "bad"): {**of_shop, "ended": "7", "share": "85", "model": "bad"},
    }
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM alerts")
        await tx.execute(
            "UPDATE generations SET settled_at = settled_at - interval '2 hours' WHERE settled_at IS NOT NULL"
        )
    await a_while_later(database)
    await watcher.failures()
    assert await told(database) == []


async def test_result_that_came_too_late_was_a_failure(database: Database, watcher: Watcher) -> None:
    """The customer was told that it failed, and the shop was paid nothing."""
    await orders(database, "late", done=0, failures=[Failure.TIMEOUT] * 5)
    async with database.transaction() as tx:
        await tx.execute("UPDATE generations SET state = 'done', failure = NULL, late = true")
    await watcher.failures()
    assert {kind for kind, *_ in await told(database)} == {Kind.MODEL_FAILURES, Kind.FAILURES}
