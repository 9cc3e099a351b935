"""How long to wait before asking the provider again."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from kiosk.kie.errors import RateLimited, Unavailable


@dataclass(frozen=True, slots=True)
class Waits:
    """Pauses between tries of one call; all zero in tests."""

    tries: int = 3
    initial_s: float = 0.5
    longest_s: float = 5.0
    jitter_s: float = 0.5
    rate_limit_s: float = 20.0  # the longest obedience to "too many requests" inside one call

    def before_retry(self, error: Exception) -> bool | float:
        """False: do not try again; True: after the usual back-off; a number: after so many seconds."""
        if isinstance(error, RateLimited):
            asked_s = self.rate_limit_s if error.retry_after_s is None else error.retry_after_s
            return min(asked_s, self.rate_limit_s) + random.uniform(0, self.jitter_s)
        return isinstance(error, Unavailable)


def poll_intervals(first_s: float, longest_s: float = 15.0, growth: float = 1.25) -> Iterator[float]:
    """Endless intervals between polls, growing from `first_s` to `longest_s`."""
    longest_s = max(first_s, longest_s)
    interval_s = first_s
    while True:
        yield interval_s
        interval_s = min(interval_s * growth, longest_s)
