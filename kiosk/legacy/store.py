"""What an import writes into our books, and what earlier runs of it wrote: SQL."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from kiosk.db import Tx
from kiosk.generations.states import State
from kiosk.ids import new_callback_token
from kiosk.legacy.holdings import Outcome
from kiosk.legacy.plan import NOTE, OrderIn, PaymentIn, Plan
from kiosk.legacy.read import Person, Row, Table
from kiosk.legacy.why import Why

POLL_S: Final = 5.0  # until what is still being made is asked for
AT_ONCE: Final = 1000  # rows in one statement: somebody's whole history would outlast its time
PATIENCE_S: Final = 600

T = TypeVar("T")


def parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an earlier run made of a row."""

    why: Why | None
    taken: bool
    told_kopecks: int
    brought_kopecks: int


async def now(tx: Tx) -> datetime:
    """The database's own time."""
    moment: datetime = await tx.fetchval("SELECT now()")
    return moment


async def alone(tx: Tx, bot_id: int) -> None:
    """Two imports of one bot take turns, customer by customer."""
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('kiosk import', $1))", bot_id)


async def know_bot(tx: Tx, bot_id: int) -> None:
    """Its name comes with its first start."""
    await tx.execute("INSERT INTO bots (id, username) VALUES ($1, '') ON CONFLICT (id) DO NOTHING", bot_id)


async def recorded(tx: Tx, bot_id: int, rows: Sequence[Row]) -> dict[tuple[Table, str], Recorded]:
    """Of these rows of one owner, those that were dealt with; by table and key."""
    found = await tx.fetch(
        """
        SELECT i.source_table, i.source_key, i.why, i.became_id IS NOT NULL AS taken, i.told_kopecks, i.brought_kopecks
        FROM unnest($3::text[], $4::text[]) AS given (source_table, source_key)
        JOIN imported_rows i ON i.bot_id = $1 AND i.source_table = given.source_table AND i.owner = $2
                            AND i.source_key = given.source_key
        """,
        bot_id,
        rows[0].owner,
        [row.table.value for row in rows],
        [row.key for row in rows],
    )
    return {
        (Table(row["source_table"]), row["source_key"]): Recorded(
            Why(row["why"]) if row["why"] else None, row["taken"], row["told_kopecks"], row["brought_kopecks"]
        )
        for row in found
    }


async def record(tx: Tx, bot_id: int, outcomes: Sequence[Outcome], became: Mapping[tuple[Table, str], int]) -> None:
    """What became of each row; the content of what became nothing is kept."""
    for some in parts(outcomes):
        await _record_some(tx, bot_id, some, became)


async def _record_some(
    tx: Tx, bot_id: int, outcomes: Sequence[Outcome], became: Mapping[tuple[Table, str], int]
) -> None:
    await tx.executemany(
        """
        INSERT INTO imported_rows (bot_id, source_table, owner, source_key, became_id, why, told_kopecks,
                                   brought_kopecks, content)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        """,
        [
            (
                bot_id,
                one.row.table.value,
                one.row.owner,
                one.row.key,
                became[one.row.table, one.row.key] if one.taken else None,
                one.why.value if one.why else None,
                one.told_kopecks,
                one.brought_kopecks,
                None if one.taken else one.row.text,
            )
            for one in outcomes
        ],
    )


async def is_imported(tx: Tx, bot_id: int, telegram_id: int) -> bool:
    found: bool = await tx.fetchval(
        """
        SELECT EXISTS (SELECT FROM imported_customers i JOIN customers c ON c.id = i.customer_id
                       WHERE c.bot_id = $1 AND c.telegram_id = $2)
        """,
        bot_id,
        telegram_id,
    )
    return found


async def known_tasks(tx: Tx, task_ids: Sequence[str]) -> frozenset[str]:
    """Those that are an order's of ours."""
    rows = await tx.fetch(
        """
        SELECT task_id FROM generations WHERE task_id = ANY($1::text[])
        UNION SELECT task_id FROM tasks WHERE task_id = ANY($1::text[])
        """,
        task_ids,
    )
    return frozenset(row["task_id"] for row in rows)


async def known_references(tx: Tx, payments: Sequence[tuple[str, str]]) -> frozenset[str]:
    """Of these methods and references, the references that are recorded already."""
    rows = await tx.fetch(
        """
        SELECT p.reference FROM unnest($1::text[], $2::text[]) AS given (method, reference)
        JOIN payments p ON p.method = given.method AND p.reference = given.reference
        """,
        [method for method, _ in payments],
        [reference for _, reference in payments],
    )
    return frozenset(row["reference"] for row in rows)


async def customer(tx: Tx, bot_id: int, who: Person) -> int:
    """Known or new; whoever is known keeps the name by which they came here."""
    made: int | None = await tx.fetchval(
        """
        INSERT INTO customers (bot_id, telegram_id, first_name, username, language, created_at)
        VALUES ($1, $2, $3, $4, $5, least(coalesce($6, now()), now()))
        ON CONFLICT (bot_id, telegram_id) DO NOTHING RETURNING id
        """,
        bot_id,
        who.telegram_id,
        who.first_name,
        who.username,
        who.language,
        who.created_at,
    )
    if made is None:
        made = await tx.fetchval(
            "SELECT id FROM customers WHERE bot_id = $1 AND telegram_id = $2", bot_id, who.telegram_id
        )
    assert made is not None  # noqa: S101 - the conflicting row is committed: the insert waited for it
    return made


async def insert_payments(tx: Tx, customer_id: int, payments: Sequence[PaymentIn]) -> dict[tuple[Table, str], int]:
    rows = await tx.fetch(
        """
        INSERT INTO payments (customer_id, method, reference, amount_kopecks, created_at)
        SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[])
        RETURNING id, reference
        """,
        customer_id,
        [one.method for one in payments],
        [one.reference for one in payments],
        [one.kopecks for one in payments],
        [one.created_at for one in payments],
    )
    ids = {row["reference"]: row["id"] for row in rows}
    return {(one.row.table, one.row.key): ids[one.reference] for one in payments}


async def insert_orders(tx: Tx, customer_id: int, orders: Sequence[OrderIn]) -> dict[tuple[Table, str], int]:
    """In the state in which they are; no message of the chat is theirs, so what they still owe is sent anew."""
    made: dict[tuple[Table, str], int] = {}
    for some in parts(orders):
        made |= await _insert_some(tx, customer_id, {new_callback_token(): order for order in some})
    return made


async def _insert_some(tx: Tx, customer_id: int, orders: Mapping[str, OrderIn]) -> dict[tuple[Table, str], int]:
    rows = await tx.fetch(
        """
        INSERT INTO generations (customer_id, state, model_id, inputs, chat_id, message_id, price_kopecks,
                                 callback_token, submits, task_id, failure, next_at, deadline_at, run_s, created_at,
                                 touched_at, confirmed_at, submitted_at, settled_at, delivered_at)
        SELECT $1, state, model_id, inputs, chat_id, 0, kopecks, token, 1, task_id, failure,
               CASE WHEN delivered_at IS NULL THEN now() + make_interval(secs => $3) END,
               CASE WHEN state = 'running' THEN now() + make_interval(secs => run_s) ELSE settled_at END, run_s,
               created_at, created_at, created_at, created_at, settled_at, delivered_at
        FROM jsonb_to_recordset($2::text::jsonb) AS given (
            state text, model_id text, inputs jsonb, chat_id bigint, kopecks bigint, token text, task_id text,
            failure text, run_s double precision, created_at timestamptz, settled_at timestamptz,
            delivered_at timestamptz)
        RETURNING id, callback_token
        """,
        customer_id,
        json.dumps([_given(order, token) for token, order in orders.items()]),
        POLL_S,
    )
    found = [(orders[row["callback_token"]].row, row["id"]) for row in rows]
    return {(row.table, row.key): number for row, number in found}


def _given(order: OrderIn, token: str) -> dict[str, Any]:
    return {
        "state": order.state.value,
        "model_id": order.model_id,
        "inputs": order.inputs,
        "chat_id": order.chat_id,
        "kopecks": order.kopecks,
        "token": token,
        "task_id": order.task_id,
        "failure": order.failure.value if order.failure else None,
        "run_s": order.run_s,
        "created_at": order.created_at.isoformat(),
        "settled_at": order.settled_at.isoformat() if order.settled_at else None,
        "delivered_at": order.delivered_at.isoformat() if order.delivered_at else None,
    }


async def insert_tasks(tx: Tx, orders: Sequence[OrderIn], ids: Mapping[tuple[Table, str], int]) -> None:
    """Of those that are still being made: what they cost is learned with their end."""
    await tx.executemany(
        "INSERT INTO tasks (task_id, generation_id, created_at) VALUES ($1, $2, $3)",
        [
            (one.task_id, ids[one.row.table, one.row.key], one.created_at)
            for one in orders
            if one.state is State.RUNNING
        ],
    )


async def insert_sent(tx: Tx, orders: Sequence[OrderIn], ids: Mapping[tuple[Table, str], int]) -> None:
    """What the earlier bot delivered: nothing of it is sent again."""
    sent = [
        (ids[one.row.table, one.row.key], "extra" if place else "result", place, output, one.delivered_at)
        for one in orders
        if one.state is State.DONE and one.delivered_at
        for place, output in enumerate(one.outputs)
    ]
    for some in parts(sent):
        await tx.executemany(
            """
            INSERT INTO deliveries (generation_id, part, position, media, source, state, sent_at, created_at)
            VALUES ($1, $2, $3, $4, $5, 'sent', $6, $6)
            """,
            [(order, part, place, output.media.value, output.url, at) for order, part, place, output, at in some],
        )


async def last_seq(tx: Tx, customer_id: int) -> int:
    """The number of the balance's latest transfer."""
    seq: int = await tx.fetchval(
        "SELECT last_seq FROM accounts WHERE customer_id = $1 AND kind = 'available'", customer_id
    )
    return seq


async def retell(tx: Tx, customer_id: int, plan: Plan, ids: Mapping[tuple[Table, str], int]) -> None:
    """The plan's postings, through the ledger's own function."""

    def id_of(row: Row | None, *, of_payment: bool) -> int | None:
        if row is None or (row.table is Table.PAYMENTS) is not of_payment:
            return None
        return ids[row.table, row.key]

    for postings in parts(plan.postings):
        await tx.execute(
            "SELECT ledger_retell($1, $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[], $7)",
            customer_id,
            [one.kind for one in postings],
            [one.kopecks for one in postings],
            [id_of(one.of, of_payment=False) for one in postings],
            [id_of(one.of, of_payment=True) for one in postings],
            [one.moment for one in postings],
            NOTE,
        )


async def insert_imported(tx: Tx, customer_id: int, plan: Plan, *, before_seq: int) -> None:
    await tx.execute(
        """
        INSERT INTO imported_customers (customer_id, available_kopecks, held_kopecks, before_seq, last_seq)
        SELECT customer_id, $2, $3, $4, last_seq FROM accounts WHERE customer_id = $1 AND kind = 'available'
        """,
        customer_id,
        plan.available_kopecks,
        plan.held_kopecks,
        before_seq,
    )


@dataclass(frozen=True, slots=True)
class Brought:
    """Of one bot's whole import: what was noted, and what its transfers add up to."""

    customers: int
    noted_kopecks: int
    transfers_kopecks: int


async def brought(tx: Tx, bot_id: int) -> Brought:
    """What holds set aside is the customers' still."""
    await tx.execute(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'")
    row = await tx.fetchrow(
        """
        SELECT count(*) AS customers,
               coalesce(sum(i.available_kopecks + i.held_kopecks), 0)::bigint AS noted_kopecks,
               coalesce(sum(moved.kopecks + i.held_kopecks), 0)::bigint AS transfers_kopecks
        FROM imported_customers i
        JOIN customers c ON c.id = i.customer_id
        JOIN accounts a ON a.customer_id = c.id AND a.kind = 'available'
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(CASE WHEN t.credit_id = a.id THEN t.amount_kopecks ELSE -t.amount_kopecks END), 0)
                       AS kopecks
            FROM transfers t
            WHERE t.credit_id = a.id AND t.credit_seq > i.before_seq AND t.credit_seq <= i.last_seq
               OR t.debit_id = a.id AND t.debit_seq > i.before_seq AND t.debit_seq <= i.last_seq) moved
        WHERE c.bot_id = $1
        """,
        bot_id,
        timeout=PATIENCE_S,
    )
    assert row is not None  # noqa: S101 - an aggregate always gives a row
    return Brought(**dict(row))
