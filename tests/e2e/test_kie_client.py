"""The client against a scripted server on loopback: what it sends, what it repeats, and what it never tells."""

import asyncio
import contextlib
import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from kiosk import __version__
from kiosk.kie import errors
from kiosk.kie.client import MAX_UPLOAD_BYTES, KieClient
from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.outcome import Created, Doubt, NotAccepted, OutcomeUnknown, Refused
from kiosk.kie.pacing import Waits
from kiosk.kie.task import TaskState
from kiosk.kie.wire import MAX_BODY_BYTES

KEY = "4d2f8a6b0c1e4f7a9b3d5c7e9f1a2b3c"
TASK_ID = "0123456789abcdef0123456789abcdef"
CALLBACK = "https://shop.example/kie/callback/7/secret-token-of-the-generation"
CREATED = {"code": 200, "msg": "success", "data": {"taskId": TASK_ID, "recordId": TASK_ID}}
NO_WAITS = Waits(initial_s=0, longest_s=0, jitter_s=0, rate_limit_s=0)

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def says(
    body: object, status: int = 200, content_type: str = "application/json", headers: dict[str, str] | None = None
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=raw, status=status, content_type=content_type, headers=headers)

    return handler


def envelope(code: int, msg: str = "", data: object = None) -> Answer:
    return says({"code": code, "msg": msg, "data": data})


def record(state: str, **fields: object) -> Answer:
    return envelope(200, "success", {"taskId": TASK_ID, "model": "z-image", "state": state, **fields})


async def hangs(request: web.Request) -> web.StreamResponse:
    """Take the whole request and never answer."""
    await request.read()
    await asyncio.Event().wait()
    raise AssertionError


async def drops(request: web.Request) -> web.StreamResponse:
    """Take the whole request and cut the connection."""
    await request.read()
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def answers_half(request: web.Request) -> web.StreamResponse:
    """Promise a body and cut the connection within it."""
    response = web.StreamResponse(headers={"Content-Length": "500"})
    await response.prepare(request)
    await response.write(b'{"code":200,')
    if request.transport is not None:
        request.transport.abort()
    return response


async def answers_without_end(request: web.Request) -> web.StreamResponse:
    """Send more than any answer of the provider, and go on."""
    response = web.StreamResponse()
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(MAX_BODY_BYTES // 1024 + 1024):
            await response.write(b" " * 1024)
    return response


class Provider:
    """Gives the scripted answers in turn, the last one for ever, and keeps what it was asked."""

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.requests: list[tuple[str, str, dict[str, str], bytes]] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        return await answer(request)


@asynccontextmanager
async def talking_to(provider: Provider, timeout_s: float = 15, connections: int = 0) -> AsyncIterator[KieClient]:
    """A client of the provider on a free port of loopback; uploads go under /files, as to the host of their own."""
    app = web.Application(client_max_size=4 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=connections)) as session:
        yield KieClient(
            session, api_key=KEY, base_url=url, upload_url=f"{url}/files", timeout_s=timeout_s, waits=NO_WAITS
        )
    await runner.cleanup()


async def create_with(*script: Answer, timeout_s: float = 15) -> tuple[Any, Provider]:
    provider = Provider(*script)
    async with talking_to(provider, timeout_s) as client:
        return await client.create_task("z-image", {"prompt": "кот"}, CALLBACK), provider


async def task_with(*script: Answer, timeout_s: float = 15) -> tuple[Any, Provider]:
    """The task, or the error that was raised instead, and what the provider was asked."""
    provider = Provider(*script)
    async with talking_to(provider, timeout_s) as client:
        try:
            return await client.get_task(TASK_ID), provider
        except errors.KieError as error:
            return error, provider


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def test_create_sends_what_the_contract_wants() -> None:
    """One POST with key, JSON type, our name, model, input and callback address; the id comes back."""
    outcome, provider = await create_with(says(CREATED))
    [(method, path, headers, body)] = provider.requests
    assert outcome == Created(TASK_ID)
    assert (method, path) == ("POST", "/api/v1/jobs/createTask")
    assert (headers["Authorization"], headers["User-Agent"]) == (f"Bearer {KEY}", f"Kiosk/{__version__}")
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body) == {"model": "z-image", "input": {"prompt": "кот"}, "callBackUrl": CALLBACK}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (envelope(500, "This field is required"), Refused(RefusalReason.BAD_INPUT, 500, "This field is required")),
        (envelope(402, "no money"), Refused(RefusalReason.NO_CREDITS, 402, "no money")),
        (envelope(500, "Credits insufficient : x"), Refused(RefusalReason.NO_CREDITS, 500, "Credits insufficient : x")),
        (envelope(429, "slower"), NotAccepted(DelayReason.RATE_LIMITED, 10.0, "slower")),
        (says({"code": 429, "msg": "slower"}, 429), NotAccepted(DelayReason.RATE_LIMITED, 10.0, "slower")),
        (
            says({"code": 429, "msg": "slower"}, 429, headers={"Retry-After": "4"}),
            NotAccepted(DelayReason.RATE_LIMITED, 4.0, "slower"),
        ),
        (envelope(455, "pause"), NotAccepted(DelayReason.MAINTENANCE, None, "pause")),
        (envelope(500, "Server exception"), NotAccepted(DelayReason.PROVIDER_ERROR, None, "Server exception")),
        (
            says(b"error code: 1010", 403, "text/plain"),
            NotAccepted(DelayReason.BLOCKED, None, "HTTP 403, text/plain, 16 bytes"),
        ),
        (
            says(b"<html>", 502, "text/html"),
            OutcomeUnknown(Doubt.SERVER_ERROR, "HTTP 502, text/html, 6 bytes"),
        ),
        (says(b""), OutcomeUnknown(Doubt.UNREADABLE_ANSWER, "HTTP 200, application/json, 0 bytes")),
        (envelope(200, "success"), OutcomeUnknown(Doubt.NO_TASK_ID, "HTTP 200, code 200, success")),
        (
            says(b"", 307, headers={"Location": "/api/v1/jobs/createTask"}),
            OutcomeUnknown(Doubt.UNREADABLE_ANSWER, "HTTP 307, application/json, 0 bytes"),
        ),
        (answers_without_end, OutcomeUnknown(Doubt.OVERSIZE_ANSWER, "answer too large")),
    ],
)
async def test_create_answered_is_asked_once(answer: Answer, expected: object) -> None:
    """Whatever the answer to a paid request, it decides the outcome and the request is never repeated."""
    outcome, provider = await create_with(answer, says(CREATED))
    assert outcome == expected
    assert len(provider.requests) == 1


@pytest.mark.parametrize("answer", [drops, answers_half])
async def test_create_lost_connection_is_unknown_and_asked_once(answer: Answer) -> None:
    """A connection lost after the request had left leaves a task that may exist, and no second request."""
    outcome, provider = await create_with(answer, says(CREATED))
    assert isinstance(outcome, OutcomeUnknown)
    assert outcome.why is Doubt.NO_ANSWER
    assert len(provider.requests) == 1


async def test_create_time_out_after_accepting_is_unknown_and_asked_once() -> None:
    """A provider that took the request and fell silent may have made the task."""
    outcome, provider = await create_with(hangs, says(CREATED), timeout_s=1)
    assert isinstance(outcome, OutcomeUnknown)
    assert outcome.why is Doubt.NO_ANSWER
    assert len(provider.requests) == 1


async def test_create_waiting_for_a_free_connection_is_not_accepted() -> None:
    """A time-out before there was a connection is no doubt: nothing had left."""
    taken = asyncio.Event()

    async def takes_the_connection(request: web.Request) -> web.StreamResponse:
        taken.set()
        return await hangs(request)

    provider = Provider(takes_the_connection)
    async with talking_to(provider, timeout_s=0.2, connections=1) as client:
        patient = KieClient(client._session, api_key=KEY, base_url=str(client._base_url), waits=NO_WAITS)
        first = asyncio.create_task(patient.create_task("z-image", {}, None))
        await taken.wait()
        outcome = await client.create_task("z-image", {}, None)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert isinstance(outcome, NotAccepted)
    assert outcome.reason is DelayReason.UNREACHABLE
    assert len(provider.requests) == 1


async def test_create_garbled_compression_is_unknown() -> None:
    """A body that cannot be unpacked is no answer."""
    garbled = says(b"\x1f\x8b broken", headers={"Content-Encoding": "gzip"})
    outcome, provider = await create_with(garbled, says(CREATED))
    assert isinstance(outcome, OutcomeUnknown)
    assert len(provider.requests) == 1


async def test_create_refused_connection_is_tried_again_and_not_accepted() -> None:
    """Where nothing listens nothing was sent: a few tries, then a definite "no task exists"."""
    async with aiohttp.ClientSession() as session:
        client = KieClient(session, api_key=KEY, base_url=f"http://127.0.0.1:{free_port()}", waits=NO_WAITS)
        with capture_logs() as logs:
            outcome = await client.create_task("z-image", {}, CALLBACK)
    assert outcome == NotAccepted(DelayReason.UNREACHABLE, None, "ClientConnectorError")
    failed = [entry for entry in logs if entry["event"] == "kie.attempt_failed"]
    assert [entry["attempt"] for entry in failed] == [1, 2, 3]


async def test_create_unknown_host_is_not_accepted() -> None:
    """A name that does not resolve is a request that never left."""
    async with aiohttp.ClientSession() as session:
        client = KieClient(session, api_key=KEY, base_url="http://provider.invalid", waits=NO_WAITS)
        outcome = await client.create_task("z-image", {}, CALLBACK)
    assert outcome == NotAccepted(DelayReason.UNREACHABLE, None, "ClientConnectorDNSError")


async def test_create_failed_tls_is_not_accepted() -> None:
    """A handshake that fails is a request that never left."""

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"this is no TLS\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context())
    async with server, aiohttp.ClientSession(connector=connector) as session:
        client = KieClient(session, api_key=KEY, base_url=f"https://127.0.0.1:{port}", waits=NO_WAITS)
        outcome = await client.create_task("z-image", {}, CALLBACK)
    assert isinstance(outcome, NotAccepted)
    assert outcome.reason is DelayReason.UNREACHABLE


async def test_create_connects_at_last() -> None:
    """A provider that comes up between two tries gets the request exactly once."""
    port, provider = free_port(), Provider(says(CREATED))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", provider.handle)
    runner = web.AppRunner(app)
    await runner.setup()

    class ComesUp(aiohttp.TCPConnector):
        """Opens the server after the first connection has been refused."""

        async def connect(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return await super().connect(*args, **kwargs)
            except aiohttp.ClientConnectorError:
                await web.TCPSite(runner, "127.0.0.1", port).start()
                raise

    async with aiohttp.ClientSession(connector=ComesUp()) as session:
        client = KieClient(session, api_key=KEY, base_url=f"http://127.0.0.1:{port}", waits=NO_WAITS)
        outcome = await client.create_task("z-image", {}, CALLBACK)
    await runner.cleanup()
    assert outcome == Created(TASK_ID)
    assert len(provider.requests) == 1


async def test_create_too_large_is_refused_and_never_sent() -> None:
    """A request beyond the limit is refused here, and the provider hears nothing."""
    provider = Provider(says(CREATED))
    async with talking_to(provider) as client:
        outcome = await client.create_task("z-image", {"prompt": "x" * MAX_BODY_BYTES}, None)
    assert isinstance(outcome, Refused)
    assert outcome.reason is RefusalReason.BAD_INPUT
    assert provider.requests == []


async def test_create_is_logged_with_its_outcome() -> None:
    """The log tells model, outcome and cause; an unknown outcome is an error there."""
    with capture_logs() as logs:
        await create_with(says(CREATED))
        await create_with(says(b""))
    created, unknown = [entry for entry in logs if entry["event"] == "kie.create"]
    assert (created["outcome"], created["task_id"], created["log_level"]) == ("Created", TASK_ID, "info")
    assert (unknown["outcome"], unknown["why"], unknown["log_level"]) == (
        "OutcomeUnknown",
        "unreadable_answer",
        "error",
    )


async def test_task_is_asked_by_id_and_read() -> None:
    """One GET with the id gives state, files and credits."""
    result = json.dumps({"resultUrls": ["https://tempfile.example/a.png"]})
    task, provider = await task_with(record("success", resultJson=result, creditsConsumed=0.8))
    [(method, path, _, _)] = provider.requests
    assert (method, path) == ("GET", f"/api/v1/jobs/recordInfo?taskId={TASK_ID}")
    assert (task.state, task.credits_consumed) == (TaskState.SUCCESS, Decimal("0.8"))
    assert task.result.urls == ("https://tempfile.example/a.png",)


@pytest.mark.parametrize(
    "trouble",
    [drops, answers_half, says(b""), says(b"<html>", 502), envelope(429), says(b"", 429), envelope(455), envelope(500)],
)
async def test_task_transient_trouble_is_tried_again(trouble: Answer) -> None:
    """Two transient failures are survived by the third try."""
    task, provider = await task_with(trouble, trouble, record("waiting"))
    assert task.state is TaskState.WAITING
    assert len(provider.requests) >= 3  # aiohttp itself repeats a GET whose kept connection was cut


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (says(b"<html>", 502), errors.UnreadableAnswer),
        (envelope(455), errors.UnderMaintenance),
        (envelope(429), errors.RateLimited),
        (envelope(500, "Server exception"), errors.Unavailable),
        (answers_without_end, errors.NoAnswer),
    ],
)
async def test_task_lasting_trouble_is_unavailable_after_three_tries(trouble: Answer, error: type[Exception]) -> None:
    """The last failure is raised after three tries, as what it was."""
    raised, provider = await task_with(trouble)
    assert type(raised) is error
    assert isinstance(raised, errors.Unavailable)
    assert len(provider.requests) == 3


async def test_task_time_out_is_no_answer() -> None:
    """Silence is tried again too: asking costs nothing."""
    raised, provider = await task_with(hangs, timeout_s=0.6)
    assert isinstance(raised, errors.NoAnswer)
    assert len(provider.requests) == 3


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (envelope(422, "recordInfo is null"), errors.TaskNotFound),
        (envelope(404, "Task not found"), errors.TaskNotFound),
        (envelope(200, "success"), errors.TaskNotFound),
        (envelope(401, "no access"), errors.Unauthorized),
        (envelope(402), errors.CreditsExhausted),
    ],
)
async def test_task_final_answers_are_not_tried_again(answer: Answer, error: type[Exception]) -> None:
    """What asking again cannot change is asked once."""
    raised, provider = await task_with(answer)
    assert type(raised) is error
    assert len(provider.requests) == 1


async def test_wait_task_ends_with_the_task() -> None:
    """Waiting forgives an early "no such task" and an outage, and returns the ended task."""
    outage = [says(b"", 502)] * 3
    provider = Provider(envelope(422, "recordInfo is null"), record("waiting"), *outage, record("fail", failCode="500"))
    async with talking_to(provider) as client:
        task = await client.wait_task(TASK_ID, poll_s=0)
    assert task.state is TaskState.FAIL
    assert len(provider.requests) == 6


async def test_wait_task_raises_what_is_final() -> None:
    """A task that stays unknown, or is gone after it was seen, ends the waiting."""
    missing = envelope(422, "recordInfo is null")
    never, gone = Provider(missing), Provider(record("waiting"), missing)
    for provider in (never, gone):
        async with talking_to(provider) as client:
            with pytest.raises(errors.TaskNotFound):
                await client.wait_task(TASK_ID, poll_s=0)
    assert (len(never.requests), len(gone.requests)) == (4, 2)


async def test_wait_task_gives_up_with_the_last_state() -> None:
    """When time is over the task's last state is told."""
    async with talking_to(Provider(record("generating"))) as client:
        with pytest.raises(errors.TaskTimeout) as caught:
            await client.wait_task(TASK_ID, timeout_s=0)
    assert (caught.value.task_id, caught.value.state) == (TASK_ID, "generating")


async def test_credits_are_the_balance() -> None:
    """The balance is one GET and an exact decimal."""
    provider = Provider(envelope(200, "success", 5916.25))
    async with talking_to(provider) as client:
        assert await client.credits() == Decimal("5916.25")
    assert provider.requests[0][:2] == ("GET", "/api/v1/chat/credit")


async def test_download_url_asks_and_tells_refusals() -> None:
    """The address of a file is asked for by its address; a foreign one is refused once and for all."""
    provider = Provider(envelope(200, "success", "https://tempfile.example/x"), envelope(422, "url is wrong"))
    async with talking_to(provider) as client:
        assert await client.download_url("https://file.example/x") == "https://tempfile.example/x"
        with pytest.raises(errors.BadRequest):
            await client.download_url("https://elsewhere.example/x")
    assert [json.loads(body)["url"] for *_, body in provider.requests] == [
        "https://file.example/x",
        "https://elsewhere.example/x",
    ]


async def test_upload_streams_under_names_never_used_twice() -> None:
    """Each try of each upload carries the content, the folder and a new name with the old suffix."""
    stored = {"success": True, "downloadUrl": "https://tempfile.example/x.jpg", "fileSize": 3 * 1024 * 1024}
    provider = Provider(says(b"", 502), says({"success": True, "code": 200, "msg": "ok", "data": stored}))
    content = b"\xff\xd8" + bytes(3 * 1024 * 1024 - 2)
    async with talking_to(provider) as client:
        upload = await client.upload(content, file_name="Мой кот.JPG", mime_type="image/jpeg", folder="inputs")
    field = re.compile(rb'name="fileName"\r\n\r\n([0-9a-f]{32}\.jpg)\r\n')
    names = [field.findall(body) for *_, body in provider.requests]
    assert (upload.url, upload.size_bytes) == ("https://tempfile.example/x.jpg", len(content))
    assert [len(found) for found in names] == [1, 1]
    assert names[0] != names[1]
    assert all(content in body and b"inputs" in body for *_, body in provider.requests)
    assert provider.requests[0][1] == "/files/api/file-stream-upload"
    assert provider.requests[0][2]["Content-Type"].startswith("multipart/form-data")


async def test_upload_too_large_is_never_sent() -> None:
    """A file beyond the limit stays here."""
    provider = Provider(envelope(200))
    async with talking_to(provider) as client:
        with pytest.raises(errors.RequestTooLarge):
            await client.upload(bytes(MAX_UPLOAD_BYTES + 1), file_name="a.mp4", mime_type="video/mp4")
    assert provider.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        envelope(401, f"key {KEY} is not known, callback {CALLBACK}"),
        envelope(500, f"failure for {KEY} with {CALLBACK}"),
        says(f'{{"code":422,"msg":"{CALLBACK} and {KEY}"}}'.replace("/", "\\/").encode()),
        says(b"", 502),
        drops,
    ],
)
async def test_secrets_are_told_to_nobody(answer: Answer) -> None:
    """Neither our key nor the callback's token is in an outcome, an error, its chain, a log or the client's repr."""
    provider = Provider(answer)
    async with talking_to(provider) as client:
        with capture_logs() as logs:
            outcome = await client.create_task("z-image", {"prompt": "кот"}, CALLBACK)
            with pytest.raises(errors.KieError) as caught:
                await client.credits()
        shown = [repr(client), str(client), repr(outcome), repr(logs), *chain(caught.value)]
    assert any("kie.attempt_failed" in text for text in shown)
    assert [text for text in shown if KEY in text] == []
    assert [text for text in shown if "secret-token" in text] == []


def chain(error: BaseException | None) -> list[str]:
    """Every text of the error and of what caused it."""
    texts = []
    while error is not None:
        texts += [repr(error), str(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return texts


async def test_secrets_stay_when_nothing_listens() -> None:
    """The errors of a connection that failed hold nothing of ours either."""
    async with aiohttp.ClientSession() as session:
        client = KieClient(session, api_key=KEY, base_url=f"http://127.0.0.1:{free_port()}", waits=NO_WAITS)
        with pytest.raises(errors.Unreachable) as caught:
            await client.credits()
    assert [text for text in chain(caught.value) if KEY in text] == []
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("key", ["", "two words", "ключ", "line\nbreak"])
async def test_client_refuses_a_key_that_is_none_without_quoting_it(key: str) -> None:
    """A malformed key stops the start, and even then is not shown."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="provider key") as caught:
            KieClient(session, api_key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize("address", ["", "api.kie.ai", "ftp://api.kie.ai", "http://"])
async def test_client_refuses_an_address_that_is_none(address: str) -> None:
    """A malformed address stops the start and is named."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(ValueError, match="address"):
            KieClient(session, api_key=KEY, base_url=address)
