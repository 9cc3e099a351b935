"""The audit finds what it promises to find, whatever constraint had to fall for it to happen, and nothing else."""

import pytest

from kiosk.db import Database
from kiosk.ledger.audit import INVARIANTS, SAMPLE, Finding, audit
from tests.breakages import BREAKAGES, Breakage, a_busy_shop, break_books
from tests.shopkeeping import a_customer


async def findings(db: Database) -> tuple[Finding, ...]:
    async with db.transaction(isolation="repeatable_read", readonly=True) as tx:
        return await audit(tx)


async def test_busy_shop_is_clean(database: Database) -> None:
    """Every state, every end, and not one violation."""
    await a_busy_shop(database)
    assert [(finding.invariant.name, finding.examples) for finding in await findings(database) if finding.broken] == []


async def test_empty_shop_is_clean(database: Database) -> None:
    """Nothing sold yet is no violation, and every invariant was looked at."""
    found = await findings(database)
    assert tuple(finding.invariant for finding in found) == INVARIANTS
    assert {finding.broken for finding in found} == {0}


@pytest.mark.parametrize("breakage", BREAKAGES, ids=str)
async def test_audit_names_exactly_what_is_broken(database: Database, breakage: Breakage) -> None:
    """One promise is broken, and its name alone is reported, with the row that breaks it."""
    names = await a_busy_shop(database)
    await break_books(database, breakage, names)
    broken = {finding.invariant.name: finding for finding in await findings(database) if finding.broken}
    assert list(broken) == [breakage.invariant], {name: finding.examples for name, finding in broken.items()}
    assert 0 < len(broken[breakage.invariant].examples) <= SAMPLE


def test_every_invariant_is_broken_somewhere() -> None:
    """An invariant that no test breaks could be one that cannot find anything."""
    assert {breakage.invariant for breakage in BREAKAGES} == {invariant.name for invariant in INVARIANTS}


def test_each_invariant_has_one_name() -> None:
    """Whoever reads a name in an alarm finds the one query behind it."""
    assert len({invariant.name for invariant in INVARIANTS}) == len(INVARIANTS)


async def test_audit_counts_all_and_shows_some(database: Database) -> None:
    """Books that are broken everywhere do not drown their reader."""
    async with database.transaction() as tx:
        for _ in range(SAMPLE + 2):
            await a_customer(tx, kopecks=100)
        await tx.execute("UPDATE accounts SET last_seq = last_seq + 1 WHERE kind = 'available'")
    gap = next(f for f in await findings(database) if f.invariant.name == "transfers_have_no_gap")
    assert (gap.broken, len(gap.examples)) == (SAMPLE + 2, SAMPLE)


async def test_result_that_waits_for_a_blocked_customer_is_no_violation(database: Database) -> None:
    """Whoever blocked the bot gets the result when they come back."""
    names = await a_busy_shop(database)
    async with database.transaction() as tx:
        await tx.execute("UPDATE customers SET blocked_at = now() WHERE id = $1", names["anna"])
        await tx.execute("UPDATE generations SET next_at = 'infinity' WHERE id = $1", names["undelivered"])
    assert [finding.invariant.name for finding in await findings(database) if finding.broken] == []
