"""Does one value fit what an input wants? The problem is a fact with its data; whoever shows it has the words."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, TypeAlias, assert_never

from kiosk.catalog.model import Choice, Flag, Group, Kind, Listing, Media, Number, Scalar, Text, ValueType
from kiosk.catalog.reference import read_reference

MAX_ADDRESS_CHARS: Final = 2_048
MAX_OPEN_CHOICE_CHARS: Final = 200
MAX_FIELD_CHARS: Final = 64

# Control characters but for the line break, and halves of surrogate pairs, which no database takes.
_UNPRINTABLE: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s/?#@\\]+([/?#]\S*)?", re.IGNORECASE)
_WHOLE: Final = re.compile(r"[+-]?[0-9]{1,16}")
_FRACTION: Final = re.compile(r"[+-]?[0-9]{1,16}[.,][0-9]{1,10}")


SWITCHES: Final = {"true": True, "yes": True, "да": True, "false": False, "no": False, "нет": False}


class ProblemKind(StrEnum):
    """What is wrong; in brackets the data that goes with it."""

    MISSING = "missing"
    UNKNOWN_FIELD = "unknown_field"
    WRONG_TYPE = "wrong_type"
    EMPTY = "empty"
    TOO_SHORT = "too_short"  # actual, minimum
    TOO_LONG = "too_long"  # actual, maximum
    NOT_A_CHOICE = "not_a_choice"  # choices
    OUT_OF_RANGE = "out_of_range"  # minimum, maximum
    OFF_STEP = "off_step"  # step
    BAD_FORM = "bad_form"
    NOT_A_LINK = "not_a_link"
    TOO_FEW = "too_few"  # actual, minimum
    TOO_MANY = "too_many"  # actual, maximum
    # Of several inputs together; `fields` names the others.
    NEED_ONE_OF = "need_one_of"
    ONLY_ONE_OF = "only_one_of"
    NEEDED_HERE = "needed_here"
    NOT_TOGETHER = "not_together"
    NOT_ALLOWED_HERE = "not_allowed_here"


@dataclass(frozen=True, slots=True)
class Problem:
    """`field` is a path where the value is inside a list or object: `dialogue[2].text`."""

    kind: ProblemKind
    field: str
    actual: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[Scalar, ...] = ()
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The value as it is to be kept: cleaned, of exactly the declared type."""

    value: Any


@dataclass(frozen=True, slots=True)
class Rejected:
    problem: Problem


Checked: TypeAlias = Accepted | Rejected


def clean(text: str) -> str:
    """One kind of line break, no other control characters, nothing blank around it."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    return _UNPRINTABLE.sub("", unified).strip()


def from_writing(kind: Kind, raw: Any) -> Any:
    """What somebody meant who wrote `raw` in a chat: `5` where a number is wanted. Anything else stays as it is."""
    if not isinstance(raw, str):
        return raw
    written = raw.strip()
    match kind:
        case Number() | Choice(value_type=ValueType.INTEGER | ValueType.NUMBER):
            if _WHOLE.fullmatch(written):
                return int(written)
            return float(written.replace(",", ".")) if _FRACTION.fullmatch(written) else raw
        case Choice():
            return written
        case Flag():
            return SWITCHES.get(written.lower(), raw)
        case Listing(of=Text() | Number() | Choice()):
            return [from_writing(kind.of, line) for line in written.splitlines() if line.strip()]
        case _:
            return raw


def check(kind: Kind, value: Any, field: str) -> Checked:
    """Total: any JSON value gives an answer. A value inside a list or object stops at its first problem."""
    match kind:
        case Text():
            return _check_text(kind, value, field)
        case Choice():
            return _check_choice(kind, value, field)
        case Number():
            return _check_number(kind, value, field)
        case Flag():
            return Accepted(value) if isinstance(value, bool) else _reject(ProblemKind.WRONG_TYPE, field)
        case Media():
            return _check_address(value, field)
        case Listing() | Group():
            return _check_listing(kind, value, field) if isinstance(kind, Listing) else _check_group(kind, value, field)
        case _:
            assert_never(kind)


def _reject(kind: ProblemKind, field: str, **data: Any) -> Rejected:
    return Rejected(Problem(kind, field, **data))


def _check_text(kind: Text, value: Any, field: str) -> Checked:
    if not isinstance(value, str):
        return _reject(ProblemKind.WRONG_TYPE, field)
    text = clean(value)
    length = len(text)
    if not any(char.isprintable() and not char.isspace() for char in text):
        return _reject(ProblemKind.EMPTY, field)
    if length < kind.min_length:
        return _reject(ProblemKind.TOO_SHORT, field, actual=length, minimum=kind.min_length)
    if length > kind.max_length:
        return _reject(ProblemKind.TOO_LONG, field, actual=length, maximum=kind.max_length)
    if kind.pattern is not None and not re.fullmatch(kind.pattern, text):
        return _reject(ProblemKind.BAD_FORM, field)
    return Accepted(text)


def _check_choice(kind: Choice, value: Any, field: str) -> Checked:
    if not _has_type(kind.value_type, value):
        return _reject(ProblemKind.WRONG_TYPE, field)
    if value in kind.values:
        return Accepted(kind.values[kind.values.index(value)])
    if kind.is_open:
        return _check_text(Text(max_length=MAX_OPEN_CHOICE_CHARS), value, field)
    return _reject(ProblemKind.NOT_A_CHOICE, field, choices=kind.values)


def _has_type(value_type: ValueType, value: Any) -> bool:
    if isinstance(value, bool):
        return False
    match value_type:
        case ValueType.STRING:
            return isinstance(value, str)
        case ValueType.INTEGER:
            return isinstance(value, int)
        case ValueType.NUMBER:
            return isinstance(value, int | float)
        case _:
            assert_never(value_type)


def _check_number(kind: Number, value: Any, field: str) -> Checked:
    wanted = ValueType.INTEGER if kind.whole else ValueType.NUMBER
    if not _has_type(wanted, value) or (isinstance(value, float) and not math.isfinite(value)):
        return _reject(ProblemKind.WRONG_TYPE, field)
    if value in kind.special:
        return Accepted(value)
    if not kind.minimum <= value <= kind.maximum:
        return _reject(ProblemKind.OUT_OF_RANGE, field, minimum=kind.minimum, maximum=kind.maximum)
    if kind.step is not None and Decimal(str(value)) % Decimal(str(kind.step)):
        return _reject(ProblemKind.OFF_STEP, field, step=kind.step)
    return Accepted(value)


def _check_address(value: Any, field: str) -> Checked:
    if not isinstance(value, str):
        return _reject(ProblemKind.WRONG_TYPE, field)
    address = clean(value)
    if not address:
        return _reject(ProblemKind.EMPTY, field)
    if read_reference(address):
        return Accepted(address)
    if len(address) > MAX_ADDRESS_CHARS:
        return _reject(ProblemKind.TOO_LONG, field, actual=len(address), maximum=MAX_ADDRESS_CHARS)
    return Accepted(address) if _WEB_ADDRESS.fullmatch(address) else _reject(ProblemKind.NOT_A_LINK, field)


def _check_listing(kind: Listing, value: Any, field: str) -> Checked:
    if not isinstance(value, list):
        return _reject(ProblemKind.WRONG_TYPE, field)
    if not value:
        return _reject(ProblemKind.EMPTY, field)
    if len(value) < kind.min_items:
        return _reject(ProblemKind.TOO_FEW, field, actual=len(value), minimum=kind.min_items)
    if len(value) > kind.max_items:
        return _reject(ProblemKind.TOO_MANY, field, actual=len(value), maximum=kind.max_items)
    kept = []
    for index, item in enumerate(value):
        checked = check(kind.of, item, f"{field}[{index}]")
        if isinstance(checked, Rejected):
            return checked
        kept.append(checked.value)
    return Accepted(kept)


def _check_group(kind: Group, value: Any, field: str) -> Checked:
    if not isinstance(value, dict):
        return _reject(ProblemKind.WRONG_TYPE, field)
    names = {part.name for part in kind.fields}
    unknown = next((name for name in value if name not in names), None)
    if unknown is not None:
        return _reject(ProblemKind.UNKNOWN_FIELD, f"{field}.{str(unknown)[:MAX_FIELD_CHARS]}")
    kept = {}
    for part in kind.fields:
        if part.name in value:
            checked = check(part.kind, value[part.name], f"{field}.{part.name}")
            if isinstance(checked, Rejected):
                return checked
            kept[part.name] = checked.value
        elif part.required:
            return _reject(ProblemKind.MISSING, f"{field}.{part.name}")
    return Accepted(kept)
