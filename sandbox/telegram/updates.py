"""What a bot has not yet taken notice of: one queue per bot, in order, confirmed by offset or by the webhook's 2xx."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.telegram.errors import ApiError
from sandbox.telegram.limits import PENDING_UPDATES, UPDATES_KEPT_S

FIRST_UPDATE_ID = 700_000_001
TAKEN_OVER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
# Left out of an empty allowed_updates: https://core.telegram.org/bots/api#setwebhook
_ONLY_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class QueueFull(Exception):  # noqa: N818 - the name states the fact
    """The bot has left too many updates lying; nothing was added."""


@dataclass(frozen=True, slots=True)
class Update:
    """`lane` is the chat: within it the order holds, between lanes there is none."""

    update_id: int
    lane: int
    kind: str
    payload: Mapping[str, Any]
    created_at: float

    def as_json(self) -> dict[str, Any]:
        """https://core.telegram.org/bots/api#update"""
        return {"update_id": self.update_id, self.kind: self.payload}


@dataclass(slots=True)
class _Poll:
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    refusal: str | None = None


@dataclass(slots=True)
class UpdateQueue:
    """`allowed` are the kinds the bot asked for; None: all that are not delivered on request only."""

    allowed: tuple[str, ...] | None = None
    next_id: int = FIRST_UPDATE_ID
    on_put: Callable[[Update], None] = lambda _update: None
    _pending: dict[int, Update] = field(default_factory=dict)
    _poll: _Poll | None = None

    def __len__(self) -> int:
        return len(self._pending)

    def put(self, kind: str, lane: int, payload: Mapping[str, Any]) -> Update | None:
        """None when the bot did not ask for this kind; raises QueueFull."""
        wanted = kind not in _ONLY_ON_REQUEST if self.allowed is None else kind in self.allowed
        if not wanted:
            return None
        if len(self._pending) >= PENDING_UPDATES:
            raise QueueFull
        update = Update(self.next_id, lane, kind, payload, time.time())
        self.next_id += 1
        self._pending[update.update_id] = update
        if self._poll is not None:
            self._poll.woken.set()
        self.on_put(update)
        return update

    def pending(self) -> list[Update]:
        """Oldest first."""
        return list(self._pending.values())

    def get(self, update_id: int) -> Update | None:
        """None when it is confirmed, or older than the day for which Telegram keeps updates."""
        update = self._pending.get(update_id)
        if update is not None and update.created_at < time.time() - UPDATES_KEPT_S:
            del self._pending[update_id]
            return None
        return update

    def drop(self, update_id: int) -> None:
        """Confirmed by the webhook."""
        self._pending.pop(update_id, None)

    def clear(self) -> None:
        """Forgets everything pending: drop_pending_updates."""
        self._pending.clear()

    def confirm_below(self, offset: int) -> None:
        """getUpdates with an offset: everything below is done; a negative one keeps only that many from the end."""
        if offset < 0:
            kept = list(self._pending)[offset:]
            offset = kept[0] if kept else self.next_id
        for update_id in [update_id for update_id in self._pending if update_id < offset]:
            del self._pending[update_id]

    async def poll(self, offset: int, limit: int, timeout_s: float) -> list[Update]:
        """A long poll; raises ApiError 409 in an earlier poll that still waits when a new one comes."""
        self.end_poll()
        poll = self._poll = _Poll()
        try:
            self.confirm_below(offset)
            if not self._pending and timeout_s > 0:
                await _wait(poll.woken, timeout_s)
            if poll.refusal:
                raise ApiError(409, poll.refusal)
            return self.pending()[:limit]
        finally:
            if self._poll is poll:
                self._poll = None

    def end_poll(self, refusal: str = TAKEN_OVER) -> None:
        """Ends a waiting poll with 409: another one came, or a webhook."""
        if self._poll is not None:
            self._poll.refusal = refusal
            self._poll.woken.set()

    def dump(self) -> dict[str, Any]:
        """For the snapshot."""
        return {
            "allowed": self.allowed,
            "next_id": self.next_id,
            "pending": [asdict(update) for update in self._pending.values()],
        }

    @classmethod
    def load(cls, row: Mapping[str, Any]) -> "UpdateQueue":
        """Reads a snapshot."""
        pending = [Update(**update) for update in row["pending"]]
        return cls(
            allowed=read_allowed(row["allowed"] or ()),
            next_id=row["next_id"],
            _pending={update.update_id: update for update in pending},
        )


def read_allowed(names: Sequence[Any]) -> tuple[str, ...] | None:
    """An empty list means the default, as in the Bot API."""
    return tuple(str(name) for name in names) or None


async def _wait(woken: asyncio.Event, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await woken.wait()
    except TimeoutError:
        return
