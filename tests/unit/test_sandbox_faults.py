"""Faults strike when asked to, and the same way every time."""

import pytest

from sandbox.faults import Fault, Faults, MalformedFault, UnknownFault, fault_from_json

KNOWN = {"late": "comes late", "lost": "does not come", "torn": "comes in halves"}


def faults(*armed: Fault, seed: int = 7) -> Faults:
    made = Faults(seed, KNOWN)
    for fault in armed:
        made.add(fault)
    return made


def course(made: Faults, *targets: str) -> list[list[str]]:
    return [[fault.name for fault in made.draw(target)] for target in targets]


def test_faults_are_friendly_unless_asked() -> None:
    """Nothing strikes until something is armed."""
    assert faults().draw("send") == ()
    assert faults().active() == ()


def test_same_seed_and_requests_give_the_same_faults() -> None:
    """Two stand-ins of one seed fail alike, one of another seed does not."""
    sometimes = Fault("late", "*", probability=0.5), Fault("lost", "send", probability=0.3)
    requests = ["send", "read"] * 40
    first = course(faults(*sometimes), *requests)
    assert first == course(faults(*sometimes), *requests)
    assert first != course(faults(*sometimes, seed=8), *requests)
    assert any(first)
    assert not all(first)


def test_requests_to_other_targets_do_not_shift_the_course() -> None:
    """What happens to one endpoint does not depend on how often another one is asked."""
    alone = course(faults(Fault("lost", "send", probability=0.5)), *["send"] * 30)
    mixed = course(faults(Fault("lost", "send", probability=0.5)), *["send", "read", "read"] * 30)
    assert alone == mixed[::3]
    assert [names for number, names in enumerate(mixed) if number % 3] == [[]] * 60


def test_times_counts_down_and_ends() -> None:
    """A fault armed twice over strikes twice, shows what is left, and is gone."""
    made = faults(Fault("lost", "send", times=2))
    assert course(made, "send", "read") == [["lost"], []]
    assert (Fault("lost", "send", times=1),) == made.active()
    assert course(made, "send", "send", "send") == [["lost"], [], []]
    assert made.active() == ()
    assert made.struck() == {"lost": 2}


def test_faults_strike_in_the_order_they_were_armed() -> None:
    """Several faults strike one request together."""
    made = faults(Fault("torn", "*"), Fault("late", "send"))
    assert course(made, "send", "read") == [["torn", "late"], ["torn"]]


def test_forced_faults_strike_once() -> None:
    """A request that names faults meets them, armed or not."""
    made = faults(Fault("late", "send"))
    assert [fault.name for fault in made.draw("send", "lost, torn")] == ["late", "lost", "torn"]
    assert course(made, "send") == [["late"]]


def test_faults_that_mean_nothing_here_are_left_alone() -> None:
    """An endpoint draws only among its own faults and uses up no others."""
    made = faults(Fault("lost", "*", times=1))
    assert made.draw("send", among={"late"}) == ()
    assert [fault.name for fault in made.draw("send", among={"lost"})] == ["lost"]
    with pytest.raises(UnknownFault):
        made.draw("send", "torn", among={"late"})


def test_clear_starts_anew() -> None:
    """After a clear the same faults take the same course again."""
    made = faults(Fault("lost", "send", probability=0.5))
    first = course(made, *["send"] * 20)
    made.clear()
    assert made.active() == ()
    made.add(Fault("lost", "send", probability=0.5))
    assert first == course(made, *["send"] * 20)


def test_disarmed_fault_leaves_the_others_as_they_were() -> None:
    """What one fault does at the n-th request does not hang on whether another is still armed."""
    both = faults(Fault("lost", "send", probability=0.5), Fault("torn", "send", probability=0.5))
    torn = ["torn" in struck for struck in course(both, *["send"] * 20)]
    one = faults(Fault("lost", "send", probability=0.5), Fault("torn", "send", probability=0.5))
    one.disarm("lost")
    assert course(one, *["send"] * 20) == [["torn"] * strikes for strikes in torn]


def test_strikes_are_counted_by_request() -> None:
    """The same fault at two kinds of requests: each is counted, and both together."""
    made = faults(Fault("late", "*"))
    course(made, "send", "read", "read")
    assert made.struck_at() == {("late", "send"): 1, ("late", "read"): 2}
    assert made.struck() == {"late": 3}


def test_unknown_names_are_refused() -> None:
    """A misspelt fault is an error, not a fault that never strikes."""
    with pytest.raises(UnknownFault, match="late, lost, torn"):
        faults(Fault("lots", "send"))
    with pytest.raises(UnknownFault):
        faults().draw("send", "lots")


@pytest.mark.parametrize("fault", [Fault("late", "*", probability=1.1), Fault("late", "*", times=0)])
def test_impossible_numbers_are_refused(fault: Fault) -> None:
    """A probability beyond one and a count of none cannot be armed."""
    with pytest.raises(MalformedFault):
        faults(fault)


@pytest.mark.parametrize(
    "item",
    [
        None,
        [],
        {},
        {"name": 1},
        {"name": "late", "target": None},
        {"name": "late", "times": 1.5},
        {"name": "late", "times": True},
        {"name": "late", "probability": "1"},
        {"name": "late", "args": []},
        {"name": "late", "tagret": "send"},
    ],
)
def test_malformed_descriptions_are_refused(item: object) -> None:
    """The control page takes nothing that it would have to guess at."""
    with pytest.raises(MalformedFault):
        fault_from_json(item)


def test_a_description_needs_only_a_name() -> None:
    """What is left out has the usual value."""
    assert Fault("late", "*") == fault_from_json({"name": "late"})
    full = {"name": "late", "target": "send", "probability": 0.5, "times": 3, "args": {"seconds": 2}}
    assert full == fault_from_json(full).as_json()
