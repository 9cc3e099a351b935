"""The two ways in which updates of a bot come: asked for by whoever leads, or pushed to an address that is kept."""

import asyncio
from dataclasses import dataclass

from kiosk.bot.intake import BotIntake
from kiosk.leadership.leader import Leader


@dataclass(frozen=True, slots=True)
class Polling:
    """Implements `kiosk.bot.presence.Ear`: of all replicas one asks, the others stand by."""

    intake: BotIntake
    leader: Leader

    @property
    def active(self) -> bool:
        return self.intake.active

    @property
    def hears(self) -> bool:
        return self.intake.active or self.leader.stands_by

    async def listen(self, stopping: asyncio.Event) -> None:
        await self.intake.poll(self.leader, stopping)
