"""The texts themselves: the same set in each language, values as text, money as people write it."""

import re
from importlib import resources

import pytest
from fluent.syntax import FluentParser
from fluent.syntax.ast import Message
from hypothesis import given
from hypothesis import strategies as st

from kiosk.bot.words import LANGUAGES, Language, MissingText, Words, words

VARIABLE = re.compile(r"\{\s*\$(\w+)\s*\}")


def source(language: str) -> str:
    return resources.files("kiosk.bot").joinpath("texts", f"{language}.ftl").read_text(encoding="utf-8")


def texts(language: str) -> dict[str, str]:
    """Each text's key, and the text as it is written."""
    parsed = FluentParser().parse(source(language))
    return {
        entry.id.name: source(language)[entry.span.start : entry.span.end]
        for entry in parsed.body
        if isinstance(entry, Message) and entry.span
    }


def test_languages_have_the_same_texts_with_the_same_values() -> None:
    """No text is missing in one of them, and none forgets a value or invents one."""
    russian, english = texts("ru"), texts("en")
    assert russian.keys() == english.keys()
    assert {key: set(VARIABLE.findall(text)) for key, text in russian.items()} == {
        key: set(VARIABLE.findall(text)) for key, text in english.items()
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_parses(language: Language) -> None:
    """Fluent keeps what it cannot read as junk and says nothing: a text with a typing error would be missing."""
    kinds = {type(entry).__name__ for entry in FluentParser().parse(source(language)).body}
    assert kinds <= {"Message", "Comment", "GroupComment", "ResourceComment"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_do_not_name_the_provider(language: Language) -> None:
    """The word "Kie" is never shown to customers."""
    assert [key for key, text in texts(language).items() if "kie" in text.lower()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_toasts_fit(language: Language) -> None:
    """Bot API, answerCallbackQuery: at most 200 characters."""
    for key in ("order-over", "order-elsewhere", "old-button", "not-sold"):
        assert 0 < len(words(language).plain(key)) <= 200


@pytest.mark.parametrize(
    ("kopecks", "russian", "english"),
    [
        (80, "0,80 ₽", "₽0.80"),
        (0, "0,00 ₽", "₽0.00"),
        (1, "0,01 ₽", "₽0.01"),
        (123_456_789, "1 234 567,89 ₽", "₽1,234,567.89"),
        (-50, "-0,50 ₽", "-₽0.50"),
    ],
)
def test_money_is_written_the_way_people_write_it(kopecks: int, russian: str, english: str) -> None:
    """To the kopeck, with the sign of the ruble; its spaces do not break."""
    assert words("ru").money(kopecks).replace("\xa0", " ") == russian
    assert words("en").money(kopecks).replace("\xa0", " ") == english
    assert " " not in words("ru").money(kopecks)


@given(st.text())
def test_values_are_text_whatever_they_are(name: str) -> None:
    """No value becomes markup or is taken for a part of the text's own language."""
    said = words("ru")("home", name=name, balance="{ $name }")
    assert "{ $name }" in said
    assert Words.escape(name) in said
    assert words("ru").plain("create-button", price=name) == f"✅ Создать — {name}"


def test_missing_text_or_value_is_noticed() -> None:
    """A key that nobody wrote, or a text without its value, is an error and no half sentence."""
    with pytest.raises(MissingText, match="no text nonsense"):
        words("ru")("nonsense")
    with pytest.raises(MissingText, match="home"):
        words("ru")("home", name="Анна")
