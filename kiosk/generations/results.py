"""SQL of finished orders as what others go on from: a customer's own results, and no one else's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import asyncpg

from kiosk.db import Tx
from kiosk.delivery.plan import Media
from kiosk.media.store import KEPT_FOR


@dataclass(frozen=True, slots=True)
class Piece:
    """One file, or text, of a finished order; `number` counts them from 0.

    `task_id` made it, and `track_id` is the provider's name of it, None where it has none. `kept`: the provider still
    has both, and the file at its `source`. `originals` and `shown` are Telegram's names of it.
    """

    generation_id: int
    number: int
    delivery_id: int
    model_id: str
    inputs: Mapping[str, Any]
    media: Media
    source: str
    seconds: int | None
    task_id: str | None
    track_id: str | None
    original: str | None
    shown: str | None
    kept: bool

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Self:
        values = dict(row)
        return cls(**{**values, "inputs": json.loads(values["inputs"]), "media": Media(values["media"])})


async def pieces(tx: Tx, customer_id: int, generation_id: int) -> tuple[Piece, ...]:
    """In their order; none of an order that is not done, or not this customer's."""
    rows = await tx.fetch(
        """
        SELECT g.id AS generation_id, d.position AS number, d.id AS delivery_id, g.model_id, g.inputs, d.media,
               d.source, d.duration_s AS seconds, coalesce(d.task_id, g.task_id) AS task_id, d.track_id,
               asked.file_id AS original, d.file_id AS shown, g.settled_at > now() - $3::interval AS kept
        FROM generations g
        JOIN deliveries d ON d.generation_id = g.id AND d.part IN ('result', 'extra')
        LEFT JOIN deliveries asked
               ON asked.generation_id = g.id AND asked.part = 'original' AND asked.position = d.position
        WHERE g.id = $1 AND g.customer_id = $2 AND g.state = 'done'
        ORDER BY d.position
        """,
        generation_id,
        customer_id,
        KEPT_FOR,
    )
    return tuple(Piece.from_row(row) for row in rows)


async def piece(tx: Tx, customer_id: int, generation_id: int, number: int) -> Piece | None:
    """One of them; None when there is no such."""
    found = await pieces(tx, customer_id, generation_id)
    return next((one for one in found if one.number == number), None)
