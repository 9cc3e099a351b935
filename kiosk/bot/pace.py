"""When a request to Telegram may leave: so many per chat and overall, and none before a flood wait is over. Pure."""

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

ChatId: TypeAlias = int | str  # a public chat may be named "@name"


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` in any `within_s` seconds, whenever they begin."""

    count: int
    within_s: float


# https://core.telegram.org/bots/faq, "My bot is hitting limits": one message a second and chat with short bursts,
# twenty a minute in a group. Deliveries keep to it closely. Answers are as many as the customer's own words and
# presses, and a late one is felt, so they may come in longer bursts.
PRIVATE: Final = Limit(20, 20.0)
PRIVATE_DELIVERIES: Final = Limit(4, 4.0)
GROUP: Final = Limit(20, 60.0)
GROUP_DELIVERIES: Final = Limit(4, 12.0)
# A second is cut into so many parts, or all that it allows would leave at once.
PARTS: Final = 10
# Whoever is told to wait longer than this is not meant as one chat's, but as the bot.
LONG_WAIT_S: Final = 60.0


def overall(per_s: int) -> Limit:
    """The same rate in small portions."""
    count = max(1, per_s // PARTS)
    return Limit(count, count / per_s)


class Tally:
    """The moments that a limit still remembers."""

    __slots__ = ("_limit", "_moments")

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._moments: deque[float] = deque(maxlen=limit.count)

    def wait_s(self, now_s: float) -> float:
        """0 or less: there is room."""
        if len(self._moments) < self._limit.count:
            return 0.0
        return self._moments[0] + self._limit.within_s - now_s

    def count(self, now_s: float, messages: int = 1) -> None:
        """Of several at once each counts, those beyond the limit from when it would have let them leave."""
        for _ in range(messages):
            self._moments.append(max(now_s, now_s + self.wait_s(now_s), *list(self._moments)[-1:]))

    @property
    def idle_from_s(self) -> float:
        """From when on it remembers nothing that matters."""
        return self._moments[-1] + self._limit.within_s if self._moments else 0.0


@dataclass(slots=True)
class _Chat:
    all: Tally
    deliveries: Tally
    closed_until_s: float = 0.0

    @property
    def idle_from_s(self) -> float:
        return max(self.closed_until_s, self.all.idle_from_s, self.deliveries.idle_from_s)


@dataclass(slots=True)
class Pace:
    """Of one bot in one process; times are seconds on the caller's clock.

    Chats are forgotten when nothing about them matters any more: at most as many are remembered as were written to
    within a minute.
    """

    per_s: int
    _overall: Tally = field(init=False)
    _chats: OrderedDict[ChatId, _Chat] = field(default_factory=OrderedDict)  # the longest unused first
    _closed_until_s: float = 0.0
    _answer_next_at_s: float = 0.0

    def __post_init__(self) -> None:
        self._overall = Tally(overall(self.per_s))

    def __len__(self) -> int:
        """How many chats are remembered."""
        return len(self._chats)

    def closed_s(self, now_s: float, chat_id: ChatId | None) -> float:
        """How long Telegram still wants nothing from this chat, or from the bot; 0 or less: it takes requests."""
        chat = self._chats.get(chat_id) if chat_id is not None else None
        return max(self._closed_until_s, chat.closed_until_s if chat else 0.0) - now_s

    def close(self, now_s: float, chat_id: ChatId | None, retry_after_s: float) -> None:
        """Telegram has said 429. Without a chat, or for a long time, it means the whole bot."""
        until_s = now_s + retry_after_s
        if chat_id is None or retry_after_s > LONG_WAIT_S:
            self._closed_until_s = max(self._closed_until_s, until_s)
        else:
            chat = self._chat(chat_id)
            chat.closed_until_s = max(chat.closed_until_s, until_s)

    def ask(self, now_s: float, chat_id: ChatId, *, answer: bool, messages: int = 1) -> float:
        """Seconds until it is worth asking again; 0: it leaves now and is counted.

        `answer`: a customer looks at the screen; where the bot's own pace is short, deliveries stand back.
        `messages`: an album leaves in one, and whatever comes next waits for each of them.
        """
        self._forget(now_s)
        wait_s = max(self.closed_s(now_s, chat_id), self._chat_wait_s(now_s, chat_id, answer=answer))
        if wait_s <= 0:
            wait_s = self._overall_wait_s(now_s, answer=answer)
        if wait_s > 0:
            return wait_s
        self._overall.count(now_s, messages)
        chat = self._chat(chat_id)
        chat.all.count(now_s, messages)
        if not answer:
            chat.deliveries.count(now_s, messages)
        return 0.0

    def _chat_wait_s(self, now_s: float, chat_id: ChatId, *, answer: bool) -> float:
        chat = self._chats.get(chat_id)
        if chat is None:
            return 0.0
        return chat.all.wait_s(now_s) if answer else max(chat.all.wait_s(now_s), chat.deliveries.wait_s(now_s))

    def _overall_wait_s(self, now_s: float, *, answer: bool) -> float:
        wait_s = self._overall.wait_s(now_s)
        if not answer:
            return max(wait_s, self._answer_next_at_s - now_s)
        if wait_s > 0:  # it comes back then; deliveries ask a little later
            self._answer_next_at_s = now_s + wait_s + 1 / self.per_s
        return wait_s

    def _chat(self, chat_id: ChatId) -> _Chat:
        if chat_id not in self._chats:
            group = isinstance(chat_id, str) or chat_id < 0
            every, deliveries = (GROUP, GROUP_DELIVERIES) if group else (PRIVATE, PRIVATE_DELIVERIES)
            self._chats[chat_id] = _Chat(Tally(every), Tally(deliveries))
        self._chats.move_to_end(chat_id)
        return self._chats[chat_id]

    def _forget(self, now_s: float) -> None:
        while self._chats and next(iter(self._chats.values())).idle_from_s <= now_s:
            self._chats.popitem(last=False)
