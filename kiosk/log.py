"""Log lines are events: a static dotted name and identifiers; a console for people, JSON elsewhere, secrets nowhere."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

HIDDEN = "[secret]"
# What a bot token and a callback address look like, so that those not in the settings are hidden too.
PATTERNS = (
    re.compile(r"\b\d{5,}:[A-Za-z0-9_-]{20,}"),
    re.compile(r"(?<=/callbacks/kie/)\d+/[A-Za-z0-9_-]+"),
)
QUIET = {"aiogram": "WARNING", "aiohttp.access": "WARNING", "uvicorn.access": "WARNING", "pgqueuer": "WARNING"}


class Redactor:
    """Takes secrets out of everything that is about to be written."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(sorted((s for s in secrets if s), key=len, reverse=True))

    def text(self, text: str) -> str:
        """The text with every known or recognisable secret replaced."""
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        for pattern in PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return text

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {key: self._value(value) for key, value in event.items()}

    def _value(self, value: Any) -> Any:
        match value:
            case bool() | int() | float() | None:
                return value
            case str():
                return self.text(value)
            case Mapping():
                return {key: self._value(inner) for key, inner in value.items()}
            case list() | tuple():
                return [self._value(inner) for inner in value]
            case _:
                return self.text(str(value))


def set_up_logging(level: str, secrets: Iterable[str], stream: TextIO = sys.stderr) -> None:
    """Routes structlog and the standard library's loggers through one redacted formatter."""
    redact = Redactor(secrets)
    stamp: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    render: Processor = (
        structlog.dev.ConsoleRenderer() if stream.isatty() else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    structlog.configure(
        processors=[*stamp, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=stamp,
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
