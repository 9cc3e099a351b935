"""The page of promises names tests, constraints and files that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
DEMANDED = {
    *(f"J-{n:02}" for n in (1, 2, *range(4, 11), 12, 13, *range(15, 19), *range(21, 28))),
    *(f"P-{n:02}" for n in (*range(1, 7), *range(8, 17), 18, 19, *range(21, 28))),
    *(f"D-{n:02}" for n in (*range(1, 6), *range(7, 15))),
    *(f"L-{n:02}" for n in (*range(1, 6), *range(8, 14), *range(15, 21))),
    *(f"B-{n:02}" for n in (1, 2, 3, *range(5, 10), *range(11, 17))),
    *(f"W-{n:02}" for n in (*range(1, 5), *range(6, 16), *range(17, 20))),
    *(f"I-{n:02}" for n in (*range(1, 4), *range(5, 11), *range(12, 16))),
    *(f"U-{n:02}" for n in (*range(2, 5), 6, *range(8, 14))),
    *(f"S-{n:02}" for n in (*range(1, 5), *range(6, 9))),
}


def test_named_tests_exist() -> None:
    """Every test that the page leans on is there to be run."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    written = set(re.findall(r"def (test_\w+)\(", sources))
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert named - written == set()


def test_named_files_exist() -> None:
    """Every file that the page leans on is there to be read."""
    named = re.findall(r"`(tests/[\w/]+\.py)`", PAGE)
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_named_constraints_exist() -> None:
    """Every constraint of the table of promises is in the migrations."""
    schema = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "kiosk" / "migrations").glob("0*.sql"))
    named = set(re.findall(r"`((?:generations|transfers|accounts|deliveries)_\w+)`", PAGE))
    assert [name for name in named if name not in schema] == []


def test_no_earlier_failure_is_left_out() -> None:
    """Each failure that this part of the program answers for has its row."""
    assert DEMANDED - set(re.findall(r"^\| ([A-Z]-\d\d) \|", PAGE, re.MULTILINE)) == set()
