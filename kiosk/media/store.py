"""SQL of the files that customers sent."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from kiosk.db import Tx
from kiosk.media.fit import Facts

FRESH_FOR: Final = timedelta(hours=20)  # the provider keeps an upload for 24 hours


@dataclass(frozen=True, slots=True)
class Source:
    """Where a file came from: either is None."""

    file_id: str | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Kept:
    """A row. `address`: where the provider still has it, None: it has to be handed over (again)."""

    id: int
    source: Source
    extension: str
    mime: str
    address: str | None


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


async def find(tx: Tx, customer_id: int, media_ids: Collection[int]) -> Mapping[int, Kept]:
    """Of this customer alone: nobody orders with the files of others."""
    rows = await tx.fetch(
        """
        SELECT id, file_id, link, extension, mime, CASE WHEN uploaded_at > now() - $3::interval THEN address END
        FROM media WHERE customer_id = $1 AND id = ANY($2::bigint[])
        """,
        customer_id,
        list(media_ids),
        FRESH_FOR,
    )
    return {row[0]: Kept(row[0], Source(row[1], row[2]), row[3], row[4], row[5]) for row in rows}


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
