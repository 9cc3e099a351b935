"""The stand-in accepts and refuses inputs as the provider does."""

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.kie.rules import Field, Refusal, check, coerced, rules

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kie" / "tasks.json").read_text(encoding="utf-8"))
CAT: dict[str, Any] = {"prompt": "кот", "aspect_ratio": "1:1"}


def refusal(model: str, given: Any, missing_code: int = 500) -> Refusal | None:
    return check(rules()[model], given, missing_code)


def z_image(**changes: Any) -> Refusal | None:
    given = CAT | changes
    return refusal("z-image", {name: value for name, value in given.items() if value != "left out"})


def test_rules_cover_every_model() -> None:
    """All models are there, each with a kind of output, a duration and at least one input."""
    assert len(rules()) == 188
    assert {rule.output for rule in rules().values()} == {"image", "video", "audio", "text"}
    assert all(rule.usual_s > 0 and rule.inputs for rule in rules().values())


def test_z_image_is_exact() -> None:
    """The first model on the shelf has exactly the documented fields, price and usual duration."""
    rule = rules()["z-image"]
    assert rule.inputs == (
        Field("prompt", "string", required=True, max_length=1000),
        Field("aspect_ratio", "enum", required=True, enum=("1:1", "4:3", "3:4", "16:9", "9:16"), default="1:1"),
        Field("nsfw_checker", "boolean", default=False),
    )
    assert (rule.credits, rule.usual_s, rule.output) == (0.8, 55, "image")


@pytest.mark.parametrize("recording", RECORDED, ids=lambda recording: str(recording["recording"]))
def test_recorded_requests_are_accepted(recording: dict[str, str]) -> None:
    """What the real provider has accepted, the stand-in accepts."""
    request = json.loads(recording["create_request"])
    assert refusal(request["model"], request["input"]) is None


def test_valid_inputs_are_accepted() -> None:
    """Required fields, an optional one, an empty optional one and an unknown one pass."""
    assert z_image() is None
    assert z_image(nsfw_checker=False) is None
    assert z_image(nsfw_checker=None) is None
    assert z_image(seed=1) is None
    assert z_image(prompt="я" * 1000) is None


@pytest.mark.parametrize("nothing", [None, "", "left out"])
def test_missing_fields_are_a_500(nothing: Any) -> None:
    """A missing required field is answered as the provider does it, unless it is told to say 422."""
    assert z_image(prompt=nothing) == Refusal(500, "prompt is required")
    assert z_image(aspect_ratio=nothing) == Refusal(500, "aspect_ratio is required")
    assert refusal("z-image", {}, missing_code=422) == Refusal(422, "prompt is required")


@pytest.mark.parametrize("given", [None, [], "prompt", 1])
def test_input_that_is_no_object_is_refused(given: Any) -> None:
    """A flat or absent input is refused, whatever is in it."""
    assert refusal("z-image", given) == Refusal(422, "The input cannot be null")


@pytest.mark.parametrize(
    ("changes", "msg"),
    [
        ({"aspect_ratio": "2:1"}, "aspect_ratio is not within the range of allowed options"),
        ({"aspect_ratio": 1}, "aspect_ratio must be of type string"),
        ({"prompt": "я" * 1001}, "prompt exceeds the maximum length of 1000"),
        ({"prompt": ["кот"]}, "prompt must be of type string"),
        ({"nsfw_checker": "false"}, "nsfw_checker must be of type boolean"),
    ],
)
def test_bad_values_are_a_422(changes: dict[str, Any], msg: str) -> None:
    """Each field is held to its type, options and length."""
    assert z_image(**changes) == Refusal(422, msg)


def test_numbers_and_lists_are_held_to_their_limits() -> None:
    """Ranges, special values, counts and item types of other models are checked too."""
    video = {"prompt": "кот"}
    seedance = "bytedance/seedance-2"
    assert refusal(seedance, video | {"duration": 4}) is None
    assert refusal(seedance, video | {"duration": 3}) == Refusal(422, "duration must not be less than 4")
    assert refusal(seedance, video | {"duration": 16}) == Refusal(422, "duration must not be greater than 15")
    assert refusal(seedance, video | {"duration": "4"}) == Refusal(422, "duration must be of type integer")
    assert refusal("wan/3-0-video", video | {"duration": -1}) is None
    pictures = ["https://a.example/1.png"] * 10
    too_many = Refusal(422, "input_urls exceeds the maximum of 9 items")
    assert refusal("wan/2-7-image", video | {"input_urls": pictures}) == too_many
    too_short = Refusal(422, "prompt is shorter than 3")
    assert refusal("flux-2/pro-text-to-image", {"prompt": "xy"}) == too_short
    wrong = Refusal(422, "input_urls must hold items of type url")
    assert refusal("wan/2-7-image", video | {"input_urls": [1]}) == wrong


def test_oddities_of_single_models() -> None:
    """One model takes anything, one takes numbers as text and echoes numbers, speech models take no unknown keys."""
    assert refusal("grok-imagine/image-to-video", {}) is None
    grok = rules()["grok-imagine/text-to-video"]
    assert check(grok, {"prompt": "x", "duration": "6"}, 500) is None
    assert coerced(grok, {"prompt": "6", "duration": "6", "other": "6"}) == {"prompt": "6", "duration": 6, "other": "6"}
    speech = next(rule for rule in rules().values() if rule.type == "text_to_speech")
    refused = check(speech, {"text": "hello", "colour": "red"}, 500)
    assert refused == Refusal(422, "colour is not a supported parameter")
