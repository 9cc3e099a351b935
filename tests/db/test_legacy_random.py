"""Whatever rows an earlier bot left: sums equal, books clean, twice is once, every row accounted for."""

import asyncio
import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from kiosk.db import Database
from kiosk.legacy.read import Table
from tests.conftest import administer
from tests.earlierbot import broken_invariants, imported, rows_of, story
from tests.earlierrows import DATABASES

bots = itertools.count(9_000_001)
MOMENTS = {"NOW": "now() AT TIME ZONE 'UTC'", "BEFORE": "now() AT TIME ZONE 'UTC' - interval '3 hours'"}


def literal(value: Any) -> str:
    """A value of a strategy in SQL, as text."""
    if value is None:
        return "NULL"
    return f"({MOMENTS[value]})::text" if value in MOMENTS else f"'{value}'"


def statements(database: dict[str, list[dict[str, Any]]], bot: int) -> list[str]:
    """The earlier database anew; tasks are named apart from those of other examples."""
    made = [f"DROP TABLE IF EXISTS {', '.join(table.value for table in Table)}"]
    for table, rows in database.items():
        if rows:
            made.append(f"CREATE TABLE {table} ({', '.join(f'{name} text' for name in rows[0])})")
        for row in rows:
            tasks = {name: f"{bot} {row[name]}" for name in ("external_task_id", "kie_task_id") if row.get(name)}
            made.append(f"INSERT INTO {table} VALUES ({', '.join(map(literal, (row | tasks).values()))})")
    return made


async def sums_equal_and_twice_is_once(address: str, dsn: str, database: dict[str, list[dict[str, Any]]]) -> None:
    bot = next(bots)
    await administer(address, *statements(database, bot))
    async with await Database.connect(dsn) as db:
        first = await imported(db, address, bot_id=bot)
        assert first.problems == []
        assert {table.value: count for table, count in first.tally.rows.items()} == await rows_of(address)
        assert await broken_invariants(db) == []
        once = await story(db)
        second = await imported(db, address, bot_id=bot)
        assert (second.problems, second.tally.fresh) == ([], 0)
        assert await story(db) == once
        async with db.reading() as tx:
            there = await tx.fetchval(
                "SELECT coalesce(sum(balance_rub + hold_rub), 0) * 100 FROM wallets WHERE bot_id = $1", bot
            )
    assert there == first.tally.brought_kopecks


@pytest.fixture
async def databases(dsn: str, empty_dsn: str) -> tuple[str, str]:
    """The earlier one and ours: made once for all examples."""
    return empty_dsn, dsn


def test_whatever_there_was(databases: tuple[str, str]) -> None:
    """A few databases at random, one after the other, into one shop of many bots."""
    address, dsn = databases

    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    @given(DATABASES.filter(lambda database: bool(database["users"] or database["wallets"])))
    def look(database: dict[str, list[dict[str, Any]]]) -> None:
        asyncio.run(sums_equal_and_twice_is_once(address, dsn, database))

    look()
