"""The generations' SQL; every change of state names the state it comes from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Self

import asyncpg

from kiosk.db import Tx
from kiosk.generations.states import Failure, State

# How far apart the orders of one customer stand in line: whoever comes within that time is served between them.
APART_S: Final = 60.0

COLUMNS = """
    id, customer_id, state, model_id, inputs, asking, chat_id, message_id, answered_update, price_kopecks, quoted_at,
    callback_token, submits, task_id, failure, late, polls, delivery_tries, deadline_at, confirmed_at, submitted_at,
    settled_at, delivered_at, credits_quoted, place_told, wait_told, now() AS read_at, follows_id, earlier
"""


@dataclass(frozen=True, slots=True)
class Generation:
    """One row as it was at `read_at`, the database's own time."""

    id: int
    customer_id: int
    state: State
    model_id: str
    inputs: Mapping[str, Any]
    asking: str | None
    chat_id: int | None  # None: a direct order, which whoever ordered it fetches
    message_id: int | None
    answered_update: int | None
    price_kopecks: int | None
    quoted_at: datetime | None
    callback_token: str
    submits: int
    task_id: str | None
    failure: Failure | None
    late: bool
    polls: int
    delivery_tries: int
    deadline_at: datetime | None
    confirmed_at: datetime | None
    submitted_at: datetime | None
    settled_at: datetime | None
    delivered_at: datetime | None
    credits_quoted: Decimal | None
    place_told: int | None  # what the status message says of the line
    wait_told: str | None
    read_at: datetime
    follows_id: int | None = None  # the order whose result this one goes on from
    earlier: Mapping[str, Any] | None = None  # what its task was sent, as far as prices hang on it

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Self:
        values = dict(row)
        values["state"] = State(values["state"])
        values["inputs"] = json.loads(values["inputs"])
        values["earlier"] = json.loads(values["earlier"]) if values["earlier"] else None
        values["failure"] = Failure(values["failure"]) if values["failure"] else None
        return cls(**values)

    @property
    def price(self) -> int:
        """Kopecks of a generation that was quoted."""
        assert self.price_kopecks is not None  # noqa: S101 - asked only after a quote
        return self.price_kopecks

    @property
    def is_direct(self) -> bool:
        return self.chat_id is None

    @property
    def chat(self) -> int:
        """The chat of a generation that has one."""
        assert self.chat_id is not None  # noqa: S101 - asked of no direct order
        return self.chat_id

    @property
    def status_message(self) -> int:
        """The message of a generation that was shown."""
        assert self.message_id is not None  # noqa: S101 - the schema wants one of everything confirmed
        return self.message_id

    def __repr__(self) -> str:
        return f"<generation {self.id} {self.state}>"  # never the callback token


def maybe(row: asyncpg.Record | None) -> Generation | None:
    """A row that may not be there."""
    return Generation.from_row(row) if row else None


# ruff: noqa: S608 - the only text put into these statements is COLUMNS above


async def get(tx: Tx, generation_id: int) -> Generation | None:
    return maybe(await tx.fetchrow(f"SELECT {COLUMNS} FROM generations WHERE id = $1", generation_id))


async def lock(tx: Tx, generation_id: int, customer_id: int) -> Generation | None:
    """None when there is none or it is somebody else's."""
    return maybe(
        await tx.fetchrow(
            f"SELECT {COLUMNS} FROM generations WHERE id = $1 AND customer_id = $2 FOR UPDATE",
            generation_id,
            customer_id,
        )
    )


async def cancel(tx: Tx, generation_id: int, *, was: State) -> bool:
    tag = await tx.execute(
        """
        UPDATE generations SET state = 'canceled', settled_at = now(), next_at = NULL, asking = NULL
        WHERE id = $1 AND state = $2
        """,
        generation_id,
        was.value,
    )
    return tag == "UPDATE 1"


async def open_count(tx: Tx, customer_id: int) -> int:
    count: int = await tx.fetchval(
        "SELECT count(*) FROM generations WHERE customer_id = $1 AND state IN ('pending', 'submitting', 'running')",
        customer_id,
    )
    return count


async def confirm(
    tx: Tx, generation_id: int, *, message_id: int | None, line_s: float, run_s: float, wake_s: float
) -> Generation | None:
    """draft → pending, where the wizard lives now: an older card that was pressed may be taken away yet.

    It lines up behind what the customer has in line already, so that everybody's first comes before anybody's second.
    """
    return maybe(
        await tx.fetchrow(
            f"""
            UPDATE generations
            SET state = 'pending', message_id = coalesce(message_id, $2), confirmed_at = now(), asking = NULL,
                line_ends_at = now() + make_interval(secs => $3), deadline_at = now() + make_interval(secs => $3),
                run_s = $4, next_at = now() + make_interval(secs => $5),
                lined_up_at = greatest(now(), (SELECT max(other.lined_up_at) + make_interval(secs => $6)
                                               FROM generations other
                                               WHERE other.customer_id = generations.customer_id
                                                 AND other.state = 'pending'))
            WHERE id = $1 AND state = 'draft' RETURNING {COLUMNS}
            """,
            generation_id,
            message_id,
            line_s,
            run_s,
            wake_s,
            APART_S,
        )
    )


async def claim_submit(tx: Tx, generation_id: int, *, grace_s: float, submits_at_most: int) -> Generation | None:
    """pending → submitting, or once more when the last outcome stayed unknown for `grace_s`.

    Leaving the line begins its time at the provider; a repetition does not.
    """
    return maybe(
        await tx.fetchrow(
            f"""
            UPDATE generations
            SET state = 'submitting', submits = submits + 1, submitted_at = now(),
                next_at = now() + make_interval(secs => $2),
                deadline_at = CASE state WHEN 'pending' THEN coalesce(now() + make_interval(secs => run_s), deadline_at)
                                         ELSE deadline_at END
            WHERE id = $1 AND deadline_at > now() AND submits < $3
              AND (state = 'pending'
                   OR state = 'submitting' AND submitted_at <= now() - make_interval(secs => $2))
            RETURNING {COLUMNS}
            """,
            generation_id,
            grace_s,
            submits_at_most,
        )
    )


async def put_back(tx: Tx, generation_id: int, *, submits: int, wait_s: float, behind: bool) -> bool:
    """The provider made no task, so this attempt does not count. `behind`: for `wait_s` and longer, others come first.

    submitting → pending, unless an earlier attempt is still of unknown outcome: that one is waited for further. Back in
    line the order has what was left of its time there.
    """
    tag = await tx.execute(
        """
        UPDATE generations
        SET state = CASE submits WHEN 1 THEN 'pending' ELSE 'submitting' END,
            deadline_at = CASE submits WHEN 1 THEN coalesce(line_ends_at, deadline_at) ELSE deadline_at END,
            submits = submits - 1, next_at = now() + make_interval(secs => $3),
            held_back_until = CASE WHEN $4 THEN now() + make_interval(secs => $3) END,
            lined_up_at = CASE WHEN $4 THEN greatest(now(), (
                SELECT max(coalesce(other.lined_up_at, other.confirmed_at)) + interval '1 ms' FROM generations other
                WHERE other.state = 'pending')) ELSE lined_up_at END
        WHERE id = $1 AND state = 'submitting' AND submits = $2
        """,
        generation_id,
        submits,
        wait_s,
        behind,
    )
    return tag == "UPDATE 1"


async def start_running(tx: Tx, generation_id: int, task_id: str, *, poll_s: float) -> bool:
    """submitting → running."""
    tag = await tx.execute(
        """
        UPDATE generations SET state = 'running', task_id = $2, next_at = now() + make_interval(secs => $3)
        WHERE id = $1 AND state = 'submitting'
        """,
        generation_id,
        task_id,
        poll_s,
    )
    return tag == "UPDATE 1"


async def poll_again(tx: Tx, generation_id: int, *, wait_s: float) -> None:
    await tx.execute(
        """
        UPDATE generations SET polls = polls + 1, next_at = now() + make_interval(secs => $2)
        WHERE id = $1 AND state = 'running'
        """,
        generation_id,
        wait_s,
    )


async def settle_done(
    tx: Tx, generation_id: int, *, was: State, wake_s: float, late_look_s: float | None = None
) -> bool:
    """running → done, or failed → done when it succeeded late. `late_look_s`: another task of it has not ended yet."""
    tag = await tx.execute(
        """
        UPDATE generations
        SET state = 'done', failure = NULL, late = (state = 'failed'), settled_at = now(), delivered_at = NULL,
            delivery_tries = 0, next_at = now() + make_interval(secs => $3),
            late_look_at = now() + make_interval(secs => $4), late_looks = 0
        WHERE id = $1 AND state = $2
        """,
        generation_id,
        was.value,
        wake_s,
        late_look_s,
    )
    return tag == "UPDATE 1"


async def settle_failed(
    tx: Tx, generation_id: int, *, was: State, failure: Failure, wake_s: float, late_look_s: float | None = None
) -> bool:
    """`late_look_s`: a task of it has not ended, and is looked at once more then."""
    tag = await tx.execute(
        """
        UPDATE generations
        SET state = 'failed', failure = $3, settled_at = now(), next_at = now() + make_interval(secs => $4),
            late_look_at = now() + make_interval(secs => $5)
        WHERE id = $1 AND state = $2
        """,
        generation_id,
        was.value,
        failure.value,
        wake_s,
        late_look_s,
    )
    return tag == "UPDATE 1"


async def deliver_again(tx: Tx, generation_id: int, *, wait_s: float | None) -> None:
    """Looks at it after `wait_s`; None: not before the customer comes back."""
    await tx.execute(
        """
        UPDATE generations
        SET delivery_tries = delivery_tries + 1,
            next_at = CASE WHEN $2::float8 IS NULL THEN 'infinity' ELSE now() + make_interval(secs => $2) END
        WHERE id = $1 AND delivered_at IS NULL AND state IN ('done', 'failed')
        """,
        generation_id,
        wait_s,
    )


async def move(tx: Tx, generation_id: int, chat_id: int) -> None:
    """Its group has another number now, and nothing in it is the status message: numbers begin anew there."""
    await tx.execute(
        "UPDATE generations SET chat_id = $2, message_id = 0 WHERE id = $1 AND chat_id <> $2 AND delivered_at IS NULL",
        generation_id,
        chat_id,
    )


async def delivered(tx: Tx, generation_id: int) -> bool:
    """Only when every one of its deliveries is sent; none is added while the row is held."""
    await tx.execute("SELECT FROM generations WHERE id = $1 FOR UPDATE", generation_id)
    tag = await tx.execute(
        """
        UPDATE generations SET delivered_at = now(), next_at = NULL
        WHERE id = $1 AND delivered_at IS NULL AND state IN ('done', 'failed')
          AND NOT EXISTS (SELECT FROM deliveries d WHERE d.generation_id = $1 AND d.state <> 'sent')
        """,
        generation_id,
    )
    return tag == "UPDATE 1"


async def owe_again(tx: Tx, generation_id: int, *, wake_s: float) -> None:
    """It has something to bring once more."""
    await tx.execute(
        """
        UPDATE generations
        SET delivered_at = NULL, delivery_tries = 0, next_at = now() + make_interval(secs => $2)
        WHERE id = $1 AND state = 'done' AND delivered_at IS NOT NULL
        """,
        generation_id,
        wake_s,
    )


async def deliver_once_more(tx: Tx, generation_id: int) -> None:
    """Something that was delivered is to be put into the chat again."""
    await tx.execute(
        """
        UPDATE generations SET delivered_at = NULL, next_at = now()
        WHERE id = $1 AND delivered_at IS NOT NULL AND state IN ('done', 'failed')
        """,
        generation_id,
    )


async def wake_waiting(tx: Tx, customer_id: int) -> None:
    """The customer is back: what waited for them is due now."""
    await tx.execute(
        "UPDATE generations SET next_at = now() WHERE customer_id = $1 AND next_at = 'infinity'", customer_id
    )


async def claim_due(tx: Tx, *, limit: int, lease_s: float, only: int | None = None) -> Sequence[tuple[int, State]]:
    """Takes what is due and hides it for `lease_s`, so that replicas share the work. `only`: this generation."""
    rows = await tx.fetch(
        """
        UPDATE generations SET next_at = now() + make_interval(secs => $2)
        WHERE id IN (SELECT id FROM generations WHERE next_at <= now() AND ($3::bigint IS NULL OR id = $3)
                     ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING id, state
        """,
        limit,
        lease_s,
        only,
    )
    return [(row["id"], State(row["state"])) for row in rows]
