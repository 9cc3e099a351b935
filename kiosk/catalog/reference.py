"""How inputs name what has no address or id yet: a file of a customer is `media:17`, or `media:17:12` with its seconds,
and the earlier result that an order goes on from is `task:5:0`, the first file of order 5; pure."""

import re
from dataclasses import dataclass
from typing import Any, Final

_REFERENCE: Final = re.compile(r"media:([1-9][0-9]{0,17})(?::([0-9]{1,6}))?")
_RESULT: Final = re.compile(r"task:([1-9][0-9]{0,17}):([0-9]{1,3})")


@dataclass(frozen=True, slots=True)
class Reference:
    """A row of `media`. `seconds`: its playing time, None where it has none or none is known."""

    media_id: int
    seconds: int | None = None

    def __str__(self) -> str:
        return f"media:{self.media_id}" if self.seconds is None else f"media:{self.media_id}:{self.seconds}"


@dataclass(frozen=True, slots=True)
class ResultReference:
    """A file of a finished order, counted from 0; means the provider's id of its task, or of this track in it."""

    generation_id: int
    number: int

    def __str__(self) -> str:
        return f"task:{self.generation_id}:{self.number}"


def read_result_reference(value: Any) -> ResultReference | None:
    """None for anything else."""
    found = _RESULT.fullmatch(value) if isinstance(value, str) else None
    return ResultReference(int(found[1]), int(found[2])) if found else None


def read_reference(value: Any) -> Reference | None:
    """None for anything else, an address above all."""
    found = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    return Reference(int(found[1]), None if found[2] is None else int(found[2]))


def references(value: Any) -> tuple[Reference, ...]:
    """Those of one input: of an address, or of a list or object that holds them."""
    if isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return tuple(found for part in parts for found in references(part))
    found = read_reference(value)
    return (found,) if found else ()


def playing_time(value: Any) -> int | None:
    """Seconds of all files of one input together; None where that of one is not known."""
    values = value if isinstance(value, list) else [value]
    times = [found.seconds for found in references(value) if found.seconds is not None]
    return sum(times) if values and len(times) == len(values) else None
