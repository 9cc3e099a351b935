"""One bot in one process: met, listened to, and when its token is refused asked for again and again."""

import asyncio
from dataclasses import dataclass, field
from typing import Final, Protocol

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError

from kiosk.bot.opening import TelegramRefused, introduce
from kiosk.bot.refusals import TOKEN_REFUSED, TokenRefused
from kiosk.bot.stopping import pause, unless_stopped
from kiosk.bot.words import SHOP_VOICE, Voice
from kiosk.db import Database, DatabaseUnavailable
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert

log = structlog.get_logger()

REFUSED: Final = "TELEGRAM_BOT_TOKEN: Telegram does not accept it; ask @BotFather for the present one"
AWAY_MOST_S: Final = 15.0
REFUSED_FIRST_S: Final = 10.0
REFUSED_MOST_S: Final = 600.0


class Ear(Protocol):
    """How updates of a bot come to this process."""

    @property
    def active(self) -> bool:
        """They come to this very process."""

    @property
    def hears(self) -> bool:
        """They come as they should: here, or to the replica whose turn it is."""

    async def listen(self, stopping: asyncio.Event) -> None:
        """Until `stopping`. Errors: TokenRefused."""


@dataclass(slots=True)
class Presence:
    """`ear`: None where no updates come. `alone`: no other bot is sold from, so a refused token ends the start."""

    bot: Bot
    db: Database
    ear: Ear | None
    alone: bool
    voice: Voice = SHOP_VOICE
    look_s: float = 300.0  # where there is no ear
    away_first_s: float = 1.0
    refused_first_s: float = REFUSED_FIRST_S
    username: str = ""
    refused: bool = False
    met: bool = field(default=False, init=False)

    @property
    def active(self) -> bool:
        return self.ear is not None and self.ear.active

    @property
    def hears(self) -> bool:
        return self.ear is None or self.ear.hears

    async def run(self, stopping: asyncio.Event) -> None:
        """Until `stopping`; other bots notice nothing of what becomes of this one. Errors: TelegramRefused."""
        with structlog.contextvars.bound_contextvars(bot_id=self.bot.id):
            failures = 0
            while not stopping.is_set():
                try:
                    await unless_stopped(stopping, self._meet())
                    failures = 0
                    await self._listen(stopping)
                    continue
                except TokenRefused:
                    await self._was_refused()
                except (AiogramError, DatabaseUnavailable) as error:
                    if not failures:
                        log.warning("bot.not_met", error=type(error).__name__)
                failures += 1
                await pause(stopping, self._pause_s(failures))

    def _pause_s(self, failures: int) -> float:
        first_s, most_s = (self.refused_first_s, REFUSED_MOST_S) if self.refused else (self.away_first_s, AWAY_MOST_S)
        return min(first_s * 2.0 ** min(failures - 1, 16), most_s)

    async def _meet(self) -> None:
        """Errors: TokenRefused, AiogramError, DatabaseUnavailable."""
        try:
            if self.met and not self.refused:
                await self.bot.get_me()
                return
            self.username = await introduce(self.bot, self.db, self.voice, names_commands=self.ear is not None)
        except TOKEN_REFUSED as refusal:
            raise TokenRefused from refusal
        if self.refused:
            log.warning("bot.accepted_again")
        self.met, self.refused = True, False

    async def _listen(self, stopping: asyncio.Event) -> None:
        if stopping.is_set():
            return
        if self.ear is not None:
            await self.ear.listen(stopping)
            return
        # Where nothing is heard a token that is refused later would not be noticed.
        await pause(stopping, self.look_s)

    async def _was_refused(self) -> None:
        """Said and told once, not with every try. Errors: TelegramRefused."""
        if self.alone and not self.met:
            raise TelegramRefused(REFUSED)
        if self.refused:
            return
        self.refused = True
        log.error("bot.refused")
        name = f"@{self.username} ({self.bot.id})" if self.username else str(self.bot.id)
        try:
            async with self.db.transaction() as tx:
                await raise_alert(tx, Alert(Kind.BOT_REFUSED, str(self.bot.id), {"bot": name}))
        except DatabaseUnavailable as away:
            log.warning("bot.refusal_not_told", why=away.why)
