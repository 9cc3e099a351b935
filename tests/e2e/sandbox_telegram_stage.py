"""What the tests of the Telegram stand-in play with: a running stand-in, an independent client, a webhook receiver."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from PIL import Image
from telegram import Bot
from telegram.request import HTTPXRequest

from sandbox.customer import Customer
from sandbox.telegram import TelegramSandbox

BOT_ID = 7001
TOKEN = f"{BOT_ID}:sandbox-test"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@asynccontextmanager
async def library_bot(sandbox: TelegramSandbox, token: str = TOKEN) -> AsyncIterator[Bot]:
    """The stand-in seen by a client library that knows nothing of it."""
    bot = Bot(
        token,
        base_url=f"{sandbox.base_url}/bot",
        base_file_url=f"{sandbox.base_url}/file/bot",
        request=HTTPXRequest(read_timeout=20, write_timeout=20),
        get_updates_request=HTTPXRequest(connection_pool_size=4, read_timeout=20),
    )
    async with bot:
        yield bot


@asynccontextmanager
async def started(sandbox: TelegramSandbox, user_id: int = 42, bot_id: int = BOT_ID) -> AsyncIterator[Customer]:
    """A customer who has written /start."""
    async with Customer(sandbox.base_url, user_id, bot_id) as customer:
        await customer.send_text("/start")
        yield customer


@dataclass
class RawBot:
    """The Bot API as plain HTTP, for what a library would not let one see."""

    session: aiohttp.ClientSession
    base: str

    async def __call__(self, method: str, *, fault: str = "", **params: Any) -> dict[str, Any]:
        headers = {"X-Sandbox-Fault": fault} if fault else {}
        async with self.session.post(f"{self.base}/{method}", json=params, headers=headers) as response:
            return dict(await response.json())


@asynccontextmanager
async def raw_bot(sandbox: TelegramSandbox, token: str = TOKEN) -> AsyncIterator[RawBot]:
    """Makes the bot known to the stand-in as well."""
    async with aiohttp.ClientSession() as session:
        bot = RawBot(session, f"{sandbox.base_url}/bot{token}")
        await bot("getMe")
        yield bot


Answer = Callable[[dict[str, Any]], web.Response]


@dataclass
class Receiver:
    """A webhook: what came, with which secret, how many at most at once; `answer` decides what it replies."""

    url: str = ""
    updates: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str | None] = field(default_factory=list)
    answer: Answer = lambda _update: web.Response()
    hold_s: float = 0
    most_at_once: int = 0
    _at_once: int = 0
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: web.Request) -> web.Response:
        update = await request.json()
        self.updates.append(update)
        self.secrets.append(request.headers.get(SECRET_HEADER))
        self._came.set()
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(self.hold_s)
        self._at_once -= 1
        return self.answer(update)

    async def until(self, enough: Callable[[], bool]) -> None:
        """Waits until what came is enough."""
        async with asyncio.timeout(20):
            while not enough():
                self._came.clear()
                await self._came.wait()

    def texts(self) -> list[str]:
        return [update["message"].get("text", "") for update in self.updates if "message" in update]


@asynccontextmanager
async def webhook(answer: Answer | None = None) -> AsyncIterator[Receiver]:
    """A little server on loopback that takes updates."""
    receiver = Receiver()
    if answer is not None:
        receiver.answer = answer
    application = web.Application()
    application.router.add_post("/hook", receiver.receive)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
        yield receiver
    finally:
        await runner.cleanup()


async def until(holds: Callable[[], bool]) -> None:
    """Waits for something inside the stand-in that tells nobody when it happens."""
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def served(files: dict[str, tuple[str, bytes]]) -> AsyncIterator[str]:
    """A web server with these files by name: (type, bytes); gives its address."""

    async def serve(request: web.Request) -> web.Response:
        found = files.get(request.match_info["name"])
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found[1], content_type=found[0])

    application = web.Application()
    application.router.add_get("/{name}", serve)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def picture(width: int = 64, height: int = 48, colour: str = "teal", kind: str = "PNG") -> bytes:
    """A real picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, kind)
    return buffer.getvalue()


def keyboard(*buttons: tuple[str, str]) -> dict[str, Any]:
    """An inline keyboard with one button per row: (text, callback data)."""
    return {"inline_keyboard": [[{"text": text, "callback_data": data}] for text, data in buttons]}
