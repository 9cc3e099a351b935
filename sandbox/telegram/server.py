"""The stand-in as a whole: one port, its applications, its state read and written."""

import os
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

import aiohttp
from aiohttp import web

from sandbox.faults import Faults
from sandbox.guard import refuse_production
from sandbox.telegram.customer import CustomerApi
from sandbox.telegram.faults import KNOWN
from sandbox.telegram.files import FileStore
from sandbox.telegram.limits import UPLOAD_BYTES, FloodGate
from sandbox.telegram.methods import BotApi
from sandbox.telegram.page import ChatPage
from sandbox.telegram.pushing import start_pushing, stop_pushing
from sandbox.telegram.snapshot import Saver
from sandbox.telegram.world import TelegramOptions, World

HOST = "127.0.0.1"
STATS_PATH = "/_sandbox/telegram/stats"
_SHUTDOWN_S = 0.5


class TelegramSandbox:
    """Runs inside the caller's event loop, on loopback only.

    `start` raises ProductionSettings beside settings of a real shop, and OSError when the port is taken.
    """

    def __init__(self, options: TelegramOptions) -> None:
        self._options = options
        self._stack = AsyncExitStack()
        self._port = 0
        self._world: World | None = None

    @property
    def world(self) -> World:
        """The state, for tests in the same process; raises RuntimeError before the start."""
        if self._world is None:
            raise RuntimeError("the stand-in is not started")
        return self._world

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self.world.faults

    @property
    def base_url(self) -> str:
        """Where the Bot API, the customer's side and the chat page are."""
        return f"http://{HOST}:{self._port}"

    async def start(self) -> None:
        """Returns when requests are answered and pending updates are on their way."""
        refuse_production(os.environ)
        async with AsyncExitStack() as stack:
            await self._build(stack)
            self._stack = stack.pop_all()

    async def stop(self) -> None:
        """Ends open requests and deliveries, writes the state, closes everything; may be called twice."""
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _build(self, stack: AsyncExitStack) -> None:
        folder = self._options.state_dir or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        world = self._world = World(
            options=self._options,
            files=FileStore(folder / "files"),
            faults=Faults(self._options.seed, KNOWN),
            session=await stack.enter_async_context(aiohttp.ClientSession()),
        )
        bot_api = BotApi(world, FloodGate(self._options.flood, time.monotonic))
        world.on_reply = bot_api.execute
        if self._options.state_dir is not None:
            saver = Saver(world, folder)
            saver.start()
            stack.push_async_callback(saver.stop)
        stack.push_async_callback(self._stop_pushing)
        await self._listen(stack, self._application(world, bot_api))
        for bot in world.bots.values():
            start_pushing(world, bot)

    def _application(self, world: World, bot_api: BotApi) -> web.Application:
        application = web.Application(client_max_size=UPLOAD_BYTES)
        application.add_routes(bot_api.routes())
        application.add_routes(CustomerApi(world).routes())
        application.add_routes(ChatPage().routes())
        application.add_routes(world.faults.routes())
        application.router.add_get(STATS_PATH, self._show_stats)
        return application

    async def _listen(self, stack: AsyncExitStack, application: web.Application) -> None:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=_SHUTDOWN_S)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, HOST, self._options.port)
        await site.start()
        self._port = int(runner.addresses[0][1])

    async def _stop_pushing(self) -> None:
        for bot in self.world.bots.values():
            await stop_pushing(bot)

    async def _show_stats(self, _request: web.Request) -> web.Response:
        world = self.world
        return web.json_response(
            {
                **world.stats.as_json(),
                "stored_messages": {
                    f"{bot_id}/{user_id}": len(chat.messages) for (bot_id, user_id), chat in world.chats.items()
                },
                "pending_updates": {str(bot.id): len(bot.queue) for bot in world.bots.values()},
            }
        )
