"""Pasted addresses over real HTTP: what is followed, and what is never asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kiosk.media.fit import Facts, Flaw
from kiosk.media.links import Links, link_session
from kiosk.media.source import Gone, Private, Stream, Unreachable, look
from kiosk.media.store import Source
from sandbox.media.studio import MediaOrder, make
from tests.e2e.test_fetch import Serve, serving


@asynccontextmanager
async def a_host() -> AsyncIterator[tuple[str, list[str]]]:
    """`/on/N` redirects N times before it gives a file; gives its address and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        assert "Authorization" not in request.headers
        left = int(request.match_info["left"])
        if left:
            return web.Response(status=302, headers={"Location": f"/on/{left - 1}"})
        return web.Response(body=b"the file")

    async def away(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(
            status=302, headers={"Location": str(request.url.with_host("127.0.0.1").with_path("/on/0"))}
        )

    async def broken(_request: web.Request) -> web.Response:
        return web.Response(status=503)

    app = web.Application()
    app.router.add_get("/on/{left}", answer)
    app.router.add_get("/away", away)
    app.router.add_get("/broken", broken)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.port}", asked


async def content(link: str, *, allow_private: bool, guarded: bool) -> bytes:
    async with link_session(allow_private=not guarded) as session:
        links = Links(session, allow_private=allow_private, user_agent="tests")
        async with links.open(link) as stream:
            return b"".join([chunk async for chunk in stream.chunks])


async def test_redirects_are_followed_a_few_times() -> None:
    """Three are usual, endless ones are not."""
    async with a_host() as (host, _):
        assert await content(f"{host}/on/3", allow_private=True, guarded=False) == b"the file"
        with pytest.raises(Gone):
            await content(f"{host}/on/4", allow_private=True, guarded=False)


@pytest.mark.parametrize("guarded", [True, False])
async def test_our_own_machine_is_never_asked_by_number(guarded: bool) -> None:
    """Whatever a resolver would say, a private number in the address is refused before a connection is made."""
    async with a_host() as (host, asked):
        for address in (host, host.replace("127.0.0.1", "[::ffff:127.0.0.1]"), host.replace("127.0.0.1", "2130706433")):
            with pytest.raises((Gone, Unreachable)):
                await content(f"{address}/on/0", allow_private=False, guarded=guarded)
        assert asked == []


async def test_our_own_machine_is_never_asked_by_name() -> None:
    """The resolver of the connection itself leaves private addresses out: what was looked at is what is connected."""
    async with a_host() as (host, asked):
        with pytest.raises(Private):
            await content(f"{host.replace('127.0.0.1', 'localhost')}/on/0", allow_private=False, guarded=True)
        assert asked == []


async def test_redirect_leads_no_further_inside() -> None:
    """Each hop is looked at: a host that is let through once cannot send us on to ourselves."""
    async with a_host() as (host, asked):
        with pytest.raises(Private):
            await content(f"{host.replace('127.0.0.1', 'localhost')}/away", allow_private=False, guarded=False)
        assert asked == ["/away"]


@pytest.mark.parametrize(
    "link", ["ftp://x.example/a", "https://", "https://u:p@x.example/", "file:///etc/passwd", "https://[", "x"]
)
async def test_what_is_no_address_of_a_file_is_gone(link: str) -> None:
    """Nothing but the web, and no credentials."""
    with pytest.raises(Gone):
        await content(link, allow_private=True, guarded=False)


async def test_host_in_trouble_is_tried_later() -> None:
    """Its own errors are not the customer's."""
    async with a_host() as (host, _):
        with pytest.raises(Unreachable):
            await content(f"{host}/broken", allow_private=True, guarded=False)


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(16)
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class OneLink:
    """A library that opens addresses alone."""

    links: Links

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        return self.links.open(source.link or "")


def unannounced(first: bytes, pieces: int, sent: list[int]) -> Serve:
    """Says nothing of its size; counts the pieces of a MiB that were taken."""

    async def give(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(first)
        for _ in range(pieces):
            await response.write(bytes(MIB))
            sent.append(MIB)
        return response

    return give


async def looked(serve: Serve, *, most_bytes: int = 5 * MIB, timed: bool = False) -> Facts | Flaw:
    async with serving(serve) as url, link_session(allow_private=True) as session:
        library = OneLink(Links(session, allow_private=True, user_agent="tests"))
        return await look(library, Source(link=url), seconds=None, timed=timed, most_bytes=most_bytes)


async def test_link_that_does_not_announce_its_size_is_counted() -> None:
    """Many hosts send without a length: the file is read to its end, and its size is what came."""
    found = await looked(unannounced(PNG, 2, []))
    assert isinstance(found, Facts)
    assert (found.extension, found.size_bytes) == ("png", len(PNG) + 2 * MIB)


async def test_link_without_size_is_read_up_to_a_bound() -> None:
    """Of an endless file no more is taken than would fit, and it is said to be too big."""
    sent: list[int] = []
    assert await looked(unannounced(PNG, 500, sent)) is Flaw.TOO_BIG
    assert len(sent) < 60


async def test_announced_size_is_believed_when_it_is_too_big() -> None:
    """Then nothing of the file is read."""

    async def give(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(9 * MIB)})
        await response.prepare(request)
        return response

    assert await looked(give) is Flaw.TOO_BIG


@pytest.mark.parametrize("page", [b"<!DOCTYPE html><p>", b"  <html>", b"<?xml version='1.0'?>"])
async def test_page_in_place_of_a_file_is_recognised(page: bytes) -> None:
    """Whatever type it claims: a share page of a cloud is the usual wrong link."""

    async def give(_request: web.Request) -> web.Response:
        return web.Response(body=page, content_type="image/png")

    assert await looked(give) is Flaw.PAGE


async def test_length_is_read_from_a_linked_file() -> None:
    """Where seconds matter the whole file is looked at, and its own header tells them."""
    clip = await asyncio.to_thread(make, MediaOrder("video", "волны", extension="mp4", duration_s=2))

    async def give(_request: web.Request) -> web.Response:
        return web.Response(body=clip)

    found = await looked(give, timed=True)
    assert isinstance(found, Facts)
    assert (found.seconds, found.size_bytes) == (2, len(clip))
    untimed = await looked(give)
    assert isinstance(untimed, Facts)
    assert untimed.seconds is None
