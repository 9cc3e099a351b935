"""docs/events.md lists every event that the program can log, with its level and its keys, and no other."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_args

from kiosk.kie.outcome import CreateOutcome

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "events.md"
ROW = re.compile(r"\| `(?P<event>[^`]+)` \| (?P<level>[^|]+) \| (?P<keys>[^|]+) \| (?P<meaning>[^|]+) \|")
DOTTED = re.compile(r"[a-z_]+\.[a-z_]+")
LEVEL_OF = {"exception": "error"}
METHODS = {"debug", "info", "warning", "error", "critical", "exception", "log"}
# What `**` brings along, and the levels that are chosen at run time.
SPREAD = {"kie.create": {field.name for outcome in get_args(CreateOutcome) for field in fields(outcome)}}
CHOSEN = {"kie.create": {"info", "warning", "error"}}


@dataclass(frozen=True)
class Call:
    """One place that logs; `event` is None where it is not a plain text."""

    place: str
    method: str
    event: str | None
    keys: frozenset[str]
    spreads: bool


def calls() -> Iterator[Call]:
    for path in sorted((ROOT / "kiosk").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (method := logging_method(node.func)):
                named = node.args[1 if method == "log" else 0]
                event = named.value if isinstance(named, ast.Constant) and isinstance(named.value, str) else None
                keys = frozenset(keyword.arg for keyword in node.keywords if keyword.arg)
                spreads = any(keyword.arg is None for keyword in node.keywords)
                yield Call(f"{path.relative_to(ROOT)}:{node.lineno}", method, event, keys, spreads)


def logging_method(function: ast.expr) -> str | None:
    """`log.info` and its like; every logger here is called `log`."""
    match function:
        case ast.Attribute(value=ast.Name(id="log"), attr=method) if method in METHODS:
            return method
        case _:
            return None


def documented() -> dict[str, tuple[set[str], set[str]]]:
    """Levels and keys by event."""
    rows = (ROW.fullmatch(line) for line in PAGE.read_text(encoding="utf-8").splitlines())
    return {row["event"]: (words(row["level"]), words(row["keys"])) for row in rows if row}


def words(cell: str) -> set[str]:
    return {word.strip() for word in cell.split(",")} - {"–"}


def test_events_are_static_and_dotted() -> None:
    """An event's name is a plain text of two parts, so that it can be searched for, counted and alarmed on."""
    odd = [call.place for call in calls() if call.event is None or not DOTTED.fullmatch(call.event)]
    assert odd == []


def test_every_event_is_documented_and_nothing_else() -> None:
    """What can be logged, and what the page lists, are the same."""
    assert documented().keys() == {call.event for call in calls()}


def test_levels_are_those_of_the_code() -> None:
    """An alarm is made from the level that the page tells."""
    used: defaultdict[str | None, set[str]] = defaultdict(set)
    for call in calls():
        used[call.event] |= (
            CHOSEN[str(call.event)] if call.method == "log" else {LEVEL_OF.get(call.method, call.method)}
        )
    assert {event: levels for event, (levels, _) in documented().items()} == dict(used)


def test_keys_are_those_of_the_code() -> None:
    """Whoever filters by a key finds it under this name."""
    used: defaultdict[str | None, set[str]] = defaultdict(set)
    for call in calls():
        used[call.event] |= call.keys | (SPREAD[str(call.event)] if call.spreads else set())
    assert {event: keys for event, (_, keys) in documented().items()} == dict(used)


def test_each_event_is_explained_once_and_in_order() -> None:
    """The page is read by eye: sorted, one row each, and a sentence that says what it means."""
    rows = [row for line in PAGE.read_text(encoding="utf-8").splitlines() if (row := ROW.fullmatch(line))]
    assert [row["event"] for row in rows] == sorted({row["event"] for row in rows})
    assert [row["event"] for row in rows if not re.fullmatch(r"[A-Z].{10,}[.]", row["meaning"].strip())] == []


def test_every_logger_is_found() -> None:
    """A logger under another name would escape this page."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "kiosk").rglob("*.py")}
    makers = {path for path, source in sources.items() if re.search(r"get_logger\(|getLogger\(", source)}
    called_log = {
        path
        for path, source in sources.items()
        if re.search(r"^log = structlog\.get_logger\(\)$", source, re.MULTILINE)
    }
    # They set logging up for all.
    assert makers - called_log == {ROOT / "kiosk" / "log.py", ROOT / "kiosk" / "bugs.py"}
