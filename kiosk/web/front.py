"""What the HTTP side knows of the shop: nothing while it starts, everything once it runs."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from kiosk.db import Database
from kiosk.generations.callback import CallbackDesk


class Intake(Protocol):
    """Takes the updates of one bot; implemented by `kiosk.bot.intake`."""

    secret: str

    async def take(self, body: bytes) -> bool:
        """Returns once the update is dealt with; False when the body is no update."""


@dataclass(frozen=True, slots=True)
class Running:
    """Everything that requests need."""

    db: Database
    callbacks: CallbackDesk
    intakes: Mapping[int, Intake]
    hmac_key: str | None
    checks: Mapping[str, Callable[[], Awaitable[bool]]]  # by name; all true: ready
    active: Callable[[], bool]  # whether this replica takes updates
    key_name: str = ""  # of the gate before the provider


@dataclass(slots=True)
class Front:
    """The port is open before the database is asked for anything; until then requests are told to come back."""

    version: str
    running: Running | None = field(default=None)
