"""Whatever was forgotten is found and goes on: once, by one replica, and what is well is let alone."""

import asyncio

import pytest
import structlog

from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.generations import store, tasks
from kiosk.generations.reconcile import BATCH, Reconciler
from kiosk.generations.states import State
from kiosk.generations.sweep import ORPHAN_DAYS, Sweeper
from kiosk.ledger.audit import audit
from kiosk.operators import store as operators
from tests.breakages import BREAKAGES, Breakage, a_busy_shop, break_books, done, failed
from tests.shopkeeping import a_customer, confirmed, running, submitting

FORGOTTEN = [breakage for breakage in BREAKAGES if breakage.invariant == "unfinished_has_a_future"]
# How rows get into states that the schema refuses.
LOOSEN = "ALTER TABLE generations DROP CONSTRAINT generations_future, DROP CONSTRAINT generations_confirmed"


async def do(database: Database, statement: str, *values: object) -> None:
    async with database.transaction() as tx:
        await tx.execute(statement, *values)


async def reconcile(database: Database, replicas: int = 1) -> int:
    """How many were woken by all replicas together."""
    with structlog.testing.capture_logs() as log:
        counts = await asyncio.gather(*(Reconciler(database).reconcile() for _ in range(replicas)))
    told = [entry["count"] for entry in log if entry["event"] == "reconcile.woke"]
    assert sorted(told) == sorted(count for count in counts if count)
    return sum(counts)


async def due(database: Database) -> set[int]:
    """What the next sweep would take."""
    async with database.reading() as tx:
        return {row["id"] for row in await tx.fetch("SELECT id FROM generations WHERE next_at <= now()")}


async def broken(database: Database) -> list[str]:
    async with database.transaction(isolation="repeatable_read", readonly=True) as tx:
        return [finding.invariant.name for finding in await audit(tx) if finding.broken]


async def test_shop_that_is_well_is_let_alone(database: Database) -> None:
    """Every state and every kind of end, and a result that waits for a customer who blocked the bot."""
    await a_busy_shop(database)
    async with database.transaction() as tx:
        absent = await a_customer(tx, kopecks=1000)
        waiting = await done(tx, absent, is_delivered=False)
        await customers.mark_blocked(tx, absent)
        await store.deliver_again(tx, waiting, wait_s=None)
    async with database.reading() as tx:
        before = await tx.fetch("SELECT * FROM generations ORDER BY id")
        assert await reconcile(database) == 0
        assert await tx.fetch("SELECT * FROM generations ORDER BY id") == before
        assert await operators.latest(tx, limit=9) == []


@pytest.mark.parametrize("breakage", FORGOTTEN, ids=str)
async def test_what_the_audit_misses_a_future_of_gets_one(database: Database, breakage: Breakage) -> None:
    """Without the constraint that forbids it: after one round the audit is clean, and the sweep has it next."""
    await break_books(database, breakage, await a_busy_shop(database))
    assert await broken(database) == ["unfinished_has_a_future"]
    assert await reconcile(database) == 1
    assert await broken(database) == []
    assert len(await due(database)) == 1
    assert await reconcile(database) == 0


@pytest.mark.parametrize("state", [State.PENDING, State.SUBMITTING, State.RUNNING])
async def test_next_look_far_beyond_the_deadline_is_none(database: Database, state: State) -> None:
    """Ten minutes of deadline and a look in two hours: woken. A look an hour after now is a matter of course."""
    make = {State.PENDING: confirmed, State.SUBMITTING: submitting, State.RUNNING: running}[state]
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        far, near = await make(tx, customer, price=10), await make(tx, customer, price=10)
        await tx.execute("UPDATE generations SET next_at = deadline_at + interval '61 min' WHERE id = $1", far)
        await tx.execute("UPDATE generations SET next_at = deadline_at + interval '59 min' WHERE id = $1", near)
    assert await reconcile(database) == 1
    assert await due(database) == {far}


async def test_delivery_put_off_for_hours_is_due_now(database: Database) -> None:
    """The shop's own pauses end at ten minutes."""
    async with database.transaction() as tx:
        order = await done(tx, await a_customer(tx, kopecks=1000), is_delivered=False)
        await tx.execute("UPDATE generations SET next_at = now() + interval '1 day' WHERE id = $1", order)
    assert await reconcile(database) == 1
    assert await due(database) == {order}


@pytest.mark.parametrize("deadline", ["NULL", "'infinity'"])
async def test_open_order_without_a_deadline_gets_one(database: Database, deadline: str) -> None:
    """It has its full time from now on, and is looked at."""
    async with database.transaction() as tx:
        order = await running(tx, await a_customer(tx, kopecks=1000), price=10)
    await do(database, LOOSEN)
    await do(database, f"UPDATE generations SET deadline_at = {deadline}")
    assert await reconcile(database) == 1
    async with database.reading() as tx:
        row = await tx.fetchrow("SELECT deadline_at - next_at AS left, run_s FROM generations WHERE id = $1", order)
    assert row
    assert row["left"].total_seconds() == row["run_s"]
    assert await reconcile(database) == 0


@pytest.mark.parametrize("claimed", ["NULL", "now() - interval '2 hours'", "now() + interval '2 hours'"])
async def test_parcel_in_dead_hands_is_taken_away(database: Database, claimed: str) -> None:
    """Nobody sends for an hour; where it is not even known since when, no lease would ever end."""
    async with database.transaction() as tx:
        order = await done(tx, await a_customer(tx, kopecks=1000), is_delivered=False)
        await tx.execute(f"UPDATE deliveries SET state = 'sending', claimed_at = {claimed} WHERE part = 'result'")
    assert await reconcile(database) == 1
    assert await due(database) == {order}
    async with database.reading() as tx:
        states = await tx.fetch("SELECT DISTINCT state FROM deliveries")
    assert [row["state"] for row in states] == ["pending"]
    assert await reconcile(database) == 0


async def test_parcel_that_is_being_sent_is_let_alone(database: Database) -> None:
    """Its lease may be over; whoever delivers next sees to that."""
    async with database.transaction() as tx:
        await done(tx, await a_customer(tx, kopecks=1000), is_delivered=False)
        await tx.execute("UPDATE deliveries SET state = 'sending', claimed_at = now() - interval '10 min'")
    assert await reconcile(database) == 0


async def test_parcel_for_an_absent_customer_waits_on(database: Database) -> None:
    """Taken out of dead hands, and not sent before they are back."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        order = await done(tx, customer, is_delivered=False)
        await customers.mark_blocked(tx, customer)
        await store.deliver_again(tx, order, wait_s=None)
        await tx.execute("UPDATE deliveries SET state = 'sending', claimed_at = now() - interval '1 day'")
    assert await reconcile(database) == 1
    assert await due(database) == set()


@pytest.mark.parametrize("make", [done, failed])
async def test_delivered_with_something_unsent_is_delivered_again(database: Database, make: object) -> None:
    """What is owed is owed, whatever the row says of itself."""
    assert callable(make)
    async with database.transaction() as tx:
        order = await make(tx, await a_customer(tx, kopecks=1000))
        await tx.execute("UPDATE deliveries SET state = 'pending', sent_at = NULL WHERE generation_id = $1", order)
    assert await reconcile(database) == 1
    assert await due(database) == {order}
    assert await broken(database) == []


async def test_each_stray_is_woken_once_by_all_replicas_together(database: Database) -> None:
    """Eight at once over sixty strays: sixty in the count, in the log and in what operators are told."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        lost = [await running(tx, customer, price=1) for _ in range(30)]
        lost += [await confirmed(tx, customer, price=1) for _ in range(30)]
    await do(database, LOOSEN)
    await do(database, "UPDATE generations SET next_at = NULL")
    assert await reconcile(database, replicas=8) == 60
    assert await due(database) == set(lost)
    async with database.reading() as tx:
        (raised,) = await operators.latest(tx, limit=2)
    assert (raised.alert.kind, raised.count) == ("stray", 60)


async def test_round_is_bounded(database: Database) -> None:
    """A thousand strays are no long transaction: the rest is found in the next round."""
    async with database.transaction() as tx:
        order = await confirmed(tx, await a_customer(tx, kopecks=1000), price=1)
    await do(database, LOOSEN)
    await do(
        database,
        "INSERT INTO generations (customer_id, state, model_id, chat_id, message_id, price_kopecks, callback_token, "
        "deadline_at, confirmed_at) SELECT customer_id, state, model_id, chat_id, message_id, price_kopecks, '', "
        "deadline_at, confirmed_at FROM generations, generate_series(1, $2) WHERE id = $1",
        order,
        BATCH + 5,
    )
    assert [await reconcile(database) for _ in range(3)] == [BATCH, 5, 0]


async def test_unmatched_callback_is_kept_matched_in_time_and_forgotten_late(database: Database) -> None:
    """For a week it finds its generation as soon as the task is known; after two it is gone."""
    sweeper = Sweeper(database)
    async with database.transaction() as tx:
        order = await running(tx, await a_customer(tx, kopecks=1000), price=10)
        for task in ("in-time", "too-late", "never"):
            assert await tasks.keep_orphan(tx, task, "{}")
    await do(
        database, f"UPDATE orphan_callbacks SET received_at = now() - interval '{ORPHAN_DAYS} days' + interval '1 min'"
    )
    await do(database, "UPDATE orphan_callbacks SET received_at = now() - interval '8 days' WHERE task_id = 'too-late'")
    await sweeper.match_orphans()
    await sweeper.tidy()
    async with database.transaction() as tx:
        assert [orphan.task_id for orphan in await tasks.orphans(tx, limit=9)] == ["in-time", "too-late", "never"]
        for task in ("in-time", "too-late"):
            assert await tasks.add(tx, order, task, at_most=5)
    await asyncio.gather(*(sweeper.match_orphans() for _ in range(4)))
    async with database.reading() as tx:
        assert [orphan.task_id for orphan in await tasks.orphans(tx, limit=9)] == ["too-late", "never"]
        jobs = await tx.fetch("SELECT entrypoint, payload FROM pgqueuer")
    assert [(row["entrypoint"], int(row["payload"])) for row in jobs] == [("observe", order)]
    await do(database, "UPDATE orphan_callbacks SET received_at = now() - interval '15 days' WHERE task_id <> 'never'")
    await sweeper.tidy()
    async with database.reading() as tx:
        left = await tx.fetch("SELECT task_id FROM orphan_callbacks")
    assert [row["task_id"] for row in left] == ["never"]
