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


async def add(tx: Tx, customer_id: int, update_id: int, source: Source, facts: Facts) -> int | None:
    """The file's number; None when this update has brought it already."""
    media_id: int | None = await tx.fetchval(
        """
        INSERT INTO media (customer_id, update_id, file_id, link, extension, mime, size_bytes, seconds)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING id
        """,
        customer_id,
        update_id,
        source.file_id,
        source.link,
        facts.extension,
        facts.mime,
        facts.size_bytes,
        facts.seconds,
    )
    return media_id


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
