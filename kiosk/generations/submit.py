"""Hands an order to the provider; an unknown outcome is a state to be resolved, never a blind repeat."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from kiosk.catalog.form import Valid, payload, validate
from kiosk.catalog.shelf import Shelf
from kiosk.db import Database
from kiosk.generations import store, tasks
from kiosk.generations.deadlines import LATE_LOOKS_S
from kiosk.generations.settle import Settler
from kiosk.generations.states import SUBMITS_AT_MOST, TASKS_AT_MOST, Failure, State, outcome_is_overdue
from kiosk.generations.store import Generation
from kiosk.kie.client import KieClient
from kiosk.kie.codes import RefusalReason
from kiosk.kie.outcome import Created, CreateOutcome, NotAccepted, OutcomeUnknown, Refused
from kiosk.media.luggage import Lost, Luggage, NotNow, Packed, addressed
from kiosk.operators.alerts import Alert, Kind
from kiosk.queue.jobs import Act, Job, enqueue

log = structlog.get_logger()

NOT_ACCEPTED_WAIT_S: Final = 10.0  # the provider's window: 20 creates per 10 s (contract, "Limits")

FAILURE_OF: Final = {
    RefusalReason.BAD_INPUT: Failure.INPUT,
    RefusalReason.MODERATION: Failure.MODERATION,
}


@dataclass(frozen=True, slots=True)
class Submitter:
    """The `submit` job. `callback_base` is our public address, None when the provider cannot reach us."""

    db: Database
    kie: KieClient
    shelf: Shelf
    settler: Settler
    callback_base: str | None
    grace_s: float
    poll_first_s: float
    luggage: Luggage

    async def __call__(self, generation_id: int) -> None:
        addresses = await self._packed(generation_id)
        if addresses is None:
            return
        async with self.db.transaction() as tx:
            order = await store.claim_submit(tx, generation_id, grace_s=self.grace_s, submits_at_most=SUBMITS_AT_MOST)
        if order is None:
            await self._give_up_if_hopeless(generation_id)
            return
        if order.submits > 1:
            log.warning("generation.submit_repeated", submits=order.submits)
        outcome = await self._create(order, addresses)
        await self._conclude(order, outcome)

    async def _packed(self, generation_id: int) -> Mapping[int, str] | None:
        """The order's files, handed over before anything is claimed: that may take its time. None: not to be placed."""
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
        if order is None or order.state not in (State.PENDING, State.SUBMITTING):
            return None
        packing = await self.luggage.pack(order.customer_id, order.inputs)
        match packing:
            case Packed(addresses=addresses):
                return addresses
            case Lost() if order.state is State.PENDING:
                await self.settler.fail(order, Failure.INPUT, was=State.PENDING)
            case Lost() | NotNow():  # the sweep comes back to it
                await self._give_up_if_hopeless(generation_id)
            case _:
                assert_never(packing)
        return None

    async def _create(self, order: Generation, addresses: Mapping[int, str]) -> CreateOutcome:
        model = self.shelf.find(order.model_id)
        checked = validate(model, order.inputs) if model else None
        if model is None or not isinstance(checked, Valid):
            return Refused(RefusalReason.BAD_INPUT, code=0, detail="no longer in the catalog")
        sent = {name: addressed(value, addresses) for name, value in payload(model, checked.inputs).items()}
        return await self.kie.create_task(model.id, sent, self._callback_url(order))

    def _callback_url(self, order: Generation) -> str | None:
        if self.callback_base is None:
            return None
        return f"{self.callback_base}/callbacks/kie/{order.id}/{order.callback_token}"

    async def _conclude(self, order: Generation, outcome: CreateOutcome) -> None:
        match outcome:
            case Created(task_id=task_id):
                await self._created(order, task_id)
            case Refused(reason=reason, code=code):
                log.warning("generation.refused", reason=reason.value, code=code)
                failure = FAILURE_OF.get(reason, Failure.UNAVAILABLE)
                await self.settler.fail(order, failure, was=State.SUBMITTING)
            case NotAccepted(reason=reason, retry_after_s=wait_s):
                log.info("generation.not_accepted", reason=reason.value, wait_s=wait_s)
                async with self.db.transaction() as tx:
                    await store.put_back(tx, order.id, submits=order.submits, wait_s=wait_s or NOT_ACCEPTED_WAIT_S)
            case OutcomeUnknown(why=why):
                log.warning("generation.outcome_unknown", why=why.value, submits=order.submits)
            case _:
                assert_never(outcome)

    async def _created(self, order: Generation, task_id: str) -> None:
        async with self.db.transaction() as tx:
            if await tasks.add(tx, order.id, task_id, at_most=TASKS_AT_MOST):
                await store.expect_late(tx, order.id, wait_s=LATE_LOOKS_S[0])
            await tasks.match_orphans(tx, task_id, order.id)
            started = await store.start_running(tx, order.id, task_id, poll_s=self.poll_first_s)
            if not started:
                # Its own callback was faster, or an earlier attempt turned out to have worked: let the observer look.
                await enqueue(tx, Job(Act.OBSERVE, order.id))
        log.info("generation.submitted", task_id=task_id, first=started)

    async def _give_up_if_hopeless(self, generation_id: int) -> None:
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
        if order is None or order.state not in (State.PENDING, State.SUBMITTING):
            return
        assert order.deadline_at is not None  # noqa: S101 - every confirmed generation has one
        if order.state is State.PENDING and order.read_at >= order.deadline_at:
            await self.settler.fail(order, Failure.UNAVAILABLE, was=State.PENDING)
            return
        assert order.submitted_at is not None or order.state is State.PENDING  # noqa: S101
        exhausted = order.submits >= SUBMITS_AT_MOST or order.read_at >= order.deadline_at
        if (
            order.state is State.SUBMITTING
            and order.submitted_at is not None
            and exhausted
            and outcome_is_overdue(order.read_at, order.submitted_at, self.grace_s)
        ):
            log.error("generation.lost_at_provider", submits=order.submits)
            alert = Alert(Kind.LOST, values={"generation": str(order.id)})
            await self.settler.fail(order, Failure.PROVIDER, was=State.SUBMITTING, alert=alert)
