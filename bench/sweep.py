"""What a sweep costs while many orders wait and none is due: it runs every two seconds on every replica."""

import time
from collections.abc import Sequence
from statistics import median

from bench import orders
from bench.table import markdown, ratio
from kiosk.db import Database
from kiosk.generations.sweep import Sweeper

WAITING = (100, 1_000, 10_000)
SWEEPS = 40
AT_ONCE = 100  # made in one transaction


async def measure(db: Database, rows: Sequence[int] = WAITING) -> str:
    """The same sweep over more and more rows."""
    sweeper, medians, made = Sweeper(db), [], 0
    async with db.transaction() as tx:
        buyer = await orders.customer(tx, 900_001, kopecks=rows[-1] * orders.PRICE)
    for waiting in rows:
        while made < waiting:
            async with db.transaction() as tx:
                for number in range(made, made + AT_ONCE):
                    order = await orders.card(tx, buyer, number + 1)
                    await orders.confirm(tx, buyer, order, number + 1)
                    await orders.start(tx, order)
            made += AT_ONCE
        async with db.reading() as tx:
            await tx.execute("ANALYZE generations")
        took = [await _once(sweeper) for _ in range(2 * SWEEPS)]
        medians.append(median(took[SWEEPS:]))  # the first ones meet cold connections and plans
    return markdown(
        ("orders that wait", "one sweep, against the first row"),
        [(f"{waiting:,}", ratio(took, medians[0])) for waiting, took in zip(rows, medians, strict=True)],
    )


async def _once(sweeper: Sweeper) -> float:
    begun = time.perf_counter()
    await sweeper.sweep()
    return time.perf_counter() - begun
