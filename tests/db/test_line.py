"""The line before the provider: whose turn it is, and that asking does not wait for anybody."""

import asyncio
from itertools import pairwise

import pytest

from kiosk.db import Database, Tx
from kiosk.generations import gates, line, store
from kiosk.generations.gate import Rate
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.settle import Settler
from tests.shopkeeping import a_customer, confirmed, submitting

GATE = "gate of a test"
WIDE = Rate(1000, 1)


def a_keeper(database: Database, rate: Rate = WIDE, grace_s: float = 600) -> Gatekeeper:
    return Gatekeeper(database, GATE, rate, grace_s)


async def orders(database: Database, *, customers: int, each: int = 1) -> list[list[int]]:
    """So many confirmed orders of each of so many customers, one customer after the other."""
    found = []
    for _ in range(customers):
        async with database.transaction() as tx:
            customer = await a_customer(tx, kopecks=1000)
        found.append([])
        for _ in range(each):
            async with database.transaction() as tx:
                found[-1].append(await confirmed(tx, customer, price=10))
    return found


async def served(keeper: Gatekeeper) -> list[int]:
    """Everybody who is let through, in their order."""
    found = []
    while passed := await keeper.let_through():
        found.append(passed.order.id)
    return found


async def test_first_orders_come_before_second_ones(database: Database) -> None:
    """One customer orders five at once, two others one each a moment later: they wait for one order, not for five."""
    ((first, *rest),) = await orders(database, customers=1, each=5)
    (second,), (third,) = await orders(database, customers=2)
    assert await served(a_keeper(database)) == [first, second, third, *rest]


async def test_many_orders_of_one_customer_are_served_all_the_same(database: Database) -> None:
    """Behind the first orders of others, but before whoever comes later than the distance: nobody starves."""
    ((_, second, third),) = await orders(database, customers=1, each=3)
    (newcomer,) = await orders(database, customers=1)
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE generations SET lined_up_at = lined_up_at + make_interval(secs => $2) WHERE id = $1",
            newcomer[0],
            1.5 * store.APART_S,
        )
    assert (await served(a_keeper(database)))[1:] == [second, newcomer[0], third]


async def test_customer_without_orders_in_line_lines_up_now(database: Database) -> None:
    """What was served before does not count against anybody."""
    ((first,),) = await orders(database, customers=1)
    assert await served(a_keeper(database)) == [first]
    async with database.transaction() as tx:
        customer = await tx.fetchval("SELECT customer_id FROM generations WHERE id = $1", first)
        again = await confirmed(tx, customer, price=10)
        late = await tx.fetchval("SELECT lined_up_at > now() FROM generations WHERE id = $1", again)
    assert late is False


async def test_order_of_the_version_before_has_its_place(database: Database) -> None:
    """A process that knows no line confirms without one: its orders stand where they were confirmed."""
    (first,), (second,), (third,) = await orders(database, customers=3)
    async with database.transaction() as tx:
        await tx.execute("UPDATE generations SET lined_up_at = NULL WHERE id = $1", second)
        assert [await line.place(tx, order) for order in (first, second, third)] == [1, 2, 3]
    assert await served(a_keeper(database)) == [first, second, third]


async def test_unknown_outcome_goes_before_the_line(database: Database) -> None:
    """Its customer has waited longest, and it is the only one whose time is running."""
    ((waiting,),) = await orders(database, customers=1)
    async with database.transaction() as tx:
        unknown = await submitting(tx, await a_customer(tx, kopecks=1000), price=10)
    assert await served(a_keeper(database)) == [waiting]
    assert (await a_keeper(database, grace_s=0).let_through()) is not None
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT submits FROM generations WHERE id = $1", unknown) == 2


async def test_order_put_back_is_behind_the_others(database: Database) -> None:
    """It failed at the provider: others first, and it does not come again at once even when it is alone."""
    (first,), (second,) = await orders(database, customers=2)
    keeper = a_keeper(database)
    assert await keeper.let_through()
    async with database.transaction() as tx:
        assert await store.put_back(tx, first, submits=1, wait_s=10, behind=True)
        assert await line.place(tx, first) == 2
    assert await served(keeper) == [second]
    async with database.transaction() as tx:
        await tx.execute("UPDATE generations SET held_back_until = now() WHERE id = $1", first)
    assert await served(keeper) == [first]


async def test_order_that_is_not_to_blame_keeps_its_place(database: Database) -> None:
    """The provider was asked too often: whose turn it was, is first again."""
    (first,), (second,) = await orders(database, customers=2)
    keeper = a_keeper(database)
    assert await keeper.let_through()
    async with database.transaction() as tx:
        assert await store.put_back(tx, first, submits=1, wait_s=10, behind=False)
    assert await served(keeper) == [first, second]


async def test_replicas_share_one_limit(database: Database) -> None:
    """Twenty at once on five slots: five orders pass, the first five, each once."""
    waiting = [order for (order,) in await orders(database, customers=8)]
    keepers = [a_keeper(database, Rate(5, 3600)) for _ in range(20)]
    passed = await asyncio.gather(*(keeper.let_through() for keeper in keepers))
    assert sorted(found.order.id for found in passed if found) == waiting[:5]


async def test_keys_have_gates_of_their_own(database: Database) -> None:
    """What one key may not do any more, another may."""
    await orders(database, customers=2)
    one, other = Gatekeeper(database, "one", Rate(1, 3600), 600), Gatekeeper(database, "other", Rate(1, 3600), 600)
    assert await one.let_through()
    assert await one.let_through() is None
    assert await other.let_through()


async def test_nobody_waits_takes_no_slot(database: Database) -> None:
    """A wake-up in vain costs the next customer nothing."""
    keeper = a_keeper(database, Rate(1, 3600))
    assert await keeper.let_through() is None
    await orders(database, customers=1)
    assert await keeper.let_through()


async def test_crash_with_a_slot_in_hand_loses_nobody(database: Database) -> None:
    """The slot and the claim are one transaction: both are there or neither."""
    ((order,),) = await orders(database, customers=1)
    keeper = a_keeper(database, Rate(1, 3600))
    with pytest.raises(ValueError, match=r"^$"):
        await claim_and_die(database, order)
    assert await served(keeper) == [order]


async def claim_and_die(database: Database, order: int) -> None:
    async with database.transaction() as tx:
        gate, now = await gates.lock(tx, GATE)
        assert await line.first(tx, grace_s=600, submits_at_most=2) == order
        await gates.save(tx, GATE, gate)
        assert now
        raise ValueError


async def in_hand(tx: Tx, order: int) -> None:
    await tx.execute("SELECT FROM generations WHERE id = $1 FOR UPDATE", order)


async def test_gate_waits_for_nobody(database: Database) -> None:
    """The head of the line is being canceled at this moment: the next one is served meanwhile, and nothing hangs."""
    (first,), (second,) = await orders(database, customers=2)
    keeper = a_keeper(database)
    async with database.transaction() as tx:
        await in_hand(tx, first)
        assert await served(keeper) == [second]
        await line.wake(tx, at_most=5)
    assert await served(keeper) == [first]


async def test_cancel_and_submit_at_once_agree(database: Database) -> None:
    """Either it is sent or its money is back, whoever was first."""
    keeper, settler = a_keeper(database), Settler(database)
    for _ in range(8):
        ((order,),) = await orders(database, customers=1)
        async with database.reading() as tx:
            customer = await tx.fetchval("SELECT customer_id FROM generations WHERE id = $1", order)
        passed, canceled = await asyncio.gather(keeper.let_through(), settler.cancel(customer, order))
        assert bool(passed) is not canceled


async def test_waiting_order_is_looked_at_when_its_turn_may_come(database: Database) -> None:
    """Those behind later than those before, nobody later than half a minute, and nobody twice a second."""
    waiting = [order for (order,) in await orders(database, customers=4)]
    keeper = a_keeper(database, Rate(1, 8))
    assert await keeper.let_through()
    for order in waiting:
        await keeper.line_up(order)
    async with database.reading() as tx:
        rows = await tx.fetch(
            "SELECT id, extract(epoch FROM next_at - now())::float8 AS left FROM generations "
            "WHERE state = 'pending' ORDER BY next_at"
        )
    assert [row["id"] for row in rows] == waiting[1:]
    gaps = [later["left"] - earlier["left"] for earlier, later in pairwise(rows)]
    assert all(7 < gap < 9 for gap in gaps)
    assert rows[-1]["left"] <= 30
