"""What the HTTP side knows of the shop: nothing while it starts, everything once it runs."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kiosk.db import Database
from kiosk.generations.callback import CallbackDesk
from kiosk.role import Role


class Intake(Protocol):
    """Takes the updates of one bot; implemented by `kiosk.bot.intake`."""

    secret: str

    async def take(self, body: bytes) -> bool:
        """Returns once the update is dealt with; False when the body is no update."""


@dataclass(frozen=True, slots=True)
class BotState:
    """One bot as this process sees it. `accepted`: its token, by Telegram, as far as is known.

    `active`: its updates come to this process; `hears`: they come as they should, here or to another replica.
    """

    id: int
    username: str
    accepted: bool
    active: bool
    hears: bool


@dataclass(frozen=True, slots=True)
class Running:
    """Everything that requests need. `holder` is what this process is called in leases."""

    db: Database
    callbacks: CallbackDesk
    intakes: Mapping[int, Intake]
    hmac_key: str | None
    checks: Mapping[str, Callable[[], Awaitable[bool]]]  # by name; all true: ready
    bots: Callable[[], Sequence[BotState]]
    role: Role = Role.RUN
    mode: str = "webhook"
    holder: str = ""
    key_name: str = ""  # of the gate before the provider


@dataclass(slots=True)
class Front:
    """The port is open before the database is asked for anything; until then requests are told to come back."""

    version: str
    running: Running | None = field(default=None)
    waits_for: str | None = None  # what keeps the shop from opening
    was_open: bool = False
    _in_hand: int = 0
    _idle: asyncio.Event = field(default_factory=asyncio.Event)

    def open(self, running: Running) -> None:
        """From now on requests are served."""
        self.running, self.was_open = running, True

    @contextlib.contextmanager
    def serving(self, running: Running) -> Iterator[Running]:
        """Inside the block a request is being dealt with, by a shop that ran when it came."""
        self._in_hand += 1
        try:
            yield running
        finally:
            self._in_hand -= 1
            if not self._in_hand:
                self._idle.set()

    async def close(self) -> None:
        """Whoever comes now is told to come back; returns when those who are here are served."""
        self.running = None
        while self._in_hand:
            self._idle.clear()
            await self._idle.wait()
