"""What a button says to us: at most 64 bytes, the same on every replica, for ever; pure."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from kiosk.catalog.model import Scalar

LIMIT_BYTES: Final = 64  # Bot API, InlineKeyboardButton.callback_data
CODE_LENGTH: Final = 10
LONGEST_NUMBER: Final = 18  # digits; a longer number fits no bigint


@dataclass(frozen=True, slots=True)
class Home:
    """The first screen."""


@dataclass(frozen=True, slots=True)
class Leave:
    """The first screen in a message of its own: the one with this button keeps its result or its reason."""


@dataclass(frozen=True, slots=True)
class Balance:
    """What the customer owns."""


@dataclass(frozen=True, slots=True)
class Choose:
    """A model from the shelf; `code` is `model_code` of its id."""

    code: str


@dataclass(frozen=True, slots=True)
class Aisle:
    """One kind of models on the shelf; `code` is `model_code` of the type, pages count from 0."""

    code: str
    page: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The choice number `choice` of the input number `field`, both counted from 0 in the catalog's order.

    `field` may name a part of a list of objects, too: see `labels.field_number`. `mark` is `choice_mark` of what was
    written on the button: an old keyboard never says what it did not show.
    """

    generation_id: int
    field: int
    choice: int
    mark: int


@dataclass(frozen=True, slots=True)
class Ask:
    """Back to one question."""

    generation_id: int
    field: int


@dataclass(frozen=True, slots=True)
class Turn:
    """To another page of the choices of one question."""

    generation_id: int
    field: int
    page: int


@dataclass(frozen=True, slots=True)
class Tune:
    """The optional inputs."""

    generation_id: int


@dataclass(frozen=True, slots=True)
class Reset:
    """Takes one answer back."""

    generation_id: int
    field: int


@dataclass(frozen=True, slots=True)
class Drop:
    """Takes object number `item` out of a list that had `count` of them."""

    generation_id: int
    field: int
    item: int
    count: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Which answer is to be changed?"""

    generation_id: int


@dataclass(frozen=True, slots=True)
class Show:
    """Where this generation stands."""

    generation_id: int


@dataclass(frozen=True, slots=True)
class Create:
    """Order it for exactly this price."""

    generation_id: int
    price_kopecks: int


@dataclass(frozen=True, slots=True)
class Cancel:
    """Drop the draft, or leave the line."""

    generation_id: int


@dataclass(frozen=True, slots=True)
class Again:
    """The same once more, as a new draft."""

    generation_id: int


OnDraft: TypeAlias = Answer | Ask | Turn | Tune | Reset | Drop | Edit | Show


@dataclass(frozen=True, slots=True)
class Original:
    """The files behind the pictures of this order, once."""

    generation_id: int


@dataclass(frozen=True, slots=True)
class Onward:
    """What can be done with the result of this order?"""

    generation_id: int


@dataclass(frozen=True, slots=True)
class Pick:
    """The same of one file of it, counted from 0; of order 0: of a file of the customer's own, by its number."""

    generation_id: int
    number: int


@dataclass(frozen=True, slots=True)
class FollowAisle:
    """What of one kind can be done with it; code and page as in `Aisle`, the rest as in `Pick`."""

    code: str
    page: int
    generation_id: int
    number: int


@dataclass(frozen=True, slots=True)
class Follow:
    """Begins with this model; code as in `Choose`, the rest as in `Pick`."""

    code: str
    generation_id: int
    number: int


OnResult: TypeAlias = Onward | Pick | FollowAisle | Follow

Press: TypeAlias = Home | Leave | Balance | Aisle | Choose | OnDraft | Create | Cancel | Again | Original | OnResult

_WORD_OF: Final[dict[type[Press], str]] = {
    Home: "h",
    Leave: "l",
    Balance: "b",
    Choose: "m",
    Aisle: "t",
    Answer: "c",
    Ask: "q",
    Turn: "p",
    Tune: "n",
    Reset: "d",
    Drop: "k",
    Edit: "e",
    Show: "s",
    Create: "go",
    Cancel: "x",
    Again: "r",
    Original: "o",
    Onward: "w",
    Pick: "i",
    FollowAisle: "a",
    Follow: "f",
}
_LEADING_TEXTS: Final[dict[type[Press], int]] = {
    Choose: 1,
    Aisle: 1,
    FollowAisle: 1,
    Follow: 1,
}  # the values after them are numbers
_PRESS_OF: Final = {word: press for press, word in _WORD_OF.items()}


def model_code(model_id: str) -> str:
    """A short name that every replica computes alike."""
    return hashlib.sha256(model_id.encode()).hexdigest()[:CODE_LENGTH]


def choice_mark(field: str, choice: Scalar) -> int:
    """A short number for one choice of one input."""
    return int(hashlib.sha256(f"{field}={choice!r}".encode()).hexdigest()[:5], 16)


def pack(press: Press) -> str:
    """The button's callback_data."""
    values = (getattr(press, name) for name in press.__slots__)
    return ":".join((_WORD_OF[type(press)], *map(str, values)))


def unpack(data: str) -> Press | None:
    """None for what no button of ours says: an older shop's keyboard, or an invention."""
    word, *values = data[:LIMIT_BYTES].split(":")
    press = _PRESS_OF.get(word)
    if press is None or len(values) != len(press.__slots__):
        return None
    texts = values[: _LEADING_TEXTS.get(press, 0)]
    values = values[len(texts) :]
    if not all(value.isascii() and value.isdigit() and len(value) <= LONGEST_NUMBER for value in values):
        return None
    build: Callable[..., Press] = press
    return build(*texts, *map(int, values))
