"""A result on its way through the shop, from the provider's file host to Telegram: whole, and never whole in memory."""

import contextlib
import tracemalloc
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.catalog.shelf import default_shelf
from kiosk.delivery.fetch import Download, Fetcher
from kiosk.delivery.messenger import Recipient, Sent
from tests.shopprocess import TOKEN

MB = 1024 * 1024
SIZE = 40 * MB
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
TO = Recipient(1001, 5, "ru", 1, "z-image", 100, late=False, failure=None, shown_as=None)
SHOWN = {"message_id": 6, "date": 1, "chat": {"id": 1001, "type": "private", "first_name": "Анна"}}


@contextlib.asynccontextmanager
async def a_forgetful_server(received: list[int]) -> AsyncIterator[str]:
    """The file host and Telegram in one; both know the file in pieces only."""

    async def give(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(PNG)
        for _ in range(SIZE // MB):
            await response.write(bytes(MB))
        return response

    async def take(request: web.Request) -> web.Response:
        received.append(0)
        async for chunk in request.content.iter_any():
            received[-1] += len(chunk)
        return web.json_response({"ok": True, "result": SHOWN})

    app = web.Application()
    app.router.add_get("/file.png", give)
    app.router.add_post("/bot{token}/{method}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_big_file_is_never_in_memory_as_a_whole() -> None:
    """Forty such deliveries at once are forty pieces in memory, not forty files; another form sends all again."""
    received: list[int] = []
    async with (
        a_forgetful_server(received) as url,
        aiohttp.ClientSession() as session,
        make_bot(TOKEN, url) as bot,
    ):
        messenger = TelegramMessenger(bot, default_shelf())
        tracemalloc.start()
        try:
            download = await Fetcher(session, "tests", 2 * SIZE).download(f"{url}/file.png")
            assert isinstance(download, Download)
            for as_document in (False, True):
                assert isinstance(await messenger.send_result(TO, download, as_document=as_document), Sent)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        download.close()
    assert all(SIZE < size < SIZE + MB for size in received)
    assert len(received) == 2
    assert peak < SIZE / 2
