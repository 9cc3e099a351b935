"""Whether the provider may be asked for a task now, and what each answer of it means for the next one; pure.

One gate stands before each key of the provider, shared by all replicas. It keeps to the provider's limit (at most
`creates` in any `window_s`), waits when told to wait, stops asking while every answer is a trouble, and says when
nothing can be bought at all.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from kiosk.kie.codes import DelayReason, RefusalReason
from kiosk.kie.outcome import Created, CreateOutcome, NotAccepted, OutcomeUnknown, Refused

# Longer than one createTask may take: connecting in vain and resting between, then 15 s for the answer.
FLIGHT_S: Final = 45.0
# Two clocks do not run exactly alike.
MARGIN: Final = 1.02

MAINTENANCE_S: Final = 30.0  # when the provider does not say how long
OBEYED_S: Final = 600.0  # what it says is believed up to this
BREAKER_AT: Final = 5  # troubles in a row
BREAKER_FIRST_S: Final = 30.0
BREAKER_LONGEST_S: Final = 300.0
CHECK_FIRST_S: Final = 30.0
CHECK_LONGEST_S: Final = 900.0

PAUSING: Final = frozenset({RefusalReason.NO_CREDITS, RefusalReason.KEY_CAP, RefusalReason.UNAUTHORIZED})


class Why(StrEnum):
    """Why an order waits; the CHECK `generations_wait_told` lists the same words."""

    BUSY = "busy"  # others are before it
    TROUBLE = "trouble"  # the provider does not work, or asked us to wait
    PAUSED = "paused"  # nothing can be bought until the operator has seen to it


class Change(StrEnum):
    """What an operator is told of."""

    PAUSED = "paused"
    RESUMED = "resumed"
    OPENED = "opened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Rate:
    """The provider's limit: at most `creates` in any `window_s` seconds."""

    creates: int
    window_s: float

    @property
    def spacing(self) -> timedelta:
        """For how long one create counts."""
        return timedelta(seconds=self.window_s * MARGIN)


@dataclass(frozen=True, slots=True)
class Gate:
    """A row of `provider_gates`.

    `counted` holds, for each create that may still count, the last moment at which it can have reached the provider:
    the answer's, and as long as there is none, the end of the longest flight. So the limit holds however slow the
    network is, and whoever dies on the way only costs a slot for a while.
    """

    counted: tuple[datetime, ...] = ()
    closed_until: datetime | None = None  # the provider asked us to wait
    troubles: int = 0  # in a row, by more than one order
    troubled_last: int | None = None  # the generation of the last one
    broken_until: datetime | None = None  # the breaker is open until then, and afterwards for all but one trial
    breaks: int = 0  # in a row
    trial: datetime | None = None  # the slot of the one that may try
    paused_since: datetime | None = None
    paused_why: str | None = None  # one of PAUSING
    credits_needed: Decimal | None = None
    check_at: datetime | None = None  # when it is looked whether sales may go on
    pauses: int = 0  # since anything was bought


@dataclass(frozen=True, slots=True)
class Admitted:
    """One create may be made: `slot` is to be handed back with its answer."""

    gate: Gate
    slot: datetime


@dataclass(frozen=True, slots=True)
class Shut:
    """Nothing may be asked before `until`, as far as is known now."""

    until: datetime
    why: Why


def admit(gate: Gate, now: datetime, rate: Rate) -> Admitted | Shut:
    """Takes a slot, if there is one."""
    if shut := _shut(gate, now):
        return shut
    counting = _counting(gate, now, rate)
    if len(counting) >= rate.creates:
        return Shut(min(min(moment, now) for moment in counting) + rate.spacing, Why.BUSY)
    slot = now + timedelta(seconds=FLIGHT_S)
    trial = slot if gate.broken_until else gate.trial
    return Admitted(replace(gate, counted=(*counting, slot), trial=trial), slot)


def turn(gate: Gate, now: datetime, rate: Rate, place: int) -> Shut:
    """When whoever stands at this place, counted from 1, can expect to be asked for, and what they wait for."""
    shut = _shut(gate, now) or Shut(now, Why.BUSY)
    counting = sorted(min(moment, now) + rate.spacing for moment in _counting(gate, now, rate))
    free = [now] * (rate.creates - len(counting)) + counting
    round_, seat = divmod(place - 1, rate.creates)
    return Shut(max(shut.until, free[seat]) + round_ * rate.spacing, shut.why)


def _shut(gate: Gate, now: datetime) -> Shut | None:
    """Whether it is closed for another reason than the limit."""
    if gate.paused_since:
        return Shut(gate.check_at or now, Why.PAUSED)
    if gate.broken_until and now < gate.broken_until:
        return Shut(gate.broken_until, Why.TROUBLE)
    if gate.broken_until and gate.trial and now < gate.trial:
        return Shut(gate.trial, Why.TROUBLE)
    if gate.closed_until and now < gate.closed_until:
        return Shut(gate.closed_until, Why.TROUBLE)
    return None


def _counting(gate: Gate, now: datetime, rate: Rate) -> tuple[datetime, ...]:
    """Those that the provider may count still. One from beyond the longest flight: the clock was set back."""
    latest = now + timedelta(seconds=FLIGHT_S)
    return tuple(moment for moment in gate.counted if now - rate.spacing < moment <= latest)


@dataclass(frozen=True, slots=True)
class Asked:
    """A create that was made: for which generation, in which slot, and what it was said to cost."""

    generation_id: int
    slot: datetime
    credits_quoted: Decimal | None


def after(gate: Gate, asked: Asked, outcome: CreateOutcome, now: datetime, rate: Rate) -> Gate:
    """What the answer that has come by `now` teaches."""
    landed = replace(gate, counted=tuple(now if moment == asked.slot else moment for moment in gate.counted))
    match outcome:
        case Created():
            return _well(landed, pauses=gate.pauses if gate.paused_since else 0)
        case Refused(code=None):
            return _untried(landed, asked)  # by ourselves, before anything was sent
        case Refused(reason=reason) if reason in PAUSING:
            return _pause(_well(landed), reason, asked, now)
        case Refused():
            return _well(landed)
        case NotAccepted(reason=DelayReason.RATE_LIMITED, retry_after_s=wait_s):
            return _close(_untried(landed, asked), now, wait_s or rate.window_s)
        case NotAccepted(reason=DelayReason.MAINTENANCE, retry_after_s=wait_s):
            return _trouble(_close(landed, now, wait_s or MAINTENANCE_S), asked, now)
        case NotAccepted() | OutcomeUnknown():
            return _trouble(landed, asked, now)


def blames_the_order(outcome: NotAccepted) -> bool:
    """Whether another order might have been accepted: then this one goes behind the others."""
    return outcome.reason not in (DelayReason.RATE_LIMITED, DelayReason.MAINTENANCE)


def _well(gate: Gate, pauses: int | None = None) -> Gate:
    return replace(
        gate,
        troubles=0,
        troubled_last=None,
        broken_until=None,
        breaks=0,
        trial=None,
        pauses=gate.pauses if pauses is None else pauses,
    )


def _untried(gate: Gate, asked: Asked) -> Gate:
    """It taught nothing: another one may be the trial."""
    return replace(gate, trial=None) if gate.trial == asked.slot else gate


def _close(gate: Gate, now: datetime, wait_s: float) -> Gate:
    until = now + timedelta(seconds=min(wait_s, OBEYED_S))
    return replace(gate, closed_until=max(until, gate.closed_until or until))


def _trouble(gate: Gate, asked: Asked, now: datetime) -> Gate:
    """One order that fails again and again is its own trouble; several in a row are the provider's."""
    if gate.broken_until:
        return _break(gate, now) if gate.trial == asked.slot else gate
    if gate.troubled_last == asked.generation_id:
        return gate
    counted = replace(gate, troubles=gate.troubles + 1, troubled_last=asked.generation_id)
    return _break(counted, now) if counted.troubles >= BREAKER_AT else counted


def _break(gate: Gate, now: datetime) -> Gate:
    wait_s = _doubled(BREAKER_FIRST_S, gate.breaks, BREAKER_LONGEST_S)
    return replace(gate, broken_until=now + timedelta(seconds=wait_s), breaks=gate.breaks + 1, trial=None)


def _pause(gate: Gate, reason: RefusalReason, asked: Asked, now: datetime) -> Gate:
    if gate.paused_since:
        needed = max(gate.credits_needed or Decimal(0), asked.credits_quoted or Decimal(0))
        return replace(gate, credits_needed=needed)
    paused = replace(
        gate,
        paused_since=now,
        paused_why=reason.value,
        credits_needed=asked.credits_quoted,
        pauses=min(gate.pauses + 1, 100),
    )
    return checked(paused, now)


def checked(gate: Gate, now: datetime) -> Gate:
    """It was looked, or is about to be: the next look is due later, and rarer each time that the pause was in vain."""
    wait_s = _doubled(CHECK_FIRST_S, gate.pauses - 1, CHECK_LONGEST_S)
    return replace(gate, check_at=now + timedelta(seconds=wait_s))


def covers(gate: Gate, balance: Decimal) -> bool:
    """Whether what was refused can be paid for; a cap or a key says nothing of credits, so for them it is time."""
    return gate.paused_why != RefusalReason.NO_CREDITS or 0 < balance >= (gate.credits_needed or 0)


def resume(gate: Gate) -> Gate:
    """Sales go on; how often they were paused is forgotten when something was bought."""
    return replace(gate, paused_since=None, paused_why=None, credits_needed=None, check_at=None)


def changes(before: Gate, now_: Gate) -> tuple[Change, ...]:
    """What there is to tell."""
    flips = (
        (before.paused_since, now_.paused_since, Change.PAUSED, Change.RESUMED),
        (before.broken_until, now_.broken_until, Change.OPENED, Change.CLOSED),
    )
    return tuple(on if new else off for old, new, on, off in flips if bool(old) != bool(new))


def _doubled(first_s: float, times: int, longest_s: float) -> float:
    return min(first_s * 2.0 ** min(max(times, 0), 20), longest_s)
