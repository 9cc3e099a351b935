"""Orders a second through the whole shop: press, provider, picture in the chat; by one process and by several."""

import asyncio
import contextlib
import random
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from bench.table import markdown, ratio
from chaos.balancer import Balancer
from chaos.customers import FIRST_ID, Diary, Habits, Shopper
from kiosk.db import Database
from sandbox.customer import Customer
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, Shop, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox

ORDERS = 150
CUSTOMERS = 24
LOOK_S = 0.5
PATIENCE_S = 900.0
CALM = Habits(double_click=0, old_button=0, command=0, patient=1, again=1, deletes=0, blocks=0)
PIXELS = 256 * 256  # drawing pictures is the stand-in's work, not the shop's


async def measure(dsns: Sequence[str], folder: Path) -> str:
    """One database for each run: one process, then two, then three."""
    found = [await _run(dsn, folder / str(number), number) for number, dsn in enumerate(dsns, 1)]
    (first_rate, first_took), rows = found[0], []
    for number, (rate, took) in enumerate(found, 1):
        rows.append((f"{number}", ratio(rate, first_rate), ratio(took, first_took)))
    return markdown(("processes of `kiosk run`", "orders a second", "from the press to the picture, median"), rows)


async def _run(dsn: str, folder: Path, processes: int) -> tuple[float, float]:
    """Orders a second, and the median seconds of one."""
    async with contextlib.AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(TelegramSandbox(TelegramOptions(time_scale=0.1)))
        options = KieOptions(time_scale=0.02, create_limit=None, poll_limit_per_s=None, picture_pixels=PIXELS)
        kie = await stack.enter_async_context(KieSandbox(options))
        ports = [free_port() for _ in range(processes)]
        balancer = await stack.enter_async_context(Balancer(ports))
        settings = {
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "TELEGRAM_MESSAGES_PER_S": "1000",
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "DATABASE_URL": dsn,
            "BOT_MODE": "webhook",
            "WEBHOOK_BASE_URL": balancer.url,
            "HOST": "127.0.0.1",
            "WELCOME_BALANCE_RUB": "100000",
            "SINGLE_MODEL_ONLY": "true",
            "ALLOW_PRIVATE_LINKS": "true",
            "PROVIDER_CREATES": "1000",
            "PROVIDER_WINDOW_S": "1",
            "LOG_LEVEL": "warning",
        }
        for port in ports:
            shop = Shop(folder / str(port), {**settings, "PORT": str(port)})
            await stack.enter_async_context(shop.open())
        await _buy(stack, telegram, dsn)
        return await _figures(dsn)


async def _buy(stack: contextlib.AsyncExitStack, telegram: TelegramSandbox, dsn: str) -> None:
    """Customers buy side by side until there are enough orders, and everything is delivered."""
    diary, shopping = Diary(ORDERS), []
    for number in range(FIRST_ID, FIRST_ID + CUSTOMERS):
        person = await stack.enter_async_context(Customer(telegram.base_url, number, BOT_ID))
        shopper = Shopper(telegram, person, number, diary, random.Random(number), CALM)
        shopping.append(asyncio.create_task(shopper.buy()))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not diary.complete:  # noqa: ASYNC110 - they write it without a bell
                await asyncio.sleep(LOOK_S)
    finally:
        for task in shopping:
            task.cancel()
        await asyncio.gather(*shopping, return_exceptions=True)
    async with await Database.connect(dsn, max_size=1) as db, asyncio.timeout(PATIENCE_S):
        while await _open(db):  # noqa: ASYNC110 - what other processes do is waited for by looking
            await asyncio.sleep(LOOK_S)


async def _open(db: Database) -> int:
    async with db.reading() as tx:
        count: int = await tx.fetchval(
            "SELECT count(*) FROM generations WHERE confirmed_at IS NOT NULL AND delivered_at IS NULL"
        )
    return count


async def _figures(dsn: str) -> tuple[float, float]:
    """From the shop's own times; the first orders, which met a cold shop, are left out."""
    async with await Database.connect(dsn, max_size=1) as db, db.reading() as tx:
        rows = await tx.fetch(
            "SELECT confirmed_at, delivered_at FROM generations WHERE confirmed_at IS NOT NULL ORDER BY confirmed_at"
        )
    kept = rows[len(rows) // 5 :]
    lasted_s = (max(row["delivered_at"] for row in kept) - kept[0]["confirmed_at"]).total_seconds()
    took_s = median((row["delivered_at"] - row["confirmed_at"]).total_seconds() for row in kept)
    return len(kept) / lasted_s, took_s
