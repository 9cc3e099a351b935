"""Brings whatever is due and has no wake-up of its own; safe on every replica at once."""

from dataclasses import dataclass
from typing import Final

import structlog

from kiosk.db import Database
from kiosk.generations import drafts, late_looks, store, tasks
from kiosk.generations.deadlines import LATE_LOOKS_S
from kiosk.generations.states import State
from kiosk.operators.store import forget_told
from kiosk.queue.jobs import Act, Job, enqueue, prune

log = structlog.get_logger()

BATCH: Final = 200
LEASE_S: Final = 20.0
ORPHAN_DAYS: Final = 7
DRAFT_DAYS: Final = 30
HISTORY_DAYS: Final = 7
ALERT_DAYS: Final = 90

ACT_OF: Final = {
    State.PENDING: Act.SUBMIT,
    State.SUBMITTING: Act.SUBMIT,
    State.RUNNING: Act.OBSERVE,
    State.DONE: Act.DELIVER,
    State.FAILED: Act.DELIVER,
}


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Rounds of every replica."""

    db: Database

    async def sweep(self) -> None:
        """Wakes every generation whose `next_at` has come."""
        while True:
            async with self.db.transaction() as tx:
                due = await store.claim_due(tx, limit=BATCH, lease_s=LEASE_S)
                await enqueue(tx, *(Job(ACT_OF[state], generation_id) for generation_id, state in due))
            if due:
                log.debug("sweep.woke", count=len(due))
            if len(due) < BATCH:
                return

    async def look_late(self) -> None:
        """Orders that ended while a task of theirs had not: the provider may have finished it since."""
        while True:
            async with self.db.transaction() as tx:
                due = await late_looks.claim(tx, limit=BATCH, pauses_s=LATE_LOOKS_S)
                await enqueue(tx, *(Job(Act.OBSERVE, generation_id) for generation_id in due))
            if due:
                log.debug("sweep.looked_late", count=len(due))
            if len(due) < BATCH:
                return

    async def match_orphans(self) -> None:
        """Callbacks that came before their task was known find it now."""
        async with self.db.transaction() as tx:
            matched = await tasks.match_all_orphans(tx, within_days=ORPHAN_DAYS)
            await enqueue(tx, *(Job(Act.OBSERVE, generation_id) for generation_id in matched))
        if matched:
            log.info("orphans.matched", count=len(matched))

    async def tidy(self) -> None:
        """Old drafts are closed, old orphans and alerts forgotten, the engine's history is cut."""
        async with self.db.transaction() as tx:
            expired = await drafts.expire(tx, older_than_days=DRAFT_DAYS)
            orphans = await tasks.drop_orphans(tx, older_than_days=2 * ORPHAN_DAYS)
            await forget_told(tx, older_than_days=ALERT_DAYS)
            await prune(tx, keep_days=HISTORY_DAYS)
        log.info("sweep.tidied", drafts=expired, orphans=orphans)
