"""The drafts' SQL: a draft is a generation that nobody has paid for yet."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from kiosk.db import Tx
from kiosk.generations.store import COLUMNS, Generation, maybe

# ruff: noqa: S608 - the only text put into these statements is the store's COLUMNS


@dataclass(frozen=True, slots=True)
class Follows:
    """The order that a draft goes on from, and what its task was sent; both None for a draft that stands alone."""

    generation_id: int | None = None
    earlier: Mapping[str, Any] | None = None


ALONE: Final = Follows()


def as_json(inputs: Mapping[str, Any]) -> str:
    return json.dumps(dict(inputs), ensure_ascii=False)


async def latest(tx: Tx, customer_id: int, chat_id: int) -> Generation | None:
    """The draft that the customer touched last in this chat, locked: free text is an answer to it."""
    return maybe(
        await tx.fetchrow(
            f"""
            SELECT {COLUMNS} FROM generations WHERE customer_id = $1 AND chat_id = $2 AND state = 'draft'
            ORDER BY touched_at DESC, id DESC LIMIT 1 FOR UPDATE
            """,
            customer_id,
            chat_id,
        )
    )


async def find(
    tx: Tx, customer_id: int, *, chat_id: int, message_id: int | None, origin_id: int | None
) -> Generation | None:
    """The draft in this message of this chat, or the one made from this origin."""
    return maybe(
        await tx.fetchrow(
            f"""
            SELECT {COLUMNS} FROM generations
            WHERE customer_id = $1 AND state = 'draft' AND (chat_id = $2 AND message_id = $3 OR origin_id = $4)
            ORDER BY id DESC LIMIT 1 FOR UPDATE
            """,
            customer_id,
            chat_id,
            message_id,
            origin_id,
        )
    )


async def answered_by(tx: Tx, customer_id: int, update_id: int) -> Generation | None:
    """The generation that this very update was applied to before, if any."""
    return maybe(
        await tx.fetchrow(
            f"""
            SELECT {COLUMNS} FROM generations WHERE customer_id = $1 AND answered_update = $2 ORDER BY id DESC LIMIT 1
            """,
            customer_id,
            update_id,
        )
    )


async def insert(
    tx: Tx,
    *,
    customer_id: int,
    model_id: str,
    inputs: Mapping[str, Any],
    chat_id: int | None,
    message_id: int | None,
    callback_token: str,
    origin_id: int | None,
    follows: Follows = ALONE,
) -> Generation | None:
    """None when this message or this origin has a draft already."""
    return maybe(
        await tx.fetchrow(
            f"""
            INSERT INTO generations (customer_id, model_id, inputs, chat_id, message_id, callback_token, origin_id,
                                     follows_id, earlier)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING {COLUMNS}
            """,
            customer_id,
            model_id,
            as_json(inputs),
            chat_id,
            message_id,
            callback_token,
            origin_id,
            follows.generation_id,
            None if follows.earlier is None else as_json(follows.earlier),
        )
    )


async def save(
    tx: Tx,
    generation_id: int,
    *,
    inputs: Mapping[str, Any],
    asking: str | None,
    update_id: int | None,
    price_kopecks: int | None,
    credits_quoted: Decimal | None,
) -> Generation | None:
    """Writes what the wizard knows; a price only once there is nothing left to ask."""
    return maybe(
        await tx.fetchrow(
            f"""
            UPDATE generations
            SET inputs = $2, asking = $3, answered_update = coalesce($4, answered_update), price_kopecks = $5,
                credits_quoted = $6, quoted_at = CASE WHEN $5::bigint IS NULL THEN NULL ELSE now() END,
                touched_at = now()
            WHERE id = $1 AND state = 'draft' RETURNING {COLUMNS}
            """,
            generation_id,
            as_json(inputs),
            asking,
            update_id,
            price_kopecks,
            credits_quoted,
        )
    )


async def move(tx: Tx, generation_id: int, message_id: int, *, was: int | None) -> bool:
    """The wizard moves from message `was`; False: it is no longer there, or no draft any more, and stays."""
    tag = await tx.execute(
        """
        UPDATE generations SET message_id = $2, touched_at = now()
        WHERE id = $1 AND state = 'draft' AND message_id IS NOT DISTINCT FROM $3
        """,
        generation_id,
        message_id,
        was,
    )
    return tag == "UPDATE 1"


async def expire(tx: Tx, *, older_than_days: int) -> int:
    """Drafts that nobody touched for long are canceled; their buttons still answer."""
    tag = await tx.execute(
        """
        UPDATE generations SET state = 'canceled', settled_at = now(), asking = NULL
        WHERE state = 'draft' AND touched_at < now() - make_interval(days => $1)
        """,
        older_than_days,
    )
    return int(tag.split()[1])
