"""What every replica does again and again: loops of our own, each by itself, none ended by what goes wrong in it."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from kiosk.db import Database, DatabaseUnavailable
from kiosk.log import correlated
from kiosk.metrics import CUT_OFF, ROUND_DONE, ROUNDS
from kiosk.queue import turns

log = structlog.get_logger()

JITTER: Final = 0.2  # replicas that started together drift apart
AWAY_FIRST_S: Final = 0.5
AWAY_MAX_S: Final = 5.0  # also about how late everything goes on when the database is back

Run = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Round:
    """`run` must be safe on every replica at once. `limit_s`: a round in hand for longer is stuck."""

    every_s: float
    run: Run
    limit_s: float = 300.0


def away_pause_s(failures: int) -> float:
    """Seconds until a round is tried again that found no database, `failures` times in a row."""
    return min(AWAY_FIRST_S * 2.0 ** min(failures - 1, 10), AWAY_MAX_S)


@dataclass(slots=True)
class Rounds:
    """Runs every round until `stop()`, and knows which of them do not work."""

    rounds: Mapping[str, Round]
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _loops: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)
    _begun_at: dict[str, float] = field(default_factory=dict)  # of the round in hand

    async def run(self) -> None:
        """Returns after `stop()`, when the rounds in hand are finished."""
        self._loops = {
            name: asyncio.create_task(self._repeat(name, one), name=name) for name, one in self.rounds.items()
        }
        try:
            await asyncio.gather(*self._loops.values())
        finally:
            for loop in self._loops.values():
                loop.cancel()
            await asyncio.gather(*self._loops.values(), return_exceptions=True)

    def stop(self) -> None:
        """Begins no further round."""
        self._stopping.set()

    def alive(self, name: str) -> bool:
        """Whether this loop runs and its round in hand, if any, is not stuck."""
        loop, begun_at = self._loops.get(name), self._begun_at.get(name)
        if loop is None or loop.done():
            return False
        return begun_at is None or time.monotonic() - begun_at < self.rounds[name].limit_s

    async def _repeat(self, name: str, one: Round) -> None:
        failures = 0
        while not self._stopping.is_set():
            with correlated(round=name):
                failures = 0 if await self._go(name, one, failures) else failures + 1
            pause_s = min(one.every_s, away_pause_s(failures)) if failures else one.every_s
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s * random.uniform(1 - JITTER, 1 + JITTER))

    async def _go(self, name: str, one: Round, failures: int) -> bool:
        """One round; False: there was no database for it, which is said once."""
        self._begun_at[name] = time.monotonic()
        outcome = CUT_OFF
        try:
            await one.run()
            outcome = "done"
            ROUND_DONE.labels(name).set_to_current_time()
        except DatabaseUnavailable as away:
            outcome = "waits"
            if not failures:
                log.warning("round.waits", why=away.why)
            return False
        except Exception:
            outcome = "failed"
            # The boundary of a round: a bug in one is loud, and the next one is tried all the same.
            log.exception("round.failed")
        finally:
            ROUNDS.labels(name, outcome).inc()
            del self._begun_at[name]
        return True


@dataclass(frozen=True, slots=True)
class Nightly:
    """A heavy round, for one replica a day: whoever takes its turn runs it, and a restart does not repeat it.

    It may run twice all the same: when whoever took it was killed, another takes it after `lease_s`.
    """

    db: Database
    name: str
    work: Run
    lease_s: float

    async def __call__(self) -> None:
        async with self.db.transaction() as tx:
            mine = await turns.take(tx, self.name, lease_s=self.lease_s)
        if not mine:
            return
        await self.work()
        async with self.db.transaction() as tx:
            await turns.finish(tx, self.name)
