"""What a customer of an earlier bot owns, where several columns say so, each in its own way; pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kiosk.legacy.read import NOTHING, Amount, Entry, Row, Table, amount
from kiosk.legacy.why import Why


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a row; not taken needs a `why`, and what is taken may have one.

    `told_kopecks`: what the row counted as its customer's money; `brought_kopecks`: what of it comes into our books.
    """

    row: Row
    why: Why | None = None
    taken: bool = True
    told_kopecks: int = 0
    brought_kopecks: int = 0


@dataclass(frozen=True, slots=True)
class Holdings:
    """All that is the customer's, what was on hold included."""

    kopecks: int
    outcomes: tuple[Outcome, ...]


def holdings(users: Sequence[Row], wallets: Sequence[Row], entries: Sequence[Entry], *, trust_holds: bool) -> Holdings:
    """The first wallet counts, else the first row of the customer; every other row is told of.

    `trust_holds`: a hold of which the ledger proves nothing had been taken from the balance, and goes back into it.
    """
    counted = next((row for row in wallets[:1] if _says_something(row)), None) or (*users, *wallets)[0]
    outcomes = tuple(_outcomes(users, wallets, counted, entries, trust_holds=trust_holds))
    return Holdings(sum(outcome.brought_kopecks for outcome in outcomes), outcomes)


def money(row: Row) -> tuple[Amount, Amount]:
    """Balance and hold, as the row has them."""
    match row.table:
        case Table.WALLETS:
            return amount(row.values.get("balance_rub")), amount(row.values.get("hold_rub"))
        case Table.USERS:
            return amount(row.values.get("balance")), NOTHING
        case _:
            return NOTHING, NOTHING


def worth(row: Row) -> int:
    """Kopecks of a row that counts by itself; a debt on hold is none."""
    balance, hold = money(row)
    return balance.kopecks + max(hold.kopecks, 0)


def _says_something(wallet: Row) -> bool:
    return wallet.values.get("balance_rub") is not None or money(wallet)[1] != NOTHING


def _outcomes(
    users: Sequence[Row], wallets: Sequence[Row], counted: Row, entries: Sequence[Entry], *, trust_holds: bool
) -> Iterator[Outcome]:
    main = _counted(counted, entries, trust_holds=trust_holds)
    for rows in (users, wallets):
        for place, row in enumerate(rows):
            if row is counted:
                yield main
            elif place:
                yield Outcome(row, Why.AGAIN, taken=False, told_kopecks=worth(row))
            else:
                differs = money(row)[0].kopecks not in (0, money(counted)[0].kopecks)
                yield Outcome(row, Why.OTHER_BALANCE if differs else None)


def _counted(row: Row, entries: Sequence[Entry], *, trust_holds: bool) -> Outcome:
    balance, hold = money(row)
    on_hold = max(hold.kopecks, 0)
    proven = _taken_from_balance(balance.kopecks, on_hold, entries)
    given_back = on_hold if (trust_holds if proven is None else proven) else 0
    owned = balance.kopecks + given_back
    reasons = (
        (Why.UNREADABLE, not (balance.readable and hold.readable)),
        (Why.NEGATIVE, owned < 0),
        (Why.HOLD_INSIDE, on_hold > 0 and not given_back),
        (Why.HOLD_UNPROVEN, given_back > 0 and proven is None),
        (Why.ROUNDED, balance.rounded or hold.rounded),
    )
    why = next((reason for reason, holds in reasons if holds), None)
    return Outcome(row, why, told_kopecks=owned, brought_kopecks=max(owned, 0))


def _taken_from_balance(balance: int, on_hold: int, entries: Sequence[Entry]) -> bool | None:
    """Whether the ledger's sum is the balance with the hold, or without it; None: it is neither.

    Earlier bots had both habits, even side by side: giving back what was never taken would make money.
    """
    counting = [one for one in entries if one.counts]
    total = sum(abs(one.kopecks) for one in counting if one.kind in ("topup", "refund"))
    total += sum(one.kopecks for one in counting if one.kind == "adjust")
    total -= sum(abs(one.kopecks) for one in counting if one.kind == "charge")
    if not on_hold or not entries or total not in (balance, balance + on_hold):
        return None
    return total == balance + on_hold
