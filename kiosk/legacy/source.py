"""The earlier database: read as it is, whichever of its tables and columns there are. Nothing is written to it."""

import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import asyncpg

from kiosk.db import Tx
from kiosk.errors import CannotStart
from kiosk.legacy.read import Row, Table, a_row
from kiosk.log import Redactor

CONNECT_S: Final = 15
CLOSE_S: Final = 5
AT_ONCE: Final = 500  # rows of one table that are fetched together
MOST_OF_NOBODY: Final = 1000  # rows of one owner who is no customer, given at once
OF_OUR_OWN: Final = ("schema_migrations", "transfers", "generations")
KEYS: Final = {
    Table.USERS: ("id", "user_id"),
    Table.WALLETS: ("user_id",),
    Table.PAYMENTS: ("payment_id", "id"),
    Table.GENERATION_JOBS: ("job_id", "id"),
    Table.JOBS: ("id",),
    Table.LEDGER: ("id",),
    Table.REFERRALS: ("user_id",),
    Table.ORPHANS: ("task_id",),
}
AMOUNTS: Final = {Table.USERS: ("balance",), Table.WALLETS: ("balance_rub", "hold_rub")}
EXACT_TYPES: Final = frozenset({"numeric", "int2", "int4", "int8"})


@dataclass(frozen=True, slots=True)
class Column:
    """`exact`: a number of which PostgreSQL makes exact sums; `filled`: by itself, when nobody gives a value."""

    exact: bool
    filled: bool


@contextlib.contextmanager
def telling(redactor: Redactor) -> Iterator[None]:
    """What goes wrong over there ends the command with one line, and no line tells the address."""
    try:
        yield
    except (asyncpg.ClientConfigurationError, ValueError):
        raise CannotStart(
            "the earlier database's address must look like postgresql://user:password@host/name"
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
        said = redactor.text(str(error) or type(error).__name__)
        raise CannotStart(f"the earlier database cannot be read: {said}") from None


@dataclass(frozen=True, slots=True)
class Source:
    """One snapshot of the earlier database. `by_id`: tables whose user_id means users.id, where that is another."""

    connection: Tx
    tables: Mapping[Table, Mapping[str, Column]]
    by_id: frozenset[Table]
    redactor: Redactor

    async def counts(self) -> dict[Table, int]:
        """Rows of each table that there is."""
        found: dict[Table, int] = {}
        for table in self.tables:
            with telling(self.redactor):
                found[table] = await self.connection.fetchval(f"SELECT count(*) FROM {table}")  # noqa: S608 - of the enum
        return found

    async def sums(self) -> dict[str, Decimal]:
        """What PostgreSQL itself adds the amounts up to, in rubles, where they are exact numbers."""
        found: dict[str, Decimal] = {}
        for table, names in AMOUNTS.items():
            for name in names:
                column = self.tables.get(table, {}).get(name)
                if column and column.exact:
                    with telling(self.redactor):
                        total = await self.connection.fetchval(f"SELECT sum({name}) FROM {table}")  # noqa: S608 - names of ours
                    found[f"{table}.{name}"] = Decimal(total or 0)
        return found

    async def owners(self, tables: Sequence[Table]) -> AsyncIterator[tuple[Row, ...]]:
        """All rows of one owner after the other; those of somebody who is no customer may come in several parts."""
        streams = [_Stream(table, self._rows(table)) for table in tables if table in self.tables]
        for stream in streams:
            await self._advance(stream)
        while waiting := [stream.head.owner for stream in streams if stream.head]:
            owner, rows = min(waiting), list[Row]()
            for stream in streams:
                while stream.head and stream.head.owner == owner:
                    rows.append(stream.head)
                    await self._advance(stream)
                    if len(rows) >= MOST_OF_NOBODY and rows[0].table not in AMOUNTS:
                        yield tuple(rows)
                        rows = []
            if rows:
                yield tuple(rows)

    async def _advance(self, stream: "_Stream") -> None:
        with telling(self.redactor):
            await stream.advance()

    async def _rows(self, table: Table) -> AsyncIterator[tuple[str, str, str]]:
        key = next((f"t.{name}::text" for name in KEYS[table] if name in self.tables[table]), "NULL")
        statement = f"""
            SELECT coalesce(btrim({self._owner(table)}), '') COLLATE "C" AS owner,
                   coalesce({key}, '') COLLATE "C" AS key, to_json(t)::text AS content
            FROM {table} t ORDER BY 1, 2, 3
        """  # noqa: S608 - names of ours
        async for record in self.connection.cursor(statement, prefetch=AT_ONCE):
            yield record["owner"], record["key"], record["content"]

    def _owner(self, table: Table) -> str:
        columns = self.tables[table]
        if table is Table.ORPHANS:
            return "t.task_id::text" if "task_id" in columns else "NULL"
        if table in self.by_id:
            return "(SELECT u.user_id::text FROM users u WHERE u.id = t.user_id)"
        if table is Table.USERS and "user_id" in columns and "id" in columns and not columns["id"].filled:
            return "coalesce(t.user_id::text, t.id::text)"
        names = ("user_id", "id") if table is Table.USERS else ("user_id",)
        return next((f"t.{name}::text" for name in names if name in columns), "NULL")


@dataclass(slots=True)
class _Stream:
    """The rows of one table, with the next one at hand; what has no key of its own is numbered."""

    table: Table
    rows: AsyncIterator[tuple[str, str, str]]
    head: Row | None = None
    last: tuple[str, str] | None = field(default=None)
    times: int = 0

    async def advance(self) -> None:
        read = await anext(self.rows, None)
        if read is None:
            self.head = None
            return
        owner, key, content = read
        self.times = self.times + 1 if (owner, key) == self.last else 1
        self.last = (owner, key)
        self.head = a_row(self.table, owner, key if self.times == 1 else f"{key}#{self.times}", content)


@contextlib.asynccontextmanager
async def open_source(address: str, redactor: Redactor) -> AsyncIterator[Source]:
    """One snapshot for as long as it takes. Errors: CannotStart, which never tells the address."""
    with telling(redactor):
        connection: Tx = await asyncpg.connect(address, timeout=CONNECT_S, statement_cache_size=0)
    try:
        with telling(redactor):
            snapshot = connection.transaction(isolation="repeatable_read", readonly=True)
            await snapshot.start()
            # Of this transaction alone: a pooler before the database refuses a session with settings.
            await connection.execute(
                """
                SELECT set_config('timezone', 'UTC', true), set_config('statement_timeout', '0', true),
                       set_config('lock_timeout', '0', true),
                       set_config('idle_in_transaction_session_timeout', '0', true)
                """
            )
            tables = await _tables(connection)
            by_id = await _tables_by_id(connection, tables)
        yield Source(connection, tables, by_id, redactor)
    finally:
        with contextlib.suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await connection.close(timeout=CLOSE_S)


async def _tables(connection: Tx) -> dict[Table, dict[str, Column]]:
    """Errors: CannotStart when these are not the tables of an earlier bot."""
    rows = await connection.fetch(
        """
        SELECT wanted.name AS relation, a.attname, t.typname, a.atthasdef OR a.attidentity <> '' AS filled
        FROM unnest($1::text[]) AS wanted (name)
        JOIN pg_attribute a ON a.attrelid = to_regclass(wanted.name) AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type t ON t.oid = a.atttypid
        """,
        [*Table, *OF_OUR_OWN],
    )
    found: dict[str, dict[str, Column]] = {}
    for row in rows:
        column = Column(exact=row["typname"] in EXACT_TYPES, filled=row["filled"])
        found.setdefault(row["relation"], {})[row["attname"]] = column
    if found.keys() >= set(OF_OUR_OWN):
        raise CannotStart("that is the database of a Kiosk, not of an earlier bot")
    if not found.keys() & {Table.USERS, Table.WALLETS}:
        raise CannotStart("that database has neither a table users nor a table wallets: it is not an earlier bot's")
    return {table: found[table] for table in Table if table in found}


async def _tables_by_id(connection: Tx, tables: Mapping[Table, Mapping[str, Column]]) -> frozenset[Table]:
    """Those whose foreign key says that user_id means users.id, although users has a number of Telegram beside it."""
    if not {"id", "user_id"} <= tables.get(Table.USERS, {}).keys():
        return frozenset()
    rows = await connection.fetch(
        """
        SELECT wanted.name AS relation
        FROM unnest($1::text[]) AS wanted (name)
        JOIN pg_constraint c ON c.contype = 'f' AND c.conrelid = to_regclass(wanted.name)
                            AND c.confrelid = to_regclass('users') AND cardinality(c.conkey) = 1
        JOIN pg_attribute own ON own.attrelid = c.conrelid AND own.attnum = c.conkey[1]
        JOIN pg_attribute theirs ON theirs.attrelid = c.confrelid AND theirs.attnum = c.confkey[1]
        WHERE own.attname = 'user_id' AND theirs.attname = 'id'
        """,
        [table for table in tables if table is not Table.USERS],
    )
    return frozenset(Table(row["relation"]) for row in rows)
