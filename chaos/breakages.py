"""Deliberately broken copies of the shop, to show that the verdict notices; the shop itself keeps nothing of them."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

ROOT = Path(__file__).resolve().parent.parent


class NothingToBreak(Exception):  # noqa: N818 - it states a fact
    """The shop's source no longer holds what this breakage changes; the message names it."""


@dataclass(frozen=True, slots=True)
class Change:
    """In this file of the package, this text (it stands there once) becomes that one."""

    file: str
    old: str
    new: str


# What forbids that money is taken twice, whatever the code does.
UNGUARDED_BOOKS: Final = (
    Change(
        "migrations/0002_ledger.sql",
        "CREATE UNIQUE INDEX transfers_resolved_once ON transfers (generation_id) "
        "WHERE kind IN ('capture', 'release');",
        "",
    ),
    Change("migrations/0002_ledger.sql", "CONSTRAINT accounts_not_overdrawn CHECK (balance >= 0),", ""),
)
BREAKAGES: Final[Mapping[str, tuple[Change, ...]]] = MappingProxyType(
    {
        # The result is sent as a message of its own instead of being put into the order's message.
        "plain-send": (
            Change(
                "delivery/send.py",
                "shown = await self.messenger.put_result(",
                "shown = await self.messenger.send_result(",
            ),
        ),
        # A createTask of unknown outcome is taken for one that made no task.
        "blind-repeat": (
            Change(
                "generations/submit.py",
                'log.warning("generation.outcome_unknown", why=why.value, submits=order.submits)',
                "async with self.db.transaction() as tx:\n"
                "                    await store.put_back("
                "tx, order.id, submits=order.submits, wait_s=1.0, behind=False)",
            ),
        ),
        # Whoever settles does not look whether somebody else did; the books, which would refuse it, let it pass.
        "no-state-guard": (
            Change(
                "generations/store.py",
                "secs => $4), late_looks = 0\n        WHERE id = $1 AND state = $2",
                "secs => $4), late_looks = 0\n        WHERE id = $1 AND $2 <> ''",
            ),
            *UNGUARDED_BOOKS,
        ),
        # The order knows its state, but whoever comes second captures all the same, and no index stands in the way.
        "double-capture": (
            Change(
                "generations/settle.py",
                "            if not won:\n                return False\n            if order.state is State.RUNNING:\n",
                "            if order.state is State.RUNNING:\n",
            ),
            *UNGUARDED_BOOKS,
        ),
        # The wake-up is committed by itself before the order is: a worker that is faster finds no order yet, and the
        # wake-up is gone. The sweep would bring the order all the same, so it passes over what is pending.
        "enqueue-apart": (
            Change(
                "generations/confirm.py",
                "async with self.db.transaction() as tx:\n            return await self.sell(",
                "async with self.db.transaction() as apart:\n"
                "            await enqueue(apart, Job(Act.SUBMIT, generation_id))\n"
                "        async with self.db.transaction() as tx:\n            return await self.sell(",
            ),
            Change("generations/confirm.py", "        await enqueue(tx, Job(Act.SUBMIT, draft.id))\n", ""),
            Change(
                "generations/store.py",
                "FROM generations WHERE next_at <= now() AND ($3",
                "FROM generations WHERE next_at <= now() AND state <> 'pending' AND ($3",
            ),
        ),
        # Nobody brings what has no wake-up of its own.
        "no-sweep": (Change("wiring/engine.py", '"sweep": Round(2, sweeper.sweep),', ""),),
    }
)


def broken_copy(name: str, folder: Path) -> Path:
    """A folder for PYTHONPATH that holds a copy of the package with the changes of this breakage.

    Errors: NothingToBreak, KeyError.
    """
    return changed_copy(BREAKAGES[name], folder)


def changed_copy(changes: Sequence[Change], folder: Path) -> Path:
    """The same with these changes. Errors: NothingToBreak."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(ROOT / "kiosk", folder / "kiosk", ignore=shutil.ignore_patterns("__pycache__"))
    for change in changes:
        path = folder / "kiosk" / change.file
        text = path.read_text(encoding="utf-8")
        if text.count(change.old) != 1:
            raise NothingToBreak(f"{change.file} holds {text.count(change.old)} times: {change.old}")
        path.write_text(text.replace(change.old, change.new), encoding="utf-8")
    return folder
