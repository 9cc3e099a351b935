"""The result host of the provider's stand-in: files without a key, gone with a plain HTTP 404, and its own faults."""

import asyncio
from collections.abc import Mapping
from typing import Any

from aiohttp import hdrs, web

from sandbox.kie.door import HTML_PAGE, RESULT_FAULTS, STRUCK, door, dropped
from sandbox.kie.files import StoredFile
from sandbox.kie.provider import Provider

_CHUNK = 2**18
_SLOW_PIECES = 10
_MAX_BIG_MB = 200


def result_app(provider: Provider) -> web.Application:
    """The site of tempfile.aiquickdraw.com and tempfile.redpandaai.co in one."""
    app = web.Application(middlewares=[door(provider, {"result": RESULT_FAULTS}, needs_agent=False)])
    app.add_routes([web.get("/{path:.+}", Results(provider).file, name="result")])
    return app


class Results:
    """The handler of the result host."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def file(self, request: web.Request) -> web.StreamResponse:
        faults: dict[str, Mapping[str, Any]] = {fault.name: fault.args for fault in request[STRUCK]}
        file = self._provider.files.get(request.match_info["path"], self._provider.clock.now_ms())
        if file is None or "file_404" in faults:
            return web.Response(text="Not Found", status=404)
        if "file_html" in faults:
            return web.Response(text=HTML_PAGE, content_type="text/html")
        content = await self._content(file)
        if "file_big" in faults:
            size_bytes = min(int(faults["file_big"].get("mb", 25)), _MAX_BIG_MB) * 2**20
            content = padded(content, file.mime, size_bytes)
        mime = file.mime
        if "file_wrong_type" in faults:
            mime = str(faults["file_wrong_type"].get("type", "application/octet-stream"))
        return await _sent(request, content, mime, faults)

    async def _content(self, file: StoredFile) -> bytes:
        if file.order is not None:
            return await self._provider.studio.get(file.order)
        return await asyncio.to_thread(self._provider.files.uploaded, file.digest or "")


def padded(content: bytes, mime: str, size_bytes: int) -> bytes:
    """The same file, still readable, at exactly this size: MP4 gets a `free` box, others bytes behind their end."""
    missing = size_bytes - len(content)
    if missing < 8:
        return content
    head = missing.to_bytes(4, "big") + b"free" if mime == "video/mp4" else b""
    return content + head + bytes(missing - len(head))


async def _sent(
    request: web.Request, content: bytes, mime: str, faults: Mapping[str, Mapping[str, Any]]
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": mime, "Content-Length": str(len(content))})
    await response.prepare(request)
    if request.method == hdrs.METH_HEAD:
        return response
    slow = "file_slow" in faults
    pause_s = float(faults["file_slow"].get("seconds", 5.0)) / _SLOW_PIECES if slow else 0.0
    step = max(len(content) // _SLOW_PIECES, 1) if slow else _CHUNK
    end = len(content) // 2 if "file_truncated" in faults else len(content)
    for start in range(0, end, step):
        await response.write(content[start : min(start + step, end)])
        await asyncio.sleep(pause_s)
    if end < len(content):
        return dropped(request)
    await response.write_eof()
    return response
