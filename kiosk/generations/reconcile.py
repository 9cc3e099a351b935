"""Looks for what was forgotten, however that came about, and gives it a future; nobody relies on finding anything."""

from dataclasses import dataclass
from typing import Final

import structlog

from kiosk.db import Database, Tx
from kiosk.delivery import store as deliveries
from kiosk.generations import strays
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert

log = structlog.get_logger()

BATCH: Final = 200
MARGIN_S: Final = 3600.0  # beyond any pause that the shop makes by itself, and any wait that others ask for
PARCEL_S: Final = 3600.0  # a parcel in one pair of hands for so long: far beyond any lease
RUN_S: Final = 3600.0  # for an order that nobody knows the time of


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Safe on every replica at once: each stray is woken by one of them, and then it is none."""

    db: Database

    async def reconcile(self) -> int:
        """How many strays were woken; at most a batch of each sort in a round."""
        async with self.db.transaction() as tx:
            woken = await strays.give_future(tx, limit=BATCH, margin_s=MARGIN_S, run_s=RUN_S)
            await self._tell(tx, woken)
        async with self.db.transaction() as tx:
            stuck = await deliveries.take_from_the_dead(tx, limit=BATCH, older_than_s=PARCEL_S)
            await strays.wake(tx, stuck)
            reopened = await strays.reopen_undelivered(tx, limit=BATCH)
            await self._tell(tx, [*stuck, *reopened])
        found = sorted({*woken, *stuck, *reopened})
        if found:
            log.error("reconcile.woke", count=len(found), generations=found[:10])
        return len(found)

    async def _tell(self, tx: Tx, generation_ids: list[int]) -> None:
        if generation_ids:
            alert = Alert(Kind.STRAY, values={"generation": str(generation_ids[-1])})
            await raise_alert(tx, alert, times=len(generation_ids))
