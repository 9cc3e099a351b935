"""The worker: PgQueuer under a supervisor that outlives whatever the database does."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import structlog
from pgqueuer import PgQueuer
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job as EngineJob

from kiosk.db import DatabaseUnavailable, Pool, close_pool
from kiosk.errors import CannotStart
from kiosk.log import correlated
from kiosk.metrics import JOBS, timed
from kiosk.queue.jobs import Act, caused_by
from kiosk.tracing import span

log = structlog.get_logger()

CLOSE_S = 5.0
RETRY_MIN_S, RETRY_MAX_S = 1.0, 3.0
# What the engine dies of when the database does; a RuntimeError is its word for a schema that is not there yet.
BROKEN = (
    DatabaseUnavailable,
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    FailingListenerError,
    RuntimeError,
)

Handler = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Pace:
    """How the engine runs; the defaults are those that survived being killed (see docs/reliability.md)."""

    concurrency: int = 40
    batch: int = 10
    dequeue_timeout_s: float = 5
    stale_s: float = 20  # a job without a heartbeat for this long is given to another worker
    restart_min_s: float = 0.5
    restart_max_s: float = 5
    # Without one successful database call for this long the process ends, to be started afresh. A server that is moved
    # or restarted may be away for a minute or two, which all replicas outlast: ending all at once would help nobody.
    give_up_s: float = 180


@dataclass(slots=True)
class Worker:
    """Runs `handlers` for queued jobs until `stop()`.

    `open_pool` gives a new pool for every attempt: a pool that saw the database die is not trusted again.
    """

    open_pool: Callable[[], Awaitable[Pool]]
    handlers: Mapping[Act, Handler]
    pace: Pace = field(default_factory=Pace)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _engine: PgQueuer | None = None
    _alive_at: float = field(default_factory=time.monotonic)
    _in_hand: "set[asyncio.Future[None]]" = field(default_factory=set)

    @property
    def alive(self) -> bool:
        """Whether the engine has worked against the database recently."""
        return self._engine is not None and time.monotonic() - self._alive_at < self.pace.give_up_s

    async def run(self) -> None:
        """Returns after `stop()`, when the jobs in hand are finished; errors: WorkerGaveUp."""
        self._alive_at = time.monotonic()
        while not self._stopping.is_set():
            try:
                await self._run_engine()
            except BROKEN as error:
                log.warning("queue.engine_failed", error=type(error).__name__)
            except Exception:
                # The boundary of the engine: whatever it dies of, it is started again, loudly.
                log.exception("queue.engine_broke")
            if not self._stopping.is_set():
                self._check_watchdog()
                await self._pause()

    def stop(self) -> None:
        """Takes no new job; `run` returns when those in hand are done."""
        self._stopping.set()
        if self._engine:
            self._engine.shutdown.set()

    def hand_back(self) -> None:
        """After `stop`: the jobs in hand are broken off, and another worker may have them at once."""
        for doing in self._in_hand:
            doing.cancel()

    def _check_watchdog(self) -> None:
        silent_s = time.monotonic() - self._alive_at
        if silent_s > self.pace.give_up_s:
            raise WorkerGaveUp(silent_s)

    async def _pause(self) -> None:
        delay_s = random.uniform(self.pace.restart_min_s, self.pace.restart_max_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), delay_s)

    async def _run_engine(self) -> None:
        pool = await self.open_pool()
        try:
            driver = AsyncpgPoolDriver(pool)
            engine = PgQueuer(driver)
            # The engine probes its listener before it listens; without this the first probe can get lost, and the
            # engine takes itself for deaf 10 s later.
            await driver.add_listener(engine.channel, _overhear)
            self._register(engine)
            self._engine = engine
            if self._stopping.is_set():
                return
            pulse = asyncio.create_task(self._take_pulse(pool))
            try:
                # Without the engine's schedules: after a crash they came back half a minute late.
                await engine.qm.run(
                    dequeue_timeout=timedelta(seconds=self.pace.dequeue_timeout_s),
                    batch_size=self.pace.batch,
                    max_concurrent_tasks=self.pace.concurrency,
                    shutdown_on_listener_failure=True,
                    heartbeat_timeout=timedelta(seconds=self.pace.stale_s),
                )
            finally:
                pulse.cancel()
                await asyncio.gather(pulse, return_exceptions=True)
        finally:
            self._engine = None
            await close_pool(pool, CLOSE_S)

    async def _take_pulse(self, pool: Pool) -> None:
        while True:
            with contextlib.suppress(*BROKEN):
                await pool.fetchval("SELECT 1")
                self._alive_at = time.monotonic()
            await asyncio.sleep(self.pace.dequeue_timeout_s)

    def _register(self, engine: PgQueuer) -> None:
        for act, handler in self.handlers.items():
            engine.entrypoint(act.value, on_failure="hold")(self._entry(handler))

    def _entry(self, handler: Handler) -> Callable[[EngineJob], Awaitable[None]]:
        async def entry(job: EngineJob) -> None:
            generation_id = int(job.payload or b"0")
            with (
                correlated(caused_by(job.headers), generation_id=generation_id, act=job.entrypoint),
                span(f"job {job.entrypoint}", generation_id=generation_id, attempts=job.attempts),
                timed(JOBS, job.entrypoint) as run,
            ):
                try:
                    await self._do(handler(generation_id))
                    run.outcome = "done"
                except DatabaseUnavailable as away:
                    run.outcome = "again"
                    delay_s = random.uniform(RETRY_MIN_S, RETRY_MAX_S)
                    raise RetryRequested(delay=timedelta(seconds=delay_s), reason=away.why) from away
                except HandedBack as back:
                    run.outcome = "again"
                    log.info("queue.job_handed_back")
                    raise RetryRequested(delay=timedelta(0), reason="this worker ends") from back
                except Exception:
                    run.outcome = "failed"
                    # The engine parks the job; the sweep brings the generation again: a bug is loud and loses nothing.
                    log.exception("queue.job_failed", attempts=job.attempts)
                    raise

        return entry

    async def _do(self, work: Awaitable[None]) -> None:
        """Errors: HandedBack."""
        doing = asyncio.ensure_future(work)
        self._in_hand.add(doing)
        try:
            await asyncio.wait((doing,))
        finally:
            doing.cancel()  # nothing, if it is done
            self._in_hand.discard(doing)
            await asyncio.gather(doing, return_exceptions=True)
        if doing.cancelled():
            raise HandedBack
        doing.result()


def _overhear(_payload: str | bytes | bytearray) -> None:
    """Only keeps the channel open until the engine listens itself."""


class WorkerGaveUp(CannotStart):
    """The database did not answer for so long that only a new process can help."""

    def __init__(self, silent_s: float) -> None:
        self.silent_s = silent_s
        super().__init__(f"no database call succeeded for {silent_s:.0f} s")


class HandedBack(Exception):  # noqa: N818 - it states a fact
    """The worker ends before the job does."""
