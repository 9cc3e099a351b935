"""What strikes the shop's own machines, and when: a schedule that the seed alone decides."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from chaos.database import Witness
from chaos.proxy import TcpProxy
from chaos.replicas import Replica


class Kind(StrEnum):
    KILL = "kill"  # SIGKILL; the replica is started again at once
    PAUSE = "pause"  # SIGSTOP, later SIGCONT
    TERMINATE = "terminate"  # every database connection is cut by the server
    CRASH = "crash"  # the database crashes and recovers
    FREEZE = "freeze"  # a database connection goes half-open


WEIGHTS = {Kind.KILL: 8, Kind.PAUSE: 3, Kind.FREEZE: 3, Kind.TERMINATE: 2, Kind.CRASH: 1}


@dataclass(frozen=True, slots=True)
class Blow:
    """After `pause_s` this happens to victim number `victim` (modulo how many there are); a pause lasts `lasts_s`."""

    pause_s: float
    kind: Kind
    victim: int
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Tempo:
    """Between two blows, and how long a replica sleeps; seconds, drawn evenly."""

    every_s: tuple[float, float] = (2.0, 4.5)
    sleeps_s: tuple[float, float] = (2.0, 9.0)


def schedule(seed: int, tempo: Tempo) -> Iterator[Blow]:
    """Pure: endless, and the same for the same seed. The first blow is a kill."""
    chance = random.Random(f"{seed}/nemesis")
    kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
    kind = Kind.KILL
    while True:
        yield Blow(chance.uniform(*tempo.every_s), kind, chance.randrange(2**16), chance.uniform(*tempo.sleeps_s))
        kind = chance.choices(kinds, weights)[0]


@dataclass(slots=True)
class Nemesis:
    """Deals the blows of a schedule until it is cancelled; `tell` hears of each."""

    replicas: Sequence[Replica]
    proxy: TcpProxy
    witness: Witness
    tell: Callable[[str], None]
    dealt: Counter[str] = field(default_factory=Counter)

    async def rage(self, blows: Iterator[Blow]) -> None:
        for blow in blows:
            await asyncio.sleep(blow.pause_s)
            self.tell(await self._deal(blow))
            self.dealt[blow.kind.value] += 1

    async def _deal(self, blow: Blow) -> str:
        replica = self.replicas[blow.victim % len(self.replicas)]
        match blow.kind:
            case Kind.KILL:
                replica.kill()
                return f"kill -9 replica {replica.number}"
            case Kind.PAUSE:
                replica.pause(blow.lasts_s)
                return f"replica {replica.number} sleeps {blow.lasts_s:.1f} s"
            case Kind.TERMINATE:
                return f"{await self.witness.terminate_all()} database connections cut"
            case Kind.CRASH:
                await self.witness.crash()
                return "the database crashes"
            case Kind.FREEZE:
                self.proxy.freeze(blow.victim)
                return "a database connection freezes half-open"
