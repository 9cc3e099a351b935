"""Traces: one for each order, through every process that had a part in it. Without an endpoint this does nothing."""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from kiosk.errors import BadSettings

if TYPE_CHECKING:
    from kiosk.otlp import Tracer

P = ParamSpec("P")
T = TypeVar("T")
MORE_PACKAGES: Final = "needs more packages: pip install 'kiosk[telemetry]'"
_NOTHING: Final = contextlib.nullcontext()

_tracer: "Tracer | None" = None


def set_up_tracing(endpoint: str | None, headers: str | None, version: str, hide: Callable[[str], str]) -> None:
    """Sends traces to `endpoint` from now on, each text without what `hide` takes out; None: sends none.

    Errors: BadSettings when the packages for it are not installed.
    """
    global _tracer  # noqa: PLW0603 - one process has one log, and one place for its traces
    if endpoint is None:
        return
    try:
        from kiosk.otlp import Tracer  # noqa: PLC0415 - nobody else pays for this import
    except ModuleNotFoundError:
        raise BadSettings("OTEL_EXPORTER_OTLP_ENDPOINT", MORE_PACKAGES) from None
    _tracer = Tracer(endpoint, headers, version, hide)


def end_tracing() -> None:
    """Sends what is still to be sent, and waits for that a few seconds at most."""
    global _tracer
    tracer, _tracer = _tracer, None
    if tracer:
        tracer.close()


def belong_to(shop: str) -> None:
    """`shop` is the same in all its processes, and no other shop's: orders of two shops may have the same number."""
    if _tracer:
        _tracer.shop = shop


def span(name: str, *, generation_id: int | None = None, **facts: Any) -> AbstractContextManager[object]:
    """The block as a span: of that order's trace, or of whatever is being done. `facts` hold no customer's words."""
    return _tracer.span(name, generation_id, facts) if _tracer else _NOTHING


def stage(name: str, generation_id: int, begun_at: datetime | None, ended_at: datetime | None) -> None:
    """A span after the fact, right below the order itself; what never began or ended is none."""
    if _tracer and begun_at and ended_at:
        _tracer.stage(name, generation_id, begun_at, ended_at)


def whole(generation_id: int, begun_at: datetime | None, ended_at: datetime | None, facts: Mapping[str, Any]) -> None:
    """The order from its confirmation to its delivery: what all other spans of it are below."""
    if _tracer and begun_at and ended_at:
        _tracer.whole(generation_id, begun_at, ended_at, facts)


def trace_id() -> str | None:
    """Of what is being done now, in hexadecimal."""
    return _tracer.trace_id() if _tracer else None


def traced(name: str) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Each call is a span of whatever is being done."""

    def wrap(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @functools.wraps(function)
        async def call(*args: P.args, **kwargs: P.kwargs) -> T:
            with span(name):
                return await function(*args, **kwargs)

        return call

    return wrap
