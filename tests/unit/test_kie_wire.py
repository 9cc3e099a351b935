"""Requests say what the contract wants; each kind of answer becomes its one outcome or fact."""

import json
from decimal import Decimal
from typing import Any

import pytest

from kiosk.kie import errors, wire
from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.outcome import Created, Doubt, NotAccepted, OutcomeUnknown, Refused
from kiosk.kie.task import FailureKind, TaskState

JSON_TYPE = "application/json"
TASK_ID = "0123456789abcdef0123456789abcdef"


def answer(code: int = 200, msg: str = "success", data: Any = None) -> bytes:
    return json.dumps({"code": code, "msg": msg, "data": data}).encode()


def record(**fields: Any) -> dict[str, Any]:
    return {"taskId": TASK_ID, "model": "z-image", "state": "waiting", "param": "{}", "resultJson": "", **fields}


def create(body: bytes, status: int = 200, content_type: str = JSON_TYPE, **known: float) -> Any:
    return wire.read_create(status, content_type, body, **known)


def read(data: Any, code: int = 200, msg: str = "success", status: int = 200) -> Any:
    return wire.read_task(status, JSON_TYPE, answer(code, msg, data), task_id=TASK_ID)


def test_create_request_spells_the_callback_with_a_capital_b() -> None:
    """The callback address goes under callBackUrl, beside model and input, and only when there is one."""
    request = wire.create_request("z-image", {"prompt": "кот"}, "https://shop.example/cb/7")
    assert json.loads(request.body or b"") == {
        "model": "z-image",
        "input": {"prompt": "кот"},
        "callBackUrl": "https://shop.example/cb/7",
    }
    assert b"callBackUrl" not in (wire.create_request("z-image", {}, None).body or b"")


def test_create_request_survives_a_lone_surrogate() -> None:
    """A broken character in a prompt is escaped, not an exception."""
    assert b'"\\ud83d"' in (wire.create_request("z-image", {"prompt": "\ud83d"}, None).body or b"")


def test_create_request_refuses_what_is_too_large() -> None:
    """A request over the limit is not built, and both sizes are told."""
    with pytest.raises(errors.RequestTooLarge) as caught:
        wire.create_request("z-image", {"prompt": "x" * wire.MAX_BODY_BYTES}, None)
    assert caught.value.size_bytes > caught.value.limit_bytes == wire.MAX_BODY_BYTES


def test_create_request_hides_its_body_and_callback() -> None:
    """Neither the prompt nor the callback's secret is in the repr of a request."""
    shown = repr(wire.create_request("z-image", {"prompt": "my-prompt"}, "https://shop.example/cb/secret"))
    assert "my-prompt" not in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("original", "expected"),
    [("Фото.JPG", "t0.jpg"), ("archive.tar.gz", "t0.gz"), ("noname", "t0"), ("a.b/../c", "t0"), ("x.ab cd", "t0")],
)
def test_unique_file_name_keeps_only_a_plain_suffix(original: str, expected: object) -> None:
    """The name sent is the token with a harmless suffix, whatever the customer called the file."""
    assert wire.unique_file_name(original, "t0") == expected


@pytest.mark.parametrize("task_id", [TASK_ID, "task_12345678", "x"])
def test_create_accepts_any_id(task_id: str) -> None:
    """The id is opaque: any text that is not empty is one."""
    assert create(answer(data={"taskId": task_id})) == Created(task_id)


@pytest.mark.parametrize("code", [402, 422, 429, 500])
def test_create_with_a_task_id_is_created_under_any_code(code: int) -> None:
    """Where a task is named it exists, so it is followed and not made again."""
    assert create(answer(code, "whatever", {"taskId": TASK_ID})) == Created(TASK_ID)
    assert create(answer(code, "whatever", {"taskId": TASK_ID}), status=502) == Created(TASK_ID)


@pytest.mark.parametrize(
    ("code", "msg", "reason"),
    [
        (400, "taskId parameter is required", RefusalReason.BAD_INPUT),
        (400, "Your prompt was flagged by Website as violating content policies.", RefusalReason.MODERATION),
        (401, "You do not have access permissions", RefusalReason.UNAUTHORIZED),
        (402, "The current credits are insufficient. Please top up.", RefusalReason.NO_CREDITS),
        (422, "The model name you specified is not supported. Please verify", RefusalReason.MODEL_UNSUPPORTED),
        (422, "voiceId cannot be empty", RefusalReason.BAD_INPUT),
        (433, "The current number of points used by apiKey has exceeded the daily limit", RefusalReason.KEY_CAP),
        (451, "failed to fetch the image", RefusalReason.BAD_INPUT),
        (500, "This field is required", RefusalReason.BAD_INPUT),
        (500, "aspect_ratio is required", RefusalReason.BAD_INPUT),
        (500, "resolution is not within the range of allowed options", RefusalReason.BAD_INPUT),
        (500, "Credits insufficient : Your current balance isn't enough", RefusalReason.NO_CREDITS),
        (500, "This interface is temporarily paused.", RefusalReason.FEATURE_DISABLED),
        (505, "success", RefusalReason.FEATURE_DISABLED),
        (404, "no such thing", RefusalReason.NOT_FOUND),
        (499, "never seen", RefusalReason.OTHER),
    ],
)
def test_create_refused_for_good(code: int, msg: str, reason: RefusalReason) -> None:
    """Permanent refusals keep code and text, also where the code alone would promise that a retry helps."""
    assert create(answer(code, msg)) == Refused(reason, code, msg)


@pytest.mark.parametrize(
    ("code", "msg", "reason", "retry_after_s"),
    [
        (408, "No result has been returned for over 10 minutes.", DelayReason.PROVIDER_ERROR, None),
        (429, "Your call frequency is too high. Please try again later.", DelayReason.RATE_LIMITED, 10.0),
        (455, "maintenance", DelayReason.MAINTENANCE, None),
        (500, "Server exception, please try again later", DelayReason.PROVIDER_ERROR, None),
        (500, "Internal server error: invalid response from upstream", DelayReason.PROVIDER_ERROR, None),
        (500, "sensitive word service is down", DelayReason.PROVIDER_ERROR, None),
        (429, "temporarily paused", DelayReason.RATE_LIMITED, 10.0),
        (501, "generation failed", DelayReason.PROVIDER_ERROR, None),
        (550, "queue full", DelayReason.PROVIDER_ERROR, None),
    ],
)
def test_create_not_accepted_for_now(code: int, msg: str, reason: DelayReason, retry_after_s: float | None) -> None:
    """Temporary refusals in an envelope mean that no task exists; a rate limit asks for its whole window."""
    assert create(answer(code, msg)) == NotAccepted(reason, retry_after_s, msg)


def test_create_reads_message_where_msg_is_missing() -> None:
    """Either spelling of the text is read."""
    body = json.dumps({"code": 422, "message": "voiceId cannot be empty"}).encode()
    assert create(body).detail == "voiceId cannot be empty"


def test_create_reads_a_code_that_is_text() -> None:
    """A code in quotes is the same code."""
    assert create(b'{"code":"455","msg":"m"}') == NotAccepted(DelayReason.MAINTENANCE, None, "m")


@pytest.mark.parametrize("status", [429, 200])
def test_create_rate_limited_by_header_or_body(status: int) -> None:
    """A Retry-After is obeyed within bounds, over either status."""
    outcome = create(answer(429, "slow down"), status=status, retry_after_s=7)
    assert (outcome.reason, outcome.retry_after_s) == (DelayReason.RATE_LIMITED, 7.0)
    assert create(answer(429, "slow down"), status=status, retry_after_s=9e9).retry_after_s == 300


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, b"error code: 1010", DelayReason.BLOCKED),
        (404, b"<html>not found", DelayReason.BLOCKED),
        (429, b"<html>error code: 1015", DelayReason.RATE_LIMITED),
        (429, b"", DelayReason.RATE_LIMITED),
    ],
)
def test_create_stopped_before_the_application_is_not_accepted(
    status: int, body: bytes, reason: RefusalReason | DelayReason
) -> None:
    """A real 4xx never comes from the application, which answers 200 even for errors: no task exists."""
    assert create(body, status=status, content_type="text/html").reason == reason


def test_create_http_401_and_413_are_refused() -> None:
    """A key or a size refused by HTTP itself is refused for good."""
    assert create(b"", status=401).reason == RefusalReason.UNAUTHORIZED
    assert create(b"", status=413).reason == RefusalReason.BAD_INPUT


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, b"", Doubt.UNREADABLE_ANSWER),
        (200, b"<html>bad gateway", Doubt.UNREADABLE_ANSWER),
        (200, b"[]", Doubt.UNREADABLE_ANSWER),
        (200, b"{}", Doubt.UNREADABLE_ANSWER),
        (200, b'{"code":200', Doubt.UNREADABLE_ANSWER),
        (302, b"", Doubt.UNREADABLE_ANSWER),
        (200, b'{"code":200,"msg":"success","data":null}', Doubt.NO_TASK_ID),
        (200, b'{"code":200,"data":{"taskId":"  "}}', Doubt.NO_TASK_ID),
        (200, b'{"code":200,"data":{"taskId":7}}', Doubt.NO_TASK_ID),
        (200, b'{"code":200,"data":{"recordId":"abc"}}', Doubt.NO_TASK_ID),
        (200, b'{"code":0,"msg":"ok"}', Doubt.NO_TASK_ID),
        (502, b"<html>bad gateway", Doubt.SERVER_ERROR),
        (500, b"", Doubt.SERVER_ERROR),
        (524, b'{"error":"timeout"}', Doubt.SERVER_ERROR),
        (408, b"", Doubt.SERVER_ERROR),
    ],
)
def test_create_unknown_when_nothing_proves_it(status: int, body: bytes, why: Doubt) -> None:
    """Without a verdict of the application a task may exist, and is never assumed not to."""
    outcome = create(body, status=status)
    assert isinstance(outcome, OutcomeUnknown)
    assert outcome.why == why


def test_create_unknown_does_not_quote_the_body() -> None:
    """An unreadable body is described, not copied into logs."""
    outcome = create(b"<html>customer data", content_type="text/html")
    assert outcome.detail == "HTTP 200, text/html, 19 bytes"


def test_task_running_has_no_result_and_no_failure() -> None:
    """The record of a running task, with its empty resultJson and nulls, is no result and no failure."""
    task = read(record(state="queuing", failCode=None, failMsg=None, completeTime=None))
    assert (task.state, task.failure, task.result.usable, task.completed_at) == (TaskState.QUEUING, None, False, None)
    assert not task.state.ended


def test_task_running_shows_no_early_result() -> None:
    """Files named before the task has ended are not delivered."""
    assert not read(record(state="generating", resultJson='{"resultUrls":["https://a.example/b"]}')).result.usable


@pytest.mark.parametrize(("flag", "state"), [(0, TaskState.GENERATING), (1, TaskState.SUCCESS), (3, TaskState.FAIL)])
def test_task_state_by_flag_when_no_word(flag: int, state: Any) -> None:
    """A record without `state` is read by its successFlag."""
    assert state is read(record(state=None, successFlag=flag)).state


@pytest.mark.parametrize("state", ["", "paused", None, 5, ["success"]])
def test_task_of_unknown_state_is_unreadable(state: Any) -> None:
    """A state we do not know is neither success nor failure: ask again later."""
    with pytest.raises(errors.UnreadableAnswer):
        read(record(state=state))


@pytest.mark.parametrize(
    ("code", "msg", "data", "status"),
    [
        (422, "recordInfo is null", None, 200),
        (422, "Record does not exist", None, 200),
        (404, "Task not found", None, 404),
        (200, "success", None, 200),
        (200, "success", {}, 200),
    ],
)
def test_task_not_found(code: int, msg: str, data: Any, status: int) -> None:
    """Each way of saying that there is no record is TaskNotFound and names the id."""
    with pytest.raises(errors.TaskNotFound) as caught:
        read(data, code, msg, status)
    assert caught.value.task_id == TASK_ID


def test_task_http_404_without_envelope_is_not_a_missing_task() -> None:
    """A wrong address must not look like a task that does not exist."""
    with pytest.raises(errors.UnreadableAnswer):
        wire.read_task(404, "text/html", b"<html>", task_id=TASK_ID)


@pytest.mark.parametrize(
    ("code", "msg", "error"),
    [
        (401, "You do not have access permissions", errors.Unauthorized),
        (402, "", errors.CreditsExhausted),
        (433, "", errors.KeyCapReached),
        (505, "", errors.FeatureDisabled),
        (422, "taskId is odd", errors.BadRequest),
        (429, "", errors.RateLimited),
        (455, "", errors.UnderMaintenance),
        (500, "Internal server error", errors.Unavailable),
        (499, "", errors.Rejected),
    ],
)
def test_task_errors_by_code(code: int, msg: str, error: type[errors.KieError]) -> None:
    """Each class of code is raised as its own fact, with the code kept."""
    with pytest.raises(error) as caught:
        read(None, code, msg)
    assert (type(caught.value), caught.value.code) == (error, code)


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"", errors.UnreadableAnswer),
        (502, b"<html>", errors.UnreadableAnswer),
        (403, b"error code: 1010", errors.UnreadableAnswer),
        (401, b"", errors.Unauthorized),
        (429, b"", errors.RateLimited),
        (500, b'{"code":200,"data":{"state":"waiting"}}', errors.UnreadableAnswer),
        (502, b'{"code":200,"data":null}', errors.UnreadableAnswer),
    ],
)
def test_task_errors_by_http_status(status: int, body: bytes, error: type[errors.KieError]) -> None:
    """Without a readable envelope the HTTP status decides, and 403 does not pass for a bad key."""
    with pytest.raises(error) as caught:
        wire.read_task(status, "text/html", body, task_id=TASK_ID)
    assert error is type(caught.value)


@pytest.mark.parametrize("code", [200, 400, 500, 501])
def test_task_failure_is_read_under_any_code(code: int) -> None:
    """A failed record is a failed task even when the envelope says error."""
    task = read(record(state="fail", failCode="500", failMsg="Internal server error"), code, "whatever")
    assert (task.state, task.failure.kind, task.failure.code) == (TaskState.FAIL, FailureKind.PROVIDER, "500")


def test_task_failure_without_words_takes_those_of_the_envelope() -> None:
    """When the record gives no cause, the envelope's code and text stand for it."""
    task = read(record(state="fail", failCode=None, failMsg=""), 400, "Your prompt was flagged by Website")
    assert (task.failure.kind, task.failure.code) == (FailureKind.MODERATION, "400")


def test_task_of_another_id_is_unreadable() -> None:
    """The record of another task is never taken for the one asked for."""
    with pytest.raises(errors.UnreadableAnswer):
        read(record(taskId="f" * 32, state="success"))
    with pytest.raises(errors.UnreadableAnswer):
        read(record(taskId="f" * 32, state="fail"), 501, "failed")


def test_task_without_its_id_is_the_one_asked_for() -> None:
    """A record that omits the id belongs to the question."""
    assert read(record(taskId=None)).task_id == TASK_ID


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, Decimal(0)), (61, Decimal(61)), (0.8, Decimal("0.8")), ("3.5", Decimal("3.5")), (-1, None), ("x", None)],
)
def test_task_credits_consumed(value: Any, expected: object) -> None:
    """Credits are exact decimals; what is no amount is None."""
    assert read(record(creditsConsumed=value)).credits_consumed == expected


@pytest.mark.parametrize("value", [None, 0, "soon", 10**30, -5, True, 1786791155])
def test_task_times_that_are_none(value: Any) -> None:
    """A time that is not milliseconds of this century is None, never an exception."""
    assert read(record(createTime=value)).created_at is None


def test_task_callback_address_is_read_and_hidden() -> None:
    """The callback address comes out of the doubly encoded param and stays out of the repr."""
    param = json.dumps({"model": "z-image", "callBackUrl": "https://shop.example/cb/tok", "input": "{}"})
    task = read(record(param=param))
    assert task.callback_url == "https://shop.example/cb/tok"
    assert "tok" not in repr(task)


def test_credits_reject_what_is_no_number() -> None:
    """A balance that is no number is unreadable, not zero."""
    for data in (None, "many", {"credits": 5}, True):
        with pytest.raises(errors.UnreadableAnswer):
            wire.read_credits(200, JSON_TYPE, answer(data=data or {"none": 0}))


def test_download_url_is_the_bare_text() -> None:
    """The address is the whole of data."""
    assert (
        wire.read_download_url(200, JSON_TYPE, answer(data="https://tempfile.example/f.png"))
        == "https://tempfile.example/f.png"
    )


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "/f.png", "https://", "https://[", "https://a b", "https://a/" + "b" * 9000, 7]
)
def test_download_url_rejects_what_is_no_address(url: Any) -> None:
    """Only absolute http(s) addresses leave the reader."""
    with pytest.raises(errors.UnreadableAnswer):
        wire.read_download_url(200, JSON_TYPE, answer(data=url))


def test_upload_that_failed_is_an_error() -> None:
    """An upload refused by the host is not a file, whichever place says so."""
    with pytest.raises(errors.BadRequest):
        wire.read_upload(200, JSON_TYPE, b'{"success":false,"code":400,"msg":"Missing required parameter: uploadPath"}')
    with pytest.raises(errors.UnreadableAnswer):
        wire.read_upload(
            200, JSON_TYPE, answer(data={"success": False, "downloadUrl": "https://tempfile.example/f.png"})
        )


def test_errors_say_their_fact_code_and_words() -> None:
    """The text of an error is its fact, then code and the provider's words where known."""
    assert str(errors.Unauthorized(code=401, detail="no")) == "The provider does not accept our key: 401 no"
    assert str(errors.Unavailable()) == "The provider cannot answer now."
