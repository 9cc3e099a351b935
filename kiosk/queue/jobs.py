"""A job is a wake-up for one generation; the truth is in the tables, so it may run twice or not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.queries import Queries

from kiosk.db import Tx
from kiosk.log import correlation_id

CAUSE: Final = "correlation_id"


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
        headers=[_causes()] * len(jobs),
    )


def _causes() -> dict[str, str] | None:
    """So that the log of a job can be joined with that of whatever woke it."""
    cause = correlation_id()
    return {CAUSE: cause} if cause else None


def caused_by(headers: Mapping[str, object] | None) -> str | None:
    """The correlation id of whoever enqueued a job."""
    cause = (headers or {}).get(CAUSE)
    return cause if isinstance(cause, str) else None


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
