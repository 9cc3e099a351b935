"""Migrations: numbered SQL files, forward only, each applied once and in one transaction."""

import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import asyncpg
import structlog

from kiosk.db import Database, Tx
from kiosk.errors import CannotStart

log = structlog.get_logger()

FOLDER = Path(__file__).parent / "migrations"
SCHEMA_FILE = "schema.sql"  # what they add up to, for reading; never applied
FILE_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")
LOCK_KEY = int.from_bytes(b"kioskmig")
OTHERS_S = 600  # another process may be in a long migration
LOCK_S = 5  # how long a migration waits for a table, while everybody who comes later waits behind it
MIGRATION_S = 600

Begin = Callable[[], AbstractAsyncContextManager[Tx]]


@dataclass(frozen=True, slots=True)
class Migration:
    """One file; the checksum is of its text with plain line ends, since git may have changed those."""

    version: int
    name: str
    sql: str = field(repr=False)
    sha256: str

    def __str__(self) -> str:
        return f"{self.version:04}_{self.name}"


@dataclass(frozen=True, slots=True)
class _Applied:
    version: int
    name: str
    sha256: str


class MigrationError(CannotStart):
    """The migrations do not fit each other or the database, or one failed and left the database as it was before."""


async def migrate(target: str | Tx, folder: Path = FOLDER, *, newer_too: bool = False) -> tuple[Migration, ...]:
    """Applies what is missing, to the database at an address or of a connection; returns what this call applied.

    `newer_too`: a database that a newer program has migrated will do, since migrations only expand.
    Any number of processes may do so at once. Errors: MigrationError, DatabaseUnavailable.
    """
    migrations = read_migrations(folder)
    applied: list[Migration] = []
    async with _transactions(target) as begin:
        while (migration := await _apply_next(begin, migrations, newer_too=newer_too)) is not None:
            log.info("migration.applied", migration=str(migration))
            applied.append(migration)
    return tuple(applied)


async def pending(target: str | Tx, folder: Path = FOLDER, *, newer_too: bool = False) -> tuple[Migration, ...]:
    """What `migrate` would apply; changes nothing. Errors: MigrationError, DatabaseUnavailable."""
    migrations = read_migrations(folder)
    async with _transactions(target) as begin, begin() as tx:
        return _missing(migrations, await _read_applied(tx), newer_too=newer_too)


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Reads `NNNN_name.sql`, numbered from 0001 without a gap. Errors: MigrationError."""
    paths = sorted(path for path in folder.glob("*.sql") if path.name != SCHEMA_FILE)
    migrations = tuple(_read(path) for path in paths)
    if not migrations:
        raise MigrationError(f"{folder} holds no migrations")
    for expected, migration in enumerate(migrations, start=1):
        if migration.version < expected:
            raise MigrationError(f"two migrations have one number: {migrations[expected - 2]} and {migration}")
        if migration.version > expected:
            raise MigrationError(f"migration {expected:04} is missing before {migration}")
    return migrations


def _read(path: Path) -> Migration:
    named = FILE_NAME.fullmatch(path.name)
    if named is None:
        raise MigrationError(f"{path.name}: a migration is named NNNN_what_it_does.sql")
    sql = path.read_text(encoding="utf-8")
    return Migration(int(named[1]), named[2], sql, hashlib.sha256(sql.encode()).hexdigest())


@contextlib.asynccontextmanager
async def _transactions(target: str | Tx) -> AsyncIterator[Begin]:
    """How to begin a transaction there. An address may be a pooler's: nothing here needs a session of its own."""
    if not isinstance(target, str):
        yield lambda: _transaction(target)
        return
    async with await Database.connect(
        target, max_size=1, application_name="kiosk-migrate", behind_pooler=True
    ) as database:
        yield database.transaction


@contextlib.asynccontextmanager
async def _transaction(connection: Tx) -> AsyncIterator[Tx]:
    async with connection.transaction():
        yield connection


async def _apply_next(begin: Begin, migrations: Sequence[Migration], *, newer_too: bool) -> Migration | None:
    """One per transaction: each finds out under the lock what others have applied meanwhile."""
    async with begin() as tx:
        await _lock_out_others(tx)
        missing = _missing(migrations, await _read_applied(tx), newer_too=newer_too)
        if not missing:
            return None
        migration = missing[0]
        try:
            await tx.execute(migration.sql, timeout=MIGRATION_S)
        except asyncpg.LockNotAvailableError as error:
            raise MigrationError(f"{migration}: a table was in use for {LOCK_S} s; try again later") from error
        except asyncpg.PostgresError as error:
            raise MigrationError(f"{migration}: {error}") from error
        await _record(tx, migration)
    return migration


async def _lock_out_others(tx: Tx) -> None:
    await tx.execute(f"SET LOCAL statement_timeout = '{MIGRATION_S}s'; SET LOCAL lock_timeout = '{OTHERS_S}s'")
    try:
        await tx.execute("SELECT pg_advisory_xact_lock($1)", LOCK_KEY, timeout=OTHERS_S + LOCK_S)
    except (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError) as error:
        raise MigrationError(f"another process has been migrating for {OTHERS_S} s") from error
    await tx.execute(f"SET LOCAL lock_timeout = '{LOCK_S}s'")


async def _read_applied(tx: Tx) -> tuple[_Applied, ...]:
    if await tx.fetchval("SELECT to_regclass('schema_migrations')") is None:
        return ()
    rows = await tx.fetch("SELECT version, name, sha256 FROM schema_migrations ORDER BY version")
    return tuple(_Applied(**dict(row)) for row in rows)


async def _record(tx: Tx, migration: Migration) -> None:
    await tx.execute(
        """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version    integer PRIMARY KEY,
            name       text NOT NULL,
            sha256     text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """
    )
    await tx.execute(
        "INSERT INTO schema_migrations (version, name, sha256) VALUES ($1, $2, $3)",
        migration.version,
        migration.name,
        migration.sha256,
    )


async def born_at(db: Database) -> str:
    """When this database became the shop's, to the microsecond: no other shop has the same, and a copy of it has."""
    async with db.reading() as tx:
        born: datetime = await tx.fetchval("SELECT min(applied_at) FROM schema_migrations")
    return born.isoformat()


def _missing(migrations: Sequence[Migration], applied: Sequence[_Applied], *, newer_too: bool) -> tuple[Migration, ...]:
    for expected, (row, migration) in enumerate(zip(applied, migrations, strict=False), start=1):
        if row.version != expected:
            raise MigrationError(f"the database has {row.version:04}_{row.name} but not {migration}")
        if row.sha256 != migration.sha256:
            raise MigrationError(f"{migration} was changed after it was applied: undo that, and add a new migration")
    if len(applied) > len(migrations) and not newer_too:
        newest = applied[-1]
        raise MigrationError(
            f"the database is newer than this program: it has {newest.version:04}_{newest.name}, "
            f"the program ends with {migrations[-1]}; update the program, or allow this with ALLOW_NEWER_SCHEMA=true"
        )
    return tuple(migrations[len(applied) :])
