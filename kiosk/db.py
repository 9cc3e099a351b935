"""Access to PostgreSQL: a bounded pool that never hangs, and one error for a database that cannot be used now."""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Self, TypeAlias, cast

import asyncpg
import structlog

from kiosk.errors import BadSettings, CannotStart

if TYPE_CHECKING:
    Tx: TypeAlias = asyncpg.Connection[asyncpg.Record]
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Lent: TypeAlias = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]
else:  # asyncpg's own classes take no type arguments
    Tx = asyncpg.Connection
    Pool = asyncpg.Pool

log = structlog.get_logger()

Isolation = Literal["read_committed", "repeatable_read", "serializable"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How long anything may take.

    A statement is stopped by the server first, which keeps its connection usable; `command_s` is for a server
    or a network that does not answer at all, and costs the connection.
    """

    connect_s: float = 5
    acquire_s: float = 5
    lock_s: float = 5
    statement_s: float = 15
    idle_in_transaction_s: float = 30
    command_s: float = 20
    dead_peer_s: int = 20  # a peer that acknowledges nothing for so long is gone
    close_s: float = 5


DEFAULT_LIMITS = Limits()
TELL_EVERY_S: Final = 30.0
POOLER: Final = "this looks like a pooler such as PgBouncer: Kiosk needs the server's own address, for it listens there"


class DatabaseUnavailable(CannotStart):
    """The database cannot be used now; whatever was begun is not committed unless the connection broke in COMMIT."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"the database is unavailable: {why}")

    @property
    def may_pass(self) -> bool:
        """Whether waiting can help: not where it answers that it does not know or want us."""
        return not isinstance(self.__cause__, UNWANTED)


UNWANTED = (
    asyncpg.InvalidAuthorizationSpecificationError,  # wrong password
    asyncpg.InvalidCatalogNameError,  # no such database
    asyncpg.ProtocolViolationError,  # a pooler that does not take our settings
)
# Besides a closed connection and OSError (which TimeoutError is), these say that trying again later may help.
UNAVAILABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shut down, crashed, starting up, or stopped a statement for its time
    asyncpg.InsufficientResourcesError,  # too many connections, disk full, out of memory
    asyncpg.InvalidAuthorizationSpecificationError,  # wrong password
    asyncpg.InvalidCatalogNameError,  # no such database
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.TransactionTimeoutError,
    asyncpg.LockNotAvailableError,
)


@dataclass(frozen=True, slots=True)
class PoolFigures:
    """`size`, `free` and `waiting` are of now; `waits` found all connections in use, `timeouts` waited in vain."""

    size: int
    free: int
    waiting: int
    waits: int
    timeouts: int


class Database:
    """A pool of connections that run transactions: `async with db.transaction() as tx`."""

    def __init__(self, pool: Pool, limits: Limits, *, behind_pooler: bool) -> None:
        self._pool = pool
        self._limits = limits
        self._behind_pooler = behind_pooler
        self._users = self._waits = self._timeouts = 0  # users: with a connection, or on their way to one
        self._told_at: float | None = None

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        max_size: int = 10,
        application_name: str = "kiosk",
        behind_pooler: bool = False,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Self:
        """Opens one connection at once and up to `max_size` when needed.

        `behind_pooler` is for PgBouncer in transaction mode: no prepared statement outlives its transaction and every
        statement is in one. Errors: DatabaseUnavailable.
        """
        pool = await open_pool(
            dsn,
            max_size=max_size,
            application_name=application_name,
            behind_pooler=behind_pooler,
            limits=limits,
            session_state=False,
        )
        return cls(pool, limits, behind_pooler=behind_pooler)

    @contextlib.asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation = "read_committed", readonly: bool = False
    ) -> AsyncIterator[Tx]:
        """Commits when the body ends, rolls back when it raises. Errors: DatabaseUnavailable."""
        async with self._connection() as connection:
            transaction = connection.transaction(isolation=isolation, readonly=readonly)
            await transaction.start()
            try:
                if self._behind_pooler:
                    await connection.execute(_local_settings(self._limits))
                yield connection
            except BaseException:
                await self._roll_back(connection, transaction)
                raise
            await transaction.commit()

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[Tx]:
        """A connection for single reads, each seeing what is committed by then. Errors: DatabaseUnavailable."""
        if self._behind_pooler:
            async with self.transaction(readonly=True) as tx:
                yield tx
        else:
            async with self._connection() as connection:
                yield connection

    async def ping(self) -> None:
        """Errors: DatabaseUnavailable."""
        async with self.reading() as connection:
            await connection.fetchval("SELECT 1")

    def figures(self) -> PoolFigures:
        """How the pool is used."""
        pool, waiting = self._pool, max(0, self._users - self._pool.get_max_size())
        return PoolFigures(pool.get_size(), pool.get_idle_size(), waiting, self._waits, self._timeouts)

    async def close(self) -> None:
        """Waits for what is running, but not for long."""
        await close_pool(self._pool, self._limits.close_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Tx]:
        lost, late = True, "no free connection in time"
        try:
            proxy = await self._take()
            try:
                # The proxy passes everything on to the connection; only its class differs.
                connection = cast("Tx", proxy)
                lost, late = False, "no answer in time"
                try:
                    yield connection
                finally:
                    lost = _is_lost(connection)  # once it is back in the pool it no longer says so
            finally:
                await self._give_back(proxy)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            if why := _why_unavailable(error, lost=lost, late=late):
                raise DatabaseUnavailable(why) from error
            raise

    async def _take(self) -> "Lent":
        """Errors: TimeoutError when none gets free in time, and whatever connecting may raise."""
        all_in_use = self._users >= self._pool.get_max_size()
        self._users += 1
        self._waits += all_in_use
        try:
            return await self._pool.acquire(timeout=self._limits.acquire_s)
        except BaseException as error:
            self._users -= 1
            if all_in_use and isinstance(error, TimeoutError):
                self._timeouts += 1
                self._tell()
            raise

    async def _give_back(self, lent: "Lent") -> None:
        self._users -= 1
        await self._pool.release(lent)

    def _tell(self) -> None:
        """Not each time: whoever is refused comes back, and so would the line."""
        now_s = time.monotonic()
        if self._told_at is None or now_s - self._told_at >= TELL_EVERY_S:
            self._told_at = now_s
            now = self.figures()
            log.warning("db.pool_exhausted", size=now.size, waiting=now.waiting, timeouts=now.timeouts)

    async def _roll_back(self, connection: Tx, transaction: asyncpg.transaction.Transaction) -> None:
        """Leaves no connection in doubt: a server that did not answer may not answer ROLLBACK either."""
        try:
            async with asyncio.timeout(self._limits.close_s):
                await transaction.rollback()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            if not _is_lost(connection):
                connection.terminate()  # the server rolls back what can no longer be committed


async def open_pool(
    dsn: str,
    *,
    max_size: int,
    application_name: str = "kiosk",
    behind_pooler: bool = False,
    limits: Limits = DEFAULT_LIMITS,
    session_state: bool = True,
) -> Pool:
    """A hardened pool for those who bring their own SQL, such as the queue's engine.

    jsonb is text on every connection: the engine enqueues on ours, and knows no other.

    `session_state=False` promises that no user of the pool leaves a LISTEN, a SET or an advisory lock behind, and
    saves the round trip that would clear them. Errors: DatabaseUnavailable, BadSettings.
    """

    async def prepare(connection: Tx) -> None:
        _keep_alive(connection, limits.dead_peer_s)

    async with _explained():
        return await asyncpg.create_pool(
            dsn,
            min_size=1,
            max_size=max_size,
            timeout=limits.connect_s,
            command_timeout=limits.command_s,
            statement_cache_size=0 if behind_pooler else 100,
            server_settings={
                "application_name": application_name,
                "timezone": "UTC",
                # PgBouncer refuses to start a session with any other setting.
                **({} if behind_pooler else _session_settings(limits)),
            },
            init=prepare,
            reset=None if session_state else _leave_as_is,
        )


async def leads_to_pooler(dsn: str, limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether somebody like PgBouncer answers there: it gives its own number for that of the server's process.

    Errors: DatabaseUnavailable, BadSettings.
    """
    async with _explained():
        connection = await asyncpg.connect(dsn, timeout=limits.connect_s, statement_cache_size=0)
        try:
            pid = await connection.fetchval("SELECT pg_backend_pid()", timeout=limits.command_s)
            return bool(pid != connection.get_server_pid())
        finally:
            connection.terminate()


@contextlib.asynccontextmanager
async def _explained() -> AsyncIterator[None]:
    """What goes wrong while connecting, without any secret. Errors: DatabaseUnavailable, BadSettings."""
    try:
        yield
    except (asyncpg.ClientConfigurationError, ValueError):
        # Their messages quote the address, and so perhaps the password.
        raise BadSettings("DATABASE_URL", "must look like postgresql://user:password@host:5432/name") from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        raise DatabaseUnavailable(_why_unavailable(error, lost=True, late="no answer in time") or str(error)) from error


async def close_pool(pool: Pool, timeout_s: float = DEFAULT_LIMITS.close_s) -> None:
    """Closes politely, then at once: a pool whose server is gone may never close politely."""
    try:
        async with asyncio.timeout(timeout_s):
            await pool.close()
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        pool.terminate()


def _session_settings(limits: Limits) -> dict[str, str]:
    return {
        **_timeouts(limits),
        # The server must notice a dead client too: its transaction holds locks.
        "tcp_keepalives_idle": str(limits.dead_peer_s // 2),
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "2",
        "tcp_user_timeout": str(limits.dead_peer_s * 1000),
    }


def _timeouts(limits: Limits) -> dict[str, str]:
    return {
        "statement_timeout": f"{limits.statement_s * 1000:.0f}",
        "lock_timeout": f"{limits.lock_s * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{limits.idle_in_transaction_s * 1000:.0f}",
    }


def _local_settings(limits: Limits) -> str:
    return "; ".join(f"SET LOCAL {name} = {value}" for name, value in _timeouts(limits).items())


def _is_lost(connection: Tx) -> bool:
    """Whether it is closed; a pool takes a closed connection back at once, and then it cannot even be asked."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True


def _why_unavailable(error: Exception, *, lost: bool, late: str) -> str | None:
    """A few words without any secret, or None when the error is one of the caller's making."""
    match error:
        case TimeoutError():
            return late
        case OSError() if lost or isinstance(error, ConnectionError):
            return os.strerror(error.errno) if error.errno and error.errno > 0 else str(error) or type(error).__name__
        case asyncpg.InterfaceError() if lost:
            return "the connection is closed"
        case asyncpg.InternalClientError():  # the server has said that it ends, and has not ended yet
            return "the connection is ending"
        case asyncpg.ProtocolViolationError():
            return f"{error} ({POOLER})"
        case asyncpg.PostgresError() if isinstance(error, UNAVAILABLE):
            return str(error)
        case _:
            return None


async def _leave_as_is(_connection: object) -> None:
    pass


def _keep_alive(connection: Tx, dead_peer_s: int) -> None:
    """A listening connection sends nothing, so only the kernel can notice that its server is gone."""
    transport: asyncio.Transport = connection._transport  # type: ignore[attr-defined]  # noqa: SLF001 - asyncpg offers no way to set socket options
    sock = transport.get_extra_info("socket")
    if sock is None or sock.family not in (socket.AF_INET, socket.AF_INET6):
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # Not every platform has each of these; without them its own, longer times hold.
    for name, value in (
        ("TCP_KEEPIDLE", dead_peer_s // 2),
        ("TCP_KEEPINTVL", 5),
        ("TCP_KEEPCNT", 2),
        ("TCP_USER_TIMEOUT", dead_peer_s * 1000),
    ):
        if option := getattr(socket, name, None):
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
