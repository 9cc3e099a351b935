"""What is in hand when something dies is finished by whoever comes next: once, and paid once."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import asyncpg
import pytest

from kiosk.db import Database, DatabaseUnavailable
from kiosk.generations.states import State
from sandbox.customer import Customer
from sandbox.demo import staged
from sandbox.shopkeeper import BOT_ID
from tests.openshop import PATIENCE_S, OpenShop, an_open_shop, at_the_card, confirmed, shows

# Jobs that a crash interrupted are taken up after 20 s, and may be interrupted while that happens.
RECOVERY_S = 4 * PATIENCE_S


async def delivered(shop: OpenShop, order: int) -> State:
    """Waits through whatever time the database is away."""
    async with asyncio.timeout(RECOVERY_S):
        while True:
            with contextlib.suppress(DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError):
                found = await shop.order(order)
                if found.delivered_at:
                    return found.state
            await asyncio.sleep(0.1)


async def pictures(customer: Customer) -> int:
    chat = await customer.chat()
    return sum(bool(item["media"]) for item in chat["messages"] if item["from"] == "bot")


async def test_database_crash_loses_nothing(database: Database, dsn: str) -> None:
    """A crash of the database cuts every connection in mid-order: the same process goes on by itself."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("task_seconds", "createTask", seconds=300)
        order = await confirmed(customer, await at_the_card(customer))
        await customer.wait_until(shows("Генерирую"), PATIENCE_S)
        victim = await asyncpg.connect(dsn)
        pid = await victim.fetchval("SELECT pg_backend_pid()")
        os.kill(pid, signal.SIGKILL)  # the server restarts all its backends and recovers from its log
        victim.terminate()
        assert await delivered(shop, order) is State.DONE
        assert await pictures(customer) == 1
        assert await shop.broken_invariants() == []


async def test_terminated_connections_lose_nothing(database: Database, dsn: str) -> None:
    """Every connection is terminated again and again while an order is on its way."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("task_seconds", "createTask", seconds=300)
        order = await confirmed(customer, await at_the_card(customer))
        for _ in range(5):
            killer = await asyncpg.connect(dsn)
            await killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await killer.close()
            await asyncio.sleep(0.2)
        assert await delivered(shop, order) is State.DONE
        assert await pictures(customer) == 1


@pytest.mark.parametrize("moment", ["Генерирую", "Готово"])
async def test_killed_shop_finishes_when_started_again(open_folder: Path, moment: str) -> None:
    """kill -9 in the middle of an order, or right as its result appears: one picture, one charge, clean books."""
    async with (
        staged(open_folder / "demo", time_scale=0.04, SINGLE_MODEL_ONLY="true") as stage,
        Customer(stage.chat_url, 4242, BOT_ID) as customer,
    ):
        await confirmed(customer, await at_the_card(customer))
        await customer.wait_until(shows(moment), PATIENCE_S)
        stage.process.kill()
        await stage.process.wait()
        async with stage.shop.open(), asyncio.timeout(RECOVERY_S):
            while not (books := await stage.shop.ask("customer", "4242"))["generations"][0]["delivered"]:
                await asyncio.sleep(0.5)
            assert await pictures(customer) == 1
            assert [row["captures"] for row in books["generations"]] == [1]
            assert books["held_rub"] == "0.00"
            assert not any((await stage.shop.ask("audit")).values())
