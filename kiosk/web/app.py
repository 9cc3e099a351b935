"""The HTTP application: routes, and what an unavailable database or Telegram means to whoever calls."""

from math import ceil
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from kiosk.db import DatabaseUnavailable
from kiosk.errors import TryLater
from kiosk.web import health, scrape, webhooks
from kiosk.web.front import Front

RETRY_AFTER_S: Final = 5


def create_app(front: Front, *, takes_in: bool = True, metrics_token: str | None = None) -> FastAPI:
    """An application over `front`, which may begin to run later. Without `takes_in` it only tells how it is.

    Without `metrics_token` /metrics tells nothing.
    """
    app = FastAPI(title="Kiosk", version=front.version, docs_url=None, redoc_url=None)
    app.state.front = front
    app.state.scrape = scrape.Scrape(front, metrics_token)
    app.include_router(health.router)
    app.include_router(scrape.router)
    if takes_in:
        app.include_router(webhooks.router)

    @app.exception_handler(DatabaseUnavailable)
    async def unavailable(_request: Request, _error: DatabaseUnavailable) -> JSONResponse:
        return not_now()

    @app.exception_handler(TryLater)
    async def later(_request: Request, error: TryLater) -> JSONResponse:
        return not_now(error.retry_after_s)

    @app.exception_handler(webhooks.NotRunning)
    async def starting(_request: Request, _error: webhooks.NotRunning) -> JSONResponse:
        return not_now()

    return app


def not_now(retry_after_s: float = RETRY_AFTER_S) -> JSONResponse:
    """Whoever calls is to come back: Telegram and the provider both do."""
    return JSONResponse(
        {"detail": "temporarily unavailable"}, status_code=503, headers={"Retry-After": str(ceil(retry_after_s))}
    )
