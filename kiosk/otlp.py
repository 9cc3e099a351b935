"""Traces over OTLP. Imported only when there is somewhere to send them; `kiosk.tracing` is what others use."""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import datetime
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

NANOSECONDS: Final = 1_000_000_000
CLOSE_MS: Final = 3000
_decided: ContextVar[SpanContext | None] = ContextVar("decided", default=None)


class _Ids(RandomIdGenerator):
    """Random, but for the span of an order itself, which every process has to know beforehand."""

    def generate_span_id(self) -> int:
        decided = _decided.get()
        return decided.span_id if decided else super().generate_span_id()

    def generate_trace_id(self) -> int:
        decided = _decided.get()
        return decided.trace_id if decided else super().generate_trace_id()


class Tracer:
    """Whatever is set of OTEL_TRACES_SAMPLER and its like in the environment is obeyed: that is the library's."""

    def __init__(self, endpoint: str, headers: str | None, version: str, hide: Callable[[str], str]) -> None:
        self.shop = ""
        self._hide = hide
        named = Resource.create({"service.name": "kiosk", "service.version": version, "process.pid": os.getpid()})
        exporter = OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", headers=_pairs(headers))
        self._provider = TracerProvider(resource=named, id_generator=_Ids(), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("kiosk", version)

    def close(self) -> None:
        self._provider.force_flush(CLOSE_MS)
        self._provider.shutdown()

    def order(self, generation_id: int) -> SpanContext:
        """The order's own span, from its number alone: nothing has to travel between processes."""
        digest = hashlib.sha256(f"{self.shop}/{generation_id}".encode()).digest()
        return SpanContext(
            trace_id=int.from_bytes(digest[:16]),
            span_id=int.from_bytes(digest[16:24]),
            is_remote=True,
            trace_flags=TraceFlags(TraceFlags.SAMPLED),
        )

    @contextlib.contextmanager
    def span(self, name: str, generation_id: int | None, facts: Mapping[str, Any]) -> Iterator[None]:
        parent, links = None, []
        if generation_id is not None:
            order, here = self.order(generation_id), trace.get_current_span().get_span_context()
            facts = {"generation_id": generation_id, **facts}
            if here.trace_id != order.trace_id:  # something else led here: an update, a job for another order
                parent, links = _below(order), [Link(here)] if here.is_valid else []
        with self._tracer.start_as_current_span(
            name,
            context=parent,
            links=links,
            attributes=self._attributes(facts),
            record_exception=False,  # its message may hold anything
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def stage(self, name: str, generation_id: int, begun_at: datetime, ended_at: datetime) -> None:
        parent = _below(self.order(generation_id))
        span = self._tracer.start_span(name, context=parent, start_time=_nanoseconds(begun_at))
        span.end(_nanoseconds(ended_at))

    def whole(self, generation_id: int, begun_at: datetime, ended_at: datetime, facts: Mapping[str, Any]) -> None:
        token = _decided.set(self.order(generation_id))
        try:
            span = self._tracer.start_span(
                "order",
                context=Context(),
                start_time=_nanoseconds(begun_at),
                attributes=self._attributes({"generation_id": generation_id, **facts}),
            )
        finally:
            _decided.reset(token)
        span.end(_nanoseconds(ended_at))

    def trace_id(self) -> str | None:
        here = trace.get_current_span().get_span_context()
        return trace.format_trace_id(here.trace_id) if here.is_valid else None

    def _attributes(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        return {
            f"kiosk.{name}": self._hide(value) if isinstance(value, str) else value for name, value in facts.items()
        }


def _below(order: SpanContext) -> Context:
    return trace.set_span_in_context(NonRecordingSpan(order), Context())


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * NANOSECONDS)


def _pairs(headers: str | None) -> dict[str, str] | None:
    """ "name=value,other=value" as the setting has it."""
    pairs = [pair.partition("=") for pair in (headers or "").split(",") if pair.strip()]
    return {name.strip(): value.strip() for name, _, value in pairs} or None
