"""Migrations: applied once, in order, by however many processes; refused when they do not fit."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import asyncpg
import pytest

from kiosk.db import DatabaseUnavailable
from kiosk.migrate import MigrationError, migrate, pending, read_migrations

FIRST = {"0001_shelf.sql": "CREATE TABLE shelf (id integer PRIMARY KEY); INSERT INTO shelf VALUES (1);"}
BOTH = {**FIRST, "0002_price.sql": "ALTER TABLE shelf ADD COLUMN price integer NOT NULL DEFAULT 7;"}


def folder_of(path: Path, files: Mapping[str, str]) -> Path:
    """Writes the files into the folder."""
    for name, sql in files.items():
        (path / name).write_text(sql)
    return path


async def fetchval(dsn: str, sql: str) -> object:
    """One value over a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_empty_database_gets_all_in_order(empty_dsn: str, tmp_path: Path) -> None:
    """Every file is applied once, in the order of the numbers, and recorded."""
    folder = folder_of(tmp_path, BOTH)
    assert [str(each) for each in await migrate(empty_dsn, folder)] == ["0001_shelf", "0002_price"]
    assert await fetchval(empty_dsn, "SELECT price FROM shelf") == 7
    assert await fetchval(
        empty_dsn, "SELECT array_agg(version ORDER BY applied_at, version) FROM schema_migrations"
    ) == [1, 2]


async def test_second_start_changes_nothing(empty_dsn: str, tmp_path: Path) -> None:
    """A second run applies nothing and keeps the data."""
    folder = folder_of(tmp_path, BOTH)
    await migrate(empty_dsn, folder)
    assert await migrate(empty_dsn, folder) == ()
    assert await fetchval(empty_dsn, "SELECT count(*) FROM shelf") == 1


async def test_new_file_is_applied_alone(empty_dsn: str, tmp_path: Path) -> None:
    """An existing database gets only what it lacks, and `pending` says what that is without doing it."""
    await migrate(empty_dsn, folder_of(tmp_path, FIRST))
    folder = folder_of(tmp_path, BOTH)
    assert [str(each) for each in await pending(empty_dsn, folder)] == ["0002_price"]
    assert [str(each) for each in await migrate(empty_dsn, folder)] == ["0002_price"]
    assert await pending(empty_dsn, folder) == ()


async def test_pending_leaves_an_empty_database_empty(empty_dsn: str, tmp_path: Path) -> None:
    """Asking what is missing creates nothing, not even the record."""
    assert len(await pending(empty_dsn, folder_of(tmp_path, BOTH))) == 2
    assert await fetchval(empty_dsn, "SELECT to_regclass('schema_migrations')") is None


async def test_starters_at_once_apply_each_file_once(empty_dsn: str, tmp_path: Path) -> None:
    """Eight starters share the work: nobody fails and no file is applied twice."""
    folder = folder_of(tmp_path, BOTH)
    applied = await asyncio.gather(*(migrate(empty_dsn, folder) for _ in range(8)))
    assert sorted(str(each) for some in applied for each in some) == ["0001_shelf", "0002_price"]


async def test_given_connection_is_used_and_left_open(empty_dsn: str, tmp_path: Path) -> None:
    """A connection may be given instead of an address."""
    connection = await asyncpg.connect(empty_dsn)
    try:
        assert len(await migrate(connection, folder_of(tmp_path, FIRST))) == 1
        assert await connection.fetchval("SELECT id FROM shelf") == 1
    finally:
        await connection.close()


async def test_failed_file_leaves_no_trace(empty_dsn: str, tmp_path: Path) -> None:
    """A file that fails half way is undone as a whole; those before it stay."""
    folder = folder_of(tmp_path, {**FIRST, "0002_bad.sql": "CREATE TABLE half (); SELECT 1 / 0;"})
    with pytest.raises(MigrationError, match="0002_bad: division by zero"):
        await migrate(empty_dsn, folder)
    assert await fetchval(empty_dsn, "SELECT to_regclass('half')") is None
    assert await fetchval(empty_dsn, "SELECT max(version) FROM schema_migrations") == 1


async def test_table_in_use_is_not_waited_for_long(
    empty_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A migration gives up rather than make everybody else wait behind it for a lock."""
    monkeypatch.setattr("kiosk.migrate.LOCK_S", 0.05)
    await migrate(empty_dsn, folder_of(tmp_path, FIRST))
    reader = await asyncpg.connect(empty_dsn)
    try:
        async with reader.transaction():
            await reader.execute("SELECT * FROM shelf")
            with pytest.raises(MigrationError, match="0002_price: a table was in use"):
                await migrate(empty_dsn, folder_of(tmp_path, BOTH))
    finally:
        await reader.close()
    assert [str(each) for each in await migrate(empty_dsn, folder_of(tmp_path, BOTH))] == ["0002_price"]


async def test_applied_file_that_changed_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    """History is not rewritten: a changed file is named, and nothing later is applied."""
    await migrate(empty_dsn, folder_of(tmp_path, FIRST))
    folder = folder_of(tmp_path, {**BOTH, "0001_shelf.sql": "CREATE TABLE other ();"})
    with pytest.raises(MigrationError, match="0001_shelf was changed after it was applied"):
        await migrate(empty_dsn, folder)
    assert await fetchval(empty_dsn, "SELECT count(*) FROM schema_migrations") == 1


async def test_line_ends_are_not_a_change(empty_dsn: str, tmp_path: Path) -> None:
    """A checkout that turned the line ends is the same history."""
    (tmp_path / "0001_shelf.sql").write_bytes(b"CREATE TABLE shelf (\n);\n")
    await migrate(empty_dsn, tmp_path)
    (tmp_path / "0001_shelf.sql").write_bytes(b"CREATE TABLE shelf (\r\n);\r\n")
    assert await migrate(empty_dsn, tmp_path) == ()


async def test_newer_database_is_refused(empty_dsn: str, tmp_path: Path) -> None:
    """An older program does not touch a database that a newer one has migrated."""
    await migrate(empty_dsn, folder_of(tmp_path, BOTH))
    (tmp_path / "0002_price.sql").unlink()
    with pytest.raises(MigrationError, match="newer than this program: it has 0002_price"):
        await migrate(empty_dsn, tmp_path)


async def test_newer_database_will_do_for_whoever_goes_back(empty_dsn: str, tmp_path: Path) -> None:
    """Told so, an older program starts on it and changes nothing; what it knows must be as it knows it."""
    await migrate(empty_dsn, folder_of(tmp_path, BOTH))
    (tmp_path / "0002_price.sql").unlink()
    assert await migrate(empty_dsn, tmp_path, newer_too=True) == ()
    first = next(iter(BOTH))
    (tmp_path / first).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match="was changed after it was applied"):
        await migrate(empty_dsn, tmp_path, newer_too=True)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ((), "holds no migrations"),
        (("0001_a.sql", "0003_c.sql"), "migration 0002 is missing before 0003_c"),
        (("0001_a.sql", "0002_b.sql", "0002_c.sql"), "two migrations have one number: 0002_b and 0002_c"),
        (("0002_b.sql",), "migration 0001 is missing before 0002_b"),
        (("0001_a.sql", "later.sql"), "later.sql: a migration is named"),
        (("1_a.sql",), "1_a.sql: a migration is named"),
    ],
)
def test_files_that_do_not_fit_each_other_are_refused(tmp_path: Path, files: tuple[str, ...], problem: str) -> None:
    """A gap, a double number or a stray name stops everything before the database is asked."""
    with pytest.raises(MigrationError, match=problem) as refusal:
        read_migrations(folder_of(tmp_path, dict.fromkeys(files, "SELECT 1;")))
    assert "\n" not in str(refusal.value)


async def test_unreachable_database_is_told_as_such(tmp_path: Path) -> None:
    """No server is not a broken migration."""
    with pytest.raises(DatabaseUnavailable):
        await migrate("postgresql://nobody:secret@127.0.0.1:1/none", folder_of(tmp_path, FIRST))
