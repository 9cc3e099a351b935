"""How long a lease lets its holder act; pure, and counted by the holder's own monotonic clock."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Terms:
    """A lease runs out `ttl_s` after its last renewal; its holder stops `margin_s` earlier by its own clock."""

    ttl_s: float = 15.0
    renew_s: float = 5.0
    margin_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.renew_s < self.ttl_s - self.margin_s or self.margin_s <= 0:
            raise ValueError("a lease must be renewed well before it runs out")

    @classmethod
    def of(cls, ttl_s: float) -> Self:
        """Renewed three times before it runs out."""
        return cls(ttl_s, ttl_s / 3, ttl_s / 15)

    def until_s(self, asked_at_s: float) -> float:
        """The moment from which a holder no longer trusts itself, when it began to ask at `asked_at_s`.

        The database counts from when it answered, which was later: so nobody else can hold the lease before.
        """
        return asked_at_s + self.ttl_s - self.margin_s

    def again_in_s(self, *, leads: bool, free_in_s: float | None) -> float:
        """When to ask again: to renew, or just after the other's lease runs out unless it is renewed."""
        if leads or free_in_s is None:
            return self.renew_s
        return min(self.renew_s, max(free_in_s, 0.0) + self.margin_s / 10)
