"""Whatever arrives, the readers answer with outcomes and errors of their own, and nothing that cannot be stored."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.kie import errors, wire
from kiosk.kie.callback import Callback, read_callback, signature_valid
from kiosk.kie.codes import DelayReason, RefusalReason, classify
from kiosk.kie.document import MAX_TEXT_CHARS, NotJson, parse_json, text_of, words_of
from kiosk.kie.outcome import Created, NotAccepted, OutcomeUnknown, Refused
from kiosk.kie.pacing import Waits, poll_intervals
from kiosk.kie.results import MAX_FILES
from kiosk.kie.task import Task

DATA = Path(__file__).parents[1] / "data" / "kie"
RECORDED: list[bytes] = [
    str(body).encode()
    for task in json.loads((DATA / "tasks.json").read_text(encoding="utf-8"))
    for body in (task["create_response"], *task["record_info"])
]
KEYS = st.sampled_from(
    [
        "code",
        "msg",
        "message",
        "data",
        "taskId",
        "task_id",
        "state",
        "successFlag",
        "resultJson",
        "response",
        "resultUrls",
        "resultObject",
        "failCode",
        "failMsg",
        "param",
        "callBackUrl",
        "createTime",
        "creditsConsumed",
        "downloadUrl",
        "fileSize",
        "success",
        "audio_url",
        "duration",
        "title",
    ]
)
WORDS = st.sampled_from(
    [
        "success",
        "fail",
        "waiting",
        "200",
        "1e999",
        "NaN",
        "https://a.example/b",
        "https://[",
        "{}",
        "[",
        "\x00",
        "\ud800",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS, inner, max_size=6)
        | st.dictionaries(KEYS, inner, max_size=4).map(json.dumps)
    ),
    max_leaves=25,
)
ENVELOPES = st.fixed_dictionaries(
    {}, optional={"code": st.sampled_from([200, "200", 422, 404, 500, 429]) | LEAVES, "msg": LEAVES, "data": VALUES}
).map(lambda root: json.dumps(root).encode())


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A recorded body with a piece cut out and another put in."""
    body = draw(st.sampled_from(RECORDED))
    start = draw(st.integers(0, len(body)))
    end = draw(st.integers(start, min(len(body), start + 40)))
    return body[:start] + draw(st.binary(max_size=8)) + body[end:]


BODIES = st.binary(max_size=200) | ENVELOPES | damaged() | VALUES.map(lambda value: json.dumps(value).encode())
STATUSES = st.sampled_from([200, 204, 302, 400, 401, 403, 404, 408, 413, 429, 500, 502, 524]) | st.integers(100, 599)
TYPES = st.sampled_from(["application/json", "text/html", ""]) | st.text(max_size=10)


def storable(text: str) -> bool:
    return "\x00" not in text and text == text.encode("utf-8", "replace").decode("utf-8")


@given(STATUSES, TYPES, BODIES)
def test_create_any_answer_is_an_outcome(status: int, content_type: str, body: bytes) -> None:
    """createTask's reader never raises, and never calls a success what names no task."""
    match wire.read_create(status, content_type, body):
        case Created(task_id):
            assert task_id.strip()
            assert storable(task_id)
        case Refused(_, _, detail) | NotAccepted(_, _, detail) | OutcomeUnknown(_, detail):
            assert len(detail) <= MAX_TEXT_CHARS + 100
            assert storable(detail)


def value_or_fact(reader: Callable[..., object], *given_: object) -> object:
    """What the reader returns, or the error of its own tree that it raises; anything else fails the test."""
    try:
        return reader(*given_)
    except (errors.Unavailable, errors.Rejected, errors.MalformedCallback) as error:
        return error


@given(STATUSES, TYPES, BODIES)
def test_task_any_answer_is_a_task_or_a_fact(status: int, content_type: str, body: bytes) -> None:
    """recordInfo's reader gives a bounded task or raises an error of its own tree."""
    match value_or_fact(partial(wire.read_task, task_id="t"), status, content_type, body):
        case Task() as task:
            assert len(task.result.urls) <= MAX_FILES
            assert all(storable(text) for text in (task.model, *task.result.urls, json.dumps(task.result.object)))
        case fact:
            assert storable(str(fact))


@given(STATUSES, TYPES, BODIES)
def test_other_answers_are_values_or_facts(status: int, content_type: str, body: bytes) -> None:
    """The readers of balance, upload and download address keep to the same tree."""
    for reader in (wire.read_credits, wire.read_upload, wire.read_download_url):
        assert storable(str(value_or_fact(reader, status, content_type, body)))


@given(BODIES)
def test_callback_any_body_is_a_callback_or_malformed(body: bytes) -> None:
    """A callback's reader raises MalformedCallback and nothing else."""
    assert isinstance(value_or_fact(read_callback, body), Callback | errors.MalformedCallback)


@given(st.text(), st.text(), st.text() | st.integers().map(str), st.text())
def test_signature_any_text_is_refused_quietly(key: str, task_id: str, timestamp: str, signature: str) -> None:
    """Random headers are refused without an exception."""
    assert not signature_valid(key, task_id, timestamp, signature, datetime.fromtimestamp(0, UTC))


@given(st.integers(201, 10_000), st.text(max_size=100))
def test_classify_is_total(code: int, text: str) -> None:
    """Every code and text has exactly one class."""
    assert isinstance(classify(code, text), RefusalReason | DelayReason)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"NaN", b"[1e999]", b"-Infinity", b"\xff", b"[" * 41 + b"]" * 41, b"[" * 10**6, b"9" * 5000]
)
def test_json_that_is_none_is_refused(text: str) -> None:
    """Broken, endless, too deep and not finite are all simply not JSON."""
    with pytest.raises(NotJson):
        parse_json(text)


def test_json_loses_what_cannot_be_stored() -> None:
    """NUL and lone surrogates go from keys and texts at every depth; a byte order mark is no error."""
    assert parse_json(b'\xef\xbb\xbf{"a\\u0000b":["x\\ud800y",{"k":"\\ud83d\\ude00"}]}') == {"ab": ["xy", {"k": "😀"}]}


def test_text_is_one_bounded_line() -> None:
    """Texts of the provider become one line of bounded length; what is no text is empty."""
    assert text_of(" a\n\tb ") == "a b"
    assert len(text_of("x" * 10**6)) == MAX_TEXT_CHARS
    assert [text_of(None), text_of(True), text_of({}), text_of(400)] == ["", "", "", "400"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("cannot reach https://shop.example/cb/tok?x=1#y.", "cannot reach shop.example/..."),
        ('no "HTTP://user:pw@shop.example:8443" here', 'no "shop.example:8443/..." here'),
        ("This field is required", "This field is required"),
        ("x" * 490 + " https://shop.example/cb/tok", "x" * 490 + " shop.exam"),
    ],
)
def test_words_keep_only_the_host_of_an_address(said: str, kept: str) -> None:
    """The path of an address, where callbacks carry their token, does not survive in the provider's words."""
    assert words_of(said) == kept


def test_poll_intervals_grow_to_their_bound() -> None:
    """Polling starts at the given interval, never shrinks, and stays at the bound."""
    intervals = list(islice(poll_intervals(3.0), 20))
    assert (intervals[0], intervals[-2], intervals[-1]) == (3.0, 15.0, 15.0)
    assert intervals == sorted(intervals)
    assert list(islice(poll_intervals(60.0), 2)) == [60.0, 60.0]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.Unavailable(), True),
        (errors.NoAnswer(), True),
        (errors.TaskNotFound(task_id="t"), False),
        (errors.Unauthorized(), False),
        (errors.RateLimited(), 20.0),
        (errors.RateLimited(retry_after_s=4.0), 4.0),
        (errors.RateLimited(retry_after_s=900.0), 20.0),
        (RuntimeError(), False),
    ],
)
def test_waits_before_retry(error: Exception, expected: object) -> None:
    """Only what may pass is tried again, and a rate limit waits as it asks, within a bound."""
    assert Waits(jitter_s=0).before_retry(error) == expected
