"""Who may ask the provider next: the gate and the line, taken together."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

import structlog

from kiosk.db import Database, Tx
from kiosk.generations import gates, line, store
from kiosk.generations.gate import (
    Admitted,
    Asked,
    Change,
    Gate,
    Rate,
    Shut,
    admit,
    after,
    changes,
    checked,
    covers,
    resume,
    turn,
)
from kiosk.generations.states import SUBMITS_AT_MOST
from kiosk.generations.store import Generation
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError
from kiosk.kie.outcome import CreateOutcome
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert

log = structlog.get_logger()

# Nobody in line is forgotten for longer, and nobody asks more often.
LOOK_FIRST: Final = timedelta(seconds=1)
LOOK_LAST: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Passed:
    """This order is `submitting`, and its createTask is to be made now, in this slot."""

    order: Generation
    asked: Asked


@dataclass(frozen=True, slots=True)
class InLine:
    """An order that waits: its place, counted from 1, and when its turn can be expected to come."""

    place: int
    expected: Shut
    now: datetime


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """`key_name` names the provider's key without giving it away; `grace_s` is that of unknown outcomes.

    `direct_only`: whoever asks knows no chat, and leaves the orders of chats to others.
    """

    db: Database
    key_name: str
    rate: Rate
    grace_s: float
    direct_only: bool = False

    async def let_through(self) -> Passed | None:
        """A slot and whoever is to have it, in one transaction. None: the gate is shut, or nobody waits."""
        async with self.db.transaction() as tx:
            gate, now = await gates.lock(tx, self.key_name)
            passage = admit(gate, now, self.rate)
            if not isinstance(passage, Admitted):
                return None
            first = await line.first(
                tx, grace_s=self.grace_s, submits_at_most=SUBMITS_AT_MOST, direct_only=self.direct_only
            )
            if first is None:
                return None
            order = await store.claim_submit(tx, first, grace_s=self.grace_s, submits_at_most=SUBMITS_AT_MOST)
            assert order is not None  # noqa: S101 - it is locked, and was looked for by the same conditions
            await gates.save(tx, self.key_name, passage.gate)
        return Passed(order, Asked(order.id, passage.slot, order.credits_quoted))

    async def line_up(self, generation_id: int) -> InLine | None:
        """Whoever was not let through is looked at again when its turn may come. None: it is not in line."""
        async with self.db.transaction() as tx:
            # Without its lock: nobody may wait for a generation who holds the gate.
            gate, now = await gates.read(tx, self.key_name), await gates.clock(tx)
            place = await line.place(tx, generation_id)
            expected = turn(gate, now, self.rate, place or 1)
            until = min(max(expected.until, now + LOOK_FIRST), now + LOOK_LAST)
            await line.wait(tx, generation_id, until=until, grace_s=self.grace_s)
        return InLine(place, expected, now) if place else None

    async def learn(self, tx: Tx, asked: Asked, outcome: CreateOutcome) -> None:
        """Gives the slot back with what came of it. The last to be locked in `tx`."""
        gate, now = await gates.lock(tx, self.key_name)
        await self._change(tx, gate, after(gate, asked, outcome, now, self.rate))

    async def reopen(self, kie: KieClient) -> None:
        """Looks whether paused sales may go on; several replicas may, one does."""
        paused = await self._claim_check()
        if paused is None:
            return
        try:
            balance = await kie.credits()
        except KieError as error:
            log.info("sales.check_failed", error=type(error).__name__)
            return
        if not covers(paused, balance):
            log.info("sales.still_paused", balance=str(balance), needed=str(paused.credits_needed))
            return
        async with self.db.transaction() as tx:
            gate, _ = await gates.lock(tx, self.key_name)
            if gate.paused_since == paused.paused_since:
                await self._change(tx, gate, resume(gate))

    async def _claim_check(self) -> Gate | None:
        async with self.db.transaction() as tx:
            if not await gates.is_paused(tx, self.key_name):
                return None
            gate, now = await gates.lock(tx, self.key_name)
            if gate.check_at is None or now < gate.check_at:
                return None
            await gates.save(tx, self.key_name, checked(gate, now))
            return gate

    async def _change(self, tx: Tx, gate: Gate, changed: Gate) -> None:
        """Whoever is first in line is woken when the way is free; operators are told last: their rows are shared."""
        await gates.save(tx, self.key_name, changed)
        told = changes(gate, changed)
        if Change.RESUMED in told or Change.CLOSED in told:
            await line.wake(tx, at_most=self.rate.creates)
        for change in told:
            await raise_alert(tx, _announced(change, gate, changed))


def _announced(change: Change, before: Gate, now: Gate) -> Alert:
    """Logged, and as it is told to operators."""
    match change:
        case Change.PAUSED:
            needed = f"{now.credits_needed or 0:f}"
            log.error("sales.paused", reason=now.paused_why, needed=needed)
            return Alert(Kind.SALES_PAUSED, values={"reason": now.paused_why or "", "needed": needed})
        case Change.RESUMED:
            log.warning("sales.resumed", reason=before.paused_why)
            return Alert(Kind.SALES_RESUMED, values={"reason": before.paused_why or ""})
        case Change.OPENED:
            log.error("breaker.opened", troubles=now.troubles)
            return Alert(Kind.BREAKER_OPENED, values={"troubles": str(now.troubles)})
        case Change.CLOSED:
            log.warning("breaker.closed", breaks=before.breaks)
            return Alert(Kind.BREAKER_CLOSED)
        case _:
            assert_never(change)
