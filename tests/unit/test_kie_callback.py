"""A callback names its task wherever the provider puts the id; its signature is checked exactly and in time."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiosk.kie.callback import MAX_CALLBACK_BYTES, Callback, read_callback, signature_valid
from kiosk.kie.errors import MalformedCallback

KEY = "whk_test_4f1c"
TASK_ID = "ee9c2715375b7837f8bb51d641ff5863"
TIMESTAMP = "1769670760"
# printf "$TASK_ID.$TIMESTAMP" | openssl dgst -sha256 -hmac "$KEY" -binary | base64
SIGNATURE = "q+XGmYe78KTAlSn+pRPiSp6wh3z2aj4Hpg8g/CrK/mc="
SENT_AT = datetime.fromtimestamp(int(TIMESTAMP), UTC)


def valid(
    key: str = KEY,
    task_id: str = TASK_ID,
    timestamp: str = TIMESTAMP,
    signature: str = SIGNATURE,
    now: datetime = SENT_AT,
) -> bool:
    return signature_valid(key, task_id, timestamp, signature, now)


def callback(**root: Any) -> Callback:
    return read_callback(json.dumps(root).encode())


@pytest.mark.parametrize(
    "root",
    [
        {"data": {"taskId": TASK_ID}},
        {"data": {"task_id": TASK_ID}},
        {"taskId": TASK_ID, "data": None},
        {"task_id": TASK_ID},
        {"taskId": "another", "data": {"taskId": TASK_ID}},
        {"taskId": TASK_ID, "data": {"taskId": ""}},
        {"task_id": "another", "taskId": TASK_ID},
    ],
)
def test_callback_task_id_is_found_in_order(root: dict[str, Any]) -> None:
    """data.taskId goes before data.task_id, and those before the root's."""
    assert callback(code=200, **root).task_id == TASK_ID


@pytest.mark.parametrize(
    ("code", "state", "failed"),
    [(200, "success", False), (200, None, False), (200, "fail", True), (501, "fail", True), (400, None, True)],
)
def test_callback_failed_by_code_or_state(code: int, state: str | None, failed: bool) -> None:
    """A code other than 200 or the state fail says failure; either is enough."""
    assert failed is callback(code=code, data={"taskId": TASK_ID, "state": state}).failed


def test_callback_without_code_claims_failure() -> None:
    """Only code 200 claims success."""
    assert callback(data={"taskId": TASK_ID, "state": "success"}).failed


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "not a JSON object"),
        (b"<html>", "not a JSON object"),
        (b"[1]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b"\xff\xfe", "not a JSON object"),
        (b"[" * 100_000, "not a JSON object"),
        (b"{}", "no task id"),
        (b'{"code":200,"data":{"taskId":7}}', "no task id"),
        (b" " * (MAX_CALLBACK_BYTES + 1), "too large"),
    ],
)
def test_callback_malformed_says_why_without_quoting(body: bytes, why: str) -> None:
    """A body that names no task is refused with a reason and a size."""
    with pytest.raises(MalformedCallback) as caught:
        read_callback(body)
    assert (caught.value.why, caught.value.size_bytes) == (why, len(body))


def test_signature_of_openssl_is_valid() -> None:
    """The rule of the provider's page, computed by another program, is accepted."""
    assert valid()
    assert valid(signature=f" {SIGNATURE} ")


@pytest.mark.parametrize(
    "change",
    [
        {"key": "whk_test_4f1d"},
        {"key": ""},
        {"task_id": TASK_ID.upper()},
        {"timestamp": "1769670761"},
        {"timestamp": "1769670760.0"},
        {"timestamp": ""},
        {"timestamp": "9" * 5000},
        {"timestamp": "-1769670760"},
        {"timestamp": "１７６９６７０７６０"},
        {"signature": ""},
        {"signature": SIGNATURE[:-1]},
        {"signature": SIGNATURE.swapcase()},
        {"signature": "ключ"},
        {"signature": "\udcff"},
        {"task_id": "\udcff"},
        {"signature": "abe5c69987bbf0a4c09529fea513e24a9eb0877cf66a3e07a60f20fc2acafe67"},
    ],
)
def test_signature_changed_anywhere_is_invalid(change: dict[str, Any]) -> None:
    """Another key, task, time, or form of the signature, hex among them, is refused and never an exception."""
    assert not valid(**change)


def test_signature_without_a_key_is_invalid_even_when_computed_so() -> None:
    """A shop that has set no key accepts no signature, not even the one that an empty key would give."""
    digest = hmac.new(b"", f"{TASK_ID}.{TIMESTAMP}".encode(), hashlib.sha256).digest()
    assert not valid(key="", signature=base64.b64encode(digest).decode())


@pytest.mark.parametrize(("offset_s", "expected"), [(300, True), (-300, True), (301, False), (-301, False)])
def test_signature_holds_within_the_window(offset_s: int, expected: object) -> None:
    """Five minutes either way are forgiven, and not a second more."""
    assert expected is valid(now=SENT_AT + timedelta(seconds=offset_s))
