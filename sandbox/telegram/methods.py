"""The Bot API's HTTP side: from a request to a method and from its result or refusal to a response."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from sandbox.faults import FORCE_HEADER, UnknownFault
from sandbox.telegram import (
    methods_edits,
    methods_media,
    methods_messages,
    methods_payments,
    methods_profile,
    methods_updates,
)
from sandbox.telegram.bots import Bot
from sandbox.telegram.calls import Call, read_call
from sandbox.telegram.errors import ApiError, TooManyRequests
from sandbox.telegram.faults import BadGateway, Dropped, break_connection, gateway_page, strike_after, strike_before
from sandbox.telegram.limits import FloodGate
from sandbox.telegram.world import Method, World

_METHODS: dict[str, Method] = {
    **methods_profile.METHODS,
    **methods_updates.METHODS,
    **methods_messages.METHODS,
    **methods_media.METHODS,
    **methods_edits.METHODS,
    **methods_payments.METHODS,
}
# The server compares names without regard to case.
_NAMES = {name.lower(): name for name in _METHODS}


class BotApi:
    """Answers /bot<token>/<method> and /file/bot<token>/<path>."""

    def __init__(self, world: World, gate: FloodGate) -> None:
        self._world = world
        self._gate = gate

    def routes(self) -> list[web.RouteDef]:
        """GET and POST, as the Bot API takes both."""
        return [
            web.route("*", "/bot{token:[^/]+}/{method}", self._call),
            web.get("/file/bot{token:[^/]+}/{path:.+}", self._download),
        ]

    async def execute(self, bot: Bot, fields: Mapping[str, Any]) -> None:
        """A call that came as the reply of a webhook: its result is told to no one."""
        name = _NAMES.get(str(fields["method"]).lower(), "")
        if not name or name.startswith("get") or name in {"setWebhook", "deleteWebhook"}:
            return
        try:
            await self._carry_out(bot, name, Call(name.lower(), fields))
        except ApiError as error:
            self._world.stats.refusals[error.code] += 1

    async def _call(self, request: web.Request) -> web.StreamResponse:
        try:
            result = await self._answer(request)
        except ApiError as error:
            return self._refuse(error)
        except UnknownFault as error:
            return self._refuse(ApiError(400, f"Bad Request: {error}"))
        except BadGateway:
            return gateway_page()
        except Dropped:
            return break_connection(request)
        return web.json_response({"ok": True, "result": result})

    async def _answer(self, request: web.Request) -> Any:
        bot = self._world.bot_of(request.match_info["token"])
        name = _NAMES.get(request.match_info["method"].lower())
        if name is None:
            raise ApiError(404, "Not Found: method not found")
        faults = self._world.faults.draw(name, request.headers.get(FORCE_HEADER))
        call = await read_call(request, name)
        chat_id = call.text("chat_id")
        self._world.stats.too_early += self._gate.too_early(bot.id, chat_id)
        try:
            await strike_before(faults, self._world, bot, call)
            result = await self._carry_out(bot, name, call)
        except TooManyRequests as flood:
            self._gate.tell_to_wait(bot.id, chat_id, flood.retry_after_s or 0)
            raise
        await strike_after(faults)
        return result

    async def _carry_out(self, bot: Bot, name: str, call: Call) -> Any:
        self._world.stats.calls[name] += 1
        messages = max(len(call.items("media")), 1) if name == "sendMediaGroup" else 1
        self._gate.pass_or_refuse(bot.id, name, call.text("chat_id"), messages)
        return await _METHODS[name](self._world, bot, call)

    def _refuse(self, error: ApiError) -> web.Response:
        self._world.stats.refusals[error.code] += 1
        body: dict[str, Any] = {"ok": False, "error_code": error.code, "description": error.description}
        if error.retry_after_s is not None:
            body["parameters"] = {"retry_after": error.retry_after_s}
        return web.json_response(body, status=error.code)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        try:
            bot = self._world.bot_of(request.match_info["token"])
        except ApiError as error:
            return self._refuse(error)
        stored = self._world.files.at_path(bot.id, request.match_info["path"])
        if stored is None:
            return self._refuse(ApiError(404, "Not Found"))
        return web.FileResponse(
            self._world.files.location(stored), headers={"Content-Type": "application/octet-stream"}
        )
