"""Pushes updates to a bot's webhook: in order per chat, several chats at once, again and again until a 2xx."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import aiohttp

from sandbox.faults import Fault
from sandbox.telegram.stats import Stats
from sandbox.telegram.updates import Update, UpdateQueue

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0
LONGEST_RETRY_AFTER_S = 3600
_REPLY_BYTES = 1024 * 1024


@dataclass(slots=True)
class Webhook:
    """Where a bot wants its updates, and how the last failed delivery failed."""

    url: str
    secret: str = ""
    max_connections: int = 40
    last_error_at: int | None = None
    last_error: str = ""

    def dump(self) -> dict[str, Any]:
        """For the snapshot."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PushRules:
    """What a pusher needs from its surroundings; `time_scale` stretches its own pauses, never a stated Retry-After."""

    session: aiohttp.ClientSession
    stats: Stats
    draw_faults: Callable[[], tuple[Fault, ...]]
    execute: Callable[[Mapping[str, Any]], Awaitable[None]]
    confirmed: Callable[[], None]
    time_scale: float
    timeout_s: float


@dataclass(frozen=True, slots=True)
class _Failed:
    reason: str
    retry_after_s: float | None = None


class WebhookPusher:
    """Delivers one bot's queue to one webhook until it is stopped; what is not confirmed by then stays in the queue."""

    def __init__(self, queue: UpdateQueue, webhook: Webhook, rules: PushRules) -> None:
        self._queue = queue
        self._webhook = webhook
        self._rules = rules
        self._lanes: dict[int, deque[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(webhook.max_connections)

    def start(self) -> None:
        """Takes up what is pending and everything that comes."""
        self._queue.on_put = self._put
        for update in self._queue.pending():
            self._put(update)

    async def stop(self) -> None:
        """Ends deliveries that are under way; their updates stay pending."""
        self._queue.on_put = lambda _update: None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _put(self, update: Update) -> None:
        lane = self._lanes.get(update.lane)
        if lane is not None:
            lane.append(update.update_id)
            return
        self._lanes[update.lane] = deque([update.update_id])
        task = asyncio.ensure_future(self._serve(update.lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, lane: int) -> None:
        waiting = self._lanes[lane]
        while waiting:
            await self._deliver(waiting[0])
            waiting.popleft()
        del self._lanes[lane]

    async def _deliver(self, update_id: int) -> None:
        faults = {fault.name: fault for fault in self._rules.draw_faults()}
        if "delay_update" in faults:
            await asyncio.sleep(float(faults["delay_update"].args.get("delay_s", 1)))  # type: ignore[arg-type]  # JSON
        pause_s = FIRST_PAUSE_S
        while (update := self._queue.get(update_id)) is not None:
            failed = await self._attempt(update)
            if failed is None:
                if "duplicate_update" in faults:
                    await self._attempt(update)
                self._queue.drop(update_id)
                self._rules.confirmed()
                return
            self._note(failed)
            await asyncio.sleep(
                pause_s * self._rules.time_scale if failed.retry_after_s is None else failed.retry_after_s
            )
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)

    def _note(self, failed: _Failed) -> None:
        self._webhook.last_error_at = int(time.time())
        self._webhook.last_error = failed.reason
        self._rules.stats.webhook_retries += 1

    async def _attempt(self, update: Update) -> _Failed | None:
        headers = {SECRET_HEADER: self._webhook.secret} if self._webhook.secret else {}
        self._rules.stats.webhook_requests += 1
        try:
            async with (
                self._slots,
                self._rules.session.post(
                    self._webhook.url,
                    json=update.as_json(),
                    headers=headers,
                    allow_redirects=False,
                    timeout=aiohttp.ClientTimeout(total=self._rules.timeout_s),
                ) as response,
            ):
                if not 200 <= response.status <= 299:
                    return _Failed(
                        f"Wrong response from the webhook: {response.status} {response.reason}",
                        _retry_after_s(response.headers.get("Retry-After")),
                    )
                body = await _read(response)
        except TimeoutError:
            return _Failed("Read timeout expired")
        except aiohttp.ClientConnectorError:
            return _Failed("Connection refused")
        except aiohttp.ClientError:
            return _Failed("Webhook connection closed")
        self._rules.stats.webhook_deliveries += 1
        await self._answer(body)
        return None

    async def _answer(self, body: bytes) -> None:
        """A reply may itself be a call: https://core.telegram.org/bots/api#making-requests-when-getting-updates"""
        try:
            call = json.loads(body) if body.strip() else None
        except ValueError:
            return
        if isinstance(call, dict) and isinstance(call.get("method"), str):
            await self._rules.execute(call)


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """Empty when the reply is larger than any call could be."""
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > _REPLY_BYTES:
            return b""
    return bytes(body)


def _retry_after_s(header: str | None) -> float | None:
    """None without a usable one; bounded as on Telegram's servers."""
    if header is None or not header.strip().isdigit():
        return None
    return min(float(header), LONGEST_RETRY_AFTER_S) or None
