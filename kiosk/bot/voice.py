"""Texts that a bot says in its own words: read from a folder, checked against the shop's, every flaw named at once."""

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from fluent.syntax import FluentParser, ast
from fluent.syntax.visitor import Visitor

from kiosk.bot.words import LANGUAGES, Language, Voice, shop_text

MOST_CHARS: Final = 256 * 1024
TEXT_CHARS: Final = 3000  # Telegram takes 4,096, and values are put in
# https://core.telegram.org/bots/api#html-style, as far as the shop itself goes
TAGS: Final = frozenset({"a", "b", "strong", "i", "em", "u", "ins", "s", "strike", "del", "code", "pre", "blockquote"})


def read_voice(folder: Path, where: str, flaws: list[str]) -> Voice:
    """`ru.ftl` and `en.ftl` of this folder, either of which may be missing; flaws are named after `where`."""
    read: dict[Language, str] = {}
    for language in LANGUAGES:
        path = folder / f"{language}.ftl"
        if not path.exists():
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            flaws.append(f"{where}/{path.name}: cannot be read: it must be a text in UTF-8")
            continue
        found = list(flaws_of(language, text))
        flaws += [f"{where}/{path.name}: {flaw}" for flaw in found]
        if not found:
            read[language] = text
    known = {f"{language}.ftl" for language in LANGUAGES}
    flaws += [f"{where}/{path.name}: is neither ru.ftl nor en.ftl" for path in _texts(folder) if path.name not in known]
    if not _texts(folder):
        flaws.append(f"{where}: holds neither ru.ftl nor en.ftl")
    return Voice.of(read)


def _texts(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.ftl") if path.is_file())


def flaws_of(language: Language, text: str) -> Iterator[str]:
    """Pure: what is wrong with texts that are to stand in for the shop's."""
    if len(text) > MOST_CHARS:
        yield f"longer than {MOST_CHARS} characters"
        return
    shop = dict(_messages(shop_text(language)))
    seen: set[str] = set()
    for entry in FluentParser(with_spans=True).parse(text).body:
        match entry:
            case ast.Junk(span=ast.Span(start=start)):
                yield f"line {text.count(chr(10), 0, start) + 1}: this is no text with a name"
            case ast.Message(id=ast.Identifier(name=key)):
                if key in seen:
                    yield f"{key}: is there twice"
                seen.add(key)
                yield from (f"{key}: {flaw}" for flaw in _flaws_of_message(entry, shop.get(key)))
            case ast.Term(id=ast.Identifier(name=key)):
                yield f"-{key}: terms are not known here"
            case _:
                pass  # comments


def _flaws_of_message(message: ast.Message, shops: ast.Message | None) -> Iterator[str]:
    if shops is None:
        yield "the shop has no such text"
        return
    if message.value is None or message.attributes:
        yield "must be a text and nothing else"
        return
    has, may = _Names(message), _Names(shops)
    unknown = sorted(has.variables - may.variables)
    if unknown:
        known = ", ".join(f"${name}" for name in sorted(may.variables)) or "none"
        yield f"has no value {', '.join(f'${name}' for name in unknown)}; there are: {known}"
    if has.others:
        yield "may not lean on other texts or functions"
    if has.chars > TEXT_CHARS:
        yield f"longer than {TEXT_CHARS} characters"
    for pattern in has.patterns:
        flaw = _markup_flaw(pattern)
        if flaw:
            yield flaw


def _messages(text: str) -> Iterator[tuple[str, ast.Message]]:
    for entry in FluentParser().parse(text).body:
        if isinstance(entry, ast.Message):
            yield entry.id.name, entry


class _Names(Visitor):
    """What a message is made of."""

    def __init__(self, message: ast.Message) -> None:
        self.variables: set[str] = set()
        self.others = False
        self.patterns: list[str] = []
        self.chars = 0
        self.visit(message.value)

    def visit_VariableReference(self, node: ast.VariableReference) -> None:  # noqa: N802 - the visitor's name
        self.variables.add(node.id.name)

    def visit_MessageReference(self, _node: ast.MessageReference) -> None:  # noqa: N802 - likewise
        self.others = True

    def visit_TermReference(self, _node: ast.TermReference) -> None:  # noqa: N802 - likewise
        self.others = True

    def visit_FunctionReference(self, _node: ast.FunctionReference) -> None:  # noqa: N802 - likewise
        self.others = True

    def visit_Pattern(self, node: ast.Pattern) -> None:  # noqa: N802 - likewise
        """Markup opens and closes within one pattern, or it would depend on values whether it does."""
        plain = "".join(part.value for part in node.elements if isinstance(part, ast.TextElement))
        self.patterns.append(plain)
        self.chars += len(plain)
        self.generic_visit(node)


class _Markup(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[str] = []
        self.flaw: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS or [name for name, _ in attrs] != (["href"] if tag == "a" else []):
            self.flaw = self.flaw or f"markup that Telegram does not take: <{tag}>"
        self.open.append(tag)

    def handle_data(self, data: str) -> None:
        if "<" in data:
            self.flaw = self.flaw or "a < that begins no markup is written &lt;"

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.flaw = self.flaw or f"</{tag}> closes nothing"


def _markup_flaw(text: str) -> str | None:
    reader = _Markup()
    reader.feed(text)
    reader.close()
    if reader.flaw is None and reader.open:
        return f"<{reader.open[-1]}> is not closed"
    return reader.flaw
