"""What an entry of the catalog says: a model, its inputs, its rules and its tariff; values only."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeAlias

from kiosk.catalog.vocabulary import Confidence, ModelType, Output, Status

Scalar: TypeAlias = str | int | float | bool

# What the provider's pages leave open still has a bound here.
UNSTATED_MAX_CHARS: Final = 5_000
UNSTATED_MAX_ITEMS: Final = 100
UNSTATED_MAX_NUMBER: Final = 2**53 - 1  # the largest whole number that every JSON reader keeps exactly


class MediaType(StrEnum):
    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"
    WEBPAGE = "webpage"


class ValueType(StrEnum):
    """The JSON type in which the provider wants the values of a choice."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Text:
    """Lengths in code points, as JSON Schema counts them; `pattern` fits the whole text."""

    min_length: int = 1
    max_length: int = UNSTATED_MAX_CHARS
    pattern: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One of `values`; when `is_open`, any other text too. `discontinued`: still known to the provider, not offered."""

    values: tuple[Scalar, ...]
    value_type: ValueType = ValueType.STRING
    is_open: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    discontinued: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """`special` values are allowed outside of minimum..maximum and leave the value to the provider."""

    whole: bool
    minimum: float = -UNSTATED_MAX_NUMBER
    maximum: float = UNSTATED_MAX_NUMBER
    step: float | None = None
    special: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Flag:
    pass


@dataclass(frozen=True, slots=True)
class Media:
    """The public address of a file. The limits are for whoever has the file in hand; empty or None: not stated."""

    media: MediaType
    formats: tuple[str, ...] = ()
    max_size_mb: int | None = None
    min_seconds: float | None = None
    max_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    of: "Kind"
    min_items: int = 0
    max_items: int = UNSTATED_MAX_ITEMS


@dataclass(frozen=True, slots=True)
class Group:
    """A JSON object with exactly these fields."""

    fields: tuple["Input", ...]


Kind: TypeAlias = Text | Choice | Number | Flag | Media | Listing | Group


class TaskId(StrEnum):
    """What of an earlier task an input wants."""

    TASK = "task"  # its id
    AUDIO = "audio"  # the id of a track in its result
    FILE = "file"  # which file of its result, counted from 0


@dataclass(frozen=True, slots=True)
class TaskCondition:
    """The earlier task that an input refers to has one of these values; the inputs alone cannot tell."""

    name: str
    allowed: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class TaskRef:
    """The input is the id of an earlier task of one of these models, of those alone for which `when` holds."""

    models: tuple[str, ...]
    id: TaskId = TaskId.TASK
    when: tuple[TaskCondition, ...] = ()


@dataclass(frozen=True, slots=True)
class Input:
    """`default` is the provider's, `suggested` ours where the provider has none; `fill`: sent when nothing is chosen.

    `api_name` is the key in the provider's `input` object; `undocumented`: seen in clients, not on the model's page.
    `ask`: False keeps it from customers: its default is sent, or nothing.
    """

    name: str
    kind: Kind
    required: bool = False
    default: Scalar | None = None
    suggested: Scalar | None = None
    fill: bool = True
    api_name: str = ""
    task_ref: TaskRef | None = None
    undocumented: bool = False
    ask: bool = True

    @property
    def preset(self) -> Scalar | None:
        """The value that holds when nothing is chosen."""
        return self.suggested if self.default is None else self.default


class Presence(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Condition:
    """An input has one of these values, or is present or absent at all."""

    field: str
    allowed: tuple[Scalar, ...] | Presence


@dataclass(frozen=True, slots=True)
class AnyOf:
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExactlyOneOf:
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Exclusive:
    """Inputs of at most one group."""

    groups: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Requires:
    when: tuple[Condition, ...]
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RequiresInput:
    field: str
    needs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Forbid:
    """The combination of all these is refused."""

    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class OnlyWhen:
    """The input is allowed only where all these hold."""

    field: str
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class TotalSeconds:
    """All files of one input together; whoever has the files in hand checks it."""

    limits: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class TotalChars:
    """All texts of one field of a list of objects together, in code points."""

    field: str
    part: str
    maximum: int


@dataclass(frozen=True, slots=True)
class MaxTotalItems:
    """Items of all these together, where all conditions hold."""

    fields: tuple[str, ...]
    maximum: int
    when: tuple[Condition, ...] = ()


Rule: TypeAlias = (
    AnyOf
    | ExactlyOneOf
    | Exclusive
    | Requires
    | RequiresInput
    | Forbid
    | OnlyWhen
    | TotalSeconds
    | TotalChars
    | MaxTotalItems
)


class Unit(StrEnum):
    """What the credits of a row are charged for."""

    TASK = "task"
    IMAGE = "image"
    SECOND = "second"
    MINUTE = "minute"
    THOUSAND_CHARACTERS = "1000_characters"
    # The inputs do not tell how many of these there will be.
    MEGAPIXEL = "megapixel"
    OUTPUT_IMAGE = "output_image"
    OUTPUT_SIZE = "output_size"
    MILLION_OUTPUT_TOKENS = "1M_output_tokens"


@dataclass(frozen=True, slots=True)
class PriceRow:
    when: tuple[Condition | TaskCondition, ...]
    credits: Decimal
    per: Unit


@dataclass(frozen=True, slots=True)
class Value:
    """The number that an input holds."""

    field: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """One input divided by another."""

    field: str
    by: str


@dataclass(frozen=True, slots=True)
class Characters:
    """Code points of a text, or of one text field in every object of a list."""

    field: str
    part: str | None


@dataclass(frozen=True, slots=True)
class Length:
    """Playing time of the files of an input; nothing when the input is absent."""

    field: str


Term: TypeAlias = Value | Ratio | Characters | Length


@dataclass(frozen=True, slots=True)
class Surcharge:
    """Credits for each item of these inputs beyond the first `after`."""

    credits: Decimal
    of: tuple[str, ...]
    after: int


@dataclass(frozen=True, slots=True)
class Tariff:
    """`credits` per `per` is the price where there are no rows; with rows it is only what default inputs come to.

    `quantity`: the sum that per-unit credits are multiplied by. `price_rub`, `multiplier`: the operator's own.
    """

    credits: Decimal | None = None
    per: Unit = Unit.TASK
    rows: tuple[PriceRow, ...] = ()
    quantity: tuple[Term, ...] = ()
    surcharges: tuple[Surcharge, ...] = ()
    as_of: str | None = None
    note: str | None = None
    price_rub: Decimal | None = None
    multiplier: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Model:
    """One thing to buy. `modes`: finer tags where one id does several things.

    `usual_seconds`: the longest measured time from start to result, None: never measured. `deadline_s`: how long it is
    waited for at the provider, None: as long as for others with its output.
    """

    id: str
    name: str
    vendor: str
    type: ModelType
    modes: tuple[str, ...]
    output: Output
    status: Status
    sell: bool
    switched_off: bool
    usual_seconds: int | None
    deadline_s: int | None
    callback_required: bool
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    tariff: Tariff
    notes: tuple[str, ...]
    source: str
    confidence: Confidence

    def find(self, name: str) -> Input | None:
        """The input of this name."""
        return next((item for item in self.inputs if item.name == name), None)
