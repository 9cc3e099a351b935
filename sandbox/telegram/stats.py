"""What the stand-in has counted since it started."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Stats:
    """Calls by method and by refusal; messages sent and edited; deliveries to webhooks."""

    calls: Counter[str] = field(default_factory=Counter)
    refusals: Counter[int] = field(default_factory=Counter)
    sends: int = 0
    edits: int = 0
    too_early: int = 0
    customer_messages: int = 0
    webhook_requests: int = 0
    webhook_deliveries: int = 0
    webhook_retries: int = 0

    def as_json(self) -> dict[str, Any]:
        """`conflicts` are the 409s; `too_early` came to a chat although the bot had been told to wait with it."""
        return {
            "calls": dict(sorted(self.calls.items())),
            "refusals": {str(code): count for code, count in sorted(self.refusals.items())},
            "conflicts": self.refusals[409],
            "sends": self.sends,
            "edits": self.edits,
            "too_early": self.too_early,
            "customer_messages": self.customer_messages,
            "webhook_requests": self.webhook_requests,
            "webhook_deliveries": self.webhook_deliveries,
            "webhook_retries": self.webhook_retries,
        }
