"""Looks again and again at what goes wrong slowly: credits that run out, and orders that fail too often."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import structlog

from kiosk.db import Database
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError
from kiosk.metrics import BALANCE, UNKNOWN
from kiosk.operators import lately
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.lately import Ended
from kiosk.operators.store import raise_while_it_lasts
from kiosk.queue import turns

log = structlog.get_logger()

CREDITS_EVERY_S: Final = 300.0
FAILURES_EVERY_S: Final = 60.0
DAY_H: Final = 24


@dataclass(frozen=True, slots=True)
class Limits:
    """When operators want to hear of it; `share` of the orders that ended within `window_s`."""

    low_credits: Decimal
    share: Decimal
    failures_at_least: int
    window_s: float


def low(balance: Decimal, spent: Decimal, limits: Limits) -> Alert | None:
    """Pure: fewer than the limit, or than another day like the last one takes."""
    hours = int(balance * DAY_H / spent) if spent > 0 else None
    if balance >= limits.low_credits and (hours is None or hours >= DAY_H):
        return None
    told = {"balance": f"{balance.normalize():f}", "spent": f"{spent.normalize():f}"}
    return Alert(Kind.CREDITS_LOW, values={**told, "hours": "—" if hours is None else str(hours)})


def too_many(counted: Sequence[Ended], limits: Limits) -> Iterator[Alert]:
    """Pure: one for the shop, one for each model."""
    for one in counted:
        if one.failed < limits.failures_at_least or one.failed < limits.share * one.ended:
            continue
        told = {
            "failed": str(one.failed),
            "ended": str(one.ended),
            "share": str(one.failed * 100 // one.ended),
            "minutes": f"{limits.window_s / 60:.0f}",
        }
        if one.model_id is None:
            yield Alert(Kind.FAILURES, values=told)
        else:
            yield Alert(Kind.MODEL_FAILURES, one.model_id, {**told, "model": one.model_id})


@dataclass(frozen=True, slots=True)
class Watcher:
    """Both rounds may run on every replica: one of them takes the turn."""

    db: Database
    kie: KieClient
    limits: Limits

    async def credits(self) -> None:
        """Asks the provider what is left."""
        if not await self._take("credits", CREDITS_EVERY_S):
            return
        try:
            balance = await self.kie.credits()
        except KieError as error:
            BALANCE.set(UNKNOWN)  # what it was is no answer any more
            log.info("credits.unknown", error=type(error).__name__)
            return
        async with self.db.transaction() as tx:
            found = low(balance, await lately.spent_in_a_day(tx), self.limits)
            if found:
                await raise_while_it_lasts(tx, found)

    async def failures(self) -> None:
        """Counts how the orders of the last while ended."""
        if not await self._take("failures", FAILURES_EVERY_S):
            return
        async with self.db.transaction() as tx:
            for found in too_many(await lately.ended(tx, within_s=self.limits.window_s), self.limits):
                await raise_while_it_lasts(tx, found)

    async def _take(self, name: str, every_s: float) -> bool:
        async with self.db.transaction() as tx:
            return await turns.take(tx, name, lease_s=every_s * 0.9)  # its rounds drift
