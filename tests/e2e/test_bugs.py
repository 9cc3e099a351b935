"""Bugs reach Sentry with where they are and in what, and without a secret, a value or a customer's words."""

import asyncio
import contextlib
import io
import json
import logging
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog
from aiohttp import web

from kiosk.bugs import report_bugs, send_reports
from kiosk.errors import BadSettings
from kiosk.log import QUIET, Redactor, correlated, set_up_logging

TOKEN = "123456789:" + "Tk" * 17
WORDS = "what a customer wrote"
log = structlog.get_logger()


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level, {name: logging.getLogger(name).level for name in QUIET}
    yield
    root.handlers, root.level = before[0], before[1]
    for name, level in before[2].items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


@contextlib.asynccontextmanager
async def a_sentry() -> AsyncIterator[tuple[str, list[bytes]]]:
    """The address that it gives to a project, and the envelopes that came."""
    came: list[bytes] = []

    async def receive(request: web.Request) -> web.Response:
        came.append(await request.read())
        return web.json_response({})

    app = web.Application()
    app.router.add_post("/api/42/envelope/", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://key-of-a-test@127.0.0.1:{runner.addresses[0][1]}/42", came
    finally:
        await runner.cleanup()


def something_breaks(text: str) -> None:
    inputs = {"prompt": text, "url": f"https://api.telegram.example/bot{TOKEN}/getMe"}
    raise RuntimeError(f"cannot make {inputs['prompt']} with {TOKEN}") from ValueError(text)


def a_bad_day(dsn: str) -> None:
    set_up_logging("info", [TOKEN], io.StringIO())
    report_bugs(dsn, "1.2.3", Redactor([TOKEN]))
    try:
        with correlated("cause-of-it", generation_id=42, customer_id=7):
            log.warning("an.expected_one", text=WORDS)
            log.error("a.grave_one", text=WORDS)
            try:
                something_breaks(WORDS)
            except RuntimeError:
                log.exception("queue.job_failed", attempts=1)
        try:
            something_breaks(WORDS)
        except RuntimeError:
            logging.getLogger("uvicorn.error").exception("in a request of %s", WORDS)
            logging.getLogger("opentelemetry.exporter").exception("cannot export")
    finally:
        send_reports()


def events(envelopes: list[bytes]) -> list[dict[str, Any]]:
    """The events in them: an envelope is lines, of which every second from the third on is an item."""
    return [json.loads(line) for body in envelopes for line in body.splitlines() if b'"exception"' in line]


@pytest.mark.usefixtures("logging_as_it_was")
async def test_bug_is_reported_without_what_it_said() -> None:
    """Only what was logged with a traceback goes out: kinds of errors, places, identifiers, version; no text of it."""
    async with a_sentry() as (dsn, came):
        await asyncio.to_thread(a_bad_day, dsn)
    ours, librarys = events(came)
    assert ours["release"] == "kiosk@1.2.3"
    assert ours["tags"] == {"event": "queue.job_failed", "correlation_id": "cause-of-it", "generation_id": "42"}
    assert [error["type"] for error in ours["exception"]["values"]] == ["ValueError", "RuntimeError"]
    frames = [frame["function"] for frame in ours["exception"]["values"][-1]["stacktrace"]["frames"]]
    assert frames == ["a_bad_day", "something_breaks"]
    assert librarys["tags"] == {"event": "uvicorn.error"}
    sent = b"".join(came).decode()
    assert [secret for secret in (TOKEN, TOKEN.partition(":")[2], WORDS, "cannot make what") if secret in sent] == []


@pytest.mark.usefixtures("logging_as_it_was")
def test_without_address_nothing_is_reported() -> None:
    """No SENTRY_DSN: no handler, and nothing to wait for."""
    before = logging.getLogger().handlers[:]
    report_bugs(None, "1.2.3", Redactor(()))
    assert logging.getLogger().handlers == before
    send_reports()


def test_address_without_packages_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants reports and did not install what sends them is told so in one line."""
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    with pytest.raises(BadSettings, match=r"^SENTRY_DSN: .*pip install 'kiosk\[telemetry\]'"):
        report_bugs("https://key@sentry.example/1", "1.2.3", Redactor(()))
