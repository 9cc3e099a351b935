"""A job is a wake-up for one generation; the truth is in the tables, so it may run twice or not at all."""

from dataclasses import dataclass
from enum import StrEnum

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from kiosk.db import Tx


class Act(StrEnum):
    """What is to be done; also the engine's name of the entry point."""

    SUBMIT = "submit"
    OBSERVE = "observe"
    DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Job:
    """An act on one generation."""

    act: Act
    generation_id: int


async def enqueue(tx: Tx, *jobs: Job) -> None:
    """Puts wake-ups into the caller's transaction: they exist exactly if it commits."""
    if not jobs:
        return
    await Queries(AsyncpgDriver(tx)).enqueue(
        [job.act.value for job in jobs],
        [str(job.generation_id).encode() for job in jobs],
        [0] * len(jobs),
    )


async def depth(tx: Tx) -> int:
    """How many wake-ups wait or run."""
    count: int = await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')")
    return count


async def prune(tx: Tx, *, keep_days: int) -> None:
    """Drops the engine's own history and parked failures: whatever still matters is brought again by the sweep."""
    await tx.execute("DELETE FROM pgqueuer_log WHERE created < now() - make_interval(days => $1)", keep_days)
    await tx.execute("DELETE FROM pgqueuer_statistics WHERE created < now() - make_interval(days => $1)", keep_days)
    await tx.execute(
        "DELETE FROM pgqueuer WHERE status = 'failed' AND updated < now() - make_interval(days => $1)", keep_days
    )
