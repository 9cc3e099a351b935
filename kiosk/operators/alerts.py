"""What an operator is told of: the kinds, what the text of each holds, and how often it is said; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

VALUE_CHARS: Final = 300


class Kind(StrEnum):
    """Each has a text `alert-<kind>` in both languages; what it holds never changes, or old rows could not be told."""

    STUCK = "stuck"  # an order was given up at its deadline; subject: the model
    LATE = "late"  # a result came after the money had gone back, so the shop pays; subject: the model
    LOST = "lost"  # nobody knows what became of two submissions
    SECOND_TASK = "second_task"  # the provider took credits for two tasks of one order
    BOOKS = "books"  # the audit found a broken invariant
    STRAY = "stray"  # an order that nothing would have looked at again was found and woken
    SALES_PAUSED = "sales_paused"  # nothing can be bought from the provider, so nothing is sold
    SALES_RESUMED = "sales_resumed"
    BREAKER_OPENED = "breaker_opened"  # the provider fails order after order, so it is not asked
    BREAKER_CLOSED = "breaker_closed"
    BOT_REFUSED = "bot_refused"  # Telegram does not accept a bot's token; subject: the bot
    WEBHOOK_TROUBLED = "webhook_troubled"  # updates of a bot do not get through to us; subject: the bot
    CREDITS_LOW = "credits_low"  # the provider soon has nothing left of ours
    FAILURES = "failures"  # too large a share of all orders fails
    MODEL_FAILURES = "model_failures"  # or of one model's; subject: the model
    COST_ABOVE_QUOTE = "cost_above_quote"  # a task took more credits than the catalog says; subject: the model
    COST_ABOVE_PRICE = "cost_above_price"  # an order cost the shop more than its customer; subject: the model


# What stands in the text of each kind, besides the count.
VALUES_OF: Final[Mapping[Kind, frozenset[str]]] = {
    Kind.STUCK: frozenset({"model", "generation"}),
    Kind.LATE: frozenset({"model", "generation"}),
    Kind.LOST: frozenset({"generation"}),
    Kind.SECOND_TASK: frozenset({"generation"}),
    Kind.BOOKS: frozenset({"invariants"}),
    Kind.STRAY: frozenset({"generation"}),
    Kind.SALES_PAUSED: frozenset({"reason", "needed"}),
    Kind.SALES_RESUMED: frozenset({"reason"}),
    Kind.BREAKER_OPENED: frozenset({"troubles"}),
    Kind.BREAKER_CLOSED: frozenset(),
    Kind.BOT_REFUSED: frozenset({"bot"}),
    Kind.WEBHOOK_TROUBLED: frozenset({"bot", "error", "pending"}),
    Kind.CREDITS_LOW: frozenset({"balance", "spent", "hours"}),
    Kind.FAILURES: frozenset({"failed", "ended", "share", "minutes"}),
    Kind.MODEL_FAILURES: frozenset({"failed", "ended", "share", "minutes", "model"}),
    Kind.COST_ABOVE_QUOTE: frozenset({"model", "generation", "consumed", "quoted"}),
    Kind.COST_ABOVE_PRICE: frozenset({"model", "generation", "cost", "price"}),
}
HOUR: Final = timedelta(hours=1)
SHORT: Final = timedelta(minutes=10)
# For so long after a message an alert of the same kind and subject only counts.
WINDOW_OF: Final[Mapping[Kind, timedelta]] = {
    Kind.STUCK: HOUR,
    Kind.LATE: HOUR,
    Kind.LOST: HOUR,
    Kind.SECOND_TASK: HOUR,
    Kind.STRAY: HOUR,
    Kind.BOOKS: timedelta(hours=20),  # the audit is nightly: told of every night until it is clean
    Kind.SALES_PAUSED: SHORT,
    Kind.SALES_RESUMED: SHORT,
    Kind.BREAKER_OPENED: SHORT,
    Kind.BREAKER_CLOSED: SHORT,
    Kind.BOT_REFUSED: timedelta(days=1),  # every start and every replica finds it again
    Kind.WEBHOOK_TROUBLED: HOUR,
    Kind.CREDITS_LOW: timedelta(hours=6),
    Kind.FAILURES: HOUR,
    Kind.MODEL_FAILURES: HOUR,
    Kind.COST_ABOVE_QUOTE: HOUR,
    Kind.COST_ABOVE_PRICE: HOUR,
}


@dataclass(frozen=True, slots=True)
class Alert:
    """`subject` tells alerts of one kind apart, "" where one is enough; `values` are what the text holds.

    No secret, and of the provider's words only codes, may stand in either. Errors: ValueError when a value is missing.
    """

    kind: Kind
    subject: str = ""
    values: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.values.keys() != VALUES_OF[self.kind]:
            raise ValueError(f"an alert {self.kind} tells {sorted(VALUES_OF[self.kind])}, not {sorted(self.values)}")


@dataclass(frozen=True, slots=True)
class Raised:
    """A row: raised `count` times, `told_count` of them told, the latest at `raised_at` with these values."""

    id: int
    alert: Alert
    count: int
    told_count: int
    raised_at: datetime
    told_at: datetime | None
    told_to: tuple[int, ...]  # operators who have this telling already, while others are still to be reached

    @property
    def untold(self) -> int:
        """How often it was raised since operators were last told."""
        return self.count - self.told_count
