"""Pasted addresses over real HTTP: what is followed, and what is never asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from kiosk.media.links import Links, link_session
from kiosk.media.source import Gone, Unreachable


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
        with pytest.raises(Gone):
            await content(f"{host.replace('127.0.0.1', 'localhost')}/on/0", allow_private=False, guarded=True)
        assert asked == []


async def test_redirect_leads_no_further_inside() -> None:
    """Each hop is looked at: a host that is let through once cannot send us on to ourselves."""
    async with a_host() as (host, asked):
        with pytest.raises(Gone):
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
