"""The course a task takes: which states it shows and how it ends, chosen by the faults that struck its creation."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sandbox.faults import Fault

TASK_FAULTS = {
    "task_generating": "shows generating from the first poll, then success",
    "task_queuing": "shows waiting, queuing, generating, then success",
    "task_seconds": "takes args.seconds of the provider's time (default 0)",
    "task_stuck": "stays in waiting for ever",
    "task_fail": "fails with args.code and args.msg (default: a seeded pair that real tasks have shown)",
    "task_fail_text": "fails with failCode null and the reason only in failMsg",
    "task_fail_envelope": "fails, and recordInfo says so with body code 501 beside data.state",
    "task_empty_urls": "succeeds with an empty resultUrls",
    "task_malformed_result": "succeeds with a resultJson that is args.text (default: cut-off JSON)",
    "task_many_results": "succeeds with args.count results (default 12)",
}

MALFORMED = '{"resultUrls":["https://'
MAX_RESULTS = 50

_WAITING = ((0.0, "waiting"),)
_GENERATING = ((0.0, "generating"),)
_QUEUING = ((0.0, "waiting"), (0.2, "queuing"), (0.5, "generating"))
_FAILURES = (
    ("500", "Internal Error, Please try again later."),
    ("501", "upstream generation failed"),
    ("400", "Your prompt was flagged by Website as violating content policies."),
    ("PUBLIC_ERROR_SAFETY_FILTER_FAILED", "PUBLIC_ERROR_SAFETY_FILTER_FAILED"),
    ("GENERATION_FAILED", "GENERATION_FAILED"),
)


@dataclass(frozen=True, slots=True)
class Script:
    """States by the share of the task's duration from which they show, and the ending."""

    states: tuple[tuple[float, str], ...] = _WAITING
    ending: Literal["success", "fail", "never"] = "success"
    usual_s: float = 0.0
    fail_code: str | None = None
    fail_msg: str | None = None
    fail_envelope: bool = False
    result_json: str | None = None
    results: int | None = None

    def state_at(self, share: float) -> str:
        """The state shown before the end, when `share` (0 to 1) of the duration is over."""
        return [state for start, state in self.states if start <= share or start == 0.0][-1]


def script(faults: Sequence[Fault], usual_s: float, chance: random.Random, *, mixed: bool) -> Script:
    """The course of a new task; `mixed` draws among the successful courses instead of always waiting, then success."""
    states = chance.choice((_WAITING, _GENERATING, _QUEUING)) if mixed else _WAITING
    course = Script(states=states, usual_s=usual_s)
    for fault in faults:
        course = _changed(course, fault, chance)
    return course


def _changed(course: Script, fault: Fault, chance: random.Random) -> Script:
    change = _CHANGES.get(fault.name)
    return replace(course, **change(fault.args, *chance.choice(_FAILURES))) if change else course


def _failing(args: Mapping[str, Any], code: str | None, msg: str) -> dict[str, Any]:
    return {"ending": "fail", "fail_code": args.get("code", code), "fail_msg": args.get("msg", msg)}


_CHANGES: Mapping[str, Callable[[Mapping[str, Any], str, str], dict[str, Any]]] = {
    "task_generating": lambda _args, _code, _msg: {"states": _GENERATING},
    "task_queuing": lambda _args, _code, _msg: {"states": _QUEUING},
    "task_seconds": lambda args, _code, _msg: {"usual_s": float(args.get("seconds", 0.0))},
    "task_stuck": lambda _args, _code, _msg: {"ending": "never"},
    "task_fail": _failing,
    "task_fail_text": lambda args, _code, msg: _failing(args, None, msg),
    "task_fail_envelope": lambda args, code, msg: _failing(args, code, msg) | {"fail_envelope": True},
    "task_empty_urls": lambda _args, _code, _msg: {"results": 0},
    "task_malformed_result": lambda args, _code, _msg: {"result_json": str(args.get("text", MALFORMED))},
    "task_many_results": lambda args, _code, _msg: {"results": min(int(args.get("count", 12)), MAX_RESULTS)},
}
