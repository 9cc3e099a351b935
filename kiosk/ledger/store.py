"""The ledger's SQL: money moves only through the functions of migrations 0002, 0004 and 0014."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from kiosk.db import Tx


@dataclass(frozen=True, slots=True)
class Wallet:
    """What a customer owns, in kopecks."""

    available_kopecks: int
    held_kopecks: int


@dataclass(frozen=True, slots=True)
class Refund:
    """What was given back for a generation, and why."""

    amount_kopecks: int
    reason: str
    created_at: datetime


async def open_accounts(tx: Tx, customer_id: int) -> None:
    """Gives a customer the two accounts; harmless when they exist."""
    await tx.execute("SELECT ledger_open($1)", customer_id)


async def lock(tx: Tx, customer_id: int) -> Wallet:
    """Locks both accounts until the transaction ends; comes first in every transaction that moves money."""
    row = await tx.fetchrow("SELECT available, held FROM ledger_lock($1)", customer_id)
    assert row is not None  # noqa: S101 - the function raises rather than return nothing
    return Wallet(row["available"], row["held"])


async def wallet(tx: Tx, customer_id: int) -> Wallet:
    """Reads without locking: for showing, never for deciding."""
    row = await tx.fetchrow(
        """
        SELECT coalesce(max(balance) FILTER (WHERE kind = 'available'), 0) AS available,
               coalesce(max(balance) FILTER (WHERE kind = 'held'), 0)      AS held
        FROM accounts WHERE customer_id = $1
        """,
        customer_id,
    )
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Wallet(row["available"], row["held"])


async def hold(tx: Tx, generation_id: int) -> None:
    """Sets the price of a confirmed generation aside, once."""
    await tx.execute("SELECT ledger_hold($1)", generation_id)


async def resolve(tx: Tx, generation_id: int, resolution: Literal["capture", "release"]) -> None:
    """Takes or gives back what was held: one of the two, once."""
    await tx.execute("SELECT ledger_resolve($1, $2)", generation_id, resolution)


async def welcome(tx: Tx, customer_id: int, amount_kopecks: int) -> None:
    """The bonus of a new customer, once per customer."""
    await tx.execute("SELECT ledger_welcome($1, $2)", customer_id, amount_kopecks)


async def adjust(tx: Tx, customer_id: int, amount_kopecks: int, reason: str) -> None:
    """An operator's correction in either direction; the reason is kept with it."""
    await tx.execute("SELECT ledger_adjust($1, $2, $3)", customer_id, amount_kopecks, reason)


async def top_up(tx: Tx, payment_id: int) -> None:
    """Credits a recorded payment to its customer, once."""
    await tx.execute("SELECT ledger_topup($1)", payment_id)


async def refund(tx: Tx, generation_id: int, reason: str) -> None:
    """Gives back what was captured, once; the reason is kept with it. Errors: when nothing was captured."""
    await tx.execute("SELECT ledger_refund($1, $2)", generation_id, reason)


async def refund_of(tx: Tx, generation_id: int) -> Refund | None:
    """None when there was none."""
    row = await tx.fetchrow(
        """
        SELECT amount_kopecks, note AS reason, created_at FROM transfers WHERE generation_id = $1 AND kind = 'refund'
        """,
        generation_id,
    )
    return Refund(**dict(row)) if row else None


async def totals(tx: Tx) -> dict[str, Decimal]:
    """Rubles per kind of account, shop and customers, for the operator."""
    rows = await tx.fetch(
        """
        SELECT a.kind, (coalesce(sum(t.signed), 0) / 100.0)::numeric(16, 2) AS rub
        FROM accounts a
        LEFT JOIN LATERAL (
            SELECT amount_kopecks AS signed FROM transfers WHERE credit_id = a.id
            UNION ALL SELECT -amount_kopecks FROM transfers WHERE debit_id = a.id
        ) t ON true
        GROUP BY a.kind ORDER BY a.kind
        """
    )
    return {row["kind"]: row["rub"] for row in rows}
