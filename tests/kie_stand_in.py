"""Builders for tests of the provider's stand-in: a running one, a raw client of it, and a place for its callbacks."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions

KEY = "sandbox-key"
CAT = {"prompt": "Рыжий кот", "aspect_ratio": "16:9"}
Z_IMAGE = {"model": "z-image", "input": CAT}
DEADLINE_S = 20.0


@dataclass
class Visitor:
    """A raw client of one stand-in; every answer is (HTTP status, parsed body)."""

    kie: KieSandbox
    session: aiohttp.ClientSession
    key: str | None = KEY

    def headers(self, fault: str | None = None) -> dict[str, str]:
        given = {"Authorization": f"Bearer {self.key}"} if self.key is not None else {}
        return given | ({"X-Sandbox-Fault": fault} if fault else {})

    async def post(self, path: str, body: Any, fault: str | None = None) -> tuple[int, Any]:
        url = f"{self.kie.api_url}{path}"
        async with self.session.post(url, json=body, headers=self.headers(fault)) as answer:
            return answer.status, json.loads(await answer.read())

    async def get(self, path: str, fault: str | None = None) -> tuple[int, Any]:
        async with self.session.get(f"{self.kie.api_url}{path}", headers=self.headers(fault)) as answer:
            return answer.status, json.loads(await answer.read())

    async def create(self, body: Any = Z_IMAGE, fault: str | None = None) -> dict[str, Any]:
        """The body of createTask's answer."""
        return dict((await self.post("/api/v1/jobs/createTask", body, fault))[1])

    async def created(self, body: Any = Z_IMAGE, fault: str | None = None) -> str:
        """The id of a new task."""
        return str((await self.create(body, fault))["data"]["taskId"])

    async def info(self, task_id: str, fault: str | None = None) -> dict[str, Any]:
        """The body of recordInfo's answer."""
        return dict((await self.get(f"/api/v1/jobs/recordInfo?taskId={task_id}", fault))[1])

    async def ended(self, task_id: str) -> dict[str, Any]:
        """The record of a task, once it has ended."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                data: dict[str, Any] = (await self.info(task_id))["data"]
                if data["state"] in {"success", "fail"}:
                    return data
                await asyncio.sleep(0.01)

    async def result_urls(self, body: Any = Z_IMAGE, fault: str | None = None) -> list[str]:
        """The result addresses of a new task, once it has ended."""
        return list(json.loads((await self.ended(await self.created(body, fault)))["resultJson"])["resultUrls"])

    async def stats(self) -> dict[str, Any]:
        return dict((await self.get("/_sandbox/kie/stats"))[1])

    async def stats_when(self, settled: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The statistics, once they look as wanted."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                stats = await self.stats()
                if settled(stats):
                    return stats
                await asyncio.sleep(0.01)

    def arm(self, name: str, target: str = "*", times: int | None = None, **args: Any) -> None:
        self.kie.faults.add(Fault(name, target, times=times, args=args))


@asynccontextmanager
async def running_kie(**options: Any) -> AsyncIterator[Visitor]:
    """A stand-in whose tasks end at once and whose polls are not limited, unless the options say otherwise."""
    defaults: dict[str, Any] = {"time_scale": 0.0, "poll_limit_per_s": None}
    async with KieSandbox(KieOptions(**(defaults | options))) as kie, aiohttp.ClientSession() as session:
        yield Visitor(kie, session)


@dataclass(frozen=True)
class Delivery:
    """One callback as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def task_id(self) -> str:
        return str(self.body["data"]["taskId"])


async def at_once(_delivery: Delivery) -> int:
    return 200


@dataclass
class Receiver:
    """A server that callbacks go to; `answer` gives the HTTP status of each."""

    url: str = ""
    answer: Callable[[Delivery], Awaitable[int]] = at_once
    deliveries: list[Delivery] = field(default_factory=list)
    arrived: asyncio.Queue[Delivery] = field(default_factory=asyncio.Queue)

    async def handle(self, request: web.Request) -> web.Response:
        delivery = Delivery(request.path, dict(request.headers), await request.json())
        self.deliveries.append(delivery)
        self.arrived.put_nowait(delivery)
        return web.json_response({"code": 200, "msg": "success"}, status=await self.answer(delivery))

    async def next(self) -> Delivery:
        return await asyncio.wait_for(self.arrived.get(), DEADLINE_S)

    def order(self, name: str = "1", **given: Any) -> dict[str, Any]:
        """A createTask body whose callback comes here, to a path of this name."""
        return {"model": "z-image", "callBackUrl": f"{self.url}/{name}", "input": CAT | given}


@asynccontextmanager
async def running_receiver() -> AsyncIterator[Receiver]:
    """A callback server on a free loopback port."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{name}", receiver.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield receiver
    finally:
        await runner.cleanup()
