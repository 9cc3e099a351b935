"""A finished task hands over the files its input asked for, in the shape of its family."""

import io
import json
from typing import Any

import pytest
from PIL import Image

from sandbox.kie.outputs import covers, outputs, result_json
from sandbox.kie.records import Task
from sandbox.kie.rules import rules
from sandbox.kie.scripts import Script
from sandbox.media import MediaOrder, make


def task(model: str, script: Script | None = None, **given: Any) -> Task:
    return Task(
        id="ab" * 16,
        model=model,
        input=given,
        key="sandbox",
        callback_url=None,
        created_ms=0,
        ends_ms=1000,
        script=script or Script(),
    )


def orders(made: Task) -> list[MediaOrder]:
    return [output.order for output in outputs(made, rules()[made.model], 1000)]


def shape(made: Task) -> dict[str, Any]:
    rule = rules()[made.model]
    urls = [output.path for output in outputs(made, rule, 1000)]
    return dict(json.loads(result_json(made, rule, urls)))


def test_picture_follows_the_input() -> None:
    """One PNG of the asked proportions for a plain order."""
    assert orders(task("z-image", prompt="кот", aspect_ratio="9:16")) == [MediaOrder("image", "кот", "9:16", "png")]


@pytest.mark.parametrize(
    ("given", "ratio"),
    [
        ({"image_size": "landscape_16_9"}, "16:9"),
        ({"image_size": "portrait_4_3"}, "3:4"),
        ({"aspect_ratio": "21:9"}, "21:9"),
        ({"aspect_ratio": "auto"}, "1:1"),
        ({}, "1:1"),
    ],
)
def test_proportions_are_read_from_any_field(given: dict[str, str], ratio: str) -> None:
    """Models name the shape of a picture in different ways."""
    assert orders(task("qwen/text-to-image", prompt="x", **given))[0].ratio == ratio


@pytest.mark.parametrize(
    ("model", "given", "extension"),
    [
        ("qwen/text-to-image", {"output_format": "jpeg"}, "jpeg"),
        ("qwen/text-to-image", {"output_format": "gif"}, "png"),
        ("kling-3.0/video", {"output_format": "png"}, "mp4"),
        ("ai-music-api/generate", {}, "mp3"),
    ],
)
def test_format_fits_the_kind_of_output(model: str, given: dict[str, str], extension: str) -> None:
    """The asked format is used when the stand-in can make it, else the usual one."""
    assert orders(task(model, prompt="x", **given))[0].extension == extension


@pytest.mark.parametrize(("count", "made"), [(4, 4), ("3", 3), (99, 12), (0, 1), ("many", 1)])
def test_number_of_files_follows_the_input(count: Any, made: int) -> None:
    """As many different files as asked for, at most twelve."""
    several = orders(task("wan/2-7-image", prompt="x", n=count))
    assert len(several) == len(set(several)) == made


def test_number_of_files_follows_the_script() -> None:
    """A fault decides over the input."""
    assert len(orders(task("z-image", Script(results=12), prompt="x"))) == 12
    assert shape(task("z-image", Script(results=0), prompt="x")) == {"resultUrls": []}


def test_paths_differ_and_repeat() -> None:
    """Every file of a task has its own path, and a task always has the same ones."""
    made = task("z-image", Script(results=5), prompt="x")
    paths = shape(made)["resultUrls"]
    assert len(set(paths)) == 5
    assert paths == shape(made)["resultUrls"]


@pytest.mark.parametrize(
    ("model", "given", "keys"),
    [
        ("z-image", {}, {"resultUrls"}),
        ("bytedance/seedance-2", {"return_last_frame": True}, {"resultUrls", "firstFrameUrl", "lastFrameUrl"}),
        ("ai-music-api/generate", {}, {"data"}),
        ("ai-music-api/generate-lyrics", {}, {"resultObject"}),
        ("elevenlabs/speech-to-text", {}, {"resultObject"}),
    ],
)
def test_result_has_the_shape_of_its_family(model: str, given: dict[str, Any], keys: set[str]) -> None:
    """Pictures and clips are addresses, songs are entries with one, texts are objects."""
    assert set(shape(task(model, prompt="x", **given))) == keys


def test_malformed_result_is_handed_over_as_it_is() -> None:
    """A script's own text replaces the result, readable or not."""
    assert result_json(task("z-image", Script(result_json='{"a'), prompt="x"), rules()["z-image"], []) == '{"a'


@pytest.mark.parametrize(("resolution", "sides"), [("1K", (1344, 768)), ("2K", (2688, 1536))])
def test_pictures_have_the_asked_resolution(resolution: str, sides: tuple[int, int]) -> None:
    """2K has twice the sides of 1K, at the same proportions."""
    made = orders(task("nano-banana-2", prompt="x", aspect_ratio="7:4", resolution=resolution))[0]
    with Image.open(io.BytesIO(make(made))) as picture:
        assert picture.size == sides


@pytest.mark.parametrize(
    ("model", "given", "made"),
    [
        ("wan/2-7-image", {}, 4),
        ("grok-imagine/text-to-image", {}, 6),
        ("ai-music-api/generate", {}, 2),
        ("z-image", {}, 1),
    ],
)
def test_number_of_files_without_a_word_is_the_models_own(model: str, given: dict[str, Any], made: int) -> None:
    """A default of the input, or what a run of the model makes."""
    assert len(orders(task(model, prompt="x", **given))) == made


def test_songs_have_a_cover_an_id_and_a_length() -> None:
    """Everything that a player shows lies beside the song."""
    song = task("ai-music-api/generate", prompt="x", title="Утро", duration=6)
    made = outputs(song, rules()[song.model], 1000)
    entries = shape(song)["data"]
    assert [entry["image_url"] for entry in entries] == [cover.path for cover in covers(song, made)]
    assert {(entry["title"], entry["duration"]) for entry in entries} == {("Утро", 6.0)}
    assert len({entry["id"] for entry in entries}) == 2
    assert covers(task("z-image", prompt="x"), made) == []


@pytest.mark.parametrize("model", [rule.id for rule in rules().values() if rule.output == "text"])
def test_models_of_words_answer_with_an_object(model: str) -> None:
    """Not with files, and never with nothing."""
    said = task(model, prompt="раз два")
    assert outputs(said, rules()[model], 1000) == []
    assert all(value not in ("", [], None) for value in shape(said)["resultObject"].values())


def test_speech_lasts_as_long_as_its_text() -> None:
    """Fifteen characters a second."""
    assert orders(task("elevenlabs/text-to-speech-turbo-2-5", text="а" * 90))[0].duration_s == 6.0
