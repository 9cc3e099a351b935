"""Formatted text: entities over a text as the Bot API sees them (UTF-16), held here in characters."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.telegram.errors import BadRequest, CannotParse

MAX_ENTITIES = 100

_EXTRAS = ("url", "language", "custom_emoji_id", "user")
_SOLID = frozenset({"code", "pre", "text_link", "text_mention", "url", "email"})
_DETECTED = (
    ("url", re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,:;!?)»]", re.IGNORECASE)),
    ("email", re.compile(r"(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")),
    ("url", re.compile(r"(?<![\w@./-])(?:[A-Za-z0-9-]+\.)+(?:com|org|net|ru|me|ai|io|dev)\b(?:/[^\s<>\"']*)?")),
    ("bot_command", re.compile(r"(?<![\w/<>])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?(?![\w/])")),
    ("mention", re.compile(r"(?<!\w)@[A-Za-z][A-Za-z0-9_]{2,31}(?!\w)")),
    ("hashtag", re.compile(r"(?<!\w)#\w*[^\W\d]\w*")),
)


@dataclass(frozen=True, slots=True)
class Span:
    """One entity; `start` and `end` count characters of the text."""

    kind: str
    start: int
    end: int
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Styled:
    """A text and what is formatted in it, outer spans before inner ones."""

    text: str
    spans: tuple[Span, ...] = ()

    def entities(self) -> list[dict[str, Any]]:
        """The spans as the Bot API writes them: offsets and lengths in UTF-16 code units."""
        units = _units_before(self.text)
        return [
            {
                "type": span.kind,
                "offset": units[span.start],
                "length": units[span.end] - units[span.start],
                **span.extra,
            }
            for span in self.spans
        ]

    def trimmed(self) -> "Styled":
        """Without white space at both ends, as Telegram keeps it; spans that covered only that are gone."""
        text = self.text.strip()
        shift = len(self.text) - len(self.text.lstrip())
        moved = (
            replace(span, start=max(0, span.start - shift), end=min(len(text), span.end - shift)) for span in self.spans
        )
        return Styled(text, ordered(span for span in moved if span.start < span.end))

    def with_detected(self) -> "Styled":
        """Adds the links, commands, mentions and hashtags that Telegram finds by itself."""
        spans = list(self.spans)
        for kind, pattern in _DETECTED:
            for match in pattern.finditer(self.text):
                taken = (span.start < match.end() and match.start() < span.end for span in spans if span.kind in _SOLID)
                if not any(taken):
                    spans.append(Span(kind, match.start(), match.end()))
        return Styled(self.text, ordered(spans)[:MAX_ENTITIES])


def ordered(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Outer before inner, so that whoever renders can nest them."""
    return tuple(sorted(spans, key=lambda span: (span.start, -span.end)))


def from_entities(text: str, entities: Sequence[Any]) -> Styled:
    """Reads entities that a bot states itself; raises BadRequest for offsets outside the text."""
    characters = {units: index for index, units in enumerate(_units_before(text))}
    spans = []
    for entity in entities[:MAX_ENTITIES]:
        try:
            start, length = int(entity["offset"]), int(entity["length"])
            kind = str(entity["type"])
        except (KeyError, TypeError, ValueError) as error:
            raise CannotParse("expected an Array of MessageEntity") from error
        if start not in characters or start + length not in characters or length < 1:
            raise BadRequest("entity beyond the end of the text")
        extra = {name: entity[name] for name in _EXTRAS if name in entity}
        spans.append(Span(kind, characters[start], characters[start + length], extra))
    return Styled(text, ordered(spans))


def _units_before(text: str) -> list[int]:
    """For every character position, how many UTF-16 code units lie before it; one entry more for the end."""
    units = [0]
    for character in text:
        units.append(units[-1] + (2 if ord(character) > 0xFFFF else 1))
    return units
