"""parse_mode=HTML: the tags the Bot API knows, and its complaints, each with the byte it is about."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.telegram.errors import CannotParse
from sandbox.telegram.text import Span, Styled, ordered

# https://core.telegram.org/bots/api#html-style
_KINDS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
}
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_REFERENCE = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));")
_NAME = re.compile(r"[^\s>]*")
_SPACE = re.compile(r"\s*")
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9.\-_]+)))?\s*""")
_LINK_SCHEMES = frozenset({"http", "https", "tg", "ton", "mailto"})


@dataclass(frozen=True, slots=True)
class _Open:
    tag: str
    attributes: dict[str, str]
    start: int


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._at = 0
        self._text: list[str] = []
        self._length = 0
        self._open: list[_Open] = []
        self._spans: list[Span] = []

    def parse(self) -> Styled:
        while self._at < len(self._source):
            if self._source[self._at] != "<":
                self._take_text()
            elif self._source.startswith("</", self._at):
                self._take_end()
            else:
                self._take_start()
        if self._open:
            raise CannotParse(f'Can\'t find end tag corresponding to start tag "{self._open[-1].tag}"')
        return Styled("".join(self._text), ordered(self._spans))

    def _take_text(self) -> None:
        end = self._source.find("<", self._at)
        end = len(self._source) if end < 0 else end
        piece = _REFERENCE.sub(_referred, self._source[self._at : end])
        self._text.append(piece)
        self._length += len(piece)
        self._at = end

    def _take_start(self) -> None:
        begin = self._at
        name = _match(_NAME, self._source, begin + 1)
        tag = name.group().lower()
        if tag not in _KINDS:
            raise CannotParse(f'Unsupported start tag "{tag}" at byte offset {self._byte(begin)}')
        attributes, end = self._attributes(tag, begin, name.end())
        if tag == "span" and attributes.get("class") != "tg-spoiler":
            raise CannotParse(f'Tag "span" must have class "tg-spoiler" at byte offset {self._byte(begin)}')
        self._open.append(_Open(tag, attributes, self._length))
        self._at = end

    def _attributes(self, tag: str, begin: int, at: int) -> tuple[dict[str, str], int]:
        found: dict[str, str] = {}
        at = _match(_SPACE, self._source, at).end()
        while at < len(self._source) and self._source[at] != ">":
            match = _ATTRIBUTE.match(self._source, at)
            if match is None and found:
                raise CannotParse(f"Unclosed start tag at byte offset {self._byte(begin)}")
            if match is None:
                raise CannotParse(f'Empty attribute name in the tag "{tag}" at byte offset {self._byte(begin)}')
            value = next((group for group in match.groups()[1:] if group is not None), "")
            found[match.group(1).lower()] = _REFERENCE.sub(_referred, value)
            at = match.end()
        if at >= len(self._source):
            raise CannotParse(f'Unclosed start tag "{tag}" at byte offset {self._byte(begin)}')
        return found, at + 1

    def _take_end(self) -> None:
        begin = self._at
        if not self._open:
            raise CannotParse(f"Unexpected end tag at byte offset {self._byte(begin)}")
        name = _match(_NAME, self._source, begin + 2)
        end = _match(_SPACE, self._source, name.end()).end()
        if not self._source.startswith(">", end):
            raise CannotParse(f"Unclosed end tag at byte offset {self._byte(begin)}")
        opened, found = self._open.pop(), name.group().lower()
        if found and found != opened.tag:
            raise CannotParse(
                f'Unmatched end tag at byte offset {self._byte(begin)}, expected "</{opened.tag}>", found "</{found}>"'
            )
        self._close(opened)
        self._at = end + 1

    def _close(self, opened: _Open) -> None:
        if opened.start == self._length:
            return
        if opened.tag == "code" and self._is_language_of_pre(opened):
            return
        kind, extra = _KINDS[opened.tag], {}
        if kind == "text_link":
            url = opened.attributes.get("href") or "".join(self._text)[opened.start :]
            if not _is_link(url):
                return
            extra = {"url": url}
        elif kind == "custom_emoji":
            extra = {"custom_emoji_id": opened.attributes.get("emoji-id", "")}
        elif kind == "pre" and opened.attributes.get("language"):
            extra = {"language": opened.attributes["language"]}
        elif kind == "blockquote" and "expandable" in opened.attributes:
            kind = "expandable_blockquote"
        self._spans.append(Span(kind, opened.start, self._length, extra))

    def _is_language_of_pre(self, code: _Open) -> bool:
        """<pre><code class="language-x"> is one entity: the class tells the language of the block."""
        outer = self._open[-1] if self._open else None
        if outer is None or outer.tag != "pre" or outer.start != code.start:
            return False
        language = code.attributes.get("class", "").removeprefix("language-")
        outer.attributes.setdefault("language", language)
        return bool(language)

    def _byte(self, index: int) -> int:
        return len(self._source[:index].encode())


def parse_html(source: str) -> Styled:
    """Reads formatted text; raises CannotParse in the words of the Bot API."""
    return _Parser(source).parse()


def _referred(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return _NAMED[name]
    code = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else match.group()


def _match(pattern: re.Pattern[str], text: str, at: int) -> re.Match[str]:
    """For patterns that match nothing as well, and therefore always."""
    match = pattern.match(text, at)
    if match is None:
        raise ValueError(pattern.pattern)
    return match


def _is_link(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _LINK_SCHEMES or (not parts.scheme and "." in parts.path.split("/")[0])
