"""Alive, ready, and how things are: three questions with three answers."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from kiosk.db import DatabaseUnavailable, PoolFigures
from kiosk.leadership.store import Lease, lease
from kiosk.queue.jobs import depth
from kiosk.web.front import Front

router = APIRouter()


class Live(BaseModel):
    """The process answers."""

    live: bool = True


class Ready(BaseModel):
    """`checks` says of each part whether it works; empty while the shop is not open, and then `waits_for` says why."""

    ready: bool
    checks: dict[str, bool]
    waits_for: str | None = None


class Leads(BaseModel):
    """Who polls a bot: `holder` in its `term`-th change, `is_me` when it is this process."""

    holder: str
    term: int
    is_me: bool


class BotHealth(BaseModel):
    """`accepted`: Telegram took its token; `hears`: its updates come as they should, here or to whoever leads.

    `leader` is null in webhook mode, where nobody leads, while nobody does, and while nobody can be asked.
    """

    id: int
    username: str
    accepted: bool
    active: bool
    hears: bool
    leader: Leads | None = None


class Health(BaseModel):
    """`active`: this replica takes updates; `queue_depth`: how many jobs wait or run, null when nobody knows;
    `connections` of the pool for requests and jobs, null while there is none. `role`: run, web or worker.
    """

    active: bool
    queue_depth: int | None
    version: str
    connections: PoolFigures | None = None
    role: str | None = None
    mode: str | None = None
    bots: list[BotHealth] = []


def front_of(request: Request) -> Front:
    front: Front = request.app.state.front
    return front


@router.head("/live", include_in_schema=False)
@router.get("/live")
async def live() -> Live:
    """The process answers. Nothing else is asked, so that a database outage does not get it killed."""
    return Live()


@router.head("/ready", include_in_schema=False)
@router.get(
    "/ready",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Not every part works; the body says which."}},
)
async def ready(request: Request) -> JSONResponse:
    """Whether this process does all that its role demands: database, webhook or polling, every background loop."""
    front = front_of(request)
    running = front.running
    if running is None:
        return JSONResponse(Ready(ready=False, checks={}, waits_for=front.waits_for).model_dump(), status_code=503)
    checks = {name: await passes(check) for name, check in running.checks.items()}
    good = all(checks.values())
    return JSONResponse(Ready(ready=good, checks=checks).model_dump(), status_code=200 if good else 503)


async def passes(check: Callable[[], Awaitable[bool]]) -> bool:
    """A check that needs the database fails with it, and is named like any other."""
    try:
        return await check()
    except DatabaseUnavailable:
        return False


@router.head("/health", include_in_schema=False)
@router.get(
    "/health",
    response_model=Health,
    responses={503: {"model": Health, "description": "The queue cannot be read: the database is away, or not yet."}},
)
async def health(request: Request) -> JSONResponse:
    """How this replica is."""
    front = front_of(request)
    view = Health(active=False, queue_depth=None, version=front.version)
    running = front.running
    if running is None:
        return JSONResponse(view.model_dump(), status_code=503)
    view.role, view.mode = running.role.value, running.mode
    view.bots = [BotHealth(**asdict(bot)) for bot in running.bots()]
    view.active = any(bot.active for bot in view.bots)
    with contextlib.suppress(DatabaseUnavailable):
        async with running.db.reading() as tx:
            view.queue_depth = await depth(tx)
            if running.mode == "polling":
                for bot in view.bots:
                    bot.leader = _leads(await lease(tx, bot.id), running.holder)
    view.connections = running.db.figures()
    return JSONResponse(view.model_dump(), status_code=503 if view.queue_depth is None else 200)


def _leads(held: Lease | None, own: str) -> Leads | None:
    return Leads(holder=held.holder, term=held.term, is_me=held.holder == own) if held and held.held else None
