"""Who may go on with a generation: every claim is won once, and every loser notices."""

import asyncio
from datetime import UTC, datetime

import pytest

from kiosk.customers import store as customers
from kiosk.db import Database, Tx
from kiosk.delivery.plan import Media, Output
from kiosk.generations import drafts, store
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from kiosk.generations.sweep import Sweeper
from kiosk.ledger import store as ledger
from kiosk.queue.jobs import depth
from tests.shopkeeping import a_customer, a_draft, confirmed, running, state_of, submitting

PRICE = 300
UNTOUCHED = ledger.Wallet(1000, 0)
OUTPUTS = (Output(Media.IMAGE, "https://files.example/1.png"),)


async def found(database: Database, generation_id: int) -> Generation:
    async with database.reading() as tx:
        row = await store.get(tx, generation_id)
    assert row is not None
    return row


async def due(tx: Tx, *generations: int) -> None:
    await tx.execute("UPDATE generations SET next_at = now() WHERE id = ANY($1::bigint[])", generations)


@pytest.fixture
async def customer(database: Database) -> int:
    """A customer with ten rubles."""
    async with database.transaction() as tx:
        return await a_customer(tx, kopecks=1000)


async def test_due_generations_are_shared_never_doubled(database: Database, customer: int) -> None:
    """Two sweeps at once, the first not yet committed: the second gets the others, and nobody the same."""
    async with database.transaction() as tx:
        orders = [await confirmed(tx, customer, price=10) for _ in range(6)]
        await due(tx, *orders)
    async with database.transaction() as first, database.transaction() as second:
        taken = await store.claim_due(first, limit=4, lease_s=20)
        others = await store.claim_due(second, limit=4, lease_s=20)
    assert (len(taken), len(others)) == (4, 2)
    assert sorted(number for number, _ in (*taken, *others)) == orders
    async with database.transaction() as tx:
        assert await store.claim_due(tx, limit=10, lease_s=20) == []


async def test_claim_that_is_rolled_back_is_due_again(database: Database, customer: int) -> None:
    """Whoever dies with a claim in hand loses nothing."""
    async with database.transaction() as tx:
        order = await confirmed(tx, customer, price=10)
        await due(tx, order)
    with pytest.raises(ValueError, match=r"^$"):
        await claim_and_die(database)
    async with database.transaction() as tx:
        assert await store.claim_due(tx, limit=10, lease_s=20) == [(order, State.PENDING)]


async def claim_and_die(database: Database) -> None:
    async with database.transaction() as tx:
        assert await store.claim_due(tx, limit=10, lease_s=20)
        raise ValueError


async def test_sweep_wakes_each_state_by_its_own_job(database: Database, customer: int) -> None:
    """More than one batch would be taken up too; nothing that is not due is touched."""
    async with database.transaction() as tx:
        pending, sent = await confirmed(tx, customer, price=10), await running(tx, customer, price=10)
        await confirmed(tx, customer, price=10)
        await due(tx, pending, sent)
    await asyncio.gather(Sweeper(database).sweep(), Sweeper(database).sweep())
    async with database.reading() as tx:
        jobs = await tx.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY entrypoint")
    assert [(row["entrypoint"], int(row["payload"])) for row in jobs] == [("observe", sent), ("submit", pending)]


async def test_order_is_handed_over_once(database: Database, customer: int) -> None:
    """Ten workers want to submit the same order: one does."""
    async with database.transaction() as tx:
        order = await confirmed(tx, customer, price=PRICE)

    async def claim() -> bool:
        async with database.transaction() as tx:
            return await store.claim_submit(tx, order, grace_s=600, submits_at_most=2) is not None

    assert sum(await asyncio.gather(*(claim() for _ in range(10)))) == 1


async def test_unknown_outcome_is_tried_again_only_after_its_grace(database: Database, customer: int) -> None:
    """Not before, not more than twice, and not past the deadline."""
    async with database.transaction() as tx:
        order = await submitting(tx, customer, price=PRICE)
        assert await store.claim_submit(tx, order, grace_s=600, submits_at_most=2) is None
        again = await store.claim_submit(tx, order, grace_s=0, submits_at_most=2)
        assert again is not None
        assert again.submits == 2
        assert await store.claim_submit(tx, order, grace_s=0, submits_at_most=2) is None
        late = await submitting(tx, customer, price=PRICE)
        await tx.execute("UPDATE generations SET deadline_at = now() WHERE id = $1", late)
        assert await store.claim_submit(tx, late, grace_s=0, submits_at_most=2) is None


async def test_refused_first_attempt_goes_back_in_line(database: Database, customer: int) -> None:
    """The provider made no task: the order waits as if nothing had been sent."""
    async with database.transaction() as tx:
        order = await submitting(tx, customer, price=PRICE)
        assert await store.put_back(tx, order, submits=1, wait_s=10, behind=True)
        row = await store.get(tx, order)
        assert row is not None
        assert (row.state, row.submits) == (State.PENDING, 0)
        assert not await store.put_back(tx, order, submits=1, wait_s=10, behind=True)


async def test_refused_second_attempt_leaves_the_first_in_doubt(database: Database, customer: int) -> None:
    """Of the first attempt nothing is known still: the customer cannot cancel what may be running."""
    async with database.transaction() as tx:
        order = await submitting(tx, customer, price=PRICE)
        assert await store.claim_submit(tx, order, grace_s=0, submits_at_most=2)
        assert await store.put_back(tx, order, submits=2, wait_s=10, behind=True)
        row = await store.get(tx, order)
        assert row is not None
        assert (row.state, row.submits) == (State.SUBMITTING, 1)
    assert not await Settler(database).cancel(customer, order)


async def test_two_settlements_end_in_one(database: Database, customer: int) -> None:
    """A success and a failure at the same moment, both having seen it run: one wins, the other says that it did not."""
    settler = Settler(database)
    for _ in range(5):
        async with database.transaction() as tx:
            order = await running(tx, customer, price=10)
        seen = await found(database, order)
        won = await asyncio.gather(
            settler.succeed(seen, OUTPUTS), settler.fail(seen, Failure.PROVIDER, was=State.RUNNING)
        )
        assert sorted(won) == [False, True]
        async with database.reading() as tx:
            kinds = await tx.fetch("SELECT kind FROM transfers WHERE generation_id = $1 AND kind <> 'hold'", order)
        assert [row["kind"] for row in kinds] == ["capture" if won[0] else "release"]


async def test_settling_twice_changes_nothing_more(database: Database, customer: int) -> None:
    """The second one finds it settled: no second release, no second set of deliveries, no second job."""
    async with database.transaction() as tx:
        order = await running(tx, customer, price=PRICE)
    settler, seen = Settler(database), await found(database, order)
    assert await settler.fail(seen, Failure.TIMEOUT, was=State.RUNNING)
    assert not await settler.fail(seen, Failure.PROVIDER, was=State.RUNNING)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, customer) == UNTOUCHED
        assert await depth(tx) == 1
    assert (await found(database, order)).failure is Failure.TIMEOUT


async def test_late_success_is_a_gift_once(database: Database, customer: int) -> None:
    """Two observers see the failed order succeed: one set of deliveries, and the money stays where it is."""
    async with database.transaction() as tx:
        order = await running(tx, customer, price=PRICE)
    settler = Settler(database)
    await settler.fail(await found(database, order), Failure.TIMEOUT, was=State.RUNNING)
    failed = await found(database, order)
    assert sorted(await asyncio.gather(settler.succeed(failed, OUTPUTS), settler.succeed(failed, OUTPUTS))) == [
        False,
        True,
    ]
    done = await found(database, order)
    assert (done.state, done.late, done.failure) == (State.DONE, True, None)
    async with database.reading() as tx:
        assert await ledger.wallet(tx, customer) == UNTOUCHED


async def test_order_of_another_customer_cannot_be_canceled(database: Database, customer: int) -> None:
    """A guessed number changes nothing."""
    async with database.transaction() as tx:
        order = await confirmed(tx, customer, price=PRICE)
        stranger = await a_customer(tx, kopecks=0)
    assert not await Settler(database).cancel(stranger, order)
    assert (await found(database, order)).state is State.PENDING


async def failed_for(database: Database, customer: int) -> int:
    """A failed order whose customer is to be told."""
    async with database.transaction() as tx:
        order = await running(tx, customer, price=10)
    await Settler(database).fail(await found(database, order), Failure.TIMEOUT, was=State.RUNNING)
    return order


async def test_returning_customer_wakes_what_waited_for_them_only(database: Database, customer: int) -> None:
    """What had another time keeps it, and other customers keep waiting."""
    async with database.transaction() as tx:
        stranger = await a_customer(tx, kopecks=1000)
    waiting, busy, strange = [await failed_for(database, who) for who in (customer, customer, stranger)]
    async with database.transaction() as tx:
        for order in (waiting, strange):
            await store.deliver_again(tx, order, wait_s=None)
        await store.deliver_again(tx, busy, wait_s=600)
        assert await store.claim_due(tx, limit=10, lease_s=20) == []
        await store.wake_waiting(tx, customer)
        assert await store.claim_due(tx, limit=10, lease_s=20) == [(waiting, State.FAILED)]


async def test_reading_a_customer_as_is_waits_for_their_return(database: Database, customer: int) -> None:
    """Who decides that a blocked customer's result must wait cannot overlook that they are just coming back."""
    async with database.transaction() as tx:
        await customers.mark_blocked(tx, customer)

    async def read() -> bool:
        async with database.transaction() as tx:
            return (await customers.get_as_is(tx, customer)).blocked

    async with database.transaction() as tx:
        await customers.mark_back(tx, customer)
        reading = asyncio.create_task(read())
        async with database.reading() as watching:
            while not await watching.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                assert not reading.done()
                await asyncio.sleep(0.01)
    assert not await reading


async def test_old_drafts_are_closed_and_orders_are_not(database: Database, customer: int) -> None:
    """A draft that nobody touched for a month is canceled; a younger one and an order stay, however old."""
    async with database.transaction() as tx:
        old, young = await a_draft(tx, customer), await a_draft(tx, customer)
        order = await confirmed(tx, customer, price=PRICE)
        month = datetime(2020, 1, 1, tzinfo=UTC)
        await tx.execute("UPDATE generations SET touched_at = $2 WHERE id = ANY($1::bigint[])", [old, order], month)
        assert await drafts.expire(tx, older_than_days=30) == 1
        states = [await state_of(tx, number) for number in (old, young, order)]
    assert states == [State.CANCELED, State.DRAFT, State.PENDING]
    async with database.transaction() as tx:
        assert await ledger.wallet(tx, customer) == ledger.Wallet(1000 - PRICE, PRICE)
