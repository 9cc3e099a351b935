"""SQL stands where it is looked for: in each package's store, and in the few modules that are about the database."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
KIOSK = ROOT / "kiosk"
STATEMENT = re.compile(
    r"\s*(SELECT\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|WITH\s+\w+\s+AS\b|CREATE\s|ALTER\s|DROP\s"
    r"|TRUNCATE\s|SET\s+(LOCAL\s|\w+\s*=)|LOCK\s+TABLE\s|(UN)?LISTEN\s|NOTIFY\s|BEGIN\b|COMMIT\b|COPY\s)"
)
PROBE = "SELECT 1"  # asks for nothing
ALLOWED = {
    **{
        f"{package}/store.py": "its package's SQL"
        for package in (
            "customers",
            "delivery",
            "doctor",
            "generations",
            "leadership",
            "ledger",
            "legacy",
            "operators",
            "payments",
        )
    },
    "generations/drafts.py": "the drafts, which are generations that nobody has paid for yet",
    "generations/gates.py": "the gates before the provider: a table of their own",
    "generations/late_looks.py": "looks after the end, which no other statement knows",
    "generations/line.py": "the line before them, which is an order of its own",
    "generations/results.py": "finished orders together with what was delivered, for what goes on from them",
    "generations/tasks.py": "the provider's tasks and the orphans: tables of their own",
    "generations/strays.py": "what was forgotten, over the bounds of tables",
    "legacy/source.py": "another database: the earlier bot's",
    "media/store.py": "its package's SQL",
    "operators/lately.py": "what the last hours came to, over the orders' tables",
    "generations/report.py": "one customer's books for an operator",
    "ledger/audit.py": "every invariant is a query",
    "operators/figures.py": "what every table says of the whole shop",
    "queue/jobs.py": "the engine's tables",
    "queue/turns.py": "a table of its own",
    "backup.py": "whether a database is empty",
    "db.py": "sessions and their limits",
    "migrate.py": "the record of migrations",
    "schema.py": "cuts the text of pg_dump, and runs none of it",
}


def statements(path: Path) -> Iterator[str]:
    """Texts of a module that are SQL; docstrings are not."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            text = node.value
            if STATEMENT.match(text) and text != PROBE:
                yield text


def modules_with_sql() -> set[str]:
    return {str(path.relative_to(KIOSK)) for path in KIOSK.rglob("*.py") if any(statements(path))}


def test_sql_lives_in_stores() -> None:
    """Who reads or changes a table is found in one place per package, and each exception has its reason."""
    assert modules_with_sql() - ALLOWED.keys() == set()


def test_each_exception_is_used() -> None:
    """A module that lost its SQL loses its exception too."""
    assert ALLOWED.keys() - modules_with_sql() == set()


def test_prose_is_no_sql(tmp_path: Path) -> None:
    """Docstrings and messages that begin with such a word are let alone; statements are found."""
    path = tmp_path / "sample.py"
    path.write_text('"""SELECT a of b."""\nA = "UPDATE it soon"\nB = "SELECT a FROM b"\nC = f"UPDATE t SET x = {A}"\n')
    assert list(statements(path)) == ["SELECT a FROM b", "UPDATE t SET x = "]
