"""The embedded PostgreSQL's life: started by the first of its users, stopped by the last, whoever is killed meanwhile.

What a data folder holds, and who holds which lock (flock: the kernel frees it when its holder dies, however it dies):

    cluster      PostgreSQL's own files, or a link to them where its user could not reach them here
    password     of the database's only role; for the owner's eyes only
    port         where it listened last, so that after a restart it is found there again
    start.lock   exclusive, while a process finds out whether the server runs, and starts it
    users.lock   shared by all users; exclusive while somebody stops the server
    server.lock  exclusive, inherited by every process of the server: it runs exactly while this is held
"""

import asyncio
import contextlib
import fcntl
import os
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from kiosk.postgres import keeper
from kiosk.postgres.cluster import ROLE, Cluster, write_private
from kiosk.postgres.keeper import lock, stop_server
from kiosk.postgres.programs import PostgresFailed, Programs, choose_owner

log = structlog.get_logger()

START_TIMEOUT_S = 600  # recovery after a crash may take minutes
POLL_S = 0.02
LOG_LIMIT_BYTES = 10_000_000
LOG_TAIL_LINES = 8
PORT_ATTEMPTS = 5
PORT_LINE = 3  # of postmaster.pid, counted from 0
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # the path of a socket may be too long, and nobody needs one
    "timezone": "UTC",
    "log_timezone": "UTC",
    # What was wrong with a statement is told to its sender; this log tells the server's own life, and stays small.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


@contextlib.contextmanager
def embedded_postgres(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yields the address (it contains the password: never log it) of a server that runs until the block ends.

    Any number of processes may use one folder at once; `settings` count when this one starts the server.
    Errors: PostgresFailed.
    """
    server = EmbeddedPostgres(data_dir, settings or {})
    try:
        yield server.start()
    finally:
        server.stop()


@contextlib.asynccontextmanager
async def embedded_postgres_async(data_dir: Path, *, settings: Mapping[str, str] | None = None) -> AsyncIterator[str]:
    """The same without blocking the event loop."""
    server = EmbeddedPostgres(data_dir, settings or {})
    starting = asyncio.create_task(asyncio.to_thread(server.start))
    try:
        yield await asyncio.shield(starting)
    finally:
        await asyncio.wait([starting])  # a thread cannot be cancelled
        await asyncio.to_thread(server.stop)


@dataclass(slots=True)
class EmbeddedPostgres:
    """One process's use of the server in `data_dir`; both methods block."""

    data_dir: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    _cluster: Cluster | None = None
    _users: int | None = None  # the descriptor that holds our share of users.lock

    def start(self) -> str:
        """Joins the server, starting it if it does not run; returns its address. Errors: PostgresFailed."""
        home = self.data_dir.absolute()
        try:
            _make_folder(home)
            self._users = lock(home / "users.lock", fcntl.LOCK_SH)
            with _locked(home / "start.lock"):
                self._cluster = Cluster(home, Programs.find(choose_owner(home / "cluster")))
                port = self._join_or_launch(self._cluster)
            return self._cluster.address(port)
        except OSError as error:
            self.stop()
            raise PostgresFailed(f"{error.filename or home}: {error.strerror}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Leaves the server, and stops it if nobody else uses it; harmless when repeated or never started."""
        users, self._users = self._users, None
        if users is None:
            return
        try:
            fcntl.flock(users, fcntl.LOCK_UN)
            if self._cluster and _try_flock(users):
                cluster = self._cluster
                if not stop_server(
                    _server_lock(cluster), cluster.programs.folder / "pg_ctl", cluster.path, cluster.programs.owner
                ):
                    log.error("postgres.does_not_stop", cluster=str(cluster.path))
            else:
                # Others use it, or the keeper was quicker and is stopping it: then this waits for it.
                fcntl.flock(users, fcntl.LOCK_SH)
        finally:
            os.close(users)

    def _join_or_launch(self, cluster: Cluster) -> int:
        give_up_at = time.monotonic() + START_TIMEOUT_S
        while (server := _try_lock(_server_lock(cluster))) is None:
            # Alive: ready, or still starting for a process that was killed, or what is left of a killed server.
            if port := _answering_port(cluster):
                return port
            if time.monotonic() > give_up_at:
                raise PostgresFailed(f"PostgreSQL in {cluster.path} neither answers nor ends: see {cluster.log_file}")
            time.sleep(POLL_S)
        try:
            cluster.prepare(durable=self.settings.get("fsync") != "off")
            return self._launch(cluster, server)
        finally:
            os.close(server)  # from here on the server's processes hold it, if there are any

    def _launch(self, cluster: Cluster, server: int) -> int:
        # Nobody holds the server's lock but us, so this file is of a server that died; its number may be anyone's now.
        (cluster.path / "postmaster.pid").unlink(missing_ok=True)
        if cluster.log_file.exists() and cluster.log_file.stat().st_size > LOG_LIMIT_BYTES:
            cluster.log_file.replace(cluster.log_file.with_suffix(".log.1"))
        _start_keeper(cluster)
        for port in _ports(cluster.home):
            said = _pg_ctl_start(cluster, server, {**SETTINGS, **self.settings, "port": str(port)})
            if said is None:
                write_private(cluster.home / "port", str(port))
                log.info("postgres.started", port=port, cluster=str(cluster.path))
                return port
            if "Address already in use" not in said:
                break
        raise PostgresFailed(f"PostgreSQL in {cluster.path} does not start:\n{said}")


def _make_folder(home: Path) -> None:
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Root's PostgreSQL is another user, who must walk through to the cluster and sees nothing else.
        home.chmod(0o711 if os.geteuid() == 0 else 0o700)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = lock(path, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(descriptor)


def _try_lock(path: Path) -> int | None:
    try:
        return lock(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return None


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _server_lock(cluster: Cluster) -> Path:
    return cluster.home / "server.lock"


def _answering_port(cluster: Cluster) -> int | None:
    """None while the server is not ready, or dead with some of its processes still ending."""
    try:
        lines = (cluster.path / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    if len(lines) <= PORT_LINE:
        return None
    port = int(lines[PORT_LINE])
    # Told no name, it would look for that of its user, who has none.
    asked = cluster.programs.run("pg_isready", "--host=127.0.0.1", f"--port={port}", f"--username={ROLE}")
    return None if asked.returncode else port


def _ports(home: Path) -> Iterator[int]:
    """The last one first: whoever still knows it finds the server again."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        yield int((home / "port").read_text())
    for _ in range(PORT_ATTEMPTS):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        yield port


def _pg_ctl_start(cluster: Cluster, server: int, settings: Mapping[str, str]) -> str | None:
    """Waits until it is ready, however long it recovers; returns why it is not, at once when it died.

    The folder is told by the environment and the log by a relative path: pg_ctl hands both to a shell.
    """
    logged_before = cluster.log_file.stat().st_size if cluster.log_file.exists() else 0
    options = shlex.join(word for name, value in settings.items() for word in ("-c", f"{name}={value}"))
    done = cluster.programs.run(
        "pg_ctl",
        "start",
        "--wait",
        f"--timeout={START_TIMEOUT_S}",
        f"--log={cluster.log_file.name}",
        f"--options={options}",
        cwd=cluster.path,
        env={"PGDATA": str(cluster.path)},
        pass_fds=[server],
    )
    if done.returncode == 0:
        return None
    with contextlib.suppress(FileNotFoundError), cluster.log_file.open(errors="replace") as file:
        file.seek(logged_before)
        if lines := file.read(LOG_LIMIT_BYTES).splitlines()[-LOG_TAIL_LINES:]:
            return "\n".join(lines)
    return done.stderr.strip()


def _start_keeper(cluster: Cluster) -> None:
    """It forks at once and outlives us, out of reach of the terminal's Ctrl-C."""
    owner = cluster.programs.owner
    subprocess.run(  # noqa: S603 - a file of ours
        [
            *(sys.executable, "-I", "-S", keeper.__file__),
            *(cluster.home / "users.lock", _server_lock(cluster), cluster.programs.folder / "pg_ctl", cluster.path),
            *("-" if number is None else str(number) for number in (owner.uid, owner.gid)),
        ],
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=True,
    )
