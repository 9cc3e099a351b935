"""The shop in figures, as its database has them: SQL for whoever watches it. The same on every replica."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kiosk.db import Tx
from kiosk.operators.alerts import Kind

OVERDUE_S: Final = 60.0
# Named even while there is none of them, so that an alarm has something to look at.
UNFINISHED: Final = ("pending", "submitting", "running", "done", "failed")
PAUSES: Final = ("no_credits", "key_cap", "unauthorized")
TRANSFERS: Final = ("welcome", "topup", "adjust", "hold", "capture", "release", "refund")


@dataclass(frozen=True, slots=True)
class Waiting:
    """Orders in one state: how many, how long the oldest has waited, how many should have been looked at long ago."""

    count: int
    oldest_s: float
    overdue: int


@dataclass(frozen=True, slots=True)
class Work:
    """What is in hand now. `orders` that are done or failed are not delivered yet; `parked` wait for blocked customers.

    `breaker_open` and `paused_why` are of one key of the provider; `nightly` is when work was last done, in seconds
    since 1970; `alerts` were raised so often, `due` of them are to be told now.
    """

    jobs: Mapping[tuple[str, str], int]
    orders: Mapping[str, Waiting]
    parked: int
    orphans: int
    paused_why: str | None
    breaker_open: bool
    nightly: Mapping[str, float]
    alerts: Mapping[str, int]
    due: int


@dataclass(frozen=True, slots=True)
class Books:
    """Kopecks on the accounts by kind, transfers by kind as (count, kopecks), customers by bot as (all, blocked)."""

    accounts: Mapping[str, int]
    transfers: Mapping[str, tuple[int, int]]
    customers: Mapping[int, tuple[int, int]]


async def work(tx: Tx, key_name: str) -> Work:
    """Reads little, however old the shop is."""
    jobs = await tx.fetch("SELECT entrypoint, status::text, count(*) FROM pgqueuer GROUP BY entrypoint, status")
    orders, parked = await _orders(tx)
    gate = await tx.fetchrow(
        "SELECT paused_why, broken_until IS NOT NULL AS broken FROM provider_gates WHERE key_name = $1", key_name
    )
    turns = await tx.fetch(
        "SELECT name, extract(epoch FROM last_run)::float8 AS at FROM turns WHERE last_run IS NOT NULL"
    )
    alerts = await tx.fetch(
        """
        SELECT kind, sum(count)::bigint, (sum(count - told_count) FILTER (WHERE due_at <= now()))::bigint
        FROM alerts GROUP BY kind
        """
    )
    orphans: int = await tx.fetchval("SELECT count(*) FROM orphan_callbacks WHERE matched_at IS NULL")
    raised = {kind: count for kind, count, _ in alerts}
    return Work(
        jobs={(act, status): count for act, status, count in jobs},
        orders=orders,
        parked=parked,
        orphans=orphans,
        paused_why=gate["paused_why"] if gate else None,
        breaker_open=bool(gate and gate["broken"]),
        nightly={row["name"]: row["at"] for row in turns},
        alerts={kind.value: raised.get(kind.value, 0) for kind in Kind},
        due=sum(due or 0 for _, _, due in alerts),
    )


async def _orders(tx: Tx) -> tuple[dict[str, Waiting], int]:
    # The condition is that of the partial index `generations_unfinished`.
    rows = await tx.fetch(
        """
        SELECT state, next_at = 'infinity' AS parked, count(*),
               extract(epoch FROM now() - min(CASE WHEN state IN ('done', 'failed') THEN settled_at
                                                   ELSE confirmed_at END))::float8 AS oldest_s,
               count(*) FILTER (WHERE next_at < now() - make_interval(secs => $1)) AS overdue
        FROM generations
        WHERE state IN ('pending', 'submitting', 'running')
           OR (state IN ('done', 'failed') AND delivered_at IS NULL)
        GROUP BY state, next_at = 'infinity'
        """,
        OVERDUE_S,
    )
    waiting = {
        row["state"]: Waiting(row["count"], row["oldest_s"], row["overdue"]) for row in rows if not row["parked"]
    }
    return waiting, sum(row["count"] for row in rows if row["parked"])


async def books(tx: Tx) -> Books:
    """Reads every transfer: seldom, please."""
    accounts = await tx.fetch(
        """
        SELECT kind, sum(balance)::bigint FROM accounts WHERE customer_id IS NOT NULL GROUP BY kind
        UNION ALL
        SELECT a.kind, coalesce(sum(moved.kopecks), 0)::bigint
        FROM accounts a
        LEFT JOIN (SELECT credit_id AS account, sum(amount_kopecks) AS kopecks FROM transfers
                   WHERE credit_seq IS NULL GROUP BY credit_id
                   UNION ALL
                   SELECT debit_id, -sum(amount_kopecks) FROM transfers
                   WHERE debit_seq IS NULL GROUP BY debit_id) moved ON moved.account = a.id
        WHERE a.customer_id IS NULL GROUP BY a.kind
        """
    )
    transfers = await tx.fetch("SELECT kind, count(*), sum(amount_kopecks)::bigint FROM transfers GROUP BY kind")
    customers = await tx.fetch("SELECT bot_id, count(*), count(blocked_at) FROM customers GROUP BY bot_id")
    return Books(
        accounts=dict(map(tuple, accounts)),
        transfers={kind: (count, kopecks) for kind, count, kopecks in transfers},
        customers={bot: (everybody, blocked) for bot, everybody, blocked in customers},
    )
