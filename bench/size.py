"""Bytes of database per order, measured by making ten thousand of them from draft to delivered."""

import asyncio
from collections.abc import Mapping

from bench import orders
from bench.orders import Customer
from bench.table import markdown
from kiosk.db import Database

ORDERS = 10_000
CUSTOMERS = 500
LANES = 4
TABLES = ("generations", "transfers", "deliveries", "tasks", "accounts", "customers")


async def measure(db: Database, count: int = ORDERS) -> str:
    """Table by table with its indexes; the engine's jobs come and go and are not counted."""
    async with db.transaction() as tx:
        buyers = [await orders.customer(tx, 1_000 + n, kopecks=count * orders.PRICE) for n in range(CUSTOMERS)]
    before = await _sizes(db)
    async with asyncio.TaskGroup() as group:
        for lane in range(LANES):
            group.create_task(_make(db, buyers, range(lane, count, LANES)))
    after = await _sizes(db)
    grown = {name: after[name] - before[name] for name in TABLES}
    rows = [(f"`{name}`", f"{grown[name] / count:,.0f}") for name in TABLES]
    return markdown(("table", "bytes per order"), [*rows, ("**together**", f"**{sum(grown.values()) / count:,.0f}**")])


async def _make(db: Database, buyers: list[Customer], numbers: range) -> None:
    """Steps in transactions of their own, as the shop takes them."""
    for number in numbers:
        buyer = buyers[number % len(buyers)]
        async with db.transaction() as tx:
            order = await orders.card(tx, buyer, number + 1)
        async with db.transaction() as tx:
            await orders.confirm(tx, buyer, order, number + 1)
        async with db.transaction() as tx:
            await orders.start(tx, order)
        async with db.transaction() as tx:
            await orders.finish(tx, buyer, order)


async def _sizes(db: Database) -> Mapping[str, int]:
    """After a vacuum, as the server makes one by itself."""
    async with db.reading() as tx:
        await tx.execute(f"VACUUM ANALYZE {', '.join(TABLES)}")
        return {name: await tx.fetchval("SELECT pg_total_relation_size($1::regclass)", name) for name in TABLES}
