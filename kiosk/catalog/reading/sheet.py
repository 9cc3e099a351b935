"""Reads one mapping of a YAML file key by key, notes everything wrong with it and goes on."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

import yaml

from kiosk.catalog.model import Scalar
from kiosk.errors import CannotStart

if TYPE_CHECKING:
    from yaml import SafeLoader as BaseLoader
else:
    BaseLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser is five times as fast

MAX_FILE_CHARS: Final = 4_000_000
MAX_NAME_CHARS: Final = 64

Member = TypeVar("Member", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Flaw:
    """`where` leads from the model to the key: `z-image.inputs.aspect_ratio`."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class CatalogError(CannotStart):
    """The catalog or the operator's prices are wrong; the message has one line for each flaw."""

    def __init__(self, flaws: tuple[Flaw, ...]) -> None:
        self.flaws = flaws
        super().__init__("\n".join(str(flaw) for flaw in flaws))


class _Loader(BaseLoader):
    """Safe YAML in which a key written twice is an error instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        mapping = super().construct_mapping(node, deep=deep)
        if len(mapping) < len(node.value):
            keys = [key.value for key, _ in node.value]
            twice = next((key for key in keys if keys.count(key) > 1), "a key")
            raise yaml.constructor.ConstructorError(None, None, f"{twice!r} is written twice", node.start_mark)
        return mapping


def read_yaml(text: str, name: str) -> object:
    """Errors: CatalogError where the text is no YAML, with the line; `name` says which file it is."""
    if len(text) > MAX_FILE_CHARS:
        raise CatalogError((Flaw(name, f"longer than {MAX_FILE_CHARS} characters"),))
    try:
        return yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise CatalogError((Flaw(name + line, error.problem or "not YAML"),)) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # ValueError: a date that no calendar has
        raise CatalogError((Flaw(name, f"not YAML: {str(error).splitlines()[0]}"),)) from None


def quoted(value: object) -> str:
    """A value in a message: short, and text in quotes."""
    text = f"'{value}'" if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_NAME_CHARS else text[:MAX_NAME_CHARS] + "…"


def is_number(value: object) -> bool:
    """A finite JSON number; a boolean is none."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


class Sheet:
    """One mapping. Each reader takes its key away; `finish` calls what is left unknown.

    A reader that finds something else than it wants notes a flaw and returns what a missing key gives.
    """

    __slots__ = ("_flaws", "_left", "_noted_before", "where")

    def __init__(self, value: object, where: str, flaws: list[Flaw]) -> None:
        self.where = where
        self._flaws = flaws
        self._noted_before = len(flaws)
        self._left: dict[Any, Any] = dict(value) if isinstance(value, dict) else {}
        if not isinstance(value, dict):
            self.note("", f"must be a mapping, not {quoted(value)}")

    @property
    def is_sound(self) -> bool:
        """No flaw was noted since this sheet was begun."""
        return len(self._flaws) == self._noted_before

    def note(self, key: str, what: str) -> None:
        """Notes a flaw; the key "" is the sheet itself."""
        self._flaws.append(Flaw(f"{self.where}.{key}" if key else self.where, what))

    def take(self, key: str) -> Any:
        """The raw value, None when there is none."""
        return self._left.pop(key, None)

    def keys(self) -> tuple[str, ...]:
        """What was not taken yet."""
        return tuple(str(key) for key in self._left)

    def finish(self) -> None:
        """Notes every key that nobody took."""
        for key in self._left:
            self.note(str(key)[:MAX_NAME_CHARS], "unknown key")
        self._left = {}

    def text(self, key: str) -> str:
        """A text that must be there; "" when it is not."""
        if key not in self._left:
            self.note(key, "is missing")
            return ""
        return self.text_or_none(key) or ""

    def text_or_none(self, key: str) -> str | None:
        value = self.take(key)
        if value is None or (isinstance(value, str) and value.strip()):
            return value
        self.note(key, f"must be a text, not {quoted(value)}")
        return None

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.take(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.note(key, f"must be true or false, not {quoted(value)}")
            return default
        return value

    def whole(self, key: str, *, minimum: int = 0) -> int | None:
        value = self.take(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool) and value >= minimum):
            return value
        self.note(key, f"must be a whole number of at least {minimum}, not {quoted(value)}")
        return None

    def number(self, key: str) -> float | None:
        """An integer stays one."""
        value: float | None = self.take(key)
        if value is None or is_number(value):
            return value
        self.note(key, f"must be a number, not {quoted(value)}")
        return None

    def decimal(self, key: str, *, needed: bool = False) -> Decimal | None:
        """A number of at least 0, exactly as it is written."""
        value = self.take(key)
        if value is None:
            if needed:
                self.note(key, "is missing")
            return None
        if not is_number(value) or value < 0:
            self.note(key, f"must be a number of at least 0, not {quoted(value)}")
            return None
        return Decimal(str(value))

    def member(self, key: str, kind: type[Member], default: Member | None = None) -> Member | None:
        """One of the members of an enumeration; without a default it must be there."""
        if key not in self._left:
            if default is None:
                self.note(key, "is missing")
            return default
        value = self.take(key)
        if isinstance(value, str) and value in set(kind):
            return kind(value)
        self.note(key, f"{quoted(value)} is not one of {', '.join(kind)}")
        return default

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty when there is none."""
        return tuple(value for value in self.items(key, str, "texts") if isinstance(value, str))

    def scalars(self, key: str) -> tuple[Scalar, ...]:
        """A list of texts, numbers and booleans; empty when there is none."""
        return self.items(key, str | int | float | bool, "values")

    def items(self, key: str, kind: Any, what: str) -> tuple[Any, ...]:
        """A list of one kind without repetition; empty when there is none or one of them is of another kind."""
        value = self.take(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not value or not all(isinstance(item, kind) for item in value):
            self.note(key, f"must be a list of {what}, not {quoted(value)}")
            return ()
        if len({(type(item), str(item)) for item in value}) < len(value):
            self.note(key, "has the same item twice")
        return tuple(value)

    def sheets(self, key: str) -> Iterator["Sheet"]:
        """A list of mappings, each to be finished by whoever reads it before the next is begun."""
        value = self.take(key)
        if value is not None and not isinstance(value, list):
            self.note(key, f"must be a list, not {quoted(value)}")
            return
        for index, item in enumerate(value or ()):
            yield Sheet(item, f"{self.where}.{key}[{index}]", self._flaws)

    def mapping(self, key: str) -> Mapping[str, Any]:
        """A mapping with text keys; empty when there is none."""
        value = self.take(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.note(key, f"must be a mapping, not {quoted(value)}")
            return {}
        for name in [name for name in value if not isinstance(name, str)]:
            self.note(key, f"the key {quoted(name)} is no text: a word like on, off, yes or no needs quotes")
        return {name: inner for name, inner in value.items() if isinstance(name, str)}

    def below(self, key: str, value: object) -> "Sheet":
        """A sheet for a value inside this one."""
        return Sheet(value, f"{self.where}.{key}", self._flaws)
