"""Callbacks of the provider: which task they speak of, and whether their signature holds. Content is only a hint."""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

from kiosk.kie.document import JSON, NotJson, code_of, object_of, parse_json, words_of
from kiosk.kie.envelope import OK, task_id_in
from kiosk.kie.errors import MalformedCallback
from kiosk.kie.task import TaskState, read_state

MAX_CALLBACK_BYTES = 1024 * 1024

_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Callback:
    """A wake-up for one task. `failed` is what it claims; the truth is read from recordInfo."""

    task_id: str
    code: int | None
    failed: bool
    message: str


def read_callback(body: bytes) -> Callback:
    """Read a callback of any family of the provider; raise MalformedCallback when it names no task."""
    if len(body) > MAX_CALLBACK_BYTES:
        raise MalformedCallback(why="too large", size_bytes=len(body))
    root = _read_root(body)
    data = object_of(root.get("data"))
    task_id = task_id_in(data) or task_id_in(root)
    if task_id is None:
        raise MalformedCallback(why="no task id", size_bytes=len(body))
    code = code_of(root.get("code"))
    return Callback(
        task_id=task_id,
        code=code,
        failed=code != OK or read_state(data) is TaskState.FAIL,
        message=words_of(root.get("msg")) or words_of(root.get("message")),
    )


def _read_root(body: bytes) -> dict[str, JSON]:
    try:
        root = parse_json(body)
    except NotJson:
        root = None
    if not isinstance(root, dict):
        raise MalformedCallback(why="not a JSON object", size_bytes=len(body))
    return root


def signature_valid(
    key: str, task_id: str, timestamp: str, signature: str, now: datetime, *, window_s: float = 300
) -> bool:
    """Whether base64(HMAC-SHA256(key, task_id + "." + timestamp)) is `signature` and the time is within the window.

    `timestamp` and `signature` are the headers X-Webhook-Timestamp (Unix seconds) and X-Webhook-Signature as they
    came. The signature does not cover the body (docs.kie.ai/common-api/webhook-verification), and the provider
    names no window: 300 s either way is ours.
    """
    if not key or not _SECONDS.fullmatch(timestamp) or abs(now.timestamp() - int(timestamp)) > window_s:
        return False
    message = f"{task_id}.{timestamp}".encode("utf-8", "surrogatepass")
    digest = hmac.new(key.encode("utf-8", "surrogatepass"), message, hashlib.sha256).digest()
    return hmac.compare_digest(base64.b64encode(digest), signature.strip().encode("utf-8", "surrogatepass"))
