"""What a press on "create" leads to."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.generations.confirm import (
    QUOTE_LIFETIME,
    Accept,
    Incomplete,
    InsufficientFunds,
    PriceChanged,
    SalesPaused,
    TooMany,
    decide,
)
from kiosk.generations.states import State
from kiosk.ledger.store import Wallet
from tests.values import MOMENT, PRICE, a_generation

OPEN_AT_MOST = 5
OLD = MOMENT + QUOTE_LIFETIME + timedelta(seconds=1)


def decision(
    *,
    available: int = PRICE,
    price_now: int | None = PRICE,
    pressed: int = PRICE,
    open_count: int = 0,
    paused: bool = False,
    **draft: Any,
) -> type:
    """What is decided about a complete draft with these changes."""
    decided = decide(
        a_generation(**draft),
        Wallet(available, 0),
        price_now=price_now,
        price_pressed=pressed,
        open_count=open_count,
        open_at_most=OPEN_AT_MOST,
        paused=paused,
    )
    return type(decided)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Accept),
        ({"available": PRICE - 1}, InsufficientFunds),
        ({"pressed": PRICE - 1}, PriceChanged),
        ({"pressed": PRICE + 1}, PriceChanged),
        ({"price_now": None}, Incomplete),
        ({"asking": "prompt"}, Incomplete),
        ({"quoted_at": None}, Incomplete),
        ({"state": State.CANCELED}, Incomplete),
        ({"open_count": OPEN_AT_MOST - 1}, Accept),
        ({"open_count": OPEN_AT_MOST}, TooMany),
        # Prices that change within an hour are ours to bear; later the card is shown again.
        ({"price_now": PRICE + 1}, Accept),
        ({"price_now": PRICE + 1, "read_at": OLD}, PriceChanged),
        ({"price_now": PRICE + 1, "read_at": MOMENT + QUOTE_LIFETIME}, Accept),
        ({"read_at": OLD}, Accept),
        # What the customer can mend by a look comes before what costs them money.
        ({"pressed": 1, "available": 0, "open_count": OPEN_AT_MOST}, PriceChanged),
        ({"available": 0, "open_count": OPEN_AT_MOST}, TooMany),
        ({"paused": True}, SalesPaused),
        ({"paused": True, "pressed": 1}, PriceChanged),
        ({"paused": True, "available": 0, "open_count": OPEN_AT_MOST}, SalesPaused),
    ],
)
def test_press_on_create_is_decided(changes: dict[str, Any], expected: type) -> None:
    """Each reason against an order has its own outcome, in this order."""
    assert decision(**changes) is expected


@given(
    available=st.integers(0, 1000),
    quoted=st.integers(1, 1000),
    price_now=st.none() | st.integers(1, 1000),
    pressed=st.integers(0, 1000),
    open_count=st.integers(0, 10),
    asking=st.sampled_from([None, "prompt"]),
    state=st.sampled_from(State),
    paused=st.booleans(),
    age_s=st.integers(0, 10_000),
)
def test_accepted_is_only_what_was_shown_and_can_be_paid(
    *,
    available: int,
    quoted: int,
    price_now: int | None,
    pressed: int,
    open_count: int,
    asking: str | None,
    state: State,
    paused: bool,
    age_s: int,
) -> None:
    """Never without enough money, never while something is asked, never for another price than the button's."""
    decided = decision(
        available=available,
        price_now=price_now,
        pressed=pressed,
        open_count=open_count,
        paused=paused,
        price_kopecks=quoted,
        asking=asking,
        state=state,
        read_at=MOMENT + timedelta(seconds=age_s),
    )
    sound = (
        state is State.DRAFT
        and asking is None
        and price_now is not None
        and quoted == pressed
        and quoted <= available
        and open_count < OPEN_AT_MOST
        and not paused
    )
    if decided is Accept:
        assert sound
    elif sound:
        assert decided is PriceChanged
        assert price_now != quoted
