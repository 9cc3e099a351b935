"""The thin shell around wire.py: HTTP, time-outs and retries, and nothing that could be decided without them."""

import asyncio
import io
import logging
import re
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

import aiohttp
import stamina
import structlog
from yarl import URL

from kiosk import __version__
from kiosk.kie import wire
from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.document import JSON
from kiosk.kie.errors import (
    KieError,
    NoAnswer,
    RequestTooLarge,
    TaskNotFound,
    TaskTimeout,
    Unavailable,
    Unreachable,
)
from kiosk.kie.outcome import Created, CreateOutcome, Doubt, NotAccepted, OutcomeUnknown, Refused
from kiosk.kie.pacing import Waits, poll_intervals
from kiosk.kie.task import Task, TaskState
from kiosk.kie.wire import Request, Upload
from kiosk.metrics import BALANCE, CREATES, PROVIDER, timed
from kiosk.tracing import span

USER_AGENT = f"Kiosk/{__version__}"
MAX_UPLOAD_BYTES = 100 * 1024 * 1024
MAX_EARLY_MISSES = 3
LONGEST_CONNECT_S = 5.0

# Shorter keys are made up and may be ordinary words of an address: replacing them would spoil real answers.
_MIN_KEY_CHARS = 16
_NEVER_SENT = (
    aiohttp.ClientConnectorError,  # refused, DNS, TLS, certificate
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerFingerprintMismatch,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)

_LEVELS: dict[type[CreateOutcome], int] = {
    Created: logging.INFO,
    Refused: logging.WARNING,
    NotAccepted: logging.WARNING,
    OutcomeUnknown: logging.ERROR,
}
_WORDS = {4: "client_error", 5: "server_error"}
_DIGITS = re.compile(r"[0-9]{1,6}")
_T = TypeVar("_T")
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    content_type: str
    body: bytes
    retry_after_s: float | None

    def read_by(self, reader: Callable[..., _T]) -> _T:
        return reader(self.status, self.content_type, self.body, retry_after_s=self.retry_after_s)


@dataclass(frozen=True, slots=True)
class _Silence:
    """No answer. What happened is kept by name only: the exceptions of aiohttp carry our headers."""

    sent: bool
    why: str
    doubt: Doubt = Doubt.NO_ANSWER


class KieClient:
    """Calls of one account. The session is the caller's: its connector bounds how many run at once."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        *,
        api_key: str,
        base_url: str = "https://api.kie.ai",
        upload_url: str = "https://kieai.redpandaai.co",
        timeout_s: float = 15,
        upload_timeout_s: float = 120,
        waits: Waits | None = None,
    ) -> None:
        if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
            raise ValueError("the provider key is empty or holds characters that no key has")
        self._session = session
        self._api_key = api_key
        self._base_url = _absolute(base_url)
        self._upload_url = _absolute(upload_url)
        self._timeout = _timeout(timeout_s)
        self._upload_timeout = _timeout(upload_timeout_s)
        self._waits = waits or Waits()

    def __repr__(self) -> str:
        return f"KieClient(base_url={str(self._base_url)!r}, upload_url={str(self._upload_url)!r})"

    async def create_task(self, model: str, inputs: Mapping[str, JSON], callback_url: str | None) -> CreateOutcome:
        """Ask for one paid task. Repeated only while nothing has left this machine: there is no idempotency key."""
        outcome = await self._create(model, inputs, callback_url)
        reason = getattr(outcome, "reason", "") or getattr(outcome, "why", "")
        CREATES.labels(type(outcome).__name__, str(reason)).inc()
        log.log(_LEVELS[type(outcome)], "kie.create", model=model, outcome=type(outcome).__name__, **asdict(outcome))
        return outcome

    async def _create(self, model: str, inputs: Mapping[str, JSON], callback_url: str | None) -> CreateOutcome:
        try:
            request = wire.create_request(model, inputs, callback_url)
        except RequestTooLarge as error:
            return Refused(RefusalReason.BAD_INPUT, None, str(error))

        async def once() -> _Answer | _Silence:
            heard = await self._exchange(request)
            if isinstance(heard, _Silence) and not heard.sent:
                raise Unreachable(detail=heard.why)  # the only failure that is tried again
            return heard

        try:
            heard = await self._retrying(request.operation, once)
        except Unreachable as error:
            return NotAccepted(DelayReason.UNREACHABLE, None, error.detail)
        if isinstance(heard, _Silence):
            return OutcomeUnknown(heard.doubt, heard.why)
        return heard.read_by(wire.read_create)

    async def get_task(self, task_id: str) -> Task:
        """The task as it stands; raise TaskNotFound, another Rejected, or Unavailable after the last try."""
        return await self._read(wire.task_request(task_id), partial(wire.read_task, task_id=task_id))

    async def wait_task(self, task_id: str, timeout_s: float = 900, poll_s: float = 3) -> Task:
        """Poll until the task has ended, at growing intervals; raise TaskTimeout, or what get_task finds final.

        An outage in between is waited out, and a few "no such task" right after the creation are forgiven.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout_s
        seen: TaskState | None = None
        misses = 0
        for interval_s in poll_intervals(poll_s):
            try:
                task = await self.get_task(task_id)
            except Unavailable as error:
                log.warning("kie.poll_failed", task_id=task_id, error=type(error).__name__, code=error.code)
            except TaskNotFound:
                misses += 1
                if seen is not None or misses > MAX_EARLY_MISSES:
                    raise
            else:
                if task.state.ended:
                    return task
                seen = task.state
            left_s = deadline - clock()
            if left_s <= 0:
                break
            await asyncio.sleep(min(interval_s, left_s))
        raise TaskTimeout(task_id=task_id, state=seen, timeout_s=timeout_s)

    async def credits(self) -> Decimal:
        """Balance of the account in credits (0.005 USD each); raise Rejected or Unavailable."""
        balance = await self._read(wire.credits_request(), wire.read_credits)
        BALANCE.set(float(balance))
        return balance

    async def models(self) -> Mapping[str, str]:
        """Every model that the provider lists, with its price in the provider's words; raise Rejected or Unavailable.

        At most one such request a second is allowed to an account.
        """
        return await self._read(wire.models_request(), wire.read_models)

    async def download_url(self, url: str) -> str:
        """Address that serves a file of the provider for 20 minutes; raise BadRequest for a file of others."""
        return await self._read(wire.download_url_request(url), wire.read_download_url)

    async def upload(self, content: bytes | Path, *, file_name: str, mime_type: str, folder: str = "kiosk") -> Upload:
        """Store a file at the provider for 24 hours under a name never used before; free, so it may be repeated.

        A path is read anew by each try, piece by piece.
        """
        size_bytes = (await asyncio.to_thread(content.stat)).st_size if isinstance(content, Path) else len(content)
        if size_bytes > MAX_UPLOAD_BYTES:
            raise RequestTooLarge(size_bytes=size_bytes, limit_bytes=MAX_UPLOAD_BYTES)

        async def once() -> Upload:
            name = wire.unique_file_name(file_name, uuid.uuid4().hex)
            form = aiohttp.FormData()
            file = await asyncio.to_thread(content.open, "rb") if isinstance(content, Path) else io.BytesIO(content)
            form.add_field("file", file, filename=name, content_type=mime_type)
            form.add_field("uploadPath", folder)
            form.add_field("fileName", name)
            with file:
                answer = await self._ask(wire.upload_request(), form)
            return answer.read_by(wire.read_upload)

        return await self._retrying("upload", once)

    async def _read(self, request: Request, reader: Callable[..., _T]) -> _T:
        async def once() -> _T:
            answer = await self._ask(request)
            return answer.read_by(reader)

        return await self._retrying(request.operation, once)

    async def _retrying(self, operation: str, call: Callable[[], Awaitable[_T]]) -> _T:
        """Try `call` again after each Unavailable; let the last one through."""
        attempt = 0

        async def counted() -> _T:
            nonlocal attempt
            attempt += 1
            try:
                return await call()
            except KieError as error:
                log.warning(
                    "kie.attempt_failed",
                    operation=operation,
                    attempt=attempt,
                    error=type(error).__name__,
                    code=error.code,
                    detail=error.detail,
                )
                raise

        retrying = stamina.AsyncRetryingCaller(
            attempts=self._waits.tries,
            timeout=None,
            wait_initial=self._waits.initial_s,
            wait_max=self._waits.longest_s,
            wait_jitter=self._waits.jitter_s,
        )
        return await retrying(self._waits.before_retry, counted)

    async def _ask(self, request: Request, form: aiohttp.FormData | None = None) -> _Answer:
        """One exchange; raise Unreachable when nothing was sent, NoAnswer when it cannot be known."""
        heard = await self._exchange(request, form)
        if isinstance(heard, _Answer):
            return heard
        raise (NoAnswer if heard.sent else Unreachable)(detail=heard.why)

    async def _exchange(self, request: Request, form: aiohttp.FormData | None = None) -> _Answer | _Silence:
        with span(f"provider {request.operation}"), timed(PROVIDER, request.operation) as exchange:
            heard = await self._send(request, form)
            exchange.outcome = _kind_of(heard)
        return heard

    async def _send(self, request: Request, form: aiohttp.FormData | None) -> _Answer | _Silence:
        headers = {
            "Authorization": f"Bearer {self._api_key}",
            "Accept": "application/json",
            "User-Agent": USER_AGENT,  # without one, what stands before the provider answers 403
        }
        if form is None:
            headers["Content-Type"] = "application/json"
        try:
            async with self._session.request(
                request.method,
                (self._base_url if form is None else self._upload_url).joinpath(request.path.lstrip("/")),
                params=request.query,
                headers=headers,
                data=request.body if form is None else form,
                timeout=self._timeout if form is None else self._upload_timeout,
                allow_redirects=False,  # a redirected POST could be made twice, and the key would travel
            ) as response:
                body = await _read_bounded(response)
                if body is None:
                    return _Silence(sent=True, why="answer too large", doubt=Doubt.OVERSIZE_ANSWER)
                return _Answer(
                    status=response.status,
                    content_type=response.content_type,
                    body=self._scrubbed(body),
                    retry_after_s=_seconds(response.headers.get("Retry-After")),
                )
        except _NEVER_SENT as error:
            return _Silence(sent=False, why=type(error).__name__)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return _Silence(sent=True, why=type(error).__name__)

    def _scrubbed(self, body: bytes) -> bytes:
        """The body without our key, should the provider quote it: its words reach logs and operators."""
        if len(self._api_key) < _MIN_KEY_CHARS:
            return body
        return body.replace(self._api_key.encode(), b"[key]")


def _kind_of(heard: _Answer | _Silence) -> str:
    """Few words: they are labels."""
    match heard:
        case _Silence(sent=sent):
            return "no_answer" if sent else "unreachable"
        case _Answer(status=429):
            return "too_many"
        case _Answer(status=status):
            return _WORDS.get(status // 100, "ok")


async def _read_bounded(response: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None when it is larger than any answer of the provider."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > wire.MAX_BODY_BYTES:
            response.close()
            return None
    return bytes(body)


def _absolute(address: str) -> URL:
    url = URL(address)
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"not an absolute http(s) address: {address!r}")
    return url


def _timeout(total_s: float) -> aiohttp.ClientTimeout:
    # Connecting must end first: only then does a time-out tell whether the request had left.
    return aiohttp.ClientTimeout(total=total_s, connect=min(LONGEST_CONNECT_S, total_s / 2))


def _seconds(header: str | None) -> float | None:
    # The other form of Retry-After, a date, is left to the default pause.
    return float(header) if header is not None and _DIGITS.fullmatch(header) else None
