"""Records and callbacks of the stand-in look like the provider's."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault
from sandbox.kie.records import Task, callback_body, record
from sandbox.kie.scripts import MALFORMED, Script, script
from sandbox.kie.snapshot import task_as_json, task_from_json

DATA = Path(__file__).parents[1] / "data" / "kie"
RECORDED = [
    json.loads(body)["data"]
    for recording in json.loads((DATA / "tasks.json").read_text(encoding="utf-8"))
    for body in recording["record_info"]
]
LATER = {
    name: json.loads(entry["body"])
    for name, entry in json.loads((DATA / "later.json").read_text(encoding="utf-8")).items()
    if isinstance(entry, dict) and "body" in entry
}
START_MS, END_MS = 1776323931830, 1776323944883


def task(**changes: Any) -> Task:
    facts: dict[str, Any] = {
        "id": "0123456789abcdef0123456789abcdef",
        "model": "z-image",
        "input": {"prompt": 'Кот "в шляпе"', "aspect_ratio": "1:1", "nsfw_checker": False},
        "key": "sandbox",
        "callback_url": None,
        "created_ms": START_MS,
        "ends_ms": END_MS,
        "script": Script(),
        "credits": 0.8,
    }
    return Task(**(facts | changes))


def succeeded(**changes: Any) -> Task:
    return task(ended_ms=END_MS, result_json='{"resultUrls":["https://files.example/1.png"]}', **changes)


def failed(**changes: Any) -> Task:
    course = Script(ending="fail", fail_code="400", fail_msg="Refused.")
    return task(**({"ended_ms": END_MS, "script": course} | changes))


def shown(of: Task, share: float = 0.0, *, newer_keys: bool = False) -> dict[str, Any]:
    return dict(record(of, START_MS + round(share * (END_MS - START_MS)), newer_keys=newer_keys))


def shape(data: dict[str, Any]) -> dict[str, type]:
    return {key: type(value) for key, value in data.items()}


@pytest.mark.parametrize("real", RECORDED, ids=lambda real: f"{real['model']}-{real['state']}")
def test_record_has_the_keys_and_types_of_a_real_one(real: dict[str, Any]) -> None:
    """Running or finished, a record is told from a recorded one only by its values."""
    mine = shown(succeeded() if real["state"] == "success" else task())
    assert list(mine) == list(real)
    assert shape(mine) == shape(real)
    assert shape(json.loads(mine["param"])) == shape(json.loads(real["param"]))
    assert (mine["resultJson"] == "") == (real["resultJson"] == "")


def test_param_is_encoded_twice() -> None:
    """The input is JSON text in JSON text, with the callback address when one was given."""
    echo = json.loads(shown(task())["param"])
    assert set(echo) == {"input", "model"}
    assert json.loads(echo["input"]) == task().input
    with_callback = json.loads(shown(task(callback_url="https://shop.example/cb"))["param"])
    assert with_callback["callBackUrl"] == "https://shop.example/cb"


def test_times_are_milliseconds_and_cost_is_seconds() -> None:
    """The end is missing until it is there; costTime is whole seconds between the two times."""
    assert shown(task(), 0.9)["completeTime"] is None
    done = shown(succeeded())
    assert (done["createTime"], done["completeTime"], done["costTime"]) == (START_MS, END_MS, 13)


def test_failed_record_says_why_and_has_no_result() -> None:
    """Code and text are there, the result is null; a failure may carry its reason in the text alone."""
    data = shown(failed())
    assert (data["state"], data["failCode"], data["failMsg"]) == ("fail", "400", "Refused.")
    assert data["resultJson"] is None
    text_only = shown(
        failed(script=script([Fault("task_fail_text", "*", args={"msg": "No."})], 1, _seeded(), mixed=False))
    )
    assert (text_only["failCode"], text_only["failMsg"]) == (None, "No.")


@pytest.mark.parametrize(
    ("made", "flag", "cost", "response"),
    [
        (task(), 0, 0, None),
        (succeeded(), 1, 0.8, {"resultUrls": ["https://files.example/1.png"]}),
        (failed(), 3, 0, None),
    ],
)
def test_newer_keys_are_an_option(made: Task, flag: int, cost: float, response: Any) -> None:
    """The keys added after April 2026 come on demand; a failed task costs nothing."""
    data = shown(made, newer_keys=True)
    assert (data["successFlag"], data["creditsConsumed"], data["response"]) == (flag, cost, response)
    assert set(data) - set(shown(made)) == {"creditsConsumed", "successFlag", "response", "updateTime", "progress"}


def test_states_follow_the_script() -> None:
    """A task shows its states in their order and ends only when it has ended."""
    course = script([Fault("task_queuing", "createTask")], 10, _seeded(), mixed=False)
    states = [shown(task(script=course), share)["state"] for share in (0, 0.1, 0.3, 0.6, 1.0, 5.0)]
    assert states == ["waiting", "waiting", "queuing", "generating", "generating", "generating"]
    assert shown(succeeded(script=course))["state"] == "success"


@pytest.mark.parametrize(
    ("fault", "part", "value"),
    [
        (Fault("task_generating", "*"), "states", ((0.0, "generating"),)),
        (Fault("task_stuck", "*"), "ending", "never"),
        (Fault("task_seconds", "*", args={"seconds": 3}), "usual_s", 3.0),
        (Fault("task_empty_urls", "*"), "results", 0),
        (Fault("task_many_results", "*"), "results", 12),
        (Fault("task_malformed_result", "*"), "result_json", MALFORMED),
        (Fault("task_malformed_result", "*", args={"text": ""}), "result_json", ""),
        (Fault("task_fail", "*", args={"code": "501", "msg": "No."}), "fail_code", "501"),
        (Fault("task_fail_envelope", "*"), "fail_envelope", True),
    ],
)
def test_faults_change_the_script(fault: Fault, part: str, value: Any) -> None:
    """Each fault of a task changes its course in one way."""
    assert getattr(script([], 55, _seeded(), mixed=False), part) != value
    assert getattr(script([fault], 55, _seeded(), mixed=False), part) == value


def test_mixed_states_are_seeded() -> None:
    """Drawn courses differ between tasks and repeat with the seed."""
    drawn = [script([], 1, _seeded(number), mixed=True).states for number in range(20)]
    assert drawn == [script([], 1, _seeded(number), mixed=True).states for number in range(20)]
    assert len(set(drawn)) == 3


def test_callback_of_success_looks_like_the_documented_one() -> None:
    """Same envelope, and every key the page shows for a success, in whole-second times."""
    body, real = callback_body(succeeded(callback_url="https://shop.example/cb"), END_MS), LATER["callback_success"]
    assert (body["code"], body["msg"]) == (real["code"], real["msg"])
    assert isinstance(body["data"], dict)
    assert set(real["data"]) == set(body["data"])
    assert body["data"]["completeTime"] == END_MS // 1000 * 1000


def test_callback_of_failure_looks_like_the_documented_one() -> None:
    """Code 501, the reason, no cost, no result and no times."""
    body, real = callback_body(failed(), END_MS), LATER["callback_fail"]
    assert (body["code"], body["msg"]) == (501, real["msg"])
    assert isinstance(body["data"], dict)
    assert set(real["data"]) == set(body["data"])
    assert body["data"]["creditsConsumed"] == 0


def test_tasks_survive_being_saved() -> None:
    """A task read back from JSON is the same task."""
    course = script([Fault("task_queuing", "*"), Fault("task_fail", "*")], 5, _seeded(), mixed=False)
    whole = failed(script=course, callback_faults=(Fault("callback_late", "*", args={"seconds": 4}),))
    assert task_from_json(json.loads(json.dumps(task_as_json(whole)))) == whole


def _seeded(number: int = 0) -> random.Random:
    return random.Random(number)
