"""Serves the chat page: three static files that load nothing from anywhere else."""

from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "chat"
_FILES = {"/": "index.html", "/chat/chat.css": "chat.css", "/chat/chat.js": "chat.js"}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class ChatPage:
    """GET / and what it needs."""

    def routes(self) -> list[web.RouteDef]:
        """For the application's router."""
        return [web.get(path, self._serve) for path in _FILES]

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        return web.FileResponse(FOLDER / _FILES[request.path], headers=_HEADERS)
