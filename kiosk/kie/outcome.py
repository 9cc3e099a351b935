"""What became of a request to create a task: four outcomes, and every caller must handle each."""

from dataclasses import dataclass
from enum import StrEnum

from kiosk.kie.codes import DelayReason, RefusalReason


class Doubt(StrEnum):
    """Why it is not known whether a task exists."""

    NO_ANSWER = "no_answer"  # time-out or a lost connection after the request had left
    OVERSIZE_ANSWER = "oversize_answer"
    SERVER_ERROR = "server_error"  # HTTP 408, 499 or 5xx without an envelope
    UNREADABLE_ANSWER = "unreadable_answer"  # empty, or not the JSON of an envelope
    NO_TASK_ID = "no_task_id"


@dataclass(frozen=True, slots=True)
class Created:
    """The task exists and will be paid for."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Refused:
    """No task exists, and the same request will be refused again."""

    reason: RefusalReason
    code: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """No task exists; the same request may be made again, not before `retry_after_s` where one is given."""

    reason: DelayReason
    retry_after_s: float | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class OutcomeUnknown:
    """A task may exist. Only its callback or the provider's log can tell; repeating may buy it twice."""

    why: Doubt
    detail: str = ""


CreateOutcome = Created | Refused | NotAccepted | OutcomeUnknown
