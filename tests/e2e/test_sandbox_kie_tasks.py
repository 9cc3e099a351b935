"""createTask, recordInfo and the account of the provider's stand-in, over real HTTP."""

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest

from tests.kie_stand_in import CAT, Z_IMAGE, running_kie

UNAUTHORIZED = (
    "Unauthorized – Authentication failed. Please check that your Authorization and Content-Type headers are "
    "correctly set."
)
NOT_SUPPORTED = (
    "The model name you specified is not supported. Please verify your input and use one of the supported models "
    "provided by KIE."
)
NO_CREDIT = "Credits insufficient : Your current balance isn't enough to run this request. Please top up to continue."
TOO_OFTEN = "Your call frequency is too high. Please try again later."
CAPPED = "The current number of points used by apiKey has exceeded the daily limit"


def refused(code: int, msg: str) -> dict[str, Any]:
    return {"code": code, "msg": msg, "data": None}


async def test_task_is_created_and_succeeds() -> None:
    """The reply has taskId and recordId of 32 hex digits; the record ends in success with one result address."""
    async with running_kie() as kie:
        reply = await kie.create()
        task_id = reply["data"]["taskId"]
        record = await kie.ended(task_id)
        assert reply == {"code": 200, "msg": "success", "data": {"taskId": task_id, "recordId": task_id}}
        assert re.fullmatch("[0-9a-f]{32}", task_id)
        assert (record["state"], record["model"]) == ("success", "z-image")
        assert len(json.loads(record["resultJson"])["resultUrls"]) == 1
        assert json.loads(json.loads(record["param"])["input"]) == CAT


async def test_task_is_known_at_once_and_waits() -> None:
    """recordInfo knows the task right after the reply; in its provider's time it has not ended."""
    async with running_kie(time_scale=1.0) as kie:
        record = (await kie.info(await kie.created()))["data"]
        assert (record["state"], record["resultJson"], record["completeTime"]) == ("waiting", "", None)


async def test_two_identical_creates_are_two_tasks() -> None:
    """There is no idempotency: the same body twice is two tasks, both paid."""
    async with running_kie(credits=10.0) as kie:
        ids = [await kie.created(), await kie.created()]
        for task_id in ids:
            await kie.ended(task_id)
        assert len(set(ids)) == 2
        assert (await kie.get("/api/v1/chat/credit"))[1]["data"] == 8.4


async def test_ids_follow_the_seed() -> None:
    """The same seed gives the same ids in order of creation, another seed others."""

    async def ids(seed: int) -> list[str]:
        async with running_kie(seed=seed) as kie:
            return [await kie.created() for _ in range(3)]

    first = await ids(5)
    assert first == await ids(5)
    assert first != await ids(6)


@pytest.mark.parametrize("key", [None, "", "4d2f8a6b0c1e4f7a9b3d5c7e9f1a2b3c", "sandbox key"])
async def test_wrong_key_is_a_401_without_data(key: str | None) -> None:
    """HTTP 200, body code 401, no `data` at all; the model is not even looked at."""
    async with running_kie() as kie:
        kie.key = key
        answer = await kie.post("/api/v1/jobs/createTask", {"model": "nonsense"})
        assert answer == (200, {"code": 401, "msg": UNAUTHORIZED})
        assert (await kie.get("/api/v1/chat/credit"))[1] == {"code": 401, "msg": UNAUTHORIZED}


async def test_body_that_is_not_called_json_is_a_401() -> None:
    """The provider wants both headers."""
    async with running_kie() as kie:
        url = f"{kie.kie.api_url}/api/v1/jobs/createTask"
        async with kie.session.post(url, data=json.dumps(Z_IMAGE), headers=kie.headers()) as answer:
            assert await answer.json() == {"code": 401, "msg": UNAUTHORIZED}


@pytest.mark.parametrize("model", ["z-image/z-image", "", None, 7])
async def test_unknown_model_comes_before_fields(model: Any) -> None:
    """An unknown model is a 422, whatever else is wrong."""
    async with running_kie() as kie:
        assert await kie.create({"model": model, "input": {}}) == refused(422, NOT_SUPPORTED)


async def test_fields_come_before_credits() -> None:
    """A missing field is told even to an empty account, as code 500 or, by option, 422."""
    async with running_kie(credits=0.0) as kie:
        body = {"model": "z-image", "input": {"prompt": "кот"}}
        assert await kie.create(body) == refused(500, "aspect_ratio is required")
        assert await kie.create({"model": "z-image"}) == refused(422, "The input cannot be null")
    async with running_kie(missing_field_code=422) as kie:
        assert await kie.create(body) == refused(422, "aspect_ratio is required")


async def test_callback_address_is_checked() -> None:
    """A model that needs a callback refuses to work without one, and an address must be one."""
    motion = {"model": "kling-3.0/motion-control", "input": {}}
    async with running_kie() as kie:
        given = {"prompt": "x", "input_urls": ["https://a.example/1.png"], "video_urls": ["https://a.example/1.mp4"]}
        body = motion | {"input": given | {"mode": "720p", "character_orientation": "image"}}
        assert await kie.create(body) == refused(422, "Please enter callBackUrl.")
        assert (await kie.create(Z_IMAGE | {"callBackUrl": "shop"}))["code"] == 422


@pytest.mark.parametrize("code", [402, 500])
async def test_credits_come_before_the_cap(code: int) -> None:
    """An empty account is a 402, or a 500 of the same text; nothing is created."""
    async with running_kie(credits=0.7, no_credit_code=code, key_caps_credits={"sandbox-key": 0.0}) as kie:
        assert await kie.create() == refused(code, NO_CREDIT)
        assert (await kie.stats())["tasks_created"] == 0


async def test_cap_of_a_key_comes_before_the_rate() -> None:
    """A key may spend up to its own cap; another key of the account goes on."""
    async with running_kie(key_caps_credits={"sandbox-key": 1.0}, create_limit=2, create_window_s=1000.0) as kie:
        await kie.ended(await kie.created())
        assert await kie.create() == refused(433, CAPPED)
        kie.key = "sandbox-other"
        await kie.created()
        kie.key = "sandbox-key"
        assert await kie.create() == refused(433, CAPPED)


async def test_rate_is_twenty_creates_in_ten_seconds() -> None:
    """The twenty-first create is refused over HTTP 200, not queued, and costs nothing; refusals do not count."""
    async with running_kie(time_scale=1.0, create_window_s=1000.0) as kie:
        await kie.create({"model": "z-image", "input": {}})
        replies = [(await kie.create())["code"] for _ in range(20)]
        assert replies == [200] * 20
        assert await kie.post("/api/v1/jobs/createTask", Z_IMAGE) == (200, refused(429, TOO_OFTEN))
        assert (await kie.stats())["tasks_created"] == 20
        assert kie.kie.provider.creates.refused == 1


async def test_rate_window_passes() -> None:
    """After the window the next create is accepted."""
    async with running_kie(create_limit=1, create_window_s=0.05) as kie:
        await kie.created()
        async with asyncio.timeout(20):
            while True:
                if (await kie.create())["code"] == 200:
                    break
                await asyncio.sleep(0.01)
        assert (await kie.stats())["tasks_created"] == 2


async def test_polls_are_limited_per_task() -> None:
    """Too many polls of one task within a second are refused; another task's poll is not."""
    async with running_kie(poll_limit_per_s=1, time_scale=1.0) as kie:
        first, second = await kie.created(), await kie.created()
        codes = [answer["code"] for answer in await asyncio.gather(*(kie.info(first) for _ in range(30)))]
        assert 429 in codes
        assert 200 in codes
        assert (await kie.info(second))["code"] == 200


async def test_unknown_and_missing_tasks() -> None:
    """An unknown id is a 422, a missing one a 400, both over HTTP 200."""
    async with running_kie() as kie:
        assert await kie.get("/api/v1/jobs/recordInfo?taskId=task_1") == (200, refused(422, "recordInfo is null"))
        assert await kie.get("/api/v1/jobs/recordInfo") == (200, refused(400, "taskId parameter is required"))


async def test_first_polls_may_find_nothing() -> None:
    """By option the task is not found for its first polls."""
    async with running_kie(null_polls=2) as kie:
        task_id = await kie.created()
        assert [(await kie.info(task_id))["code"] for _ in range(3)] == [422, 422, 200]


async def test_newer_keys_show_what_a_task_cost() -> None:
    """By option the record carries the keys of later months."""
    async with running_kie(newer_keys=True) as kie:
        record = await kie.ended(await kie.created())
        assert (record["creditsConsumed"], record["successFlag"]) == (0.8, 1)
        assert record["response"] == json.loads(record["resultJson"])


async def test_credits_are_taken_on_success() -> None:
    """The balance is a bare float; a failed task costs nothing, a stuck one nothing yet."""
    async with running_kie(credits=10.0) as kie:
        await kie.ended(await kie.created(fault="task_fail"))
        await kie.created(fault="task_stuck")
        assert (await kie.get("/api/v1/chat/credit"))[1] == {"code": 200, "msg": "success", "data": 10.0}
        await kie.ended(await kie.created())
        assert (await kie.get("/api/v1/chat/credit"))[1]["data"] == 9.2
        assert (await kie.stats())["credits_spent"] == 0.8


async def test_credits_may_be_taken_at_creation() -> None:
    """By option the price is held from the start and given back when the task fails."""
    async with running_kie(credits=10.0, charge_at="create") as kie:
        await kie.created(fault="task_stuck")
        assert (await kie.stats())["credits_left"] == 9.2
        await kie.ended(await kie.created(fault="task_fail"))
        assert (await kie.stats())["credits_left"] == 9.2


@pytest.mark.parametrize(
    ("fault", "state"),
    [("task_generating", "generating"), ("task_queuing", "waiting"), ("task_stuck", "waiting")],
)
async def test_courses_begin_as_told(fault: str, state: str) -> None:
    """A fault decides which state a task shows first."""
    async with running_kie(time_scale=1.0) as kie:
        assert (await kie.info(await kie.created(fault=fault)))["data"]["state"] == state


async def test_stuck_task_stays() -> None:
    """However short the provider's time is, a stuck task waits, while one created later ends."""
    async with running_kie() as kie:
        stuck = await kie.created(fault="task_stuck")
        await kie.ended(await kie.created())
        assert (await kie.info(stuck))["data"]["state"] == "waiting"
        assert (await kie.stats())["tasks_by_state"] == {"waiting": 1, "success": 1}


@pytest.mark.parametrize(
    ("fault", "text"), [("task_empty_urls", '{"resultUrls":[]}'), ("task_malformed_result", '{"resultUrls":["https://')]
)
async def test_success_may_be_without_a_result(fault: str, text: str) -> None:
    """A success with nothing in it, or with text that is no JSON."""
    async with running_kie() as kie:
        record = await kie.ended(await kie.created(fault=fault))
        assert (record["state"], record["resultJson"]) == ("success", text)


async def test_failures_give_their_reason() -> None:
    """With code and text as told, with the text alone, or with an error code around a readable record."""
    async with running_kie() as kie:
        kie.arm("task_fail", "createTask", times=1, code="501", msg="upstream generation failed")
        told = await kie.ended(await kie.created())
        assert (told["state"], told["failCode"], told["failMsg"]) == ("fail", "501", "upstream generation failed")
        text_only = await kie.ended(await kie.created(fault="task_fail_text"))
        assert text_only["failCode"] is None
        assert text_only["failMsg"]
        enveloped = await kie.created(fault="task_fail_envelope")
        await kie.ended(enveloped)
        body = await kie.info(enveloped)
        assert (body["code"], body["data"]["state"]) == (501, "fail")


async def test_many_results_and_every_one_is_there() -> None:
    """Twelve addresses, twelve different files."""
    async with running_kie() as kie:
        kie.arm("task_many_results", "createTask", count=12)
        urls = await kie.result_urls(Z_IMAGE | {"input": {"prompt": "кот", "aspect_ratio": "1:1"}})
        assert len(set(urls)) == 12
        async with kie.session.get(urls[0]) as first, kie.session.get(urls[11]) as last:
            assert await first.read() != await last.read()


async def test_stats_show_a_task_created_twice() -> None:
    """Creates are counted per callback address, so that a duplicate paid task is seen."""
    async with running_kie() as kie:
        one, two = Z_IMAGE | {"callBackUrl": "http://127.0.0.1:9/1"}, Z_IMAGE | {"callBackUrl": "http://127.0.0.1:9/2"}
        for body in (one, two, one):
            await kie.created(body, fault="callback_never")
        stats = await kie.stats()
        assert stats["creates_per_callback_url"] == {"http://127.0.0.1:9/1": 2, "http://127.0.0.1:9/2": 1}
        assert stats["repeated_callback_urls"] == {"http://127.0.0.1:9/1": 2}


@pytest.mark.parametrize(("body", "code"), [(b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b"\xff", 400)])
async def test_broken_bodies_are_refused(body: bytes, code: int) -> None:
    """A body that is no JSON object is an error of the caller, never of the stand-in."""
    async with running_kie() as kie:
        headers = kie.headers() | {"Content-Type": "application/json"}
        url = f"{kie.kie.api_url}/api/v1/jobs/createTask"
        async with kie.session.post(url, data=body, headers=headers) as answer:
            assert (answer.status, (await answer.json())["code"]) == (200, code)


async def test_families_of_their_own_are_not_there() -> None:
    """An endpoint that the stand-in does not have is a real HTTP 404."""
    async with running_kie() as kie:
        url = f"{kie.kie.api_url}/api/v1/veo/generate"
        async with kie.session.post(url, json={}, headers=kie.headers()) as answer:
            assert answer.status == 404


async def test_answers_are_typed_as_the_provider_types_them() -> None:
    """JSON with a charset, and never an HTTP error for a business error."""
    async with running_kie() as kie, kie.session.get(f"{kie.kie.api_url}/api/v1/chat/credit") as answer:
        assert (answer.status, answer.content_type, answer.charset) == (200, "application/json", "UTF-8")


async def test_stand_in_listens_on_loopback_alone() -> None:
    """All three sites have ports of their own on 127.0.0.1, and another address of this machine is refused."""
    async with running_kie() as kie:
        urls = [kie.kie.api_url, kie.kie.upload_url, kie.kie.result_url]
        assert len(set(urls)) == 3
        assert all(url.startswith("http://127.0.0.1:") for url in urls)
        with pytest.raises(aiohttp.ClientConnectorError):
            await kie.session.get(kie.kie.api_url.replace("127.0.0.1", "127.0.0.2"))
