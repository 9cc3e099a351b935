"""Every kind of input and every joint rule, seen through the form of an invented model."""

from typing import Any

import pytest

from kiosk.catalog.form import (
    Accepted,
    Invalid,
    Problem,
    ProblemKind,
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
from kiosk.catalog.model import MediaType, Model
from kiosk.catalog.shelf import default_shelf, load_shelf

INPUTS = """
      prompt: {type: string, required: true}
      steps: {type: integer, min: 2, max: 50, special_values: [-1]}
      weight: {type: number, min: 0, max: 1, step: 0.05}
      length: {type: enum, value_type: integer, values: [5, 10]}
      mood: {type: number, min: 0, max: 10}
      voice: {type: enum, values: [anna, boris], open: true, labels: {anna: Анна}, discontinued: [carl]}
      picture: {type: url, media: image, formats: [png], max_size_mb: 10, api_name: imageUrl}
      clips: {type: array, items: url, media: video, min_items: 2, max_items: 3, max_seconds: 15}
      lines:
        type: array
        items: object
        max_items: 2
        fields: {text: {type: string, required: true, max_length: 5}, who: {type: string}}
      boxes: {type: array, items: {type: array, items: integer, min_items: 4, max_items: 4}}
      code: {type: string, pattern: '[A-Z]{3}'}
      earlier: {type: string, task_ref: {models: [invented]}}
      seed: {type: integer, default: 0, fill: false}
      style: {type: enum, values: [oil, ink], suggested: ink}
      tags: {type: array, items: string, max_items: 3}
      loud: {type: boolean}
      checker: {type: boolean, default: true, ask: false}
"""


def model_of(inputs: str = INPUTS, rules: str = "[]") -> Model:
    text = f"""
models:
  - id: invented
    name: Invented
    vendor: Nobody
    type: utility
    output: text
    inputs: {inputs}
    rules: {rules}
    credits: 1
    source: https://provider.example
"""
    return load_shelf(text).get("invented")


INVENTED = model_of()


def test_form_separates_questions_from_settings() -> None:
    """What is required is asked; the rest are settings, but for what nobody could answer in a chat, or is to."""
    assert [one.field for one in questions(INVENTED)] == ["prompt"]
    names = [one.field for one in settings(INVENTED)]
    unasked = {"prompt", "earlier", "boxes", "checker"}
    assert names == [item.name for item in INVENTED.inputs if item.name not in unasked]


def test_form_describes_each_kind() -> None:
    """A question carries all that a screen needs to ask it."""
    kinds = {item.name: one.kind for item in INVENTED.inputs if (one := question(INVENTED, item.name))}
    assert (kinds["steps"], kinds["voice"]) == (QuestionKind.NUMBER, QuestionKind.CHOICE)
    assert (kinds["clips"], kinds["lines"]) == (QuestionKind.MEDIA, QuestionKind.OBJECTS)
    clips, voice = question(INVENTED, "clips"), question(INVENTED, "voice")
    assert clips
    assert clips.media
    assert (clips.media.media, clips.media.max_seconds) == (MediaType.VIDEO, 15)
    assert (clips.minimum, clips.maximum, clips.is_list) == (2, 3, True)
    assert (kinds["loud"], kinds["tags"]) == (QuestionKind.BOOLEAN, QuestionKind.LIST)
    assert voice
    assert (voice.choices, voice.labels, voice.is_open) == (("anna", "boris"), (("anna", "Анна"),), True)


@pytest.mark.parametrize(
    ("number", "choices"),
    [
        ("{type: integer, min: 1, max: 4}", (1, 2, 3, 4)),
        ("{type: integer, min: 3, max: 5, special_values: [-1]}", (-1, 3, 4, 5)),
        ("{type: number, min: 0, max: 1, step: 0.25}", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("{type: integer, min: 4, max: 16, step: 4}", (4, 8, 12, 16)),
        ("{type: number, min: 0, max: 1}", ()),
        ("{type: integer, min: 0, max: 100}", ()),
        ("{type: integer}", ()),
    ],
)
def test_form_offers_every_number_of_a_short_range(number: str, choices: tuple[float, ...]) -> None:
    """Few values are buttons, each a fitting answer; many are typed."""
    model = model_of(f"{{amount: {number}}}")
    asked = question(model, "amount")
    assert asked
    assert asked.choices == choices
    assert [check_answer(model, "amount", choice) for choice in choices] == [Accepted(choice) for choice in choices]


def test_form_never_leads_to_what_cannot_be_asked() -> None:
    """A switch that would demand an unanswerable list is not offered, a required one only as it goes on."""
    boxes = "{type: array, items: {type: array, items: integer}}"
    inputs = f"{{switch: {{type: boolean}}, must: {{type: boolean, required: true}}, boxes: {boxes}}}"
    model = model_of(
        inputs,
        "[{requires: {when: {switch: true}, inputs: [boxes]}}, {requires: {when: {must: true}, inputs: [boxes]}}]",
    )
    assert settings(model) == ()
    assert [one.choices for one in questions(model)] == [(False,)]


@pytest.mark.parametrize(
    ("field", "raw", "kept"),
    [
        ("steps", "10", 10),
        ("steps", -1, -1),
        ("weight", "0,15", 0.15),
        ("weight", 1, 1),
        ("mood", "7", 7),
        ("mood", "2.5", 2.5),
        ("length", "10", 10),
        ("voice", "some other voice", "some other voice"),
        ("picture", " https://x.example/a.png ", "https://x.example/a.png"),
        ("clips", ["http://x.example/a", "http://x.example/b"], ["http://x.example/a", "http://x.example/b"]),
        ("lines", [{"text": " hi ", "who": "me"}, {"text": "ho"}], [{"text": "hi", "who": "me"}, {"text": "ho"}]),
        ("boxes", [[1, 2, 3, 4]], [[1, 2, 3, 4]]),
        ("code", "ABC", "ABC"),
        ("tags", " rock \n\njazz", ["rock", "jazz"]),
        ("loud", "да", True),
        ("loud", "No", False),
    ],
)
def test_form_accepts(field: str, raw: Any, kept: Any) -> None:
    """An answer is kept with exactly the declared JSON type."""
    checked = check_answer(INVENTED, field, raw)
    assert checked == Accepted(kept)
    assert isinstance(checked, Accepted)
    assert type(checked.value) is type(kept)


@pytest.mark.parametrize(
    ("field", "raw", "kind", "where"),
    [
        ("steps", "ten", ProblemKind.WRONG_TYPE, "steps"),
        ("steps", 2.0, ProblemKind.WRONG_TYPE, "steps"),
        ("steps", True, ProblemKind.WRONG_TYPE, "steps"),
        ("steps", "9" * 5000, ProblemKind.WRONG_TYPE, "steps"),
        ("steps", 10**400, ProblemKind.OUT_OF_RANGE, "steps"),
        ("steps", 1, ProblemKind.OUT_OF_RANGE, "steps"),
        ("steps", -2, ProblemKind.OUT_OF_RANGE, "steps"),
        ("weight", 0.07, ProblemKind.OFF_STEP, "weight"),
        ("mood", float("nan"), ProblemKind.WRONG_TYPE, "mood"),
        ("mood", float("inf"), ProblemKind.WRONG_TYPE, "mood"),
        ("length", "7", ProblemKind.NOT_A_CHOICE, "length"),
        ("length", True, ProblemKind.WRONG_TYPE, "length"),
        ("voice", "x" * 201, ProblemKind.TOO_LONG, "voice"),
        ("voice", 7, ProblemKind.WRONG_TYPE, "voice"),
        ("picture", "file:///etc/passwd", ProblemKind.NOT_A_LINK, "picture"),
        ("picture", "https://", ProblemKind.NOT_A_LINK, "picture"),
        ("picture", "https://user:secret@x.example/", ProblemKind.NOT_A_LINK, "picture"),
        ("picture", "https://x.example/a b", ProblemKind.NOT_A_LINK, "picture"),
        ("picture", "https://x.example/" + "a" * 2048, ProblemKind.TOO_LONG, "picture"),
        ("picture", "", ProblemKind.EMPTY, "picture"),
        ("clips", "https://x.example/a", ProblemKind.WRONG_TYPE, "clips"),
        ("clips", [], ProblemKind.EMPTY, "clips"),
        ("clips", ["https://x.example/a"], ProblemKind.TOO_FEW, "clips"),
        ("clips", ["https://x.example/a"] * 4, ProblemKind.TOO_MANY, "clips"),
        ("clips", ["https://x.example/a", "b"], ProblemKind.NOT_A_LINK, "clips[1]"),
        ("lines", ["hi"], ProblemKind.WRONG_TYPE, "lines[0]"),
        ("lines", [{"who": "me"}], ProblemKind.MISSING, "lines[0].text"),
        ("lines", [{"text": "hi"}, {"text": "longer"}], ProblemKind.TOO_LONG, "lines[1].text"),
        ("lines", [{"text": "hi", "tone": "low"}], ProblemKind.UNKNOWN_FIELD, "lines[0].tone"),
        ("boxes", [[1, 2, 3]], ProblemKind.TOO_FEW, "boxes[0]"),
        ("boxes", [[1, 2, 3, "4"]], ProblemKind.WRONG_TYPE, "boxes[0][3]"),
        ("code", "ABCD", ProblemKind.BAD_FORM, "code"),
    ],
)
def test_form_rejects(field: str, raw: Any, kind: ProblemKind, where: str) -> None:
    """An answer that does not fit is refused for what is wrong with it, at the place where it is wrong."""
    checked = check_answer(INVENTED, field, raw)
    assert isinstance(checked, Rejected)
    assert (checked.problem.kind, checked.problem.field) == (kind, where)


def test_form_does_not_offer_what_is_discontinued() -> None:
    """A value that the provider still knows but no longer recommends is none of the choices."""
    music = default_shelf().get("ai-music-api/generate")
    asked = question(music, "model")
    assert asked
    assert "V5" not in asked.choices
    assert isinstance(check_answer(music, "model", "V5"), Rejected)


def test_form_fills_defaults_but_no_seed_and_no_file() -> None:
    """What nobody chose is sent with its default, but for what the provider is to choose, and for files."""
    checked = validate(INVENTED, {"prompt": "x", "clips": []})
    assert checked == Valid({"prompt": "x", "style": "ink", "checker": True})


def test_form_sends_the_providers_names() -> None:
    """An input travels under the provider's key, and what the model does not have never travels."""
    sent = payload(INVENTED, {"prompt": "x", "picture": "https://x.example", "model": "other"})
    assert sent == {"prompt": "x", "imageUrl": "https://x.example"}


FLAT = """
      a: {type: string}
      b: {type: string}
      c: {type: string}
      loud: {type: boolean}
      f: {type: array, items: url, media: image}
"""
TALK = "{talk: {type: array, items: object, fields: {text: {type: string}}}}"
URLS = ["https://x.example"] * 3


@pytest.mark.parametrize(
    ("rule", "inputs", "problem"),
    [
        ("any_of: [a, b]", {"c": "x"}, Problem(ProblemKind.NEED_ONE_OF, "a", fields=("a", "b"))),
        ("any_of: [a, b]", {"b": "x"}, None),
        ("exactly_one_of: [a, b]", {}, Problem(ProblemKind.NEED_ONE_OF, "a", fields=("a", "b"))),
        ("exactly_one_of: [a, b]", {"a": "x", "b": "x"}, Problem(ProblemKind.ONLY_ONE_OF, "a", fields=("a", "b"))),
        ("exactly_one_of: [a, b]", {"b": "x"}, None),
        ("exclusive: [[a, b], [c]]", {"b": "x", "c": "x"}, Problem(ProblemKind.NOT_TOGETHER, "b", fields=("c",))),
        ("exclusive: [[a, b], [c]]", {"a": "x", "b": "x"}, None),
        ("exclusive: [[a], [loud]]", {"a": "x", "loud": False}, None),
        (
            "requires: {when: {loud: true}, inputs: [a]}",
            {"loud": True},
            Problem(ProblemKind.NEEDED_HERE, "a", fields=("loud",)),
        ),
        ("requires: {when: {loud: true}, inputs: [a]}", {"loud": False}, None),
        ("requires_input: {a: [b]}", {"a": "x"}, Problem(ProblemKind.NEEDED_HERE, "b", fields=("a",))),
        ("requires_input: {a: [b]}", {"b": "x"}, None),
        (
            "forbid: {loud: true, f: present}",
            {"loud": True, "f": URLS},
            Problem(ProblemKind.NOT_TOGETHER, "loud", fields=("f",)),
        ),
        ("forbid: {loud: true, f: present}", {"loud": True}, None),
        ("only_when: {input: a, loud: true}", {"a": "x"}, Problem(ProblemKind.NOT_ALLOWED_HERE, "a", fields=("loud",))),
        ("only_when: {input: a, loud: true}", {"a": "x", "loud": True}, None),
        (
            "only_when: {input: a, f: absent}",
            {"a": "x", "f": URLS},
            Problem(ProblemKind.NOT_ALLOWED_HERE, "a", fields=("f",)),
        ),
        (
            "max_total_items: {inputs: [f], max: 2}",
            {"f": URLS},
            Problem(ProblemKind.TOO_MANY, "f", actual=3, maximum=2),
        ),
        ("max_total_items: {inputs: [f], max: 3}", {"f": URLS}, None),
        ("total_seconds: {f: 15}", {"f": URLS}, None),
    ],
)
def test_form_keeps_joint_rules(rule: str, inputs: dict[str, Any], problem: Problem | None) -> None:
    """A combination that the provider refuses is refused here, and its neighbour that is allowed is not."""
    checked = validate(model_of(FLAT, f"[{{{rule}}}]"), inputs)
    assert checked == (Invalid((problem,)) if problem else Valid(inputs))


def test_form_adds_up_characters() -> None:
    """All texts of a dialogue together have one limit."""
    model = model_of(TALK, "[{total_chars: {talk.text: 5}}]")
    assert isinstance(validate(model, {"talk": [{"text": "abc"}, {"text": "de"}]}), Valid)
    problem = Problem(ProblemKind.TOO_LONG, "talk", actual=6, maximum=5)
    assert validate(model, {"talk": [{"text": "abc"}, {"text": "def"}]}) == Invalid((problem,))


def test_form_asks_for_what_answers_make_necessary() -> None:
    """After the required inputs comes what a rule needs because of an answer."""
    model = model_of(FLAT, "[{requires: {when: {loud: true}, inputs: [b]}}]")
    asked = next_question(model, {"loud": True})
    assert asked
    assert asked.field == "b"
    assert next_question(model, {"loud": True, "b": "x"}) is None
    assert next_question(model, {}) is None


def test_form_leaves_out_a_default_that_would_not_be_allowed() -> None:
    """A default that excludes what the customer chose is not sent, in whichever order the inputs stand."""
    inputs = "{a: {type: string, default: x}, big: {type: boolean, suggested: true}, c: {type: string}}"
    assert validate(model_of(inputs, "[{exclusive: [[a], [c]]}]"), {"c": "y"}) == Valid({"big": True, "c": "y"})
    only = model_of(inputs, "[{only_when: {input: a, big: true}}]")
    assert validate(only, {}) == Valid({"a": "x", "big": True})
    assert validate(only, {"big": False}) == Valid({"big": False})


def test_form_judges_defaults_that_hold_anyway() -> None:
    """A default that the provider would apply by itself counts in a forbidden combination."""
    inputs = "{size: {type: enum, values: [small, big], default: big}, clear: {type: boolean}}"
    checked = validate(model_of(inputs, "[{forbid: {size: big, clear: true}}]"), {"clear": True})
    assert checked == Invalid((Problem(ProblemKind.NOT_TOGETHER, "size", fields=("clear",)),))
