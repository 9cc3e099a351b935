"""The gate before the provider: its limit, its breaker and its pauses, as decisions."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.generations.gate import (
    BREAKER_AT,
    BREAKER_FIRST_S,
    BREAKER_LONGEST_S,
    FLIGHT_S,
    MAINTENANCE_S,
    OBEYED_S,
    Admitted,
    Asked,
    Change,
    Gate,
    Rate,
    Shut,
    Why,
    admit,
    after,
    blames_the_order,
    changes,
    checked,
    covers,
    resume,
    turn,
)
from kiosk.generations.gatekeeper import LOOK_LAST
from kiosk.generations.line import Told
from kiosk.generations.usher import worth_telling
from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.outcome import Created, CreateOutcome, Doubt, NotAccepted, OutcomeUnknown, Refused
from tests.values import MOMENT, later

RATE = Rate(creates=3, window_s=10)
CREATED = Created("task")
TROUBLES: list[CreateOutcome] = [
    NotAccepted(DelayReason.PROVIDER_ERROR, None),
    NotAccepted(DelayReason.BLOCKED, None),
    NotAccepted(DelayReason.UNREACHABLE, None),
    NotAccepted(DelayReason.MAINTENANCE, None),
    OutcomeUnknown(Doubt.NO_ANSWER),
]
TROUBLE = OutcomeUnknown(Doubt.NO_ANSWER)


def refused(reason: RefusalReason) -> Refused:
    return Refused(reason, 400, "")


def entered(gate: Gate, now: datetime, rate: Rate = RATE) -> Admitted:
    passage = admit(gate, now, rate)
    assert isinstance(passage, Admitted), passage
    return passage


def shut(gate: Gate, now: datetime, rate: Rate = RATE) -> Shut:
    passage = admit(gate, now, rate)
    assert isinstance(passage, Shut), passage
    return passage


def answered(
    gate: Gate, outcome: CreateOutcome, now: datetime, *, order: int = 1, quoted: Decimal | None = None
) -> Gate:
    """One create that is answered as soon as it is made."""
    through = entered(gate, now, Rate(1000, 10))
    return after(through.gate, Asked(order, through.slot, quoted), outcome, now, Rate(1000, 10))


def broken(now: datetime = MOMENT) -> Gate:
    gate = Gate()
    for order in range(BREAKER_AT):
        gate = answered(gate, TROUBLE, now, order=order)
    return gate


# The limit


@dataclass
class Provider:
    """Counts what reaches it, as the provider does."""

    arrivals: list[datetime] = field(default_factory=list)

    def busiest(self, window_s: float) -> int:
        """The most that came within one window."""
        window = timedelta(seconds=window_s)
        times = sorted(self.arrivals)
        return max((sum(start <= moment < start + window for moment in times) for start in times), default=0)


FLIGHTS = st.tuples(st.floats(0, 1), st.floats(0, FLIGHT_S), st.booleans())


@given(
    rate=st.builds(Rate, creates=st.integers(1, 6), window_s=st.floats(0.1, 60)),
    steps=st.lists(st.tuples(st.floats(0, 8), FLIGHTS), max_size=60),
)
def test_provider_never_counts_more_than_its_limit(
    rate: Rate, steps: list[tuple[float, tuple[float, float, bool]]]
) -> None:
    """However many ask at whatever moments, however slow the network and whoever dies on the way: never N + 1."""
    gate, now, provider = Gate(), MOMENT, Provider()
    flying: list[tuple[datetime, datetime]] = []  # when the answer comes, in which slot
    for pause_s, (share, flight_s, survives) in steps:
        now += timedelta(seconds=pause_s)
        for lands, slot in [flight for flight in flying if flight[0] <= now]:
            gate = after(gate, Asked(1, slot, None), CREATED, lands, rate)
            flying.remove((lands, slot))
        passage = admit(gate, now, rate)
        if isinstance(passage, Shut):
            assert passage.until >= now
            continue
        gate = passage.gate
        lands = now + timedelta(seconds=flight_s)
        provider.arrivals.append(now + (lands - now) * share)
        if survives:
            flying.append((lands, passage.slot))
    assert provider.busiest(rate.window_s) <= rate.creates


@given(creates=st.integers(1, 30), window_s=st.floats(0.1, 60))
def test_gate_lets_the_whole_limit_through_in_every_window(creates: int, window_s: float) -> None:
    """When answers come at once nothing is wasted: N now, and N more at the moment that it names."""
    rate, gate, now = Rate(creates, window_s), Gate(), MOMENT
    for _ in range(3):
        for order in range(creates):
            through = entered(gate, now, rate)
            gate = after(through.gate, Asked(order, through.slot, None), CREATED, now, rate)
        closed = shut(gate, now, rate)
        assert closed.why is Why.BUSY
        assert closed.until - now == timedelta(seconds=window_s * 1.02)
        now = closed.until


def test_slot_of_the_dead_comes_back() -> None:
    """Nobody ever tells what became of it: after the longest flight and a window it is free."""
    rate = Rate(1, 10)
    gate = entered(Gate(), MOMENT, rate).gate
    shut(gate, later(seconds=FLIGHT_S + 10), rate)
    entered(gate, later(seconds=FLIGHT_S + 11), rate)


def test_clock_that_was_set_back_does_not_close_the_gate() -> None:
    """Creates of the day after tomorrow count for nothing."""
    gate = Gate(counted=(later(days=2),) * RATE.creates)
    entered(gate, MOMENT)


@given(st.integers(1, 40), st.integers(1, 40))
def test_nobody_is_called_before_those_ahead(one: int, other: int) -> None:
    """A later place is never earlier, and each window calls as many as it lets through: no herd at the gate."""
    gate = Gate(counted=(MOMENT,) * 2)
    first, second = (turn(gate, MOMENT, RATE, place).until for place in sorted((one, other)))
    assert first <= second
    times = [turn(gate, MOMENT, RATE, place).until for place in range(1, 41)]
    assert max(times.count(moment) for moment in times) <= RATE.creates
    assert times[0] == MOMENT


# What the provider asks for


@pytest.mark.parametrize(
    ("outcome", "closed_s"),
    [
        (NotAccepted(DelayReason.RATE_LIMITED, 7.0), 7),
        (NotAccepted(DelayReason.RATE_LIMITED, None), 10),
        (NotAccepted(DelayReason.RATE_LIMITED, 999_999.0), OBEYED_S),
        (NotAccepted(DelayReason.MAINTENANCE, 120.0), 120),
        (NotAccepted(DelayReason.MAINTENANCE, None), MAINTENANCE_S),
    ],
)
def test_told_to_wait_everybody_waits(outcome: NotAccepted, closed_s: float) -> None:
    """The gate is shut for all until then, and the order that was told so keeps its place."""
    gate = answered(Gate(), outcome, MOMENT)
    assert shut(gate, MOMENT) == Shut(later(seconds=closed_s), Why.TROUBLE)
    assert turn(gate, MOMENT, RATE, 1) == Shut(later(seconds=closed_s), Why.TROUBLE)
    entered(gate, later(seconds=closed_s))
    assert not blames_the_order(outcome)


def test_shorter_wait_does_not_shorten_a_longer_one() -> None:
    """Two answers at the same time: the later end holds."""
    rate, gate = Rate(2, 10), Gate()
    first = entered(gate, MOMENT, rate)
    second = entered(first.gate, MOMENT, rate)
    gate = after(second.gate, Asked(1, first.slot, None), NotAccepted(DelayReason.RATE_LIMITED, 60), MOMENT, rate)
    gate = after(gate, Asked(2, second.slot, None), NotAccepted(DelayReason.RATE_LIMITED, 5), MOMENT, rate)
    assert shut(gate, MOMENT, rate).until == later(seconds=60)


# The breaker


@pytest.mark.parametrize("trouble", TROUBLES)
def test_troubles_of_several_orders_in_a_row_open_the_breaker(trouble: CreateOutcome) -> None:
    """The fifth does; the fourth does not."""
    gate = Gate()
    for order in range(BREAKER_AT):
        assert gate.broken_until is None
        gate = replace(answered(gate, trouble, MOMENT, order=order), closed_until=None)
    assert gate.broken_until == later(seconds=BREAKER_FIRST_S)
    assert shut(gate, MOMENT) == Shut(later(seconds=BREAKER_FIRST_S), Why.TROUBLE)


def test_one_order_that_always_fails_opens_nothing() -> None:
    """It is its own trouble: the others pass."""
    gate = Gate()
    for _ in range(3 * BREAKER_AT):
        gate = answered(gate, TROUBLE, MOMENT, order=1)
    assert gate.broken_until is None


@pytest.mark.parametrize("good", [CREATED, refused(RefusalReason.BAD_INPUT), refused(RefusalReason.MODERATION)])
def test_answer_in_between_keeps_the_breaker_closed(good: CreateOutcome) -> None:
    """A model that fails alone does not stop the others: the provider answers."""
    gate = Gate()
    for order in range(4 * BREAKER_AT):
        gate = answered(gate, good if order % BREAKER_AT == 0 else TROUBLE, MOMENT, order=order)
    assert gate.broken_until is None


def test_half_open_breaker_lets_one_trial_through() -> None:
    """One and no other until it is answered; well answered, everybody passes again."""
    gate, past = broken(), later(seconds=BREAKER_FIRST_S)
    trial = entered(gate, past)
    assert shut(trial.gate, past).why is Why.TROUBLE
    well = after(trial.gate, Asked(9, trial.slot, None), CREATED, past, RATE)
    assert (well.broken_until, well.troubles, well.breaks) == (None, 0, 0)
    assert changes(trial.gate, well) == (Change.CLOSED,)
    entered(well, past)


def test_trial_that_fails_opens_the_breaker_for_twice_as_long() -> None:
    """30 s, 60 s, 120 s, and never longer than five minutes."""
    gate, now, waits = broken(), MOMENT, []
    for order in range(6):
        assert gate.broken_until
        waits.append((gate.broken_until - now).total_seconds())
        now = gate.broken_until
        gate = answered(gate, TROUBLE, now, order=order)
    assert waits == [30, 60, 120, 240, BREAKER_LONGEST_S, BREAKER_LONGEST_S]


def test_trial_that_never_answers_makes_room_for_another() -> None:
    """Its process was killed: after the longest flight the next one tries."""
    past = later(seconds=BREAKER_FIRST_S)
    trial = entered(broken(), past)
    shut(trial.gate, past + timedelta(seconds=FLIGHT_S - 1))
    entered(trial.gate, past + timedelta(seconds=FLIGHT_S))


@pytest.mark.parametrize(
    "neutral", [NotAccepted(DelayReason.RATE_LIMITED, 1), Refused(RefusalReason.BAD_INPUT, None, "")]
)
def test_trial_that_teaches_nothing_is_followed_by_another(neutral: CreateOutcome) -> None:
    """Too many requests, or nothing sent at all: neither well nor trouble."""
    past = later(seconds=BREAKER_FIRST_S)
    gate = answered(broken(), neutral, past)
    assert gate.broken_until
    assert entered(gate, past + timedelta(seconds=1)).gate.trial


def test_trouble_that_was_under_way_when_the_breaker_opened_does_not_count() -> None:
    """Only the trial decides, or an answer that is well."""
    rate = Rate(1000, 10)
    early = entered(Gate(), MOMENT, rate)
    gate = replace(broken(), counted=early.gate.counted)
    asked = Asked(77, early.slot, None)
    assert after(gate, asked, TROUBLE, MOMENT, rate).broken_until == gate.broken_until
    assert after(gate, asked, CREATED, MOMENT, rate).broken_until is None


# The pause


@pytest.mark.parametrize("reason", [RefusalReason.NO_CREDITS, RefusalReason.KEY_CAP, RefusalReason.UNAUTHORIZED])
def test_nothing_can_be_bought_so_nothing_is_sold(reason: RefusalReason) -> None:
    """Sales pause until a look says otherwise; a late success of another order does not resume them."""
    gate = answered(Gate(), refused(reason), MOMENT, quoted=Decimal(4))
    assert (gate.paused_since, gate.paused_why, gate.credits_needed) == (MOMENT, reason.value, Decimal(4))
    assert changes(Gate(), gate) == (Change.PAUSED,)
    assert shut(gate, later(days=1)).why is Why.PAUSED
    through = entered(Gate(), MOMENT)
    assert after(gate, Asked(2, through.slot, None), CREATED, MOMENT, RATE).paused_since == MOMENT
    resumed = resume(gate)
    assert changes(gate, resumed) == (Change.RESUMED,)
    entered(resumed, later(minutes=1))


def test_pause_waits_for_the_dearest_refused_order() -> None:
    """Two were refused at once: the credits must do for either."""
    first = entered(Gate(), MOMENT)
    second = entered(first.gate, MOMENT)
    gate, no = second.gate, refused(RefusalReason.NO_CREDITS)
    gate = after(gate, Asked(1, first.slot, Decimal("0.8")), no, MOMENT, RATE)
    gate = after(gate, Asked(2, second.slot, Decimal(18)), no, MOMENT, RATE)
    assert not covers(gate, Decimal("17.9"))
    assert covers(gate, Decimal(18))


def test_empty_balance_never_resumes() -> None:
    """Not even when nobody knows what the refused order costs."""
    gate = answered(Gate(), refused(RefusalReason.NO_CREDITS), MOMENT)
    assert not covers(gate, Decimal(0))
    assert covers(gate, Decimal("0.1"))


def test_pauses_in_vain_are_looked_at_ever_rarer() -> None:
    """Credits that are there and yet do not do cost a customer's patience each time: less and less often."""
    gate, now, waits = Gate(), MOMENT, []
    for _ in range(7):
        gate = resume(answered(gate, refused(RefusalReason.KEY_CAP), now))
        again = checked(gate, now)
        assert again.check_at
        waits.append((again.check_at - now).total_seconds())
    assert waits == [30, 60, 120, 240, 480, 900, 900]
    assert answered(gate, CREATED, now).pauses == 0


# What is told of the line


@pytest.mark.parametrize(
    ("told", "place", "wait_s", "expected"),
    [
        (None, 1, 2.9, False),
        (None, 1, 3.0, True),
        (40, 40, 20, False),
        (40, 31, 20, False),
        (40, 30, 20, True),
        (40, 41, 20, False),
        (40, 60, 20, True),
        (4, 3, 20, True),
        (2, 1, 0, True),
        (1, 1, 20, False),
    ],
)
def test_place_is_told_when_it_moved_notably(told: int | None, place: int, wait_s: float, expected: bool) -> None:
    """At once when there is a wait, then by quarters, and each of the last three."""
    before = Told(told, Why.BUSY) if told else None
    assert worth_telling(before, Told(place, Why.BUSY), wait_s=wait_s) is expected


def test_other_reason_to_wait_is_told() -> None:
    """It changes what the customer can expect."""
    assert worth_telling(Told(4, Why.BUSY), Told(4, Why.PAUSED), wait_s=0)


@given(st.integers(1, 500))
def test_few_edits_lead_to_the_head_of_the_line(place: int) -> None:
    """Telegram is not flooded with places."""
    told, edits = Told(place, Why.BUSY), 0
    for now in range(place - 1, 0, -1):
        if worth_telling(told, Told(now, Why.BUSY), wait_s=0):
            told, edits = Told(now, Why.BUSY), edits + 1
    assert edits <= 24
    assert told.place == 1


def test_customer_in_line_is_looked_at_within_half_a_minute() -> None:
    """However long the breaker is open: a place that moved, a pause that ended, a deadline."""
    assert timedelta(seconds=BREAKER_FIRST_S) >= LOOK_LAST
