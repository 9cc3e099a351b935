"""No module grows beyond 400 lines and no function beyond 60: what reaches that is split by noun."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULE_LINES = 400
FUNCTION_LINES = 60
SOURCES = sorted(path for package in ("chaos", "kiosk", "sandbox") for path in (ROOT / package).rglob("*.py"))
VAGUE = {"utils", "util", "helpers", "helper", "service", "services", "common", "misc", "manager", "base"}


def too_long(path: Path) -> list[str]:
    """Names of the functions in a file that are longer than they may be, with their lines."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            lines = node.end_lineno - node.lineno + 1
            if lines > FUNCTION_LINES:
                found.append(f"{node.name}: {lines}")
    return found


def test_modules_are_short() -> None:
    """A file can be read at one sitting."""
    long = {str(path.relative_to(ROOT)): lines for path in SOURCES if (lines := line_count(path)) > MODULE_LINES}
    assert long == {}


def line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_functions_are_short() -> None:
    """A function can be seen at once."""
    assert {str(path.relative_to(ROOT)): found for path in SOURCES if (found := too_long(path))} == {}


def test_modules_are_named_for_what_they_do() -> None:
    """A name that fits everything says nothing."""
    assert [str(path.relative_to(ROOT)) for path in SOURCES if {path.stem, path.parent.name} & VAGUE] == []


def test_modules_say_what_they_are() -> None:
    """Every module that holds anything begins with a word about it."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}
    assert [str(path) for path, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


@pytest.mark.parametrize(("length", "found"), [(FUNCTION_LINES, []), (FUNCTION_LINES + 1, ["long: 61"])])
def test_ceiling_of_functions_is_exact(tmp_path: Path, length: int, found: list[str]) -> None:
    """Sixty lines are fine, one more is not."""
    path = tmp_path / "sample.py"
    path.write_text("def long():\n" + "    pass\n" * (length - 1), encoding="utf-8")
    assert too_long(path) == found
