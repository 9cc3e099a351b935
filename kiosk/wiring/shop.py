"""A shop as it is put together, before anything of it runs."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from kiosk.db import Database
from kiosk.generations.callback import CallbackDesk
from kiosk.queue.rounds import Rounds
from kiosk.queue.worker import Worker
from kiosk.role import Role
from kiosk.settings import Settings
from kiosk.wiring.branch import Branch, goods_of, open_branches
from kiosk.wiring.engine import make_rounds, make_worker
from kiosk.wiring.parts import Parts, make_parts


@dataclass(frozen=True, slots=True)
class Shop:
    """`worker`, `rounds`: None where this process does not work. `loops` run, by their names, once it is open."""

    parts: Parts
    branches: tuple[Branch, ...]
    callbacks: CallbackDesk
    worker: Worker | None
    rounds: Rounds | None
    loops: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)


async def build(
    stack: contextlib.AsyncExitStack, settings: Settings, db: Database, dsn: str, role: Role = Role.RUN
) -> Shop:
    """Puts it together; nothing here waits or talks to anyone. Errors: CannotStart."""
    goods = goods_of(settings)
    parts = await make_parts(stack, settings, db, dsn, role)
    branches = await open_branches(stack, parts, goods)
    return Shop(
        parts=parts,
        branches=branches,
        callbacks=CallbackDesk(db, settings.poll_first_s),
        worker=make_worker(parts, branches) if role.works else None,
        rounds=make_rounds(parts, branches) if role.works else None,
    )
