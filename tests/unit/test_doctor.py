"""What a look at clock, disk and server comes to, decided without any of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kiosk.doctor.database import judge_server
from kiosk.doctor.finding import Status
from kiosk.doctor.store import Server
from kiosk.doctor.surroundings import GIB, judge_clock, judge_disk, outside

GOOD = Server("18.6", "on", "on", "on", is_replica=False, max_connections=100, used=10)


@pytest.mark.parametrize(
    ("ahead_s", "status", "said"),
    [
        (0.4, Status.OK, "agrees with Telegram"),
        (-4.9, Status.OK, "agrees with Telegram"),
        (6, Status.WARNING, "this machine is 6 s behind Telegram"),
        (-59, Status.WARNING, "this machine is 59 s ahead of Telegram"),
        (61, Status.FAILED, "this machine is 61 s behind Telegram"),
    ],
)
def test_clock_is_judged_by_how_far_it_is_off(ahead_s: float, status: Status, said: str) -> None:
    """Seconds are noticed, a minute is too much: signatures of callbacks are of a certain moment."""
    finding = judge_clock({"Telegram": timedelta(seconds=ahead_s)})
    assert (finding.status, finding.said) == (status, said)


@pytest.mark.parametrize(
    ("shown_s", "ahead_s"), [(100, 0), (103, 0), (104.5, 0), (99.2, 0), (98, -1), (90, -9), (106, 1), (170, 65)]
)
def test_clock_is_off_only_beyond_what_asking_took(shown_s: float, ahead_s: float) -> None:
    """An answer of whole seconds, asked for at 100 and had at 105: it was anything between, however slow the way."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    shown, before, after = (start + timedelta(seconds=moment) for moment in (shown_s, 100, 105))
    assert outside(shown, shown + timedelta(seconds=1), before, after) == timedelta(seconds=ahead_s)


def test_clock_names_whom_it_differs_from_most() -> None:
    """Of several the worst counts; of none there is nothing to say."""
    finding = judge_clock({"the database": timedelta(seconds=-90), "Telegram": timedelta(seconds=10)})
    assert finding.said == "this machine is 90 s ahead of the database"
    assert judge_clock({}).status is Status.SKIPPED


@pytest.mark.parametrize(
    ("free", "status"), [(3 * GIB, Status.OK), (GIB, Status.WARNING), (GIB // 8, Status.FAILED), (0, Status.FAILED)]
)
def test_disk_is_judged_by_what_is_left(free: int, status: Status) -> None:
    """The fullest folder counts."""
    assert judge_disk({"DATA_DIR": free, "the folder for temporary files": 9 * GIB}).status is status


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [
        ({}, Status.OK, "PostgreSQL 18.6, 10 of 100 connections in use"),
        ({"fsync": "off"}, Status.FAILED, "fsync is off"),
        ({"full_page_writes": "off"}, Status.FAILED, "full_page_writes is off"),
        ({"is_replica": True}, Status.FAILED, "replica"),
        ({"version": "13.4"}, Status.WARNING, "13.4 is old"),
        ({"synchronous_commit": "off"}, Status.WARNING, "synchronous_commit is off"),
        ({"used": 85}, Status.WARNING, "85 of 100 connections"),
    ],
)
def test_server_that_may_forget_is_told(changes: dict[str, object], status: Status, said: str) -> None:
    """What was paid must outlive a power cut; a process must find room for its connections."""
    finding = judge_server(replace(GOOD, **changes), pooled=False, wanted=20)  # type: ignore[arg-type]  # of each kind
    assert finding.status is status
    assert said in finding.said


def test_connections_behind_a_pooler_are_the_poolers_business() -> None:
    """Few are left at the server, and the pooler shares them out."""
    assert judge_server(replace(GOOD, used=99), pooled=True, wanted=20).said == "PostgreSQL 18.6, through a pooler"
