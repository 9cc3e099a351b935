"""Every invariant of the books and of the generations, each as a query that finds what breaks it."""

from dataclasses import dataclass
from typing import Final

from kiosk.db import Tx

SAMPLE: Final = 5
PATIENCE_S: Final = 600  # for one invariant: the books grow


@dataclass(frozen=True, slots=True)
class Invariant:
    """`sql` yields one text per violation, naming the row; no row means that it holds."""

    name: str
    claim: str
    sql: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What one invariant's query found; `examples` holds at most `SAMPLE` of `broken`."""

    invariant: Invariant
    broken: int
    examples: tuple[str, ...]


INVARIANTS = (
    Invariant(
        "balance_equals_transfers",
        "A customer's balance is the sum of their transfers.",
        """
        SELECT format('account %s: balance %s, transfers %s', a.id, a.balance, coalesce(sum(t.amount), 0))
        FROM accounts a
        LEFT JOIN (SELECT credit_id AS account, amount_kopecks AS amount FROM transfers
                   UNION ALL SELECT debit_id, -amount_kopecks FROM transfers) t ON t.account = a.id
        WHERE a.customer_id IS NOT NULL
        GROUP BY a.id HAVING a.balance <> coalesce(sum(t.amount), 0)
        """,
    ),
    Invariant(
        "transfers_have_no_gap",
        "The transfers of each customer account are numbered from 1 without a gap: none was taken out.",
        """
        SELECT format('account %s: last number %s, highest %s, transfers %s', a.id, a.last_seq,
                      coalesce(max(t.seq), 0), count(t.account))
        FROM accounts a
        LEFT JOIN (SELECT credit_id AS account, credit_seq AS seq FROM transfers
                   UNION ALL SELECT debit_id, debit_seq FROM transfers) t ON t.account = a.id
        WHERE a.customer_id IS NOT NULL
        GROUP BY a.id
        HAVING a.last_seq <> count(t.account) OR a.last_seq <> count(DISTINCT t.seq)
            OR a.last_seq <> coalesce(max(t.seq), 0) OR min(t.seq) < 1
        """,
    ),
    Invariant(
        "books_balance",
        "What customers own plus what the shop earned equals what was put in.",
        """
        SELECT format('customers hold %s, the books say %s', owned.total, booked.total)
        FROM (SELECT coalesce(sum(balance), 0) AS total FROM accounts WHERE customer_id IS NOT NULL) owned,
             (SELECT coalesce(sum(CASE WHEN debit.customer_id IS NULL THEN amount_kopecks ELSE 0 END), 0)
                     - coalesce(sum(CASE WHEN credit.customer_id IS NULL THEN amount_kopecks ELSE 0 END), 0) AS total
              FROM transfers JOIN accounts debit ON debit.id = debit_id
                             JOIN accounts credit ON credit.id = credit_id) booked
        WHERE owned.total <> booked.total
        """,
    ),
    Invariant(
        "held_equals_open_generations",
        "What a customer has on hold is the sum of the prices of their unfinished generations.",
        """
        SELECT format('customer %s: on hold %s, open generations %s', a.customer_id, a.balance,
                      coalesce(sum(g.price_kopecks), 0))
        FROM accounts a
        LEFT JOIN generations g ON g.customer_id = a.customer_id AND g.state IN ('pending', 'submitting', 'running')
        WHERE a.kind = 'held'
        GROUP BY a.id HAVING a.balance <> coalesce(sum(g.price_kopecks), 0)
        """,
    ),
    Invariant(
        "nobody_is_overdrawn",
        "No customer has less than nothing.",
        """
        SELECT format('account %s: balance %s', id, balance) FROM accounts WHERE balance < 0
        """,
    ),
    Invariant(
        "welcome_is_given_once",
        "Nobody was welcomed twice.",
        """
        SELECT format('account %s: welcomed %s times', credit_id, count(*))
        FROM transfers WHERE kind = 'welcome' GROUP BY credit_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        "confirmed_has_one_hold",
        "Every confirmed generation has exactly one hold, of exactly its price, from its own customer's balance.",
        """
        SELECT format('generation %s: price %s, held %s', g.id, g.price_kopecks,
                      coalesce(string_agg(t.amount_kopecks::text, ' + '), 'nothing'))
        FROM generations g
        LEFT JOIN transfers t ON t.generation_id = g.id AND t.kind = 'hold'
        LEFT JOIN accounts own ON own.id = t.debit_id AND own.kind = 'available' AND own.customer_id = g.customer_id
        LEFT JOIN accounts aside ON aside.id = t.credit_id AND aside.kind = 'held' AND aside.customer_id = g.customer_id
        WHERE g.confirmed_at IS NOT NULL
        GROUP BY g.id
        HAVING count(t.id) <> 1 OR count(own.id) <> 1 OR count(aside.id) <> 1
            OR max(t.amount_kopecks) IS DISTINCT FROM g.price_kopecks
        """,
    ),
    Invariant(
        "money_follows_state",
        "Done in time is captured, once; failed, canceled and late are released, once; unfinished is neither.",
        """
        SELECT format('generation %s is %s: %s', g.id, g.state,
                      coalesce(string_agg(t.kind, ', ' ORDER BY t.id), 'neither captured nor released'))
        FROM generations g
        LEFT JOIN transfers t ON t.generation_id = g.id AND t.kind IN ('capture', 'release')
        WHERE g.confirmed_at IS NOT NULL
        GROUP BY g.id
        HAVING string_agg(t.kind, ', ')
               IS DISTINCT FROM CASE WHEN g.state = 'done' AND NOT g.late THEN 'capture'
                                     WHEN g.state IN ('done', 'failed', 'canceled') THEN 'release' END
        """,
    ),
    Invariant(
        "resolution_equals_hold",
        "What was held is what was captured, into sales, or released, to where it came from; what the house was lent "
        "for a result goes back to the adjustments.",
        """
        SELECT format('generation %s: held %s, %s %s from account %s to %s', h.generation_id, h.amount_kopecks,
                      r.kind, r.amount_kopecks, r.debit_id, r.credit_id)
        FROM transfers h
        JOIN transfers r ON r.generation_id = h.generation_id AND r.kind IN ('capture', 'release')
        JOIN generations g ON g.id = h.generation_id
        JOIN customers c ON c.id = g.customer_id
        LEFT JOIN accounts taker ON taker.id = r.credit_id
              AND taker.kind = CASE c.telegram_id WHEN 0 THEN 'adjustments' ELSE 'sales' END
        WHERE h.kind = 'hold'
          AND (h.amount_kopecks <> r.amount_kopecks OR h.credit_id <> r.debit_id
               OR CASE r.kind WHEN 'capture' THEN taker.id IS NULL ELSE r.credit_id <> h.debit_id END)
        """,
    ),
    Invariant(
        "refund_equals_capture",
        "A refund is exactly what was captured, once, from where it went into its own customer's balance.",
        """
        SELECT format('generation %s: refund %s of %s from account %s to %s, %s', r.generation_id, r.id,
                      r.amount_kopecks, r.debit_id, r.credit_id,
                      coalesce('captured ' || c.amount_kopecks || ' into ' || c.credit_id, 'never captured'))
        FROM transfers r
        JOIN generations g ON g.id = r.generation_id
        LEFT JOIN transfers c ON c.generation_id = r.generation_id AND c.kind = 'capture'
        LEFT JOIN accounts own ON own.id = r.credit_id AND own.kind = 'available' AND own.customer_id = g.customer_id
        LEFT JOIN transfers earlier
               ON earlier.generation_id = r.generation_id AND earlier.kind = 'refund' AND earlier.id < r.id
        WHERE r.kind = 'refund'
          AND (earlier.id IS NOT NULL OR own.id IS NULL OR r.debit_id IS DISTINCT FROM c.credit_id
               OR r.amount_kopecks IS DISTINCT FROM c.amount_kopecks)
        """,
    ),
    Invariant(
        "topup_has_one_payment",
        "Every payment is one top-up of its amount, into its customer's balance, and there is no other top-up.",
        """
        SELECT format('payment %s of %s: %s', coalesce(p.id, t.payment_id)::text, p.amount_kopecks,
                      coalesce('topped up ' || string_agg(t.amount_kopecks::text, ' + '), 'not credited'))
        FROM payments p
        FULL JOIN (SELECT * FROM transfers WHERE kind = 'topup' OR payment_id IS NOT NULL) t ON t.payment_id = p.id
        LEFT JOIN accounts source ON source.id = t.debit_id AND source.kind = 'topups'
        LEFT JOIN accounts own ON own.id = t.credit_id AND own.kind = 'available' AND own.customer_id = p.customer_id
        GROUP BY p.id, t.payment_id
        HAVING p.id IS NULL OR count(t.id) <> 1 OR count(source.id) <> 1 OR count(own.id) <> 1
            OR max(t.kind) <> 'topup' OR max(t.amount_kopecks) <> p.amount_kopecks
        """,
    ),
    Invariant(
        "unpaid_has_no_transfer",
        "A draft has moved no money.",
        """
        SELECT format('generation %s is %s and has a %s', g.id, g.state, t.kind)
        FROM generations g JOIN transfers t ON t.generation_id = g.id
        WHERE g.confirmed_at IS NULL
        """,
    ),
    Invariant(
        "unfinished_has_a_future",
        "Every generation that is not finished has a time at which it is looked at again, or waits for a customer "
        "who blocked the bot.",
        """
        SELECT format('generation %s is %s and nothing will wake it', g.id, g.state)
        FROM generations g JOIN customers c ON c.id = g.customer_id
        WHERE CASE WHEN g.state IN ('pending', 'submitting', 'running')
                   THEN g.next_at IS NULL OR g.next_at = 'infinity'
                   WHEN g.state IN ('done', 'failed') AND g.delivered_at IS NULL
                   THEN g.next_at IS NULL OR g.next_at = 'infinity' AND c.blocked_at IS NULL END
        """,
    ),
    Invariant(
        "done_has_a_result",
        "Every successful generation has an output for the chat, and counts as delivered only when all are sent.",
        """
        SELECT format('generation %s: %s outputs, %s unsent, delivered %s', g.id, count(d.id),
                      count(d.id) FILTER (WHERE d.state <> 'sent'), g.delivered_at)
        FROM generations g LEFT JOIN deliveries d ON d.generation_id = g.id AND d.part <> 'failure'
        WHERE g.state = 'done'
        GROUP BY g.id
        HAVING count(d.id) FILTER (WHERE d.part = 'result') <> 1
            OR (g.delivered_at IS NOT NULL AND count(d.id) FILTER (WHERE d.state <> 'sent') > 0)
        """,
    ),
    Invariant(
        "follow_up_follows_a_result",
        "What goes on from an order goes on from a successful one of the same customer.",
        """
        SELECT format('generation %s of customer %s follows %s, %s of customer %s', g.id, g.customer_id, e.id, e.state,
                      e.customer_id)
        FROM generations g JOIN generations e ON e.id = g.follows_id
        WHERE e.state <> 'done' OR e.customer_id <> g.customer_id
        """,
    ),
    Invariant(
        "house_is_lent_its_prices",
        "The house has nothing to spend: it was lent exactly what its orders hold, and gave back what was released.",
        """
        SELECT format('customer %s has %s; lent %s, held %s, released %s, given back %s', c.id, own.balance,
                      moved.lent, moved.held, moved.released, moved.given_back)
        FROM customers c
        JOIN accounts own ON own.customer_id = c.id AND own.kind = 'available'
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(amount_kopecks) FILTER (WHERE credit_id = own.id AND kind <> 'release'), 0) AS lent,
                   coalesce(sum(amount_kopecks) FILTER (WHERE debit_id = own.id AND kind = 'hold'), 0) AS held,
                   coalesce(sum(amount_kopecks) FILTER (WHERE credit_id = own.id AND kind = 'release'), 0) AS released,
                   coalesce(sum(amount_kopecks) FILTER (WHERE debit_id = own.id AND kind <> 'hold'), 0) AS given_back
            FROM transfers WHERE own.id IN (debit_id, credit_id)) moved
        WHERE c.telegram_id = 0
          AND (own.balance <> 0 OR moved.lent <> moved.held OR moved.released <> moved.given_back)
        """,
    ),
    Invariant(
        "house_orders_directly",
        "The house has no chat, so none of its orders has one.",
        """
        SELECT format('generation %s of the house is in chat %s', g.id, g.chat_id)
        FROM generations g JOIN customers c ON c.id = g.customer_id
        WHERE c.telegram_id = 0 AND g.chat_id IS NOT NULL
        """,
    ),
    Invariant(
        "direct_is_shown_to_nobody",
        "Nothing of an order without a chat was put into one, and nothing rings for it.",
        """
        SELECT format('generation %s: delivery %s, %s, message %s', g.id, d.id, d.part, d.message_id)
        FROM generations g JOIN deliveries d ON d.generation_id = g.id
        WHERE g.chat_id IS NULL AND (d.part = 'notice' OR d.message_id IS NOT NULL OR d.file_id IS NOT NULL)
        """,
    ),
    Invariant(
        "customer_has_two_accounts",
        "Every customer has one available and one held account.",
        """
        SELECT format('customer %s has %s accounts', c.id, count(a.id))
        FROM customers c LEFT JOIN accounts a ON a.customer_id = c.id
        GROUP BY c.id
        HAVING count(*) FILTER (WHERE a.kind = 'available') <> 1 OR count(*) FILTER (WHERE a.kind = 'held') <> 1
        """,
    ),
    Invariant(
        "import_equals_transfers",
        "What an import noted for a customer is what its transfers left in their balance.",
        """
        SELECT format('customer %s: noted %s, transfers %s', i.customer_id, i.available_kopecks,
                      coalesce(sum(t.amount), 0))
        FROM imported_customers i
        JOIN accounts a ON a.customer_id = i.customer_id AND a.kind = 'available'
        LEFT JOIN (SELECT credit_id AS account, credit_seq AS seq, amount_kopecks AS amount FROM transfers
                   UNION ALL SELECT debit_id, debit_seq, -amount_kopecks FROM transfers) t
               ON t.account = a.id AND t.seq > i.before_seq AND t.seq <= i.last_seq
        GROUP BY i.customer_id HAVING i.available_kopecks <> coalesce(sum(t.amount), 0)
        """,
    ),
)


async def audit(tx: Tx) -> tuple[Finding, ...]:
    """Runs every invariant; all of them see one snapshot when `tx` is REPEATABLE READ."""
    if tx.is_in_transaction():
        await tx.execute(f"SET LOCAL statement_timeout = '{PATIENCE_S}s'")
    return tuple([await _look(tx, invariant) for invariant in INVARIANTS])


async def _look(tx: Tx, invariant: Invariant) -> Finding:
    rows = await tx.fetch(
        f"SELECT violation, count(*) OVER () FROM ({invariant.sql}) AS found (violation) LIMIT {SAMPLE}",  # noqa: S608 - texts of ours
        timeout=PATIENCE_S,
    )
    return Finding(invariant, rows[0][1] if rows else 0, tuple(row[0] for row in rows))
