"""A task of the provider's stand-in and the bodies that describe it: its record and its callback."""

import json
import random
from dataclasses import dataclass
from typing import Any

from sandbox.faults import JSON, Fault
from sandbox.kie.scripts import Script


@dataclass(slots=True)
class Task:
    """One task; times are Unix milliseconds, `ends_ms` is when it will end and `ended_ms` when it did."""

    id: str
    model: str
    input: dict[str, Any]
    key: str
    callback_url: str | None
    created_ms: int
    ends_ms: int
    script: Script
    callback_faults: tuple[Fault, ...] = ()
    ended_ms: int | None = None
    result_json: str = ""
    credits: float = 0.0
    callback_open: bool = False
    polls: int = 0

    @property
    def state(self) -> str:
        """The state at the end: success or fail, whether or not it was reached yet."""
        return "fail" if self.script.ending == "fail" else "success"


def record(task: Task, now_ms: int, *, newer_keys: bool) -> dict[str, JSON]:
    """The `data` of recordInfo: ten keys as recorded in April 2026, or with those that were added up to September."""
    ended = task.ended_ms is not None
    failed = ended and task.state == "fail"
    share = (now_ms - task.created_ms) / max(task.ends_ms - task.created_ms, 1)
    data: dict[str, JSON] = {
        "taskId": task.id,
        "model": task.model,
        "state": task.state if ended else task.script.state_at(share),
        "param": param(task),
        "resultJson": (None if failed else task.result_json) if ended else "",
        "failCode": task.script.fail_code if failed else None,
        "failMsg": task.script.fail_msg if failed else None,
        "costTime": _cost_time_s(task, task.ended_ms),
        "completeTime": task.ended_ms,
        "createTime": task.created_ms,
    }
    return data | _newer(task) if newer_keys else data


def param(task: Task) -> str:
    """The request as the provider echoes it: input as JSON text inside JSON text, keys in an order of its own."""
    chance = random.Random(task.id)
    names = list(task.input)
    chance.shuffle(names)
    echo = {"input": _compact({name: task.input[name] for name in names})}
    if task.callback_url is not None:
        echo["callBackUrl"] = task.callback_url
    return _compact(echo | {"model": task.model})


def callback_body(task: Task, ended_ms: int) -> dict[str, JSON]:
    """What a callback says; its times are whole seconds, and a failure leaves out times and result."""
    data: dict[str, JSON] = {"taskId": task.id, "model": task.model, "state": task.state, "param": param(task)}
    if task.state == "fail":
        data |= {"failCode": task.script.fail_code, "failMsg": task.script.fail_msg}
        data |= {"costTime": _cost_time_s(task, ended_ms), "creditsConsumed": 0}
        return {"code": 501, "msg": "Playground task failed.", "data": data}
    data |= {"resultJson": task.result_json, "costTime": _cost_time_s(task, ended_ms)}
    data |= {"completeTime": ended_ms // 1000 * 1000, "createTime": task.created_ms // 1000 * 1000}
    data |= {"updateTime": ended_ms // 1000 * 1000, "creditsConsumed": task.credits}
    return {"code": 200, "msg": "Playground task completed successfully.", "data": data}


def _newer(task: Task) -> dict[str, JSON]:
    ended = task.ended_ms is not None
    flag = (3 if task.state == "fail" else 1) if ended else 0
    return {
        "creditsConsumed": task.credits if flag == 1 else 0,
        "successFlag": flag,
        "response": _parsed(task.result_json) if flag == 1 else None,
        "updateTime": task.ended_ms or task.created_ms,
        "progress": None,
    }


def _cost_time_s(task: Task, ended_ms: int | None) -> int | None:
    return None if ended_ms is None else (ended_ms - task.created_ms) // 1000


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
