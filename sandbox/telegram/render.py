"""Entities as HTML that is safe to put into the chat page: every character of the text is escaped."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from sandbox.telegram.text import Span, from_entities

_TAGS = {
    "bold": "strong",
    "italic": "em",
    "underline": "u",
    "strikethrough": "s",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "expandable_blockquote": "blockquote",
}
_BLOCKS = frozenset({"pre", "blockquote", "expandable_blockquote"})
_CLASSES = {"spoiler": "spoiler", "mention": "mention", "hashtag": "mention", "text_mention": "mention"}
_LINK_SCHEMES = frozenset({"http", "https", "mailto"})


def to_html(text: str, entities: Sequence[Mapping[str, Any]]) -> str:
    """Nested tags for the entities, however they overlap; links only to http, https and mailto addresses."""
    spans = from_entities(text, entities).spans
    edges = sorted({0, len(text), *(span.start for span in spans), *(span.end for span in spans)})
    pieces: list[str] = []
    stack: list[Span] = []
    for begin, end in pairwise(edges):
        wanted = [span for span in spans if span.start <= begin and end <= span.end]
        kept = _common(stack, wanted)
        pieces.extend(_closing(span) for span in reversed(stack[kept:]))
        after_block = any(span.kind in _BLOCKS for span in stack[kept:])
        pieces.extend(_opening(span, text) for span in wanted[kept:])
        stack = wanted
        # A block ends its line by itself: the line break after it would show as an empty line.
        words = text[begin:end].removeprefix("\n") if after_block else text[begin:end]
        pieces.append(escape(words))
    pieces.extend(_closing(span) for span in reversed(stack))
    return "".join(pieces)


def _common(stack: list[Span], wanted: list[Span]) -> int:
    count = 0
    while count < min(len(stack), len(wanted)) and stack[count] == wanted[count]:
        count += 1
    return count


def _opening(span: Span, text: str) -> str:
    if span.kind in _TAGS:
        return f"<{_TAGS[span.kind]}>"
    covered = text[span.start : span.end]
    if span.kind == "bot_command":
        return f'<button type="button" class="command" data-command="{escape(covered)}">'
    address = _address(span, covered)
    if address is not None:
        return f'<a href="{escape(address)}" target="_blank" rel="noopener noreferrer">'
    return f'<span class="{_CLASSES.get(span.kind, "plain")}">'


def _closing(span: Span) -> str:
    if span.kind in _TAGS:
        return f"</{_TAGS[span.kind]}>"
    if span.kind == "bot_command":
        return "</button>"
    return "</a>" if _address(span, "") is not None else "</span>"


def _address(span: Span, covered: str) -> str | None:
    """None when the span is no link, or one to a scheme that a page must not follow."""
    if span.kind == "email":
        return f"mailto:{covered}"
    if span.kind == "url":
        return covered if "://" in covered else f"https://{covered}"
    if span.kind != "text_link":
        return None
    url = str(span.extra.get("url", ""))
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        return None
    if not scheme:
        return f"https://{url}"
    return url if scheme in _LINK_SCHEMES else None
