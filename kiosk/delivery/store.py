"""The deliveries' SQL: a row for everything that must reach the chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Self

import asyncpg

from kiosk.db import Tx
from kiosk.delivery.plan import ALBUM_AT_MOST, Media, Parcel, Part, like


@dataclass(frozen=True, slots=True)
class Delivery:
    """A parcel that is not sent yet; `tries` counts those begun before now."""

    id: int
    part: Part
    position: int
    media: Media
    source: str
    tries: int
    title: str = ""
    duration_s: int | None = None
    cover: str = ""
    alone: bool = False  # an album with it was refused

    @classmethod
    def from_row(cls, row: asyncpg.Record) -> Self:
        values = dict(row)
        return cls(**{**values, "part": Part(values["part"]), "media": Media(values["media"])})

    def goes_with(self, other: "Delivery") -> bool:
        """Whether one album may hold both."""
        kind = like(self.part, self.media, self.source)
        same = self.part is other.part and kind is not None and kind is like(other.part, other.media, other.source)
        return same and not self.alone and not other.alone


async def insert(tx: Tx, generation_id: int, parcels: Sequence[Parcel]) -> None:
    """Planned once per generation and part."""
    await tx.executemany(
        """
        INSERT INTO deliveries (generation_id, part, position, media, source, title, duration_s, cover, task_id,
                                track_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (generation_id, part, position) DO NOTHING
        """,
        [
            (
                generation_id,
                one.part.value,
                one.position,
                one.media.value,
                one.source,
                one.title,
                one.duration_s,
                one.cover,
                one.task_id,
                one.track_id,
            )
            for one in parcels
        ],
    )


async def insert_original(tx: Tx, generation_id: int, delivery_id: int) -> bool:
    """For the picture of one parcel. False: it is there already."""
    tag = await tx.execute(
        """
        INSERT INTO deliveries (generation_id, part, position, media, source)
        SELECT generation_id, 'original', position, media, source FROM deliveries WHERE id = $2 AND generation_id = $1
        ON CONFLICT (generation_id, part, position) DO NOTHING
        """,
        generation_id,
        delivery_id,
    )
    return tag != "INSERT 0 0"


async def insert_originals(tx: Tx, generation_id: int) -> bool:
    """One for each picture of the result. False: it has none, or they are there already."""
    tag = await tx.execute(
        """
        INSERT INTO deliveries (generation_id, part, position, media, source)
        SELECT generation_id, 'original', position, media, source FROM deliveries
        WHERE generation_id = $1 AND part IN ('result', 'extra') AND media = 'image'
        ON CONFLICT (generation_id, part, position) DO NOTHING
        """,
        generation_id,
    )
    return tag != "INSERT 0 0"


async def claim_next(tx: Tx, generation_id: int, *, edit_lease_s: float, send_lease_s: float) -> Delivery | None:
    """The first unsent parcel, in the order in which they are to appear; None: all sent, or one is in other hands.

    Whoever took it and did not say how it ended is taken for dead after the lease: soon where a repetition changes
    nothing in the chat, late where it would be seen.
    """
    row = await tx.fetchrow(
        """
        UPDATE deliveries SET state = 'sending', tries = tries + 1, claimed_at = now()
        WHERE id = (SELECT id FROM deliveries WHERE generation_id = $1 AND state <> 'sent'
                    ORDER BY array_position(ARRAY['failure', 'result', 'extra', 'notice', 'original'], part), position
                    LIMIT 1)
          AND (state = 'pending' OR state = 'sending' AND claimed_at <= now() - make_interval(
                   secs => CASE WHEN part IN ('extra', 'original') THEN $3::float8 ELSE $2::float8 END))
        RETURNING id, part, position, media, source, tries - 1 AS tries, title, duration_s, cover, alone
        """,
        generation_id,
        edit_lease_s,
        send_lease_s,
    )
    return Delivery.from_row(row) if row else None


async def claim_with(tx: Tx, generation_id: int, first: Delivery) -> tuple[Delivery, ...]:
    """What goes into one album with a parcel just claimed, itself first.

    Whoever holds the first unsent parcel holds those behind it, too: nobody else gets past it.
    """
    if not first.goes_with(first):
        return (first,)
    rows = await tx.fetch(
        """
        SELECT id, part, position, media, source, tries, title, duration_s, cover, alone FROM deliveries
        WHERE generation_id = $1 AND part = $2 AND position > $3 AND state <> 'sent'
        ORDER BY position LIMIT $4
        """,
        generation_id,
        first.part.value,
        first.position,
        ALBUM_AT_MOST - 1,
    )
    others = tuple(takewhile(first.goes_with, map(Delivery.from_row, rows)))
    await tx.execute(
        """
        UPDATE deliveries SET state = 'sending', tries = tries + 1, claimed_at = now()
        WHERE id = ANY($1::bigint[]) AND state <> 'sent'
        """,
        [one.id for one in others],
    )
    return (first, *others)


async def send_alone(tx: Tx, delivery_id: int) -> None:
    """No album takes it any more; nothing of this attempt was shown, so it does not count."""
    await tx.execute(
        "UPDATE deliveries SET state = 'pending', alone = true, tries = tries - 1 WHERE id = $1 AND state = 'sending'",
        delivery_id,
    )


async def take_from_the_dead(tx: Tx, *, limit: int, older_than_s: float) -> list[int]:
    """Parcels taken so long ago, or nobody knows when, are to be sent again; gives the generations they are of."""
    rows = await tx.fetch(
        """
        UPDATE deliveries SET state = 'pending'
        WHERE id IN (SELECT id FROM deliveries
                     WHERE state = 'sending'
                       AND (claimed_at IS NULL OR abs(extract(epoch FROM now() - claimed_at)) > $2::float8)
                     ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING generation_id
        """,
        limit,
        older_than_s,
    )
    return sorted({row["generation_id"] for row in rows})


async def put_back(tx: Tx, delivery_id: int, *, untried: bool = False) -> None:
    """The next attempt need not wait for the lease. `untried`: it surely was not shown, so this one does not count."""
    await tx.execute(
        "UPDATE deliveries SET state = 'pending', tries = tries - $2::int WHERE id = $1 AND state = 'sending'",
        delivery_id,
        int(untried),
    )


async def mark_sent(
    tx: Tx, delivery_id: int, *, message_id: int | None, file_id: str | None, seconds: int | None = None
) -> None:
    """`seconds`: how long it plays, as the chat says; what the provider said of it stays."""
    await tx.execute(
        """
        UPDATE deliveries
        SET state = 'sent', sent_at = now(), message_id = $2, file_id = coalesce($3, file_id),
            duration_s = coalesce(duration_s, $4)
        WHERE id = $1 AND state = 'sending'
        """,
        delivery_id,
        message_id,
        file_id,
        seconds,
    )


async def original_is_there(tx: Tx, delivery_id: int) -> None:
    """This parcel was sent as the file itself: whoever is owed the original has it."""
    await tx.execute(
        """
        UPDATE deliveries original SET state = 'sent', sent_at = now(), message_id = shown.message_id,
                                       file_id = shown.file_id
        FROM deliveries shown
        WHERE shown.id = $1 AND original.generation_id = shown.generation_id AND original.part = 'original'
          AND original.position = shown.position AND original.state = 'pending'
        """,
        delivery_id,
    )


async def put_at_hand(tx: Tx, generation_id: int) -> None:
    """Nobody waits for them in a chat: they are as good as brought, and lie where they are fetched from."""
    await tx.execute(
        "UPDATE deliveries SET state = 'sent', sent_at = now() WHERE generation_id = $1 AND state <> 'sent'",
        generation_id,
    )


async def at_hand(tx: Tx, generation_id: int) -> tuple[Parcel, ...]:
    """The files and texts of a result, in their order."""
    rows = await tx.fetch(
        """
        SELECT part, position, media, source, title, duration_s FROM deliveries
        WHERE generation_id = $1 AND part IN ('result', 'extra') ORDER BY part = 'extra', position
        """,
        generation_id,
    )
    return tuple(
        Parcel(Part(row["part"]), row["position"], Media(row["media"]), row["source"], row["title"], row["duration_s"])
        for row in rows
    )


async def again(tx: Tx, generation_id: int, part: Part) -> None:
    """It was, or is being, shown, and something was written over it."""
    await tx.execute(
        """
        UPDATE deliveries SET state = 'pending', sent_at = NULL
        WHERE generation_id = $1 AND part = $2 AND state IN ('sending', 'sent')
        """,
        generation_id,
        part.value,
    )


async def result_message(tx: Tx, generation_id: int) -> int | None:
    """The message that holds the result, once it was sent."""
    found: int | None = await tx.fetchval(
        "SELECT message_id FROM deliveries WHERE generation_id = $1 AND part = 'result'", generation_id
    )
    return found


async def forget_result_message(tx: Tx, generation_id: int) -> None:
    """Its number belongs to a chat that is no more; in the new one it is somebody else's."""
    await tx.execute(
        "UPDATE deliveries SET message_id = NULL WHERE generation_id = $1 AND part = 'result'", generation_id
    )
