"""SQL of the files that orders are given: what customers sent, and what was made for them before."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import asyncpg

from kiosk.catalog.model import MediaType
from kiosk.db import Tx
from kiosk.media.fit import FROM_TELEGRAM_BYTES, Facts

FRESH_FOR: Final = timedelta(hours=20)  # the provider keeps an upload for 24 hours
KEPT_FOR: Final = timedelta(days=14)  # and what it made


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file came from: either is None."""

    file_id: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A row. `address`: where the provider still has it, None: it has to be handed over (again).

    `made_at`: where the provider keeps what it made itself, None once that is too long ago. `sources`: where else its
    bytes can be read, the better first; none for a result that the chat shows as a mere address.
    """

    id: int
    sources: tuple[Source, ...]
    facts: Facts
    address: str | None
    made_at: str | None = None
    is_result: bool = False

    @property
    def is_there(self) -> bool:
        """As far as is known without reading it."""
        return self.address is not None or bool(self.sources)


@dataclass(frozen=True, slots=True)
class Answers:
    """Which question a file is an answer to, and the album that it came in."""

    generation_id: int
    field: str
    album: str | None = None


async def add(
    tx: Tx, customer_id: int, update_id: int | None, source: Source, facts: Facts, answers: Answers | None = None
) -> int | None:
    """The file's number; None when this update has brought it already."""
    media_id: int | None = await tx.fetchval(
        """
        INSERT INTO media (customer_id, update_id, file_id, link, extension, mime, size_bytes, seconds,
                           generation_id, field, album)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING id
        """,
        customer_id,
        update_id,
        source.file_id,
        source.link,
        facts.extension,
        facts.mime,
        facts.size_bytes,
        facts.seconds,
        answers.generation_id if answers else None,
        answers.field if answers else None,
        answers.album if answers else None,
    )
    return media_id


async def is_known(tx: Tx, customer_id: int, update_id: int) -> bool:
    """This update has brought its file already."""
    known: bool = await tx.fetchval(
        "SELECT EXISTS (SELECT FROM media WHERE customer_id = $1 AND update_id = $2)", customer_id, update_id
    )
    return known


async def answered_by(tx: Tx, customer_id: int, album: str) -> Answers | None:
    """The question that earlier files of an album have answered; None: none of them did."""
    row = await tx.fetchrow(
        """
        SELECT generation_id, field, album FROM media
        WHERE customer_id = $1 AND album = $2 AND generation_id IS NOT NULL ORDER BY id DESC LIMIT 1
        """,
        customer_id,
        album,
    )
    return Answers(**dict(row)) if row else None


async def add_result(tx: Tx, customer_id: int, delivery_id: int, facts: Facts) -> None:
    """What was delivered to this customer, as a file to order with; looked at again, it stays as it was."""
    await tx.execute(
        """
        INSERT INTO media (customer_id, delivery_id, extension, mime, size_bytes, seconds)
        SELECT $1, d.id, $3, $4, $5, $6
        FROM deliveries d JOIN generations g ON g.id = d.generation_id
        WHERE d.id = $2 AND g.customer_id = $1
        ON CONFLICT DO NOTHING
        """,
        customer_id,
        delivery_id,
        facts.extension,
        facts.mime,
        facts.size_bytes,
        facts.seconds,
    )


async def of_update(tx: Tx, customer_id: int, update_id: int) -> int | None:
    """The number of the file that this update brought."""
    media_id: int | None = await tx.fetchval(
        "SELECT id FROM media WHERE customer_id = $1 AND update_id = $2", customer_id, update_id
    )
    return media_id


async def of_delivery(tx: Tx, customer_id: int, delivery_id: int) -> int | None:
    """The number of this result's file; None: nobody has looked at it yet."""
    media_id: int | None = await tx.fetchval(
        "SELECT id FROM media WHERE delivery_id = $2 AND customer_id = $1", customer_id, delivery_id
    )
    return media_id


async def find(tx: Tx, customer_id: int, media_ids: Collection[int]) -> Mapping[int, Kept]:
    """Of this customer alone: nobody orders with the files of others."""
    rows = await tx.fetch(
        """
        SELECT m.id, m.file_id, m.link, m.extension, m.mime, m.size_bytes, m.seconds,
               CASE WHEN m.uploaded_at > now() - $3::interval THEN m.address END AS address,
               CASE WHEN g.settled_at > now() - $4::interval THEN d.source END AS made_at,
               m.delivery_id IS NOT NULL AS is_result, asked.file_id AS original, d.file_id AS shown
        FROM media m
        LEFT JOIN deliveries d ON d.id = m.delivery_id
        LEFT JOIN generations g ON g.id = d.generation_id
        LEFT JOIN deliveries asked
               ON asked.generation_id = d.generation_id AND asked.part = 'original' AND asked.position = d.position
        WHERE m.customer_id = $1 AND m.id = ANY($2::bigint[])
        """,
        customer_id,
        list(media_ids),
        FRESH_FOR,
        KEPT_FOR,
    )
    return {row["id"]: _kept(row) for row in rows}


def _kept(row: asyncpg.Record) -> Kept:
    extension, mime = row["extension"], row["mime"]
    facts = Facts(MediaType(mime.partition("/")[0]), extension, mime, row["size_bytes"], row["seconds"])
    links = [Source(link=link) for link in (row["link"], row["made_at"]) if link]
    readable = facts.size_bytes <= FROM_TELEGRAM_BYTES
    shown = (row["original"], row["shown"]) if readable else ()
    files = [Source(file_id=name) for name in (row["file_id"], *shown) if name]
    return Kept(row["id"], (*links, *files), facts, row["address"], row["made_at"], row["is_result"])


async def uploaded(tx: Tx, media_id: int, address: str) -> None:
    await tx.execute("UPDATE media SET address = $2, uploaded_at = now() WHERE id = $1", media_id, address)


async def add_uploaded(tx: Tx, customer_id: int, facts: Facts, address: str) -> int:
    """The number of a file that came with no update: the provider has it, and nobody else that we could ask."""
    media_id: int = await tx.fetchval(
        """
        INSERT INTO media (customer_id, extension, mime, size_bytes, seconds, address, uploaded_at)
        VALUES ($1, $2, $3, $4, $5, $6, now()) RETURNING id
        """,
        customer_id,
        facts.extension,
        facts.mime,
        facts.size_bytes,
        facts.seconds,
        address,
    )
    return media_id
