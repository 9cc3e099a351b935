"""One replica of many that may act: it knows until when, by its own clock, and stops by itself."""

import asyncio
import contextlib
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from kiosk.db import Database, DatabaseUnavailable
from kiosk.leadership import store
from kiosk.leadership.lease import Terms
from kiosk.leadership.store import Claim
from kiosk.metrics import LEADS

T = TypeVar("T")
log = structlog.get_logger()


class LeadershipLost(Exception):  # noqa: N818 - it states a fact
    """Somebody else may act from now on; what was being done was cancelled."""


@dataclass(slots=True)
class Leader:
    """Stands for the lease of one bot as `holder`, which no other process is called.

    Whoever acts asks `leads` or `left_s` right before: a process that was stopped for a while finds out so, because
    its monotonic clock went on.
    """

    db: Database
    bot_id: int
    holder: str
    terms: Terms = field(default_factory=Terms)
    clock: Callable[[], float] = time.monotonic
    term: int | None = None
    stands_by: bool = False  # somebody else was seen to lead when it was last asked
    _until_s: float = -math.inf
    _not_before_s: float = -math.inf
    _told: bool = False
    _won: asyncio.Event = field(default_factory=asyncio.Event)
    _lost: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def left_s(self) -> float:
        """How long this replica may still act; 0 when it may not."""
        return max(0.0, self._until_s - self.clock())

    @property
    def leads(self) -> bool:
        return self.left_s > 0

    @contextlib.asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        """Inside the block this replica holds the lease or waits for it; at its end the next one may have it."""
        LEADS.labels(str(self.bot_id)).set(self.leads)  # also by whoever only stands by: somebody is to be missed
        keeping = asyncio.create_task(self._keep(), name=f"lease of {self.bot_id}")
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await self._let_go()

    async def step_back(self) -> None:
        """Somebody acts who does not know of the lease: leave it to them for the lifetime of one."""
        self._not_before_s = self.clock() + self.terms.ttl_s
        await self._let_go()

    async def until_leading(self) -> None:
        """Returns when this replica may act, at once if it may."""
        while not self.leads:
            self._tell()  # the lease may have run out unnoticed
            await self._won.wait()

    async def while_leading(self, work: Awaitable[T]) -> T:
        """What `work` gives. Errors: LeadershipLost, with `work` cancelled at the moment when the lease ran out."""
        doing = asyncio.ensure_future(work)
        losing = asyncio.ensure_future(self._lost.wait())
        try:
            while not doing.done() and self.leads:
                await asyncio.wait((doing, losing), timeout=self.left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            losing.cancel()
            doing.cancel()  # nothing, if it is done
            await asyncio.gather(doing, losing, return_exceptions=True)
        if doing.cancelled():
            raise LeadershipLost
        return doing.result()

    async def _keep(self) -> None:
        while True:
            try:
                await self._rest(await self._ask())
            except Exception:
                # The boundary of the loop: without it a bug would leave the bot to nobody, silently.
                log.exception("leadership.broke", bot_id=self.bot_id)
                await self._rest(self.terms.renew_s)

    async def _ask(self) -> float:
        """Seconds until the next look."""
        if self.clock() < self._not_before_s:
            return self._not_before_s - self.clock()
        asked_at_s = self.clock()
        try:
            async with asyncio.timeout(self.terms.ttl_s - self.terms.margin_s), self.db.transaction() as tx:
                claim = await store.claim(tx, self.bot_id, self.holder, ttl_s=self.terms.ttl_s)
        except (DatabaseUnavailable, TimeoutError) as error:
            log.info("leadership.unknown", bot_id=self.bot_id, error=type(error).__name__)
            self.stands_by = False
            self._tell()
            return min(self.terms.renew_s, self.left_s or self.terms.renew_s)
        if self.clock() < self._not_before_s:  # it was given up meanwhile
            await self._let_go()
        else:
            self._take(claim, asked_at_s)
        return self.terms.again_in_s(leads=self.leads, free_in_s=claim.free_in_s)

    def _take(self, claim: Claim, asked_at_s: float) -> None:
        self.term, self.stands_by = claim.term, claim.term is None
        self._until_s = -math.inf if claim.term is None else self.terms.until_s(asked_at_s)
        self._tell()

    def _tell(self) -> None:
        """Exactly one event for each change."""
        if self.leads is self._told:
            return
        self._told = self.leads
        happened, over = (self._won, self._lost) if self._told else (self._lost, self._won)
        LEADS.labels(str(self.bot_id)).set(self._told)
        happened.set()
        over.clear()
        if self._told:
            log.info("leadership.active", bot_id=self.bot_id, term=self.term)
        else:
            log.info("leadership.passive", bot_id=self.bot_id)

    async def _rest(self, again_s: float) -> None:
        """Waits, and notices on the way when the lease runs out."""
        loop = asyncio.get_running_loop()
        ends_s = loop.time() + again_s
        while (rest_s := ends_s - loop.time()) > 0:
            await asyncio.sleep(min(rest_s, self.left_s) if self.leads else rest_s)
            self._tell()

    async def _let_go(self) -> None:
        self._until_s = -math.inf
        self._tell()
        try:
            async with self.db.transaction() as tx:
                await store.release(tx, self.bot_id, self.holder)
        except DatabaseUnavailable:
            return  # it runs out by itself
