"""Looks every night whether the books add up, and tells operators when they do not."""

from dataclasses import dataclass

import structlog

from kiosk.db import Database
from kiosk.ledger.audit import audit
from kiosk.metrics import BROKEN
from kiosk.operators.alerts import Alert, Kind
from kiosk.operators.store import raise_alert

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Auditor:
    db: Database

    async def audit(self) -> None:
        """Every invariant on one snapshot, each with its time limit; what is broken is told by its name."""
        async with self.db.transaction(isolation="repeatable_read", readonly=True) as tx:
            findings = await audit(tx)
        for finding in findings:
            BROKEN.labels(finding.invariant.name).set(finding.broken)
        broken = [finding.invariant.name for finding in findings if finding.broken]
        if broken:
            log.error("audit.broken", invariants=broken)
            async with self.db.transaction() as tx:
                await raise_alert(tx, Alert(Kind.BOOKS, values={"invariants": ", ".join(broken)}))
        else:
            log.info("audit.clean")
