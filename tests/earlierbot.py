"""An earlier bot's database, and imports of it into a shop."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.db import Database
from kiosk.generations.deadlines import Patience
from kiosk.ledger.audit import audit
from kiosk.legacy import store
from kiosk.legacy.bring import Import
from kiosk.legacy.holdings import Outcome
from kiosk.legacy.plan import Terms
from kiosk.legacy.source import open_source
from kiosk.legacy.tally import Tally
from kiosk.log import Redactor
from tests.conftest import administer, fresh_database
from tests.shopkeeping import BOT

SHAPES = Path(__file__).parent / "data" / "legacy"
FIRST, SECOND = "first.sql", "second.sql"
TABLES = ("customers", "accounts", "transfers", "payments", "generations", "tasks", "deliveries", "imported_rows",
          "imported_customers", "bots")  # fmt: skip


@contextlib.asynccontextmanager
async def an_earlier_bot(server: str, *shapes: str) -> AsyncIterator[str]:
    """The address of its database, made of these files one after the other."""
    async with fresh_database(server, "template0") as address:
        await administer(address, *((SHAPES / shape).read_text(encoding="utf-8") for shape in shapes))
        yield address


@dataclass
class Imported:
    """What one run came to; `seen` are all rows with whether they were new."""

    tally: Tally
    problems: list[str]
    seen: list[tuple[Outcome, bool]] = field(default_factory=list)

    def why(self, table: str, key: str) -> str | None:
        """Why a row was not taken, or what is to be known of it; "taken" when there is nothing."""
        (outcome,) = (one for one, _ in self.seen if (one.row.table, one.row.key) == (table, key))
        return outcome.why.value if outcome.why else "taken"


async def imported(db: Database, address: str, *, write: bool = True, **terms: Any) -> Imported:
    """One run of the import, as the command does it."""
    async with db.reading() as tx:
        now = await store.now(tx)
    patience = Patience(600, dict.fromkeys(Output, 600.0))
    seen: list[tuple[Outcome, bool]] = []
    async with open_source(address, Redactor((address,))) as source:
        work = Import(
            db,
            source,
            Terms(**{"bot_id": BOT, "now": now, "shelf": default_shelf(), "patience": patience, **terms}),
            write=write,
            tell=lambda outcome, fresh: seen.append((outcome, fresh)),
        )
        return Imported(work.tally, await work.run(), seen)


async def rows_of(address: str) -> dict[str, int]:
    """How many rows each table of the earlier database has."""
    connection = await asyncpg.connect(address)
    try:
        names = await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 2200")
        found = {
            name["relname"]: await connection.fetchval(f"SELECT count(*) FROM {name['relname']}") for name in names
        }
    finally:
        await connection.close()
    return {name: count for name, count in found.items() if count}


async def wallets(db: Database) -> dict[int, tuple[str, str]]:
    """Rubles in balance and on hold, by the number in Telegram."""
    async with db.reading() as tx:
        rows = await tx.fetch("SELECT user_id, balance_rub, hold_rub FROM wallets")
    return {row["user_id"]: (str(row["balance_rub"]), str(row["hold_rub"])) for row in rows}


async def books(db: Database) -> dict[str, list[dict[str, Any]]]:
    """Everything that an import writes, but for what chance or the clock decides."""
    left_out = "callback_token", "next_at", "deadline_at", "imported_at", "id", "touched_at"
    found = {}
    async with db.reading() as tx:
        for table in TABLES:
            rows = [dict(row) for row in await tx.fetch(f"SELECT * FROM {table} ORDER BY 1, 2")]
            found[table] = [{key: value for key, value in row.items() if key not in left_out} for row in rows]
    return found


async def broken_invariants(db: Database) -> list[str]:
    async with db.reading() as tx:
        return [f"{one.invariant.name}: {one.examples}" for one in await audit(tx) if one.broken]


async def is_empty(db: Database) -> bool:
    """Nothing of any import is there."""
    async with db.reading() as tx:
        counts = [await tx.fetchval(f"SELECT count(*) FROM {name}") for name in TABLES if name != "accounts"]
    return not any(counts)


async def story(db: Database) -> dict[str, list[tuple[Any, ...]]]:
    """What an import left, in words that do not depend on how many numbers were used up on the way."""
    queries = {
        "customers": "SELECT telegram_id, first_name, username, language FROM customers ORDER BY 1",
        "money": """
            SELECT c.telegram_id, a.kind, t.kind AS did, t.amount_kopecks, coalesce(t.debit_seq, t.credit_seq), t.note,
                   CASE WHEN t.kind <> 'adjust' THEN t.created_at END
            FROM transfers t JOIN accounts a ON a.id IN (t.debit_id, t.credit_id)
                             JOIN customers c ON c.id = a.customer_id
            ORDER BY 1, 2, t.id
        """,
        "orders": """
            SELECT c.telegram_id, g.state, g.model_id, g.inputs::text, g.chat_id, g.price_kopecks, g.task_id,
                   g.created_at, g.settled_at, g.delivered_at,
                   (SELECT string_agg(part || d.state || source, ',' ORDER BY d.id) FROM deliveries d
                    WHERE d.generation_id = g.id)
            FROM generations g JOIN customers c ON c.id = g.customer_id ORDER BY 1, g.created_at, g.id
        """,
        "payments": "SELECT method, reference, amount_kopecks, created_at FROM payments ORDER BY 2",
        "tasks": "SELECT task_id, credits FROM tasks ORDER BY 1",
        "rows": """
            SELECT source_table, owner, source_key, became_id IS NULL, why, told_kopecks, brought_kopecks, content
            FROM imported_rows ORDER BY 1, 2, 3
        """,
        "imported": """
            SELECT c.telegram_id, available_kopecks, held_kopecks, before_seq, last_seq
            FROM imported_customers JOIN customers c ON c.id = customer_id ORDER BY 1
        """,
    }
    async with db.reading() as tx:
        return {name: [tuple(row) for row in await tx.fetch(query)] for name, query in queries.items()}
