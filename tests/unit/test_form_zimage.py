"""What a customer of Z-Image is asked, what is refused and what the provider is sent."""

from typing import Any

import pytest

from kiosk.catalog.form import (
    Accepted,
    Invalid,
    Problem,
    ProblemKind,
    Question,
    QuestionKind,
    Rejected,
    Valid,
    check_answer,
    next_question,
    payload,
    question,
    questions,
    settings,
    validate,
)
from kiosk.catalog.shelf import default_shelf

Z_IMAGE = default_shelf().get("z-image")
RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16")
PROMPT = Question("prompt", QuestionKind.TEXT, required=True, minimum=1, maximum=1000)
RATIO = Question("aspect_ratio", QuestionKind.CHOICE, required=True, preset="1:1", choices=RATIOS)
CHECKER = Question("nsfw_checker", QuestionKind.BOOLEAN, required=False, preset=False, choices=(True, False))


def answers(**changed: Any) -> dict[str, Any]:
    return {"prompt": "a cat", "aspect_ratio": "16:9"} | changed


def problems(inputs: Any) -> tuple[Problem, ...]:
    checked = validate(Z_IMAGE, inputs)
    assert isinstance(checked, Invalid)
    return checked.problems


def test_form_asks_prompt_and_ratio() -> None:
    """Two questions in this order, five ratios to choose from, and no setting that a customer is offered."""
    assert questions(Z_IMAGE) == (PROMPT, RATIO)
    assert settings(Z_IMAGE) == ()
    assert question(Z_IMAGE, "nsfw_checker") == CHECKER
    assert question(Z_IMAGE, "model") is None


def test_form_walks_from_nothing_to_complete() -> None:
    """The next question is the first that has no fitting answer."""
    assert next_question(Z_IMAGE, {}) == PROMPT
    assert next_question(Z_IMAGE, {"prompt": "a cat"}) == RATIO
    assert next_question(Z_IMAGE, {"aspect_ratio": "1:1"}) == PROMPT
    assert next_question(Z_IMAGE, answers()) is None


def test_form_asks_again_for_what_fits_no_more() -> None:
    """An answer kept from an older catalog that the model no longer takes is asked again."""
    assert next_question(Z_IMAGE, answers(aspect_ratio="21:9")) == RATIO


def test_form_sends_exactly_the_inputs() -> None:
    """The provider gets the three inputs with their JSON types, the default made explicit."""
    checked = validate(Z_IMAGE, answers())
    assert checked == Valid({"prompt": "a cat", "aspect_ratio": "16:9", "nsfw_checker": False})
    assert isinstance(checked, Valid)
    assert payload(Z_IMAGE, checked.inputs) == {"prompt": "a cat", "aspect_ratio": "16:9", "nsfw_checker": False}
    assert validate(Z_IMAGE, answers(nsfw_checker=True)) == Valid(answers(nsfw_checker=True))


@pytest.mark.parametrize(
    ("inputs", "problem"),
    [
        ({"aspect_ratio": "1:1"}, Problem(ProblemKind.MISSING, "prompt")),
        ({"prompt": "a cat"}, Problem(ProblemKind.MISSING, "aspect_ratio")),
        (answers(prompt=""), Problem(ProblemKind.EMPTY, "prompt")),
        (answers(prompt=" \n\t\x00\u200b "), Problem(ProblemKind.EMPTY, "prompt")),
        (answers(prompt="я" * 1001), Problem(ProblemKind.TOO_LONG, "prompt", actual=1001, maximum=1000)),
        (answers(prompt=5), Problem(ProblemKind.WRONG_TYPE, "prompt")),
        (answers(prompt=None), Problem(ProblemKind.WRONG_TYPE, "prompt")),
        (answers(prompt=["a cat"]), Problem(ProblemKind.WRONG_TYPE, "prompt")),
        (answers(aspect_ratio="5:4"), Problem(ProblemKind.NOT_A_CHOICE, "aspect_ratio", choices=RATIOS)),
        (answers(aspect_ratio="16:9 "), Problem(ProblemKind.NOT_A_CHOICE, "aspect_ratio", choices=RATIOS)),
        (answers(aspect_ratio=1), Problem(ProblemKind.WRONG_TYPE, "aspect_ratio")),
        (answers(nsfw_checker="true"), Problem(ProblemKind.WRONG_TYPE, "nsfw_checker")),
        (answers(nsfw_checker=0), Problem(ProblemKind.WRONG_TYPE, "nsfw_checker")),
        (answers(seed=7), Problem(ProblemKind.UNKNOWN_FIELD, "seed")),
        (answers(callBackUrl="https://evil.example"), Problem(ProblemKind.UNKNOWN_FIELD, "callBackUrl")),
        (answers(model="veo-3-1"), Problem(ProblemKind.UNKNOWN_FIELD, "model")),
        (["a cat"], Problem(ProblemKind.WRONG_TYPE, "")),
        (None, Problem(ProblemKind.WRONG_TYPE, "")),
    ],
)
def test_form_refuses(inputs: Any, problem: Problem) -> None:
    """Each field that is missing, unknown, of the wrong type or out of bounds is refused with what there is to say."""
    assert problems(inputs) == (problem,)


def test_form_tells_every_problem() -> None:
    """Three wrong fields are three problems."""
    found = problems({"prompt": "", "aspect_ratio": "2:1", "style": "oil"})
    assert {(one.field, one.kind) for one in found} == {
        ("style", ProblemKind.UNKNOWN_FIELD),
        ("prompt", ProblemKind.EMPTY),
        ("aspect_ratio", ProblemKind.NOT_A_CHOICE),
    }


def test_form_counts_code_points() -> None:
    """A thousand emoji are a thousand characters, though twice as many UTF-16 units and four times the bytes."""
    assert check_answer(Z_IMAGE, "prompt", "🐈" * 1000) == Accepted("🐈" * 1000)
    assert isinstance(check_answer(Z_IMAGE, "prompt", "🐈" * 1001), Rejected)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("  a cat \n", "a cat"),
        ("a cat\r\non a roof\ron a hill", "a cat\non a roof\non a hill"),
        ("a\tcat", "a cat"),
        ("a\x00 c\x07a\x1bt\x7f\x85", "a cat"),
        ("a \ud83d cat", "a  cat"),
        ("👩\u200d🎨 at work", "👩\u200d🎨 at work"),
    ],
)
def test_form_cleans_text(written: str, kept: str) -> None:
    """Blanks around a text and control characters in it go, line breaks and joined emoji stay."""
    assert check_answer(Z_IMAGE, "prompt", written) == Accepted(kept)


def test_form_reads_what_is_written_in_a_chat() -> None:
    """A button's value and the same typed by hand are one answer."""
    assert check_answer(Z_IMAGE, "aspect_ratio", " 9:16 ") == Accepted("9:16")
    assert check_answer(Z_IMAGE, "nsfw_checker", "true") == Accepted(value=True)
    assert check_answer(Z_IMAGE, "nsfw_checker", value_of_a_sticker()) == Rejected(
        Problem(ProblemKind.WRONG_TYPE, "nsfw_checker")
    )
    assert check_answer(Z_IMAGE, "negative_prompt", "x") == Rejected(
        Problem(ProblemKind.UNKNOWN_FIELD, "negative_prompt")
    )


def value_of_a_sticker() -> Any:
    return {"file_id": "x"}
