"""What goes wrong on purpose: seeded faults that strike requests of a stand-in when asked, and their control page."""

import random
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from aiohttp import web

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

FORCE_HEADER = "X-Sandbox-Fault"
CONTROL_PATH = "/_sandbox/faults"
MAX_ACTIVE = 200


class UnknownFault(ValueError):  # noqa: N818 - the name states the fact
    """A fault was named that this stand-in does not know."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"unknown fault {name!r}; known: {', '.join(known)}")
        self.name = name
        self.known = known


class MalformedFault(ValueError):  # noqa: N818 - the name states the fact
    """A fault was described in a way that cannot be armed."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that may go wrong: `target` is an endpoint's name or "*"; `times` None means without end."""

    name: str
    target: str
    probability: float = 1.0
    times: int | None = None
    args: Mapping[str, JSON] = field(default_factory=dict)

    def as_json(self) -> dict[str, JSON]:
        return {
            "name": self.name,
            "target": self.target,
            "probability": self.probability,
            "times": self.times,
            "args": dict(self.args),
        }


@dataclass(slots=True)
class _Armed:
    fault: Fault
    left: int | None
    chance: random.Random

    def strikes(self, target: str) -> bool:
        if self.fault.target not in {"*", target}:
            return False
        if self.chance.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class Faults:
    """The armed faults of one stand-in; none until added, so a stand-in is friendly by default.

    Every fault draws from its own seeded stream that advances only when a request meets its target: the same seed and
    the same sequence of requests give the same faults, whatever else is armed beside them.
    """

    def __init__(self, seed: int, known: Mapping[str, str]) -> None:
        self._seed = seed
        self._known = dict(known)
        self._armed: list[_Armed] = []
        self._added = 0
        self._struck: Counter[tuple[str, str]] = Counter()

    def add(self, fault: Fault) -> None:
        """Arm a fault; raises UnknownFault for a name this stand-in does not know, MalformedFault for bad numbers."""
        self._check_name(fault.name)
        if not 0.0 <= fault.probability <= 1.0:
            raise MalformedFault(f"probability must be between 0 and 1, not {fault.probability}")
        if fault.times is not None and fault.times < 1:
            raise MalformedFault(f"times must be at least 1, not {fault.times}")
        if len(self._armed) >= MAX_ACTIVE:
            raise MalformedFault(f"{MAX_ACTIVE} faults are armed already")
        self._added += 1
        stream = f"{self._seed}/{self._added}/{fault.name}/{fault.target}"
        self._armed.append(_Armed(fault, fault.times, random.Random(stream)))

    def disarm(self, name: str) -> None:
        """This one strikes no more; the streams of the others go on as they would have."""
        self._armed = [armed for armed in self._armed if armed.fault.name != name]

    def clear(self) -> None:
        """Disarm everything and start the random streams anew."""
        self._armed.clear()
        self._added = 0

    def active(self) -> tuple[Fault, ...]:
        """The armed faults, `times` showing how often each can still strike."""
        return tuple(replace(armed.fault, times=armed.left) for armed in self._armed)

    def draw(self, target: str, forced: str | None = None, among: Collection[str] | None = None) -> tuple[Fault, ...]:
        """The faults that strike this request, in the order they were armed, counting `times` down.

        `forced` is the value of the X-Sandbox-Fault header ("name[,name]"): those strike as well; raises UnknownFault.
        `among` names the faults that mean something for this target: others are left alone, and forcing one raises.
        """
        named = tuple(part.strip() for part in (forced or "").split(",") if part.strip())
        for name in named:
            self._check_name(name, among)
        fitting = [armed for armed in self._armed if among is None or armed.fault.name in among]
        struck = [armed.fault for armed in fitting if armed.strikes(target)]
        self._armed = [armed for armed in self._armed if armed.left != 0]
        struck += [Fault(name, target) for name in named]
        self._struck.update((fault.name, target) for fault in struck)
        return tuple(struck)

    def struck(self) -> dict[str, int]:
        """How often each fault has struck since the start."""
        counts: Counter[str] = Counter()
        for (name, _), times in self._struck.items():
            counts[name] += times
        return dict(sorted(counts.items()))

    def struck_at(self) -> dict[tuple[str, str], int]:
        """The same, by fault and target."""
        return dict(self._struck)

    def routes(self) -> list[web.RouteDef]:
        """GET shows, POST arms one fault or a list of them (all or nothing), DELETE disarms all: /_sandbox/faults."""
        return [
            web.get(CONTROL_PATH, self._show),
            web.post(CONTROL_PATH, self._arm),
            web.delete(CONTROL_PATH, self._disarm),
        ]

    def _check_name(self, name: str, among: Collection[str] | None = None) -> None:
        if name not in self._known or (among is not None and name not in among):
            raise UnknownFault(name, tuple(self._known if among is None else sorted(among)))

    def _state(self) -> dict[str, JSON]:
        return {
            "seed": self._seed,
            "known": dict(self._known),
            "active": [fault.as_json() for fault in self.active()],
            "struck": dict(self.struck()),
        }

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self._state())

    async def _arm(self, request: web.Request) -> web.Response:
        before, added = list(self._armed), self._added
        try:
            body = await request.json()
            for item in body if isinstance(body, list) else [body]:
                self.add(fault_from_json(item))
        except ValueError as error:
            self._armed, self._added = before, added
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response(self._state(), status=201)

    async def _disarm(self, _request: web.Request) -> web.Response:
        self.clear()
        return web.json_response(self._state())


def fault_from_json(item: Any) -> Fault:
    """Read one fault as the control page receives it; `target` defaults to "*"; raises MalformedFault."""
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        raise MalformedFault('a fault is an object with a "name"')
    unknown = sorted(set(item) - {"name", "target", "probability", "times", "args"})
    if unknown:
        raise MalformedFault(f"unknown keys: {', '.join(unknown)}")
    target, probability = item.get("target", "*"), item.get("probability", 1.0)
    times, args = item.get("times"), item.get("args", {})
    if not isinstance(target, str) or not isinstance(args, dict):
        raise MalformedFault('"target" is text and "args" is an object')
    if not _is_a(float, probability) or not (times is None or _is_a(int, times)):
        raise MalformedFault('"probability" is a number and "times" a whole number or null')
    return Fault(item["name"], target, probability, times, args)


def _is_a(kind: type, value: Any) -> bool:
    """Whether a JSON number is of this kind: a whole number is a float too, true and false are no numbers."""
    return isinstance(value, (kind, int)) and not isinstance(value, bool)
