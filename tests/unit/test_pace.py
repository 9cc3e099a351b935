"""The pace towards Telegram: never over a limit whatever is asked when, never silent without reason."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.bot.pace import (
    GROUP,
    GROUP_DELIVERIES,
    LONG_WAIT_S,
    PRIVATE,
    PRIVATE_DELIVERIES,
    ChatId,
    Limit,
    Pace,
    overall,
)

PER_S = 30
ANNA, BORIS, GROUP_CHAT = 1001, 1002, -100500
TICK_S = 1 / 64  # moments that floating point holds exactly

moments = st.integers(0, 200).map(lambda ticks: ticks * TICK_S)
asks = st.tuples(moments, st.sampled_from([ANNA, BORIS, GROUP_CHAT, "@channel"]), st.booleans())


@dataclass
class Left:
    """What left, in its order."""

    at: list[float] = field(default_factory=list)

    def busiest(self, limit: Limit) -> int:
        """The most that left within any window of this length."""
        return max((bisect_left(self.at, begin + limit.within_s) - n for n, begin in enumerate(self.at)), default=0)


def played(pace: Pace, steps: Iterable[tuple[float, ChatId, bool]]) -> dict[tuple[ChatId, bool], Left]:
    """Asks after each pause; a refusal is not asked again. What left, by chat and urgency."""
    left: dict[tuple[ChatId, bool], Left] = {}
    now_s = 0.0
    for pause_s, chat, answer in steps:
        now_s += pause_s
        if pace.ask(now_s, chat, answer=answer) <= 0:
            left.setdefault((chat, answer), Left()).at.append(now_s)
    return left


def together(left: dict[tuple[ChatId, bool], Left], chats: set[ChatId], urgency: set[bool]) -> Left:
    return Left(
        sorted(at for (chat, answer), some in left.items() if chat in chats and answer in urgency for at in some.at)
    )


@given(st.lists(asks, max_size=300), st.sampled_from([1, 7, PER_S, 1000]))
def test_no_limit_is_ever_exceeded(steps: list[tuple[float, ChatId, bool]], per_s: int) -> None:
    """In no window of any limit, wherever it begins, does more leave than the limit says."""
    left = played(Pace(per_s), steps)
    everybody: set[ChatId] = {ANNA, BORIS, GROUP_CHAT, "@channel"}
    assert together(left, everybody, {True, False}).busiest(overall(per_s)) <= overall(per_s).count
    for chat in everybody:
        private = chat in (ANNA, BORIS)
        every, deliveries = (PRIVATE, PRIVATE_DELIVERIES) if private else (GROUP, GROUP_DELIVERIES)
        assert together(left, {chat}, {True, False}).busiest(every) <= every.count
        assert together(left, {chat}, {False}).busiest(deliveries) <= deliveries.count


@given(st.lists(asks, max_size=100), asks)
def test_told_wait_is_worth_it(steps: list[tuple[float, ChatId, bool]], last: tuple[float, ChatId, bool]) -> None:
    """Whoever waits as long as told, and nobody else comes meanwhile, leaves within a few questions."""
    pace, (pause_s, chat, answer) = Pace(PER_S), last
    played(pace, steps)
    now_s = sum(step[0] for step in steps) + pause_s
    for _ in range(4):
        wait_s = pace.ask(now_s, chat, answer=answer)
        if wait_s <= 0:
            return
        assert wait_s <= GROUP.within_s
        now_s += wait_s + TICK_S / 1000
    raise AssertionError("told to wait again and again")


@given(st.lists(st.tuples(moments, st.integers(1, 500)), max_size=400))
def test_memory_is_bounded_by_a_minute(steps: list[tuple[float, int]]) -> None:
    """However many chats there ever were, those not written to for a window are forgotten."""
    pace = Pace(1000)
    played(pace, ((pause_s, chat, True) for pause_s, chat in steps))
    assert len(pace) <= 500
    pace.ask(sum(pause_s for pause_s, _ in steps) + PRIVATE.within_s, ANNA, answer=True)
    assert len(pace) == 1


def test_long_closed_chat_keeps_no_others_in_memory() -> None:
    """A closure is kept as long as it lasts, and is never longer than a minute for one chat."""
    pace = Pace(1000)
    pace.close(0.0, ANNA, LONG_WAIT_S)
    for chat in range(2000, 2100):
        assert pace.ask(1.0 + chat / 1000, chat, answer=True) == 0
    assert len(pace) == 101
    assert pace.ask(LONG_WAIT_S + PRIVATE.within_s, BORIS, answer=True) == 0
    assert len(pace) == 1


def test_flood_wait_closes_its_chat_alone() -> None:
    """To the moment, for answers too; the neighbour is written to."""
    pace = Pace(PER_S)
    pace.close(10.0, ANNA, 5.0)
    assert pace.ask(10.0, BORIS, answer=False) == 0
    assert pace.ask(11.0, ANNA, answer=True) == 4.0
    assert pace.closed_s(14.0, ANNA) == 1.0
    assert pace.ask(15.0, ANNA, answer=False) == 0


@pytest.mark.parametrize(("chat", "wait_s"), [(None, 5.0), (ANNA, LONG_WAIT_S + 1)])
def test_flood_wait_of_the_bot_closes_all(chat: ChatId | None, wait_s: float) -> None:
    """Where no chat is named, or the wait is long, the bot itself is meant."""
    pace = Pace(PER_S)
    pace.close(10.0, chat, wait_s)
    assert pace.ask(10.0, BORIS, answer=True) == wait_s
    assert pace.closed_s(10.0, None) == wait_s
    assert pace.ask(10.0 + wait_s, BORIS, answer=True) == 0


def test_shorter_flood_wait_shortens_nothing() -> None:
    """Two refusals on their way at once: the longer one holds."""
    pace = Pace(PER_S)
    for chat in (ANNA, None):
        pace.close(10.0, chat, 9.0)
        pace.close(10.0, chat, 1.0)
        assert pace.closed_s(10.0, chat) == 9.0


def test_answers_go_before_deliveries() -> None:
    """Where the bot's pace is short, a waiting answer gets the next place, however many deliveries ask first."""
    pace, chats = Pace(PER_S), iter(range(1, 1000))
    while pace.ask(0.0, next(chats), answer=False) <= 0:
        pass
    wait_s = pace.ask(0.0, ANNA, answer=True)
    assert wait_s > 0
    assert all(pace.ask(wait_s, next(chats), answer=False) > 0 for _ in range(10))
    assert pace.ask(wait_s, ANNA, answer=True) == 0


def test_deliveries_leave_room_for_answers_in_a_chat() -> None:
    """A customer with many results on their way is still answered at once."""
    pace = Pace(PER_S)
    moments_s = [n / 4 for n in range(8)]
    assert [pace.ask(at, ANNA, answer=False) <= 0 for at in moments_s] == [True] * 4 + [False] * 4
    assert pace.ask(moments_s[-1], ANNA, answer=True) == 0


@given(st.lists(st.tuples(moments, st.integers(1, 10)), max_size=100), st.sampled_from([7, PER_S]))
def test_each_message_of_an_album_counts(steps: list[tuple[float, int]], per_s: int) -> None:
    """An album leaves in one; over any time no more leaves than the limits allow, but for the last album's own."""
    pace, now_s = Pace(per_s), 0.0
    left: list[tuple[float, int]] = []
    for pause_s, messages in steps:
        now_s += pause_s
        if pace.ask(now_s, ANNA, answer=False, messages=messages) <= 0:
            left.append((now_s, messages))
    for begin, (from_s, _) in enumerate(left):
        for end in range(begin, len(left)):
            before = sum(messages for _, messages in left[begin:end])
            windows = (left[end][0] - from_s) // PRIVATE_DELIVERIES.within_s + 1
            assert before <= windows * PRIVATE_DELIVERIES.count


def test_album_is_waited_for_by_whatever_comes_next() -> None:
    """Ten messages at once are ten seconds in a chat, less the burst that is always allowed."""
    pace = Pace(1000)
    assert pace.ask(0.0, ANNA, answer=False, messages=10) == 0
    assert pace.ask(7.9, ANNA, answer=False) > 0
    assert pace.ask(8.0, ANNA, answer=False) == 0
    assert pace.ask(8.0, ANNA, answer=True) == 0
