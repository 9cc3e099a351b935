"""A group becomes a supergroup while it is owed something: the result goes there, and touches nothing that is there."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.plan import Media, Output
from kiosk.delivery.send import Courier
from kiosk.generations import store
from kiosk.generations.deliver import Deliverer
from kiosk.generations.settle import Settler
from kiosk.generations.states import Failure, State
from tests.shopkeeping import BOT, a_customer, running
from tests.shopprocess import TOKEN

MB = 1024 * 1024
OLD, NEW = -500, -1001234567890
OURS = 77  # the number of every message that is sent into the new chat
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00"
MOVED = {
    "ok": False,
    "error_code": 400,
    "description": "Bad Request: group chat was upgraded to a supergroup chat",
    "parameters": {"migrate_to_chat_id": NEW},
}
SHOWN = {"message_id": OURS, "date": 1, "chat": {"id": NEW, "type": "supergroup", "title": "x"}}


@dataclass
class Supergroup:
    """A Telegram with one group, which has moved, and the file of the result."""

    url: str = ""
    calls: list[tuple[str, int, str]] = field(default_factory=list)  # method, chat, message replied to

    async def answer(self, request: web.Request) -> web.Response:
        fields = await request.post()
        chat = int(str(fields["chat_id"]))
        self.calls.append((request.match_info["method"], chat, str(fields.get("reply_parameters", ""))))
        if chat == OLD:
            return web.json_response(MOVED, status=400)
        album = len(json.loads(str(fields.get("media", "[]"))))
        return web.json_response({"ok": True, "result": [SHOWN] * album if album else SHOWN})

    async def give(self, _request: web.Request) -> web.Response:
        return web.Response(body=PNG)

    @property
    def in_new_chat(self) -> list[str]:
        return [method for method, chat, _ in self.calls if chat == NEW]


@contextlib.asynccontextmanager
async def a_supergroup() -> AsyncIterator[Supergroup]:
    group = Supergroup()
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", group.answer)
    app.router.add_get("/1.png", group.give)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    group.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield group
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def a_deliverer(database: Database, group: Supergroup) -> AsyncIterator[Deliverer]:
    async with aiohttp.ClientSession() as session, make_bot(TOKEN, group.url) as bot:
        messenger = TelegramMessenger(bot, default_shelf())
        yield Deliverer(database, {BOT: Courier(messenger, Fetcher(session, "tests", MB), MB)})


async def settled(database: Database, group: Supergroup, *, well: bool, files: int = 1) -> int:
    """An order of the group's, with everything still to be told."""
    async with database.transaction() as tx:
        number = await running(tx, await a_customer(tx, kopecks=1000), price=10)
        await tx.execute("UPDATE generations SET chat_id = $2 WHERE id = $1", number, OLD)
        order = await store.get(tx, number)
    assert order is not None
    settler = Settler(database)
    if well:
        assert await settler.succeed(order, [Output(Media.IMAGE, f"{group.url}/1.png")] * files)
    else:
        assert await settler.fail(order, Failure.PROVIDER, was=State.RUNNING)
    return number


@pytest.mark.parametrize(
    ("well", "sent"), [(True, ["sendPhoto", "sendMessage"]), (False, ["sendMessage"])], ids=["result", "failure"]
)
async def test_group_that_became_a_supergroup_gets_what_it_is_owed(
    database: Database, well: bool, sent: list[str]
) -> None:
    """As new messages: a number of the old chat may be somebody else's message in the new one."""
    async with a_supergroup() as group, a_deliverer(database, group) as deliver:
        order = await settled(database, group, well=well)
        for _ in range(2):
            await deliver(order)
        assert group.in_new_chat == sent
        replies = [reply for _, chat, reply in group.calls if chat == NEW and reply]
        assert all(str(OURS) in reply for reply in replies)
        async with database.reading() as tx:
            found = await store.get(tx, order)
        assert found is not None
        assert found.delivered_at
        assert (found.chat_id, found.status_message) == (NEW, 0)


async def test_group_that_moves_between_two_parcels_is_followed(database: Database) -> None:
    """The result was shown in the old chat, the ring comes in the new one and replies to nothing there."""
    async with a_supergroup() as group, a_deliverer(database, group) as deliver:
        order = await settled(database, group, well=True)
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE deliveries SET state = 'sent', sent_at = now(), message_id = 5 WHERE part = 'result'"
            )
        for _ in range(2):
            await deliver(order)
        assert [call for call in group.calls if call[1] == NEW] == [("sendMessage", NEW, "")]
        async with database.reading() as tx:
            found = await store.get(tx, order)
        assert found is not None
        assert found.delivered_at


async def test_group_that_moves_before_an_album_is_followed(database: Database) -> None:
    """All of its files go to the new chat as one, and reply to nothing there."""
    async with a_supergroup() as group, a_deliverer(database, group) as deliver:
        order = await settled(database, group, well=True, files=4)
        async with database.transaction() as tx:
            await tx.execute(
                "UPDATE deliveries SET state = 'sent', sent_at = now(), message_id = 5 WHERE part = 'result'"
            )
        for _ in range(2):
            await deliver(order)
        assert [call for call in group.calls if call[1] == NEW] == [
            ("sendMediaGroup", NEW, ""),
            ("sendMessage", NEW, ""),
        ]
        assert [method for method, chat, _ in group.calls if chat == OLD] == ["sendMediaGroup"]
        async with database.reading() as tx:
            assert await tx.fetchval("SELECT array_agg(tries) FROM deliveries WHERE part = 'extra'") == [1, 1, 1]
