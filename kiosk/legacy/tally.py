"""What became of all rows, counted, and whether the sums agree; pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from kiosk.legacy.holdings import Outcome, money
from kiosk.legacy.read import Table
from kiosk.legacy.why import MEANING, Why
from kiosk.money import to_rub


@dataclass(slots=True)
class Share:
    """Rows of one table with one end."""

    rows: int = 0
    told_kopecks: int = 0
    brought_kopecks: int = 0


@dataclass(slots=True)
class Tally:
    """Counts whatever is added; `fresh` of them were not imported before."""

    rows: Counter[Table] = field(default_factory=Counter)
    taken: Counter[Table] = field(default_factory=Counter)
    fresh: int = 0
    shares: dict[tuple[Table, Why, bool], Share] = field(default_factory=lambda: defaultdict(Share))
    told_kopecks: int = 0
    brought_kopecks: int = 0
    read_rub: dict[str, Decimal] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome, *, fresh: bool) -> None:
        table = outcome.row.table
        self.rows[table] += 1
        self.taken[table] += outcome.taken
        self.fresh += fresh
        self.told_kopecks += outcome.told_kopecks
        self.brought_kopecks += outcome.brought_kopecks
        if table in (Table.USERS, Table.WALLETS):
            self._add_amounts(outcome)
        if outcome.why:
            share = self.shares[table, outcome.why, outcome.taken]
            share.rows += 1
            share.told_kopecks += outcome.told_kopecks
            share.brought_kopecks += outcome.brought_kopecks

    def _add_amounts(self, outcome: Outcome) -> None:
        names = ("balance",) if outcome.row.table is Table.USERS else ("balance_rub", "hold_rub")
        for name, amount in zip(names, money(outcome.row), strict=False):
            column = f"{outcome.row.table}.{name}"
            self.read_rub[column] = self.read_rub.get(column, Decimal(0)) + amount.rub
            if not amount.readable:
                self.unreadable.add(column)

    @property
    def paid_ahead_kopecks(self) -> int:
        """Taken by the earlier bot for what is still being made: it is on hold here."""
        return sum(share.brought_kopecks for (_, why, _), share in self.shares.items() if why is Why.PAID_AHEAD)

    @property
    def left_kopecks(self) -> int:
        """Told and not brought; debts count against it."""
        return self.told_kopecks + self.paid_ahead_kopecks - self.brought_kopecks

    def problems(self, counts: Mapping[Table, int], sums: Mapping[str, Decimal]) -> list[str]:
        """What speaks against having read everything, once: `counts` and `sums` are the earlier database's own."""
        found = [
            f"{table} has {count} rows, and {self.rows[table]} were read"
            for table, count in counts.items()
            if count != self.rows[table]
        ]
        found += [
            f"{column} adds up to {total}, and {self.read_rub.get(column, Decimal(0))} was read"
            for column, total in sums.items()
            if column not in self.unreadable and total != self.read_rub.get(column, Decimal(0))
        ]
        changed = sum(share.rows for (_, why, _), share in self.shares.items() if why is Why.CHANGED)
        late = sum(share.told_kopecks for (_, why, _), share in self.shares.items() if why in (Why.LATE, Why.CHANGED))
        if changed or late:
            found.append(f"the earlier bot went on after the import: {changed} balances are not what they were")
        return found

    def report(self) -> dict[str, Any]:
        """For programs; rubles as texts."""
        return {
            "tables": {
                table.value: {
                    "rows": self.rows[table],
                    "taken": self.taken[table],
                    "not_taken": self.rows[table] - self.taken[table],
                }
                for table in Table
                if self.rows[table]
            },
            "reasons": [
                {
                    "table": table.value,
                    "why": why.value,
                    "meaning": MEANING[why],
                    "taken": taken,
                    "rows": share.rows,
                    "told_rub": str(to_rub(share.told_kopecks)),
                    "brought_rub": str(to_rub(share.brought_kopecks)),
                }
                for (table, why, taken), share in sorted(self.shares.items())
            ],
            "money": {
                "told_rub": str(to_rub(self.told_kopecks)),
                "paid_ahead_rub": str(to_rub(self.paid_ahead_kopecks)),
                "not_brought_rub": str(to_rub(self.left_kopecks)),
                "brought_rub": str(to_rub(self.brought_kopecks)),
            },
            "fresh_rows": self.fresh,
        }


def line(outcome: Outcome) -> dict[str, Any]:
    """One row that was not taken, or that something is to be known of, for the report's file."""
    return {
        "table": outcome.row.table.value,
        "key": outcome.row.key,
        "owner": outcome.row.owner,
        "taken": outcome.taken,
        "why": outcome.why.value if outcome.why else None,
        "meaning": MEANING[outcome.why] if outcome.why else None,
        "told_rub": str(to_rub(outcome.told_kopecks)),
        "brought_rub": str(to_rub(outcome.brought_kopecks)),
    }
