"""The one PostgreSQL of a run: a process that no replica owns, and what the verdict and the nemesis ask it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import asyncpg

START_S = 120.0
STOP_S = 30.0
ASK_S = 30.0
PAUSE_S = 0.2
AWAY = (asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


class NoDatabase(Exception):  # noqa: N818 - it states a fact
    """PostgreSQL does not start, or does not come back."""


@dataclass(frozen=True, slots=True)
class Order:
    """A confirmed generation as the database has it; money in kopecks."""

    id: int
    telegram_id: int
    state: str
    price_kopecks: int
    late: bool
    submits: int
    delivered: bool


@dataclass(frozen=True, slots=True)
class Wallet:
    """A customer's two balances, and what the welcome put there; kopecks."""

    available_kopecks: int
    held_kopecks: int
    welcome_kopecks: int


ORDERS = """
SELECT g.id, c.telegram_id, g.state, g.price_kopecks, g.late, g.submits, g.delivered_at IS NOT NULL AS delivered
FROM generations g JOIN customers c ON c.id = g.customer_id WHERE g.confirmed_at IS NOT NULL ORDER BY g.id
"""
UNFINISHED = """
SELECT count(*) FROM generations WHERE confirmed_at IS NOT NULL
AND NOT (state = 'canceled' OR state IN ('done', 'failed') AND delivered_at IS NOT NULL)
"""
WALLETS = """
SELECT c.telegram_id,
       sum(a.balance) FILTER (WHERE a.kind = 'available')::bigint AS available_kopecks,
       sum(a.balance) FILTER (WHERE a.kind = 'held')::bigint AS held_kopecks,
       (SELECT coalesce(sum(t.amount_kopecks), 0)::bigint FROM transfers t JOIN accounts w ON w.id = t.credit_id
        WHERE t.kind = 'welcome' AND w.customer_id = c.id) AS welcome_kopecks
FROM customers c JOIN accounts a ON a.customer_id = c.id GROUP BY c.id
"""
BLOCKED = "SELECT telegram_id FROM customers WHERE blocked_at IS NOT NULL"
TERMINATE = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


@dataclass(slots=True)
class Server:
    """The PostgreSQL of a run in a folder of its own; `dsn` is its address, past the proxy. Stopped after the block."""

    folder: Path
    log: Path
    environment: Mapping[str, str]
    dsn: str = ""
    away: bool = False
    _process: asyncio.subprocess.Process | None = None

    @property
    def port(self) -> int:
        return urlsplit(self.dsn).port or 0

    async def __aenter__(self) -> Self:
        """Errors: NoDatabase."""
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()

    async def crash(self) -> None:
        """Ends at once and in disorder, as `pg_ctl stop -m immediate` does it, and comes back. Errors: NoDatabase."""
        with self._being_away():
            with contextlib.suppress(OSError, ValueError):
                os.kill(int((self.folder / "cluster" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
            await self._stop()
            await self._start()

    async def leave(self, lasts_s: float) -> None:
        """Stops in order and comes back after so long, or at once when cancelled. Errors: NoDatabase."""
        with self._being_away():
            try:
                await self._stop()
                await asyncio.sleep(lasts_s)
            finally:
                await self._start()

    @contextlib.contextmanager
    def _being_away(self) -> Iterator[None]:
        self.away = True
        try:
            yield
        finally:
            self.away = False

    async def _start(self) -> None:
        with self.log.open("ab") as output:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "kiosk.postgres",
                str(self.folder),
                env=dict(self.environment),
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we stop it in order
            )
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        try:
            async with asyncio.timeout(START_S):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise NoDatabase(f"PostgreSQL does not start: see {self.log}")
        self.dsn = line.decode().strip()

    async def _stop(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()


@dataclass(frozen=True, slots=True)
class Witness:
    """Looks straight into the database, past the proxy; a server that is away is waited for."""

    server: Server

    async def orders(self) -> tuple[Order, ...]:
        return tuple(Order(**dict(row)) for row in await self._fetch(ORDERS))

    async def unfinished(self) -> int:
        return int((await self._fetch(UNFINISHED))[0][0])

    async def wallets(self) -> Mapping[int, Wallet]:
        """By the customer's number in Telegram."""
        rows = [dict(row) for row in await self._fetch(WALLETS)]
        return {row.pop("telegram_id"): Wallet(**row) for row in rows}

    async def blocked(self) -> frozenset[int]:
        """Whom the shop believes to have blocked it."""
        return frozenset(row[0] for row in await self._fetch(BLOCKED))

    async def terminate_all(self) -> int:
        """Cuts every connection but its own; how many."""
        return int((await self._fetch(TERMINATE))[0][0])

    async def crash(self) -> None:
        """Kills a backend the hard way: the server ends all others too, and recovers from its log."""
        with contextlib.suppress(*AWAY):
            async with self._connected() as victim:
                os.kill(await victim.fetchval("SELECT pg_backend_pid()"), signal.SIGKILL)

    async def _fetch(self, query: str) -> list[asyncpg.Record]:
        try:
            async with asyncio.timeout(ASK_S):
                while True:
                    with contextlib.suppress(*AWAY):
                        async with self._connected() as connection:
                            return await connection.fetch(query)
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise NoDatabase(f"it did not answer within {ASK_S:g} s") from None

    @contextlib.asynccontextmanager
    async def _connected(self) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
        connection = await asyncpg.connect(self.server.dsn, timeout=5, command_timeout=10)
        try:
            yield connection
        finally:
            connection.terminate()
