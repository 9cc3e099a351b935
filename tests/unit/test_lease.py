"""How long a lease lets its holder act."""

import pytest

from kiosk.leadership.lease import Terms

TERMS = Terms(ttl_s=15, renew_s=5, margin_s=1)


def test_holder_stops_before_anybody_else_may_begin() -> None:
    """Asked at 100, answered whenever: the database frees it 15 s after its answer, the holder stops at 114."""
    assert TERMS.until_s(100) == 114


def test_holder_renews_several_times_before_it_runs_out() -> None:
    """A renewal that fails once costs nothing."""
    assert TERMS.again_in_s(leads=True, free_in_s=None) == 5


@pytest.mark.parametrize(("free_in_s", "again_in_s"), [(12.0, 5.0), (2.0, 2.1), (0.0, 0.1), (-3.0, 0.1), (None, 5.0)])
def test_others_ask_just_after_it_would_run_out(free_in_s: float | None, again_in_s: float) -> None:
    """Often enough to see a release, and soon after the end of a holder that died."""
    assert TERMS.again_in_s(leads=False, free_in_s=free_in_s) == pytest.approx(again_in_s)


@pytest.mark.parametrize(
    ("ttl_s", "renew_s", "margin_s"), [(15, 15, 1), (15, 14, 1), (15, 5, 0), (15, 0, 1), (1, 5, 1), (15, 5, 15)]
)
def test_lease_that_cannot_be_renewed_in_time_is_none(ttl_s: float, renew_s: float, margin_s: float) -> None:
    """Such terms would let leadership lapse between two renewals, or overlap."""
    with pytest.raises(ValueError, match="renewed"):
        Terms(ttl_s, renew_s, margin_s)
