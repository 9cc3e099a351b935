"""What customers see, word by word, in both languages; and what they never see."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from kiosk.bot import aisles, asking, cards, labels, onward, screens
from kiosk.bot.buttons import LIMIT_BYTES, Answer, Ask, Cancel, Show, choice_mark, pack
from kiosk.bot.keyboard import markup
from kiosk.bot.listing import PAGE_OBJECTS
from kiosk.bot.onward import Place
from kiosk.bot.problems import problem, unpriced
from kiosk.bot.screens import Screen
from kiosk.bot.ways import PAGE_CHOICES
from kiosk.bot.words import LANGUAGES, Language, Words, words
from kiosk.catalog.form import Problem, ProblemKind, question
from kiosk.catalog.model import Model
from kiosk.catalog.quote import Unpriced, UnpricedReason
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import ModelType
from kiosk.delivery.messenger import Standing
from kiosk.generations.gate import Why
from kiosk.generations.states import Failure, State
from kiosk.generations.store import Generation
from kiosk.generations.usher import standing
from kiosk.ledger.store import Wallet
from kiosk.operators.alerts import VALUES_OF, Alert, Kind, Raised
from tests.answers import an_object
from tests.values import MOMENT, PRICE, PROMPT, a_generation

# Set it to write the golden files anew; then read what changed.
REWRITE = "KIOSK_REWRITE_SCREENS"
GOLDEN = Path(__file__).parent / "golden"
TEXT_LIMIT, CAPTION_LIMIT, BUTTON_LIMIT = 4096, 1024, 100  # Bot API: sendMessage, captions, a keyboard's buttons
MOST_KOPECKS = 10**12
LONGEST_ID = 10**18 - 1  # as a button can carry it

Z_IMAGE = default_shelf().get("z-image")
RICHEST = default_shelf().get("wan/2-7-text-to-video")
WAV = default_shelf().get("ai-music-api/convert-to-wav-format")
FROM_A_TRACK = {"task_id": "task:7:1", "audio_id": "task:7:1"}
TUNED = {"duration": 10, "negative_prompt": "дождь", "prompt_extend": False}
RICH, POOR = Wallet(10_000, PRICE), Wallet(PRICE - 30, 0)
URL = "https://files.example/1.png?a=1&b=2"
NASTY = 'кот <b>&" <script>'
NASTY_ESCAPED = 'кот &lt;b&gt;&amp;" &lt;script&gt;'


def all_screens(
    say: Words, prompt: str = PROMPT["prompt"], name: str = "Анна", model: Model = Z_IMAGE
) -> dict[str, Screen]:
    """Every screen of the shop, with this prompt, customer and model in it."""
    inputs = {**PROMPT, "prompt": prompt}
    draft = a_generation(inputs=inputs)
    other = replace(model, id="other", name="Other <Model>")
    ask_prompt, ask_ratio = question(model, "prompt"), question(model, "aspect_ratio")
    assert ask_prompt
    assert ask_ratio
    begun = a_generation(inputs={"prompt": prompt})
    tuned = a_generation(inputs={**TUNED, "prompt": prompt}, model_id=RICHEST.id)
    asked_quality, asked_negative = question(RICHEST, "resolution"), question(RICHEST, "negative_prompt")
    assert asked_quality
    assert asked_negative
    return {
        "home with one offer": aisles.home(say, name, RICH, [(ModelType.TEXT_TO_IMAGE, [model])]),
        "home with a shelf": aisles.home(
            say, name, RICH, [(ModelType.TEXT_TO_IMAGE, [model, other]), (ModelType.IMAGE_TO_VIDEO, [other])]
        ),
        "aisle": aisles.aisle(say, ModelType.TEXT_TO_IMAGE, [(model, PRICE), (other, None)], 0, 2),
        "aisle, second page of three": aisles.aisle(say, ModelType.TEXT_TO_IMAGE, [(model, PRICE)], 1, 20),
        "home with no offer": aisles.home(say, name, RICH, []),
        "balance": screens.balance(say, RICH, ""),
        "balance with support": screens.balance(say, RICH, "kiosk_help"),
        "help": screens.help_(say, ""),
        "help with support": screens.help_(say, "kiosk_help"),
        "not sold": screens.plain(say, "not-sold"),
        "nothing to cancel": screens.plain(say, "nothing-to-cancel"),
        "question: prompt": asking.question(say, model, a_generation(inputs={}), ask_prompt),
        "question: ratio": asking.question(say, model, begun, ask_ratio),
        "question: prompt, again": asking.question(say, model, draft, ask_prompt),
        "card": cards.card(say, model, draft, RICH),
        "card without money": cards.card(say, model, draft, POOR),
        "card without price": cards.stuck(say, model, draft, say("unpriced-other")),
        "settings": asking.tune(say, RICHEST, tuned),
        "question: prices": asking.question(say, RICHEST, tuned, asked_quality, prices=(80, 1250, None, 100_000)),
        "question: setting": asking.question(say, RICHEST, tuned, asked_negative),
        "edit": asking.edit(say, model, draft),
        "status": screens.status(say, model, standing(draft)),
        "status of a model off the catalog": screens.status(say, None, standing(draft)),
        **{
            f"in line: {place}, {why}": screens.status(say, model, in_line(draft, place, why))
            for place, why in ((1, Why.BUSY), (2, Why.BUSY), (4, Why.TROUBLE), (1006, Why.PAUSED))
        },
        "done": screens.done(say, model.name, 7, PRICE, late=False),
        "done with less than there is": screens.done(say, model.name, 7, PRICE, late=False, compressed=True),
        "done with more to come": screens.done(say, model.name, 7, PRICE, late=False, compressed=True, leads_on=True),
        "which file": onward.which(say, 7, (0, 1, 2, 3, 4)),
        **{
            f"what next: {what}": onward.kinds(say, place, kinds, file_gone=gone)
            for what, place, kinds, gone in (
                ("a result", Place(7, 1), (ModelType.UPSCALE, ModelType.IMAGE_TO_VIDEO), False),
                ("a file", Place(0, 9), (ModelType.UPSCALE,), False),
                ("only its task", Place(7, 0), (ModelType.VIDEO_EXTEND,), True),
                ("gone", Place(7, 0), (), True),
                ("nothing", Place(7, 0), (), False),
            )
        },
        "follow-ups": onward.offers(say, Place(7, 1), ModelType.UPSCALE, [(model, PRICE), (other, None)], 0, 2),
        "follow-ups, second page of three": onward.offers(say, Place(0, 9), ModelType.UPSCALE, [(model, PRICE)], 1, 20),
        "card of a follow-up": cards.card(say, WAV, a_generation(inputs=FROM_A_TRACK, model_id=WAV.id), RICH),
        "card whose source is gone": screens.headed(cards.card(say, model, draft, RICH), say("card-source-gone")),
        "source gone": screens.plain(say, "onward-gone"),
        "done late": screens.done(say, model.name, 7, PRICE, late=True),
        "done with a link": screens.followed(
            screens.done(say, model.name, 7, PRICE, late=False), screens.link(say, URL).text
        ),
        "further link": screens.link(say, URL),
        "canceled draft": screens.canceled(say),
        "canceled order": screens.canceled(say, PRICE),
        **{f"failed: {failure}": screens.failed(say, failure.value, 7, PRICE) for failure in Failure},
        **{f"alert: {kind}": screens.alert(say, an_alert(kind, model.name)) for kind in Kind},
        **{f"problem: {kind}": Screen(problem(say, model, a_problem(kind))) for kind in ProblemKind},
        **{f"unpriced: {why}": Screen(unpriced(say, model, Unpriced(why, "prompt"))) for why in UnpricedReason},
    }


def an_alert(kind: Kind, said: str) -> Raised:
    """Raised thrice, once told, with this in every place."""
    return Raised(1, Alert(kind, values=dict.fromkeys(VALUES_OF[kind], said)), 3, 1, MOMENT, MOMENT, ())


def in_line(order: Generation, place: int, why: Why) -> Standing:
    """An order that was told its place."""
    return standing(replace(order, state=State.PENDING, place_told=place, wait_told=why.value))


def a_problem(kind: ProblemKind) -> Problem:
    """With everything that any kind of problem may carry."""
    return Problem(
        kind, "prompt", actual=1234567, minimum=1, maximum=1_000_000, step=8, choices=("1:1",), fields=("aspect_ratio",)
    )


def shown(screen: Screen) -> str:
    """A screen as it stands in a golden file."""
    rows = (" ".join(f"[{button.text} | {pack(button.press)}]" for button in row) for row in screen.rows)
    return "\n".join((screen.text, *rows))


def golden(language: str) -> Mapping[str, str]:
    """The golden file: `=== name` before each screen."""
    parts = (GOLDEN / f"screens.{language}.txt").read_text(encoding="utf-8").split("\n\n=== ")
    return dict(part.removeprefix("=== ").rstrip("\n").split(" ===\n", 1) for part in parts)


@pytest.mark.parametrize("language", LANGUAGES)
def test_screens_say_exactly_this(language: Language) -> None:
    """Every text and button of every screen, as somebody has read them."""
    rendered = {name: shown(screen) for name, screen in all_screens(words(language)).items()}
    if os.environ.get(REWRITE):
        text = "\n\n".join(f"=== {name} ===\n{screen}" for name, screen in rendered.items())
        (GOLDEN / f"screens.{language}.txt").write_text(f"{text}\n", encoding="utf-8")
    assert golden(language) == rendered


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_screen_names_the_provider(language: Language) -> None:
    """Where the shop buys is nobody's business."""
    assert [name for name, screen in all_screens(words(language)).items() if "kie" in shown(screen).lower()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_customers_write_is_never_markup(language: Language) -> None:
    """A prompt, a name and a model's name are shown as they are, wherever they are shown."""
    say = words(language)
    drawn = all_screens(say, prompt=NASTY, name=NASTY, model=replace(Z_IMAGE, name=NASTY))
    with_it = {name for name, screen in drawn.items() if NASTY_ESCAPED in screen.text}
    assert {"home with one offer", "card", "card without money", "status", "question: ratio", "done"} <= with_it
    for screen in drawn.values():
        for tag in ("<script>", "кот <b>", '&"'):
            assert tag not in screen.text.replace("&amp;", "")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("character", ["<", "&", "ы", "😀", "\n", '"'])
def test_no_screen_outgrows_a_message(language: Language, character: str) -> None:
    """With the longest prompt and names that there can be, even before Telegram takes the escapes out."""
    longest = max(default_shelf().models, key=lambda model: len(model.name)).name
    drawn = all_screens(words(language), character * 1000, character * 128, replace(Z_IMAGE, name=longest))
    for name, screen in drawn.items():
        limit = CAPTION_LIMIT if name in {"done", "done late"} else TEXT_LIMIT
        assert len(screen.text.encode("utf-16-le")) // 2 <= limit, name


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_keyboard_fits_telegram(language: Language) -> None:
    """Labels are not empty, data is small enough, and a full shelf has no more buttons than are taken."""
    say = words(language)
    full = [(kind, list(default_shelf().models)) for kind in ModelType]
    for screen in (*all_screens(say).values(), aisles.home(say, "Анна", RICH, full)):
        check_keyboard(screen)


def check_keyboard(screen: Screen) -> None:
    keyboard = markup(screen)
    buttons = [button for row in keyboard.inline_keyboard for button in row] if keyboard else []
    assert len(buttons) <= BUTTON_LIMIT
    assert all(
        button.text.strip() and 0 < len((button.callback_data or "").encode()) <= LIMIT_BYTES for button in buttons
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_all_models_can_be_asked_about(language: Language) -> None:
    """Every question of every model has screens, whether it is sold yet or not, and each fits Telegram."""
    say = words(language)
    for model in default_shelf().models:
        for inputs in ({}, full_lists(model)):
            draft = a_generation(id=LONGEST_ID, model_id=model.id, inputs=inputs, price_kopecks=MOST_KOPECKS)
            for screen in (*questions_of(say, model, draft), *others_of(say, model, draft)):
                assert len(screen.text) <= TEXT_LIMIT
                check_keyboard(screen)


def full_lists(model: Model) -> dict[str, object]:
    """Every list of objects as long as it may be, with the longest words in it."""
    lists = [one for item in model.inputs if (one := question(model, item.name)) and one.parts]
    return {one.field: [an_object(one, last=True)] * int(one.maximum or 1) for one in lists}


def questions_of(say: Words, model: Model, draft: Generation) -> Iterator[Screen]:
    """Each input, each page of its choices or objects, an object in the middle and at the end, and their parts."""
    for item in model.inputs:
        asked = question(model, item.name)
        assert asked
        count = len(draft.inputs.get(item.name, ()))
        inside = [f"{item.name}[{place}]" for place in {0, max(count - 1, 0)}] if asked.parts and count else []
        paths = [item.name, *inside, *(f"{path}.{part.field}" for path in inside for part in asked.parts)]
        for one in (found for path in paths if (found := question(model, path))):
            prices = (MOST_KOPECKS,) * len(one.choices)
            for page in range(max(len(one.choices) // PAGE_CHOICES, count // PAGE_OBJECTS if one.parts else 0) + 1):
                yield asking.question(say, model, draft, one, prices=prices, page=page)


def others_of(say: Words, model: Model, draft: Generation) -> Iterator[Screen]:
    yield asking.tune(say, model, draft)
    yield asking.edit(say, model, draft)
    yield cards.card(say, model, draft, RICH)
    yield cards.stuck(say, model, draft, say("unpriced-other"))
    yield aisles.aisle(say, model.type, [(model, MOST_KOPECKS)], 1, 30)


def test_first_question_leads_back_to_nothing_but_out() -> None:
    """The way back is the question before, at the first there is only "cancel", and from a change it is the card."""
    drawn = all_screens(words("ru"))

    def ways(name: str) -> list[object]:
        return [button.press for button in drawn[name].rows[-1]]

    assert ways("question: prompt") == [Cancel(7)]
    assert ways("question: ratio") == [Ask(7, 0), Cancel(7)]
    assert ways("question: prompt, again") == [Show(7), Cancel(7)]


def picked(choice: int, ratio: str) -> Answer:
    return Answer(7, 1, choice, choice_mark("aspect_ratio", ratio))


def test_choices_are_numbered_as_the_catalog_lists_them() -> None:
    """The third ratio's button says: input 1, choice 2."""
    rows = all_screens(words("ru"))["question: ratio"].rows
    assert [[button.press for button in row] for row in rows[:2]] == [
        [picked(0, "1:1"), picked(1, "4:3"), picked(2, "3:4")],
        [picked(3, "16:9"), picked(4, "9:16")],
    ]


@pytest.mark.parametrize(
    ("value", "said"), [(1_000_000, "1000000"), (2**53 - 1, "9007199254740991"), (0.5, "0.5"), (1.0, "1"), (None, "")]
)
def test_limits_are_written_out(value: float | None, said: str) -> None:
    """Nobody is told that up to 1e+06 characters are possible."""
    assert labels.count(value) == said


def test_long_answer_is_shortened_on_the_card() -> None:
    """The order keeps it all; the card shows so much that it stays one message."""
    text = all_screens(words("ru"), prompt="я" * 1000)["card"].text
    assert f"{'я' * labels.SUMMARY_CHARS}…" in text
    assert "я" * (labels.SUMMARY_CHARS + 1) not in text


def test_every_state_of_begun_orders_has_a_screen() -> None:
    """A press in any state is answered: the desk's table of begun states is the schema's."""
    assert set(get_args(Language)) == set(LANGUAGES)
    for state in (State.PENDING, State.SUBMITTING, State.RUNNING):
        assert screens.status(words("ru"), Z_IMAGE, standing(a_generation(state=state))).rows == ()
