"""Hands orders to the provider, in line and as fast as it takes them; an unknown outcome is never a blind repeat."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

import structlog

from kiosk.catalog.form import Valid, payload, validate
from kiosk.catalog.shelf import Shelf
from kiosk.db import Database
from kiosk.generations import follow, late_looks, line, store, tasks
from kiosk.generations.deadlines import LATE_LOOKS_S
from kiosk.generations.gate import OBEYED_S, Asked, blames_the_order
from kiosk.generations.gatekeeper import Gatekeeper, Passed
from kiosk.generations.settle import Settler
from kiosk.generations.states import (
    HELD_BACK_FIRST_S,
    SUBMITS_AT_MOST,
    TASKS_AT_MOST,
    Failure,
    State,
    held_back_s,
    outcome_is_overdue,
)
from kiosk.generations.store import Generation
from kiosk.generations.usher import Usher
from kiosk.kie.client import KieClient
from kiosk.kie.codes import RefusalReason
from kiosk.kie.outcome import Created, CreateOutcome, NotAccepted, OutcomeUnknown, Refused
from kiosk.log import concerns
from kiosk.media.luggage import Lost, Luggage, NotNow, Packed, addressed
from kiosk.operators.alerts import Alert, Kind
from kiosk.queue.jobs import Act, Job, enqueue
from kiosk.tracing import span

log = structlog.get_logger()

PACK_S: Final = 5.0
UNPACKED: Final = Refused(RefusalReason.OTHER, code=None, detail="its files are not handed over yet")

FAILURE_OF: Final = {
    RefusalReason.BAD_INPUT: Failure.INPUT,
    RefusalReason.MODERATION: Failure.MODERATION,
}


@dataclass(frozen=True, slots=True)
class Submitter:
    """The `submit` job: this order waits, so serve the line. Whose turn it is decides the line, not the job.

    `callback_base` is our public address, None when the provider cannot reach us.
    """

    db: Database
    kie: KieClient
    shelf: Shelf
    settler: Settler
    keeper: Gatekeeper
    usher: Usher | None  # None: this process speaks in no chat
    callback_base: str | None
    poll_first_s: float
    luggage: Luggage

    async def __call__(self, generation_id: int) -> None:
        if await self._given_up(generation_id) or not await self._packed(generation_id):
            return
        passed = await self.keeper.let_through()
        if passed:
            order = passed.order
            about = structlog.contextvars.bound_contextvars(generation_id=order.id, customer_id=order.customer_id)
            with about, span("place", generation_id=order.id, submits=order.submits):
                await self._place(passed)
        if passed is None or passed.order.id != generation_id:
            where = await self.keeper.line_up(generation_id)
            if where and self.usher:
                await self.usher.tell(generation_id, where)

    async def _packed(self, generation_id: int) -> bool:
        """Whether its files are handed over: before anything is claimed, as that may take its time."""
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
        assert order is not None  # noqa: S101 - it waited a moment ago
        packing = await self.luggage.pack(order.customer_id, order.inputs)
        match packing:
            case Packed():
                return True
            case Lost() if order.state is State.PENDING:
                await self.settler.fail(order, Failure.INPUT, was=State.PENDING)
            case Lost() | NotNow():  # the sweep comes back to it, and others go first meanwhile
                async with self.db.transaction() as tx:
                    await line.hold_back(tx, generation_id, wait_s=HELD_BACK_FIRST_S)
            case _:
                assert_never(packing)
        return False

    async def _place(self, passed: Passed) -> None:
        order = passed.order
        if order.submits > 1:
            log.warning("generation.submit_repeated", submits=order.submits)
        packing = await self._packed_by_now(order)
        if packing is None:
            await self._put_back(order, passed.asked, UNPACKED)
            return
        outcome = await self._create(order, packing.addresses)
        await self._conclude(order, passed.asked, outcome)
        if order.place_told is not None and self.usher:
            await self.usher.under_way(order.id)

    async def _packed_by_now(self, order: Generation) -> Packed | None:
        """Its own job handed its files over, or is about to. The slot is not to be held for longer than it counts."""
        try:
            async with asyncio.timeout(PACK_S):
                packing = await self.luggage.pack(order.customer_id, order.inputs)
        except TimeoutError:
            return None
        return packing if isinstance(packing, Packed) else None

    async def _create(self, order: Generation, addresses: Mapping[int, str]) -> CreateOutcome:
        model = self.shelf.find(order.model_id)
        checked = validate(model, order.inputs) if model else None
        if model is None or not isinstance(checked, Valid):
            return Refused(RefusalReason.BAD_INPUT, code=None, detail="no longer in the catalog")
        async with self.db.reading() as tx:
            inputs = await follow.resolved(tx, order.customer_id, model, checked.inputs)
        if inputs is None:
            return Refused(RefusalReason.BAD_INPUT, code=None, detail="what it goes on from is gone")
        sent = {name: addressed(value, addresses) for name, value in payload(model, inputs).items()}
        return await self.kie.create_task(model.id, sent, self._callback_url(order))

    def _callback_url(self, order: Generation) -> str | None:
        if self.callback_base is None:
            return None
        return f"{self.callback_base}/callbacks/kie/{order.id}/{order.callback_token}"

    async def _conclude(self, order: Generation, asked: Asked, outcome: CreateOutcome) -> None:
        """The gate is locked last, and where money moves in a transaction of its own."""
        match outcome:
            case Created(task_id=task_id):
                await self._created(order, asked, outcome, task_id)
            case Refused(reason=reason, code=code):
                log.warning("generation.refused", reason=reason.value, code=code)
                failure = FAILURE_OF.get(reason, Failure.UNAVAILABLE)
                await self.settler.fail(order, failure, was=State.SUBMITTING)
                async with self.db.transaction() as tx:
                    await self.keeper.learn(tx, asked, outcome)
            case NotAccepted(reason=reason, retry_after_s=wait_s):
                log.info("generation.not_accepted", reason=reason.value, wait_s=wait_s)
                await self._put_back(order, asked, outcome)
            case OutcomeUnknown(why=why):
                log.warning("generation.outcome_unknown", why=why.value, submits=order.submits)
                async with self.db.transaction() as tx:
                    await self.keeper.learn(tx, asked, outcome)
            case _:
                assert_never(outcome)

    async def _put_back(self, order: Generation, asked: Asked, outcome: NotAccepted | Refused) -> None:
        assert order.confirmed_at is not None  # noqa: S101 - it was ordered
        held_s = held_back_s((order.read_at - order.confirmed_at).total_seconds())
        behind = True
        if isinstance(outcome, NotAccepted):
            held_s, behind = outcome.retry_after_s or held_s, blames_the_order(outcome)
        async with self.db.transaction() as tx:
            await store.put_back(tx, order.id, submits=order.submits, wait_s=min(held_s, OBEYED_S), behind=behind)
            await self.keeper.learn(tx, asked, outcome)

    async def _created(self, order: Generation, asked: Asked, outcome: Created, task_id: str) -> None:
        async with self.db.transaction() as tx:
            if await tasks.add(tx, order.id, task_id, at_most=TASKS_AT_MOST):
                await late_looks.expect(tx, order.id, wait_s=LATE_LOOKS_S[0])
            await tasks.match_orphans(tx, task_id, order.id)
            started = await store.start_running(tx, order.id, task_id, poll_s=self.poll_first_s)
            if not started:
                # Its own callback was faster, or an earlier attempt turned out to have worked: let the observer look.
                await enqueue(tx, Job(Act.OBSERVE, order.id))
            await self.keeper.learn(tx, asked, outcome)
        log.info("generation.submitted", task_id=task_id, first=started)

    async def _given_up(self, generation_id: int) -> bool:
        """Whether it waits for nothing: it is over, under way, or hopeless, and then its money goes back."""
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
        if order is None:
            return True
        concerns(order.customer_id)
        if order.state not in (State.PENDING, State.SUBMITTING):
            if self.usher:
                await self.usher.catch_up(order)
            return True
        assert order.deadline_at is not None  # noqa: S101 - every confirmed generation has one
        late = order.read_at >= order.deadline_at
        if order.state is State.PENDING:
            return late and await self.settler.fail(order, Failure.UNAVAILABLE, was=State.PENDING)
        assert order.submitted_at is not None  # noqa: S101 - it was claimed
        exhausted = order.submits >= SUBMITS_AT_MOST or late
        if exhausted and outcome_is_overdue(order.read_at, order.submitted_at, self.keeper.grace_s):
            log.error("generation.lost_at_provider", submits=order.submits)
            alert = Alert(Kind.LOST, values={"generation": str(order.id)})
            return await self.settler.fail(order, Failure.PROVIDER, was=State.SUBMITTING, alert=alert)
        return False
