"""The customer's side over HTTP: a chat as JSON, its events over a long poll, and everything a customer can do."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from aiohttp import web

from sandbox.telegram import acts
from sandbox.telegram.calls import read_form
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import ApiError
from sandbox.telegram.limits import CUSTOMER_FILE_BYTES, LONG_POLL_S
from sandbox.telegram.media import KINDS
from sandbox.telegram.updates import QueueFull
from sandbox.telegram.views import FILES_PATH, bot_view, chat_view, event_view, message_view
from sandbox.telegram.world import World

DEFAULT_MESSAGES = 200
MAX_MESSAGES = 5_000
_MAX_NAME_CHARS = 64
# Shown in place by the page; everything else is only offered for download.
_SHOWN = ("image/jpeg", "image/png", "image/webp", "image/gif", "video/", "audio/")

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadInput(ValueError):  # noqa: N818 - the name states the fact
    """The request itself makes no sense; the message says which part."""


class CustomerApi:
    """Routes under /customer; refusals are JSON with "error": 400 for a wrong request, 409 for an impossible act."""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [
            web.get("/customer/bots", _guarded(self._bots)),
            web.get(FILES_PATH + "{unique_id}", _guarded(self._file)),
            web.put(r"/customer/{user_id:\d+}", _guarded(self._rename)),
            web.get(r"/customer/{user_id:\d+}/chat", _guarded(self._chat)),
            web.get(r"/customer/{user_id:\d+}/events", _guarded(self._events)),
            web.post(r"/customer/{user_id:\d+}/text", _guarded(self._say)),
            web.post(r"/customer/{user_id:\d+}/click", _guarded(self._click)),
            web.post(r"/customer/{user_id:\d+}/media", _guarded(self._attach)),
            web.post(r"/customer/{user_id:\d+}/delete", _guarded(self._delete)),
            web.post(r"/customer/{user_id:\d+}/block", _guarded(self._block)),
            web.post(r"/customer/{user_id:\d+}/pay", _guarded(self._pay)),
        ]

    async def _bots(self, _request: web.Request) -> web.Response:
        return web.json_response({"bots": [bot_view(bot) for bot in self._world.bots.values()]})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        stored = self._world.files.by_unique_id(request.match_info["unique_id"])
        if stored is None:
            return _refusal(404, "there is no such file")
        shown = stored.mime_type.startswith(_SHOWN)
        headers = {
            "Content-Type": stored.mime_type if shown else "application/octet-stream",
            "Content-Disposition": "inline" if shown else "attachment",
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "private, max-age=86400",
        }
        return web.FileResponse(self._world.files.location(stored), headers=headers)

    async def _rename(self, request: web.Request) -> web.Response:
        user = self._world.user(_user_id(request))
        body = await _json_body(request)
        for name in ("first_name", "username", "language_code"):
            value = body.get(name, getattr(user, name))
            if not isinstance(value, str) or len(value) > _MAX_NAME_CHARS or (name == "first_name" and not value):
                raise BadInput(f"{name} is not usable")
            setattr(user, name, value)
        for chat in self._world.chats.values():
            if chat.user is user:
                chat.events.publish("chat", None)
        self._world.changed()
        return web.json_response({"user": user.as_user()})

    async def _chat(self, request: web.Request) -> web.Response:
        chat = self._chat_of(request, request.query)
        limit = min(max(_integer(request.query, "limit", DEFAULT_MESSAGES), 1), MAX_MESSAGES)
        return web.json_response(chat_view(self._world.bots[chat.bot_id], chat, limit))

    async def _events(self, request: web.Request) -> web.Response:
        chat = self._chat_of(request, request.query)
        after = _integer(request.query, "after", 0)
        timeout_s = min(max(_integer(request.query, "timeout", 0), 0), LONG_POLL_S)
        events = await chat.events.wait_after(after, timeout_s)
        bot = self._world.bots[chat.bot_id]
        return web.json_response(
            {
                "seq": chat.events.seq if events is None else (events[-1].seq if events else after),
                "reset": events is None,
                "events": [event_view(bot, chat, event) for event in events or ()],
            }
        )

    async def _say(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        chat = self._chat_of(request, body)
        return _said(chat, acts.say(self._world, chat, _text(body, "text")))

    async def _click(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        chat = self._chat_of(request, body)
        message = acts.find(chat, _integer(body, "message_id"))
        data = _text(body, "data") if "data" in body else acts.button_data(message, _text(body, "text"))
        query_id = acts.press(self._world, chat, message, data)
        return web.json_response({"ok": True, "callback_query_id": query_id})

    async def _attach(self, request: web.Request) -> web.Response:
        fields, uploads = await read_form(request, CUSTOMER_FILE_BYTES)
        chat = self._chat_of(request, fields)
        messages = await acts.attach(
            self._world,
            chat,
            [(_kind(name), upload) for name, upload in uploads.items()],
            caption=str(fields.get("caption", "")),
            album=str(fields["album"]) if fields.get("album") else None,
        )
        return web.json_response({"ok": True, "messages": [message_view(chat, message) for message in messages]})

    async def _delete(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        acts.delete(self._world, self._chat_of(request, body), _integer(body, "message_id"))
        return web.json_response({"ok": True})

    async def _block(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        acts.set_blocked(self._world, self._chat_of(request, body), blocked=bool(body.get("blocked", True)))
        return web.json_response({"ok": True})

    async def _pay(self, request: web.Request) -> web.Response:
        body = await _json_body(request)
        chat = self._chat_of(request, body)
        match await acts.pay(self._world, chat, acts.find(chat, _integer(body, "message_id"))):
            case acts.Paid(charge_id):
                return web.json_response({"ok": True, "status": "paid", "charge_id": charge_id})
            case acts.NotPaid(None):
                return web.json_response({"ok": False, "status": "expired", "error": "the bot did not answer in time"})
            case acts.NotPaid(reason):
                return web.json_response({"ok": False, "status": "declined", "error": reason})

    def _chat_of(self, request: web.Request, fields: Mapping[str, Any]) -> Chat:
        """The chat that "bot" names; the only bot there is needs no naming."""
        bots = self._world.bots
        bot_id = _integer(fields, "bot", next(iter(bots)) if len(bots) == 1 else 0)
        if bot_id not in bots:
            raise BadInput("there is no such bot: it appears with its first call of the Bot API")
        return self._world.chat(bot_id, _user_id(request))


def _guarded(handler: Handler) -> Handler:
    """Turns what cannot be done into an answer that says why."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except BadInput as error:
            return _refusal(400, str(error))
        except acts.NotPossible as error:
            return _refusal(409, str(error))
        except ApiError as error:
            return _refusal(error.code, error.description)
        except QueueFull:
            return _refusal(503, "the bot has left too many updates lying")

    return guarded


def _said(chat: Chat, message: Any) -> web.Response:
    return web.json_response({"ok": True, "message": message_view(chat, message)})


def _refusal(status: int, error: str) -> web.Response:
    return web.json_response({"ok": False, "error": error}, status=status)


async def _json_body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise BadInput("a JSON object is expected") from None
    if not isinstance(body, dict):
        raise BadInput("a JSON object is expected")
    return body


def _user_id(request: web.Request) -> int:
    return int(request.match_info["user_id"])


def _integer(fields: Mapping[str, Any], name: str, default: int | None = None) -> int:
    value = fields.get(name, default)
    try:
        return int(value)
    except (TypeError, ValueError):
        raise BadInput(f"{name} must be a number") from None


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise BadInput(f"{name} must be a text")
    return value


def _kind(part_name: str) -> str:
    """The part's name is the kind; a repeated name carries a number after a "#"."""
    kind = part_name.partition("#")[0]
    if kind not in KINDS:
        raise BadInput(f"a file part is named for its kind, one of {', '.join(KINDS)}")
    return kind
