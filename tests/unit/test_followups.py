"""Which follow-ups a result has, over the whole catalog: by what its entries say, and by nothing else."""

from collections.abc import Mapping
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from kiosk.catalog.answer import Accepted, ProblemKind, check
from kiosk.catalog.askable import is_askable
from kiosk.catalog.followup import EarlierTask, by_file, by_task, by_text, file_of, told_of
from kiosk.catalog.form import questions, settings
from kiosk.catalog.lowest import cheapest, lowest_price
from kiosk.catalog.model import AnyOf, ExactlyOneOf, MediaType, Model
from kiosk.catalog.quote import Quote, Rates, quote
from kiosk.catalog.reference import Reference, ResultReference, read_result_reference
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.delivery.plan import Media
from kiosk.generations.draft import with_caption
from kiosk.generations.follow import Subject, leads_on, offer, offers, referred
from kiosk.media.fit import MIB, Facts

SHELF = default_shelf()
RATES = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
WRITTEN: dict[str, dict[str, Any]] = {
    entry["id"]: entry
    for entry in yaml.load(
        files("kiosk.catalog").joinpath("models.yaml").read_text(encoding="utf-8"),
        yaml.CSafeLoader,
    )["models"]
}
RESULT = ResultReference(17, 1)
FILE = Reference(5, 7)
PICTURE = Facts(MediaType.IMAGE, "png", "image/png", MIB)
CLIP = Facts(MediaType.VIDEO, "mp4", "video/mp4", MIB, seconds=7)
SOUND = Facts(MediaType.AUDIO, "mp3", "audio/mpeg", MIB, seconds=7)


def named_by(entry: Mapping[str, Any]) -> set[str]:
    """The models whose tasks an entry of the file says it goes on from."""
    refs = [spec["task_ref"] for spec in entry["inputs"].values() if "task_ref" in spec]
    return {model for ref in refs for model in ref["models"]}


FOLLOWERS = sorted(model_id for model_id, entry in WRITTEN.items() if named_by(entry))


def a_task(model: Model, **inputs: Any) -> EarlierTask:
    return EarlierTask(model.id, RESULT, told_of(model, inputs), has_track=True)


@pytest.mark.parametrize("follower", FOLLOWERS)
def test_follow_up_is_offered_under_what_its_entry_names_and_nowhere_else(follower: str) -> None:
    """Every model's task is tried: handed over are those of the named ones, if the model can be sold at all."""
    model = SHELF.get(follower)
    takers = {one.id for one in SHELF.models if by_task(model, a_task(one)) is not None}
    assert takers <= named_by(WRITTEN[follower])
    if SHELF.follows(model):
        assert takers == named_by(WRITTEN[follower])


def test_what_is_sold_as_a_follow_up() -> None:
    """Those that have a price and are offered; the ones that need an earlier task are on no shelf."""
    follow_ups = {model.id for model in SHELF.follow_ups()}
    only = {model.id for model in SHELF.follow_ups() if SHELF.why_not_sold(model)}
    assert len(FOLLOWERS) == 22
    assert only == {
        "grok-imagine-image-2-0/segment-edit",
        "grok-imagine/extend",
        "grok-imagine/upscale",
        "veo/extend",
        "veo/get-1080p-video",
        "veo/get-4k-video",
        "ai-music-api/convert-to-wav-format",
        "ai-music-api/create-music-video",
        "ai-music-api/extend",
        "ai-music-api/timeStamped-lyrics",
    }
    assert follow_ups - only == {
        "grok-imagine/image-to-video",
        "pixverse-v6/extend",
        "ai-music-api/replace-section",
        "ai-music-api/separate-vocals",
    }
    assert not only & {model.id for model in SHELF.sellable()}


@pytest.mark.parametrize("facts", [PICTURE, CLIP, SOUND], ids=lambda facts: facts.media)
def test_what_is_offered_takes_the_file(facts: Facts) -> None:
    """Every model that is offered for a file has an input that it fits, alone or as the first of several."""
    found = offers(SHELF, Subject(file=FILE, facts=facts))
    assert len(found) >= 3
    for one in found:
        ((name, value),) = one.given.items()
        item = one.model.find(name)
        assert item
        assert item.required or item.name in alternatives(one.model)
        checked = check(item.kind, value, name)
        assert isinstance(checked, Accepted) or checked.problem.kind is ProblemKind.TOO_FEW
        wanted = file_of(item)
        assert wanted
        assert wanted.media is facts.media
        assert SHELF.why_not_sold(one.model) is None


def alternatives(model: Model) -> set[str]:
    return {field for rule in model.rules if isinstance(rule, AnyOf | ExactlyOneOf) for field in rule.fields}


@pytest.mark.parametrize("follower", [model.id for model in SHELF.follow_ups()])
def test_what_is_offered_takes_the_task(follower: str) -> None:
    """For each task that is named: what is filled fits, and there is a price beside it."""
    model = SHELF.get(follower)
    for earlier in named_by(WRITTEN[follower]):
        found = offer(SHELF, model, Subject(task=a_task(SHELF.get(earlier))))
        assert found
        for name, value in found.given.items():
            item = model.find(name)
            assert item
            assert isinstance(check(item.kind, value, name), Accepted)
        assert lowest_price(model, RATES, found.given, earlier=found.earlier)


@pytest.mark.parametrize("follower", FOLLOWERS)
def test_references_are_never_asked_for_nor_shown_as_answers(follower: str) -> None:
    """No customer is asked for an id; what is filled by an earlier task is neither question nor setting."""
    model = SHELF.get(follower)
    referring = {item.name for item in model.inputs if item.task_ref}
    assert referring
    assert not referring & {one.field for one in (*questions(model), *settings(model))}
    assert not any(is_askable(model, item) for item in model.inputs if item.task_ref)


def test_both_ids_of_a_track_are_filled() -> None:
    """Suno's task and the track in it; without a track's id only what needs none is offered."""
    song, wav = SHELF.get("ai-music-api/generate"), SHELF.get("ai-music-api/convert-to-wav-format")
    assert by_task(wav, a_task(song)) == {"task_id": "task:17:1", "audio_id": "task:17:1"}
    silent = EarlierTask(song.id, RESULT, {}, has_track=False)
    assert by_task(wav, silent) is None
    assert by_task(SHELF.get("ai-music-api/separate-vocals"), silent) is None


def test_number_of_the_file_goes_along_while_it_fits() -> None:
    """Which picture of several is animated; the seventh is beyond what the model takes, so its file is sent instead."""
    model, earlier = SHELF.get("grok-imagine/image-to-video"), SHELF.get("grok-imagine/text-to-image")
    assert by_task(model, a_task(earlier)) == {"task_id": "task:17:1", "index": 1}
    seventh = EarlierTask(earlier.id, ResultReference(17, 6), {})
    assert by_task(model, seventh) is None
    found = offer(SHELF, model, Subject(seventh, FILE, PICTURE))
    assert found
    assert (found.given, found.earlier) == ({"image_urls": ["media:5:7"]}, None)


@pytest.mark.parametrize(("resolution", "offered"), [("720p", True), ("1080p", False), ("4k", False)])
def test_earlier_task_must_be_as_the_entry_says(resolution: str, offered: bool) -> None:
    """A Veo clip of another resolution cannot be extended."""
    clip = a_task(SHELF.get("veo-3-1"), prompt="x", resolution=resolution)
    assert (by_task(SHELF.get("veo/extend"), clip) is not None) is offered


@pytest.mark.parametrize(("tier", "taken"), [("veo3_lite", 30), ("veo3_fast", 60), ("veo3", 250)])
def test_price_follows_the_earlier_task(tier: str, taken: int) -> None:
    """The same inputs cost what the extended clip's tier costs."""
    told = told_of(SHELF.get("veo-3-1"), {"prompt": "x", "model": tier})
    priced = quote(SHELF.get("veo/extend"), {"prompt": "y", "task_id": "task:1:0"}, RATES, earlier=told)
    assert isinstance(priced, Quote)
    assert priced.credits == taken


def test_settings_without_a_price_give_way_to_the_cheapest() -> None:
    """A 480p clip is not made 720p: 1080p is what there is."""
    model, told = SHELF.get("grok-imagine/upscale"), {"resolution": "480p"}
    given = {"task_id": "task:1:0"}
    assert not isinstance(quote(model, given, RATES, earlier=told), Quote)
    assert cheapest(model, RATES, given, earlier=told) == (3000, {"resolution": "1080p"})
    assert by_task(model, EarlierTask("grok-imagine/text-to-video", RESULT, {"resolution": "1080p"})) is None


def test_file_that_does_not_fit_is_not_offered() -> None:
    """Too big, of another format, of no known length: models that mind are not offered."""
    model = SHELF.get("grok-imagine/image-to-video")
    for facts in (Facts(MediaType.IMAGE, "png", "image/png", 11 * MIB), Facts(MediaType.IMAGE, "gif", "image/gif", 1)):
        assert offer(SHELF, model, Subject(file=FILE, facts=facts)) is None
    lips = SHELF.get("volcengine/video-to-video-lip-sync")
    assert offer(SHELF, lips, Subject(file=FILE, facts=CLIP))
    untimed = Facts(MediaType.VIDEO, "mp4", "video/mp4", MIB)
    assert offer(SHELF, lips, Subject(file=Reference(5), facts=untimed)) is None


def test_words_begin_what_begins_with_words() -> None:
    """Lyrics can be read aloud; a text that is longer than a model takes is not offered to it."""
    speech = next(model for model in SHELF.sellable() if model.type == "text_to_speech" and by_text(model, "привет"))
    assert offer(SHELF, speech, Subject(text="привет")) is not None
    assert by_text(speech, "x" * 400_000) is None
    assert by_text(SHELF.get("recraft/remove-background"), "x") is None


@pytest.mark.parametrize("model", SHELF.models, ids=lambda model: model.id)
def test_button_stands_where_something_follows(model: Model) -> None:
    """Whatever has an offer has the button."""
    facts = {Output.IMAGE: PICTURE, Output.VIDEO: CLIP, Output.AUDIO: SOUND}.get(model.output)
    subject = Subject(a_task(model), FILE, facts) if facts else Subject(a_task(model), text="привет")
    if offers(SHELF, subject):
        assert leads_on(SHELF, model.id, Media(model.output), "привет")


def test_nothing_follows_where_one_model_is_sold() -> None:
    """A shop with a single offer has no button that leads nowhere."""
    single = SHELF.single("z-image")
    assert not leads_on(single, "z-image", Media.IMAGE)
    assert offers(single, Subject(a_task(SHELF.get("veo-3-1")), FILE, CLIP)) == ()


@given(st.integers(1, 10**17), st.integers(0, 999))
def test_reference_is_read_back(generation: int, number: int) -> None:
    """Whatever is written is read, and a file's name is none."""
    written = ResultReference(generation, number)
    assert read_result_reference(str(written)) == written
    assert read_result_reference(f"media:{generation}:{number}") is None


def test_words_of_a_customer_are_no_reference() -> None:
    """A prompt that looks like one stays a prompt: only what the catalog says refers to a task does."""
    model = SHELF.get("veo/extend")
    found = list(referred(model, {"prompt": "task:1:0", "task_id": "task:2:0"}))
    assert [(one.item.name, one.result.generation_id) for one in found] == [("task_id", 2)]
    assert by_file(model, MediaType.IMAGE) is None


def test_caption_is_the_answer_to_the_text_asked_next() -> None:
    """Words with a file fill the text that would be asked, only if it is a text, and only if they fit."""
    asks_next = SHELF.get("recraft/remove-background")
    assert with_caption(asks_next, {"image": "media:1"}, "слова") == {"image": "media:1"}
    kling = SHELF.get("kling/v2-1-standard")
    assert with_caption(kling, {"image_url": "media:1"}, "кот") == {"image_url": "media:1", "prompt": "кот"}
    assert with_caption(kling, {"image_url": "media:1"}, "x" * 100_000) == {"image_url": "media:1"}
    assert with_caption(SHELF.get("ai-music-api/convert-to-wav-format"), {}, "0" * 32) == {}
