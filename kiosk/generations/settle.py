"""The end of a generation: state, money, outputs and the delivery's wake-up in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from kiosk import metrics
from kiosk.db import Database
from kiosk.delivery import store as deliveries
from kiosk.delivery.plan import Output, failure_parcels, result_parcels
from kiosk.generations import store
from kiosk.generations.deadlines import LATE_LOOKS_S
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert
from kiosk.queue.jobs import Act, Job, enqueue
from kiosk.tracing import traced

log = structlog.get_logger()

WAKE_S = 20.0


def about(kind: Literal[Kind.STUCK, Kind.LATE], order: Generation) -> Alert:
    """Told once for all orders of a model."""
    return Alert(kind, order.model_id, {"model": order.model_id, "generation": str(order.id)})


@dataclass(frozen=True, slots=True)
class Settler:
    """Both methods lock the money first and win only against the state that the caller saw."""

    db: Database

    @traced("settle")
    async def succeed(self, order: Generation, outputs: Sequence[Output], *, unended: bool = False) -> bool:
        """running → done with the price taken, or failed → done as a gift. False: another was faster.

        `unended`: another task of it has not ended, and what it costs is looked for later.
        """
        async with self.db.transaction() as tx:
            await ledger.lock(tx, order.customer_id)
            won = await store.settle_done(
                tx, order.id, was=order.state, wake_s=WAKE_S, late_look_s=LATE_LOOKS_S[0] if unended else None
            )
            if not won:
                return False
            if order.state is State.RUNNING:
                await ledger.resolve(tx, order.id, "capture")
            await deliveries.insert(tx, order.id, result_parcels(outputs, rings=not order.is_direct))
            await enqueue(tx, Job(Act.DELIVER, order.id))
            if order.state is State.FAILED:
                await raise_alert(tx, about(Kind.LATE, order))
        late = order.state is State.FAILED
        metrics.ENDED.labels(metrics.model_label(order.model_id), "late" if late else "done", "").inc()
        if not late:
            metrics.CHARGED.labels(metrics.model_label(order.model_id)).inc(order.price)
        log.info("generation.settled", state="done", late=late, outputs=len(outputs))
        return True

    @traced("settle")
    async def fail(
        self, order: Generation, failure: Failure, *, was: State, alert: Alert | None = None, unended: bool = False
    ) -> bool:
        """Gives the money back, and raises `alert` if it does. False: another was faster.

        `unended`: a task of it may succeed yet, and is looked at later.
        """
        async with self.db.transaction() as tx:
            await ledger.lock(tx, order.customer_id)
            won = await store.settle_failed(
                tx,
                order.id,
                was=was,
                failure=failure,
                wake_s=WAKE_S,
                late_look_s=LATE_LOOKS_S[0] if unended else None,
            )
            if not won:
                return False
            await ledger.resolve(tx, order.id, "release")
            await deliveries.insert(tx, order.id, failure_parcels())
            await enqueue(tx, Job(Act.DELIVER, order.id))
            if alert:
                await raise_alert(tx, alert)
        metrics.ENDED.labels(metrics.model_label(order.model_id), "failed", failure.value).inc()
        log.info("generation.settled", state="failed", failure=failure.value)
        return True

    async def cancel(self, customer_id: int, generation_id: int) -> bool:
        """The customer changes their mind while nothing was sent to the provider yet."""
        async with self.db.transaction() as tx:
            await ledger.lock(tx, customer_id)
            order = await store.lock(tx, generation_id, customer_id)
            if order is None or order.state not in (State.DRAFT, State.PENDING):
                return False
            await store.cancel(tx, generation_id, was=order.state)
            if order.state is State.PENDING:
                await ledger.resolve(tx, generation_id, "release")
        if order.state is State.PENDING:
            metrics.ENDED.labels(metrics.model_label(order.model_id), "canceled", "").inc()
        log.info("generation.canceled", generation_id=generation_id)
        return True
