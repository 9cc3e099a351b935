"""Database access: what a caller sees when all is well, and that nothing hangs or leaks when it is not."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from kiosk.db import Database, DatabaseUnavailable, Limits, open_pool
from kiosk.errors import BadSettings
from kiosk.postgres import EmbeddedPostgres
from kiosk.process import connect, open_database
from kiosk.settings import load_settings
from tests.clinic import a_deaf_pooler

LONG_S = 600
SHORT_S = 0.2
BOUND_S = 20  # far above every limit used here: only something that hangs gets there


class Proxy:
    """Stands between client and server, and can fall silent without closing anything, as a broken network does."""

    def __init__(self, dsn: str) -> None:
        self._server = urlsplit(dsn)
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.keeps_open = False  # an end of one side is not told to the other
        self.ended = asyncio.Event()
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []

    @property
    def dsn(self) -> str:
        return self._server._replace(netloc=self._server.netloc.rpartition(":")[0] + f":{self.port}").geturl()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(self._server.hostname, self._server.port)
        self._writers += [writer, server_writer]
        await asyncio.gather(self._pass_on(reader, server_writer), self._pass_on(server_reader, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(65536):
                await self.flowing.wait()
                writer.write(chunk)
                await writer.drain()
        self.ended.set()
        if not self.keeps_open:
            writer.close()

    def cut(self) -> None:
        """Closes every connection at once."""
        for writer in self._writers:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def bounded() -> AsyncIterator[None]:
    """Fails when the body hangs, even if the cancellation that ends it is taken for an error of the database."""
    async with asyncio.timeout(BOUND_S) as bound:
        yield
    assert not bound.expired()


@contextlib.asynccontextmanager
async def proxied(dsn: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the server."""
    proxy = Proxy(dsn)
    listening = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        listening.close()
        proxy.flowing.set()
        proxy.cut()
        await asyncio.sleep(0)


async def run(database: Database, *steps: str | Callable[[], object] | Exception) -> None:
    """One transaction: statements are executed, errors raised, the rest called, in this order."""
    async with database.transaction() as tx:
        for step in steps:
            match step:
                case str():
                    await tx.execute(step)
                case Exception():
                    raise step
                case _:
                    step()


async def test_transaction_commits_when_its_body_ends(database: Database) -> None:
    """What a finished body wrote is there for everybody."""
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE notes (text text)")
        await tx.execute("INSERT INTO notes VALUES ('kept')")
    async with database.reading() as connection:
        assert await connection.fetchval("SELECT text FROM notes") == "kept"


async def test_transaction_undoes_everything_when_its_body_raises(database: Database) -> None:
    """An error of the caller's comes out unchanged, and nothing of the body remains."""
    error = LookupError("the caller's own")
    with pytest.raises(LookupError) as raised:
        await run(database, "CREATE TABLE notes (text text)", error)
    assert raised.value is error
    async with database.reading() as connection:
        assert await connection.fetchval("SELECT to_regclass('notes')") is None


async def test_transaction_cancelled_half_way_is_undone(dsn: str) -> None:
    """A cancelled task leaves nothing behind and its connection is free for the next."""
    reached = asyncio.Event()

    limits = Limits(close_s=SHORT_S)  # the cancellation may overtake the statement, and then only this ends it
    async with await Database.connect(dsn, max_size=1, limits=limits) as database:
        task = asyncio.create_task(run(database, "CREATE TABLE notes (text text)", reached.set, "SELECT pg_sleep(600)"))
        await reached.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with database.reading() as connection:
            assert await connection.fetchval("SELECT to_regclass('notes')") is None


async def test_readonly_transaction_sees_one_snapshot_and_writes_nothing(database: Database) -> None:
    """For whoever compares many tables: what others commit meanwhile is not seen."""
    async with database.transaction() as tx:
        await tx.execute("CREATE TABLE notes (text text)")
    async with database.transaction(isolation="repeatable_read", readonly=True) as snapshot:
        assert await snapshot.fetchval("SELECT count(*) FROM notes") == 0
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO notes VALUES ('later')")
        assert await snapshot.fetchval("SELECT count(*) FROM notes") == 0
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await snapshot.execute("INSERT INTO notes VALUES ('never')")


async def test_every_session_is_bounded_and_in_utc(dsn: str) -> None:
    """The server itself ends statements, lock waits and forgotten transactions, and notices a dead client."""
    limits = Limits(statement_s=3, lock_s=2, idle_in_transaction_s=4, dead_peer_s=20)
    async with (
        await Database.connect(dsn, application_name="kiosk-test", limits=limits) as database,
        database.reading() as connection,
    ):
        for name, value in {
            "statement_timeout": "3s",
            "lock_timeout": "2s",
            "idle_in_transaction_session_timeout": "4s",
            "tcp_keepalives_idle": "10",
            "tcp_user_timeout": "20000",
            "TimeZone": "UTC",
            "application_name": "kiosk-test",
        }.items():
            assert await connection.fetchval(f"SHOW {name}") == value


async def test_client_side_socket_notices_a_dead_server(dsn: str) -> None:
    """A connection that only listens sends nothing: keepalives must do it."""
    pool = await open_pool(dsn, max_size=1)
    async with pool, pool.acquire() as connection:
        sock = connection._con._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10


async def test_behind_a_pooler_nothing_outlives_a_transaction(dsn: str) -> None:
    """For PgBouncer in transaction mode: limits hold within each transaction, and no prepared statement remains."""
    limits = Limits(statement_s=3, lock_s=2)
    async with await Database.connect(dsn, behind_pooler=True, limits=limits) as database:
        async with database.transaction() as tx:
            assert await tx.fetchval("SHOW statement_timeout") == "3s"
            assert await tx.fetchval("SHOW lock_timeout") == "2s"
        async with database.reading() as connection:
            assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''") == 0
            assert connection.is_in_transaction()


async def test_slow_statement_is_stopped_and_its_connection_lives(dsn: str) -> None:
    """The server stops what takes too long; the caller is told that the database cannot now."""
    async with await Database.connect(dsn, max_size=1, limits=Limits(statement_s=SHORT_S)) as database:
        async with database.reading() as connection:
            before = await connection.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(DatabaseUnavailable, match="statement timeout"):
            await run(database, "SELECT pg_sleep(600)")
        async with database.reading() as connection:
            assert await connection.fetchval("SELECT pg_backend_pid()") == before


async def test_lock_held_by_another_is_not_waited_for_long(dsn: str) -> None:
    """Whoever waits for a lock too long is told that the database cannot now."""
    async with (
        await Database.connect(dsn, limits=Limits(lock_s=SHORT_S)) as database,
        database.transaction() as holder,
    ):
        await holder.execute("LOCK TABLE customers")
        with pytest.raises(DatabaseUnavailable, match="lock timeout"):
            await run(database, "LOCK TABLE customers")


async def test_exhausted_pool_is_told_in_time(dsn: str) -> None:
    """With every connection in use a newcomer is refused after a bound, and served when one is free."""
    async with await Database.connect(dsn, max_size=1, limits=Limits(acquire_s=SHORT_S)) as database:
        async with database.reading(), bounded():
            with pytest.raises(DatabaseUnavailable, match="no free connection in time"):
                await database.ping()
        await database.ping()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (("kiosk:", "kiosk:wrong"), "password authentication failed"),
        (("/test_", "/absent_"), "does not exist"),
        (("127.0.0.1", "127.0.0.2"), "Connection refused"),
    ],
    ids=["password", "database", "refused"],
)
async def test_unusable_address_is_told_without_the_password(dsn: str, change: tuple[str, str], why: str) -> None:
    """Refused connections, wrong passwords and absent databases are one error, whose text has no secret."""
    password = urlsplit(dsn).password
    assert password
    with pytest.raises(DatabaseUnavailable, match=why) as failure:
        await Database.connect(dsn.replace(*change))
    assert password not in str(failure.value)


@pytest.mark.parametrize("address", ["mysql://u:secret@h/d", "postgresql://u:sec:ret@h:secret/d"])
async def test_malformed_address_names_the_setting_only(address: str) -> None:
    """A malformed address is a mistake in the settings, and is not quoted."""
    with pytest.raises(BadSettings, match="DATABASE_URL") as failure:
        await Database.connect(address)
    assert "secret" not in str(failure.value)
    assert failure.value.__suppress_context__


async def test_errors_of_the_caller_are_not_unavailability(database: Database) -> None:
    """A violated constraint, a wrong argument and a missing file stay what they are."""
    with pytest.raises(asyncpg.NotNullViolationError):
        await run(database, "INSERT INTO bots (id) VALUES (1)")
    with pytest.raises(asyncpg.InterfaceError, match="expects 1 argument"):
        async with database.reading() as connection:
            await connection.fetchval("SELECT $1::int")
    with pytest.raises(FileNotFoundError):
        await run(database, FileNotFoundError())


async def test_violation_found_at_commit_comes_out_and_costs_no_connection(dsn: str) -> None:
    """A deferred constraint speaks at commit; the connection stays good."""
    async with await Database.connect(dsn, max_size=1) as database:
        async with database.transaction() as tx:
            await tx.execute("CREATE TABLE notes (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)")
            before = await tx.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(asyncpg.UniqueViolationError):
            await run(database, "INSERT INTO notes VALUES (1), (1)")
        async with database.reading() as connection:
            assert await connection.fetchval("SELECT pg_backend_pid()") == before


async def test_terminated_connection_is_replaced(dsn: str) -> None:
    """A connection that the server ends is told once, and the next use has a new one."""
    async with await Database.connect(dsn, max_size=1) as database:
        with pytest.raises(DatabaseUnavailable):
            await run(database, "SELECT pg_terminate_backend(pg_backend_pid())")
        await database.ping()


async def test_word_of_the_end_without_the_end_is_unavailability(dsn: str) -> None:
    """The server's last word is there, the end of the connection is not yet: whoever asks just then is told the same.

    asyncpg has an error of its own for this moment, and a crash of the server finds somebody in it every time.
    """
    async with (
        proxied(dsn) as proxy,
        await Database.connect(proxy.dsn, max_size=1) as database,
        bounded(),
    ):
        proxy.keeps_open = True

        async def ask_when_it_has_said_farewell() -> None:
            async with database.transaction() as tx:
                pid = await tx.fetchval("SELECT pg_backend_pid()")
                other = await asyncpg.connect(dsn)
                await other.execute("SELECT pg_terminate_backend($1)", pid)
                await other.close()
                await proxy.ended.wait()
                await asyncio.sleep(SHORT_S)
                await tx.execute("SELECT 1")

        with pytest.raises(DatabaseUnavailable, match="is ending"):
            await ask_when_it_has_said_farewell()
        await database.ping()


async def test_silent_network_neither_hangs_nor_poisons_the_pool(dsn: str) -> None:
    """With a half-open connection a caller gets an error in bounded time, and the pool works when the network does."""
    limits = Limits(connect_s=1, acquire_s=1, command_s=SHORT_S, close_s=SHORT_S)
    async with (
        proxied(dsn) as proxy,
        await Database.connect(proxy.dsn, max_size=1, limits=limits) as database,
        bounded(),
    ):
        with pytest.raises(DatabaseUnavailable, match="no answer in time"):
            await run(database, "SELECT 1", proxy.flowing.clear, "SELECT 2")
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
        proxy.flowing.set()
        await database.ping()


async def test_silence_at_commit_is_unavailability(dsn: str) -> None:
    """When the answer to COMMIT is lost the caller hears that the database failed, not that all is well."""
    limits = Limits(command_s=SHORT_S, close_s=SHORT_S)
    async with proxied(dsn) as proxy, await Database.connect(proxy.dsn, max_size=1, limits=limits) as database:
        async with bounded():
            with pytest.raises(DatabaseUnavailable, match="no answer in time"):
                await run(database, "SELECT 1", proxy.flowing.clear)
        proxy.flowing.set()
        await database.ping()


async def test_cancelled_in_silence_does_not_hang(dsn: str) -> None:
    """A task cancelled while the network is silent ends, although nobody answers its rollback."""
    limits = Limits(connect_s=1, acquire_s=1, command_s=LONG_S, close_s=SHORT_S)
    waiting = asyncio.Event()

    async with (
        proxied(dsn) as proxy,
        await Database.connect(proxy.dsn, max_size=1, limits=limits) as database,
        bounded(),
    ):
        task = asyncio.create_task(run(database, "SELECT 1", proxy.flowing.clear, waiting.set, "SELECT 2"))
        await waiting.wait()
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises((asyncio.CancelledError, DatabaseUnavailable)):
            await task
        proxy.flowing.set()
        await database.ping()


async def test_broken_connection_is_unavailability(dsn: str) -> None:
    """A connection that breaks in the middle of a statement is told as such."""
    async with proxied(dsn) as proxy, await Database.connect(proxy.dsn, max_size=1) as database:
        call_soon = asyncio.get_running_loop().call_soon
        with pytest.raises(DatabaseUnavailable):
            await run(database, "SELECT 1", lambda: call_soon(proxy.cut), "SELECT pg_sleep(600)")
        await database.ping()


async def test_closing_does_not_wait_for_a_hung_user(dsn: str) -> None:
    """A shutdown ends although somebody never gives their connection back."""
    database = await Database.connect(dsn, limits=Limits(close_s=SHORT_S, statement_s=LONG_S, command_s=LONG_S))
    hung = asyncio.create_task(run(database, "SELECT pg_sleep(600)"))
    await asyncio.sleep(0.05)
    async with bounded():
        await database.close()
    with pytest.raises(DatabaseUnavailable):
        await hung
    with pytest.raises(DatabaseUnavailable):
        await database.ping()


@pytest.fixture
def server(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of the test's own, which it may stop."""
    server = EmbeddedPostgres(open_folder / "data", {"fsync": "off"})
    yield server
    server.stop()


async def test_restarted_server_is_found_again(server: EmbeddedPostgres) -> None:
    """The pool outlives its server: an error while it is gone, service when it is back."""
    async with await Database.connect(server.start()) as database:
        server.stop()
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
        server.start()
        await database.ping()


async def test_pooler_is_told_from_a_server_that_is_away() -> None:
    """One that does not take a session's settings: waiting helps nobody, and the error says what is needed instead."""
    answer = b"SERROR\0VERROR\0C08P01\0Munsupported startup parameter: statement_timeout\0\0"

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        if request[:4] == (80877103).to_bytes(4):  # it asks for TLS first
            writer.write(b"N")
            await reader.readexactly(int.from_bytes(await reader.readexactly(4)) - 4)
        writer.write(b"E" + (len(answer) + 4).to_bytes(4) + answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(DatabaseUnavailable, match="PgBouncer") as refused:
            await Database.connect(f"postgresql://kiosk@127.0.0.1:{port}/kiosk")
    assert not refused.value.may_pass


async def test_requests_go_through_a_pooler_that_is_set(dsn: str) -> None:
    """Its users see the same database under the same limits; an address where nobody pools is named."""
    async with a_deaf_pooler(dsn) as pooled:
        settings = load_settings({"database_url": dsn, "database_pooler_url": pooled}, env_file=None)
        async with open_database(settings) as db, db.transaction() as tx:
            assert await tx.fetchval("SELECT pg_backend_pid()") != tx.get_server_pid()
            assert await tx.fetchval("SHOW statement_timeout") == "15s"
            assert await tx.fetchval("SELECT count(*) FROM customers") == 0
    with pytest.raises(BadSettings, match="DATABASE_POOLER_URL: "):
        await connect(settings, dsn)
