"""What every request to the provider's stand-in meets first: the missing User-Agent, HTTP faults, the key."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from sandbox.faults import FORCE_HEADER, JSON, Fault, UnknownFault
from sandbox.kie.callbacks import CALLBACK_FAULTS
from sandbox.kie.options import KieOptions
from sandbox.kie.provider import Provider
from sandbox.kie.scripts import TASK_FAULTS

HTTP_FAULTS = {
    "http_429": "a real HTTP 429 with the body of code 429",
    "http_500": "a real HTTP 500 with plain text",
    "http_502": "a real HTTP 502 with an HTML page",
    "http_502_after": "the request is processed, its answer is replaced by a real HTTP 502 with an HTML page",
    "cloudflare_403": "a real HTTP 403, error code 1010, as for a missing User-Agent",
    "empty_body": "HTTP 200 with nothing in it",
    "not_json": "HTTP 200 with an HTML page where JSON was expected",
    "slow": "nothing happens for args.seconds (default 5), then the request goes on as usual",
    "slow_reply": "the request is processed, its answer comes args.seconds later (default 5)",
    "drop_before": "the connection is dropped and nothing has happened",
    "lost_reply": "the request is processed, then the connection is dropped instead of an answer",
    "code_402": "body code 402 (or 500, by option): not enough credits",
    "code_408": "body code 408: upstream trouble",
    "code_429": "body code 429: too many requests",
    "code_433": "body code 433: the key's own cap is reached",
    "code_455": "body code 455: maintenance",
    "code_500": "body code 500: server exception",
    "code_505": "body code 505: the model is paused",
}
RECORD_FAULTS = {"record_null": "recordInfo answers that it does not know the task"}
RESULT_FAULTS = {
    "file_404": "HTTP 404 although the file exists",
    "file_html": "an HTML page with HTTP 200 instead of the file",
    "file_wrong_type": "the right bytes with Content-Type args.type (default application/octet-stream)",
    "file_truncated": "the connection is dropped after half of the announced length",
    "file_big": "the file is padded to args.mb megabytes (default 25)",
    "file_slow": "the file comes in pieces over args.seconds (default 5)",
}
KNOWN_FAULTS = HTTP_FAULTS | TASK_FAULTS | CALLBACK_FAULTS | RECORD_FAULTS | RESULT_FAULTS

RATE_TEXT = "Your call frequency is too high. Please try again later."
NO_CREDIT_TEXT = (
    "Credits insufficient : Your current balance isn't enough to run this request. Please top up to continue."
)
CAP_TEXT = "The current number of points used by apiKey has exceeded the daily limit"
UNAUTHORIZED_TEXT = (
    "Unauthorized – Authentication failed. Please check that your Authorization and Content-Type headers are "
    "correctly set."
)
HTML_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>bad gateway</h1></body></html>"

_CODES = {
    "code_402": (402, NO_CREDIT_TEXT),
    "code_408": (
        408,
        "Upstream is currently experiencing service issues. No result has been returned for over 10 minutes.",
    ),
    "code_429": (429, RATE_TEXT),
    "code_433": (433, CAP_TEXT),
    "code_455": (455, "The service is under maintenance. Please try again later."),
    "code_500": (500, "Server exception, please try again later or contact customer service"),
    "code_505": (505, "This interface is temporarily paused."),
}
_KEY = re.compile(r"Bearer (sandbox\S*)")

STRUCK = web.RequestKey("struck", tuple[Fault, ...])

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def body(content: Mapping[str, JSON], status: int = 200) -> web.Response:
    """JSON as the provider writes it: compact, not escaped, with its Content-Type."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return web.Response(text=text, status=status, content_type="application/json", charset="UTF-8")


def envelope(code: int, msg: str, data: Any = None) -> web.Response:
    """The provider's answer: business errors come over HTTP 200."""
    return body({"code": code, "msg": msg, "data": data})


def key_of(request: web.Request) -> str | None:
    """The key of the request, None when it is missing or not a sandbox one."""
    found = _KEY.fullmatch(request.headers.get(hdrs.AUTHORIZATION, ""))
    return found.group(1) if found else None


def door(provider: Provider, own_faults: Mapping[str, Mapping[str, str]], *, needs_agent: bool) -> Any:
    """The middleware of a site; `own_faults` are those that mean something at an endpoint, beside HTTP_FAULTS.

    Routes without a name (the control pages) and requests that match no route pass untouched.
    """

    @web.middleware
    async def enter(request: web.Request, handler: Handler) -> web.StreamResponse:
        endpoint = request.match_info.route.name
        if endpoint is None:
            return await handler(request)
        if needs_agent and hdrs.USER_AGENT not in request.headers:
            return _cloudflare()
        among = HTTP_FAULTS.keys() | own_faults.get(endpoint, {}).keys()
        try:
            struck = provider.faults.draw(endpoint, request.headers.get(FORCE_HEADER), among)
        except UnknownFault as error:
            return web.Response(text=str(error), status=400)
        request[STRUCK] = struck
        return await _struck_by(request, handler, struck, provider.options)

    return enter


async def _struck_by(
    request: web.Request, handler: Handler, struck: tuple[Fault, ...], options: KieOptions
) -> web.StreamResponse:
    """Answer with the first fault that answers by itself, else by the handler, with what befalls its answer."""
    for fault in struck:
        if fault.name == "slow":
            await asyncio.sleep(_seconds(fault))
        elif fault.name == "drop_before":
            return dropped(request)
        elif (canned := _canned(fault, options)) is not None:
            return canned
    response = await handler(request)
    for fault in struck:
        if fault.name == "slow_reply":
            await asyncio.sleep(_seconds(fault))
        elif fault.name == "lost_reply":
            return dropped(request)
        elif fault.name == "http_502_after":
            return _CANNED["http_502"]()
    return response


def _canned(fault: Fault, options: KieOptions) -> web.Response | None:
    if fault.name == "code_402":
        return envelope(options.no_credit_code, NO_CREDIT_TEXT)
    if fault.name in _CODES:
        return envelope(*_CODES[fault.name])
    answer = _CANNED.get(fault.name)
    return answer() if answer else None


def _cloudflare() -> web.Response:
    return web.Response(text="error code: 1010", status=403)


def dropped(request: web.Request) -> web.Response:
    """Cut the connection; the response returned is never seen."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _seconds(fault: Fault) -> float:
    args: Mapping[str, Any] = fault.args
    return float(args.get("seconds", 5.0))


_CANNED: Mapping[str, Callable[[], web.Response]] = {
    "http_429": lambda: body({"code": 429, "msg": RATE_TEXT, "data": None}, status=429),
    "http_500": lambda: web.Response(text="Internal Server Error", status=500),
    "http_502": lambda: web.Response(text=HTML_PAGE, status=502, content_type="text/html"),
    "empty_body": lambda: web.Response(body=b"", content_type="application/json"),
    "not_json": lambda: web.Response(text=HTML_PAGE, content_type="text/html"),
    "cloudflare_403": _cloudflare,
}
