"""Result files from a real server that misbehaves: nothing breaks, nothing grows without bound, nothing stays open."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from kiosk.delivery.fetch import HEAD_BYTES, Download, Fetcher, TooBig, Unusable
from kiosk.delivery.plan import Media

LIMIT = 64 * 1024
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41"
PICTURE = PNG + bytes(10_000)
PAGE = b"<!DOCTYPE html><html><body>Not here</body></html>"

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@contextlib.asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    """The address of a server on loopback that answers every path like this."""
    app = web.Application()
    app.router.add_route("*", "/{any:.*}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def a_fetcher(timeout_s: float = 15) -> AsyncIterator[Fetcher]:
    async with aiohttp.ClientSession() as session:
        yield Fetcher(session, "tests", LIMIT, timeout_s)


async def fetched(serve: Serve, *, timeout_s: float = 15) -> tuple[Media | Unusable, Download | TooBig | Unusable]:
    """What a probe and a download say of it; the download is closed."""
    async with serving(serve) as url, a_fetcher(timeout_s) as fetcher:
        probed, got = await fetcher.probe(f"{url}/1.png", Media.IMAGE), await fetcher.download(f"{url}/1.png")
        if isinstance(got, Download):
            got.close()
        return probed, got


def giving(body: bytes, status: int = 200, content_type: str = "image/png") -> Serve:
    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, content_type=content_type)

    return serve


def streaming(*chunks: bytes, announce: int | None = None, pause_s: float = 0.02) -> Serve:
    """In pieces, without a length unless one is announced; the connection ends after them."""

    async def serve(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = announce
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for chunk in chunks:
                await response.write(chunk)
                await asyncio.sleep(pause_s)
        if announce is not None and announce > sum(map(len, chunks)) and request.transport:
            request.transport.abort()
        return response

    return serve


async def test_good_file_is_read_whole() -> None:
    """Its media, extension and type come from its content, its bytes are all there."""
    async with serving(giving(PICTURE, content_type="text/html")) as url, a_fetcher() as fetcher:
        assert await fetcher.probe(url, Media.IMAGE) is Media.IMAGE
        got = await fetcher.download(url)
        assert isinstance(got, Download)
        assert (got.media, got.extension, got.mime, got.size_bytes) == (Media.IMAGE, "png", "image/png", len(PICTURE))
        for _ in range(2):
            assert b"".join([chunk async for chunk in got.chunks(1000)]) == PICTURE
        got.close()


async def test_probe_asks_for_the_beginning_only() -> None:
    """The customer waits for it; a video is not read twice."""
    asked: list[str | None] = []

    async def serve(request: web.Request) -> web.Response:
        asked.append(request.headers.get("Range"))
        return web.Response(body=MP4, status=206)

    assert (await fetched(serve))[0] is Media.VIDEO
    assert asked[0] == f"bytes=0-{HEAD_BYTES - 1}"


@pytest.mark.parametrize("status", [403, 404, 410, 500, 503])
async def test_refusal_is_unusable(status: int) -> None:
    """Even when its body looks like a picture."""
    told = Unusable(f"HTTP {status}")
    assert await fetched(giving(PICTURE, status)) == (told, told)


@pytest.mark.parametrize("body", [PAGE, b"", b"not found"])
async def test_page_that_calls_itself_a_picture_is_unusable(body: bytes) -> None:
    """Status 200 and an image's content type say nothing."""
    told = Unusable("no known media type")
    assert await fetched(giving(body)) == (told, told)


async def test_beginning_in_single_bytes_is_put_together() -> None:
    """A slow server gives the first byte long before the rest: the picture is known all the same."""
    probed, got = await fetched(streaming(PICTURE[:1], PICTURE[1:9], PICTURE[9:]))
    assert probed is Media.IMAGE
    assert isinstance(got, Download)


async def test_truncated_file_is_not_taken_for_whole() -> None:
    """The connection ends before the announced length: it is not sent as if it were the result."""
    _, got = await fetched(streaming(PICTURE, announce=len(PICTURE) + 1))
    assert isinstance(got, Unusable)


@pytest.mark.parametrize("extra", [0, 1])
async def test_limit_is_exact(extra: int) -> None:
    """A file of the limit is uploaded, one byte more is a link."""
    _, got = await fetched(giving(PNG + bytes(LIMIT - len(PNG) + extra)))
    assert got == TooBig(LIMIT + 1) if extra else isinstance(got, Download)


async def test_endless_file_without_a_length_is_given_up_at_the_limit() -> None:
    """Nobody announced its size, so it is counted, and reading ends soon after the limit."""
    written = 0

    async def serve(request: web.Request) -> web.StreamResponse:
        nonlocal written
        response = web.StreamResponse()
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(10_000):
                await response.write(PNG + bytes(16 * 1024))
                written += 16 * 1024
        return response

    async with serving(serve) as url, a_fetcher() as fetcher:
        got = await fetcher.download(url)
    assert isinstance(got, TooBig)
    assert got.size_bytes > LIMIT
    assert written < 10_000 * 16 * 1024


async def test_announced_size_over_the_limit_is_not_read() -> None:
    """A length over the limit decides at once, though nothing follows it."""
    _, got = await fetched(streaming(PNG, announce=10**12))
    assert got == TooBig(10**12)


async def test_redirect_is_followed_and_a_circle_is_not() -> None:
    """File hosts move files; whoever sends us round in circles has none."""

    async def moved(request: web.Request) -> web.Response:
        if request.path == "/there":
            return web.Response(body=PICTURE)
        raise web.HTTPFound("/there")

    async def circle(_request: web.Request) -> web.Response:
        raise web.HTTPFound("/again")

    probed, got = await fetched(moved)
    assert probed is Media.IMAGE
    assert isinstance(got, Download)
    assert await fetched(circle) == (Unusable("TooManyRedirects"), Unusable("TooManyRedirects"))


async def test_redirect_away_from_the_web_is_not_followed() -> None:
    """No file of this machine is ever sent to a customer."""

    async def local(_request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "file:///etc/hostname"})

    probed, got = await fetched(local)
    assert isinstance(probed, Unusable)
    assert isinstance(got, Unusable)


@pytest.mark.parametrize(
    "url", ["", "nonsense", "ftp://files.example/1.png", "http://", "file:///etc/hostname", "http://[x/"]
)
async def test_address_that_is_none_is_unusable(url: str) -> None:
    """Whatever the provider wrote where an address should be."""
    async with a_fetcher() as fetcher:
        assert isinstance(await fetcher.probe(url, Media.IMAGE), Unusable)
        assert isinstance(await fetcher.download(url), Unusable)


async def test_nobody_at_the_address_is_unusable() -> None:
    """Connection refused: told apart from a file that is no picture."""
    async with serving(giving(PICTURE)) as url:
        pass
    async with a_fetcher() as fetcher:
        told = Unusable("ClientConnectorError")
        assert await fetcher.probe(url, Media.IMAGE) == told
        assert await fetcher.download(url) == told


async def test_server_that_falls_silent_is_left() -> None:
    """Before its answer or in the middle of it: the wait is bounded."""

    async def silent(_request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    for serve in (silent, streaming(PICTURE[:100], b"", announce=len(PICTURE), pause_s=60)):
        _, got = await fetched(serve, timeout_s=0.2)
        assert isinstance(got, Unusable)
        assert "Timeout" in got.why


async def test_text_results_are_not_sniffed() -> None:
    """A text has no first bytes to know it by; an empty one is none."""
    async with a_fetcher() as fetcher:
        async with serving(giving(b"just words")) as url:
            assert await fetcher.probe(url, Media.TEXT) is Media.TEXT
        async with serving(giving(b"")) as url:
            assert await fetcher.probe(url, Media.TEXT) == Unusable("empty")


async def test_every_file_is_closed_unless_it_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failed, too big, cut short or called off: no temporary file stays open."""
    opened: list[Any] = []

    class Watched(tempfile.SpooledTemporaryFile[bytes]):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            opened.append(self)

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Watched)
    for serve in (giving(b"", 404), giving(PAGE), giving(bytes(LIMIT + 1)), streaming(PNG, announce=1000)):
        await fetched(serve)
    never = asyncio.Event()

    async def hanging(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await never.wait()
        return response

    async with serving(hanging) as url, a_fetcher() as fetcher:
        download = asyncio.create_task(fetcher.download(url))
        while len(opened) < 5:
            await asyncio.sleep(0.01)
        download.cancel()
        await asyncio.gather(download, return_exceptions=True)
    assert [file.closed for file in opened] == [True] * 5
