"""One real PostgreSQL per test process, started by the first test that asks for a database; each test has its own."""

import asyncio
import contextlib
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest

from kiosk.db import Database
from kiosk.migrate import migrate
from kiosk.postgres import EmbeddedPostgres, embedded_postgres

TEMPLATE = "migrated"
# Tests never outlive a power cut, and want many small databases. What is committed still reaches the log at once:
# tests that crash the server lean on it.
SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "200",
    "autovacuum": "off",
}
numbers = itertools.count(1)

# No test asserts on a clock: a slow machine is no failure.
hypothesis.settings.register_profile("kiosk", deadline=None)
hypothesis.settings.load_profile("kiosk")


def address_of(database: str, server: str) -> str:
    """The server's address with another database's name."""
    return urlunsplit(urlsplit(server)._replace(path=f"/{database}"))


def run_apart(work: Coroutine[None, None, None]) -> None:
    """Runs it on a loop in another thread, so that the loop of the test that came first is left alone."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


async def administer(server: str, *statements: str) -> None:
    """Runs statements that belong to no transaction."""
    connection = await asyncpg.connect(server)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextlib.asynccontextmanager
async def fresh_database(server: str, template: str) -> AsyncIterator[str]:
    """The address of a database that is dropped afterwards, whoever is still connected."""
    name = f"test_{next(numbers)}"
    await administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield address_of(name, server)
    await administer(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def open_folders() -> Iterator[Callable[[], Path]]:
    """Makes folders that PostgreSQL's user can reach under root, unlike `tmp_path`, which is root's alone."""
    with tempfile.TemporaryDirectory(prefix="kiosk-tests-") as parent:
        Path(parent).chmod(0o711)

        def make() -> Path:
            folder = Path(tempfile.mkdtemp(dir=parent))
            folder.chmod(0o711)
            return folder

        yield make


@pytest.fixture
def open_folder(open_folders: Callable[[], Path]) -> Iterator[Path]:
    """A folder for a test that starts a PostgreSQL of its own."""
    folder = open_folders()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def own_postgres(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that a test may stop and start again; it keeps its port."""
    server = EmbeddedPostgres(open_folder / "postgres", SETTINGS)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres(open_folders: Callable[[], Path]) -> Iterator[str]:
    """The address of this test process's own server."""
    with embedded_postgres(open_folders() / "postgres", settings=SETTINGS) as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """The name of a database to copy: every migration applied, and nothing else."""

    async def make() -> None:
        await administer(postgres, f"CREATE DATABASE {TEMPLATE} TEMPLATE template0")
        await migrate(address_of(TEMPLATE, postgres))

    run_apart(make())
    return TEMPLATE


@pytest.fixture
async def dsn(postgres: str, migrated: str) -> AsyncIterator[str]:
    """The address of a fresh database with every migration applied."""
    async with fresh_database(postgres, migrated) as address:
        yield address


@pytest.fixture
async def empty_dsn(postgres: str) -> AsyncIterator[str]:
    """The address of a fresh database without anything."""
    async with fresh_database(postgres, "template0") as address:
        yield address


@pytest.fixture
async def database(dsn: str) -> AsyncIterator[Database]:
    """The database at `dsn`."""
    async with await Database.connect(dsn, max_size=20) as connected:
        yield connected
