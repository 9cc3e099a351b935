"""Runs `kiosk run` as an operator would: a process of its own, configured by its environment alone."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

BOT_ID = 7000001
BOT_TOKEN = f"{BOT_ID}:sandbox-demo"
KIE_KEY = "sandbox-demo"
LOG_TAIL_LINES = 15
READY_TRIES = 1200
READY_PAUSE_S = 0.1
STOP_S = 40
# What the demo must not inherit: a real shop's settings.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TMPDIR", "USER", "VIRTUAL_ENV", "SYSTEMROOT")


class ShopDied(Exception):  # noqa: N818 - it states a fact
    """The shop's process ended by itself; the message holds the end of its log."""


def free_port(preferred: int = 0) -> int:
    """A port of the loopback interface that nobody uses now: the preferred one if it is free."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return int(probe.getsockname()[1])
    raise OSError("there is no free port")


@dataclass(frozen=True, slots=True)
class Shop:
    """A running shop: where it keeps everything and what it was told."""

    folder: Path
    settings: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """Its own settings and nothing of ours but what any program needs."""
        root = str(Path(__file__).resolve().parent.parent)
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        return {**kept, "PYTHONPATH": root, "PYTHONUNBUFFERED": "1", **self.settings}

    async def ask(self, *command: str) -> Any:
        """What a `kiosk … --json` command prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "kiosk",
            *command,
            "--json",
            cwd=self.folder,
            env=self.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode:
            raise ShopDied(f"kiosk {' '.join(command)}: {err.decode().strip()}")
        return json.loads(out)

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """The shop is ready inside the block and closed, its data kept, after it. Errors: ShopDied."""
        self.folder.mkdir(parents=True, exist_ok=True)
        log = self.folder / "kiosk.log"
        with log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "kiosk",
                "run",
                cwd=self.folder,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for us; we close it in order
            )
            try:
                await self._until_ready(process, log)
                yield process
            finally:
                await _close(process)

    async def _until_ready(self, process: asyncio.subprocess.Process, log: Path) -> None:
        address = f"http://127.0.0.1:{self.settings['PORT']}/ready"
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            for _ in range(READY_TRIES):
                if process.returncode is not None:
                    raise ShopDied(_tail(log))
                with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                    async with session.get(address) as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(READY_PAUSE_S)
        raise ShopDied(f"it does not get ready; its log ends with\n{_tail(log)}")


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_TAIL_LINES:])


async def _close(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()
