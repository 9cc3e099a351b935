"""`python -m bench [books sweep size shop]`: prints tables in Markdown; nothing of it is ever a test."""

import argparse
import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from bench import books, size, sweep, whole_shop
from bench.table import machine
from kiosk.db import Database
from kiosk.log import set_up_logging
from kiosk.migrate import migrate
from kiosk.postgres import embedded_postgres_async

TITLES = {
    "books": "Confirmations",
    "sweep": "The sweep",
    "size": "Size of an order",
    "shop": "The whole shop",
}
SHOP_RUNS = 3


async def run(parts: list[str], folder: Path) -> None:
    """On a PostgreSQL of its own with the settings of production, one fresh database for each measurement."""
    async with embedded_postgres_async(folder / "postgres") as server:
        connection = await asyncpg.connect(server)
        print(machine(await connection.fetchval("SHOW server_version")))
        await connection.close()
        for part in parts:
            print(f"\n### {TITLES[part]}\n", flush=True)
            print(await _measure(part, server, folder), flush=True)


async def _measure(part: str, server: str, folder: Path) -> str:
    if part == "shop":
        dsns = [await _database(server, f"shop_{number}") for number in range(SHOP_RUNS)]
        return await whole_shop.measure(dsns, folder)
    async with _opened(await _database(server, part)) as db:
        match part:
            case "books":
                return await books.measure(db)
            case "sweep":
                return await sweep.measure(db)
            case _:
                return await size.measure(db)


async def _database(server: str, name: str) -> str:
    """The address of a new one with the shop's schema."""
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    dsn = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    await migrate(dsn)
    return dsn


@contextlib.asynccontextmanager
async def _opened(dsn: str) -> AsyncIterator[Database]:
    async with await Database.connect(dsn, max_size=20) as db:
        yield db


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help=f"of {', '.join(TITLES)}; all of them when none is named"
    )
    parts = parser.parse_args().parts or list(TITLES)
    if unknown := sorted(set(parts) - set(TITLES)):
        parser.error(f"nobody measures {', '.join(unknown)}")
    set_up_logging("warning", ())
    with tempfile.TemporaryDirectory(prefix="kiosk-bench-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # root's PostgreSQL is another user, who walks through
        asyncio.run(run(parts, folder))


if __name__ == "__main__":
    main()
