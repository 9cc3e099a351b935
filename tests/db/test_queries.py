"""Every query of the program against the real schema: tables, columns, functions and the types of parameters."""

import ast
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from kiosk.db import Database
from tests.rules.test_sql import PROBE, STATEMENT

ROOT = Path(__file__).parents[2]
# Put together from what is known at run time only: the session's limits, the audit's count, which every audit runs, and
# what an earlier bot's database is asked, which is not ours.
AT_RUN_TIME = {"kiosk.db": 1, "kiosk.ledger.audit": 1, "kiosk.legacy.source": 3}
# The first makes the schema, and so runs in every test; the other is a program's entry.
LEFT_OUT = {"migrate.py", "__main__.py"}


@dataclass(frozen=True)
class Query:
    """A statement as it is sent, and where it stands; `text` None when that cannot be told from the source."""

    place: str
    text: str | None


def texts(tree: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """Texts of a tree, put together ones as a whole; what stands alone is a docstring."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield node
        else:
            yield from texts(node)


def beginning(node: ast.Constant | ast.JoinedStr) -> str:
    first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else node
    return str(first.value) if isinstance(first, ast.Constant) else ""


def queries(path: Path) -> Iterator[Query]:
    """The statements of one module; constants of the module are put in where they are named."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    known = vars(importlib.import_module(name))
    for node in texts(ast.parse(path.read_text(encoding="utf-8"))):
        if not STATEMENT.match(beginning(node)) or beginning(node) == PROBE:
            continue
        try:
            text = eval(compile(ast.Expression(node), name, "eval"), dict(known))  # noqa: S307 - our own source
        except NameError:
            text = None
        yield Query(f"{name}:{node.lineno}", text)


def all_queries() -> list[Query]:
    modules = (path for path in sorted((ROOT / "kiosk").rglob("*.py")) if path.name not in LEFT_OUT)
    return [query for path in modules for query in queries(path)]


async def test_every_query_fits_the_schema(database: Database) -> None:
    """PostgreSQL plans each of them: a table, column or type that is not there is found without walking there."""
    checked = [query for query in all_queries() if query.text is not None]
    assert len(checked) > 70
    async with database.reading() as connection:
        for query in checked:
            assert query.text is not None
            try:
                await connection.prepare(query.text)
            except asyncpg.PostgresError as error:
                pytest.fail(f"{query.place}: {error}")


def test_queries_that_cannot_be_read_are_named() -> None:
    """Whoever puts a statement together at run time sees that nobody plans it here."""
    unread = [query.place.partition(":")[0] for query in all_queries() if query.text is None]
    assert {name: unread.count(name) for name in unread} == AT_RUN_TIME
