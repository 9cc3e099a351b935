"""Traces: what one order went through, in two processes, as a receiver of OTLP on this machine sees it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from kiosk import tracing
from kiosk.db import Database
from kiosk.errors import BadSettings
from kiosk.log import _with_trace
from sandbox.customer import Customer
from sandbox.demo import staged
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY
from tests.openshop import METRICS_TOKEN, PATIENCE_S, at_the_card, confirmed
from tests.scraping import scraped

PROMPT = "кот, о котором никто не должен узнать"
PATH = [  # of every order that ends well, in any of its processes
    "update",
    "confirm",
    "job submit",
    "place",
    "provider create",
    "callback",
    "job observe",
    "provider task",
    "probe file",
    "settle",
    "job deliver",
    "bring result",
    "download file",
    "telegram editMessageMedia",
    "in_line",
    "at_provider",
    "delivery",
    "order",
]


@dataclass(frozen=True)
class Seen:
    """One span; `process` is a number that each process of the shop has of its own."""

    name: str
    trace: str
    id: str
    parent: str
    process: int
    links: tuple[str, ...]


@dataclass
class Receiver:
    """Takes what a shop exports."""

    url: str = ""
    spans: list[Seen] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)

    async def receive(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.bodies.append(body)
        self.headers.append(request.headers.get("X-Tenant", ""))
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            told = {pair.key: pair.value for pair in resource.resource.attributes}
            process = told["process.pid"].int_value
            for scope in resource.scope_spans:
                self.spans += [
                    Seen(
                        span.name,
                        span.trace_id.hex(),
                        span.span_id.hex(),
                        span.parent_span_id.hex(),
                        process,
                        tuple(link.trace_id.hex() for link in span.links),
                    )
                    for span in scope.spans
                ]
        return web.Response()


@contextlib.asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/v1/traces", receiver.receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class Provider:
    """The stand-in in another task of this process, by its control page."""

    url: str

    async def keeps_silent(self) -> None:
        """It does not know any task that it is asked about, until `speaks`."""
        await self._control("POST", {"name": "record_null", "target": "recordInfo"})

    async def was_asked(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not (await self._control("GET"))["struck"]:
                await asyncio.sleep(0.05)

    async def speaks(self) -> None:
        await self._control("DELETE")

    async def _control(self, method: str, fault: dict[str, str] | None = None) -> dict[str, Any]:
        url = f"{self.url}/_sandbox/faults"
        async with aiohttp.ClientSession() as session, session.request(method, url, json=fault) as answer:
            return dict(await answer.json())


async def ended(process: asyncio.subprocess.Process) -> None:
    process.terminate()
    async with asyncio.timeout(PATIENCE_S):
        await process.wait()


async def delivered(database: Database) -> None:
    async with asyncio.timeout(2 * PATIENCE_S):
        while True:
            async with database.reading() as tx:
                if await tx.fetchval("SELECT delivered_at IS NOT NULL FROM generations WHERE confirmed_at IS NOT NULL"):
                    return
            await asyncio.sleep(0.1)


async def test_order_is_one_trace_through_two_processes(open_folder: Path, dsn: str, database: Database) -> None:
    """Ordered and placed by one process, settled and delivered by another: one trace, below one span, no secret."""
    async with (
        a_receiver() as receiver,
        staged(
            open_folder / "demo",
            time_scale=0.01,
            DATABASE_URL=dsn,
            SINGLE_MODEL_ONLY="true",
            POLL_FIRST_S="3600",
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url,
            OTEL_EXPORTER_OTLP_HEADERS="X-Tenant=kiosk-of-a-test",
            METRICS_TOKEN=METRICS_TOKEN,
        ) as stage,
        Customer(stage.chat_url, 4242, BOT_ID) as customer,
    ):
        provider = Provider(stage.kie_url)
        await provider.keeps_silent()
        await confirmed(customer, await at_the_card(customer, PROMPT))
        await provider.was_asked()  # for its callback came
        told = await scraped(stage.shop.settings["WEBHOOK_BASE_URL"], METRICS_TOKEN)
        await ended(stage.process)
        first = {span.process for span in receiver.spans}
        await provider.speaks()
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET next_at = now()")
        async with stage.shop.open() as second:
            await delivered(database)
            await ended(second)
    assert (told["kiosk_orders_total{model=z-image}"], told["kiosk_open_orders{state=running}"]) == (1, 1)
    (order,) = [span for span in receiver.spans if span.name == "order"]
    trace = [span for span in receiver.spans if span.trace == order.trace]
    assert sorted(set(PATH) - {span.name for span in trace}) == []
    assert len(first) == 1
    assert {span.process for span in trace} == {*first, order.process}
    assert order.process not in first
    known = {span.id for span in trace}
    assert (order.parent, [span.name for span in trace if span is not order and span.parent not in known]) == ("", [])
    assert [span.name for span in receiver.spans if span.name == "confirm" and span.trace != order.trace] == []
    assert set(receiver.headers) == {"kiosk-of-a-test"}
    sent = b"".join(receiver.bodies)
    assert [secret for secret in (BOT_TOKEN, KIE_KEY, PROMPT) if secret.encode() in sent] == []


async def test_spans_of_two_orders_stay_apart() -> None:
    """A job that serves another order's turn is linked to that trace and not mixed with it; errors say their kind."""
    async with a_receiver() as receiver:
        await asyncio.to_thread(traces_of_two_orders, receiver.url)
    spans = {span.name: span for span in receiver.spans}
    assert spans["inside"].parent == spans["job submit"].id
    assert spans["place"].trace != spans["job submit"].trace
    assert spans["place"].links == (spans["job submit"].trace,)
    assert b"ValueError" in receiver.bodies[0]
    assert b"said by a customer" not in receiver.bodies[0]
    assert b"[secret]" in receiver.bodies[0]


def traces_of_two_orders(url: str) -> None:
    tracing.set_up_tracing(url, None, "1.2.3", lambda text: text.replace("token-of-a-test", "[secret]"))
    tracing.belong_to("a shop")
    try:
        with tracing.span("job submit", generation_id=1, where="token-of-a-test"):
            with tracing.span("inside"):
                assert _with_trace(None, "", {"event": "a.test"})["trace_id"] == tracing.trace_id()
            with contextlib.suppress(ValueError), tracing.span("place", generation_id=2):
                raise ValueError("said by a customer")
    finally:
        tracing.end_tracing()


def test_without_endpoint_nothing_is_done() -> None:
    """No endpoint: one and the same empty block, no id in the log, and nothing to end."""
    tracing.set_up_tracing(None, None, "1.2.3", str)
    assert tracing.span("a") is tracing.span("b", generation_id=1)
    assert tracing.trace_id() is None
    tracing.end_tracing()


def test_endpoint_without_packages_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants traces and did not install what sends them is told so in one line."""
    monkeypatch.setitem(sys.modules, "kiosk.otlp", None)
    with pytest.raises(BadSettings, match=r"^OTEL_EXPORTER_OTLP_ENDPOINT: .*pip install 'kiosk\[telemetry\]'"):
        tracing.set_up_tracing("http://127.0.0.1:4318", None, "1.2.3", str)
