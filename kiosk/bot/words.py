"""The texts of the shop in a customer's language; pure once loaded."""

import html
import re
from collections.abc import Mapping
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
    """`words("card", price=...)`: values are put into HTML as text, never as markup."""

    def __init__(self, language: Language, source: str) -> None:
        self.language = language
        self._bundle = FluentBundle([language], use_isolating=False)
        self._bundle.add_resource(FluentResource(source))

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


@cache
def words(language: Language) -> Words:
    """Read once per language from the package."""
    source = resources.files("kiosk.bot").joinpath("texts", f"{language}.ftl").read_text(encoding="utf-8")
    return Words(language, source)
