"""The judge of chaos runs: silent when all is as promised, and loud about each single breach."""

from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from chaos.customers import Diary
from chaos.database import Order, Wallet
from chaos.hostility import PROVIDER_CLASSES, TELEGRAM_CLASSES, by_class, of_telegram, of_the_provider
from chaos.nemesis import Kind, Tempo, schedule
from chaos.options import Options, read_options
from chaos.report import never_struck
from chaos.verdict import Evidence, Verdict, judge

CUSTOMER, ORDER, CARD, PRICE, WELCOME = 5001, 7, 4, 80, 10_000


def a_message(message_id: int = CARD, *, text: str = "✅ Готово!", picture: bool = True) -> dict[str, Any]:
    again = [[{"text": "🔁 Ещё раз", "callback_data": f"r:{ORDER}"}]]
    media = {"kind": "photo"} if picture else None
    return {"message_id": message_id, "from": "bot", "text": text, "media": media, "inline_keyboard": again}


def evidence(**changes: Any) -> Evidence:
    """One order, delivered and paid as promised, but for `changes`."""
    diary = Diary(1, confirmed={ORDER}, cards={ORDER: {CARD}}, prices={ORDER: PRICE}, owners={ORDER: CUSTOMER})
    kept = Evidence(
        diary=diary,
        chats={CUSTOMER: [a_message()]},
        creates={f"http://127.0.0.1:1/callbacks/kie/{ORDER}/secret": 1},
        orders=[Order(ORDER, CUSTOMER, "done", PRICE, late=False, submits=1, delivered=True)],
        wallets={CUSTOMER: Wallet(WELCOME - PRICE, 0, WELCOME)},
        welcome_kopecks=WELCOME,
        audit={"books_balance": 0},
    )
    return replace(kept, **changes)


def order(**changes: Any) -> list[Order]:
    return [replace(evidence().orders[0], **changes)]


def wallet(available: int = WELCOME, held: int = 0) -> dict[int, Wallet]:
    return {CUSTOMER: Wallet(available, held, WELCOME)}


def test_kept_promises_are_no_complaint() -> None:
    """One order, one picture in its own message, one charge."""
    verdict = judge(evidence())
    assert verdict.kept
    assert (verdict.final, verdict.delivered_once, verdict.kopecks_unexplained) == (1, 1, 0)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({"chats": {CUSTOMER: []}, "wallets": wallet()}, "lost"),
        ({"chats": {CUSTOMER: [a_message(), a_message(9)]}}, "delivered_twice"),
        ({"chats": {CUSTOMER: [a_message(9)]}}, "delivered_elsewhere"),
        ({"orders": order(state="running")}, "lost"),
        ({"orders": [], "wallets": wallet()}, "lost"),
        ({"orders": order(state="failed"), "chats": {CUSTOMER: []}, "wallets": wallet()}, "lost"),
        ({"wallets": wallet(WELCOME - 2 * PRICE)}, "kopecks_unexplained"),
        ({"wallets": wallet()}, "kopecks_unexplained"),
        ({"wallets": wallet(WELCOME - PRICE, PRICE)}, "kopecks_unexplained"),
        ({"creates": {f"http://127.0.0.1:1/callbacks/kie/{ORDER}/secret": 2}}, "uncounted_tasks"),
    ],
)
def test_each_breach_is_counted_and_told(changes: dict[str, Any], count: str) -> None:
    """Whatever is lost, doubled, misplaced, mischarged or not counted has a number and a complaint."""
    verdict = judge(evidence(**changes))
    assert getattr(verdict, count) > 0
    assert not verdict.kept


def test_broken_invariant_is_told() -> None:
    """What `kiosk audit` finds is a breach by itself."""
    verdict = judge(evidence(audit={"books_balance": 2}))
    assert verdict.audit == "books_balance: 2"
    assert not verdict.kept


def test_failure_that_is_told_and_unpaid_is_as_promised() -> None:
    """No picture, no charge, and the customer knows."""
    told = a_message(text="😔 Не получилось", picture=False)
    verdict = judge(evidence(orders=order(state="failed"), chats={CUSTOMER: [told]}, wallets=wallet()))
    assert verdict.kept
    assert verdict.failed_told == 1


def test_gift_costs_nothing() -> None:
    """A picture that came after the money had gone back."""
    gift = a_message(text="🎁 Готово! Получилось позже, поэтому бесплатно")
    verdict = judge(evidence(orders=order(late=True), chats={CUSTOMER: [gift]}, wallets=wallet()))
    assert verdict.kept
    assert verdict.gifts == 1


def test_second_copy_after_a_deletion_is_counted_apart() -> None:
    """Where the customer deleted the order's message, a new one may come twice; it must come."""
    diary = replace(evidence().diary, deleted={ORDER})
    assert judge(evidence(diary=diary, chats={CUSTOMER: [a_message(8), a_message(9)]})).resent == 1
    assert judge(evidence(diary=diary, chats={CUSTOMER: []}, wallets=wallet())).lost == 1


@pytest.mark.parametrize(("answer", "believed"), [("401", 0), ("200", 3)])
def test_callback_with_a_wrong_token_must_be_refused(answer: str, believed: int) -> None:
    """Whoever does not know the address is not thanked."""
    verdict = judge(evidence(strays={answer: 3}))
    assert verdict.forgeries_believed == believed
    assert verdict.kept == (not believed)


def test_complaints_are_bounded() -> None:
    """A run in which all is wrong still ends with a readable page."""
    verdict = Verdict()
    for number in range(100):
        verdict.complain(str(number))
    assert len(verdict.complaints) < 100


def test_schedule_follows_from_the_seed() -> None:
    """The same blows for the same seed, others for another, and the first one kills."""
    tempo = Tempo()
    first, same, other = (list(islice(schedule(seed, tempo), 200)) for seed in (1, 1, 2))
    assert first == same != other
    assert first[0].kind is Kind.KILL
    assert {blow.kind for blow in first} == set(Kind)


def test_outages_last_as_the_tempo_says() -> None:
    """In turn, so that a long run meets a long one."""
    blows = islice(schedule(1, Tempo(outages_s=(3.0, 60.0))), 500)
    lasted = [blow.lasts_s for blow in blows if blow.kind is Kind.OUTAGE]
    assert lasted[:4] == [3.0, 60.0, 3.0, 60.0]


def test_run_says_what_never_struck() -> None:
    """A class of faults that a large run did not meet is named; a small run need not meet all."""
    struck = by_class({("lost_reply", "createTask"): 1, ("lost_reply", "recordInfo"): 5}, {}, blocks=2, deletions=0)
    assert (struck["create: reply lost"], struck["record: unreadable"]) == (1, 5)
    missed = never_struck(Options(), struck, {"kill": 3})
    assert {"create: 429", "status message deleted", "outage"} <= set(missed)
    assert {"create: reply lost", "bot blocked", "kill"}.isdisjoint(missed)
    assert never_struck(Options(generations=60), struck, {}) == []


def test_every_fault_has_a_class() -> None:
    """What strikes is counted in the report."""
    named = {name for names, _ in PROVIDER_CLASSES.values() for name in names}
    assert {fault.name for fault in of_the_provider(1_000)} <= named
    told = {name for names in TELEGRAM_CLASSES.values() for name in names} | {"blocked"}
    assert {fault.name for fault in of_telegram()} <= told


def test_run_has_three_replicas_at_least(capsys: pytest.CaptureFixture[str]) -> None:
    """One may be killed while another sleeps, and somebody is left."""
    assert read_options([]).replicas == 3
    with pytest.raises(SystemExit):
        read_options(["--replicas", "2"])
    assert "3 replicas" in capsys.readouterr().err


def test_long_run_is_ten_times_as_long_and_meets_an_outage_of_a_minute() -> None:
    """Unless it is told how many orders."""
    long = read_options(["--long"])
    assert long.generations == 10 * read_options([]).generations == 10_000
    assert 60.0 in long.tempo.outages_s
    assert read_options(["--long", "--generations", "7"]).generations == 7
