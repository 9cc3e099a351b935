"""The provider's own bodies, recorded in April 2026 and printed by its pages later, are read as what they meant."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from kiosk.kie import wire
from kiosk.kie.callback import read_callback, signature_valid
from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.errors import BadRequest, RateLimited, Unauthorized
from kiosk.kie.outcome import Created, NotAccepted, Refused
from kiosk.kie.task import FailureKind, TaskState

DATA = Path(__file__).parents[1] / "data" / "kie"
TASKS = json.loads((DATA / "tasks.json").read_text(encoding="utf-8"))
OTHER = json.loads((DATA / "other.json").read_text(encoding="utf-8"))
LATER = json.loads((DATA / "later.json").read_text(encoding="utf-8"))
RECORDS = [
    pytest.param(task, body, id=f"{task['recording']}-{number}")
    for task in TASKS
    for number, body in enumerate(task["record_info"])
]
JSON_TYPE = "application/json;charset=UTF-8"


def others(path: str) -> list[str]:
    return [entry["response"] for entry in OTHER if entry["url"].endswith(path)]


def later(name: str) -> bytes:
    return str(LATER[name]["body"]).encode()


def milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)


def created_id(task: dict[str, Any]) -> str:
    return str(json.loads(task["create_response"])["data"]["taskId"])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["recording"])
def test_create_recorded_is_created(task: dict[str, Any]) -> None:
    """Each recorded answer to createTask yields the id it names."""
    outcome = wire.read_create(200, JSON_TYPE, task["create_response"].encode())
    assert outcome == Created(created_id(task))


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["recording"])
def test_create_request_recorded_is_what_we_send(task: dict[str, Any]) -> None:
    """Given the recorded model and input, our request body is the recorded one."""
    recorded = json.loads(task["create_request"])
    request = wire.create_request(recorded["model"], recorded["input"], None)
    assert json.loads(request.body or b"") == recorded
    assert (request.method, request.path) == ("POST", "/api/v1/jobs/createTask")


@pytest.mark.parametrize(("task", "body"), RECORDS)
def test_record_recorded_is_read_whole(task: dict[str, Any], body: str) -> None:
    """Each recorded record keeps its id, model, state, times, and has files exactly when it succeeded."""
    data = json.loads(body)["data"]
    read = wire.read_task(200, JSON_TYPE, body.encode(), task_id=created_id(task))
    assert (read.model, read.state) == (data["model"], data["state"])
    assert milliseconds(read.created_at) == data["createTime"]
    assert milliseconds(read.completed_at) == data["completeTime"]
    expected = tuple(json.loads(data["resultJson"])["resultUrls"]) if data["state"] == "success" else ()
    assert read.result.urls == expected
    assert (read.failure, read.credits_consumed, read.callback_url) == (None, None, None)


def test_records_cover_every_recorded_state() -> None:
    """The recordings hold running and finished tasks, so the claims above are not empty."""
    states = [json.loads(body)["data"]["state"] for task in TASKS for body in task["record_info"]]
    assert set(states) == {"waiting", "generating", "success"}
    assert states.count("success") == 9


def test_result_recorded_with_two_files_keeps_both_in_order() -> None:
    """A model that returns two pictures gives two addresses."""
    task = next(task for task in TASKS if task["recording"] == "step-2-image-to-image")
    read = wire.read_task(200, JSON_TYPE, task["record_info"][-1].encode(), task_id=created_id(task))
    assert [url.split("/")[-2][:8] for url in read.result.urls] == ["43eb29b5", "74ae7efa"]


def test_credits_recorded_are_exact_decimals() -> None:
    """Balances with fractions are read without a float's error."""
    read = [wire.read_credits(200, JSON_TYPE, body.encode()) for body in others("/chat/credit")]
    assert read == [Decimal("5916.25"), Decimal("5454.65"), Decimal("5916.25"), Decimal("5760.65")]


@pytest.mark.parametrize("body", others("/file-stream-upload") + others("/file-base64-upload"))
def test_upload_recorded_is_read(body: str) -> None:
    """Each recorded upload yields the address to hand on, and the size that was stored."""
    data = json.loads(body)["data"]
    upload = wire.read_upload(200, "application/json", body.encode())
    expected = (data["downloadUrl"], data["fileName"], data["fileSize"], data["mimeType"])
    assert (upload.url, upload.file_name, upload.size_bytes, upload.mime_type) == expected


def test_download_url_recorded_refusal_is_bad_request() -> None:
    """A file of another host is refused for good, in the provider's words."""
    for body in others("/download-url"):
        with pytest.raises(BadRequest) as caught:
            wire.read_download_url(200, JSON_TYPE, body.encode())
        assert (caught.value.code, caught.value.detail) == (422, "url is wrong")


@pytest.mark.parametrize("body", [entry["response"] for entry in OTHER if '"code":422' in entry["response"]])
def test_refusal_recorded_is_refused(body: str) -> None:
    """Every recorded 422 is a definite refusal, with its text kept for the operator."""
    outcome = wire.read_create(200, JSON_TYPE, body.encode())
    assert outcome == Refused(RefusalReason.BAD_INPUT, 422, json.loads(body)["msg"])


def test_other_recordings_are_all_claimed() -> None:
    """No recorded body is left out: every entry belongs to one of the tests above."""
    used = [*others("/chat/credit"), *others("/file-stream-upload"), *others("/file-base64-upload")]
    assert len(OTHER) == len(used) + sum('"code":422' in entry["response"] for entry in OTHER)


def test_record_of_august_2026_has_credits() -> None:
    """The record of August 2026 adds the credits taken, as a decimal."""
    body = later("record_2026_08")
    read = wire.read_task(200, JSON_TYPE, body, task_id=json.loads(body)["data"]["taskId"])
    assert (read.state, read.credits_consumed) == (TaskState.SUCCESS, Decimal("0.8"))
    assert read.result.urls == ("https://file.aiquickdraw.com/s/1786791208_e101.png",)
    assert read.completed_at == datetime(2026, 8, 15, 10, 53, 30, 585000, tzinfo=UTC)


@pytest.mark.parametrize(("name", "code", "failed"), [("callback_success", 200, False), ("callback_fail", 501, True)])
def test_callback_of_august_2026_is_read(name: str, code: int, failed: bool) -> None:
    """Both callbacks of the model page name their task and say whether it failed."""
    body = later(name)
    callback = read_callback(body)
    assert (callback.task_id, callback.code, callback.failed) == (json.loads(body)["data"]["taskId"], code, failed)


@pytest.mark.parametrize(
    ("name", "usable", "consumed", "kind"),
    [("callback_success", True, Decimal(61), None), ("callback_fail", False, Decimal(0), FailureKind.BAD_INPUT)],
)
def test_callback_body_reads_as_record(name: str, usable: bool, consumed: Decimal, kind: FailureKind | None) -> None:
    """A callback carries the record: the same reader tells the task, its callback address and its credits."""
    body = later(name)
    read = wire.read_task(200, JSON_TYPE, body, task_id=json.loads(body)["data"]["taskId"])
    assert read.callback_url == "https://your-domain.com/api/callback"
    assert (read.result.usable, read.credits_consumed) == (usable, consumed)
    assert (read.failure.kind if read.failure else None) is kind


def test_signed_request_of_the_page_has_the_shape_we_check() -> None:
    """The page's sample is found by its id and is within its own window, but no key of ours fits it."""
    sample = LATER["signed_request"]
    callback = read_callback(sample["body"].encode())
    now = datetime.fromtimestamp(int(sample["timestamp"]), UTC)
    assert callback.task_id == "ee9c2715375b7837f8bb51d641ff5863"
    assert len(sample["signature"]) == 44
    assert not signature_valid("our-key", callback.task_id, sample["timestamp"], sample["signature"], now)


def test_create_reads_the_later_refusals() -> None:
    """No credits under code 500, the newer 401 without data, and 429 over HTTP 200 are told apart."""
    poor, auth, rate = (
        wire.read_create(200, JSON_TYPE, later(name)) for name in ("credits_as_500", "unauthorized", "rate_limited")
    )
    text = "Your call frequency is too high. Please try again later."
    assert isinstance(poor, Refused)
    assert isinstance(auth, Refused)
    assert (poor.reason, poor.code) == (RefusalReason.NO_CREDITS, 500)
    assert (auth.reason, auth.code) == (RefusalReason.UNAUTHORIZED, 401)
    assert rate == NotAccepted(DelayReason.RATE_LIMITED, 10.0, text)


def test_reads_raise_the_later_refusals() -> None:
    """The same bodies as answers to a balance request are facts of their own."""
    with pytest.raises(Unauthorized):
        wire.read_credits(200, JSON_TYPE, later("unauthorized"))
    with pytest.raises(RateLimited) as caught:
        wire.read_credits(200, JSON_TYPE, later("rate_limited"))
    assert caught.value.retry_after_s == 10.0
