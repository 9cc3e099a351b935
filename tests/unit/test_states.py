"""When to look again: growing, bounded, never at once and never never."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from kiosk.generations.states import (
    ARROWS,
    DELIVERY_MAX_S,
    OPEN,
    POLL_MAX_S,
    State,
    delivery_delay_s,
    outcome_is_overdue,
    poll_delay_s,
)
from tests.values import MOMENT

TIMES = st.integers(0, 10**6)


@given(TIMES, st.floats(0.1, 600))
def test_poll_delay_grows_within_its_bounds(polls: int, first_s: float) -> None:
    """The next look is never sooner than the last one was, positive, and within the longest pause."""
    delay_s = poll_delay_s(polls, first_s)
    assert 0 < delay_s <= poll_delay_s(polls + 1, first_s)
    assert delay_s <= max(POLL_MAX_S, first_s)
    assert poll_delay_s(0, first_s) == first_s


@given(TIMES)
def test_delivery_delay_grows_within_its_bounds(tries: int) -> None:
    """A delivery is tried again for ever, ever less often, at least every ten minutes."""
    assert 0 < delivery_delay_s(tries) <= delivery_delay_s(tries + 1) <= DELIVERY_MAX_S == delivery_delay_s(10**9)


def test_unknown_outcome_is_overdue_from_the_end_of_its_grace() -> None:
    """Not a moment before, and from that very moment on."""
    assert not outcome_is_overdue(MOMENT + timedelta(seconds=59.999), MOMENT, 60)
    assert outcome_is_overdue(MOMENT + timedelta(seconds=60), MOMENT, 60)


def test_money_on_hold_always_has_a_way_out() -> None:
    """From every open state there is a path to an end, and nothing leads back into a draft."""
    for state in OPEN:
        reached, new = {state}, {state}
        while new:
            new = {target for source, target in ARROWS if source in new} - reached
            reached |= new
        assert {State.DONE, State.FAILED} <= reached
    assert State.DRAFT not in {target for _, target in ARROWS}


def test_done_and_canceled_are_final() -> None:
    """Nothing leaves them: a result is never taken back, and a canceled order never comes alive."""
    assert not {source for source, _ in ARROWS} & {State.DONE, State.CANCELED}
