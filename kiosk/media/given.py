"""Files that come without a chat, from this machine's disk or an address: looked at first, handed over later."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from kiosk.catalog.model import MediaType
from kiosk.db import Database
from kiosk.delivery.fetch import HEAD_BYTES, sniff
from kiosk.kie.client import MAX_UPLOAD_BYTES, KieClient
from kiosk.media import store
from kiosk.media.fit import Facts, Flaw
from kiosk.media.length import length_of
from kiosk.media.source import FROM_LINK_BYTES, MEDIA_OF, Gone, Library, Unreachable, look
from kiosk.media.store import Source

Given: TypeAlias = Path | str  # a file, or an address
TIMED: Final = frozenset({MediaType.VIDEO, MediaType.AUDIO})


@dataclass(frozen=True, slots=True)
class Porter:
    """Brings what was given to where an order finds it."""

    db: Database
    kie: KieClient

    async def hand_in(self, customer_id: int, given: Given, facts: Facts) -> int:
        """The number by which inputs of this customer name it. Errors: Gone, Unreachable, KieError.

        A file is uploaded now, as nobody else may be able to read it; an address is read when its order is placed.
        """
        if not isinstance(given, Path):
            async with self.db.transaction() as tx:
                media_id = await store.add(tx, customer_id, None, Source(link=given), facts)
            assert media_id is not None  # noqa: S101 - only an update could bring it twice
            return media_id
        upload = await self.kie.upload(given, file_name=f"file.{facts.extension}", mime_type=facts.mime)
        async with self.db.transaction() as tx:
            return await store.add_uploaded(tx, customer_id, facts, upload.url)


async def look_at(library: Library, given: Given, *, timed: bool) -> Facts | Flaw:
    """What the content tells, or why no model takes it; `timed`: its length counts. Errors: Gone, Unreachable."""
    if isinstance(given, Path):
        return await asyncio.to_thread(facts_of, given) or Flaw.WRONG_KIND
    return await look(library, Source(link=given), seconds=None, timed=timed, most_bytes=most_bytes(given))


def most_bytes(given: Given) -> int:
    """How large a file we can carry to the provider."""
    return MAX_UPLOAD_BYTES if isinstance(given, Path) else FROM_LINK_BYTES


def facts_of(path: Path) -> Facts | None:
    """Blocks. `seconds` are begun ones; None where the file does not tell. Errors: Gone, Unreachable."""
    try:
        with path.open("rb") as file:
            found = sniff(file.read(HEAD_BYTES))
            media = MEDIA_OF.get(found[0]) if found else None
            if found is None or media is None:
                return None
            seconds = length_of(file, found[1]) if media in TIMED else None
            return Facts(media, found[1], found[2], file.seek(0, 2), seconds)
    except (FileNotFoundError, IsADirectoryError):
        raise Gone from None
    except OSError:
        raise Unreachable from None
