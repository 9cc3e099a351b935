"""A bot's own words: said in place of the shop's, and checked before anybody hears them."""

from pathlib import Path

import pytest

from kiosk.bot.voice import flaws_of, read_voice
from kiosk.bot.words import LANGUAGES, SHOP_VOICE, shop_text, speaking, words

GREETING = "home = Салют, { $name }! На счету <b>{ $balance }</b>.\n"


def written(folder: Path, **texts: str) -> Path:
    for language, text in texts.items():
        (folder / f"{language}.ftl").write_text(text, encoding="utf-8")
    return folder


def test_own_words_are_said_where_there_are_some(tmp_path: Path) -> None:
    """All other texts, and the other language, stay the shop's; outside the block everything does."""
    flaws: list[str] = []
    voice = read_voice(written(tmp_path, ru=GREETING), "texts", flaws)
    assert flaws == []
    with speaking(voice):
        assert words("ru")("home", name="<Анна>", balance="1 ₽") == "Салют, &lt;Анна&gt;! На счету <b>1 ₽</b>."
        assert words("ru")("home-button") == SHOP_VOICE.words("ru")("home-button")
        assert words("en")("home", name="Ann", balance="1") == SHOP_VOICE.words("en")("home", name="Ann", balance="1")
    assert "Салют" not in words("ru")("home", name="Анна", balance="1 ₽")


@pytest.mark.parametrize("language", LANGUAGES)
def test_shop_itself_passes(language: str) -> None:
    """Whatever the shop says may be said again."""
    (known,) = (one for one in LANGUAGES if one == language)
    assert list(flaws_of(known, shop_text(known))) == []


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("greeting = Салют", "greeting: the shop has no such text"),
        ("home = { $name } { $surname }", "home: has no value $surname; there are: $balance, $name"),
        ("home-button = { $name }", "home-button: has no value $name; there are: none"),
        ("home = <b>{ $name }", "home: <b> is not closed"),
        ("home = { $name }</b>", "home: </b> closes nothing"),
        ("home = <script>{ $name }</script>", "home: markup that Telegram does not take: <script>"),
        ('home = <b class="x">{ $name }</b>', "home: markup that Telegram does not take: <b>"),
        ("home = 1 < 2", "home: a < that begins no markup is written &lt;"),
        ("home = { home-button }", "home: may not lean on other texts or functions"),
        ("home = раз\nhome = два", "home: is there twice"),
        ("-term = слово", "-term: terms are not known here"),
        ("home = " + "а" * 3001, "home: longer than 3000 characters"),
        ("home-button = раз\nэто не текст\n", "line 2: this is no text with a name"),
    ],
)
def test_flaw_is_named(text: str, flaw: str) -> None:
    """With the text or the line that it is in."""
    assert list(flaws_of("ru", text)) == [flaw]


def test_folder_is_checked_as_a_whole(tmp_path: Path) -> None:
    """Every flaw of every file at once; an empty folder and a file for nobody are flaws."""
    flaws: list[str] = []
    read_voice(written(tmp_path, ru="x = 1", en="home = { $x }", de="home = Hallo"), "bots[0].texts", flaws)
    read_voice(tmp_path / "empty", "bots[1].texts", flaws)
    assert flaws == [
        "bots[0].texts/ru.ftl: x: the shop has no such text",
        "bots[0].texts/en.ftl: home: has no value $x; there are: $balance, $name",
        "bots[0].texts/de.ftl: is neither ru.ftl nor en.ftl",
        "bots[1].texts: holds neither ru.ftl nor en.ftl",
    ]
