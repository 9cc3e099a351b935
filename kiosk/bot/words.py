"""The texts of the shop in a customer's language; pure once loaded."""

import contextlib
import html
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from babel.numbers import format_currency
from fluent.runtime import FluentBundle, FluentResource
from fluent.runtime.types import fluent_number

from kiosk.money import to_rub

Language = Literal["ru", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("ru", "en")
LOCALES: Final = {"ru": "ru_RU", "en": "en_US"}
# Where a value is to stand. Fluent refuses values over 2,500 characters, so it never sees one.
PLACE: Final = re.compile("\x02([a-z]+)\x03")


class MissingText(Exception):  # noqa: N818 - it states a fact
    """A text that the program asks for is not in the language's file, or wants other values."""


class Words:
    """`words("card", price=...)`: values are put into HTML as text, never as markup.

    A text of `instead` is said in place of the one in `source`.
    """

    def __init__(self, language: Language, source: str, instead: str = "") -> None:
        self.language = language
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(FluentResource(source))
        self._bundle.add_resource(FluentResource(instead), allow_overrides=True)

    def has(self, key: str) -> bool:
        return self._bundle.has_message(key)

    def __call__(self, key: str, **values: str | int) -> str:
        """HTML for a message. Errors: MissingText."""
        return self._format(key, {name: _escaped(value) for name, value in values.items()})

    def markup(self, key: str, **values: str) -> str:
        """HTML for a message whose values are HTML made by us already."""
        return self._format(key, dict(values))

    def plain(self, key: str, **values: str | int) -> str:
        """Text for a button or a toast, where nothing is markup."""
        return self._format(key, dict(values))

    def money(self, kopecks: int) -> str:
        """`80` → «0,80 ₽»."""
        return format_currency(to_rub(kopecks), "RUB", locale=LOCALES[self.language]).replace("RUB", "₽")

    @staticmethod
    def escape(text: str) -> str:
        """Foreign text as HTML."""
        return html.escape(text, quote=False)

    def _format(self, key: str, values: Mapping[str, str | int]) -> str:
        """Numbers are given to Fluent, which knows their plurals; of texts it sees only the place."""
        if not self._bundle.has_message(key):
            raise MissingText(f"{self.language}: no text {key}")
        pattern = self._bundle.get_message(key).value
        if pattern is None:
            raise MissingText(f"{self.language}: {key} is empty")
        text, errors = self._bundle.format_pattern(pattern, {name: _for_fluent(name, values[name]) for name in values})
        if errors:
            raise MissingText(f"{self.language}: {key}: {errors[0]}")
        return PLACE.sub(lambda place: str(values[place[1]]), str(text))


def _escaped(value: str | int) -> str | int:
    return value if isinstance(value, int) else Words.escape(value)


def _for_fluent(name: str, value: str | int) -> Any:
    return fluent_number(value, useGrouping=False) if isinstance(value, int) else f"\x02{name}\x03"


@dataclass(frozen=True, slots=True)
class Voice:
    """How a bot speaks: in the shop's texts, but for those that it says in its own words."""

    own: Mapping[Language, Words] = field(default_factory=dict)

    @classmethod
    def of(cls, instead: Mapping[Language, str]) -> "Voice":
        """`instead`: Fluent texts of its own, checked before (`kiosk.bot.voice`)."""
        return cls({language: Words(language, shop_text(language), text) for language, text in instead.items()})

    def words(self, language: Language) -> Words:
        return self.own.get(language) or _shop_words(language)


SHOP_VOICE: Final = Voice()
# Whoever deals with an update speaks for its bot, however deep inside; what is said unasked names its voice.
_speaking: ContextVar[Voice] = ContextVar("speaking", default=SHOP_VOICE)


@contextlib.contextmanager
def speaking(voice: Voice) -> Iterator[None]:
    """Inside the block `words` are those of this voice."""
    token = _speaking.set(voice)
    try:
        yield
    finally:
        _speaking.reset(token)


def words(language: Language) -> Words:
    """Those of the bot whose update is being dealt with, else the shop's."""
    return _speaking.get().words(language)


@cache
def _shop_words(language: Language) -> Words:
    return Words(language, shop_text(language))


def shop_text(language: Language) -> str:
    """The file of the package."""
    return resources.files("kiosk.bot").joinpath("texts", f"{language}.ftl").read_text(encoding="utf-8")
