"""The payments' SQL."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.db import Tx


@dataclass(frozen=True, slots=True)
class Payment:
    """What somebody paid; `reference` is its number as `method` counts."""

    id: int
    customer_id: int
    method: str
    reference: str
    amount_kopecks: int
    created_at: datetime


async def insert(tx: Tx, customer_id: int, *, method: str, reference: str, amount_kopecks: int) -> Payment | None:
    """None when this payment is recorded already; waits for a transaction that is just recording it."""
    row = await tx.fetchrow(
        """
        INSERT INTO payments (customer_id, method, reference, amount_kopecks) VALUES ($1, $2, $3, $4)
        ON CONFLICT (method, reference) DO NOTHING
        RETURNING id, customer_id, method, reference, amount_kopecks, created_at
        """,
        customer_id,
        method,
        reference,
        amount_kopecks,
    )
    return Payment(**dict(row)) if row else None


async def find(tx: Tx, *, method: str, reference: str) -> Payment | None:
    row = await tx.fetchrow(
        """
        SELECT id, customer_id, method, reference, amount_kopecks, created_at FROM payments
        WHERE method = $1 AND reference = $2
        """,
        method,
        reference,
    )
    return Payment(**dict(row)) if row else None
