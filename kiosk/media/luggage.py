"""Before an order is placed, the provider gets the files that its inputs name: a file has an address for 24 hours."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog

from kiosk.catalog.reference import Reference, read_reference, references
from kiosk.db import Database
from kiosk.delivery.fetch import HEAD_BYTES, sniff
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError, RequestTooLarge
from kiosk.media import store
from kiosk.media.source import FROM_LINK_BYTES, Gone, Library, Unreachable, read
from kiosk.media.store import Kept, Source

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Packed:
    """Where the provider finds each file, by its number."""

    addresses: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Lost:
    """A file cannot be read any more, or was never this customer's."""

    media_id: int


@dataclass(frozen=True, slots=True)
class NotNow:
    """Telegram, the file's host or the provider is away."""

    media_id: int


Packing: TypeAlias = Packed | Lost | NotNow


@dataclass(frozen=True, slots=True)
class Luggage:
    """Uploading is free and may be repeated. `hands`: how many files may be in memory at once."""

    db: Database
    kie: KieClient
    library: Library
    hands: asyncio.Semaphore

    async def pack(self, customer_id: int, inputs: Mapping[str, Any]) -> Packing:
        named = [found for value in inputs.values() for found in references(value)]
        if not named:
            return Packed({})
        async with self.db.reading() as tx:
            kept = await store.find(tx, customer_id, [one.media_id for one in named])
        addresses: dict[int, str] = {}
        for one in named:
            brought = await self._brought(kept.get(one.media_id), one)
            if not isinstance(brought, str):
                return brought
            addresses[one.media_id] = brought
        return Packed(addresses)

    async def _brought(self, kept: Kept | None, named: Reference) -> str | Lost | NotNow:
        """The file's address at the provider."""
        if kept is None:
            return Lost(named.media_id)
        if kept.address is not None:
            return kept.address
        if kept.made_at is not None and await self._stands_there(kept.made_at):
            return kept.made_at
        for source in kept.sources:
            handed = await self._handed_over(kept, source)
            if not isinstance(handed, Lost):
                return handed
        log.warning("media.lost", media_id=kept.id)
        return Lost(kept.id)

    async def _stands_there(self, address: str) -> bool:
        """The provider's own file is still where it put it, so that there is nothing to hand over."""
        try:
            async with self.library.open(Source(link=address)) as stream:
                return bool(await anext(aiter(stream.chunks), b""))
        except (Gone, Unreachable):
            return False

    async def _handed_over(self, kept: Kept, source: Source) -> str | Lost | NotNow:
        try:
            async with self.hands:
                content = await read(self.library, source, FROM_LINK_BYTES)
                _, extension, mime = sniff(content[:HEAD_BYTES]) or (None, kept.facts.extension, kept.facts.mime)
                upload = await self.kie.upload(content, file_name=f"file.{extension}", mime_type=mime)
        except (Gone, RequestTooLarge):
            return Lost(kept.id)
        except (Unreachable, KieError) as error:
            log.warning("media.not_now", media_id=kept.id, error=type(error).__name__)
            return NotNow(kept.id)
        async with self.db.transaction() as tx:
            await store.uploaded(tx, kept.id, upload.url)
        log.info("media.uploaded", media_id=kept.id, size_bytes=len(content))
        return upload.url


def addressed(value: Any, addresses: Mapping[int, str]) -> Any:
    """An input as the provider is sent it: an address in place of each file. Errors: KeyError for one without."""
    if isinstance(value, list):
        return [addressed(one, addresses) for one in value]
    found = read_reference(value)
    return addresses[found.media_id] if found else value
