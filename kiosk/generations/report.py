"""What the books say of one customer, or of a day of the shop, for an operator's eyes and for programs."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kiosk.db import Tx
from kiosk.money import to_rub

GENERATIONS_AT_MOST = 1000


async def customer_report(tx: Tx, bot_id: int, telegram_id: int) -> dict[str, Any]:
    """Rubles as strings; `holds`, `captures`, `releases`, `refunds` count each generation's transfers, newest first."""
    wallet = await tx.fetchrow(
        "SELECT coalesce(sum(balance_rub), 0) AS balance_rub, coalesce(sum(hold_rub), 0) AS held_rub "
        "FROM wallets WHERE bot_id = $1 AND user_id = $2",
        bot_id,
        telegram_id,
    )
    assert wallet is not None  # noqa: S101 - an aggregate always gives a row
    rows = await tx.fetch(
        """
        SELECT g.id, g.model_id, g.state, g.price_kopecks, g.created_at, g.delivered_at, g.failure, g.late, g.submits,
               count(t.id) FILTER (WHERE t.kind = 'hold')    AS holds,
               count(t.id) FILTER (WHERE t.kind = 'capture') AS captures,
               count(t.id) FILTER (WHERE t.kind = 'release') AS releases,
               count(t.id) FILTER (WHERE t.kind = 'refund')  AS refunds,
               coalesce(sum(t.amount_kopecks) FILTER (WHERE t.kind = 'capture'), 0)::bigint AS charged,
               coalesce(sum(t.amount_kopecks) FILTER (WHERE t.kind = 'refund'), 0)::bigint  AS refunded
        FROM generations g JOIN customers c ON c.id = g.customer_id
        LEFT JOIN transfers t ON t.generation_id = g.id
        WHERE c.bot_id = $1 AND c.telegram_id = $2 AND g.confirmed_at IS NOT NULL
        GROUP BY g.id ORDER BY g.id DESC LIMIT $3
        """,
        bot_id,
        telegram_id,
        GENERATIONS_AT_MOST,
    )
    return {
        "bot_id": bot_id,
        "telegram_id": telegram_id,
        "balance_rub": str(wallet["balance_rub"]),
        "held_rub": str(wallet["held_rub"]),
        "generations": [
            {
                "id": row["id"],
                "model": row["model_id"],
                "state": row["state"],
                "failure": row["failure"],
                "late": row["late"],
                "submits": row["submits"],
                "price_rub": str(to_rub(row["price_kopecks"])),
                "charged_rub": str(to_rub(row["charged"])),
                "refunded_rub": str(to_rub(row["refunded"])),
                "holds": row["holds"],
                "captures": row["captures"],
                "releases": row["releases"],
                "refunds": row["refunds"],
                "created_at": row["created_at"].isoformat(timespec="seconds"),
                "delivered": row["delivered_at"] is not None,
            }
            for row in rows
        ],
    }


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of one bot, `open_now` as of this moment; `orphans` are the shop's.

    Money in kopecks, cost in credits.
    """

    done: int
    failed: int
    revenue_kopecks: int
    refunded_kopecks: int
    credits: Decimal
    open_now: int
    orphans: int


async def last_day(tx: Tx, bot_id: int) -> Day:
    """Essentials at a glance."""
    row = await tx.fetchrow(
        """
        SELECT count(*) FILTER (WHERE state = 'done')   AS done,
               count(*) FILTER (WHERE state = 'failed') AS failed,
               coalesce(sum(price_kopecks) FILTER (WHERE state = 'done' AND NOT late), 0)::bigint AS revenue_kopecks,
               (SELECT coalesce(sum(t.amount_kopecks), 0)::bigint
                FROM transfers t JOIN generations g ON g.id = t.generation_id JOIN customers c ON c.id = g.customer_id
                WHERE t.kind = 'refund' AND t.created_at > now() - interval '1 day' AND c.bot_id = $1)
                   AS refunded_kopecks,
               (SELECT coalesce(sum(t.credits), 0)
                FROM tasks t JOIN generations g ON g.id = t.generation_id JOIN customers c ON c.id = g.customer_id
                WHERE t.created_at > now() - interval '1 day' AND c.bot_id = $1) AS credits,
               (SELECT count(*) FROM generations g JOIN customers c ON c.id = g.customer_id
                WHERE g.state IN ('pending', 'submitting', 'running') AND c.bot_id = $1) AS open_now,
               (SELECT count(*) FROM orphan_callbacks WHERE matched_at IS NULL) AS orphans
        FROM generations JOIN customers ON customers.id = generations.customer_id
        WHERE settled_at > now() - interval '1 day' AND confirmed_at IS NOT NULL AND customers.bot_id = $1
        """,
        bot_id,
    )
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Day(**dict(row))
