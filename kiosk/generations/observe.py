"""What became of it: one path for callbacks and polling, and the truth is always read from the provider."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final, TypeAlias, assert_never

import structlog

from kiosk import metrics
from kiosk.catalog.model import Model
from kiosk.catalog.quote import Rates
from kiosk.catalog.shelf import Shelf
from kiosk.db import Database
from kiosk.delivery.fetch import Fetcher, Unusable
from kiosk.delivery.plan import EXACT, Media, Output
from kiosk.delivery.wording import Wording
from kiosk.generations import late_looks, margin, store, tasks
from kiosk.generations.settle import Settler, about
from kiosk.generations.states import Failure, State, poll_delay_s
from kiosk.generations.store import Generation
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError, TaskNotFound
from kiosk.kie.results import Result
from kiosk.kie.task import FailureKind, Task, TaskState
from kiosk.kie.texts import texts_of
from kiosk.log import concerns
from kiosk.operators.alerts import Kind
from kiosk.operators.store import raise_alert

log = structlog.get_logger()

FAILURE_OF: Final = {
    FailureKind.MODERATION: Failure.MODERATION,
    FailureKind.BAD_INPUT: Failure.INPUT,
}


@dataclass(frozen=True, slots=True)
class Succeeded:
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Failed:
    failure: Failure


@dataclass(frozen=True, slots=True)
class Waiting:
    """Not over yet, or nothing certain is known; `at_deadline` is what it comes to when that never changes."""

    at_deadline: Succeeded | Failed = Failed(Failure.TIMEOUT)


Reading: TypeAlias = Waiting | Succeeded | Failed


def described(output: Output, result: Result, model: Model | None) -> Output:
    """With what the provider's record and the catalog tell of this file."""
    exact = model is not None and model.type in EXACT
    frames = dict(zip(result.urls, result.first_frame_urls, strict=False))
    track = next((track for track in result.tracks if track.url == output.url), None)
    if track is None:
        cover = frames.get(output.url, "") if output.media is Media.VIDEO else ""
        return replace(output, cover=cover, exact=exact)
    seconds = round(track.duration_s) if track.duration_s else None
    return replace(
        output,
        title=track.title,
        duration_s=seconds,
        cover=track.cover_url or "",
        exact=exact,
        track_id=track.id or None,
    )


def judge(readings: Sequence[Reading], *, past_deadline: bool) -> Reading:
    """Pure: the first success of any task counts; failure only when no task can still succeed."""
    for reading in readings:
        if isinstance(reading, Succeeded):
            return reading
    waiting = [reading for reading in readings if isinstance(reading, Waiting)]
    if readings and not waiting:
        return readings[0]
    if not past_deadline:
        return Waiting()
    return judge([reading.at_deadline for reading in waiting] or [Failed(Failure.TIMEOUT)], past_deadline=True)


@dataclass(frozen=True, slots=True)
class Observer:
    """The `observe` job."""

    db: Database
    kie: KieClient
    shelf: Shelf
    fetcher: Fetcher
    settler: Settler
    poll_first_s: float
    rates: Rates

    async def __call__(self, generation_id: int) -> None:
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
            known = await tasks.of_generation(tx, generation_id)
        if order is None or order.state not in (State.RUNNING, State.FAILED, State.DONE):
            return
        concerns(order.customer_id)
        if order.state is State.DONE:
            await self._complete_costs(order, [row.task_id for row in known if row.credits is None])
            return
        readings = [await self._read(order, row.task_id) for row in known]
        assert order.deadline_at is not None  # noqa: S101 - every confirmed generation has one
        verdict = judge(readings, past_deadline=order.read_at >= order.deadline_at)
        await self._act(order, verdict, unended=any(isinstance(reading, Waiting) for reading in readings))

    async def _act(self, order: Generation, verdict: Reading, *, unended: bool) -> None:
        """`unended`: nobody knows yet what becomes of a task of it."""
        match verdict:
            case Succeeded(outputs=outputs):
                await self.settler.succeed(order, outputs, unended=unended)
            case Failed(failure=failure) if order.state is State.RUNNING:
                stuck = about(Kind.STUCK, order) if failure is Failure.TIMEOUT else None
                await self.settler.fail(order, failure, was=State.RUNNING, alert=stuck, unended=unended)
            case Waiting() if order.state is State.RUNNING:
                async with self.db.transaction() as tx:
                    await store.poll_again(tx, order.id, wait_s=poll_delay_s(order.polls, self.poll_first_s))
            case Failed() | Waiting():
                if not unended:  # it had failed before, and that is how it stays
                    await self._look_no_more(order)
            case _:
                assert_never(verdict)

    async def _read(self, order: Generation, task_id: str) -> Reading:
        try:
            task = await self.kie.get_task(task_id)
        except TaskNotFound:
            log.warning("generation.task_unknown", task_id=task_id)
            return Waiting()
        except KieError as error:
            log.info("generation.unreadable", task_id=task_id, error=type(error).__name__)
            return Waiting()
        if task.state.ended:  # until then the provider says 0
            await self._record_credits(order, task_id, task.credits_consumed)
        return await self._interpret(order, task)

    async def _interpret(self, order: Generation, task: Task) -> Reading:
        match task.state:
            case TaskState.SUCCESS:
                return await self._usable(order, task)
            case TaskState.FAIL:
                kind = task.failure.kind if task.failure else FailureKind.PROVIDER
                return Failed(FAILURE_OF.get(kind, Failure.PROVIDER))
            case TaskState.WAITING | TaskState.QUEUING | TaskState.GENERATING:
                return Waiting()
            case _:
                assert_never(task.state)

    async def _usable(self, order: Generation, task: Task) -> Reading:
        """A success without a usable result is a failure; a file that cannot be had right now is looked for again."""
        if not task.result.urls and (said := texts_of(task.result.object)):
            words = (Wording(one.content, one.kind) for one in said)
            return Succeeded(tuple(Output(Media.TEXT, one.source(), task_id=task.task_id) for one in words))
        if not task.result.urls:
            log.error("generation.empty_success", task_id=task.task_id)
            return Failed(Failure.NO_RESULT)
        model = self.shelf.find(order.model_id)
        expected = Media(model.output) if model else Media.IMAGE
        outputs = []
        for url in task.result.urls:
            found = await self.fetcher.probe(url, expected)
            if isinstance(found, Unusable):
                log.warning("generation.result_unusable", task_id=task.task_id, why=found.why)
                continue
            outputs.append(described(Output(found, url, task_id=task.task_id), task.result, model))
        if len(outputs) == len(task.result.urls):
            return Succeeded(tuple(outputs))
        return Waiting(at_deadline=Succeeded(tuple(outputs)) if outputs else Failed(Failure.NO_RESULT))

    async def _record_credits(self, order: Generation, task_id: str, credits_consumed: Decimal | None) -> None:
        if credits_consumed is None:
            return
        async with self.db.transaction() as tx:
            await tasks.lock(tx, order.id)
            known = not await tasks.record_credits(tx, task_id, credits_consumed)
            if not known:
                paid = await tasks.paid(tx, order.id)
                for alert in margin.alerts(order, credits_consumed, paid, self.rates):
                    await raise_alert(tx, alert)
        if not known:
            metrics.CREDITS.labels(metrics.model_label(order.model_id)).inc(float(credits_consumed))

    async def _look_no_more(self, order: Generation) -> None:
        async with self.db.transaction() as tx:
            await late_looks.end(tx, order.id, was=order.state)

    async def _complete_costs(self, order: Generation, task_ids: Sequence[str]) -> None:
        """A second task of one generation may end after the first was delivered: its cost still counts."""
        ended = True
        for task_id in task_ids:
            try:
                task = await self.kie.get_task(task_id)
            except KieError:
                ended = False
                continue
            if task.state.ended:
                await self._record_credits(order, task_id, task.credits_consumed)
            else:
                ended = False
        if ended:
            await self._look_no_more(order)
