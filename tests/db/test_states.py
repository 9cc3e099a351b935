"""The states and arrows in the code are those of the schema."""

import itertools
import re

import asyncpg
import pytest

from kiosk.db import Database
from kiosk.delivery.plan import Media, Part
from kiosk.generations.states import ARROWS, Failure, State
from tests.shopkeeping import a_customer, a_draft, confirmed

# What each state needs besides its name, so that only the arrow itself can be refused.
COMPANIONS = {
    State.DRAFT: "",
    State.PENDING: ", next_at = now()",
    State.SUBMITTING: ", next_at = now()",
    State.RUNNING: ", next_at = now(), task_id = 'task ' || id",
    State.DONE: ", next_at = now(), settled_at = now()",
    State.FAILED: f", next_at = now(), settled_at = now(), failure = '{Failure.PROVIDER}'",
    State.CANCELED: ", next_at = NULL, settled_at = now()",
}


async def words_of(database: Database, constraint: str) -> set[str]:
    async with database.reading() as tx:
        definition = await tx.fetchval(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", constraint
        )
    return set(re.findall(r"'([a-z_]+)'", definition))


@pytest.mark.parametrize(
    ("constraint", "words"),
    [("generations_state", State), ("deliveries_part", Part), ("deliveries_media", Media)],
)
async def test_enumeration_equals_its_check(database: Database, constraint: str, words: type) -> None:
    """No word is known to the code and refused by the database, or the other way round."""
    assert {word.value for word in words} == await words_of(database, constraint)


async def test_arrows_equal_the_guard(database: Database) -> None:
    """Of all pairs of states the database lets through exactly the drawn arrows."""
    allowed = set()
    for old, new in itertools.permutations(State, 2):
        async with database.transaction() as tx:
            customer = await a_customer(tx, kopecks=1000)
            row = await a_draft(tx, customer) if old is State.DRAFT else await confirmed(tx, customer, price=100)
            await tx.execute("ALTER TABLE generations DISABLE TRIGGER generations_guard")
            base = "" if old is State.DRAFT else ", next_at = NULL, settled_at = NULL, failure = NULL"
            await tx.execute(f"UPDATE generations SET state = '{old}' {COMPANIONS[old] or base} WHERE id = {row}")
            await tx.execute("ALTER TABLE generations ENABLE TRIGGER generations_guard")
            try:
                async with tx.transaction():
                    await tx.execute(f"UPDATE generations SET state = '{new}' WHERE id = {row}")
            except asyncpg.CheckViolationError as refusal:
                if refusal.constraint_name == "generations_arrow":
                    continue
            allowed.add((old, new))
    assert set(ARROWS) == allowed


async def test_price_of_a_confirmed_generation_is_fixed(database: Database) -> None:
    """Nobody pays another price than the one confirmed."""
    async with database.transaction() as tx:
        order = await confirmed(tx, await a_customer(tx, kopecks=1000), price=100)
    with pytest.raises(asyncpg.CheckViolationError, match="price is fixed"):
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET price_kopecks = 1 WHERE id = $1", order)


async def test_unfinished_generation_always_has_a_future(database: Database) -> None:
    """Taking the wake-up time from an unfinished order is refused."""
    async with database.transaction() as tx:
        order = await confirmed(tx, await a_customer(tx, kopecks=1000), price=100)
    with pytest.raises(asyncpg.CheckViolationError, match="generations_future"):
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET next_at = NULL WHERE id = $1", order)
