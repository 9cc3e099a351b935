"""Tells operators what was raised: every one of them at least once, and nobody again within the window."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

import structlog

from kiosk.customers import store as customers
from kiosk.customers.store import Language
from kiosk.db import Database
from kiosk.operators import store
from kiosk.operators.alerts import WINDOW_OF, Raised

log = structlog.get_logger()

BATCH: Final = 10
LEASE_S: Final = 120.0  # longer than telling one alert may take; also the pause before it is tried again


class Reached(Enum):
    """What became of a message to one operator."""

    YES = "yes"
    NEVER = "never"  # they blocked the bot, or never started it
    LATER = "later"  # nobody knows, or Telegram is busy


class Crier(Protocol):
    """What telling needs of a messenger."""

    async def cry(self, operator: int, language: Language, raised: Raised, /) -> Reached:
        """One message to one operator, named by their number in Telegram."""


@dataclass(frozen=True, slots=True)
class Teller:
    """`operators`: their numbers in Telegram; without any, alerts are only logged."""

    db: Database
    crier: Crier
    bot_id: int
    operators: frozenset[int]

    async def tell(self) -> None:
        """Tells what is due; safe on every replica at once."""
        while True:
            async with self.db.transaction() as tx:
                due = await store.claim_untold(tx, limit=BATCH, lease_s=LEASE_S)
            for raised in due:
                await self._tell(raised)
            if len(due) < BATCH:
                return

    async def _tell(self, raised: Raised) -> None:
        missed = [number for number in self._still_to_reach(raised) if not await self._reach(number, raised)]
        if missed:
            return  # its lease ends, and those are tried again
        log.warning(
            "operator.alert",
            kind=raised.alert.kind.value,
            subject=raised.alert.subject,
            count=raised.untold,
            values=dict(raised.alert.values),
        )
        async with self.db.transaction() as tx:
            await store.mark_told(tx, raised, window=WINDOW_OF[raised.alert.kind])

    def _still_to_reach(self, raised: Raised) -> Iterable[int]:
        return sorted(self.operators.difference(raised.told_to))

    async def _reach(self, operator: int, raised: Raised) -> bool:
        """Whether this operator need not be tried again."""
        async with self.db.reading() as tx:
            customer = await customers.find(tx, self.bot_id, operator)
        reached = await self.crier.cry(operator, customer.language if customer else "ru", raised)
        if reached is Reached.LATER:
            log.info("operator.not_reached", operator=operator, kind=raised.alert.kind.value)
            return False
        if reached is Reached.NEVER:
            log.warning("operator.unreachable", operator=operator, kind=raised.alert.kind.value)
        async with self.db.transaction() as tx:
            await store.told_one(tx, raised, operator)
        return True
