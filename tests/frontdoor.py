"""The web side of a shop: a real server on a free port over a real database, and visitors who knock."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiogram import Bot, Dispatcher
from aiogram.types import Message

from kiosk.bot.intake import BotIntake
from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.callback import CallbackDesk
from kiosk.generations.store import Generation
from kiosk.web import Front, create_app, serving
from kiosk.web.front import BotState, Intake, Running
from tests.shopkeeping import BOT, a_customer, submitting

SECRET = "secret-of-the-webhook"
PRICE = 80
METRICS_TOKEN = "token-of-whoever-scrapes"
PATIENCE_S = 30.0  # for answers that never come when something is broken


@dataclass(frozen=True)
class Answer:
    """What came back; `body` is parsed JSON, or text when it is none."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Counter:
    """An intake that remembers; `deal` is what it does with a body."""

    secret: str = SECRET
    taken: list[bytes] = field(default_factory=list)
    deal: Callable[[bytes], Awaitable[bool]] | None = None

    async def take(self, body: bytes) -> bool:
        self.taken.append(body)
        return await self.deal(body) if self.deal else True


@dataclass
class Door:
    """A running server, and a client of it."""

    db: Database
    front: Front
    port: int
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **request: Any) -> Answer:
        async with self.session.request(method, f"http://127.0.0.1:{self.port}{path}", **request) as answer:
            text = await answer.text()
            with contextlib.suppress(json.JSONDecodeError):
                return Answer(answer.status, answer.headers, json.loads(text))
            return Answer(answer.status, answer.headers, text)

    async def get(self, path: str) -> Answer:
        return await self.ask("GET", path)

    async def post(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """`body`: bytes as they are, anything else as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.ask("POST", path, data=data, headers=headers or {})

    async def telegram(self, body: Any, *, bot: object = BOT, secret: str | None = SECRET) -> Answer:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret} if secret is not None else {}
        return await self.post(f"/telegram/{bot}", body, headers)

    async def raw(self, request: bytes) -> bytes:
        """Sends exactly this and reads the head of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        async with asyncio.timeout(PATIENCE_S):
            writer.write(request)
            await writer.drain()
            answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
        return answer

    async def order(self, generation_id: int) -> Generation:
        async with self.db.reading() as tx:
            found = await store.get(tx, generation_id)
        assert found is not None
        return found

    async def count(self, what: str) -> int:
        async with self.db.reading() as tx:
            counted: int = await tx.fetchval(f"SELECT count(*) FROM {what}")
        return counted

    async def jobs(self) -> list[tuple[str, int]]:
        async with self.db.reading() as tx:
            rows = await tx.fetch("SELECT entrypoint, payload FROM pgqueuer ORDER BY id")
        return [(row["entrypoint"], int(row["payload"])) for row in rows]


@contextlib.asynccontextmanager
async def a_door(
    db: Database,
    *,
    intake: Intake | None = None,
    hmac_key: str | None = None,
    checks: Mapping[str, Callable[[], Awaitable[bool]]] | None = None,
    is_open: bool = True,
) -> AsyncIterator[Door]:
    """A server whose shop is open, unless it is to be one that still starts."""

    async def database_answers() -> bool:
        await db.ping()
        return True

    running = Running(
        db=db,
        callbacks=CallbackDesk(db, poll_first_s=600),
        intakes={BOT: intake or Counter()},
        hmac_key=hmac_key,
        checks=checks or {"database": database_answers},
        bots=lambda: [BotState(BOT, "kiosk_bot", accepted=True, active=True, hears=True)],
    )
    front = Front("1.2.3", running if is_open else None)
    # After an answer of 500 the server closes the connection: each request gets its own.
    connector = aiohttp.TCPConnector(force_close=True)
    async with (
        serving(create_app(front, metrics_token=METRICS_TOKEN), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        yield Door(db, front, port, session)


@contextlib.asynccontextmanager
async def a_bot_intake(*handlers: Callable[[Message], Awaitable[None]]) -> AsyncIterator[BotIntake]:
    """The real intake of a bot that does nothing but call these with messages."""
    bot, dispatcher = Bot(f"{BOT}:sandbox-of-a-test"), Dispatcher(disable_fsm=True)
    for handler in handlers:
        dispatcher.message.register(handler)
    try:
        yield BotIntake(bot, dispatcher, SECRET)
    finally:
        await bot.session.close()


async def an_order(db: Database) -> Generation:
    """One whose createTask is on its way: a callback may be the first to name its task."""
    async with db.transaction() as tx:
        customer = await a_customer(tx, kopecks=1000)
        order = await submitting(tx, customer, price=PRICE)
        found = await store.get(tx, order)
    assert found is not None
    return found


def note(task_id: str = "task-1") -> dict[str, Any]:
    """A callback's body as the provider's pages show it."""
    return {"code": 200, "msg": "Playground task completed successfully.", "data": {"taskId": task_id}}


def signature(key: str, task_id: str, moment: datetime | None = None) -> dict[str, str]:
    """The provider's two headers (docs.kie.ai/common-api/webhook-verification)."""
    timestamp = str(int((moment or datetime.now(UTC)).timestamp()))
    digest = hmac.new(key.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()
    return {"X-Webhook-Timestamp": timestamp, "X-Webhook-Signature": base64.b64encode(digest).decode()}
