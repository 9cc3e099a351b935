"""How many confirmations a second the books take: the one transaction that customers wait for."""

import asyncio
import time
from collections.abc import Sequence

from bench import orders
from bench.orders import Customer
from bench.table import markdown, ratio
from kiosk.db import Database

PER_RUN = 600


async def measure(db: Database, count: int = PER_RUN) -> str:
    """One at a time, several at once, and several at once of a single customer."""
    runs = (("one at a time", 1, 1), ("4 at once", 4, 40), ("16 at once", 16, 40), ("16 at once, one wallet", 16, 1))
    speeds = [
        await _run(db, number * 1000, at_once, wallets, count) for number, (_, at_once, wallets) in enumerate(runs, 1)
    ]
    return markdown(
        ("confirmations", "per second, against one at a time"),
        [(name, ratio(speed, speeds[0])) for (name, *_), speed in zip(runs, speeds, strict=True)],
    )


async def _run(db: Database, first: int, at_once: int, wallets: int, count: int) -> float:
    async with db.transaction() as tx:
        buyers = [await orders.customer(tx, first + n, kopecks=count * orders.PRICE) for n in range(wallets)]
        cards = [(buyers[n % wallets], await orders.card(tx, buyers[n % wallets], n + 1), n + 1) for n in range(count)]
    begun = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for lane in range(at_once):
            group.create_task(_confirm(db, cards[lane::at_once]))
    return count / (time.perf_counter() - begun)


async def _confirm(db: Database, cards: Sequence[tuple[Customer, int, int]]) -> None:
    for buyer, draft, message in cards:
        async with db.transaction() as tx:
            await orders.confirm(tx, buyer, draft, message)
