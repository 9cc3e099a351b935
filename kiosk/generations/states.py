"""The states of a generation, the arrows between them, and when to look again; pure.

 draft ──confirm──▶ pending ──▶ submitting ──▶ running ──▶ done
   │                 │  ▲___________│  │          │          ▲ late success
   ▼                 ▼                 ▼          ▼          │
canceled ◀───────────┘               failed ◀─────┴──────────┘
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The CHECK `generations_state` lists the same words."""

    DRAFT = "draft"
    PENDING = "pending"
    SUBMITTING = "submitting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"


ARROWS: Final = frozenset(
    {
        (State.DRAFT, State.PENDING),
        (State.DRAFT, State.CANCELED),
        (State.PENDING, State.SUBMITTING),
        (State.PENDING, State.CANCELED),
        (State.PENDING, State.FAILED),
        (State.SUBMITTING, State.PENDING),  # the provider said: not now, and made no task
        (State.SUBMITTING, State.RUNNING),
        (State.SUBMITTING, State.FAILED),
        (State.RUNNING, State.DONE),
        (State.RUNNING, State.FAILED),
        (State.FAILED, State.DONE),  # it succeeded after the money had gone back: delivered free
    }
)

OPEN: Final = frozenset({State.PENDING, State.SUBMITTING, State.RUNNING})


class Failure(StrEnum):
    """Why a customer got their money back instead of a result."""

    MODERATION = "moderation"  # the request breaks the provider's rules: changing it helps
    INPUT = "input"  # the provider refused what was sent
    PROVIDER = "provider"  # it broke over there: trying again helps
    UNAVAILABLE = "unavailable"  # the shop cannot buy at the moment
    NO_RESULT = "no_result"  # it was called a success and held nothing usable
    TIMEOUT = "timeout"  # it never ended


# Once for the order, once more when nobody knows what became of the first; never a third paid task.
SUBMITS_AT_MOST: Final = 2
TASKS_AT_MOST: Final = 5

POLL_GROWTH: Final = 1.5
POLL_MAX_S: Final = 30.0


def poll_delay_s(polls: int, first_s: float) -> float:
    """Seconds until the next look at a running task: growing, because callbacks usually come first."""
    grown_s: float = first_s * POLL_GROWTH ** min(polls, 20)
    return min(grown_s, max(POLL_MAX_S, first_s))


DELIVERY_FIRST_S: Final = 2.0
DELIVERY_MAX_S: Final = 600.0


def delivery_delay_s(tries: int) -> float:
    """Seconds until a delivery that did not work out is tried again; it is never given up."""
    return min(DELIVERY_FIRST_S * 2.0 ** min(tries, 20), DELIVERY_MAX_S)


HELD_BACK_FIRST_S: Final = 10.0
HELD_BACK_MAX_S: Final = 60.0


def held_back_s(age_s: float) -> float:
    """Seconds for which an order that was not accepted leaves the way to others: the longer it has tried, the more."""
    return min(max(HELD_BACK_FIRST_S, age_s / 4), HELD_BACK_MAX_S)


def outcome_is_overdue(now: datetime, submitted_at: datetime, grace_s: float) -> bool:
    """Whether a createTask of unknown outcome has been waited for long enough."""
    return now - submitted_at >= timedelta(seconds=grace_s)
