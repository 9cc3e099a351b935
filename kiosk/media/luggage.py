"""Before an order is placed, the provider gets the files that its inputs name: a file has an address for 24 hours."""

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import structlog

from kiosk.catalog.reference import Reference, read_reference, references
from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError, RequestTooLarge
from kiosk.kie.wire import Upload
from kiosk.media import store
from kiosk.media.source import FROM_LINK_BYTES, Gone, Library, Unreachable, bring
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
    """Uploading is free and may be repeated. `hands`: how many files may be on our disk at once.

    `libraries`: one for each bot, by its number; a file of a bot that has none here waits for another process.
    """

    db: Database
    kie: KieClient
    libraries: Mapping[int, Library]
    hands: asyncio.Semaphore

    async def pack(self, customer_id: int, inputs: Mapping[str, Any]) -> Packing:
        named = [found for value in inputs.values() for found in references(value)]
        if not named:
            return Packed({})
        async with self.db.reading() as tx:
            kept = await store.find(tx, customer_id, [one.media_id for one in named])
            bot_id = (await customers.get(tx, customer_id)).bot_id
        addresses: dict[int, str] = {}
        for one in named:
            brought = await self._brought(kept.get(one.media_id), one, self.libraries.get(bot_id))
            if not isinstance(brought, str):
                return brought
            addresses[one.media_id] = brought
        return Packed(addresses)

    async def _brought(self, kept: Kept | None, named: Reference, library: Library | None) -> str | Lost | NotNow:
        """The file's address at the provider."""
        if kept is None:
            return Lost(named.media_id)
        if kept.address is not None:
            return kept.address
        if library is None:
            log.warning("media.bot_away", media_id=kept.id)
            return NotNow(kept.id)
        if kept.made_at is not None and await self._stands_there(library, kept.made_at):
            return kept.made_at
        for source in kept.sources:
            brought = await self._uploaded(kept, library, source)
            if not isinstance(brought, Lost):
                return brought
        log.warning("media.lost", media_id=kept.id)
        return Lost(kept.id)

    async def _stands_there(self, library: Library, address: str) -> bool:
        """The provider's own file is still where it put it, so that there is nothing to hand over."""
        try:
            async with library.open(Source(link=address)) as stream:
                return bool(await anext(aiter(stream.chunks), b""))
        except (Gone, Unreachable):
            return False

    async def _uploaded(self, kept: Kept, library: Library, source: Source) -> str | Lost | NotNow:
        try:
            async with self.hands:
                upload, size_bytes = await self._handed_over(kept, library, source)
        except (Gone, RequestTooLarge):
            return Lost(kept.id)
        except (Unreachable, KieError) as error:
            log.warning("media.not_now", media_id=kept.id, error=type(error).__name__)
            return NotNow(kept.id)
        async with self.db.transaction() as tx:
            await store.uploaded(tx, kept.id, upload.url)
        log.info("media.uploaded", media_id=kept.id, size_bytes=size_bytes)
        return upload.url

    async def _handed_over(self, kept: Kept, library: Library, source: Source) -> tuple[Upload, int]:
        """By way of the disk: a try that fails needs no second download, and the provider is told the size at once."""
        with tempfile.NamedTemporaryFile() as file:
            found = await bring(library, source, FROM_LINK_BYTES, cast("BinaryIO", file))
            # What a customer sent was looked at as what it was; Telegram's copy of a result may be of another format.
            if found.extension != kept.facts.extension and not kept.is_result:
                raise Gone
            name = f"file.{found.extension}"
            return await self.kie.upload(Path(file.name), file_name=name, mime_type=found.mime), found.size_bytes


def addressed(value: Any, addresses: Mapping[int, str]) -> Any:
    """An input as the provider is sent it: an address in place of each file. Errors: KeyError for one without."""
    if isinstance(value, list):
        return [addressed(one, addresses) for one in value]
    if isinstance(value, dict):
        return {name: addressed(part, addresses) for name, part in value.items()}
    found = read_reference(value)
    return addresses[found.media_id] if found else value
