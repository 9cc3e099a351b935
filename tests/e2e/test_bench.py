"""The measurements measure: with few orders, and without a word on how long anything took."""

import re

from bench import books, size, sweep
from kiosk.db import Database
from kiosk.ledger.audit import audit


async def clean(database: Database) -> bool:
    async with database.reading() as tx:
        return {finding.broken for finding in await audit(tx)} == {0}


async def test_size_counts_whole_orders(database: Database) -> None:
    """Every order is delivered and paid, the books are clean, and each table grew."""
    table = await size.measure(database, 40)
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM generations WHERE delivered_at IS NOT NULL") == 40
    assert await clean(database)
    (together,) = re.findall(r"\*\*([\d,]+)\*\*", table)
    assert int(together.replace(",", "")) > 0


async def test_confirmations_and_sweeps_are_those_of_the_shop(database: Database) -> None:
    """Each confirmation is a hold; waiting orders wait, and no sweep wakes them."""
    assert "one wallet" in await books.measure(database, 12)
    table = await sweep.measure(database, (100, 200))
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT count(*) FROM transfers WHERE kind = 'hold'") == 4 * 12 + 200
        assert await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = 'observe'") == 0
    assert await clean(database)
    assert table.count("\n") == 3
