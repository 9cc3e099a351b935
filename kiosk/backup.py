"""The whole database into one file, and back: whole or not at all.

The file is what pg_dump writes in its custom format, with a line at its end that says what the rest hashes to: a file
that was cut off or changed is refused before the database is touched. pg_restore reads it, too.
"""

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from kiosk.db import Tx
from kiosk.errors import CannotStart
from kiosk.postgres.clients import apart
from kiosk.postgres.keeper import Owner
from kiosk.postgres.programs import Programs

SEAL: Final = re.compile(rb"\nkiosk-backup sha256 ([0-9a-f]{64})\n")
SEAL_BYTES: Final = len("\nkiosk-backup sha256 ") + 64 + 1
LOOK_S: Final = 0.5
CHUNK_BYTES: Final = 1 << 20
SAID_LINES: Final = 3

Told = Callable[[int], None]  # bytes so far


class BackupFailed(CannotStart):
    """The backup or restoration was not made, and nothing was changed; the message says why."""


async def write(dsn: str, target: Path, told: Told) -> int:
    """Writes a new file for our eyes only, consistent while the shop runs; its size. Errors: BackupFailed."""
    with _unfinished(target) as unfinished:
        address, secret = apart(dsn)
        options = ("--format=custom", "--no-owner", "--no-privileges", f"--file={unfinished}", f"--dbname={address}")
        await _run("pg_dump", *options, env=secret, look=lambda: told(unfinished.stat().st_size))
        return await asyncio.to_thread(_seal, unfinished, target)


async def check(source: Path, told: Told) -> None:
    """Whether it is a whole backup. Errors: BackupFailed."""
    await asyncio.to_thread(_check, source, told)


async def room(tx: Tx) -> bool:
    """Whether the database holds a schema without a single customer (True) or nothing (False).

    Errors: BackupFailed when it holds anything else: that is never overwritten.
    """
    if not await tx.fetchval("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace"):
        return False
    if await tx.fetchval("SELECT to_regclass('schema_migrations') IS NULL OR to_regclass('customers') IS NULL"):
        raise BackupFailed("the database holds something that is no shop: restore into an empty one")
    if await tx.fetchval("SELECT EXISTS (SELECT FROM customers) OR EXISTS (SELECT FROM payments)"):
        raise BackupFailed("the database holds a shop: restore into an empty one")
    return True


async def read(source: Path, dsn: str, *, replacing: bool) -> None:
    """Puts everything into the database in one transaction; `replacing`: an empty schema. Errors: BackupFailed."""
    address, secret = apart(dsn)
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", f"--dbname={address}"]
    if replacing:
        options += ["--clean", "--if-exists"]
    await _run("pg_restore", *options, source, env=secret, look=lambda: None)


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A new file beside the target, for our eyes only, gone afterwards. Errors: BackupFailed."""
    path = target.with_name(f".{target.name}.unfinished")
    if target.exists():
        raise BackupFailed(f"{target} exists: nothing is overwritten")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise BackupFailed(f"{path} is of a backup that is being made, or was killed: then remove it") from None
    except OSError as error:
        raise BackupFailed(f"{path.parent}: {error.strerror}") from None
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _seal(path: Path, target: Path) -> int:
    """Down to the disk and to its name: a backup that is there is whole. Its size. Errors: BackupFailed."""
    digest = _digest(path, path.stat().st_size, lambda _: None)
    with path.open("ab") as file:
        file.write(f"\nkiosk-backup sha256 {digest}\n".encode())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(path, target)  # unlike a renaming, this overwrites nobody's file
    except OSError as error:
        raise BackupFailed(f"{target}: {error.strerror}; nothing is overwritten") from None
    return target.stat().st_size


def _check(source: Path, told: Told) -> None:
    if not source.is_file():
        raise BackupFailed(f"{source} is no file")
    size = source.stat().st_size - SEAL_BYTES
    with source.open("rb") as file:
        file.seek(max(size, 0))
        sealed = SEAL.fullmatch(file.read())
    if sealed is None:
        raise BackupFailed(f"{source} is no whole file of `kiosk backup`")
    if _digest(source, size, told).encode() != sealed[1]:
        raise BackupFailed(f"{source} is damaged")


def _digest(path: Path, size: int, told: Told) -> str:
    digest, left = hashlib.sha256(), size
    with path.open("rb") as file:
        while left and (chunk := file.read(min(CHUNK_BYTES, left))):
            digest.update(chunk)
            left -= len(chunk)
            told(size - left)
    return digest.hexdigest()


async def _run(program: str, *arguments: str | Path, env: dict[str, str], look: Callable[[], None]) -> None:
    """Runs one of PostgreSQL's programs, and ends it with us. Errors: BackupFailed."""
    process = await asyncio.create_subprocess_exec(
        Programs.find(Owner(None, None)).folder / program,
        *arguments,
        env={"PATH": os.defpath, "LC_ALL": "C", **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    saying = asyncio.create_task(process.communicate())
    try:
        while not (await asyncio.wait([saying], timeout=LOOK_S))[0]:
            look()
        _, said = await saying
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode(errors="replace").strip().splitlines()
        errors = [line for line in lines if "error:" in line] or lines
        raise BackupFailed("; ".join(errors[:SAID_LINES]))
