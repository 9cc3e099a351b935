"""The line of orders before the provider: SQL."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.db import Tx
from kiosk.generations.gate import Why

# The partial index `generations_line` is in this order; `store.confirm` and `store.put_back` decide about it.
ORDER = "coalesce(lined_up_at, confirmed_at), id"

# ruff: noqa: S608 - the only text put into these statements is ORDER


async def first(tx: Tx, *, grace_s: float, submits_at_most: int, direct_only: bool = False) -> int | None:
    """Whose turn it is, locked: an unknown outcome that was waited for long enough, else the head of the line.

    What others have in hand is passed over, so this waits for nobody. `direct_only`: an order of a chat is left to
    those who know that chat, and whoever stands behind it waits for them.
    """
    overdue: int | None = await tx.fetchval(
        """
        SELECT id FROM generations
        WHERE state = 'submitting' AND submitted_at <= now() - make_interval(secs => $1) AND submits < $2
          AND deadline_at > now() AND (chat_id IS NULL OR NOT $3)
        ORDER BY submitted_at LIMIT 1 FOR UPDATE SKIP LOCKED
        """,
        grace_s,
        submits_at_most,
        direct_only,
    )
    if overdue is not None:
        return overdue
    head = await tx.fetchrow(
        f"""
        SELECT id, chat_id IS NULL AS is_direct FROM generations
        WHERE state = 'pending' AND deadline_at > now() AND (held_back_until IS NULL OR held_back_until <= now())
        ORDER BY {ORDER} LIMIT 1 FOR UPDATE SKIP LOCKED
        """
    )
    return head["id"] if head and (head["is_direct"] or not direct_only) else None


async def place(tx: Tx, generation_id: int) -> int | None:
    """Counted from 1; None for what is not in line."""
    found: int | None = await tx.fetchval(
        """
        SELECT (SELECT count(*) FROM generations other
                WHERE other.state = 'pending'
                  AND (coalesce(other.lined_up_at, other.confirmed_at), other.id)
                    < (coalesce(own.lined_up_at, own.confirmed_at), own.id)) + 1
        FROM generations own WHERE own.id = $1 AND own.state = 'pending'
        """,
        generation_id,
    )
    return found


async def wait(tx: Tx, generation_id: int, *, until: datetime, grace_s: float) -> None:
    """Is looked at again then: one in line, or one whose outcome was waited for in vain."""
    await tx.execute(
        """
        UPDATE generations SET next_at = greatest($2, held_back_until)
        WHERE id = $1
          AND (state = 'pending'
               OR state = 'submitting' AND submitted_at <= now() - make_interval(secs => $3))
        """,
        generation_id,
        until,
        grace_s,
    )


async def hold_back(tx: Tx, generation_id: int, *, wait_s: float) -> None:
    """It is not ready: others first."""
    await tx.execute(
        """
        UPDATE generations
        SET held_back_until = now() + make_interval(secs => $2), next_at = now() + make_interval(secs => $2)
        WHERE id = $1 AND state = 'pending'
        """,
        generation_id,
        wait_s,
    )


async def wake(tx: Tx, *, at_most: int) -> None:
    """The first in line are due now, without waiting for anybody who has one of them in hand."""
    await tx.execute(
        f"""
        UPDATE generations SET next_at = now()
        WHERE id IN (SELECT id FROM generations WHERE state = 'pending'
                     ORDER BY {ORDER} LIMIT $1 FOR UPDATE SKIP LOCKED)
        """,
        at_most,
    )


@dataclass(frozen=True, slots=True)
class Told:
    """What the status message says of the line."""

    place: int
    why: Why


async def remember_told(tx: Tx, generation_id: int, told: Told) -> bool:
    """False: it is not in line any more."""
    tag = await tx.execute(
        "UPDATE generations SET place_told = $2, wait_told = $3 WHERE id = $1 AND state = 'pending'",
        generation_id,
        told.place,
        told.why.value,
    )
    return tag == "UPDATE 1"


async def forget_told(tx: Tx, generation_id: int) -> bool:
    """Whether anything had been told."""
    tag = await tx.execute(
        "UPDATE generations SET place_told = NULL, wait_told = NULL WHERE id = $1 AND place_told IS NOT NULL",
        generation_id,
    )
    return tag == "UPDATE 1"
