"""Several tasks of one generation: which of them counts."""

from hypothesis import given
from hypothesis import strategies as st

from kiosk.delivery.plan import Media, Output
from kiosk.generations.observe import Failed, Reading, Succeeded, Waiting, judge
from kiosk.generations.states import Failure

SUCCESSES = st.sampled_from([Succeeded((Output(Media.IMAGE, f"https://x.example/{n}"),)) for n in range(3)])
FAILURES = st.sampled_from(Failure).map(Failed)
WAITS = (SUCCESSES | FAILURES).map(Waiting)
READINGS: st.SearchStrategy[list[Reading]] = st.lists(SUCCESSES | FAILURES | WAITS, max_size=5)


@given(READINGS, SUCCESSES, st.integers(0, 5), st.booleans())
def test_success_anywhere_wins(readings: list[Reading], success: Succeeded, place: int, late: bool) -> None:
    """Whatever became of the other tasks, a result is delivered: the first one there is."""
    readings.insert(place, success)
    assert judge(readings, past_deadline=late) == next(one for one in readings if isinstance(one, Succeeded))


@given(st.lists(FAILURES | WAITS, max_size=5), WAITS, st.integers(0, 5))
def test_nothing_fails_while_a_task_may_succeed(readings: list[Reading], wait: Waiting, place: int) -> None:
    """Before the deadline one waiting task keeps the order alive."""
    readings.insert(place, wait)
    assert isinstance(judge(readings, past_deadline=False), Waiting)


@given(READINGS)
def test_deadline_ends_the_waiting(readings: list[Reading]) -> None:
    """At the deadline there is an answer, whatever the tasks say."""
    assert not isinstance(judge(readings, past_deadline=True), Waiting)


@given(st.lists(FAILURES | WAITS, max_size=5), SUCCESSES, st.integers(0, 5))
def test_part_of_a_result_is_better_than_none(readings: list[Reading], part: Succeeded, place: int) -> None:
    """A success that lacks some files counts at the deadline, however the others failed."""
    readings.insert(place, Waiting(at_deadline=part))
    assert isinstance(judge(readings, past_deadline=True), Succeeded)


@given(st.lists(FAILURES, min_size=1, max_size=5), st.booleans())
def test_all_failed_is_a_failure_at_once(readings: list[Failed], late: bool) -> None:
    """When nothing can succeed any more, the customer hears it without waiting for the deadline."""
    assert judge(readings, past_deadline=late) == readings[0]


def test_no_task_at_all_is_waited_for_until_the_deadline() -> None:
    """A running order whose tasks nobody knows is not failed early, and not kept for ever."""
    assert judge([], past_deadline=False) == Waiting()
    assert judge([], past_deadline=True) == Failed(Failure.TIMEOUT)
