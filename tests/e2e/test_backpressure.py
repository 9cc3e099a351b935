"""Backpressure: replicas share the provider's limit, its troubles stop all of them, and customers see their place."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.confirm import Confirmed, SalesPaused
from kiosk.generations.gate import BREAKER_AT, Rate
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.states import Failure, State
from kiosk.generations.submit import Submitter
from sandbox.customer import Customer
from sandbox.kie.account import Account
from tests.openshop import OpenShop, an_open_shop, at_the_card, button, confirmed, message, shows
from tests.workshop import Workshop, a_workshop

PRICE = 80
UNTOUCHED = (1000, 0)
HELD = (1000 - PRICE, PRICE)
REPLICAS = 3
ORDERS = 60
PATIENCE_S = 60.0


# One limit


@contextlib.asynccontextmanager
async def replicas(dsn: str, shop: Workshop, rate: Rate) -> AsyncIterator[list[Submitter]]:
    """Submitters with connections of their own, as in processes of their own."""
    async with contextlib.AsyncExitStack() as stack:
        found = []
        for _ in range(REPLICAS):
            db = await stack.enter_async_context(await Database.connect(dsn, max_size=5))
            keeper = Gatekeeper(db, shop.keeper.key_name, rate, shop.keeper.grace_s)
            found.append(replace(shop.submit, db=db, keeper=keeper))
        yield found


async def serve(submit: Submitter) -> None:
    """What sweep and worker do, until nobody is in line."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with submit.db.transaction() as tx:
                due = await store.claim_due(tx, limit=7, lease_s=20)
                left = await tx.fetchval("SELECT count(*) FROM generations WHERE state IN ('pending', 'submitting')")
            if not left:
                return
            await asyncio.gather(*(submit(number) for number, _ in due))
            await asyncio.sleep(0.02)


def busiest(moments_ms: Sequence[int], window_ms: float) -> int:
    """The most tasks that were made within one window."""
    return max(sum(start <= moment < start + window_ms for moment in moments_ms) for start in moments_ms)


async def test_replicas_keep_to_the_limit_together(database: Database, dsn: str) -> None:
    """Sixty orders, three replicas, five creates in 0.4 s: the provider never says "too often", and all get done."""
    rate = Rate(creates=5, window_s=0.4)
    async with (
        a_workshop(database, grace_s=600, rate=rate, create_limit=rate.creates, create_window_s=rate.window_s) as shop,
        replicas(dsn, shop, rate) as found,
    ):
        orders = [await shop.ordered() for _ in range(ORDERS)]
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET next_at = now()")
        await asyncio.gather(*(serve(submit) for submit in found))
        made = [task.created_ms for task in shop.kie.provider.desk.tasks.values()]
        assert len(made) == ORDERS
        assert shop.kie.provider.creates.refused == 0
        assert busiest(made, rate.window_s * 1000) <= rate.creates
        for order in orders:
            assert (await shop.ended(order)).state is State.DONE
        assert await shop.broken_invariants() == []


async def test_limit_that_nobody_keeps_is_noticed(database: Database, dsn: str) -> None:
    """The same without a gate: the provider does say "too often", so the test above could fail."""
    async with (
        a_workshop(database, grace_s=600, create_limit=5, create_window_s=0.4) as shop,
        replicas(dsn, shop, Rate(1000, 1)) as found,
    ):
        orders = [await shop.ordered() for _ in range(12)]
        await asyncio.gather(*(found[number % REPLICAS](order) for number, order in enumerate(orders)))
        assert shop.kie.provider.creates.refused > 0


# The provider's troubles


async def told(shop: Workshop) -> list[str]:
    """What operators are to be told, in the order in which it happened."""
    return (await shop.alerts())[::-1]


async def test_too_many_requests_shut_the_gate_for_all(database: Database) -> None:
    """One order was told to wait: no other asks until then, and it keeps its place."""
    async with a_workshop(database) as shop:
        first, second = await shop.ordered(), await shop.ordered()
        shop.fault("code_429", "createTask")
        await shop.submit(first)
        await shop.submit(second)
        await shop.submit(first)
        assert len(shop.kie.provider.desk.tasks) == 0
        assert [(await shop.order(order)).state for order in (first, second)] == [State.PENDING] * 2
        await shop.wait_is_over()
        await shop.submit(second)
        assert [(await shop.order(order)).state for order in (first, second)] == [State.RUNNING, State.PENDING]
        await shop.submit(second)
        assert (await shop.order(second)).state is State.RUNNING


async def test_breaker_opens_tries_one_and_closes(database: Database) -> None:
    """Five orders in a row meet a broken provider: nobody asks; a trial fails, a later one works, all go on."""
    async with a_workshop(database) as shop:
        orders = [await shop.ordered() for _ in range(BREAKER_AT + 2)]
        shop.fault("code_500", "createTask", times=BREAKER_AT)
        for order in orders[:BREAKER_AT]:
            await shop.submit(order)
        assert not shop.kie.faults.active()
        assert await told(shop) == ["breaker_opened"]
        await shop.submit(orders[-1])
        assert len(shop.kie.provider.desk.tasks) == 0
        shop.fault("http_502", "createTask")
        await shop.wait_is_over()
        await shop.submit(orders[-1])
        assert not shop.kie.faults.active()
        await shop.submit(orders[-1])
        assert len(shop.kie.provider.desk.tasks) == 0
        await shop.wait_is_over()
        for order in orders:
            await shop.submit(order)
        assert await told(shop) == ["breaker_opened", "breaker_closed"]
        made = [order for order in orders if (await shop.order(order)).state is State.RUNNING]
        assert len(made) == len(shop.kie.provider.desk.tasks) > 1


async def test_one_order_that_always_fails_stops_no_other(database: Database) -> None:
    """It goes behind the others each time, and ends with its deadline; the breaker stays closed."""
    async with a_workshop(database) as shop:
        shop.fault("code_500", "createTask", times=1)
        poison = await shop.ordered()
        await shop.submit(poison)
        other = await shop.ordered()
        await shop.submit(poison)
        assert (await shop.order(other)).state is State.RUNNING
        assert (await shop.order(poison)).state is State.PENDING
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET deadline_at = now() WHERE id = $1", poison)
        await shop.submit(poison)
        assert (await shop.order(poison)).failure is Failure.UNAVAILABLE
        assert await shop.money(poison) == UNTOUCHED
        assert await told(shop) == []


# Nothing can be bought


async def test_no_credits_pause_sales_until_they_are_there(database: Database) -> None:
    """One is refused and paid back, those in line wait, nobody else can order; credits come, and all goes on."""
    async with a_workshop(database, credits=0.5) as shop:
        refused, waiting = await shop.ordered(), await shop.ordered()
        await shop.submit(refused)
        assert (await shop.order(refused)).failure is Failure.UNAVAILABLE
        assert await shop.money(refused) == UNTOUCHED
        await shop.submit(waiting)
        assert ((await shop.order(waiting)).state, await shop.money(waiting)) == (State.PENDING, HELD)
        newcomer, pressed = await shop.pressed()
        assert isinstance(pressed, SalesPaused)
        assert ((await shop.order(newcomer)).state, await shop.money(newcomer)) == (State.DRAFT, UNTOUCHED)
        assert (await shop.transfers(newcomer), await shop.jobs("submit")) == ([], 2)
        await looked(shop)
        assert await told(shop) == ["sales_paused"]
        shop.kie.provider.account.balance = 0.8
        await shop.keeper.reopen(shop.submit.kie)  # the last look was just now
        assert await told(shop) == ["sales_paused"]
        await looked(shop)
        assert await told(shop) == ["sales_paused", "sales_resumed"]
        async with database.reading() as tx:
            assert await tx.fetchval("SELECT next_at <= now() FROM generations WHERE id = $1", waiting)
        await shop.submit(waiting)
        assert (await shop.ended(waiting)).state is State.DONE
        assert isinstance((await shop.pressed())[1], Confirmed)
        assert await shop.broken_invariants() == []


async def looked(shop: Workshop) -> None:
    """The time of the next look has come, on two replicas at once."""
    await shop.wait_is_over()
    await asyncio.gather(*(shop.keeper.reopen(shop.submit.kie) for _ in range(2)))


async def test_provider_that_cannot_be_asked_for_credits_keeps_sales_paused(database: Database) -> None:
    """No answer is no reason to sell."""
    async with a_workshop(database, credits=0.5) as shop:
        await shop.submit(await shop.ordered())
        shop.kie.provider.account.balance = 100
        shop.fault("http_500", "credit", times=3)
        await looked(shop)
        assert await told(shop) == ["sales_paused"]
        await looked(shop)
        assert await told(shop) == ["sales_paused", "sales_resumed"]


async def test_capped_key_is_tried_again_by_time(database: Database) -> None:
    """The provider tells of no cap: sales resume, and a key that is still capped pauses them for longer."""
    async with a_workshop(database, key_caps_credits={"sandbox-key": 0.5}) as shop:
        for pauses in (1, 2):
            await shop.submit(await shop.ordered())
            async with database.reading() as tx:
                row = await tx.fetchrow("SELECT paused_why, pauses FROM provider_gates")
            assert (row["paused_why"], row["pauses"]) == ("key_cap", pauses)
            await looked(shop)
        shop.kie.provider.account.used.clear()
        shop.kie.provider.account.caps = {}
        order = await shop.ordered()
        await shop.submit(order)
        assert (await shop.ended(order)).state is State.DONE


async def test_order_in_line_of_a_paused_shop_is_released_at_its_deadline(database: Database) -> None:
    """Nobody's money waits for ever for the operator's."""
    async with a_workshop(database, credits=0.5) as shop:
        refused, waiting = await shop.ordered(), await shop.ordered()
        await shop.submit(refused)
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET deadline_at = now() WHERE id = $1", waiting)
        await shop.submit(waiting)
        assert (await shop.order(waiting)).failure is Failure.UNAVAILABLE
        assert await shop.money(waiting) == UNTOUCHED
        assert await shop.broken_invariants() == []


# What customers see


async def hurry(shop: OpenShop, *, open_gate: bool = False) -> None:
    """Whoever is in line is looked at now, through a gate that is wide open or as it was."""
    async with shop.db.transaction() as tx:
        if open_gate:
            await tx.execute("UPDATE provider_gates SET counted = '{}'")
        await tx.execute("UPDATE generations SET next_at = now() WHERE state = 'pending'")


@contextlib.asynccontextmanager
async def a_narrow_shop(dsn: str, database: Database, **settings: Any) -> AsyncIterator[OpenShop]:
    """One create an hour: the first order is made at once, all others stand in line."""
    async with an_open_shop(dsn, database, provider_creates=1, provider_window_s=3600, **settings) as shop:
        yield shop


async def ordered(customer: Customer) -> tuple[int, int]:
    """An order's number and its status message."""
    card = await at_the_card(customer)
    return await confirmed(customer, card), card["message_id"]


async def test_place_in_line_is_shown_and_moves_and_goes(database: Database, dsn: str) -> None:
    """Second in line, then first, then under way without a word of the line or a way out of it."""
    async with (
        a_narrow_shop(dsn, database) as shop,
        shop.customer(1001) as made,
        shop.customer(1002) as next_,
        shop.customer(1003) as last,
    ):
        await shop.settled_order((await ordered(made))[0])
        first, first_message = await ordered(next_)
        await next_.wait_until(shows("Вы 1-й в очереди"), PATIENCE_S)
        order, status = await ordered(last)
        told = await last.wait_until(shows("Вы 2-й в очереди", "перед вами 1 заказ"), PATIENCE_S)
        assert told["message_id"] == status
        waiting = await message(next_, first_message)
        await next_.click(first_message, button(waiting, "Отмена"))
        await next_.wait_until(shows("Отменено", "вернулись на баланс"), PATIENCE_S)
        assert (await shop.order(first)).state is State.CANCELED
        await hurry(shop)
        await last.wait_until(shows("Вы 1-й в очереди"), PATIENCE_S)
        shop.kie_fault("task_stuck", "createTask")
        await hurry(shop, open_gate=True)
        under_way = await last.wait_until(shows("Генерирую"), PATIENCE_S)
        assert (under_way["message_id"], under_way["inline_keyboard"]) == (status, [])
        async with asyncio.timeout(PATIENCE_S):
            while (await shop.order(order)).place_told is not None:  # forgotten only once the message says otherwise
                await asyncio.sleep(0.05)
        assert await shop.broken_invariants() == []


async def test_place_told_too_late_does_not_stay_over_a_failure(database: Database, dsn: str) -> None:
    """The edit is slow, the deadline passes meanwhile: the reason that was told is told again."""
    async with (
        a_narrow_shop(dsn, database) as shop,
        shop.customer(1001) as made,
        shop.customer(1002) as late,
    ):
        await shop.settled_order((await ordered(made))[0])
        card = await at_the_card(late)
        # The first edit is the status itself; the line is told by the second, whose telling takes its time.
        shop.telegram_fault("slow", "editMessageText", times=2, delay_s=4)
        order = await confirmed(late, card)
        while (await shop.order(order)).place_told is None:
            await asyncio.sleep(0.05)
        async with shop.db.transaction() as tx:
            await tx.execute("UPDATE generations SET deadline_at = now(), next_at = now() WHERE id = $1", order)
        await shop.settled_order(order)
        while shop.telegram.faults.active():
            await asyncio.sleep(0.05)
        await asyncio.sleep(0)
        await late.wait_until(shows("Вы 1-й в очереди"), PATIENCE_S)
        await late.wait_until(shows("Не получилось"), PATIENCE_S)
        await shop.settled_order(order)
        assert "Не получилось" in (await message(late, card["message_id"]))["text"]


async def test_paused_sales_are_told_on_the_card(database: Database, dsn: str) -> None:
    """Create is pressed while nothing can be bought: the card stays, with the reason and the button."""
    async with an_open_shop(dsn, database) as shop, shop.customer(1001) as first, shop.customer(1002) as second:
        account: Account = shop.kie.provider.account
        account.balance = 0.5
        await ordered(first)
        await first.wait_until(shows("Не получилось", "вернулись на баланс"), PATIENCE_S)
        card = await at_the_card(second)
        order = await confirmed(second, card)
        told = await second.wait_until(shows("Продажи на паузе", "Цена"), PATIENCE_S)
        assert (await shop.order(order)).state is State.DRAFT
        account.balance = 100
        async with shop.db.transaction() as tx:
            await tx.execute("UPDATE provider_gates SET check_at = now()")
        async with asyncio.timeout(PATIENCE_S):
            while not (await shop.order(order)).confirmed_at:
                await second.click(told["message_id"], button(told, "Создать"))
                await asyncio.sleep(0.2)
        assert (await shop.settled_order(order)).state is State.DONE


@pytest.mark.parametrize("limit", [1, 2])
async def test_unfinished_orders_of_one_customer_are_limited(database: Database, dsn: str, limit: int) -> None:
    """As many as the setting says, and one more is refused with that number."""
    async with a_narrow_shop(dsn, database, open_orders_per_customer=limit) as shop, shop.customer() as customer:
        shop.kie_fault("task_stuck", "createTask")
        for _ in range(limit):
            await ordered(customer)
        await confirmed(customer, await at_the_card(customer))
        await customer.wait_until(shows("У вас уже", f"{limit} заказ", "Дождитесь"), PATIENCE_S)
