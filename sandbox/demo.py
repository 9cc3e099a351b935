"""The demo: the whole shop on local stand-ins, to be looked at in a browser or walked through by a program."""

import argparse
import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from rich.console import Console

from sandbox.customer import Customer, NothingHappened
from sandbox.guard import ProductionSettings
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, Shop, ShopDied, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.walk import Purchase, WalkFailed, buy_picture

RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16")
CHAT_PORT, SHOP_PORT, KIE_PORT = 8765, 8766, 8767
WELCOME_RUB = "1000"  # the dearest clip is within reach
# The last line of --once and --runs is for programs; everything else goes to the other stream.
say = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything that runs during a demo."""

    chat_url: str
    kie_url: str
    shop: Shop
    process: asyncio.subprocess.Process  # the shop's, as it was started first


@contextlib.asynccontextmanager
async def staged(folder: Path, time_scale: float, **settings: str) -> AsyncIterator[Stage]:
    """Starts the stand-ins and the shop, with more settings for it, and closes them in reverse."""
    telegram = TelegramSandbox(TelegramOptions(port=free_port(CHAT_PORT), state_dir=folder / "telegram"))
    kie_ports = [free_port(KIE_PORT + n) for n in range(3)]
    kie = KieSandbox(
        KieOptions(
            time_scale=time_scale,
            api_port=kie_ports[0],
            upload_port=kie_ports[1],
            result_port=kie_ports[2],
            newer_keys=True,
            state_dir=folder / "kie",
        )
    )
    async with contextlib.AsyncExitStack() as stack:
        step("Starting the stand-ins for Telegram and the provider")
        await stack.enter_async_context(telegram)
        await stack.enter_async_context(kie)
        port = free_port(SHOP_PORT)
        shop = Shop(
            folder / "shop",
            {
                "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
                "TELEGRAM_BASE_URL": telegram.base_url,
                "KIE_API_KEY": KIE_KEY,
                "KIE_BASE_URL": kie.api_url,
                "KIE_UPLOAD_URL": kie.upload_url,
                "BOT_MODE": "webhook",
                "WEBHOOK_BASE_URL": f"http://127.0.0.1:{port}",
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "DATA_DIR": str(folder / "shop" / "data"),
                "WELCOME_BALANCE_RUB": WELCOME_RUB,
                "ALLOW_PRIVATE_LINKS": "true",
                **settings,
            },
        )
        step("Starting PostgreSQL and the shop")
        process = await stack.enter_async_context(shop.open())
        yield Stage(telegram.base_url, kie.api_url, shop, process)
        step("Closing")


def step(text: str) -> None:
    """One line of progress."""
    say.print(f"[dim]·[/dim] {text}…")


async def show(stage: Stage, stopping: asyncio.Event) -> None:
    """Until Ctrl-C."""
    say.print(f"\n[bold]The shop is open:[/bold] [link]{stage.chat_url}/[/link]")
    say.print("Play the customer there: /start, then “🖼 Картинка по описанию”. Nothing is paid. Ctrl-C closes it.\n")
    await stopping.wait()


async def walk(stage: Stage, prompt: str, ratio: str, out: Path, runs: int) -> int:
    """Buys pictures one after another as one new customer; prints the report; gives the exit code."""
    telegram_id = random.SystemRandom().randrange(10**8, 10**9)
    bought: list[Purchase] = []
    problems: list[str] = []
    started = time.monotonic()
    async with Customer(stage.chat_url, telegram_id, BOT_ID) as customer:
        for number in range(1, runs + 1):
            try:
                bought.append(await buy_picture(customer, prompt, ratio, out))
                say.print(f"[green]✓[/green] {number}/{runs} {bought[-1].file}")
            except (WalkFailed, NothingHappened) as problem:
                problems.append(str(problem))
                say.print(f"[red]✗[/red] {number}/{runs} {problem}")
    seconds = round(time.monotonic() - started, 2)
    books = await stage.shop.ask("customer", str(telegram_id))
    broken = {name: count for name, count in (await stage.shop.ask("audit")).items() if count}
    callbacks = await _callbacks(stage)
    print(json.dumps(report(books, bought, problems, callbacks, seconds, broken), ensure_ascii=False))  # noqa: T201
    return 1 if problems or broken or len(bought) < runs else 0


async def _callbacks(stage: Stage) -> dict[str, int]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{stage.kie_url}/_sandbox/kie/stats") as answer,
    ):
        return dict((await answer.json())["callbacks"])


def report(
    books: dict[str, Any],
    bought: Sequence[Purchase],
    problems: Sequence[str],
    callbacks: dict[str, int],
    seconds: float,
    broken: dict[str, int],
) -> dict[str, Any]:
    """Money as the shop's books say it, pictures as the chat holds them; the named generation is the last one."""
    rows = books["generations"]
    last = rows[0] if rows else {}
    captured = sum(row["captures"] for row in rows)
    return {
        "generation": last.get("id"),
        "state": last.get("state"),
        "charged_rub": last.get("charged_rub"),
        "balance_rub": books["balance_rub"],
        "held_rub": books["held_rub"],
        "file": str(bought[-1].file) if bought else None,
        "size": [bought[-1].width, bought[-1].height] if bought else None,
        "seconds": seconds,
        "succeeded": len(bought),
        "failed": len(problems),
        "lost_callbacks": callbacks["never_acknowledged"] + callbacks["dropped_by_fault"],
        "double_charges": max(captured - len(bought), 0) + sum(row["captures"] > 1 for row in rows),
        "broken_invariants": broken,
    }


def arguments(argv: Sequence[str] | None = None) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog="demo", description=__doc__)
    parser.add_argument("--once", metavar="PROMPT", help="buy a picture without a browser and print a JSON report")
    parser.add_argument("--ratio", choices=RATIOS, default="1:1", help="shape of the picture (default 1:1)")
    parser.add_argument("--out", type=Path, default=Path("out"), metavar="DIR", help="where pictures go (default out)")
    parser.add_argument("--runs", type=int, default=0, metavar="N", help="buy N pictures in a row (up to 100)")
    parser.add_argument("--data", type=Path, default=Path(".demo"), metavar="DIR", help="where everything is kept")
    parser.add_argument("--time-scale", type=float, default=0.05, help="1: as slow as the real provider (default 0.05)")
    parsed = parser.parse_args(argv)
    if not 0 <= parsed.runs <= 100 or not 0 < parsed.time_scale <= 1:
        parser.error("--runs goes from 1 to 100, --time-scale from just over 0 to 1")
    return parsed


async def demo(options: argparse.Namespace) -> int:
    """The exit code."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    playing = asyncio.create_task(_play(options, stopping))
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait((playing, stopped), return_when=asyncio.FIRST_COMPLETED)
    if not playing.done() and _is_walk(options):
        playing.cancel()
    stopped.cancel()
    await asyncio.gather(stopped, playing, return_exceptions=True)
    return 130 if playing.cancelled() else playing.result()


def _is_walk(options: argparse.Namespace) -> bool:
    return bool(options.once or options.runs)


async def _play(options: argparse.Namespace, stopping: asyncio.Event) -> int:
    async with staged(options.data.resolve(), options.time_scale) as stage:
        if _is_walk(options):
            return await walk(stage, options.once or "кот-космонавт", options.ratio, options.out, options.runs or 1)
        await show(stage, stopping)
    return 0


def main() -> None:
    """Runs the demo; what goes wrong is said in plain words."""
    try:
        code = asyncio.run(demo(arguments()))
    except (ShopDied, ProductionSettings, OSError) as problem:
        say.print(f"[red]The demo cannot go on:[/red] {problem}", markup=True)
        code = 1
    sys.exit(code)


if __name__ == "__main__":
    main()
