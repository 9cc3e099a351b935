"""Log lines are events: a static dotted name and identifiers; a console for people, JSON elsewhere, secrets nowhere."""

import contextlib
import json
import logging
import math
import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog
from structlog.typing import Processor

from kiosk.tracing import trace_id

HIDDEN: Final = "[secret]"
SLASH: Final = r"(?:/|\\/|%2[Ff])"  # as it is, in JSON, or inside another address
# What secrets look like, so that those not in the settings are hidden too: a bot token (mostly inside an address of the
# Bot API), the token of a callback address, the user and password of an address, and the key in a header.
PATTERNS: Final = (
    (re.compile(r"(?<![0-9])[0-9]{5,}(?::|%3[Aa])[A-Za-z0-9_-]{20,}"), HIDDEN),
    (re.compile(rf"(callbacks{SLASH}kie{SLASH}[0-9]+{SLASH})[A-Za-z0-9_-]+"), rf"\1{HIDDEN}"),
    (re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+@"), f"{HIDDEN}@"),
    (re.compile(r"(\bBearer\s+)[^\s'\"]+"), rf"\1{HIDDEN}"),
)
DEPTH: Final = 8  # of values inside values; whatever is deeper, or contains itself, is written as one text
# Bound inside what is being done, once they are known.
KNOWN_LATER: Final = ("customer_id",)
QUIET = {
    "aiogram": "WARNING",
    "aiohttp.access": "WARNING",
    "uvicorn.access": "WARNING",
    "pgqueuer": "WARNING",
    "opentelemetry": "ERROR",
}


class Redactor:
    """Takes secrets out of everything that is about to be written."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text with every known or recognisable secret replaced."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for pattern, shown in PATTERNS:
            text = pattern.sub(shown, text)
        return text

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self._value(value, DEPTH) for key, value in event.items()}

    def _value(self, value: Any, depth: int) -> Any:
        match value:
            case bool() | int() | None:
                return value
            case float() if math.isfinite(value):  # JSON knows no other
                return value
            case Mapping() if depth:
                return {self.text(str(key)): self._value(inner, depth - 1) for key, inner in value.items()}
            case list() | tuple() if depth:
                return [self._value(inner, depth - 1) for inner in value]
            case _:
                return self.text(str(value))


def _with_trace(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if trace := trace_id():
        event["trace_id"] = trace
    return event


class _Handler(logging.StreamHandler[TextIO]):
    """Where a line cannot be written, logging itself would print the raw record with whatever is in it."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        lost = {"event": "log.line_lost", "level": "error", "logger": record.name, "error": _error_name()}
        with contextlib.suppress(OSError, ValueError):  # the stream itself is gone: there is nobody to tell
            self.stream.write(f"{json.dumps(lost)}\n")


def _error_name() -> str:
    kind = sys.exc_info()[0]
    return kind.__name__ if kind else ""


@contextlib.contextmanager
def correlated(cause: str | None = None, **identifiers: Any) -> Iterator[None]:
    """The edge of the program: an update, a job, a callback, a round. Every line inside carries these identifiers, and
    a correlation id that joins all that one cause led to: `cause`, when it came from elsewhere, or a new one.
    """
    cause = cause or secrets.token_hex(8)
    with structlog.contextvars.bound_contextvars(correlation_id=cause, **identifiers):
        try:
            yield
        finally:
            structlog.contextvars.unbind_contextvars(*KNOWN_LATER)


def correlation_id() -> str | None:
    """That of what is being done now."""
    found: str | None = structlog.contextvars.get_contextvars().get("correlation_id")
    return found


def concerns(customer_id: int) -> None:
    """From now on, until the end of what is being done, lines are about this customer."""
    structlog.contextvars.bind_contextvars(customer_id=customer_id)


def set_up_logging(level: str, hidden: Iterable[str], stream: TextIO = sys.stderr, form: str = "auto") -> None:
    """Routes structlog and the standard library's loggers through one redacted formatter.

    `form`: "console" for people, "json", or "auto": console on a terminal.
    """
    redact = Redactor(hidden)
    stamp: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        _with_trace,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: Processor = (
        # Without its own tracebacks: those show the values of variables.
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if form == "console" or (form == "auto" and stream.isatty())
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*stamp, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*stamp, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,  # after the traceback became text, before anything is written
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name, quieter in QUIET.items():
        logging.getLogger(name).setLevel(quieter)
