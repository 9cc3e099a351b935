"""A task of the provider as its record tells it."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from kiosk.kie.codes import RefusalReason, classify, is_bad_input, is_moderation
from kiosk.kie.document import JSON, code_of, moment_of, number_of, object_of, text_of, url_of, words_of
from kiosk.kie.results import NOTHING, Result, read_result

_INPUT_CODES = frozenset({400, 413, 422, 451})
_TIMEOUT_CODE = 408
_TIMEOUT_TEXT = re.compile(r"\btime(?:d)?[ -]?out\b|over 10 minutes", re.IGNORECASE)


class TaskState(StrEnum):
    """The first three say only "not yet": their order is not kept, so they tell nothing about progress."""

    WAITING = "waiting"
    QUEUING = "queuing"
    GENERATING = "generating"
    SUCCESS = "success"
    FAIL = "fail"

    @property
    def ended(self) -> bool:
        return self in {TaskState.SUCCESS, TaskState.FAIL}


_SUCCESS_FLAGS = {0: TaskState.GENERATING, 1: TaskState.SUCCESS, 3: TaskState.FAIL}


class FailureKind(StrEnum):
    """What a failed task is to us: whose fault it is, and whether another try is worth it."""

    MODERATION = "moderation"
    BAD_INPUT = "bad_input"
    PROVIDER = "provider"
    TIMEOUT = "timeout"
    CREDITS = "credits"


@dataclass(frozen=True, slots=True)
class Failure:
    """`code` and `message` are the provider's own words, for operators only."""

    kind: FailureKind
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Task:
    """One record of recordInfo. Times are those of the provider's clock."""

    task_id: str
    model: str
    state: TaskState
    result: Result
    failure: Failure | None
    credits_consumed: Decimal | None
    created_at: datetime | None
    completed_at: datetime | None
    callback_url: str | None = field(repr=False)  # it carries the generation's secret token


def read_state(record: dict[str, JSON]) -> TaskState | None:
    """The state by `state`, or by `successFlag` where there is none; None for a word we do not know."""
    word = text_of(record.get("state")).lower()
    if word:
        return TaskState(word) if word in set(TaskState) else None
    flag = code_of(record.get("successFlag"))
    return None if flag is None else _SUCCESS_FLAGS.get(flag)


def read_record(
    record: dict[str, JSON], state: TaskState, *, task_id: str, envelope: tuple[int | None, str] = (None, "")
) -> Task:
    """Build the task from `data` of recordInfo; `envelope` is the code and message it came under."""
    consumed = number_of(record.get("creditsConsumed"))
    if consumed is None:
        consumed = number_of(record.get("consumeCredits"))
    return Task(
        task_id=task_id,
        model=text_of(record.get("model")),
        state=state,
        result=read_result(record) if state is TaskState.SUCCESS else NOTHING,
        failure=_read_failure(record, envelope) if state is TaskState.FAIL else None,
        credits_consumed=consumed if consumed is not None and consumed >= 0 else None,
        created_at=moment_of(record.get("createTime")),
        completed_at=moment_of(record.get("completeTime")),
        callback_url=url_of(object_of(record.get("param")).get("callBackUrl")),
    )


def _read_failure(record: dict[str, JSON], envelope: tuple[int | None, str]) -> Failure:
    code, message = words_of(record.get("failCode")), words_of(record.get("failMsg"))
    if not code and not message:
        envelope_code, message = envelope
        code = "" if envelope_code is None else str(envelope_code)
    return Failure(kind=failure_kind(code, message), code=code, message=message)


def failure_kind(fail_code: str, fail_message: str) -> FailureKind:
    """Kind of a failure; filters of other vendors name themselves in either of the two."""
    number = code_of(fail_code)
    words = f"{fail_code} {fail_message}"
    if classify(number or 0, words) in {RefusalReason.NO_CREDITS, RefusalReason.KEY_CAP}:
        return FailureKind.CREDITS
    if is_moderation(words):
        return FailureKind.MODERATION
    if number == _TIMEOUT_CODE or _TIMEOUT_TEXT.search(words):
        return FailureKind.TIMEOUT
    if number in _INPUT_CODES or is_bad_input(words):
        return FailureKind.BAD_INPUT
    return FailureKind.PROVIDER
