"""parse_mode=MarkdownV2: the marks of the Bot API, with every other special character refused unless escaped."""

import re
from dataclasses import dataclass

from sandbox.telegram.errors import CannotParse
from sandbox.telegram.text import Span, Styled, ordered

# https://core.telegram.org/bots/api#markdownv2-style
_RESERVED = frozenset("_*[]()~`>#+-=|{}.!")
# Longer marks first: "__" is an underline and never two italics.
_MARKS = {
    "```": "pre",
    "__": "underline",
    "||": "spoiler",
    "`": "code",
    "*": "bold",
    "_": "italic",
    "~": "strikethrough",
}
_VERBATIM = {"pre": "```", "code": "`"}
_ADDRESS = re.compile(r"\]\(((?:\\.|[^)\\])*)\)")
_ESCAPED = re.compile(r"\\([\x01-\x7e])")
_NAMES = {
    "pre": "Pre",
    "underline": "Underline",
    "spoiler": "Spoiler",
    "code": "Code",
    "bold": "Bold",
    "italic": "Italic",
    "strikethrough": "Strikethrough",
    "text_link": "TextUrl",
    "custom_emoji": "CustomEmoji",
    "blockquote": "BlockQuote",
}


@dataclass(frozen=True, slots=True)
class _Open:
    kind: str
    start: int
    source_at: int


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._text: list[str] = []
        self._open: list[_Open] = []
        self._spans: list[Span] = []

    def parse(self) -> Styled:
        while self._at < len(self._source):
            self._step()
        self._close_quote()
        if self._open:
            raise self._endless(self._open[-1])
        return Styled("".join(self._text), ordered(self._spans))

    def _step(self) -> None:
        inside = self._open[-1].kind if self._open else ""
        escaped = _ESCAPED.match(self._source, self._at)
        if escaped is not None:
            self._keep(escaped.group(1), 2)
        elif inside in _VERBATIM:
            self._take_verbatim(inside)
        elif self._at_line_start() and self._source[self._at] == ">":
            self._take_quote_mark()
        elif not (self._take_mark() or self._take_link()):
            self._take_plain()

    def _take_verbatim(self, kind: str) -> None:
        if self._source.startswith(_VERBATIM[kind], self._at):
            self._at += len(_VERBATIM[kind])
            self._close()
        else:
            self._keep(self._source[self._at], 1)

    def _take_mark(self) -> bool:
        mark = next((mark for mark in _MARKS if self._source.startswith(mark, self._at)), None)
        if mark is None:
            return False
        kind = _MARKS[mark]
        if self._open and self._open[-1].kind == kind:
            self._at += len(mark)
            self._close()
            return True
        if any(opened.kind == kind for opened in self._open):
            raise self._endless(self._open[-1])
        self._begin(kind, len(mark))
        return True

    def _take_link(self) -> bool:
        if self._source.startswith("![", self._at):
            self._begin("custom_emoji", 2)
            return True
        if self._source[self._at] == "[":
            self._begin("text_link", 1)
            return True
        kind = self._open[-1].kind if self._open else ""
        if self._source[self._at] != "]" or kind not in {"text_link", "custom_emoji"}:
            return False
        address = _ADDRESS.match(self._source, self._at)
        if address is None:
            raise self._endless(self._open[-1])
        url = _ESCAPED.sub(r"\1", address.group(1))
        self._at = address.end()
        self._close(
            {"url": url} if kind == "text_link" else {"custom_emoji_id": url.removeprefix("tg://emoji?id=")},
        )
        return True

    def _take_quote_mark(self) -> None:
        if not any(opened.kind == "blockquote" for opened in self._open):
            self._begin("blockquote", 0)
        self._at += 1

    def _take_plain(self) -> None:
        character = self._source[self._at]
        if character in _RESERVED:
            raise CannotParse(f"Character '{character}' is reserved and must be escaped with the preceding '\\'")
        if character == "\n" and not self._source.startswith(">", self._at + 1):
            self._close_quote()
        self._keep(character, 1)

    def _close_quote(self) -> None:
        if self._open and self._open[-1].kind == "blockquote":
            self._close()

    def _at_line_start(self) -> bool:
        return self._at == 0 or self._source[self._at - 1] == "\n"

    def _keep(self, character: str, step: int) -> None:
        self._text.append(character)
        self._at += step

    def _begin(self, kind: str, step: int) -> None:
        self._open.append(_Open(kind, len(self._text), self._at))
        self._at += step

    def _close(self, extra: dict[str, str] | None = None) -> None:
        opened = self._open.pop()
        if opened.kind == "pre":
            extra = self._cut_language(opened.start)
        if opened.start < len(self._text):
            self._spans.append(Span(opened.kind, opened.start, len(self._text), extra or {}))

    def _cut_language(self, start: int) -> dict[str, str]:
        """The first line of a block names its language when it is one word."""
        first, newline, _rest = "".join(self._text[start:]).partition("\n")
        if not newline or " " in first:
            return {}
        del self._text[start : start + len(first) + 1]
        return {"language": first} if first else {}

    def _endless(self, opened: _Open) -> CannotParse:
        offset = len(self._source[: opened.source_at].encode())
        return CannotParse(f"Can't find end of {_NAMES[opened.kind]} entity at byte offset {offset}")


def parse_markdown(source: str) -> Styled:
    """Reads formatted text; raises CannotParse in the words of the Bot API. One character of text per list item."""
    return _Parser(source).parse()
