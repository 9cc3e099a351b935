"""Alerts: in the transaction that has the reason, counted instead of repeated, and never forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import structlog

from kiosk.customers.store import Language
from kiosk.db import Database
from kiosk.operators import store
from kiosk.operators.alerts import VALUES_OF, WINDOW_OF, Alert, Kind, Raised
from kiosk.operators.audit import Auditor
from kiosk.operators.store import raise_alert
from kiosk.operators.tell import LEASE_S, Reached, Teller
from tests.breakages import BREAKAGES, a_busy_shop, break_books
from tests.shopkeeping import BOT

LOST = Alert(Kind.LOST, values={"generation": "7"})
OPERATORS = frozenset({1, 2})


@dataclass
class Listeners:
    """Operators who note what they are told; `answers` are what becomes of the next messages to each."""

    answers: dict[int, list[Reached]] = field(default_factory=dict)
    told: list[tuple[int, str, int]] = field(default_factory=list)

    async def cry(self, operator: int, _language: Language, raised: Raised) -> Reached:
        answers = self.answers.get(operator)
        reached = answers.pop(0) if answers else Reached.YES
        if reached is Reached.YES:
            self.told.append((operator, raised.alert.kind, raised.untold))
        return reached


async def raise_it(database: Database, *alerts: Alert) -> None:
    async with database.transaction() as tx:
        for alert in alerts:
            await raise_alert(tx, alert)


async def raise_and_fail(database: Database) -> None:
    async with database.transaction() as tx:
        await raise_alert(tx, LOST)
        raise ZeroDivisionError


async def rows(database: Database) -> Sequence[Raised]:
    async with database.reading() as tx:
        return await store.latest(tx, limit=100)


async def due_now(database: Database) -> None:
    """Leases and windows end."""
    async with database.transaction() as tx:
        await tx.execute("UPDATE alerts SET due_at = now()")


async def claimed(database: Database) -> list[str]:
    async with database.transaction() as tx:
        return [raised.alert.kind for raised in await store.claim_untold(tx, limit=10, lease_s=LEASE_S)]


def teller(database: Database, listeners: Listeners, operators: frozenset[int] = OPERATORS) -> Teller:
    return Teller(database, listeners, BOT, operators)


async def test_alert_exists_exactly_if_its_reason_is_committed(database: Database) -> None:
    """What did not happen alarms nobody."""
    with pytest.raises(ZeroDivisionError):
        await raise_and_fail(database)
    assert await rows(database) == []
    await raise_it(database, LOST)
    assert [raised.alert for raised in await rows(database)] == [LOST]


async def test_repeated_alert_counts_up(database: Database) -> None:
    """One row for each kind and subject, with the values of the last."""
    subjects = [Alert(Kind.STUCK, model, {"model": model, "generation": "1"}) for model in ("a", "a", "b")]
    await raise_it(database, LOST, *subjects, Alert(Kind.STUCK, "a", {"model": "a", "generation": "9"}))
    found = {(raised.alert.kind, raised.alert.subject): raised for raised in await rows(database)}
    counts = {key: raised.count for key, raised in found.items()}
    assert counts == {(Kind.LOST, ""): 1, (Kind.STUCK, "a"): 3, (Kind.STUCK, "b"): 1}
    assert found[Kind.STUCK, "a"].alert.values == {"model": "a", "generation": "9"}


def test_alert_tells_what_its_text_holds() -> None:
    """A value too few or too many is found where the alert is made, not where it is to be told."""
    assert VALUES_OF.keys() == WINDOW_OF.keys() == set(Kind)
    for wrong in ({}, {"generation": "1", "key": "secret"}):
        with pytest.raises(ValueError, match="generation"):
            Alert(Kind.LOST, values=wrong)


async def test_every_operator_is_told_once_per_window(database: Database) -> None:
    """Repetitions within the window are told at its end, as a number; without any there is silence."""
    listeners = Listeners()
    await raise_it(database, LOST)
    await teller(database, listeners).tell()
    assert listeners.told == [(1, "lost", 1), (2, "lost", 1)]
    listeners.told.clear()
    await raise_it(database, LOST, LOST)
    await teller(database, listeners).tell()
    assert listeners.told == []
    await due_now(database)
    await teller(database, listeners).tell()
    assert listeners.told == [(1, "lost", 2), (2, "lost", 2)]
    listeners.told.clear()
    await due_now(database)
    await teller(database, listeners).tell()
    assert listeners.told == []


async def test_window_is_that_of_the_kind(database: Database) -> None:
    """The row says until when it is quiet."""
    await raise_it(database, LOST)
    await teller(database, Listeners()).tell()
    async with database.reading() as tx:
        quiet: timedelta = await tx.fetchval("SELECT due_at - told_at FROM alerts")
    assert quiet == WINDOW_OF[Kind.LOST]


async def test_alert_in_other_hands_is_left_alone(database: Database) -> None:
    """A claim holds until its lease ends; who died with it in hand loses nothing."""
    await raise_it(database, LOST)
    assert await claimed(database) == ["lost"]
    assert await claimed(database) == []
    await due_now(database)
    assert await claimed(database) == ["lost"]


async def test_alerts_are_shared_never_doubled(database: Database) -> None:
    """Two tellers at once, the first not yet committed: the second gets nothing of it."""
    await raise_it(database, LOST)
    async with database.transaction() as first, database.transaction() as second:
        taken = await store.claim_untold(first, limit=10, lease_s=LEASE_S)
        assert await store.claim_untold(second, limit=10, lease_s=LEASE_S) == []
    assert len(taken) == 1


async def test_blocked_operator_stops_nobody(database: Database) -> None:
    """One of two never started the bot: the other is told, and that is the end of it."""
    listeners = Listeners({1: [Reached.NEVER]})
    await raise_it(database, LOST)
    with structlog.testing.capture_logs() as log:
        await teller(database, listeners).tell()
    assert [entry["operator"] for entry in log if entry["event"] == "operator.unreachable"] == [1]
    assert listeners.told == [(2, "lost", 1)]
    (raised,) = await rows(database)
    assert raised.untold == 0


async def test_operator_missed_is_tried_again_alone(database: Database) -> None:
    """Nobody knows whether the first got it: tried after the lease, and the second is not bothered again."""
    listeners = Listeners({1: [Reached.LATER, Reached.YES]})
    await raise_it(database, LOST)
    await teller(database, listeners).tell()
    assert listeners.told == [(2, "lost", 1)]
    await due_now(database)
    await teller(database, listeners).tell()
    assert listeners.told == [(2, "lost", 1), (1, "lost", 1)]
    (raised,) = await rows(database)
    assert (raised.untold, raised.told_to) == (0, ())


async def test_without_operators_it_is_logged(database: Database) -> None:
    """Nobody is named in ADMIN_ID: the log has it, once."""
    await raise_it(database, LOST)
    with structlog.testing.capture_logs() as log:
        for _ in range(2):
            await teller(database, Listeners(), frozenset()).tell()
    (entry,) = (entry for entry in log if entry["event"] == "operator.alert")
    assert (entry["kind"], entry["count"], entry["values"]) == ("lost", 1, {"generation": "7"})


async def test_alert_raised_while_it_is_told_is_told_later(database: Database) -> None:
    """It was not in the message, so it is not counted as told."""
    await raise_it(database, LOST)
    async with database.transaction() as tx:
        (raised,) = await store.claim_untold(tx, limit=1, lease_s=LEASE_S)
    await raise_it(database, LOST)
    async with database.transaction() as tx:
        await store.mark_told(tx, raised, window=timedelta(0))
        await store.mark_told(tx, raised, window=timedelta(0))  # another had taken it over: it counts once
    (left,) = await rows(database)
    assert (left.count, left.untold) == (2, 1)


async def test_kind_of_a_newer_replica_is_left_to_it(database: Database) -> None:
    """While two versions run side by side, each tells what it has words for."""
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO alerts (kind) VALUES ('from_the_future')")
    assert await claimed(database) == []
    assert await rows(database) == []


async def test_only_old_and_told_alerts_are_forgotten(database: Database) -> None:
    """What nobody was told yet stays, however old."""
    await raise_it(database, LOST)
    await teller(database, Listeners()).tell()
    await raise_it(database, Alert(Kind.BOOKS, values={"invariants": "books_balance"}))
    async with database.transaction() as tx:
        assert await store.forget_told(tx, older_than_days=90) == 0
        await tx.execute("UPDATE alerts SET raised_at = now() - interval '91 days'")
        assert await store.forget_told(tx, older_than_days=90) == 1
    assert [raised.alert.kind for raised in await rows(database)] == [Kind.BOOKS]


async def test_nightly_audit_names_what_is_broken(database: Database) -> None:
    """Clean books alarm nobody; broken ones are told by the invariant's name."""
    names = await a_busy_shop(database)
    await Auditor(database).audit()
    assert await rows(database) == []
    (breakage,) = (found for found in BREAKAGES if found.how == "a kopeck taken out of what is on hold")
    await break_books(database, breakage, names)
    with structlog.testing.capture_logs():
        await Auditor(database).audit()
    (raised,) = await rows(database)
    assert raised.alert == Alert(Kind.BOOKS, values={"invariants": "held_equals_open_generations"})
