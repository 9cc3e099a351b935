"""The provider's stand-in fails on demand in every way the real one was seen to fail."""

from typing import Any

import aiohttp
import pytest

from tests.kie_stand_in import CAT, Z_IMAGE, Visitor, running_kie

CREDIT = "/api/v1/chat/credit"


async def raw(kie: Visitor, fault: str, path: str = CREDIT) -> tuple[int, str, str]:
    """HTTP status, content type and text of an answer."""
    async with kie.session.get(f"{kie.kie.api_url}{path}", headers=kie.headers(fault)) as answer:
        return answer.status, answer.content_type, await answer.text()


async def test_missing_user_agent_is_a_cloudflare_403() -> None:
    """Both hosts that want a key refuse a client without a name, over real HTTP 403; the result host does not."""
    async with running_kie() as kie, aiohttp.ClientSession(skip_auto_headers=["User-Agent"]) as nameless:
        async with nameless.get(f"{kie.kie.api_url}{CREDIT}", headers=kie.headers()) as answer:
            assert (answer.status, await answer.text()) == (403, "error code: 1010")
        async with nameless.post(f"{kie.kie.upload_url}/api/file-url-upload", headers=kie.headers()) as answer:
            assert answer.status == 403
        async with nameless.get((await kie.result_urls())[0]) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("fault", "status", "kind", "text"),
    [
        ("http_429", 429, "application/json", "call frequency is too high"),
        ("http_500", 500, "text/plain", "Internal Server Error"),
        ("http_502", 502, "text/html", "bad gateway"),
        ("cloudflare_403", 403, "text/plain", "error code: 1010"),
        ("empty_body", 200, "application/json", ""),
        ("not_json", 200, "text/html", "<html>"),
    ],
)
async def test_http_failures(fault: str, status: int, kind: str, text: str) -> None:
    """A real HTTP status, or a body that is not the envelope."""
    async with running_kie() as kie:
        answer = await raw(kie, fault)
        assert answer[:2] == (status, kind)
        assert text in answer[2]
        assert (answer[2] == "") == (fault == "empty_body")
        assert (await kie.get(CREDIT))[0] == 200


@pytest.mark.parametrize("code", [402, 408, 429, 433, 455, 500, 505])
async def test_business_failures_come_over_http_200(code: int) -> None:
    """The code is in the body, beside a text and null data; nothing is created."""
    async with running_kie() as kie:
        status, body = await kie.post("/api/v1/jobs/createTask", Z_IMAGE, fault=f"code_{code}")
        assert (status, body["code"], body["data"]) == (200, code, None)
        assert len(body["msg"]) > 10
        assert (await kie.stats())["tasks_created"] == 0


async def test_no_credit_may_come_as_a_500() -> None:
    """By option the text of 402 comes under code 500."""
    async with running_kie(no_credit_code=500) as kie:
        body = await kie.create(fault="code_402")
        assert body["code"] == 500
        assert body["msg"].startswith("Credits insufficient")


@pytest.mark.parametrize(("fault", "created"), [("http_502_after", 1), ("http_502", 0)])
async def test_bad_gateway_does_not_tell_what_happened(fault: str, created: int) -> None:
    """The same page comes whether or not the request behind it was carried out."""
    async with running_kie() as kie:
        url = f"{kie.kie.api_url}/api/v1/jobs/createTask"
        async with kie.session.post(url, json=Z_IMAGE, headers=kie.headers(fault)) as answer:
            assert (answer.status, answer.content_type) == (502, "text/html")
        assert (await kie.stats())["tasks_created"] == created


@pytest.mark.parametrize(("fault", "created"), [("lost_reply", 1), ("drop_before", 0)])
async def test_connection_may_be_dropped(fault: str, created: int) -> None:
    """The caller learns nothing either way; only the provider knows whether a task was created."""
    async with running_kie() as kie:
        with pytest.raises(aiohttp.ClientConnectionError):
            await kie.create(fault=fault)
        assert (await kie.stats())["tasks_created"] == created


@pytest.mark.parametrize(("fault", "created"), [("slow_reply", 1), ("slow", 0)])
async def test_answer_may_be_slow(fault: str, created: int) -> None:
    """A caller that gives up may or may not have created a task."""
    async with running_kie() as kie:
        kie.arm(fault, "createTask", times=1, seconds=3600)
        url = f"{kie.kie.api_url}/api/v1/jobs/createTask"
        timeout = aiohttp.ClientTimeout(total=0.5)
        with pytest.raises(TimeoutError):
            await kie.session.post(url, json=Z_IMAGE, headers=kie.headers(), timeout=timeout)
        assert (await kie.stats())["tasks_created"] == created


async def test_slow_answer_comes_in_the_end() -> None:
    """A delay is a delay and nothing more."""
    async with running_kie() as kie:
        kie.arm("slow", "createTask", seconds=0.01)
        kie.arm("slow_reply", "createTask", seconds=0.01)
        assert (await kie.create())["code"] == 200


async def test_record_may_be_unknown_for_a_while() -> None:
    """recordInfo forgets a task for as many polls as armed."""
    async with running_kie() as kie:
        task_id = await kie.created()
        kie.arm("record_null", "recordInfo", times=2)
        assert [(await kie.info(task_id))["code"] for _ in range(3)] == [422, 422, 200]


async def test_faults_are_armed_shown_and_disarmed_over_http() -> None:
    """The control page takes one fault or several, shows them with what they have struck, and drops them."""
    async with running_kie() as kie:
        url = f"{kie.kie.api_url}/_sandbox/faults"
        two = [{"name": "task_fail", "target": "createTask", "times": 1}, {"name": "slow", "args": {"seconds": 0}}]
        async with kie.session.post(url, json=two) as answer:
            assert (answer.status, len((await answer.json())["active"])) == (201, 2)
        assert (await kie.ended(await kie.created()))["state"] == "fail"
        async with kie.session.get(url) as answer:
            shown = await answer.json()
            assert [fault["name"] for fault in shown["active"]] == ["slow"]
            assert shown["struck"]["task_fail"] == 1
            assert "callback_twice" in shown["known"]
        async with kie.session.delete(url) as answer:
            assert (await answer.json())["active"] == []


@pytest.mark.parametrize(
    "body", [{"name": "no_such_fault"}, [{"name": "slow"}, {"name": "no_such_fault"}], {"target": "x"}, "slow", None]
)
async def test_control_page_refuses_what_it_does_not_know(body: Any) -> None:
    """All or nothing: one bad fault arms none."""
    async with running_kie() as kie:
        async with kie.session.post(f"{kie.kie.api_url}/_sandbox/faults", json=body) as answer:
            assert (answer.status, "error" in await answer.json()) == (400, True)
        assert kie.kie.faults.active() == ()


async def test_faults_of_other_endpoints_are_not_used_up() -> None:
    """A fault of tasks armed for everything waits for a create, however often something else is asked."""
    async with running_kie() as kie:
        kie.arm("task_fail", times=1)
        await kie.get(CREDIT)
        await kie.info("unknown")
        assert (await kie.ended(await kie.created()))["state"] == "fail"


async def test_forcing_a_fault_that_means_nothing_here_is_an_error() -> None:
    """A test that forces the wrong fault hears about it."""
    async with running_kie() as kie:
        status, _, text = await raw(kie, "task_stuck")
        assert status == 400
        assert "task_stuck" in text


async def test_same_seed_fails_the_same_tasks() -> None:
    """Two stand-ins of one seed let the same of many tasks fail, for the same reasons."""

    async def course(seed: int) -> list[tuple[str, Any]]:
        async with running_kie(seed=seed, create_limit=None) as kie:
            faults = [{"name": "task_fail", "target": "createTask", "probability": 0.4}]
            await kie.session.post(f"{kie.kie.api_url}/_sandbox/faults", json=faults)
            records = [await kie.ended(await kie.created({"model": "z-image", "input": CAT})) for _ in range(25)]
            return [(record["state"], record["failCode"]) for record in records]

    first = await course(11)
    assert first == await course(11)
    assert {state for state, _ in first} == {"success", "fail"}
    assert first != await course(12)
