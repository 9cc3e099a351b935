"""A finished task's files are found in every shape in which the provider has put them."""

import json
from typing import Any

import pytest

from kiosk.kie.results import MAX_FILES, Result, Track, read_result
from kiosk.kie.task import FailureKind, failure_kind

A, B = "https://tempfile.example/a.png", "https://tempfile.example/b.png"


@pytest.mark.parametrize(
    "record",
    [
        {"resultJson": json.dumps({"resultUrls": [A, B]})},
        {"resultJson": {"resultUrls": [A, B]}},
        {"resultJson": json.dumps({"result_urls": [A, B]})},
        {"resultJson": json.dumps({"urls": [A, B]})},
        {"resultJson": json.dumps({"resultUrls": json.dumps([A, B])})},
        {"resultJson": json.dumps(json.dumps({"resultUrls": [A, B]}))[1:-1].replace('\\"', '"')},
        {"resultJson": "", "response": {"resultUrls": [A, B]}},
        {"resultJson": None, "response": json.dumps({"resultUrls": [A, B]})},
        {"resultJson": "{broken", "response": {"resultUrls": [A, B]}},
        {"resultUrls": [A, B]},
        {"resultJson": json.dumps({"resultUrls": [A, None, 7, "", "ftp://x/y", A, B]})},
    ],
)
def test_result_urls_in_every_shape(record: dict[str, Any]) -> None:
    """Both addresses come out once and in order, wherever they were."""
    assert read_result(record).urls == (A, B)


def test_result_url_alone_is_one_file() -> None:
    """A single text where a list is usual is one file."""
    assert read_result({"resultJson": {"resultUrls": A}}).urls == (A,)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"resultJson": ""},
        {"resultJson": None},
        {"resultJson": "null"},
        {"resultJson": "[]"},
        {"resultJson": "{broken"},
        {"resultJson": '{"resultUrls":[]}'},
        {"resultJson": '{"resultUrls":["not an address"]}'},
        {"resultJson": '{"resultUrls":{"0":"https://a.example/b"}}'},
        {"resultJson": '{"resultObject":{}}'},
        {"resultJson": 42},
    ],
)
def test_result_unusable_is_empty_and_says_so(record: dict[str, Any]) -> None:
    """What delivers nothing is the empty result: a success with it counts as a failure."""
    result = read_result(record)
    assert result == Result()
    assert not result.usable


@pytest.mark.parametrize("said", [{"mask_urls": [A]}, json.dumps({"mask_urls": [A]})])
def test_result_object_is_kept_as_it_is(said: Any) -> None:
    """A model that answers with an object gives that object, also when it came as text, and the files it names."""
    result = read_result({"resultJson": {"resultObject": said}})
    assert (result.object, result.urls, result.usable) == ({"mask_urls": [A]}, (A,), True)


def test_result_frames_are_apart_from_the_files() -> None:
    """First and last frames are not delivered as further videos."""
    result = read_result({"resultJson": {"resultUrls": [A], "firstFrameUrl": [], "lastFrameUrl": [B]}})
    assert (result.urls, result.first_frame_urls, result.last_frame_urls) == ((A,), (), (B,))


@pytest.mark.parametrize("place", ["resultJson", "response"])
@pytest.mark.parametrize("keys", [("audio_url", "image_url"), ("audioUrl", "imageUrl")])
def test_result_music_has_addresses_and_titles(place: str, keys: tuple[str, str]) -> None:
    """Pieces of music are files, and carry what a player shows."""
    audio, cover = keys
    entries: list[Any] = [
        {audio: A, cover: B, "title": "Рассвет", "duration": 198.44},
        {audio: B, "title": None},
        {audio: ""},
        5,
    ]
    result = read_result({place: {"data": entries}})
    assert result.urls == (A, B)
    assert result.tracks == (Track(A, "Рассвет", 198.44, B), Track(B, "", None, None))


def test_result_count_is_bounded() -> None:
    """An absurd number of files is cut."""
    urls: list[Any] = [f"https://tempfile.example/{number}.png" for number in range(10 * MAX_FILES)]
    assert len(read_result({"resultJson": {"resultUrls": urls}}).urls) == MAX_FILES


@pytest.mark.parametrize(
    ("code", "message", "kind"),
    [
        ("500", "Internal server error", FailureKind.PROVIDER),
        ("500", "Internal server error in moderation service", FailureKind.PROVIDER),
        ("501", "upstream generation failed", FailureKind.PROVIDER),
        ("", "Internal Error, Please try again later.", FailureKind.PROVIDER),
        ("GENERATION_FAILED", "", FailureKind.PROVIDER),
        ("", "", FailureKind.PROVIDER),
        ("PUBLIC_ERROR_SAFETY_FILTER_FAILED", "", FailureKind.MODERATION),
        ("", "PUBLIC_ERROR_PROMINENT_PEOPLE_FILTER_FAILED", FailureKind.MODERATION),
        ("400", "Your prompt was flagged by Website as violating content policies.", FailureKind.MODERATION),
        ("400", "<error detail>", FailureKind.BAD_INPUT),
        ("422", "", FailureKind.BAD_INPUT),
        ("500", "This field is required", FailureKind.BAD_INPUT),
        ("402", "", FailureKind.CREDITS),
        ("500", "Credits insufficient : Your current balance isn't enough", FailureKind.CREDITS),
        ("433", "", FailureKind.CREDITS),
        ("408", "", FailureKind.TIMEOUT),
        ("500", "No result has been returned for over 10 minutes.", FailureKind.TIMEOUT),
        ("500", "upstream timed out", FailureKind.TIMEOUT),
    ],
)
def test_failure_kind_by_code_and_text(code: str, message: str, kind: FailureKind) -> None:
    """Each failure that was seen has its kind, by code or by text, wherever the name stands."""
    assert kind is failure_kind(code, message)
