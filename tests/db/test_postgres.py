"""The embedded PostgreSQL: shared by processes, safe from kills, private."""

import asyncio
import contextlib
import fcntl
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from kiosk.postgres import EmbeddedPostgres, PostgresFailed, embedded_postgres, embedded_postgres_async
from kiosk.postgres import cluster as cluster_module
from kiosk.postgres import programs as programs_module

AS_ROOT = os.geteuid() == 0
only_as_root = pytest.mark.skipif(not AS_ROOT, reason="only root becomes another user")
FAST = {"fsync": "off"}
PATIENCE_S = 30
USER = """
import sys
from pathlib import Path
from kiosk.postgres import embedded_postgres
with embedded_postgres(Path(sys.argv[1]), settings={"fsync": "off"}) as address:
    print(address, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def new_folder(open_folder: Path) -> Path:
    """A data folder that does not exist yet."""
    return open_folder / "data"


@pytest.fixture(scope="module")
def seed(open_folders: Callable[[], Path]) -> Path:
    """A data folder whose server ran once: copying it is quicker than making another."""
    folder = open_folders() / "data"
    with embedded_postgres(folder, settings=FAST):
        return folder


@pytest.fixture
def folder(seed: Path, new_folder: Path) -> Path:
    """A data folder with an empty database whose server does not run."""
    subprocess.run(["cp", "-a", seed, new_folder], check=True)  # noqa: S603, S607 - keeps owners, as shutil does not
    return new_folder


class User:
    """Another process that uses the server until it is told to leave."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - the text above
            [sys.executable, "-c", USER, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def address(self) -> str:
        """Waits until the server is there."""
        assert self.process.stdout
        return next(line.strip() for line in self.process.stdout if line.startswith("postgresql://"))

    def leave(self) -> None:
        self.process.communicate(timeout=PATIENCE_S)
        assert self.process.returncode == 0

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=PATIENCE_S)


@contextlib.contextmanager
def users(folder: Path, count: int) -> Iterator[list[User]]:
    """Processes that start at once; killed at the end if the test did not end them."""
    started = [User(folder) for _ in range(count)]
    try:
        yield started
    finally:
        for user in started:
            user.kill()


async def ask(address: str, sql: str) -> object:
    """One value over a connection of its own."""
    connection = await asyncpg.connect(address)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def is_running(folder: Path) -> bool:
    """Whether any process of the server lives."""
    descriptor = os.open(folder / "server.lock", os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_until_stopped(folder: Path) -> None:
    """Fails when the server outlives a generous bound."""
    for _ in range(PATIENCE_S * 20):
        if not is_running(folder):
            return
        time.sleep(0.05)
    raise AssertionError("the server still runs")


def postmaster(folder: Path) -> int:
    """The process id of the server."""
    return int((folder / "cluster" / "postmaster.pid").read_text().split()[0])


def executable(folder: Path) -> Path:
    """The program that the server runs."""
    return Path(f"/proc/{postmaster(folder)}/exe").readlink()


@contextlib.contextmanager
def stranger(cluster: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the server's own user whose number stands where a dead server left its own."""
    with subprocess.Popen(["sleep", "600"], user=cluster.stat().st_uid) as process:  # noqa: S607 - found like a shell does
        pid_file = cluster / "postmaster.pid"
        pid_file.write_text(f"{process.pid}\n{cluster}\n1700000000\n5432\n\n127.0.0.1\n\nready\n")
        try:
            yield process
        finally:
            process.kill()


async def test_settings_do_not_depend_on_the_machine(new_folder: Path) -> None:
    """Text is UTF-8 and knows Russian, time is UTC, and pages have checksums, whatever the system's locale is."""
    with embedded_postgres(new_folder, settings=FAST) as address:
        assert await ask(address, "SELECT lower('ПРИВЕТ')") == "привет"
        assert await ask(address, "SHOW server_encoding") == "UTF8"
        assert await ask(address, "SHOW TimeZone") == "UTC"
        assert await ask(address, "SHOW data_checksums") == "on"
        assert await ask(address, "SHOW unix_socket_directories") == ""
        assert await ask(address, "SHOW listen_addresses") == "127.0.0.1"


async def test_password_is_demanded_and_private(new_folder: Path) -> None:
    """Nobody gets in without the password, which stands in a file of the owner's and nowhere else in the new_folder."""
    with embedded_postgres(new_folder, settings=FAST) as address:
        password = urlsplit(address).password
        assert password
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(address.replace(password, "wrong"), "SELECT 1")
        assert stat.S_IMODE((new_folder / "password").stat().st_mode) == 0o600
        assert not (new_folder / "cluster.password").exists()
        assert password not in (new_folder / "cluster" / "server.log").read_text()


async def test_data_and_port_survive_a_restart(folder: Path) -> None:
    """The next start finds the same data at the same address."""
    with embedded_postgres(folder, settings=FAST) as first:
        await ask(first, "CREATE TABLE kept AS SELECT 42 AS answer")
    assert not is_running(folder)
    with embedded_postgres(folder, settings=FAST) as second:
        assert await ask(second, "SELECT answer FROM kept") == 42
        assert second == first


async def test_taken_port_is_replaced(folder: Path) -> None:
    """Another program on the earlier port costs the port, not the start."""
    with embedded_postgres(folder, settings=FAST) as first:
        port = urlsplit(first).port
    with socket.create_server(("127.0.0.1", port or 0)), embedded_postgres(folder, settings=FAST) as second:
        assert urlsplit(second).port != port
        assert await ask(second, "SELECT 1") == 1


async def test_asyncio_variant_serves_and_stops(folder: Path) -> None:
    """The variant for an event loop gives the same server and stops it."""
    async with embedded_postgres_async(folder, settings=FAST) as address:
        assert await ask(address, "SELECT 1") == 1
    assert not is_running(folder)


async def test_asyncio_variant_cancelled_while_starting_leaves_nothing(new_folder: Path) -> None:
    """A start that is cancelled half way ends with the server stopped."""

    async def use() -> None:
        async with embedded_postgres_async(new_folder, settings=FAST):
            raise AssertionError("was cancelled before")

    using = asyncio.create_task(use())
    await asyncio.sleep(0.01)  # anywhere in the start: every moment must do
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert not is_running(new_folder)


async def test_last_user_stops_the_server(folder: Path) -> None:
    """Users share one server, whoever started it; it ends with the last of them and not before."""
    with users(folder, 1) as (starter,):
        address = starter.address()
        with embedded_postgres(folder) as joined:
            assert joined == address
            starter.leave()
            assert await ask(address, "SELECT 1") == 1
    assert not is_running(folder)


async def test_six_processes_starting_at_once_share_one_server(new_folder: Path) -> None:
    """However many start on an empty folder at the same moment, one server comes of it."""
    with users(new_folder, 6) as started:
        addresses = {user.address() for user in started}
        assert len(addresses) == 1
        assert await ask(addresses.pop(), "SELECT 1") == 1
        for user in started:
            user.leave()
    assert not is_running(new_folder)


async def test_killed_user_neither_stops_nor_keeps_the_server(folder: Path) -> None:
    """SIGKILL of the process that started it leaves the others their server, and the last of them stops it."""
    with users(folder, 1) as (starter,):
        address = starter.address()
        with embedded_postgres(folder):
            starter.kill()
            assert await ask(address, "SELECT 1") == 1
    assert not is_running(folder)


async def test_server_ends_when_its_only_user_is_killed(folder: Path) -> None:
    """A server without any user left does not run on, even when nobody could say goodbye."""
    with users(folder, 1) as (only,):
        only.address()
        only.kill()
    wait_until_stopped(folder)
    with embedded_postgres(folder) as address:
        assert await ask(address, "SELECT 1") == 1


async def test_killed_server_starts_again(folder: Path) -> None:
    """After SIGKILL of PostgreSQL itself a newcomer brings it back, at its address, with what was committed."""
    with users(folder, 1) as (user,):
        address = user.address()
        await ask(address, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postmaster(folder), signal.SIGKILL)
        wait_until_stopped(folder)
        with embedded_postgres(folder) as again:
            assert again == address
            assert await ask(again, "SELECT answer FROM kept") == 42
        user.leave()
    assert not is_running(folder)


async def test_stale_pid_file_is_survived(folder: Path) -> None:
    """After a power cut the file may name a living stranger, who is neither waited for nor stopped."""
    with stranger(folder / "cluster") as process:
        with embedded_postgres(folder, settings=FAST) as address:
            assert await ask(address, "SELECT 1") == 1
        assert process.poll() is None


async def test_leaving_a_dead_server_harms_no_stranger(folder: Path) -> None:
    """The last user of a server that was killed does not stop whoever has its process id by now."""
    with users(folder, 1) as (user,):
        user.address()
        os.kill(postmaster(folder), signal.SIGKILL)
        wait_until_stopped(folder)
        with stranger(folder / "cluster") as process:
            user.leave()
            assert process.poll() is None


def test_interrupted_creation_is_done_again(new_folder: Path) -> None:
    """What a killed initdb left behind is not taken for a database."""
    new_folder.mkdir(0o711)
    (new_folder / "cluster.new").mkdir()
    (new_folder / "cluster.new" / "PG_VERSION").write_text("18\n")
    with embedded_postgres(new_folder, settings=FAST):
        assert (new_folder / "cluster" / "postgresql.conf").exists()


def test_other_major_version_is_refused(folder: Path) -> None:
    """Files of another major version are left alone, with one line that says so."""
    (folder / "cluster" / "PG_VERSION").write_text("12\n")
    with pytest.raises(PostgresFailed, match="written by PostgreSQL 12 and this is 18") as refusal:
        EmbeddedPostgres(folder).start()
    assert "\n" not in str(refusal.value)
    assert not is_running(folder)


def test_failed_start_tells_the_end_of_the_log(folder: Path) -> None:
    """A server that dies while starting is reported at once, in its own words."""
    with pytest.raises(PostgresFailed, match='unrecognized configuration parameter "no_such"'):
        EmbeddedPostgres(folder, {"no_such": "setting"}).start()


def test_lost_password_is_told(folder: Path) -> None:
    """A folder without its password says what is missing instead of making a new database."""
    (folder / "password").unlink()
    with pytest.raises(PostgresFailed, match="password is gone"):
        EmbeddedPostgres(folder).start()
    assert not is_running(folder)


def test_server_is_out_of_reach_of_the_terminal(folder: Path) -> None:
    """Ctrl-C reaches a process group; the server is in a session of its own, and it sees none of our environment."""
    with embedded_postgres(folder, settings=FAST):
        assert os.getsid(postmaster(folder)) != os.getsid(0)


@only_as_root
def test_root_runs_it_as_nobody_else(new_folder: Path) -> None:
    """Under root the server runs as a user of its own, and its files belong to that user."""
    with embedded_postgres(new_folder, settings=FAST):
        assert (new_folder / "cluster").stat().st_uid == programs_module.UNPRIVILEGED_ID
        assert Path(f"/proc/{postmaster(new_folder)}").stat().st_uid == programs_module.UNPRIVILEGED_ID


@only_as_root
async def test_root_below_a_private_folder_places_the_files_elsewhere(
    new_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A private parent stays private: the files go where their user can reach them, and are found there again."""
    reachable = new_folder.parent / "reachable"
    monkeypatch.setattr(cluster_module, "REACHABLE_HOME", reachable)
    monkeypatch.setattr(programs_module, "REACHABLE_HOME", reachable)
    private = new_folder.parent / "private"
    private.mkdir(0o700)
    with embedded_postgres(private / "data", settings=FAST) as address:
        await ask(address, "CREATE TABLE kept AS SELECT 42 AS answer")
    with embedded_postgres(private / "data", settings=FAST) as address:
        assert await ask(address, "SELECT answer FROM kept") == 42
    assert (private / "data" / "cluster").resolve().is_relative_to(reachable)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700


@only_as_root
async def test_root_copies_programs_that_their_user_cannot_reach(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs in a private folder are copied to where every user may run them."""
    reachable = folder.parent / "reachable"
    monkeypatch.setattr(programs_module, "REACHABLE_HOME", reachable)
    private = folder.parent / "private"
    private.mkdir(0o700)
    package = programs_module._package()
    for name in (package.name, f"{package.name}.libs"):
        (private / name).symlink_to(package.parent / name)
    monkeypatch.setattr(programs_module, "_package", lambda: private / package.name)
    with embedded_postgres(folder, settings=FAST) as address:
        assert await ask(address, "SELECT 1") == 1
        assert executable(folder).is_relative_to(reachable)
