"""The rows of the gates before the provider: SQL.

The gate is locked last: after the wallet and the generation. Whoever holds it takes generations with SKIP LOCKED only,
and so waits for nobody.
"""

from datetime import datetime

import asyncpg

from kiosk.db import Tx
from kiosk.generations.gate import Gate

# ruff: noqa: S608 - the only text put into these statements is COLUMNS

COLUMNS = """
    counted, closed_until, troubles, troubled_last, broken_until, breaks, trial, paused_since, paused_why,
    credits_needed, check_at, pauses
"""


def _gate(row: asyncpg.Record | None) -> Gate:
    if row is None:
        return Gate()
    return Gate(**{**dict(row), "counted": tuple(row["counted"])})


async def read(tx: Tx, key_name: str) -> Gate:
    """As it was a moment ago; enough to tell somebody how long to wait."""
    return _gate(await tx.fetchrow(f"SELECT {COLUMNS} FROM provider_gates WHERE key_name = $1", key_name))


async def lock(tx: Tx, key_name: str) -> tuple[Gate, datetime]:
    """The gate, which nobody else changes until `tx` ends, and the time of the clock once it was had."""
    await tx.execute("INSERT INTO provider_gates (key_name) VALUES ($1) ON CONFLICT DO NOTHING", key_name)
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM provider_gates WHERE key_name = $1 FOR UPDATE", key_name)
    return _gate(row), await clock(tx)


async def clock(tx: Tx) -> datetime:
    """The database's time now, not when the transaction began: whoever waited for the lock would come too early."""
    now: datetime = await tx.fetchval("SELECT clock_timestamp()")
    return now


async def save(tx: Tx, key_name: str, gate: Gate) -> None:
    """Writes what `lock` gave, changed."""
    await tx.execute(
        """
        UPDATE provider_gates
        SET counted = $2, closed_until = $3, troubles = $4, troubled_last = $5, broken_until = $6, breaks = $7,
            trial = $8, paused_since = $9, paused_why = $10, credits_needed = $11, check_at = $12, pauses = $13
        WHERE key_name = $1
        """,
        key_name,
        list(gate.counted),
        gate.closed_until,
        gate.troubles,
        gate.troubled_last,
        gate.broken_until,
        gate.breaks,
        gate.trial,
        gate.paused_since,
        gate.paused_why,
        gate.credits_needed,
        gate.check_at,
        gate.pauses,
    )


async def is_paused(tx: Tx, key_name: str) -> bool:
    """Whether nothing is sold at present."""
    found: bool = await tx.fetchval(
        "SELECT count(*) > 0 FROM provider_gates WHERE key_name = $1 AND paused_since IS NOT NULL", key_name
    )
    return found
