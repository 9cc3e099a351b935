"""`kiosk` as a process of its own, and a Telegram that answers only when it is let."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).parents[1]
BOT = 7000001
TOKEN = f"{BOT}:sandbox-token-of-a-test-that-is-long"
KEY = "sandbox-key-of-a-test"
PATIENCE_S = 120.0  # for what never comes when something is broken
KEPT = ("PATH", "HOME", "LANG", "TMPDIR")

ME = {"id": BOT, "is_bot": True, "first_name": "Kiosk", "username": "kiosk_test_bot"}


@dataclass
class SilentTelegram:
    """Answers what a shop asks while it opens, except what is in `held`; that waits for `let_go`."""

    held: frozenset[str] = frozenset()
    refusals: dict[str, int] = field(default_factory=dict)  # method -> HTTP status
    me: Any = field(default_factory=lambda: ME)
    url: str = ""
    called: dict[str, asyncio.Event] = field(default_factory=dict)
    told: dict[str, dict[str, str]] = field(default_factory=dict)  # method -> its latest arguments
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def webhook(self) -> dict[str, Any]:
        """As it was set last."""
        told = self.told.get("setWebhook", {})
        return {
            "url": told.get("url", ""),
            "has_custom_certificate": False,
            "pending_update_count": 0,
            "max_connections": int(told.get("max_connections", 40)),
            "allowed_updates": json.loads(told.get("allowed_updates", "[]")),
        }

    async def answer(self, request: web.Request) -> web.Response:
        method = request.match_info["method"]
        self.told[method] = {name: str(value) for name, value in (await request.post()).items()}
        self.was_called(method).set()
        if method in self.held:
            await self.let_go.wait()
        if status := self.refusals.get(method):
            return web.json_response({"ok": False, "error_code": status, "description": "Unauthorized"}, status=status)
        if method == "getUpdates":
            await asyncio.Event().wait()
        results = {"getMe": self.me, "getWebhookInfo": self.webhook}
        return web.json_response({"ok": True, "result": results.get(method, True)})

    def was_called(self, method: str) -> asyncio.Event:
        return self.called.setdefault(method, asyncio.Event())


@contextlib.asynccontextmanager
async def a_telegram(**options: Any) -> AsyncIterator[SilentTelegram]:
    """Listens on a free port of the loopback interface."""
    telegram = SilentTelegram(**options)
    app = web.Application()
    app.router.add_post("/bot{token}/{method}", telegram.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    telegram.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield telegram
    finally:
        await runner.cleanup()


@dataclass(frozen=True)
class Ended:
    """How a process ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def told(self) -> list[str]:
        """What is meant for people: the lines of its errors that are not the log's."""
        return [line for line in self.err.splitlines() if not line.startswith("{")]


@dataclass
class Process:
    """A running `kiosk`; its log is read line by line."""

    process: asyncio.subprocess.Process
    heard: list[str] = field(default_factory=list)

    async def hears(self, event: str) -> dict[str, Any]:
        """Reads the log up to this event."""
        assert self.process.stderr
        async with asyncio.timeout(PATIENCE_S):
            while line := (await self.process.stderr.readline()).decode():
                self.heard.append(line)
                if line.startswith("{") and (parsed := json.loads(line))["event"] == event:
                    return dict(parsed)
        raise AssertionError(f"ended without {event}:\n{''.join(self.heard)}")

    async def ended(self, *, told_to: bool = False, patience_s: float = PATIENCE_S) -> Ended:
        """Waits for its end; `told_to`: by SIGTERM, as every hosting platform does it."""
        if told_to:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(patience_s):
            out, err = await self.process.communicate()
        assert self.process.returncode is not None
        return Ended(self.process.returncode, out.decode(), "".join(self.heard) + err.decode())


@contextlib.asynccontextmanager
async def kiosk(folder: Path, *arguments: str, **settings: str) -> AsyncIterator[Process]:
    """Started in `folder` with these settings and none of ours; killed at the end if it still runs."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kiosk",
        *arguments,
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT), **settings},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def ran(folder: Path, *arguments: str, **settings: str) -> Ended:
    """Runs a command to its end."""
    async with kiosk(folder, *arguments, **settings) as process:
        return await process.ended()
