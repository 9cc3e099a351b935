"""Results in words: kept as a `data:` address, so that a parcel's source is always an address; pure."""

import base64
from dataclasses import dataclass
from typing import Final, Literal, Self

# A message holds 4,096 UTF-16 units (Bot API, sendMessage); the heading has its share.
IN_MESSAGE_UNITS: Final = 3_500
_MIME: Final = {"txt": "text/plain", "json": "application/json"}


@dataclass(frozen=True, slots=True)
class Wording:
    """A text result; `extension` is that of its file."""

    text: str
    extension: Literal["txt", "json"] = "txt"

    def source(self) -> str:
        """The address that holds it."""
        content = base64.b64encode(self.text.encode(errors="replace")).decode()
        return f"data:{_MIME[self.extension]};charset=utf-8;base64,{content}"

    @classmethod
    def of(cls, source: str) -> Self | None:
        """None: the address is that of a file. Errors: ValueError for a `data:` address that is not one of ours."""
        if not source.startswith("data:"):
            return None
        head, _, content = source.removeprefix("data:").partition(";charset=utf-8;base64,")
        extension: Literal["txt", "json"] = "json" if head == _MIME["json"] else "txt"
        return cls(base64.b64decode(content, validate=True).decode(), extension)

    @property
    def mime(self) -> str:
        return _MIME[self.extension]

    @property
    def fits_message(self) -> bool:
        return len(self.text.encode("utf-16-le")) // 2 <= IN_MESSAGE_UNITS

    def beginning(self) -> Self:
        """As much as fits a message in any case."""
        return type(self)(f"{self.text[: IN_MESSAGE_UNITS // 2 - 1]}…", self.extension)


def forms(said: Wording) -> tuple[tuple[Wording, bool], ...]:
    """What to try in turn, and whether as a document: a message when it is short, else a file."""
    if said.fits_message:
        return ((said, False), (said, True))
    return ((said, True), (said.beginning(), False))
