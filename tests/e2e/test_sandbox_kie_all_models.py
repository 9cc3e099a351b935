"""Every model of the provider's stand-in over HTTP: what fits is taken at its price, what contradicts itself is not."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import Any

import aiohttp

from kiosk.catalog.form import Accepted, Valid, check_answer, next_question, payload, validate
from kiosk.catalog.objects import resolve
from kiosk.catalog.path import put, read_path
from kiosk.catalog.quote import Quote, quote
from kiosk.catalog.shelf import default_shelf
from kiosk.kie.results import read_result
from sandbox.kie import joint
from sandbox.kie.rules import Field, ModelRule, check, rules, with_defaults
from sandbox.media import MediaOrder, make
from tests.kie_stand_in import Visitor, running_kie
from tests.unit.test_catalog_models import PLAIN_RATES, simplest

SHELF = default_shelf()
FAST: dict[str, Any] = {"time_scale": 0.0, "create_limit": None, "poll_limit_per_s": None, "credits": 1e6}
CALLBACK = "http://127.0.0.1:9/nobody"
TASK_RULES = [(rule, one) for rule in rules().values() for one in rule.joint if "max_seconds" not in one]


def asked(model_id: str) -> dict[str, Any]:
    """The input that a customer ends with who gives every question its simplest answer."""
    model = SHELF.get(model_id)
    inputs: dict[str, Any] = {}
    while question := next_question(model, inputs):
        item = resolve(model, question.field)
        assert item
        answered = check_answer(model, item.name, simplest(item.kind))
        assert isinstance(answered, Accepted)
        inputs = put(inputs, read_path(item.name), answered.value)
    checked = validate(model, inputs)
    assert isinstance(checked, Valid)
    return dict(payload(model, checked.inputs))


class Buyer:
    """Creates tasks with whatever earlier tasks they need."""

    def __init__(self, kie: Visitor) -> None:
        self._kie = kie
        self.ended: dict[str, dict[str, Any]] = {}

    async def input_of(self, model: str) -> dict[str, Any]:
        given = asked(model)
        for field in rules()[model].inputs:
            if field.task_ref and field.name in given and field.ref_of != "file":
                given[field.name] = await self.earlier(field)
        return given

    async def earlier(self, field: Field) -> str:
        """The id of a task, or of a song, that fits a reference."""
        fitting = [name for name in rules() if fnmatchcase(name, field.task_ref[0])]
        record = await self.bought(
            min(fitting, key=lambda name: sum(bool(one.task_ref) for one in rules()[name].inputs))
        )
        if field.ref_of == "audio":
            songs = (await self._kie.ended(record["taskId"]))["resultJson"]
            return str(songs.split('"id":"')[1].partition('"')[0])
        return str(record["taskId"])

    async def bought(self, model: str) -> dict[str, Any]:
        if model not in self.ended:
            self.ended[model] = await self._kie.ended(await self.create(model, await self.input_of(model)))
        return self.ended[model]

    async def create(self, model: str, given: Mapping[str, Any]) -> str:
        return await self._kie.created({"model": model, "callBackUrl": CALLBACK, "input": given})


async def test_every_model_makes_what_its_simplest_input_asks_for() -> None:
    """All 188 take the shop's own input, take no more credits than the shop reckons, and give a readable result."""
    async with running_kie(**FAST) as kie:
        buyer = Buyer(kie)
        for model in rules():
            record = await buyer.bought(model)
            assert record["state"] == "success", record["failMsg"]
            assert read_result(record).usable, model
            priced = quote(SHELF.get(model), asked(model), PLAIN_RATES)
            if isinstance(priced, Quote):
                taken = Decimal(str(kie.kie.provider.desk.tasks[record["taskId"]].credits))
                assert 0 < taken <= priced.credits, model
        assert len(buyer.ended) == 188


def plausible(field: Field) -> Any:
    """A value that fits a field alone."""
    if field.enum:
        return field.enum[0]
    if field.type == "array":
        item = dict.fromkeys(field.item_keys, "x") if field.items == "object" else "https://files.example/a"
        return [item] * max(field.min_items, 1)
    plain = {"boolean": True, "integer": field.min or 1, "number": field.min or 1, "url": "https://files.example/a"}
    return plain.get(field.type, "x" * max(field.min_length, 3))


def set_to(rule: ModelRule, given: dict[str, Any], when: Mapping[str, Any]) -> None:
    """Make conditions hold."""
    fields = {field.name: field for field in rule.inputs}
    for name, wanted in when.items():
        if wanted == "absent":
            given.pop(name, None)
        else:
            given[name] = (
                plausible(fields[name])
                if wanted == "present"
                else ([*wanted] if isinstance(wanted, list) else [wanted])[0]
            )


def use(rule: ModelRule, given: dict[str, Any], *names: str) -> None:
    set_to(rule, given, dict.fromkeys(names, "present"))


def broken_once(rule: ModelRule, one: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Inputs that break this joint rule."""
    given = asked(rule.id)
    match next(iter(one)):
        case "any_of":
            yield {name: value for name, value in given.items() if name not in one["any_of"]}
        case "exactly_one_of":
            yield {name: value for name, value in given.items() if name not in one["exactly_one_of"]}
            use(rule, given, *one["exactly_one_of"])
            yield given
        case "exclusive":
            use(rule, given, *(group[0] for group in one["exclusive"]))
            yield given
        case "forbid":
            set_to(rule, given, one["forbid"])
            yield given
        case "requires":
            set_to(rule, given, one["when"])
            yield {name: value for name, value in given.items() if name != one["requires"][0]}
        case "only":
            use(rule, given, one["only"])
            fields = {field.name: field for field in rule.inputs}
            name, wanted = next(iter(one["when"].items()))
            given[name] = (
                (not wanted) if isinstance(wanted, bool) else next(v for v in fields[name].enum or () if v != wanted)
            )
            yield given
        case "together" if "max_items" in one:
            most = {field.name: field.max_items or 9 for field in rule.inputs}
            set_to(rule, given, one.get("when", {}))
            yield given | {name: ["https://files.example/a"] * most[name] for name in one["together"]}
        case "together":
            field, _, key = one["together"][0].partition(".")
            yield given | {field: [item | {key: "x" * (one["max_chars"] - 1)} for item in given[field] * 2]}
        case other:
            raise AssertionError(other)


async def test_every_joint_rule_is_held() -> None:
    """Each broken one is a 422 that makes no task; and what the shop makes of the same input is not refused."""
    async with running_kie(**FAST) as kie:
        for rule, one in TASK_RULES:
            if rule.accepts_anything:
                continue
            for given in broken_once(rule, one):
                assert joint.broken((one,), given, with_defaults(rule, given)), (rule.id, one)
                answer = await kie.create({"model": rule.id, "callBackUrl": CALLBACK, "input": given})
                assert (answer["code"], answer["data"]) == (422, None), (rule.id, one, answer)
                assert check(rule, given, 500) is not None
                mended = validate(SHELF.get(rule.id), given)
                if isinstance(mended, Valid):  # the shop adds a default
                    assert check(rule, payload(SHELF.get(rule.id), mended.inputs), 500) is None, (rule.id, one)
        assert not kie.kie.provider.desk.tasks


async def test_references_want_a_task_of_the_right_model_that_succeeded() -> None:
    """A number that nobody knows, a task of another model and one that has not ended are refused."""
    async with running_kie(**FAST | {"time_scale": 1.0}) as kie:
        waiting = await kie.created({"model": "runway", "input": asked("runway")})
        other = (await kie.ended(await kie.created(fault="task_seconds")))["taskId"]
        given = asked("runway/extend-ai-video")
        refusals = [
            (await kie.create({"model": "runway/extend-ai-video", "input": given | {"task_id": task}}))["msg"]
            for task in ("0" * 32, other, waiting)
        ]
        assert refusals == ["Record does not exist", "Record does not exist", "record status is not success."]


async def test_references_within_a_task_are_its_own() -> None:
    """Another song's track, half of an id, a file that there is not, and a clip that cannot be extended are refused."""
    async with running_kie(**FAST) as kie:
        buyer = Buyer(kie)

        async def answer(model: str, **given: Any) -> str:
            told = await kie.create({"model": model, "callBackUrl": CALLBACK, "input": given})
            return str(told["msg"])

        songs = [
            await kie.ended(await buyer.create("ai-music-api/generate", asked("ai-music-api/generate")))
            for _ in range(2)
        ]
        tracks = [song["resultJson"].split('"id":"')[1].partition('"')[0] for song in songs]
        wav = "ai-music-api/convert-to-wav-format"
        assert await answer(wav, task_id=songs[0]["taskId"], audio_id=tracks[0]) == "success"
        assert await answer(wav, task_id=songs[0]["taskId"], audio_id=tracks[1]) == "Record does not exist"
        assert await answer(wav, task_id=songs[0]["taskId"], audio_id=tracks[0][:9]) == "Record does not exist"
        clip = (await buyer.bought("veo-3-1"))["taskId"]
        assert await answer("veo/get-4k-video", task_id=clip, index=0) == "success"
        assert await answer("veo/get-4k-video", task_id=clip, index=1) == "index is out of range"
        sharp = await kie.ended(await buyer.create("veo-3-1", asked("veo-3-1") | {"resolution": "1080p"}))
        refused = await answer("veo/extend", prompt="x", task_id=sharp["taskId"])
        assert refused == "the original task does not support this operation"


async def test_prices_follow_options_files_and_earlier_tasks() -> None:
    """Rows by option, seconds of an uploaded clip, items beyond the first, the tier of the task that is extended."""
    async with running_kie(**FAST) as kie:
        buyer = Buyer(kie)

        async def taken(model: str, **changes: Any) -> float:
            record = await kie.ended(await buyer.create(model, await buyer.input_of(model) | changes))
            return float(kie.kie.provider.desk.tasks[record["taskId"]].credits)

        clip = await uploaded(kie, make(MediaOrder("video", "x", duration_s=2)), "clip.mp4")
        assert await taken("nano-banana-2", resolution="4K") == 18
        assert await taken("minimax-h3/text-to-video", resolution="768P", duration=6) == 48
        assert await taken("volcengine/video-to-video-lip-sync", video_url=clip) == 16
        pictures = [f"https://files.example/{number}" for number in range(3)]
        assert await taken("seedream/5-pro-image-to-image", image_urls=pictures) - 1.0 == await taken(
            "seedream/5-pro-image-to-image", image_urls=pictures[:1]
        )
        veo = await kie.ended(await buyer.create("veo-3-1", asked("veo-3-1") | {"model": "veo3_lite"}))
        assert await taken("veo/extend", task_id=veo["taskId"]) == 30


async def uploaded(kie: Visitor, content: bytes, name: str) -> str:
    """The address of a file on the stand-in's own host."""
    form = aiohttp.FormData({"uploadPath": "tests"})
    form.add_field("file", content, filename=name)
    url = f"{kie.kie.upload_url}/api/file-stream-upload"
    async with kie.session.post(url, data=form, headers=kie.headers()) as answer:
        return str((await answer.json())["data"]["downloadUrl"])


async def test_tasks_fail_over_files_that_do_not_fit() -> None:
    """Another kind, another format, too long, not there: accepted like the real one does, failed without a charge."""
    async with running_kie(**FAST) as kie:
        balance = kie.kie.provider.account.balance
        picture = await uploaded(kie, make(MediaOrder("image", "x", extension="png")), "x.png")
        clip = await uploaded(kie, make(MediaOrder("video", "x", duration_s=2)), "x.mp4")
        model = "kling-3.0/motion-control"
        fitting = asked(model) | {"input_urls": [picture], "video_urls": [clip]}
        wrong = {
            "video_urls must be video": {"video_urls": [picture]},
            "video_urls must not be shorter than 3 seconds": {},
            "Failed to fetch the file": {"input_urls": [f"{picture}x"]},
        }
        for reason, changes in wrong.items():
            record = await kie.ended(
                await kie.created({"model": model, "callBackUrl": CALLBACK, "input": fitting | changes})
            )
            assert (record["state"], record["failMsg"]) == ("fail", reason)
        assert kie.kie.provider.account.balance == balance
