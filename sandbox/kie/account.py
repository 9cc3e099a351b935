"""The money and the limits of the provider's stand-in: balance, caps of single keys, request windows."""

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Account:
    """A wallet in credits; `used` counts what each key has spent against its cap."""

    balance: float
    caps: Mapping[str, float]
    spent: float = 0.0
    used: dict[str, float] = field(default_factory=dict)

    def affords(self, cost: float) -> bool:
        return self.balance >= cost

    def is_capped(self, key: str, cost: float) -> bool:
        """Whether this cost would take the key over its cap."""
        return key in self.caps and self.used.get(key, 0.0) + cost > self.caps[key]

    def charge(self, key: str, cost: float) -> None:
        """Take credits; a negative cost gives them back."""
        self.balance = round(self.balance - cost, 4)
        self.spent = round(self.spent + cost, 4)
        self.used[key] = round(self.used.get(key, 0.0) + cost, 4)


class Window:
    """At most `limit` accepted requests in any `length_s` seconds, separately per name; `refused` counts the others."""

    _MAX_NAMES = 20_000

    def __init__(self, limit: int | None, length_s: float) -> None:
        self._limit = limit
        self._length_s = length_s
        self.refused = 0
        self._accepted: OrderedDict[str, deque[float]] = OrderedDict()

    def accepts(self, now_s: float, name: str = "") -> bool:
        if self._limit is None:
            return True
        times = self._accepted.setdefault(name, deque())
        self._accepted.move_to_end(name)
        if len(self._accepted) > self._MAX_NAMES:
            self._accepted.popitem(last=False)
        while times and times[0] <= now_s - self._length_s:
            times.popleft()
        if len(times) >= self._limit:
            self.refused += 1
            return False
        times.append(now_s)
        return True
