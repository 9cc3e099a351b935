"""The tasks of the provider's stand-in: created, ended in their time, handed over, announced."""

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.faults import JSON, Fault
from sandbox.kie.account import Account
from sandbox.kie.callbacks import CALLBACK_FAULTS, Callbacks, faults_of
from sandbox.kie.files import FileShelf
from sandbox.kie.options import Clock, KieOptions
from sandbox.kie.outputs import covers, outputs, result_json
from sandbox.kie.records import Task
from sandbox.kie.rules import ModelRule, Refusal, coerced, rules
from sandbox.kie.scripts import script
from sandbox.kie.snapshot import Snapshot, task_as_json, task_from_json

_MAX_TASKS = 50_000
_MAX_URLS = 200_000


@dataclass(frozen=True, slots=True)
class Order:
    """A request to create a task that has passed every check; `unfit`: why it will fail once its files are fetched."""

    rule: ModelRule
    input: dict[str, Any]
    key: str
    callback_url: str | None
    credits: float
    unfit: Refusal | None = None
    faults: Sequence[Fault] = ()


@dataclass(slots=True)
class TaskDesk:
    """All tasks by id; every task that can end has one background run that ends and announces it."""

    options: KieOptions
    clock: Clock
    account: Account
    files: FileShelf
    callbacks: Callbacks
    result_url: str
    tasks: dict[str, Task] = field(default_factory=dict)
    created: int = 0
    creates_by_url: Counter[str] = field(default_factory=Counter)
    snapshot: Snapshot = field(init=False)
    _runs: set[asyncio.Task[None]] = field(default_factory=set)

    def create(self, order: Order) -> tuple[Task, asyncio.Event]:
        """A new task, and an event that is set once its first callback attempt is over or none is to come."""
        task = self._task(order)
        self.tasks[task.id] = task
        self._forget_oldest()
        if self.options.charge_at == "create":
            self.account.charge(task.key, task.credits)
        answered = asyncio.Event()
        if task.script.ending == "never":
            answered.set()
        else:
            self._spawn(self._run(task, answered))
        if task.callback_url is not None and "callback_forged" in faults_of(task):
            self._spawn(self.callbacks.forge(task))
        if task.callback_url is not None and "callback_stray" in faults_of(task):
            self._spawn(self.callbacks.stray(task))
        return task, answered

    def state_counts(self) -> dict[str, JSON]:
        """How many tasks recordInfo would now show in each state."""
        now_ms = self.clock.now_ms()
        return dict(Counter(self._shown_state(task, now_ms) for task in self.tasks.values()))

    def as_json(self) -> dict[str, Any]:
        tasks = [task_as_json(task) for task in self.tasks.values()]
        return {"created": self.created, "tasks": tasks, "creates_by_url": dict(self.creates_by_url)}

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take over saved tasks and go on with those that have not ended or not been announced."""
        self.created = saved["created"]
        self.creates_by_url.update(saved["creates_by_url"])
        for facts in saved["tasks"]:
            task = task_from_json(facts)
            self.tasks[task.id] = task
            if task.script.ending != "never" and (task.ended_ms is None or task.callback_open):
                self._spawn(self._run(task, asyncio.Event()))

    async def stop(self) -> None:
        """End all background runs; raises what went wrong in them, since that is a fault of the stand-in itself."""
        for run in self._runs:
            run.cancel()
        results = await asyncio.gather(*self._runs, return_exceptions=True)
        self._runs.clear()
        bugs = [result for result in results if isinstance(result, Exception)]
        if bugs:
            raise ExceptionGroup("background runs of the provider's stand-in", bugs)

    def _task(self, order: Order) -> Task:
        self.created += 1
        chance = random.Random(f"{self.options.seed}/task/{self.created}")
        task_id = f"{chance.getrandbits(128):032x}"
        course = script(order.faults, order.rule.usual_s, chance, mixed=self.options.mixed_states)
        if order.unfit and course.ending == "success":
            course = replace(course, ending="fail", fail_code=str(order.unfit.code), fail_msg=order.unfit.msg)
        faults = tuple(fault for fault in order.faults if fault.name in CALLBACK_FAULTS)
        now_ms = self.clock.now_ms()
        at_once = any(fault.name == "callback_before_reply" for fault in faults)
        duration_ms = 0 if at_once else round(course.usual_s * self.options.time_scale * 1000)
        if order.callback_url is not None and len(self.creates_by_url) < _MAX_URLS:
            self.creates_by_url[order.callback_url] += 1
        return Task(
            id=task_id,
            model=order.rule.id,
            input=coerced(order.rule, order.input),
            key=order.key,
            callback_url=order.callback_url,
            created_ms=now_ms,
            ends_ms=now_ms + duration_ms,
            script=course,
            callback_faults=faults,
            credits=order.credits,
            callback_open=order.callback_url is not None,
        )

    async def _run(self, task: Task, answered: asyncio.Event) -> None:
        await self.clock.until(task.ends_ms)
        ended_ms = task.ended_ms or self.clock.now_ms()
        if task.ended_ms is None:
            self._hand_over(task, ended_ms)
        early = faults_of(task).get("callback_early")
        async with asyncio.TaskGroup() as group:
            if early is not None:
                group.create_task(self.callbacks.announce(task, ended_ms, answered))
                await answered.wait()
                await asyncio.sleep(float(early.get("seconds", 0.0)) * self.options.time_scale)
            self._end(task, ended_ms)
            await self.snapshot.save()
            if early is None:
                group.create_task(self.callbacks.announce(task, ended_ms, answered))
        task.callback_open = False
        await self.snapshot.save()

    def _hand_over(self, task: Task, ended_ms: int) -> None:
        """Put the result files where resultJson says they are."""
        if task.state == "fail":
            return
        made = outputs(task, rules()[task.model], ended_ms)
        expires_ms = ended_ms + round(self.options.result_retention_s * 1000)
        for output in (*made, *covers(task, made)):
            self.files.put_order(output.path, output.order, expires_ms)
        task.result_json = result_json(
            task, rules()[task.model], [f"{self.result_url}/{output.path}" for output in made]
        )

    def _end(self, task: Task, ended_ms: int) -> None:
        if task.ended_ms is not None:
            return
        task.ended_ms = ended_ms
        if task.state == "success" and self.options.charge_at == "success":
            self.account.charge(task.key, task.credits)
        if task.state == "fail" and self.options.charge_at == "create":
            self.account.charge(task.key, -task.credits)

    def _shown_state(self, task: Task, now_ms: int) -> str:
        if task.ended_ms is not None:
            return task.state
        return task.script.state_at((now_ms - task.created_ms) / max(task.ends_ms - task.created_ms, 1))

    def _forget_oldest(self) -> None:
        if len(self.tasks) > _MAX_TASKS:
            oldest = next((task for task in self.tasks.values() if task.ended_ms is not None), None)
            self.tasks.pop(oldest.id if oldest else "", None)

    def _spawn(self, run: Coroutine[Any, Any, None]) -> None:
        started = asyncio.create_task(run)
        self._runs.add(started)
        started.add_done_callback(self._finished)

    def _finished(self, run: asyncio.Task[None]) -> None:
        """Forget a run that went well; keep a failed one, so that stop() shows it."""
        if run.cancelled() or run.exception() is None:
            self._runs.discard(run)
