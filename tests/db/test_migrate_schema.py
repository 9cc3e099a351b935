"""What the shop's own migrations add up to, and what none of them may do."""

import os
import re
from urllib.parse import urlsplit

import pytest

from kiosk.migrate import FOLDER, SCHEMA_FILE, Migration, read_migrations
from kiosk.postgres import PostgresFailed
from kiosk.schema import describe_schema

# `make schema` sets it: then the file is written instead of compared.
REWRITE = "KIOSK_REWRITE_SCHEMA"
HEADER = (
    "-- What the migrations add up to, for reading: never applied. `make schema` writes it, a test compares it.\n\n"
)
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
BODY = re.compile(r"\$(\w*)\$.*?\$\1\$", re.DOTALL)
TRIGGER = re.compile(r"\bCREATE\s+(?:CONSTRAINT\s+)?TRIGGER\b[^;]*;", re.IGNORECASE)
LOSES_DATA = re.compile(r"\bDROP\s+(?:TABLE|COLUMN|SCHEMA|DATABASE)\b|\bTRUNCATE\b|\bDELETE\s+FROM\b", re.IGNORECASE)
ENDS_TRANSACTION = re.compile(
    r"^\s*(?:BEGIN|COMMIT|ROLLBACK|END|START\s+TRANSACTION)\b[^;]*;", re.IGNORECASE | re.MULTILINE
)


def statements(sql: str) -> str:
    """What the migration itself does: without comments, bodies of functions and the events of triggers."""
    return TRIGGER.sub("", BODY.sub("''", COMMENT.sub("", sql)))


async def test_migrations_add_up_to_the_schema_file(dsn: str) -> None:
    """schema.sql says exactly what an empty database becomes; `make schema` writes it."""
    schema = HEADER + await describe_schema(dsn)
    path = FOLDER / SCHEMA_FILE
    if os.environ.get(REWRITE):
        path.write_text(schema)
    assert path.read_text() == schema


async def test_schema_text_is_the_same_twice(dsn: str) -> None:
    """Two dumps of one database are equal, so that a difference means a difference."""
    assert await describe_schema(dsn) == await describe_schema(dsn)


async def test_schema_text_keeps_the_password_to_itself(dsn: str) -> None:
    """A dump that fails says why without the password."""
    password = urlsplit(dsn).password
    assert password
    with pytest.raises(PostgresFailed, match="cannot read the schema") as failure:
        await describe_schema(dsn.replace("kiosk:", "nobody:"))
    assert password not in str(failure.value)


@pytest.mark.parametrize("migration", read_migrations(FOLDER), ids=str)
def test_no_migration_loses_data_or_ends_its_transaction(migration: Migration) -> None:
    """Forward only: nothing is dropped or emptied, and a file stands or falls as a whole."""
    sql = statements(migration.sql)
    assert LOSES_DATA.search(sql) is None
    assert ENDS_TRANSACTION.search(sql) is None


@pytest.mark.parametrize(
    ("sql", "loses"),
    [
        ("ALTER TABLE a DROP COLUMN b;", True),
        ("DROP TABLE IF EXISTS a CASCADE;", True),
        ("delete from a;", True),
        ("truncate a;", True),
        ("-- DROP TABLE a\\n/* TRUNCATE a */ SELECT 1;", False),
        ("CREATE TRIGGER kept BEFORE DELETE OR TRUNCATE ON a EXECUTE FUNCTION forbid();", False),
        ("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $body$ DELETE FROM a $body$;", False),
        ("CREATE TABLE b (a bigint REFERENCES a ON DELETE RESTRICT);", False),
        ("CREATE TRIGGER t AFTER INSERT ON a EXECUTE FUNCTION f(); DROP TABLE a;", True),
    ],
)
def test_rule_knows_what_loses_data(sql: str, loses: bool) -> None:
    """The rule sees statements, and is not alarmed by comments, triggers and bodies that speak of them."""
    assert bool(LOSES_DATA.search(statements(sql))) == loses
