"""The whole shop in this process, open: real database, both stand-ins over HTTP, webhooks, worker and all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.store import Generation
from kiosk.ledger.audit import audit
from kiosk.settings import load_settings
from kiosk.web import Front, create_app, serving
from kiosk.wiring import keep_shop
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.limits import FloodLimits

BOT = 7000001
PATIENCE_S = 60.0
METRICS_TOKEN = "token-of-whoever-scrapes"


@dataclass
class OpenShop:
    """`settings` are the shop's environment; faults go to either stand-in."""

    db: Database
    telegram: TelegramSandbox
    kie: KieSandbox
    url: str
    front: Front

    @contextlib.asynccontextmanager
    async def customer(self, telegram_id: int = 1001) -> AsyncIterator[Customer]:
        async with Customer(self.telegram.base_url, telegram_id, BOT) as customer:
            yield customer

    def telegram_fault(self, name: str, target: str, *, times: int | None = 1, **args: Any) -> None:
        self.telegram.faults.add(Fault(name, target, times=times, args=args))

    def kie_fault(self, name: str, target: str, *, times: int | None = 1, **args: Any) -> None:
        self.kie.faults.add(Fault(name, target, times=times, args=args))

    async def order(self, generation_id: int) -> Generation:
        async with self.db.reading() as tx:
            found = await store.get(tx, generation_id)
        assert found is not None
        return found

    async def settled_order(self, generation_id: int) -> Generation:
        """Once everything it owes is in the chat."""
        async with asyncio.timeout(PATIENCE_S):
            while not (order := await self.order(generation_id)).delivered_at:
                await asyncio.sleep(0.05)
        return order

    async def broken_invariants(self) -> list[str]:
        async with self.db.reading() as tx:
            return [finding.invariant.name for finding in await audit(tx) if finding.broken]


@contextlib.asynccontextmanager
async def an_open_shop(
    dsn: str,
    db: Database,
    *,
    mode: str = "webhook",
    flood: FloodLimits | None = None,
    tokens: Mapping[int, str] | None = None,
    **changes: Any,
) -> AsyncIterator[OpenShop]:
    """Ready inside the block; tasks of the provider take a fraction of a second. `flood`: the pace Telegram allows;
    `tokens`: those that @BotFather gave last, where they are not the shop's.
    """
    telegram = TelegramSandbox(TelegramOptions(time_scale=0.02, flood=flood))
    kie = KieSandbox(KieOptions(time_scale=0.005, create_limit=None, poll_limit_per_s=None, newer_keys=True))
    front, stopping = Front("test"), asyncio.Event()
    async with telegram, kie, serving(create_app(front, metrics_token=METRICS_TOKEN), "127.0.0.1", 0) as port:
        url = f"http://127.0.0.1:{port}"
        telegram.world.tokens.update(tokens or {})
        settings = load_settings(
            {
                "telegram_bot_token": f"{BOT}:sandbox-test",
                "telegram_base_url": telegram.base_url,
                "kie_api_key": "sandbox-test",
                "kie_base_url": kie.api_url,
                "kie_upload_url": kie.upload_url,
                "bot_mode": mode,
                "webhook_base_url": url,
                "welcome_balance_rub": "100",
                "submit_grace_s": 2,
                "poll_first_s": 1,
                "single_model_only": True,
                "allow_private_links": True,
                "provider_creates": 1000,
                "provider_window_s": 1,
                **changes,
            },
            env_file=None,
        )
        keeping = asyncio.create_task(keep_shop(settings, dsn, db, front, stopping))
        try:
            await _until_ready(front, keeping)
            yield OpenShop(db, telegram, kie, url, front)
        finally:
            stopping.set()
            await keeping


async def _until_ready(front: Front, keeping: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(PATIENCE_S):
        while front.running is None or not all([await check() for check in front.running.checks.values()]):
            if keeping.done():
                await keeping
            await asyncio.sleep(0.02)


def button(message: dict[str, Any], label: str) -> str:
    """The data of the button with this label."""
    for row in message["inline_keyboard"]:
        for item in row:
            if label in item["text"]:
                return str(item["callback_data"])
    raise AssertionError(f"no button {label!r} in {message['inline_keyboard']}")


def shows(*texts: str) -> Any:
    """A message of the bot that holds all these."""
    return lambda message: message["from"] == "bot" and all(text in (message["text"] or "") for text in texts)


async def at_the_card(customer: Customer, prompt: str = "кот", ratio: str = "16:9") -> dict[str, Any]:
    """Walks to the card and gives its message."""
    await customer.send_text("/start")
    home = await customer.wait_until(shows("Привет"), PATIENCE_S)
    await customer.click(home["message_id"], button(home, "Создать картинку"))
    await customer.wait_until(shows("Опишите картинку"), PATIENCE_S)
    await customer.send_text(prompt)
    ratios = await customer.wait_until(shows("Выберите формат"), PATIENCE_S)
    await customer.click(ratios["message_id"], button(ratios, ratio))
    return await customer.wait_until(shows("Цена"), PATIENCE_S)


async def confirmed(customer: Customer, card: dict[str, Any]) -> int:
    """Presses "create"; the order's number."""
    data = button(card, "Создать")
    await customer.click(card["message_id"], data)
    return int(data.split(":")[1])


async def message(customer: Customer, message_id: int) -> dict[str, Any]:
    """The message as the chat shows it now."""
    chat = await customer.chat()
    return next(dict(item) for item in chat["messages"] if item["message_id"] == message_id)
