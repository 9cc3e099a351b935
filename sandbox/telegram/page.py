"""Serves the chat page: static files that load nothing from anywhere else."""

from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "chat"
# Stated, because the machine's own table may say otherwise and browsers are told not to guess.
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}
_FILES = frozenset(path.name for path in FOLDER.iterdir() if path.suffix in {".js", ".css"})
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
        return [web.get("/", self._page), web.get("/chat/{name}", self._file)]

    async def _page(self, _request: web.Request) -> web.StreamResponse:
        return _respond(FOLDER / "index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        if request.match_info["name"] not in _FILES:
            raise web.HTTPNotFound
        return _respond(FOLDER / request.match_info["name"])


def _respond(path: Path) -> web.FileResponse:
    return web.FileResponse(path, headers={**_HEADERS, "Content-Type": f"{_TYPES[path.suffix]}; charset=utf-8"})
