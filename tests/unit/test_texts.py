"""Results in words: read out of what the provider says, kept as an address, shown as a message or a file."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiosk.delivery.wording import IN_MESSAGE_UNITS, Wording, forms
from kiosk.kie.texts import Text, texts_of
from sandbox.kie.answers import answer

TIMED = {"text": "раз два", "words": [{"text": "раз", "start": 0, "end": 1}]}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("просто текст", (Text("просто текст"),)),
        ({"text": "раз"}, (Text("раз"),)),
        ({"result": "warm, 96 bpm"}, (Text("warm, 96 bpm"),)),
        ({"lyricsData": [{"title": "А", "text": "ля"}, {"text": "ля-ля"}]}, (Text("А\n\nля\n\n* * *\n\nля-ля"),)),
        (TIMED, (Text("раз два"), Text(json.dumps(TIMED, ensure_ascii=False, indent=2), "json"))),
        ({"has_human": True}, (Text('{\n  "has_human": true\n}', "json"),)),
        ([1], (Text("[\n  1\n]", "json"),)),
        ({}, ()),
        ("  ", ()),
        (None, ()),
    ],
)
def test_texts_are_what_people_read_first(said: Any, told: tuple[Text, ...]) -> None:
    """The plain text where there is one, JSON for the rest, nothing for nothing."""
    assert texts_of(said) == told


def test_texts_of_lyrics_and_transcripts_as_the_stand_in_gives_them() -> None:
    """Both songs with their titles; the transcript, and its timings beside it."""
    (lyrics,) = texts_of(answer("ai-music-api/generate-lyrics", "дождь"))
    assert lyrics.kind == "txt"
    assert lyrics.content.count("дождь") > 2
    assert [text.kind for text in texts_of(answer("elevenlabs/speech-to-text", "раз два"))] == ["txt", "json"]


@given(st.text(), st.sampled_from(["txt", "json"]))
def test_wording_survives_as_an_address(text: str, extension: Any) -> None:
    """Whatever was said comes out of its address again, and an address of a file is none of them."""
    said = Wording(text, extension)
    assert Wording.of(said.source()) == said
    assert Wording.of("https://files.example/a.txt") is None


@given(st.text(min_size=1), st.integers(1, 400))
def test_wording_in_a_message_never_exceeds_it(text: str, times: int) -> None:
    """The first form is a message only if that fits, the last one always does or is a document."""
    said = Wording(text * times)
    for content, as_document in forms(said):
        assert as_document or len(content.text.encode("utf-16-le")) // 2 <= IN_MESSAGE_UNITS
    assert {as_document for _content, as_document in forms(said)} == {True, False}
    assert forms(said)[0] == (said, not said.fits_message)
