"""The provider's HTTP in our words, without any I/O: requests as data, answers as outcomes or facts."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from kiosk.kie import errors
from kiosk.kie.codes import DelayReason, Reason, RefusalReason, classify
from kiosk.kie.document import JSON, number_of, object_of, text_of, url_of
from kiosk.kie.envelope import MAX_TASK_ID_CHARS, OK, Envelope, read_envelope, task_id_in
from kiosk.kie.outcome import Created, CreateOutcome, Doubt, NotAccepted, OutcomeUnknown, Refused
from kiosk.kie.task import Task, TaskState, read_record, read_state

MAX_BODY_BYTES = 1024 * 1024
# A whole window of the limit "20 new requests in 10 seconds"; no Retry-After was ever seen, a longer one is cut.
RATE_WINDOW_S = 10.0
MAX_RETRY_AFTER_S = 300.0
MAX_PRICE_CHARS = 4000

_UNAUTHORIZED, _TOO_LARGE, _TOO_MANY = 401, 413, 429
_CLIENT_ERRORS = range(400, 500)
_AMBIGUOUS_CLIENT_ERRORS = frozenset({408, 499})
_NO_RECORD_TEXT = re.compile(r"\bnull\b|not exist|not found", re.IGNORECASE)
_SUFFIX = re.compile(r"\.([A-Za-z0-9]{1,8})\Z")


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as data."""

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of ours on the provider's host, where it stays for 24 hours."""

    url: str
    file_name: str
    size_bytes: int | None
    mime_type: str


def create_request(model: str, inputs: Mapping[str, JSON], callback_url: str | None) -> Request:
    """POST createTask; raise RequestTooLarge over MAX_BODY_BYTES, ValueError or TypeError for what JSON cannot say."""
    document: dict[str, object] = {"model": model, "input": dict(inputs)}
    if callback_url is not None:
        document["callBackUrl"] = callback_url
    body = _to_json(document)
    if len(body) > MAX_BODY_BYTES:
        raise errors.RequestTooLarge(size_bytes=len(body), limit_bytes=MAX_BODY_BYTES)
    return Request("create", "POST", "/api/v1/jobs/createTask", body=body)


def task_request(task_id: str) -> Request:
    return Request("task", "GET", "/api/v1/jobs/recordInfo", query=(("taskId", task_id),))


def credits_request() -> Request:
    return Request("credits", "GET", "/api/v1/chat/credit")


def models_request() -> Request:
    return Request("models", "GET", "/api/v1/models")


def download_url_request(url: str) -> Request:
    return Request("download_url", "POST", "/api/v1/common/download-url", body=_to_json({"url": url}))


def upload_request() -> Request:
    """POST file-stream-upload on the upload host; its form is written by the shell."""
    return Request("upload", "POST", "/api/file-stream-upload")


def unique_file_name(original: str, token: str) -> str:
    """`token` with the suffix of `original`: a repeated name would silently overwrite, behind a slow cache."""
    suffix = _SUFFIX.search(original)
    return f"{token}.{suffix.group(1).lower()}" if suffix else token


def _to_json(document: Mapping[str, object]) -> bytes:
    # ASCII with escapes: a lone surrogate typed by a customer cannot break the encoding.
    return json.dumps(document, allow_nan=False, separators=(",", ":")).encode("ascii")


def read_create(status: int, content_type: str, body: bytes, *, retry_after_s: float | None = None) -> CreateOutcome:
    """Outcome of createTask. A task id decides over everything else: what it became, recordInfo will tell."""
    envelope = read_envelope(body)
    task_id = task_id_in(envelope.data) if envelope is not None else None
    if task_id is not None:
        return Created(task_id)
    # Codes below 400 other than 200 were never seen and prove nothing.
    if envelope is None or envelope.code is None or envelope.code < _CLIENT_ERRORS.start:
        return _without_verdict(status, content_type, body, envelope, retry_after_s)
    match classify(envelope.code, envelope.message):
        case RefusalReason() as reason:
            return Refused(reason, envelope.code, envelope.message)
        case DelayReason() as reason:
            return NotAccepted(reason, _pause(reason, retry_after_s), envelope.message)
        case never:
            assert_never(never)


def _without_verdict(
    status: int, content_type: str, body: bytes, envelope: Envelope | None, retry_after_s: float | None
) -> CreateOutcome:
    """No code to go by. The application answers HTTP 200 even for errors, so another 4xx comes from before it."""
    detail = _describe(status, content_type, body, envelope)
    if status == _UNAUTHORIZED:
        return Refused(RefusalReason.UNAUTHORIZED, status, detail)
    if status == _TOO_LARGE:
        return Refused(RefusalReason.BAD_INPUT, status, detail)
    if status in _CLIENT_ERRORS and status not in _AMBIGUOUS_CLIENT_ERRORS:
        reason = DelayReason.RATE_LIMITED if status == _TOO_MANY else DelayReason.BLOCKED
        return NotAccepted(reason, _pause(reason, retry_after_s), detail)
    if status >= _CLIENT_ERRORS.start:
        return OutcomeUnknown(Doubt.SERVER_ERROR, detail)
    return OutcomeUnknown(Doubt.UNREADABLE_ANSWER if envelope is None else Doubt.NO_TASK_ID, detail)


def _pause(reason: DelayReason, retry_after_s: float | None) -> float | None:
    if retry_after_s is not None:
        return min(max(retry_after_s, 0.0), MAX_RETRY_AFTER_S)
    return RATE_WINDOW_S if reason is DelayReason.RATE_LIMITED else None


def _describe(status: int, content_type: str, body: bytes, envelope: Envelope | None) -> str:
    """What came, without quoting it: an unreadable body may hold anything."""
    if envelope is not None:
        return f"HTTP {status}, code {envelope.code}, {envelope.message or 'no message'}"
    return f"HTTP {status}, {text_of(content_type, 80) or 'no content type'}, {len(body)} bytes"


def read_task(status: int, content_type: str, body: bytes, *, task_id: str, retry_after_s: float | None = None) -> Task:
    """The task asked for; raise TaskNotFound, another Rejected, or Unavailable."""
    envelope = read_envelope(body)
    record = envelope.data if envelope is not None and isinstance(envelope.data, dict) else {}
    state = read_state(record)
    # Some failures of a task come under the code of the failure: the record is read before the code.
    if envelope is not None and state is TaskState.FAIL:
        return _checked(record, state, task_id, envelope)
    if envelope is not None and _says_no_record(status, envelope):
        raise errors.TaskNotFound(task_id=task_id, code=envelope.code, detail=envelope.message)
    envelope = _accepted(status, content_type, body, envelope, retry_after_s)
    if state is None:
        raise errors.UnreadableAnswer(code=envelope.code, detail=f"state {text_of(record.get('state'), 40)!r}")
    return _checked(record, state, task_id, envelope)


def _says_no_record(status: int, envelope: Envelope) -> bool:
    if envelope.data:
        return False
    match envelope.code:
        case 404:
            return True
        case 422:
            return _NO_RECORD_TEXT.search(envelope.message) is not None
        case code:
            return code == OK and status < _CLIENT_ERRORS.start


def _checked(record: dict[str, JSON], state: TaskState, task_id: str, envelope: Envelope) -> Task:
    named = text_of(record.get("taskId"), MAX_TASK_ID_CHARS)
    if named and named != task_id:
        # Another customer's result must never be taken for the one asked for.
        raise errors.UnreadableAnswer(code=envelope.code, detail=f"record of another task, {named}")
    return read_record(record, state, task_id=task_id, envelope=(envelope.code, envelope.message))


def read_credits(status: int, content_type: str, body: bytes, *, retry_after_s: float | None = None) -> Decimal:
    """Balance of the account in credits; raise Rejected or Unavailable."""
    envelope = _accepted(status, content_type, body, read_envelope(body), retry_after_s)
    balance = number_of(envelope.data)
    if balance is None:
        raise errors.UnreadableAnswer(code=envelope.code, detail="no number in data")
    return balance


def read_models(
    status: int, content_type: str, body: bytes, *, retry_after_s: float | None = None
) -> Mapping[str, str]:
    """What the provider offers: the price in its own words by model id; raise Rejected or Unavailable."""
    envelope = _accepted(status, content_type, body, read_envelope(body), retry_after_s)
    listed = object_of(envelope.data).get("models")
    entries = [object_of(entry) for entry in listed] if isinstance(listed, list) else []
    prices = {text_of(one.get("model")): text_of(one.get("pricingDesc"), MAX_PRICE_CHARS) for one in entries}
    prices.pop("", None)
    if not prices:  # an empty list would read as if everything were gone
        raise errors.UnreadableAnswer(code=envelope.code, detail="no models in data")
    return prices


def read_download_url(status: int, content_type: str, body: bytes, *, retry_after_s: float | None = None) -> str:
    """Address that serves the file for 20 minutes; raise BadRequest for a file that is not the provider's."""
    envelope = _accepted(status, content_type, body, read_envelope(body), retry_after_s)
    url = url_of(envelope.data)
    if url is None:
        raise errors.UnreadableAnswer(code=envelope.code, detail="no address in data")
    return url


def read_upload(status: int, content_type: str, body: bytes, *, retry_after_s: float | None = None) -> Upload:
    """The stored file; raise Rejected or Unavailable."""
    envelope = _accepted(status, content_type, body, read_envelope(body), retry_after_s)
    data = object_of(envelope.data)
    url = url_of(data.get("downloadUrl"))
    if url is None or data.get("success") is False:
        raise errors.UnreadableAnswer(code=envelope.code, detail="no downloadUrl in data")
    size = number_of(data.get("fileSize"))
    return Upload(
        url=url,
        file_name=text_of(data.get("fileName")),
        size_bytes=int(size) if size is not None and size >= 0 else None,
        mime_type=text_of(data.get("mimeType"), 100),
    )


def _accepted(
    status: int, content_type: str, body: bytes, envelope: Envelope | None, retry_after_s: float | None
) -> Envelope:
    """The envelope when it tells of success; raise what it tells of otherwise."""
    if envelope is not None and envelope.code is not None and envelope.code != OK:
        raise _error(classify(envelope.code, envelope.message), envelope.code, envelope.message, retry_after_s)
    if envelope is not None and status < _CLIENT_ERRORS.start:
        return envelope
    detail = _describe(status, content_type, body, envelope)
    if status == _UNAUTHORIZED:
        raise errors.Unauthorized(code=status, detail=detail)
    if status == _TOO_MANY:
        raise _error(DelayReason.RATE_LIMITED, status, detail, retry_after_s)
    raise errors.UnreadableAnswer(code=status, detail=detail)


def _error(reason: Reason, code: int, detail: str, retry_after_s: float | None) -> errors.KieError:
    match reason:
        case DelayReason.RATE_LIMITED:
            pause_s = _pause(DelayReason.RATE_LIMITED, retry_after_s)
            return errors.RateLimited(code=code, detail=detail, retry_after_s=pause_s)
        case DelayReason.MAINTENANCE:
            return errors.UnderMaintenance(code=code, detail=detail)
        case DelayReason():
            return errors.Unavailable(code=code, detail=detail)
        case RefusalReason():
            return _rejection(reason)(code=code, detail=detail)
        case never:
            assert_never(never)


def _rejection(reason: RefusalReason) -> type[errors.Rejected]:
    match reason:
        case RefusalReason.UNAUTHORIZED:
            return errors.Unauthorized
        case RefusalReason.NO_CREDITS:
            return errors.CreditsExhausted
        case RefusalReason.KEY_CAP:
            return errors.KeyCapReached
        case RefusalReason.FEATURE_DISABLED:
            return errors.FeatureDisabled
        case RefusalReason.BAD_INPUT | RefusalReason.MODERATION | RefusalReason.MODEL_UNSUPPORTED:
            return errors.BadRequest
        case RefusalReason.NOT_FOUND | RefusalReason.OTHER:
            return errors.Rejected
        case never:
            assert_never(never)
