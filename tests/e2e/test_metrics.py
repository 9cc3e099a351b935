"""`/metrics` of a real shop: it moves with a real order, tells nobody without the token, and outlives its database."""

import asyncio
import math
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
import structlog
from pgqueuer.domain.errors import RetryRequested
from prometheus_client import CollectorRegistry, Histogram

from kiosk.bot.meter import WORDS
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database, DatabaseUnavailable, Pool, Tx
from kiosk.generations.states import Failure, State
from kiosk.metrics import OTHER, REGISTRY, know_models, model_label, timed
from kiosk.migrate import migrate
from kiosk.operators.audit import Auditor
from kiosk.postgres import EmbeddedPostgres
from kiosk.queue.worker import Worker
from kiosk.web import Front, create_app, serving
from kiosk.web.scrape import Remembered
from tests.frontdoor import METRICS_TOKEN, Door, a_door
from tests.openshop import an_open_shop, at_the_card, confirmed
from tests.scraping import Scraped, scraped
from tests.shopkeeping import BOT, a_customer, paid, running
from tests.workshop import a_workshop

PATIENCE_S = 60.0
ONCE = {
    "kiosk_orders_total{model=z-image}": 1,
    "kiosk_orders_ended_total{model=z-image,outcome=done,reason=}": 1,
    "kiosk_charged_kopecks_total{model=z-image}": 80,
    "kiosk_credits_spent_total{model=z-image}": 0.8,
    "kiosk_stage_seconds_count{output=image,stage=in_line}": 1,
    "kiosk_stage_seconds_count{output=image,stage=at_provider}": 1,
    "kiosk_stage_seconds_count{output=image,stage=delivery}": 1,
    "kiosk_stage_seconds_count{output=image,stage=whole}": 1,
    "kiosk_deliveries_total{outcome=sent,part=result}": 1,
    "kiosk_deliveries_total{outcome=sent,part=notice}": 1,
    "kiosk_provider_request_seconds_count{operation=create,outcome=ok}": 1,
    "kiosk_provider_creates_total{outcome=Created,reason=}": 1,
    "kiosk_callbacks_total{outcome=woken}": 1,
    "kiosk_telegram_request_seconds_count{method=editMessageMedia,outcome=ok}": 1,
    f"kiosk_update_seconds_count{{bot_id={BOT},kind=message,outcome=done}}": 2,
    f"kiosk_update_seconds_count{{bot_id={BOT},kind=callback_query,outcome=done}}": 3,
    "kiosk_job_seconds_count{act=deliver,outcome=done}": 1,
    # In the database of this test, and there alone:
    "kiosk_ledger_kopecks{account=available}": 9920,
    "kiosk_ledger_kopecks{account=sales}": 80,
    "kiosk_ledger_kopecks{account=bonuses}": -10000,
    "kiosk_transfers_kopecks_total{kind=capture}": 80,
    "kiosk_transfers_total{kind=hold}": 1,
    f"kiosk_customers{{bot_id={BOT},state=reachable}}": 1,
}


def url_of(door: Door) -> str:
    return f"http://127.0.0.1:{door.port}"


async def test_order_moves_the_metrics(dsn: str, database: Database) -> None:
    """One order through a whole shop is counted once everywhere: as order, money, stages, requests, jobs, updates."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        async with asyncio.timeout(PATIENCE_S):  # the first rounds
            while math.isnan((before := await of_this_process()).samples["kiosk_provider_credits"]):
                await asyncio.sleep(0.05)
        order = await confirmed(customer, await at_the_card(customer))
        await shop.settled_order(order)
        async with asyncio.timeout(PATIENCE_S):  # the job that delivered it ends a moment later
            while (after := await scraped(shop.url, METRICS_TOKEN))[DELIVERED] - before[DELIVERED] < 1:
                await asyncio.sleep(0.05)
    assert {name: round(after[name] - before[name], 6) for name in ONCE} == ONCE
    assert after["kiosk_provider_credits"] == before["kiosk_provider_credits"]
    assert (after["kiosk_open"], after["kiosk_database_up"]) == (1, 1)
    assert after["kiosk_round_last_success_timestamp_seconds{round=sweep}"] > 0


DELIVERED = "kiosk_job_seconds_count{act=deliver,outcome=done}"


async def of_this_process() -> Scraped:
    """Without the figures of any database, which a shop would remember for a while."""
    async with serving(create_app(Front("test"), metrics_token=METRICS_TOKEN), "127.0.0.1", 0) as port:
        return await scraped(f"http://127.0.0.1:{port}", METRICS_TOKEN)


async def test_failed_order_is_counted_by_its_reason(database: Database) -> None:
    """The provider refuses an order for what was asked: a failure with that reason, and no price taken."""
    failed = "kiosk_orders_ended_total{model=z-image,outcome=failed,reason=moderation}"
    before = await of_this_process()
    async with a_workshop(database) as shop:
        know_models({model.id: model.output.value for model in default_shelf().models})
        shop.fault("task_fail", "createTask", code="400", msg="Your prompt was flagged as violating content policies.")
        order = await shop.ordered()
        await shop.submit(order)
        assert ((await shop.ended(order)).state, Failure.MODERATION) == (State.FAILED, Failure.MODERATION)
    after = await of_this_process()
    assert after[failed] - before[failed] == 1
    charged = "kiosk_charged_kopecks_total{model=z-image}"
    assert after[charged] == before[charged]


async def test_figures_are_those_of_the_database(database: Database) -> None:
    """Queue, unfinished orders, the oldest of them, parked ones, gates, alerts and books, as rows have them."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        await paid(tx, customer, 5000)
        order = await running(tx, customer, price=80)
        await tx.execute("UPDATE generations SET next_at = now() - interval '1 hour' WHERE id = $1", order)
        await tx.execute("INSERT INTO pgqueuer (priority, status, entrypoint) VALUES (0, 'queued', 'observe')")
        await tx.execute("INSERT INTO orphan_callbacks (task_id, body) VALUES ('a', '{}')")
        await tx.execute(
            "INSERT INTO provider_gates (key_name, paused_since, paused_why, check_at, broken_until) "
            "VALUES ('', now(), 'no_credits', now(), now()), ('another', now(), 'key_cap', now(), NULL)"
        )
        await tx.execute("INSERT INTO alerts (kind, count, told_count, due_at) VALUES ('late', 7, 2, now())")
    async with a_door(database) as door:
        now = await scraped(url_of(door), METRICS_TOKEN)
    expected = {
        "kiosk_queue_jobs{act=observe,state=queued}": 1,
        "kiosk_open_orders{state=running}": 1,
        "kiosk_open_orders{state=pending}": 0,
        "kiosk_overdue_orders{state=running}": 1,
        "kiosk_parked_orders": 0,
        "kiosk_orphan_callbacks": 1,
        "kiosk_sales_paused{reason=no_credits}": 1,
        "kiosk_sales_paused{reason=key_cap}": 0,
        "kiosk_breaker_open": 1,
        "kiosk_operator_alerts_total{kind=late}": 7,
        "kiosk_operator_alerts_total{kind=books}": 0,
        "kiosk_operator_alerts_due": 5,
        "kiosk_ledger_kopecks{account=available}": 4920,
        "kiosk_ledger_kopecks{account=held}": 80,
        "kiosk_ledger_kopecks{account=topups}": -5000,
        "kiosk_transfers_kopecks_total{kind=topup}": 5000,
    }
    assert {name: now.samples[name] for name in expected} == expected
    assert now["kiosk_oldest_order_seconds{state=running}"] >= 0


async def test_audit_tells_what_is_broken(database: Database) -> None:
    """The nightly audit leaves the number of violations of each invariant, broken or not."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=500)
        await tx.execute("UPDATE accounts SET balance = 600 WHERE customer_id = $1 AND kind = 'available'", customer)
    await Auditor(database).audit()
    now = await of_this_process()
    assert now["kiosk_audit_violations{invariant=balance_equals_transfers}"] == 1
    assert now.samples["kiosk_audit_violations{invariant=nobody_is_overdrawn}"] == 0


@pytest.mark.parametrize(
    "authorization", [None, "", METRICS_TOKEN, "Bearer wrong", f"Basic {METRICS_TOKEN}", "Bearer "]
)
async def test_nobody_reads_it_without_the_token(database: Database, authorization: str | None) -> None:
    """401 and not one figure, whatever else is brought."""
    headers = {} if authorization is None else {"Authorization": authorization}
    async with a_door(database) as door:
        answer = await door.ask("GET", "/metrics", headers=headers)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert "kiosk_" not in str(answer.body)


async def test_without_a_token_there_is_no_page() -> None:
    """No METRICS_TOKEN: the page is not there, not even for a machine's own address or an empty token."""
    async with serving(create_app(Front("test")), "127.0.0.1", 0) as port, aiohttp.ClientSession() as session:
        for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
            async with session.get(f"http://127.0.0.1:{port}/metrics", headers=headers) as answer:
                assert answer.status == 404


async def test_scrape_outlives_its_database(own_postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the database its figures are missing and everything else is told; they come back with it."""
    monkeypatch.setattr("kiosk.web.scrape.WORK_S", 0.0)
    monkeypatch.setattr("kiosk.web.scrape.BOOKS_S", 0.0)
    dsn = own_postgres.start()
    await migrate(dsn)
    async with await Database.connect(dsn) as db, a_door(db) as door:
        there = await scraped(url_of(door), METRICS_TOKEN)
        own_postgres.stop()
        away = await scraped(url_of(door), METRICS_TOKEN)
        own_postgres.start()
        back = await scraped(url_of(door), METRICS_TOKEN)
    assert [now["kiosk_database_up"] for now in (there, away, back)] == [1, 0, 1]
    figures = {"kiosk_open_orders{state=running}", "kiosk_ledger_kopecks{account=sales}", "kiosk_orphan_callbacks"}
    assert [sorted(figures & now.samples.keys()) for now in (there, away, back)] == [
        sorted(figures),
        [],
        sorted(figures),
    ]
    assert away["kiosk_open"] == 1
    assert "kiosk_build_info{version=0.1.0}" in away.samples


async def test_many_scrapes_are_one_query(database: Database) -> None:
    """Those that come together, and those that come soon after, read each kind of figures once."""
    read: list[Tx] = []

    async def reading(tx: Tx) -> int:
        read.append(tx)
        return len(read)

    remembered = Remembered(reading, 3600)
    for _ in range(2):
        assert set(await asyncio.gather(*(remembered.of(database) for _ in range(20)))) == {1}
    assert len(read) == 1


async def test_figures_that_take_too_long_are_left_out(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scrape waits for the database no longer than its bound, and those right after it do not wait at all."""
    monkeypatch.setattr("kiosk.web.scrape.LIMIT_S", 0.05)
    read: list[Tx] = []

    async def sleeping(tx: Tx) -> int:
        read.append(tx)
        await tx.execute("SELECT pg_sleep(3600)")
        return 1

    remembered = Remembered(sleeping, 3600)
    assert [await remembered.of(database), await remembered.of(database), len(read)] == [None, None, 1]


def test_models_in_labels_are_those_of_the_catalog() -> None:
    """A row may name any model, also one that an old shop had: it is called "other"."""
    know_models({"z-image": "image"})
    assert model_label("z-image") == "z-image"
    assert {model_label(f"invented-{number}") for number in range(1000)} == {OTHER}


def test_what_is_timed_ends_in_one_word() -> None:
    """The block says how it ended; one that raised before it could say so is counted as that."""
    registry = CollectorRegistry()
    instrument = Histogram("a_seconds", "For a test.", ["what", "outcome"], registry=registry)
    with timed(instrument, "x") as good:
        good.outcome = "ok"
    with pytest.raises(ValueError, match=r"^$"), timed(instrument, "x"):
        raise ValueError
    counts = [registry.get_sample_value("a_seconds_count", {"what": "x", "outcome": o}) for o in ("ok", "cut_off")]
    assert counts == [1, 1]


class BugError(Exception):
    """Of a job."""


@pytest.mark.parametrize(
    ("error", "raised", "outcome"),
    [
        (BugError(), BugError, "failed"),
        (DatabaseUnavailable("away"), RetryRequested, "again"),
        (asyncio.CancelledError(), RetryRequested, "again"),  # handed back by a process that ends
    ],
)
async def test_job_that_is_cut_off_is_no_bug(error: BaseException, raised: type[BaseException], outcome: str) -> None:
    """An alarm is made of what failed: a database that is away, or a process that ends, is counted apart."""

    async def handler(_generation_id: int) -> None:
        raise error

    async def no_pool() -> Pool:
        raise AssertionError

    def counted() -> float:
        return REGISTRY.get_sample_value("kiosk_job_seconds_count", {"act": "of-a-test", "outcome": outcome}) or 0

    before = counted()
    job: Any = SimpleNamespace(payload=b"1", entrypoint="of-a-test", headers=None, attempts=0)
    with structlog.testing.capture_logs(), pytest.raises(raised):
        await Worker(no_pool, {})._entry(handler)(job)
    assert counted() - before == 1


def test_refusals_of_telegram_have_few_words() -> None:
    """Labels are from a short list, whatever Telegram thinks of."""
    assert {word for _, word in WORDS} == {"flood_wait", "conflict", "away", "refused"}
