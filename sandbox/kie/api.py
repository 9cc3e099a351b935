"""The API host of the provider's stand-in: createTask, recordInfo, credit, download-url and the statistics page."""

import asyncio
import re
from contextlib import suppress
from dataclasses import asdict
from typing import Any
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from sandbox.kie import catalogue
from sandbox.kie.callbacks import CALLBACK_FAULTS
from sandbox.kie.door import (
    CAP_TEXT,
    NO_CREDIT_TEXT,
    RATE_TEXT,
    RECORD_FAULTS,
    STRUCK,
    UNAUTHORIZED_TEXT,
    body,
    door,
    envelope,
    key_of,
)
from sandbox.kie.provider import Provider
from sandbox.kie.records import record
from sandbox.kie.rules import MODEL_NOT_SUPPORTED, ModelRule, Refusal, check, rules
from sandbox.kie.scripts import TASK_FAULTS
from sandbox.kie.tasks import Order

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
        """Check in the provider's order - model, fields, credits, cap, rate - and create."""
        try:
            asked = await request.json()
        except ValueError:
            return envelope(400, "The request body is not valid JSON")
        order = self._ordered(asked if isinstance(asked, dict) else {}, request)
        if isinstance(order, Refusal):
            return envelope(order.code, order.msg)
        task, answered = self._provider.desk.create(order)
        await self._provider.snapshot.save()
        if any(fault.name == "callback_before_reply" for fault in order.faults):
            with suppress(TimeoutError):
                await asyncio.wait_for(answered.wait(), 2 * self._provider.options.callback_timeout_s)
        return envelope(200, "success", {"taskId": task.id, "recordId": task.id})

    def _ordered(self, asked: dict[str, Any], request: web.Request) -> Order | Refusal:
        provider, key = self._provider, key_of(request) or ""
        rule = rules().get(str(asked.get("model")))
        if rule is None:
            return Refusal(422, MODEL_NOT_SUPPORTED)
        given, url = asked.get("input"), asked.get("callBackUrl") or None
        refusal = check(rule, given, provider.options.missing_field_code) or _callback_refusal(rule, url)
        refusal = refusal or self._money_refusal(rule, key)
        if refusal:
            return refusal
        if not provider.creates.accepts(provider.now_s()):
            return Refusal(429, RATE_TEXT)
        struck = request[STRUCK]
        return Order(rule, given if isinstance(given, dict) else {}, key, url, struck)

    def _money_refusal(self, rule: ModelRule, key: str) -> Refusal | None:
        if not self._provider.account.affords(rule.credits):
            return Refusal(self._provider.options.no_credit_code, NO_CREDIT_TEXT)
        if self._provider.account.is_capped(key, rule.credits):
            return Refusal(433, CAP_TEXT)
        return None

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
                "tasks_by_state": desk.state_counts(),
                "callbacks": asdict(self._provider.callbacks.stats),
                "creates_per_callback_url": dict(desk.creates_by_url),
                "repeated_callback_urls": repeated,
                "credits_spent": account.spent,
                "credits_left": account.balance,
            }
        )


def _callback_refusal(rule: ModelRule, url: Any) -> Refusal | None:
    if url is None:
        return Refusal(422, "Please enter callBackUrl.") if rule.callback_required else None
    valid = isinstance(url, str) and re.fullmatch(r"https?://[^\s/]+.*", url) is not None
    return None if valid else Refusal(422, "callBackUrl is not a valid address")
