"""Does a file fit what an input wants? Pure: from what is known of the file, before a byte of it is stored."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kiosk.catalog.model import Length, Media, MediaType, Model, TotalSeconds
from kiosk.catalog.reference import playing_time

MIB: Final = 1024 * 1024
FROM_TELEGRAM_BYTES: Final = 20 * MIB  # Bot API, getFile
_ALSO_CALLED: Final = {"jpg": "jpeg", "tif": "tiff", "oga": "ogg", "heif": "heic", "qt": "mov"}


@dataclass(frozen=True, slots=True)
class Facts:
    """`extension` without the dot, from the content. `seconds`: as Telegram or we measured, None: nobody could."""

    media: MediaType
    extension: str
    mime: str
    size_bytes: int
    seconds: int | None = None


class Flaw(StrEnum):
    WRONG_KIND = "kind"
    WRONG_FORMAT = "format"
    TOO_BIG = "big"
    TOO_SHORT = "short"
    TOO_LONG = "long"
    UNKNOWN_LENGTH = "length"
    UNREADABLE = "unreadable"
    NOT_THERE = "nothing"  # where the address leads
    PRIVATE = "private"
    AWAY = "away"
    PAGE = "page"


@dataclass(frozen=True, slots=True)
class Misfit:
    """`wanted`: what would fit; `actual`, `limit`: MiB or seconds; `found`: what it is instead."""

    flaw: Flaw
    wanted: Media
    actual: float | None = None
    limit: float | None = None
    found: MediaType | None = None


def misfit(wanted: Media, facts: Facts, *, timed: bool, most_bytes: int) -> Misfit | None:
    """None: it fits. `timed`: its length must be known. `most_bytes`: what we can carry, whatever the model takes."""
    if facts.media is not wanted.media:
        return Misfit(Flaw.WRONG_KIND, wanted, found=facts.media)
    if wanted.formats and plain(facts.extension) not in {plain(one) for one in wanted.formats}:
        return Misfit(Flaw.WRONG_FORMAT, wanted)
    return too_big(wanted, facts.size_bytes, most_bytes) or _ill_timed(wanted, facts.seconds, timed=timed)


def too_big(wanted: Media, size_bytes: int, most_bytes: int) -> Misfit | None:
    """Known from the announcement alone."""
    most = most_of(wanted, most_bytes)
    return Misfit(Flaw.TOO_BIG, wanted, size_bytes / MIB, most / MIB) if size_bytes > most else None


def most_of(wanted: Media, most_bytes: int) -> int:
    """The smaller of what the model takes and what we can carry."""
    return most_bytes if wanted.max_size_mb is None else int(min(most_bytes, wanted.max_size_mb * MIB))


def must_be_timed(wanted: Media, *, timed: bool) -> bool:
    """The length decides the price, or whether it fits."""
    return timed or wanted.min_seconds is not None or wanted.max_seconds is not None


def _ill_timed(wanted: Media, seconds: int | None, *, timed: bool) -> Misfit | None:
    if seconds is None:
        return Misfit(Flaw.UNKNOWN_LENGTH, wanted) if must_be_timed(wanted, timed=timed) else None
    if wanted.min_seconds is not None and seconds < wanted.min_seconds:
        return Misfit(Flaw.TOO_SHORT, wanted, seconds, wanted.min_seconds)
    if wanted.max_seconds is not None and seconds > wanted.max_seconds:
        return Misfit(Flaw.TOO_LONG, wanted, seconds, wanted.max_seconds)
    return None


def is_timed(model: Model, field: str) -> bool:
    """The length of this input's files decides the price, or a rule counts it."""
    priced = any(isinstance(term, Length) and term.field == field for term in model.tariff.quantity)
    return priced or _most_seconds(model, field) is not None


def too_long_together(model: Model, field: str, wanted: Media, value: Any) -> Misfit | None:
    """All files of one input, the new one among them."""
    most, together = _most_seconds(model, field), playing_time(value)
    if most is None or together is None or together <= most:
        return None
    return Misfit(Flaw.TOO_LONG, wanted, together, most)


def _most_seconds(model: Model, field: str) -> int | None:
    limits = [dict(rule.limits) for rule in model.rules if isinstance(rule, TotalSeconds)]
    return next((limit[field] for limit in limits if field in limit), None)


def plain(extension: str) -> str:
    """One name for each format."""
    return _ALSO_CALLED.get(extension.lower(), extension.lower())
