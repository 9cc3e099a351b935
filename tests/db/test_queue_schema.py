"""The engine's tables are a migration of ours: an upgrade of PgQueuer that wants others is seen here first."""

import pytest
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.schema.model import Plan

from kiosk.db import Database


async def plan(database: Database) -> Plan:
    """What PgQueuer would still do to this database."""
    async with database.reading() as tx:
        return await Queries(AsyncpgDriver(tx)).plan_upgrade()


async def test_engine_finds_the_schema_it_declares(database: Database) -> None:
    """On a migrated database there is nothing left for PgQueuer's own upgrade."""
    found = await plan(database)
    assert (found.statements, found.notes) == ((), ())


@pytest.mark.parametrize(
    "change",
    [
        "DROP INDEX pgqueuer_picked_heartbeat_idx",
        "ALTER TABLE pgqueuer DROP COLUMN slot",
        "DROP TRIGGER tg_pgqueuer_changed ON pgqueuer",
    ],
)
async def test_engine_sees_what_is_missing(database: Database, change: str) -> None:
    """The comparison is a real one: without an index, a column or a trigger there is something to do."""
    async with database.transaction() as tx:
        await tx.execute(change)
    assert (await plan(database)).statements != ()
