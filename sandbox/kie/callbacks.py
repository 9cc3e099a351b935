"""Callbacks of the provider's stand-in: body, signature, retries, and everything that can go wrong on the way."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sandbox.faults import JSON
from sandbox.kie.options import Clock, KieOptions
from sandbox.kie.records import Task, callback_body

CALLBACK_FAULTS = {
    "callback_never": "no callback is sent",
    "callback_twice": "the callback is sent again after it was acknowledged",
    "callback_late": "the callback is sent args.seconds of the provider's time after the end (default 60)",
    "callback_early": "the callback is answered before recordInfo turns terminal, args.seconds earlier (default 0)",
    "callback_before_reply": "the task ends at once and its callback is answered before createTask replies",
    "callback_reordered": "the callback waits until another task's was answered, at most args.seconds (default 60)",
    "callback_unsigned": "the callback carries no signature although a key is set",
    "callback_bad_signature": "the callback carries a wrong signature",
    "callback_stray": "a made-up result is sent at creation to the callback's address with its last letter changed",
    "callback_forged": "a made-up result with a valid signature is sent at creation, beside the real callback",
}

FORGED_URL = "https://forged.invalid/forged.png"


@dataclass(slots=True)
class CallbackStats:
    """Deliveries of real callbacks: `sent` and `answers` count attempts, the others count callbacks."""

    sent: int = 0
    acknowledged: int = 0
    dropped_by_fault: int = 0
    never_acknowledged: int = 0
    forged: int = 0
    strays: dict[str, int] = field(default_factory=dict)  # by answer
    answers: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Callbacks:
    """Sends callbacks; `session` has no time-out of its own, each attempt has the provider's 15 s."""

    options: KieOptions
    clock: Clock
    session: aiohttp.ClientSession
    stats: CallbackStats = field(default_factory=CallbackStats)
    _passed: asyncio.Event = field(default_factory=asyncio.Event)

    async def announce(self, task: Task, ended_ms: int, answered: asyncio.Event) -> None:
        """Deliver a task's callback as its faults say; `answered` is set after the first attempt, if any."""
        faults = faults_of(task)
        try:
            if task.callback_url is None:
                return
            if "callback_never" in faults:
                self.stats.dropped_by_fault += 1
                return
            await self._held_back(faults)
            for _ in range(2 if "callback_twice" in faults else 1):
                await self._deliver(task, ended_ms, answered)
        finally:
            answered.set()

    async def forge(self, task: Task) -> None:
        """One attempt with a body that is not the provider's, signed as the provider would."""
        self.stats.forged += 1
        await self._attempt(task, self._made_up(task), task.callback_url or "")

    async def stray(self, task: Task) -> None:
        """The same by somebody who does not know the address quite."""
        url = task.callback_url or ""
        answer = await self._attempt(task, self._made_up(task), url[:-1] + ("b" if url.endswith("a") else "a"))
        self.stats.strays[answer] = self.stats.strays.get(answer, 0) + 1

    def _made_up(self, task: Task) -> JSON:
        body = callback_body(task, self.clock.now_ms())
        data = dict(body["data"]) if isinstance(body["data"], dict) else {}
        data |= {"state": "success", "resultJson": _text({"resultUrls": [FORGED_URL]})}
        return {"code": 200, "msg": "Playground task completed successfully.", "data": data}

    async def _held_back(self, faults: Mapping[str, Mapping[str, Any]]) -> None:
        if "callback_late" in faults:
            await self._pause(faults["callback_late"], 60.0)
        if "callback_reordered" in faults:
            waiting = asyncio.create_task(self._passed.wait())
            await asyncio.wait([waiting], timeout=self._scaled_s(faults["callback_reordered"], 60.0))
            waiting.cancel()

    async def _deliver(self, task: Task, ended_ms: int, answered: asyncio.Event) -> None:
        body = callback_body(task, ended_ms)
        for attempt in range(self.options.callback_retries + 1):
            if attempt:
                await asyncio.sleep(self.options.callback_spacing_s * self.options.time_scale)
            self.stats.sent += 1
            answer = await self._attempt(task, body, task.callback_url or "")
            self.stats.answers[answer] = self.stats.answers.get(answer, 0) + 1
            answered.set()
            if answer == "200":
                self.stats.acknowledged += 1
                self._let_others_pass()
                return
        self.stats.never_acknowledged += 1
        self._let_others_pass()

    async def _attempt(self, task: Task, body: JSON, url: str) -> str:
        """The HTTP status of the answer as text, or the name of what went wrong."""
        headers = {"Content-Type": "application/json"} | self._signature(task)
        timeout = aiohttp.ClientTimeout(total=self.options.callback_timeout_s)
        try:
            async with self.session.post(
                url,
                data=_text(body).encode(),
                headers=headers,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                await response.content.read(64 * 1024)
                return str(response.status)
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError) as error:
            return type(error).__name__

    def _signature(self, task: Task) -> dict[str, str]:
        """Headers as the provider signs: base64 of HMAC-SHA256 over task id, dot, Unix seconds of this attempt."""
        faults = faults_of(task)
        if self.options.hmac_key is None or "callback_unsigned" in faults:
            return {}
        timestamp = str(self.clock.now_ms() // 1000)
        message = f"{task.id}.{timestamp}" if "callback_bad_signature" not in faults else f"not {task.id}.{timestamp}"
        digest = hmac.new(self.options.hmac_key.encode(), message.encode(), hashlib.sha256).digest()
        return {"X-Webhook-Timestamp": timestamp, "X-Webhook-Signature": base64.b64encode(digest).decode()}

    def _let_others_pass(self) -> None:
        self._passed.set()
        self._passed = asyncio.Event()

    async def _pause(self, args: Mapping[str, Any], default_s: float) -> None:
        await asyncio.sleep(self._scaled_s(args, default_s))

    def _scaled_s(self, args: Mapping[str, Any], default_s: float) -> float:
        return float(args.get("seconds", default_s)) * self.options.time_scale


def faults_of(task: Task) -> dict[str, Mapping[str, Any]]:
    """The arguments of a task's callback faults, by fault name."""
    return {fault.name: fault.args for fault in task.callback_faults}


def _text(value: JSON) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
