"""Callbacks of the provider's stand-in: once, signed, retried - or lost, doubled, early, late, forged."""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from sandbox.kie.callbacks import FORGED_URL
from tests.kie_stand_in import Delivery, Receiver, Visitor, running_kie, running_receiver

HMAC_KEY = "webhook-key"


@pytest.fixture
async def shop() -> AsyncIterator[Receiver]:
    async with running_receiver() as receiver:
        yield receiver


def signature(task_id: str, timestamp: str) -> str:
    digest = hmac.new(HMAC_KEY.encode(), f"{task_id}.{timestamp}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


async def settled(kie: Visitor, **wanted: int) -> dict[str, object]:
    stats = await kie.stats_when(lambda stats: all(stats["callbacks"][name] == wanted[name] for name in wanted))
    return dict(stats["callbacks"])


async def test_callback_says_what_the_record_says(shop: Receiver) -> None:
    """One POST of JSON with the record's result, when the record is terminal already."""
    seen: list[str] = []
    async with running_kie() as kie:

        async def look(delivery: Delivery) -> int:
            seen.append((await kie.info(delivery.task_id))["data"]["state"])
            return 200

        shop.answer = look
        task_id = await kie.created(shop.order("7"))
        delivery = await shop.next()
        assert (delivery.path, delivery.task_id, delivery.body["code"]) == ("/7", task_id, 200)
        assert delivery.headers["Content-Type"] == "application/json"
        assert delivery.body["data"]["resultJson"] == (await kie.ended(task_id))["resultJson"]
        await settled(kie, sent=1, acknowledged=1)
        assert seen == ["success"]


async def test_callback_of_a_failure(shop: Receiver) -> None:
    """Body code 501 and the reason."""
    async with running_kie() as kie:
        kie.arm("task_fail", code="400", msg="No.")
        await kie.created(shop.order())
        body = (await shop.next()).body
        assert (body["code"], body["data"]["state"]) == (501, "fail")
        assert (body["data"]["failCode"], body["data"]["failMsg"]) == ("400", "No.")


async def test_no_callback_without_an_address_or_for_a_stuck_task(shop: Receiver) -> None:
    """Nobody is told about a task without a callback address, nor about one that never ends."""
    async with running_kie() as kie:
        await kie.created(shop.order("stuck"), fault="task_stuck")
        await kie.ended(await kie.created())
        await kie.created(shop.order("told"))
        assert (await shop.next()).path == "/told"
        assert (await settled(kie, acknowledged=1))["sent"] == 1


async def test_callback_is_unsigned_without_a_key(shop: Receiver) -> None:
    """Signatures come only after a key was made."""
    async with running_kie() as kie:
        await kie.created(shop.order())
        assert not {name for name in (await shop.next()).headers if name.startswith("X-Webhook")}


async def test_callback_is_signed_with_a_key(shop: Receiver) -> None:
    """base64 of HMAC-SHA256 over task id, dot and the Unix seconds in the header."""
    async with running_kie(hmac_key=HMAC_KEY) as kie:
        await kie.created(shop.order())
        delivery = await shop.next()
        timestamp = delivery.headers["X-Webhook-Timestamp"]
        assert timestamp.isdecimal()
        assert len(timestamp) == 10
        assert delivery.headers["X-Webhook-Signature"] == signature(delivery.task_id, timestamp)


@pytest.mark.parametrize("fault", ["callback_unsigned", "callback_bad_signature"])
async def test_signature_may_be_absent_or_wrong(shop: Receiver, fault: str) -> None:
    """A key is set, and the callback does not prove to be the provider's."""
    async with running_kie(hmac_key=HMAC_KEY) as kie:
        await kie.created(shop.order(), fault=fault)
        delivery = await shop.next()
        expected = signature(delivery.task_id, delivery.headers.get("X-Webhook-Timestamp", ""))
        assert delivery.headers.get("X-Webhook-Signature") != expected
        assert ("X-Webhook-Signature" in delivery.headers) == (fault == "callback_bad_signature")


async def test_forged_callback_comes_with_a_valid_signature(shop: Receiver) -> None:
    """At creation a made-up success arrives, properly signed, while the record says otherwise; the real one follows."""
    async with running_kie(hmac_key=HMAC_KEY) as kie:
        kie.arm("callback_forged", "createTask", times=1)
        kie.arm("task_stuck", "createTask", times=1)
        task_id = await kie.created(shop.order())
        forged = await shop.next()
        assert forged.headers["X-Webhook-Signature"] == signature(task_id, forged.headers["X-Webhook-Timestamp"])
        assert json.loads(forged.body["data"]["resultJson"])["resultUrls"] == [FORGED_URL]
        assert (await kie.info(task_id))["data"]["state"] == "waiting"
        assert await settled(kie, forged=1) == await settled(kie, sent=0, acknowledged=0)
    async with running_kie(hmac_key=HMAC_KEY) as kie:
        await kie.created(shop.order(), fault="callback_forged")
        both = [(await shop.next()).body["data"]["resultJson"] for _ in range(2)]
        assert [FORGED_URL in text for text in both].count(True) == 1


async def test_stray_callback_misses_the_address(shop: Receiver) -> None:
    """A made-up success goes to an address that is not quite the task's, and what it was answered is counted."""

    async def refuse(_delivery: Delivery) -> int:
        return 401

    shop.answer = refuse
    async with running_kie() as kie:
        await kie.created(shop.order(), fault="callback_stray,task_stuck")
        stray = await shop.next()
        right = str(shop.order()["callBackUrl"])
        assert stray.path == urlsplit(right).path[:-1] + "a"
        assert json.loads(stray.body["data"]["resultJson"])["resultUrls"] == [FORGED_URL]
        assert (await settled(kie, strays={"401": 1}))["sent"] == 0


async def test_callback_is_repeated_until_acknowledged(shop: Receiver) -> None:
    """Anything but HTTP 200 brings the same body again, signed anew."""
    answers = iter([500, 404, 200])

    async def answer(_delivery: Delivery) -> int:
        return next(answers)

    shop.answer = answer
    async with running_kie(hmac_key=HMAC_KEY) as kie:
        await kie.created(shop.order())
        stats = await settled(kie, acknowledged=1)
        assert (stats["sent"], stats["never_acknowledged"]) == (3, 0)
        assert stats["answers"] == {"500": 1, "404": 1, "200": 1}
        assert [delivery.body for delivery in shop.deliveries] == [shop.deliveries[0].body] * 3


async def test_callback_is_given_up_after_three_repetitions(shop: Receiver) -> None:
    """Four attempts in all, then silence; the record has the result all the same."""

    async def refuse(_delivery: Delivery) -> int:
        return 503

    shop.answer = refuse
    async with running_kie() as kie:
        task_id = await kie.created(shop.order())
        stats = await settled(kie, never_acknowledged=1)
        assert (stats["sent"], stats["acknowledged"], len(shop.deliveries)) == (4, 0, 4)
        assert (await kie.ended(task_id))["state"] == "success"


async def test_slow_answer_counts_as_none(shop: Receiver) -> None:
    """The provider waits its time-out and tries again."""
    held = asyncio.Event()

    async def hold_first(_delivery: Delivery) -> int:
        if len(shop.deliveries) == 1:
            await held.wait()
        return 200

    shop.answer = hold_first
    async with running_kie(callback_timeout_s=0.2) as kie:
        await kie.created(shop.order())
        stats = await settled(kie, acknowledged=1)
        held.set()
        assert stats["sent"] == len(shop.deliveries)
        assert len(shop.deliveries) > 1


async def test_unreachable_address_is_given_up() -> None:
    """Nobody listens: the attempts fail and nothing else does."""
    async with running_kie() as kie:
        await kie.created(
            {"model": "z-image", "callBackUrl": "http://127.0.0.1:9/x", "input": Receiver().order()["input"]}
        )
        assert (await settled(kie, never_acknowledged=1))["sent"] == 4


async def test_callback_may_be_lost(shop: Receiver) -> None:
    """The task ends and nobody is told; the next task's callback comes as usual."""
    async with running_kie() as kie:
        kie.arm("callback_never", "createTask", times=1)
        await kie.ended(await kie.created(shop.order("lost")))
        await kie.created(shop.order("sent"))
        assert (await shop.next()).path == "/sent"
        stats = await settled(kie, acknowledged=1)
        assert (stats["sent"], stats["dropped_by_fault"]) == (1, 1)


async def test_callback_may_come_twice(shop: Receiver) -> None:
    """Acknowledged, and sent again."""
    async with running_kie() as kie:
        await kie.created(shop.order(), fault="callback_twice")
        assert (await settled(kie, acknowledged=2))["sent"] == 2
        assert shop.deliveries[0].body == shop.deliveries[1].body


async def test_callback_may_come_late(shop: Receiver) -> None:
    """The record has been terminal for long and no callback has come."""
    async with running_kie(time_scale=1.0) as kie:
        kie.arm("task_seconds", "createTask")
        kie.arm("callback_late", "createTask", seconds=3600)
        assert (await kie.ended(await kie.created(shop.order())))["state"] == "success"
        assert (await settled(kie, dropped_by_fault=0))["sent"] == 0
        assert not shop.deliveries


async def test_callback_may_come_before_the_record_is_terminal(shop: Receiver) -> None:
    """Whoever asks recordInfo while the callback is being delivered finds the task running still."""
    seen: list[tuple[str, str]] = []
    async with running_kie() as kie:

        async def look(delivery: Delivery) -> int:
            data = (await kie.info(delivery.task_id))["data"]
            seen.append((data["state"], data["resultJson"]))
            return 200

        shop.answer = look
        task_id = await kie.created(shop.order(), fault="callback_early")
        record = await kie.ended(task_id)
        assert seen == [("waiting", "")]
        assert record["resultJson"] == shop.deliveries[0].body["data"]["resultJson"]


async def test_callback_may_come_before_the_create_reply(shop: Receiver) -> None:
    """The reply to createTask is held back until the callback was answered, so the receiver cannot know the task."""
    events: list[str] = []

    async def note(_delivery: Delivery) -> int:
        await asyncio.sleep(0.05)
        events.append("callback answered")
        return 200

    shop.answer = note
    async with running_kie(time_scale=1.0) as kie:
        task_id = await kie.created(shop.order(), fault="callback_before_reply")
        events.append("create replied")
        assert events == ["callback answered", "create replied"]
        assert shop.deliveries[0].task_id == task_id
        assert (await kie.info(task_id))["data"]["state"] == "success"


async def test_create_reply_is_not_held_back_for_ever(shop: Receiver) -> None:
    """A callback that is never answered, never sent or sent late delays the reply by no more than two time-outs."""
    held = asyncio.Event()

    async def hold(_delivery: Delivery) -> int:
        await held.wait()
        return 200

    shop.answer = hold
    async with running_kie(callback_timeout_s=0.1, time_scale=1.0) as kie:
        assert (await kie.create(shop.order(), fault="callback_before_reply"))["code"] == 200
        held.set()
        assert (await kie.create(shop.order(), fault="callback_before_reply,callback_late"))["code"] == 200
        assert (await kie.create(shop.order(), fault="callback_before_reply,callback_never"))["code"] == 200
        assert (await kie.create(shop.order(), fault="callback_before_reply,task_stuck"))["code"] == 200


async def test_callbacks_may_come_in_another_order(shop: Receiver) -> None:
    """The first task ends first and is announced second."""
    async with running_kie(time_scale=1.0) as kie:
        kie.arm("task_seconds", "createTask")
        kie.arm("callback_reordered", "createTask", times=1, seconds=3600)
        await kie.ended(await kie.created(shop.order("first")))
        await kie.created(shop.order("second"))
        assert [(await shop.next()).path for _ in range(2)] == ["/second", "/first"]


async def test_reordered_callback_comes_even_alone(shop: Receiver) -> None:
    """Without another task the callback waits its time and comes."""
    async with running_kie() as kie:
        await kie.created(shop.order("only"), fault="callback_reordered")
        assert (await shop.next()).path == "/only"
