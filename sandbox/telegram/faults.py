"""What can go wrong between a bot and the stand-in: before a call is carried out, and after it."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from sandbox.faults import Fault
from sandbox.telegram.bots import Bot
from sandbox.telegram.calls import Call
from sandbox.telegram.errors import ApiError, BadRequest, Forbidden, TooManyRequests
from sandbox.telegram.world import World

KNOWN = {
    "flood": "429 with retry_after, nothing done (args: retry_after, seconds, 1)",
    "error_before": "500, nothing done",
    "bad_gateway": "502 with a page instead of JSON, nothing done",
    "drop_before": "the connection breaks, nothing done",
    "slow": "the call is carried out late (args: delay_s, 1)",
    "blocked": "403, as from a customer who blocked the bot",
    "refuse_file": "400, a file is not taken in this form, nothing done",
    "forget_message": "the customer deletes the message just before the call reaches it",
    "error_after": "500, although the call was carried out",
    "bad_gateway_after": "502 with a page instead of JSON, although the call was carried out",
    "drop_after": "the connection breaks, although the call was carried out",
    "hang_after": "no answer until the bot gives up, although the call was carried out (args: delay_s, 60)",
    "duplicate_update": "an update is delivered to the webhook once more after its 2xx (target: webhook)",
    "delay_update": "an update is delivered to the webhook late (target: webhook; args: delay_s, 1)",
}
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Dropped(Exception):  # noqa: N818 - the name states the fact
    """The connection is to be broken without an answer."""


class BadGateway(Exception):  # noqa: N818 - the name states the fact
    """A proxy answers in the place of the Bot API."""


async def strike_before(faults: Iterable[Fault], world: World, bot: Bot, call: Call) -> None:
    """Raises what the bot gets to see instead of the call being carried out."""
    for fault in faults:
        match fault.name:
            case "flood":
                raise TooManyRequests(int(_number(fault, "retry_after", 1)))
            case "error_before":
                raise ApiError(500, "Internal Server Error")
            case "bad_gateway":
                raise BadGateway
            case "drop_before":
                raise Dropped
            case "blocked":
                raise Forbidden("bot was blocked by the user")
            case "refuse_file":
                raise BadRequest("wrong type of the web page content")
            case "slow":
                await asyncio.sleep(_number(fault, "delay_s", 1))
            case "forget_message":
                _forget(world, bot, call)
            case _:
                pass  # strikes after the call, or a webhook


async def strike_after(faults: Iterable[Fault]) -> None:
    """Raises what the bot gets to see although the call was carried out."""
    for fault in faults:
        match fault.name:
            case "error_after":
                raise ApiError(500, "Internal Server Error")
            case "bad_gateway_after":
                raise BadGateway
            case "drop_after":
                raise Dropped
            case "hang_after":
                await asyncio.sleep(_number(fault, "delay_s", 60))
                raise Dropped
            case _:
                pass  # has struck before the call


def gateway_page() -> web.Response:
    """What stands between the bot and the Bot API when it says 502."""
    return web.Response(status=502, text=_GATEWAY_PAGE, content_type="text/html")


def break_connection(request: web.Request) -> web.Response:
    """The response is only for the caller's signature: nothing of it can be written any more."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _forget(world: World, bot: Bot, call: Call) -> None:
    chat = world.chats.get((bot.id, call.integer("chat_id")))
    if chat is not None:
        chat.remove(call.integer("message_id"))


def _number(fault: Fault, name: str, default: float) -> float:
    value: Any = fault.args.get(name, default)
    return float(value) if isinstance(value, (int, float)) else default
