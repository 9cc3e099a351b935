"""Results into a folder: each file named by its order, with the extension that its content deserves, over no other."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from kiosk.delivery.fetch import CHUNK_BYTES, Download, Fetcher, TooBig
from kiosk.delivery.plan import Media, Parcel
from kiosk.delivery.wording import Wording

TRIES: Final = 3
AGAIN_S: Final = 1.0


class NotKept(Exception):  # noqa: N818 - it states a fact
    """A file of a result could not be fetched or written; the message says why."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that is there now."""

    path: Path
    media: Media
    mime: str
    size_bytes: int


async def keep(fetcher: Fetcher, parcels: Sequence[Parcel], folder: Path, stem: str) -> tuple[Kept, ...]:
    """Fetches and writes them in their order. Errors: NotKept; what was written before it stays."""
    several = len(parcels) > 1
    stems = [f"{stem}-{number}" if several else stem for number in range(1, len(parcels) + 1)]
    try:
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        return tuple([await _keep(fetcher, one, folder / name) for one, name in zip(parcels, stems, strict=True)])
    except OSError as error:
        raise NotKept(f"{error.filename or folder}: {error.strerror}") from None


async def _keep(fetcher: Fetcher, parcel: Parcel, stem: Path) -> Kept:
    said = Wording.of(parcel.source)
    if said is not None:
        content = said.text.encode(errors="replace")
        path = await _write(stem, said.extension, _whole(content))
        return Kept(path, Media.TEXT, said.mime, len(content))
    download = await _downloaded(fetcher, parcel)
    try:
        path = await _write(stem, download.extension, download.chunks(CHUNK_BYTES))
    finally:
        download.close()
    return Kept(path, download.media, download.mime, download.size_bytes)


async def _downloaded(fetcher: Fetcher, parcel: Parcel) -> Download:
    why = ""
    for attempt in range(TRIES):
        await asyncio.sleep(AGAIN_S * attempt)
        got = await fetcher.download(parcel.source)
        if isinstance(got, Download):
            return got
        why = "it is too big" if isinstance(got, TooBig) else got.why
    raise NotKept(f"the {parcel.media} at {parcel.source} cannot be fetched: {why}")


async def _write(stem: Path, extension: str, chunks: AsyncIterator[bytes]) -> Path:
    """What could not be written to its end is taken away again."""
    path, file = await asyncio.to_thread(_new_file, stem, extension)
    try:
        with file:
            async for chunk in chunks:
                await asyncio.to_thread(file.write, chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path


def _new_file(stem: Path, extension: str) -> tuple[Path, BinaryIO]:
    """Under the first name that nobody has: `z-image-17.png`, else `z-image-17_2.png`."""
    for number in itertools.count(1):
        path = stem.with_name(f"{stem.name}.{extension}" if number == 1 else f"{stem.name}_{number}.{extension}")
        try:
            return path, path.open("xb")
        except FileExistsError:
            continue
    raise AssertionError  # numbers do not end


async def _whole(content: bytes) -> AsyncIterator[bytes]:
    yield content
