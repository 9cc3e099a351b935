"""Starts `kiosk` processes by forking one that has imported everything: real processes without seconds of imports.

What is forked is a process like any other: it has its own number, session, folder, environment and log, and dies by
any signal. Only the imports are shared, which on a small machine cost more than all the rest of a short life.
"""

import argparse
import asyncio
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).resolve().parent.parent
# The last of them are imported late by whoever needs them, when the loop runs already.
IMPORTED = (
    "kiosk.cli",
    "kiosk.commands.ordering",
    "kiosk.process",
    "kiosk.web",
    "kiosk.wiring",
    "uvicorn.lifespan.off",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.auto",
    "encodings.idna",
)
CHUNK_BYTES = 64 * 1024
OUTPUTS = 2  # stdout and stderr


class StarterDied(Exception):  # noqa: N818 - it states a fact
    """The forked process's parent is gone, or never came up: its children are gone too, or unknown."""


@dataclass(eq=False, slots=True)
class Started:
    """A forked process, as far as asyncio's own would show it; negative codes are signals."""

    pid: int
    returncode: int | None = None
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait(self) -> int:
        """Errors: StarterDied."""
        await self._ended.wait()
        if self.returncode is None:
            raise StarterDied
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing happens to who has ended."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def has_ended(self, code: int | None) -> None:
        self.returncode = code
        self._ended.set()


@dataclass(eq=False, slots=True)
class Starter:
    """Inside `async with`: forks processes of `kiosk` on request; all that still live are killed at its end.

    `pythonpath` stands before this source tree, for changed copies. Each of `hooks` is a module whose `install()` is
    called before anything of `kiosk` is imported.
    """

    pythonpath: Sequence[Path] = ()
    hooks: Sequence[str] = ()
    _socket: socket.socket | None = None
    _server: asyncio.subprocess.Process | None = None
    _listening: asyncio.Task[None] | None = None
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _asked: asyncio.Future[Started] | None = None
    _started: dict[int, Started] = field(default_factory=dict)

    async def __aenter__(self) -> Self:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        path = os.pathsep.join(str(folder) for folder in (*self.pythonpath, ROOT))
        with theirs:
            self._server = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",  # nothing of whatever folder we stand in
                "-u",
                "-m",
                "chaos.starter",
                str(theirs.fileno()),
                *(f"--hook={name}" for name in self.hooks),
                env={**os.environ, "PYTHONPATH": path},
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C is for us
            )
        self._socket = ours
        self._listening = asyncio.create_task(self._listen(ours), name="starter")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._socket is not None  # noqa: S101 - it was entered
        assert self._server is not None  # noqa: S101 - likewise
        assert self._listening is not None  # noqa: S101 - likewise
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        await self._listening  # it hears of every end
        await self._server.wait()
        self._socket.close()

    async def start(
        self,
        *arguments: str,
        folder: Path,
        environment: Mapping[str, str],
        stdout: int,
        stderr: int | None = None,
    ) -> Started:
        """`python -m kiosk *arguments` in this folder, with this environment and no other, writing to these files.

        Errors: StarterDied.
        """
        assert self._socket is not None  # noqa: S101 - asked inside the block only
        request = {"arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        async with self._one:
            self._asked = asyncio.get_running_loop().create_future()
            if self._listening is None or self._listening.done():
                raise StarterDied
            try:
                outputs = [stdout, stdout if stderr is None else stderr]
                socket.send_fds(self._socket, [json.dumps(request).encode() + b"\n"], outputs)
            except OSError as error:
                raise StarterDied from error
            return await self._asked

    async def _listen(self, ours: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        rest = b""
        try:
            while data := await loop.sock_recv(ours, CHUNK_BYTES):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    self._hear(json.loads(line))
        except OSError:
            pass
        finally:
            for process in self._started.values():
                process.has_ended(None)
            if self._asked is not None and not self._asked.done():
                self._asked.set_exception(StarterDied())

    def _hear(self, told: Mapping[str, int]) -> None:
        pid = told["pid"]
        if "code" in told:
            self._started.pop(pid).has_ended(told["code"])
            return
        assert self._asked is not None  # noqa: S101 - one answer for one request
        self._started[pid] = Started(pid)
        if not self._asked.done():
            self._asked.set_result(self._started[pid])


# What follows runs in the process that is forked, and in its children.


@dataclass(frozen=True, slots=True)
class Request:
    """What a child is to become."""

    arguments: Sequence[str]
    folder: str
    environment: Mapping[str, str]
    outputs: Sequence[int]


@dataclass(slots=True)
class Server:
    """Forks a child for every request, and tells of its end; kills all when nobody listens any longer."""

    asks: socket.socket
    children: set[int] = field(default_factory=set)

    def serve(self) -> Request | None:
        """Returns in every child with its request, and in the parent with None at the end."""
        wake_reader, wake_writer = socket.socketpair()
        wake_writer.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_writer.fileno())
        while True:
            ready, _, _ = select.select([self.asks, wake_reader], [], [])
            if wake_reader in ready:
                wake_reader.recv(CHUNK_BYTES)
                self._reap()
            if self.asks not in ready:
                continue
            request = self._next()
            if request is None:
                self._end()
                return None
            pid = os.fork()
            if pid == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for end in (self.asks, wake_reader, wake_writer):
                    end.close()
                return request
            for output in request.outputs:
                os.close(output)
            self.children.add(pid)
            self._tell(pid=pid)

    def _next(self) -> Request | None:
        data, outputs, _, _ = socket.recv_fds(self.asks, CHUNK_BYTES, OUTPUTS)
        while data and not data.endswith(b"\n"):
            data += self.asks.recv(CHUNK_BYTES)
        return Request(**json.loads(data), outputs=outputs) if data else None

    def _reap(self) -> None:
        for pid in sorted(self.children):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._has_ended(pid, status)

    def _end(self) -> None:
        for pid in self.children:
            os.kill(pid, signal.SIGKILL)
        for pid in sorted(self.children):
            self._has_ended(*os.waitpid(pid, 0))

    def _has_ended(self, pid: int, status: int) -> None:
        self.children.discard(pid)
        self._tell(pid=pid, code=os.waitstatus_to_exitcode(status))

    def _tell(self, **what: int) -> None:
        with contextlib.suppress(OSError):
            self.asks.sendall(json.dumps(what).encode() + b"\n")


def become(request: Request) -> None:
    """Turns this child into `python -m kiosk`, as if nobody had been there before. `random` seeds itself anew."""
    os.setsid()
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    for stream, output in zip((sys.stdout, sys.stderr), request.outputs, strict=True):
        os.dup2(output, stream.fileno())
        os.close(output)
    kiosk: Any = importlib.import_module("kiosk.cli")
    sys.argv = [str(Path(kiosk.__file__).with_name("__main__.py")), *request.arguments]
    kiosk.main()


def main() -> None:
    parser = argparse.ArgumentParser(prog="starter", description=__doc__)
    parser.add_argument("socket", type=int, help="the number of an open one, on which requests come")
    parser.add_argument("--hook", action="append", default=[], help="a module to install before anything is imported")
    asked = parser.parse_args()
    os.set_inheritable(asked.socket, False)
    for name in asked.hook:
        importlib.import_module(name).install()
    for name in IMPORTED:
        importlib.import_module(name)
    if threading.active_count() > 1:
        raise SystemExit("an import started a thread: no process with threads can be forked safely")
    gc.collect()
    gc.freeze()  # or the first collection of every child would copy all of it
    request = Server(socket.socket(fileno=asked.socket)).serve()
    if request is not None:
        become(request)


if __name__ == "__main__":
    main()
