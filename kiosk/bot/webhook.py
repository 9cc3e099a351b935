"""A webhook is kept as it is expected: looked at again and again, and set anew when it is not."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import WebhookInfo

from kiosk.bot.kinds import ALLOWED_UPDATES
from kiosk.bot.refusals import TOKEN_REFUSED, TokenRefused
from kiosk.bot.stopping import pause, unless_stopped
from kiosk.customers import store as customers
from kiosk.db import Database, DatabaseUnavailable
from kiosk.ids import webhook_mark
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert

log = structlog.get_logger()

CONNECTIONS: Final = 40
LOOK_S: Final = 30.0
AGAIN_MOST_S: Final = 600.0  # where setting it does not help


@dataclass(frozen=True, slots=True)
class Expected:
    """What Telegram is to call, and how."""

    url: str
    secret: str = field(repr=False)
    connections: int = CONNECTIONS
    updates: tuple[str, ...] = ALLOWED_UPDATES

    @property
    def mark(self) -> str:
        """Remembered when it was set: the secret among it cannot be read back."""
        return webhook_mark(self.secret, self.url)


def differences(info: WebhookInfo, mark: str | None, expected: Expected) -> tuple[str, ...]:
    """Pure: in what the webhook is not as expected; `mark` is that of what was set last."""
    found = {
        "address": info.url != expected.url,
        "updates": set(info.allowed_updates or ()) != set(expected.updates),
        "connections": info.max_connections != expected.connections,
        "secret": mark != expected.mark,
    }
    return tuple(name for name, differs in found.items() if differs)


@dataclass(slots=True)
class Webhook:
    """Implements `kiosk.bot.presence.Ear`. Any number of replicas may look; setting it twice changes nothing."""

    bot: Bot
    db: Database
    expected: Expected
    look_s: float = LOOK_S
    as_expected: bool = False  # when it was last looked at
    _failed: int = 0  # looks in a row
    _in_vain: int = 0  # times in a row that setting it did not help
    _last_error_at: datetime | None = None
    _troubled: bool = False

    @property
    def active(self) -> bool:
        return self.as_expected

    @property
    def hears(self) -> bool:
        return self.as_expected

    async def listen(self, stopping: asyncio.Event) -> None:
        """Errors: TokenRefused."""
        try:
            while not stopping.is_set():
                await unless_stopped(stopping, self._look_once())
                await pause(stopping, self._pause_s())
        finally:
            self.as_expected = False

    def _pause_s(self) -> float:
        """Short after a look that failed, long where setting it does not help."""
        if self._failed:
            return min(2.0 ** min(self._failed, 10), self.look_s)
        return min(self.look_s * 2.0 ** min(self._in_vain, 10), AGAIN_MOST_S)

    async def _look_once(self) -> None:
        """A look that fails says nothing of the webhook: what the last one found holds on."""
        try:
            await self._look()
            self._failed = 0
        except TOKEN_REFUSED as refusal:
            raise TokenRefused from refusal
        except (AiogramError, DatabaseUnavailable) as error:
            if not self._failed:
                log.warning("webhook.not_seen", error=type(error).__name__)
            self._failed += 1

    async def _look(self) -> None:
        """Errors: AiogramError, DatabaseUnavailable."""
        info, differs = await self._compare()
        if differs:
            self.as_expected = False
            log.warning("webhook.differs", differs=differs)
            await self._set()
            info, differs = await self._compare()
            self._in_vain = self._in_vain + 1 if differs else 0
        self.as_expected = not differs
        await self._mind(info)

    async def _compare(self) -> tuple[WebhookInfo, tuple[str, ...]]:
        info = await self.bot.get_webhook_info()
        async with self.db.reading() as tx:
            mark = await customers.webhook_mark(tx, self.bot.id)
        return info, differences(info, mark, self.expected)

    async def _set(self) -> None:
        expected = self.expected
        await self.bot.set_webhook(
            expected.url,
            secret_token=expected.secret,
            allowed_updates=list(expected.updates),
            max_connections=expected.connections,
            drop_pending_updates=False,
        )
        async with self.db.transaction() as tx:
            await customers.remember_webhook(tx, self.bot.id, expected.mark)
        log.info("bot.webhook_set", url=expected.url)

    async def _mind(self, info: WebhookInfo) -> None:
        """Updates that do not get through: one failure is worth a line, another while they still wait is told."""
        at, before = info.last_error_date, self._last_error_at
        self._last_error_at = at
        error, waiting = info.last_error_message or "", info.pending_update_count
        if at is None or not waiting:
            self._troubled = False
            return
        if before is not None and at <= before:
            return
        log.warning("webhook.troubled", error=error, pending=waiting)
        if self._troubled:
            values = {"bot": str(self.bot.id), "error": error, "pending": str(waiting)}
            async with self.db.transaction() as tx:
                await raise_alert(tx, Alert(Kind.WEBHOOK_TROUBLED, str(self.bot.id), values))
        self._troubled = True
