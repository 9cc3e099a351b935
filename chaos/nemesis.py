"""What strikes the shop's own machines, and when: a schedule that the seed alone decides."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.database import Server, Witness
from chaos.proxy import TcpProxy
from chaos.replicas import Replica


class Kind(StrEnum):
    KILL = "kill"  # SIGKILL; the replica is started again at once
    POINTS = "points"  # the same, and its next two processes kill themselves at a crash point each
    PAUSE = "pause"  # SIGSTOP, later SIGCONT
    FREEZE = "freeze"  # a database connection goes half-open
    TERMINATE = "terminate"  # every database connection is cut by the server
    CRASH = "crash"  # a backend of the database is killed: all end, and the server recovers
    IMMEDIATE = "immediate"  # the whole server ends in disorder, and is started again
    OUTAGE = "outage"  # the server is stopped in order, and comes back later


WEIGHTS = {
    Kind.KILL: 8,
    Kind.POINTS: 7,
    Kind.PAUSE: 3,
    Kind.FREEZE: 3,
    Kind.TERMINATE: 2,
    Kind.CRASH: 1,
    Kind.IMMEDIATE: 1,
    Kind.OUTAGE: 1,
}


@dataclass(frozen=True, slots=True)
class Blow:
    """After `pause_s` this happens to victim number `victim` (modulo how many there are).

    A pause or an outage lasts `lasts_s`; `points` are two numbers of crash points (modulo how many there are).
    """

    pause_s: float
    kind: Kind
    victim: int
    lasts_s: float
    points: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds: between two blows and how long a replica sleeps (drawn evenly), and outages in turn."""

    every_s: tuple[float, float] = (2.0, 4.5)
    sleeps_s: tuple[float, float] = (2.0, 9.0)
    outages_s: tuple[float, ...] = (3.0, 8.0)


def schedule(seed: int, tempo: Tempo) -> Iterator[Blow]:
    """Pure: endless, and the same for the same seed. The first blow is a kill."""
    chance = random.Random(f"{seed}/nemesis")
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    kind = Kind.KILL
    outages = 0
    while True:
        pause_s, victim = chance.uniform(*tempo.every_s), chance.randrange(2**16)
        lasts_s, points = chance.uniform(*tempo.sleeps_s), (chance.randrange(2**16), chance.randrange(2**16))
        if kind is Kind.OUTAGE:
            lasts_s = tempo.outages_s[outages % len(tempo.outages_s)]
            outages += 1
        yield Blow(pause_s, kind, victim, lasts_s, points)
        kind = chance.choices(kinds, weights)[0]


@dataclass(slots=True)
class Nemesis:
    """Deals the blows of a schedule until it is cancelled; `tell` hears of each. `points` are names of crash points."""

    replicas: Sequence[Replica]
    server: Server
    proxy: TcpProxy
    witness: Witness
    points: Sequence[str]
    tell: Callable[[str], None]
    dealt: Counter[str] = field(default_factory=Counter)
    _outage: asyncio.Task[None] | None = None

    async def rage(self, blows: Iterator[Blow]) -> None:
        try:
            for blow in blows:
                await asyncio.sleep(blow.pause_s)
                told = self._strike(blow) if blow.kind in OF_REPLICAS else await self._strike_database(blow)
                if told:
                    self.tell(told)
                    self.dealt[blow.kind.value] += 1
        finally:
            await self._calm()

    async def _calm(self) -> None:
        for replica in self.replicas:
            await replica.calm()
        if self._outage is not None:
            self._outage.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._outage

    def _strike(self, blow: Blow) -> str | None:
        """None: there was nobody to strike."""
        replica = self.replicas[blow.victim % len(self.replicas)]
        match blow.kind:
            case Kind.KILL:
                return f"kill -9 replica {replica.number}" if replica.kill() else None
            case Kind.POINTS:
                pair = [self.points[number % len(self.points)] for number in blow.points]
                struck = replica.kill(pair)
                return f"kill -9 replica {replica.number}, the next ones at {' and '.join(pair)}" if struck else None
            case _:
                slept = replica.pause(blow.lasts_s)
                return f"replica {replica.number} sleeps {blow.lasts_s:.1f} s" if slept else None

    async def _strike_database(self, blow: Blow) -> str | None:
        """None: it is away already."""
        if self.server.away:
            return None
        match blow.kind:
            case Kind.FREEZE:
                return "a database connection freezes half-open" if self.proxy.freeze(blow.victim) else None
            case Kind.TERMINATE:
                return f"{await self.witness.terminate_all()} database connections cut"
            case Kind.CRASH:
                await self.witness.crash()
                return "a backend dies, and all connections with it"
            case Kind.IMMEDIATE:
                await self.server.crash()
                self.proxy.leads_to(self.server.port)
                return "the database crashed"
            case _:
                self._outage = asyncio.create_task(self._leave(blow.lasts_s))
                return f"the database is away for {blow.lasts_s:.0f} s"

    async def _leave(self, lasts_s: float) -> None:
        try:
            await self.server.leave(lasts_s)
        finally:
            self.proxy.leads_to(self.server.port)


OF_REPLICAS = frozenset({Kind.KILL, Kind.POINTS, Kind.PAUSE})
