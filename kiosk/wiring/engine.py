"""What works behind the counter: the jobs, and the rounds that every such process goes again and again."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from kiosk.bot.crier import FirstAccepted
from kiosk.customers.house import NUMBER as HOUSE
from kiosk.generations.deliver import Deliverer
from kiosk.generations.observe import Observer
from kiosk.generations.reconcile import Reconciler
from kiosk.generations.submit import Submitter
from kiosk.generations.sweep import Sweeper
from kiosk.generations.usher import Usher
from kiosk.media.links import Addresses
from kiosk.media.luggage import Luggage
from kiosk.media.source import Library
from kiosk.operators.audit import Auditor
from kiosk.operators.tell import Teller
from kiosk.operators.watch import CREDITS_EVERY_S, FAILURES_EVERY_S, Limits, Watcher
from kiosk.parts import rates
from kiosk.queue.jobs import Act
from kiosk.queue.rounds import Nightly, Round, Rounds
from kiosk.queue.worker import Worker
from kiosk.settings import Settings
from kiosk.wiring.branch import Branch
from kiosk.wiring.parts import Parts, hands

NIGHTLY_LOOK_S: Final = 60.0
AUDIT_LEASE_S: Final = 4 * 3600.0
TIDY_LEASE_S: Final = 3600.0


def make_worker(parts: Parts, branches: Sequence[Branch]) -> Worker:
    """Each order is shown, delivered and read from through the bot of its customer."""
    settings, db, kie, shelf = parts.settings, parts.db, parts.kie, parts.shelf
    # The house has no bot, and so no files but those that lie at an address.
    libraries: dict[int, Library] = {HOUSE: Addresses(parts.links)}
    libraries |= {branch.bot.id: branch.files for branch in branches}
    submit = Submitter(
        db=db,
        kie=kie,
        shelf=shelf,
        settler=parts.settler,
        keeper=parts.keeper,
        usher=Usher(db, {branch.bot.id: branch.messenger for branch in branches}),
        callback_base=settings.webhook_base_url,
        poll_first_s=settings.poll_first_s,
        luggage=Luggage(db, kie, libraries, hands()),
    )
    observe = Observer(db, kie, shelf, parts.fetcher, parts.settler, settings.poll_first_s, rates(settings))
    deliver = Deliverer(db, {branch.bot.id: branch.courier for branch in branches})
    return Worker(
        open_pool=parts.engine_pool,
        handlers={Act.SUBMIT: submit, Act.OBSERVE: observe, Act.DELIVER: deliver},
    )


def make_rounds(parts: Parts, branches: Sequence[Branch]) -> Rounds:
    """What every replica does again and again. Operators are those of the first bot: the shop is theirs."""
    db, owner = parts.db, parts.settings.bots[0]
    sweeper = Sweeper(db)
    teller = Teller(db, FirstAccepted([branch.presence for branch in branches]), owner.id, owner.admins)
    audit = Nightly(db, "audit", Auditor(db).audit, AUDIT_LEASE_S)
    watcher = Watcher(db, parts.kie, limits(parts.settings))
    tidy = Nightly(db, "tidy", sweeper.tidy, TIDY_LEASE_S)
    return Rounds(
        {
            "sweep": Round(2, sweeper.sweep),
            "reopen": Round(5, partial(parts.keeper.reopen, parts.kie)),
            "look_late": Round(10, sweeper.look_late),
            "match_orphans": Round(60, sweeper.match_orphans),
            "reconcile": Round(60, Reconciler(db).reconcile),
            "watch_credits": Round(CREDITS_EVERY_S, watcher.credits),
            "watch_failures": Round(FAILURES_EVERY_S, watcher.failures),
            "tell_operators": Round(5, teller.tell, limit_s=900),
            "audit": Round(NIGHTLY_LOOK_S, audit, limit_s=AUDIT_LEASE_S),
            "tidy": Round(NIGHTLY_LOOK_S, tidy, limit_s=TIDY_LEASE_S),
        }
    )


def limits(settings: Settings) -> Limits:
    """When operators are warned."""
    return Limits(
        low_credits=settings.low_credits,
        share=settings.failure_share,
        failures_at_least=settings.failures_at_least,
        window_s=settings.failure_window_s,
    )
