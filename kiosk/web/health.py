"""Alive, ready, and how things are: three questions with three answers."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from kiosk.db import DatabaseUnavailable
from kiosk.queue.jobs import depth
from kiosk.web.front import Front

router = APIRouter()


def front_of(request: Request) -> Front:
    front: Front = request.app.state.front
    return front


@router.get("/live")
async def live() -> dict[str, bool]:
    """The process answers. Nothing else is asked, so that a database outage does not get it killed."""
    return {"live": True}


@router.get("/ready", responses={503: {"description": "Not every part works; the body says which."}})
async def ready(request: Request) -> JSONResponse:
    """Whether requests should be sent here: database, schema, webhook or polling, and every background loop."""
    running = front_of(request).running
    if running is None:
        return JSONResponse({"ready": False, "checks": {}}, status_code=503)
    checks = {name: await check() for name, check in running.checks.items()}
    good = all(checks.values())
    return JSONResponse({"ready": good, "checks": checks}, status_code=200 if good else 503)


@router.get("/health", responses={503: {"description": "The queue cannot be read."}})
async def health(request: Request) -> JSONResponse:
    """How this replica is: whether it takes updates, how much work waits (null: unknown), which version it runs."""
    front = front_of(request)
    view: dict[str, Any] = {"active": False, "queue_depth": None, "version": front.version}
    if front.running is None:
        return JSONResponse(view, status_code=503)
    view["active"] = front.running.active()
    try:
        async with front.running.db.reading() as tx:
            view["queue_depth"] = await depth(tx)
    except DatabaseUnavailable:
        return JSONResponse(view, status_code=503)
    return JSONResponse(view)
