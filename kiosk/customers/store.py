"""Customers and the bots they came through."""

from dataclasses import dataclass
from typing import Literal, Self

import asyncpg

from kiosk.db import Tx

Language = Literal["ru", "en"]

COLUMNS = "id, bot_id, telegram_id, first_name, language, blocked_at IS NOT NULL AS blocked"


@dataclass(frozen=True, slots=True)
class Customer:
    """A person at one bot: the same person at two bots is two customers."""

    id: int
    bot_id: int
    telegram_id: int
    first_name: str
    language: Language
    blocked: bool

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Self:
        return cls(**dict(row))


async def remember_bot(tx: Tx, bot_id: int, username: str) -> None:
    """Keeps the bot's public number and its present name."""
    await tx.execute(
        """
        INSERT INTO bots (id, username) VALUES ($1, $2)
        ON CONFLICT (id) DO UPDATE SET username = excluded.username WHERE bots.username <> excluded.username
        """,
        bot_id,
        username,
    )


async def expect_bot(tx: Tx, bot_id: int) -> None:
    """Its customers may come before Telegram has told its name."""
    await tx.execute("INSERT INTO bots (id, username) VALUES ($1, '') ON CONFLICT (id) DO NOTHING", bot_id)


async def webhook_mark(tx: Tx, bot_id: int) -> str | None:
    """That of the webhook which was set last; None: nobody did."""
    mark: str | None = await tx.fetchval("SELECT webhook_mark FROM bots WHERE id = $1", bot_id)
    return mark


async def remember_webhook(tx: Tx, bot_id: int, mark: str) -> None:
    await tx.execute("UPDATE bots SET webhook_mark = $2 WHERE id = $1", bot_id, mark)


async def bots_of(tx: Tx, telegram_id: int) -> tuple[int, ...]:
    """The bots that know this person."""
    rows = await tx.fetch("SELECT bot_id FROM customers WHERE telegram_id = $1 ORDER BY bot_id", telegram_id)
    return tuple(row["bot_id"] for row in rows)


async def find(tx: Tx, bot_id: int, telegram_id: int) -> Customer | None:
    row = await tx.fetchrow(
        f"SELECT {COLUMNS} FROM customers WHERE bot_id = $1 AND telegram_id = $2",  # noqa: S608 - constants of ours
        bot_id,
        telegram_id,
    )
    return Customer.from_row(row) if row else None


async def insert(
    tx: Tx, bot_id: int, telegram_id: int, first_name: str, username: str | None, language: Language
) -> Customer | None:
    """None when another transaction was first."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO customers (bot_id, telegram_id, first_name, username, language) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (bot_id, telegram_id) DO NOTHING RETURNING {COLUMNS}
        """,  # noqa: S608 - constants of ours
        bot_id,
        telegram_id,
        first_name,
        username,
        language,
    )
    return Customer.from_row(row) if row else None


async def get(tx: Tx, customer_id: int) -> Customer:
    row = await tx.fetchrow(f"SELECT {COLUMNS} FROM customers WHERE id = $1", customer_id)  # noqa: S608 - constants
    assert row is not None  # noqa: S101 - referenced rows are never deleted
    return Customer.from_row(row)


async def get_as_is(tx: Tx, customer_id: int) -> Customer:
    """Waits for whoever is changing the customer, and lets nobody do so before the transaction ends."""
    await tx.execute("SELECT FROM customers WHERE id = $1 FOR SHARE", customer_id)
    return await get(tx, customer_id)


async def mark_blocked(tx: Tx, customer_id: int) -> None:
    """The customer blocked the bot: nothing can be sent until they come back."""
    await tx.execute("UPDATE customers SET blocked_at = now() WHERE id = $1 AND blocked_at IS NULL", customer_id)


async def mark_back(tx: Tx, customer_id: int) -> None:
    """The customer wrote again: whatever waited for them is due now."""
    await tx.execute("UPDATE customers SET blocked_at = NULL WHERE id = $1 AND blocked_at IS NOT NULL", customer_id)
