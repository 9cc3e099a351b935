"""Builders: the values that pure modules decide about, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from kiosk.generations.states import State
from kiosk.generations.store import Generation

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PRICE = 80
PROMPT = {"prompt": "кот-космонавт", "aspect_ratio": "16:9"}

_DRAFT = Generation(
    id=7,
    customer_id=1,
    state=State.DRAFT,
    model_id="z-image",
    inputs=PROMPT,
    asking=None,
    chat_id=1001,
    message_id=5,
    answered_update=None,
    price_kopecks=PRICE,
    quoted_at=MOMENT,
    callback_token="token-of-a-test",
    submits=0,
    task_id=None,
    failure=None,
    late=False,
    polls=0,
    delivery_tries=0,
    deadline_at=None,
    confirmed_at=None,
    submitted_at=None,
    settled_at=None,
    delivered_at=None,
    credits_quoted=None,
    place_told=None,
    wait_told=None,
    read_at=MOMENT,
)


def a_generation(**changes: Any) -> Generation:
    """A complete draft, quoted at the moment of reading, with these changes."""
    return replace(_DRAFT, **changes)


def later(**time: float) -> datetime:
    """After `MOMENT` by this much."""
    return MOMENT + timedelta(**time)
