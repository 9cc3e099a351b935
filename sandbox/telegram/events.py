"""What happens in a chat, numbered, for those who watch it over a long poll."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.telegram.limits import EVENTS_PER_CHAT


@dataclass(frozen=True, slots=True)
class Event:
    """`kind` is message, edit, delete, callback, action or chat; `content` is the message or what else there is."""

    seq: int
    kind: str
    content: Any


@dataclass(slots=True)
class EventLog:
    """The latest events of one chat; `seq` goes on across restarts, the events themselves do not."""

    seq: int = 0
    _events: deque[Event] = field(default_factory=lambda: deque(maxlen=EVENTS_PER_CHAT))
    _waiting: set[asyncio.Event] = field(default_factory=set)

    def publish(self, kind: str, content: Any) -> None:
        """Numbers the event and wakes everyone who waits."""
        self.seq += 1
        self._events.append(Event(self.seq, kind, content))
        for waiting in self._waiting:
            waiting.set()

    def after(self, seq: int) -> list[Event] | None:
        """The events past `seq`; None when some are forgotten, or `seq` is none of ours: read the chat anew."""
        oldest = self._events[0].seq if self._events else self.seq + 1
        if seq + 1 < oldest or seq > self.seq:
            return None
        return [event for event in self._events if event.seq > seq]

    async def wait_after(self, seq: int, timeout_s: float) -> list[Event] | None:
        """As `after`, but waits up to `timeout_s` for the first event."""
        found = self.after(seq)
        if found is None or found:
            return found
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            async with asyncio.timeout(timeout_s):
                await woken.wait()
        except TimeoutError:
            return []
        finally:
            self._waiting.discard(woken)
        return self.after(seq)
