"""The API host of the provider's stand-in: createTask, recordInfo, credit, download-url and the statistics page."""

import asyncio
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from sandbox.kie import catalogue
from sandbox.kie.callbacks import CALLBACK_FAULTS
from sandbox.kie.door import (
    RATE_TEXT,
    RECORD_FAULTS,
    STRUCK,
    UNAUTHORIZED_TEXT,
    body,
    door,
    envelope,
    key_of,
)
from sandbox.kie.ordering import ordered
from sandbox.kie.provider import Provider
from sandbox.kie.records import record
from sandbox.kie.rules import Refusal
from sandbox.kie.scripts import TASK_FAULTS

_OWN_FAULTS = {"createTask": TASK_FAULTS | CALLBACK_FAULTS, "recordInfo": RECORD_FAULTS}
_OPEN_ENDPOINTS = {"pricing-count", "pricing-page"}


def api_app(provider: Provider) -> web.Application:
    """The site of api.kie.ai, with the control pages under /_sandbox/."""
    api = KieApi(provider)
    app = web.Application(middlewares=[door(provider, _OWN_FAULTS, needs_agent=True), _authorised])
    app.add_routes(
        [
            web.post("/api/v1/jobs/createTask", api.create_task, name="createTask"),
            web.get("/api/v1/jobs/recordInfo", api.record_info, name="recordInfo"),
            web.get("/api/v1/chat/credit", api.credit, name="credit"),
            web.post("/api/v1/common/download-url", api.download_url, name="download-url"),
            *catalogue.routes(provider),
            *provider.faults.routes(),
            web.get("/_sandbox/kie/stats", api.stats),
        ]
    )
    return app


@web.middleware
async def _authorised(request: web.Request, handler: Any) -> web.StreamResponse:
    """Refuse a wrong key, or a POST that does not say it is JSON: HTTP 200, body code 401, and no `data`."""
    endpoint = request.match_info.route.name
    if endpoint is not None and endpoint not in _OPEN_ENDPOINTS:
        untyped = request.method == hdrs.METH_POST and request.content_type != "application/json"
        if key_of(request) is None or untyped:
            return body({"code": 401, "msg": UNAUTHORIZED_TEXT})
    response: web.StreamResponse = await handler(request)
    return response


class KieApi:
    """The handlers of the API host."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def create_task(self, request: web.Request) -> web.Response:
        """Check as ordering.py does, and create."""
        try:
            asked = await request.json()
        except ValueError:
            return envelope(400, "The request body is not valid JSON")
        order = await ordered(self._provider, asked if isinstance(asked, dict) else {}, key_of(request) or "")
        if isinstance(order, Refusal):
            return envelope(order.code, order.msg)
        struck = request[STRUCK]
        order = replace(order, faults=struck)
        task, answered = self._provider.desk.create(order)
        await self._provider.snapshot.save()
        if any(fault.name == "callback_before_reply" for fault in order.faults):
            with suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), 2 * self._provider.options.callback_timeout_s)
        return envelope(200, "success", {"taskId": task.id, "recordId": task.id})

    async def record_info(self, request: web.Request) -> web.Response:
        provider, task_id = self._provider, request.query.get("taskId", "")
        if not task_id:
            return envelope(400, "taskId parameter is required")
        if not provider.polls.accepts(provider.now_s(), task_id):
            return envelope(429, RATE_TEXT)
        task = provider.desk.tasks.get(task_id)
        if task is not None:
            task.polls += 1
        unknown = any(fault.name == "record_null" for fault in request[STRUCK])
        if task is None or unknown or task.polls <= provider.options.null_polls:
            return envelope(422, "recordInfo is null")
        data = record(task, provider.clock.now_ms(), newer_keys=provider.options.newer_keys)
        if task.script.fail_envelope and task.ended_ms is not None:
            return envelope(501, task.script.fail_msg or "", data)
        return envelope(200, "success", data)

    async def credit(self, _request: web.Request) -> web.Response:
        return envelope(200, "success", float(self._provider.account.balance))

    async def download_url(self, request: web.Request) -> web.Response:
        """A second, short-lived address of a hosted file; anything else is a wrong address."""
        try:
            asked = await request.json()
        except ValueError:
            asked = None
        url = str(asked.get("url", "")) if isinstance(asked, dict) else ""
        provider, base = self._provider, self._provider.desk.result_url
        path = unquote(url.removeprefix(f"{base}/")) if url.startswith(f"{base}/") else ""
        now_ms = provider.clock.now_ms()
        file = provider.files.get(path, now_ms)
        if file is None:
            return envelope(422, "url is wrong")
        link = f"d/{now_ms}_{len(provider.files.files)}/{path.rsplit('/', 1)[-1]}"
        provider.files.put_link(link, file, now_ms + round(provider.options.link_retention_s * 1000))
        await provider.snapshot.save()
        return envelope(200, "success", f"{base}/{quote(link)}")

    async def stats(self, _request: web.Request) -> web.Response:
        """What has happened since the start: tasks, callbacks, creates per callback URL, credits."""
        desk, account = self._provider.desk, self._provider.account
        repeated = {url: count for url, count in desk.creates_by_url.items() if count > 1}
        return web.json_response(
            {
                "tasks_created": desk.created,
                "creates_over_the_limit": self._provider.creates.refused,
                "tasks_by_state": desk.state_counts(),
                "callbacks": asdict(self._provider.callbacks.stats),
                "creates_per_callback_url": dict(desk.creates_by_url),
                "repeated_callback_urls": repeated,
                "credits_spent": account.spent,
                "credits_left": account.balance,
            }
        )
