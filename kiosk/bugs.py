"""Bugs to Sentry: what kind of error, where in the program, and in what; never what it said.

A bug is whatever is logged as an error with a traceback: the boundaries of the process do that, and libraries.
"""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from kiosk.errors import BadSettings
from kiosk.log import Redactor
from kiosk.tracing import MORE_PACKAGES

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

FLUSH_S: Final = 2.0
# Its own troubles and those of what sends traces are no bugs of the shop; what breaks a job is logged by us, too.
NOT_OURS: Final = ("sentry_sdk", "opentelemetry", "urllib3", "pgqueuer")
# What of an event leaves us: no breadcrumbs, no extra, no user, no request, no address of the machine.
KEPT: Final = ("event_id", "timestamp", "platform", "level", "release", "exception", "tags", "logger", "fingerprint")
TOLD: Final = ("correlation_id", "generation_id", "update_id", "bot_id", "act", "round")


def report_bugs(dsn: str | None, version: str, redact: Redactor) -> None:
    """From now on, to `dsn`; None: to nobody. After the log was set up. Errors: BadSettings without the packages."""
    if dsn is None:
        return
    try:
        import sentry_sdk  # noqa: PLC0415 - nobody else pays for this import
    except ModuleNotFoundError:
        raise BadSettings("SENTRY_DSN", MORE_PACKAGES) from None

    def scrub(event: "Event", _hint: "Hint") -> "Event":
        return scrubbed(event, redact)

    sentry_sdk.init(
        dsn,
        release=f"kiosk@{version}",
        before_send=scrub,
        default_integrations=False,
        auto_enabling_integrations=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        shutdown_timeout=FLUSH_S,
    )
    logging.getLogger().addHandler(BugHandler(logging.ERROR))


def send_reports() -> None:
    """Waits a moment for what is still to be sent."""
    for handler in logging.getLogger().handlers[:]:
        if isinstance(handler, BugHandler):
            import sentry_sdk  # noqa: PLC0415 - see above

            logging.getLogger().removeHandler(handler)
            sentry_sdk.get_client().close(FLUSH_S)


class BugHandler(logging.Handler):
    """Whatever is logged with a traceback is one."""

    def emit(self, record: logging.LogRecord) -> None:
        import sentry_sdk  # noqa: PLC0415 - see above

        event = record.msg if isinstance(record.msg, dict) else {}
        told = record.exc_info or event.get("exc_info")
        if not told or record.name.startswith(NOT_OURS):
            return
        with sentry_sdk.new_scope() as scope:
            name = str(event.get("event", record.name))
            scope.set_tag("event", name)
            for key, value in _identifiers(event).items():
                scope.set_tag(key, str(value))
            sentry_sdk.capture_exception(told[1] if isinstance(told, tuple) else None)


def _identifiers(event: Mapping[str, Any]) -> dict[str, Any]:
    known = {**structlog.contextvars.get_contextvars(), **event}
    return {key: known[key] for key in TOLD if key in known}


def scrubbed(event: "Event", redact: Redactor) -> "Event":
    """Only what is in `KEPT`, without messages: those of errors hold inputs, answers and customers' words."""
    kept = cast("dict[str, Any]", {key: event[key] for key in KEPT if key in event})
    for error in (kept.get("exception") or {}).get("values", []):
        error["value"] = ""
        for frame in (error.get("stacktrace") or {}).get("frames", []):
            frame.pop("vars", None)
    return cast("Event", redact(None, "", kept))
