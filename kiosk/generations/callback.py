"""A callback of the provider: authenticated by the address it came to, then only a wake-up."""

from dataclasses import dataclass
from enum import Enum

import structlog

from kiosk.db import Database, Tx
from kiosk.generations import late_looks, store, tasks
from kiosk.generations.deadlines import LATE_LOOKS_S
from kiosk.generations.states import TASKS_AT_MOST
from kiosk.ids import same_secret
from kiosk.queue.jobs import Act, Job, enqueue
from kiosk.tracing import span

log = structlog.get_logger()


class Taken(Enum):
    """What became of a callback."""

    WOKEN = "woken"  # its generation will be looked at
    KEPT = "kept"  # it fits nothing yet
    FORGED = "forged"  # the token is not this generation's


@dataclass(frozen=True, slots=True)
class CallbackDesk:
    """Receives callbacks; nothing that a body claims is believed except which task to ask about."""

    db: Database
    poll_first_s: float

    async def by_token(self, generation_id: int, token: str, task_id: str) -> Taken:
        """One whose address names a generation and carries its secret."""
        async with self.db.transaction() as tx:
            order = await store.get(tx, generation_id)
            if order is None or not same_secret(order.callback_token, token):
                return Taken.FORGED
            with span("callback", generation_id=generation_id):
                await self._wake(tx, generation_id, task_id)
        log.info("callback.received", generation_id=generation_id, task_id=task_id)
        return Taken.WOKEN

    async def by_task(self, task_id: str, body: str) -> Taken:
        """One without a token: it can only wake a task that we know of."""
        async with self.db.transaction() as tx:
            generation_id = await tasks.generation_of_task(tx, task_id)
            if generation_id is None:
                await tasks.keep_orphan(tx, task_id, body)
            else:
                await enqueue(tx, Job(Act.OBSERVE, generation_id))
        log.info("callback.without_token", task_id=task_id, known=generation_id is not None)
        return Taken.KEPT if generation_id is None else Taken.WOKEN

    async def _wake(self, tx: Tx, generation_id: int, task_id: str) -> None:
        """The answer to an unknown outcome may come this way: then the task becomes known by its callback."""
        if await tasks.add(tx, generation_id, task_id, at_most=TASKS_AT_MOST):
            await late_looks.expect(tx, generation_id, wait_s=LATE_LOOKS_S[0])
        if await tasks.generation_of_task(tx, task_id) == generation_id:
            await store.start_running(tx, generation_id, task_id, poll_s=self.poll_first_s)
        await enqueue(tx, Job(Act.OBSERVE, generation_id))
