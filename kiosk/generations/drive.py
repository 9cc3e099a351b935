"""Brings a direct order to its end from this very process: acts when its time has come, as the sweep and its jobs do.

Every act may run twice, so a shop beside it, or another driver, does no harm; whoever acts first is seen in the row.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from kiosk.db import Database
from kiosk.generations import line, store
from kiosk.generations.deliver import put_at_hand
from kiosk.generations.observe import Observer
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.generations.submit import Submitter
from kiosk.generations.sweep import LEASE_S

LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Seen:
    """The order at a moment; `place` in line, counted from 1, while it waits there."""

    order: Generation
    place: int | None


Watch = Callable[[Seen], None]


def is_over(order: Generation) -> bool:
    """Nothing more will come of it but by a late success."""
    return order.state is State.CANCELED or order.delivered_at is not None


@dataclass(frozen=True, slots=True)
class Driver:
    """Whoever stops waiting leaves everything in the database, to be driven on by anybody."""

    db: Database
    submit: Submitter
    observe: Observer

    async def drive(self, generation_id: int, watch: Watch) -> Generation:
        """The order when it is over; `watch` is told at each look. Errors: DatabaseUnavailable."""
        acted: State | None = None
        while True:
            seen = await self._look(generation_id)
            watch(seen)
            if is_over(seen.order):
                return seen.order
            fresh = seen.order.state not in (acted, State.RUNNING)  # a task is given time before it is looked at
            if fresh or await self._is_due(generation_id):
                acted = seen.order.state
                await self._act(seen.order)
            else:
                await asyncio.sleep(LOOK_S)

    async def _look(self, generation_id: int) -> Seen:
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
            assert order is not None  # noqa: S101 - generations are kept
            waits = order.state is State.PENDING
            return Seen(order, await line.place(tx, generation_id) if waits else None)

    async def _is_due(self, generation_id: int) -> bool:
        async with self.db.transaction() as tx:
            return bool(await store.claim_due(tx, limit=1, lease_s=LEASE_S, only=generation_id))

    async def _act(self, order: Generation) -> None:
        match order.state:
            case State.PENDING | State.SUBMITTING:
                await self.submit.keeper.reopen(self.submit.kie)  # no shop may be there to look whether sales go on
                await self.submit(order.id)
            case State.RUNNING:
                await self.observe(order.id)
            case State.DONE | State.FAILED:
                async with self.db.transaction() as tx:
                    await put_at_hand(tx, order)
            case State.DRAFT | State.CANCELED:
                pass
