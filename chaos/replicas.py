"""Replicas of the shop: `kiosk run` processes, each started again whenever it ends, as on any hosting platform."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from chaos.starter import Started, Starter
from sandbox.shopkeeper import Shop

CRASH_AT = "KIOSK_CRASH_AT"
READY_S = 180.0
PAUSE_S = 0.2
STOP_S = 40.0
REST_S = 0.2


class NotReady(Exception):  # noqa: N818 - it states a fact
    """A replica does not get ready; the message names its log."""


@dataclass(slots=True)
class Replica:
    """One process and its successors; its log is `kiosk.log` in its folder.

    `armed` are the crash points of the next processes, in turn; `deaths` are the points at which one has died.
    """

    number: int
    shop: Shop
    starter: Starter
    kills: int = 0
    starts: int = 0
    exits: int = 0  # how often it ended by itself
    armed: list[str] = field(default_factory=list)
    deaths: list[str] = field(default_factory=list)
    _point: str | None = None
    _killed: bool = False
    _process: Started | None = None
    _keeping: asyncio.Task[None] | None = None
    _waking: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def port(self) -> int:
        return int(self.shop.settings["PORT"])

    @property
    def log(self) -> Path:
        return self.shop.folder / "kiosk.log"

    def start(self) -> None:
        """Runs until `stop`, whatever happens to its processes."""
        self.shop.folder.mkdir(parents=True, exist_ok=True)
        self._keeping = asyncio.create_task(self._keep(), name=f"replica {self.number}")

    async def ready(self) -> None:
        """Errors: NotReady."""
        address = f"http://127.0.0.1:{self.port}/ready"
        try:
            async with (
                asyncio.timeout(READY_S),
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
            ):
                while not await _answers(session, address):  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(PAUSE_S)
        except TimeoutError:
            raise NotReady(f"replica {self.number} does not get ready: see {self.log}") from None

    def kill(self, armed: Sequence[str] = ()) -> bool:
        """SIGKILL; the next process starts at once, and so on to die at these points. False: there was none."""
        if not self._signal(signal.SIGKILL):
            return False
        self._killed = True
        self.kills += 1
        self.armed = [*armed] or self.armed
        return True

    def pause(self, lasts_s: float) -> bool:
        """SIGSTOP, and SIGCONT after `lasts_s`: a zombie that believes that no time has passed. False: as above."""
        process = self._process
        if process is None or not self._signal(signal.SIGSTOP):
            return False
        task = asyncio.create_task(_wake(process, lasts_s))
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)
        return True

    async def calm(self) -> None:
        """Whoever sleeps wakes up now, and nobody dies any more unless it was to die already."""
        self.armed.clear()
        for task in list(self._waking):
            task.cancel()
        await asyncio.gather(*self._waking, return_exceptions=True)

    async def stop(self) -> None:
        """In order, as SIGTERM asks for; hard when that takes too long."""
        await self.calm()
        if self._keeping is None:
            return
        self._keeping.cancel()
        await asyncio.gather(self._keeping, return_exceptions=True)
        process = self._process
        if process is None or process.returncode is not None:
            return
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _keep(self) -> None:
        while True:
            self._killed = False
            self._point = self.armed.pop(0) if self.armed else None
            armed = {CRASH_AT: self._point} if self._point else {}
            with self.log.open("ab") as output:
                self._process = await self.starter.start(
                    "run",
                    folder=self.shop.folder,
                    environment={**self.shop.environment, **armed},
                    stdout=output.fileno(),
                )
            self.starts += 1
            self._count(await self._process.wait())
            await asyncio.sleep(REST_S)

    def _count(self, code: int) -> None:
        if self._killed:
            return
        if self._point and code == -signal.SIGKILL:
            self.kills += 1
            self.deaths.append(self._point)
        else:
            self.exits += 1

    def _signal(self, number: signal.Signals) -> bool:
        process = self._process
        if process is None or process.returncode is not None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)
            return True
        return False


async def _answers(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(address) as answer:
            return answer.status == 200  # noqa: PLR2004 - ready
    except (aiohttp.ClientError, TimeoutError):
        return False


async def _wake(process: Started, lasts_s: float) -> None:
    try:
        await asyncio.sleep(lasts_s)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
