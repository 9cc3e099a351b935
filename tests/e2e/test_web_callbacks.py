"""The provider's callbacks over real HTTP: only the right token wakes an order, and everything else changes nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiosk.db import Database
from kiosk.generations.states import State
from kiosk.web.bodies import LIMIT_BYTES
from tests.frontdoor import Door, a_door, an_order, note, signature

KEY = "hmac-key"
TAKEN = {"code": 200, "msg": "success"}
DEEP = 100_000


async def untouched(door: Door, generation_id: int) -> bool:
    """Whether the order is as it was and nobody was told to look at it."""
    order = await door.order(generation_id)
    return order.state is State.SUBMITTING and not await door.jobs() and not await door.count("tasks")


async def test_callback_with_the_right_token_wakes_the_order(database: Database) -> None:
    """200, the task is known, the order runs, and one job is to look at it."""
    order = await an_order(database)
    async with a_door(database) as door:
        answer = await door.post(f"/callbacks/kie/{order.id}/{order.callback_token}", note())
        assert (answer.status, answer.body) == (200, TAKEN)
        assert (await door.order(order.id)).task_id == "task-1"
        assert await door.jobs() == [("observe", order.id)]


async def test_repeated_callback_is_taken_again(database: Database) -> None:
    """The provider repeats what it believes unanswered: each is a wake-up, the task is one."""
    order = await an_order(database)
    async with a_door(database) as door:
        for _ in range(3):
            assert (await door.post(f"/callbacks/kie/{order.id}/{order.callback_token}", note())).status == 200
        assert await door.count("tasks") == 1
        assert await door.jobs() == [("observe", order.id)] * 3


@pytest.mark.parametrize(
    "token", ["wrong", "token-of-a-tesT", "token-of-a-test2", "%00", "%F0%9F%96%BC", "%FF", "x" * 4000]
)
async def test_callback_with_a_wrong_token_changes_nothing(database: Database, token: str) -> None:
    """401, and the order is as it was."""
    order = await an_order(database)
    async with a_door(database) as door:
        assert (await door.post(f"/callbacks/kie/{order.id}/{token}", note())).status == 401
        assert await untouched(door, order.id)


async def test_callback_with_the_token_of_another_order_changes_nothing(database: Database) -> None:
    """A token opens the one order that it was made for."""
    order = await an_order(database)
    async with a_door(database) as door:
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET callback_token = 'another-token' WHERE id = $1", order.id)
        assert (await door.post(f"/callbacks/kie/{order.id}/{order.callback_token}", note())).status == 401
        assert await untouched(door, order.id)


@pytest.mark.parametrize("number", ["999999", "0", "-1", "one", "1e3", "%EF%BC%91", "9" * 18, "9" * 19, "9" * 30])
async def test_callback_for_no_order_is_refused(database: Database, number: str) -> None:
    """A number that is none, or no order's, is answered like a wrong token."""
    order = await an_order(database)
    async with a_door(database) as door:
        assert (await door.post(f"/callbacks/kie/{number}/{order.callback_token}", note())).status == 401
        assert await untouched(door, order.id)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b'"task-1"',
        b"null",
        b"{}",
        b'{"data": {}}',
        b'{"data": {"taskId": ""}}',
        b'{"data": {"taskId": 5}}',
        b'{"data": {"taskId": "' + b"x" * 201 + b'"}}',
        b'{"data":' * DEEP + b"1" + b"}" * DEEP,
        b"[" * DEEP + b"]" * DEEP,
        b'{"code": NaN, "data": {"taskId": "task-1"}}',
    ],
    ids=lambda body: body[:30].decode(errors="replace"),
)
async def test_malformed_callback_is_refused(database: Database, body: bytes) -> None:
    """400 for whatever names no task, with a token and without, and nothing is kept."""
    order = await an_order(database)
    async with a_door(database) as door:
        assert (await door.post(f"/callbacks/kie/{order.id}/{order.callback_token}", body)).status == 400
        assert (await door.post("/callbacks/kie", body)).status == 400
        assert await untouched(door, order.id)
        assert await door.count("orphan_callbacks") == 0


def padded(size_bytes: int) -> bytes:
    body = b'{"data": {"taskId": "task-1"}}'
    return body + b" " * (size_bytes - len(body))


async def test_callback_of_exactly_the_limit_is_taken(database: Database) -> None:
    """One MiB is not yet too much."""
    order = await an_order(database)
    async with a_door(database) as door:
        path = f"/callbacks/kie/{order.id}/{order.callback_token}"
        assert (await door.post(path, padded(LIMIT_BYTES))).status == 200
        assert await door.jobs() == [("observe", order.id)]


async def test_callback_announced_over_the_limit_is_refused_unread(database: Database) -> None:
    """413 on the announcement alone: not one byte of the body was sent."""
    order = await an_order(database)
    async with a_door(database) as door:
        head = f"POST /callbacks/kie/{order.id}/{order.callback_token} HTTP/1.1\r\nHost: shop\r\n"
        answer = await door.raw(f"{head}Content-Length: {LIMIT_BYTES + 1}\r\n\r\n".encode())
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert await untouched(door, order.id)


async def test_callback_in_pieces_over_the_limit_is_refused(database: Database) -> None:
    """413 without an announcement too, before the body has ended."""
    order = await an_order(database)
    async with a_door(database) as door:
        head = f"POST /callbacks/kie/{order.id}/{order.callback_token} HTTP/1.1\r\nHost: shop\r\n"
        piece = f"{LIMIT_BYTES + 1:x}\r\n".encode() + padded(LIMIT_BYTES + 1)
        answer = await door.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + piece)
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert await untouched(door, order.id)


async def test_callback_in_pieces_of_exactly_the_limit_is_taken(database: Database) -> None:
    """What counts is what came, not how."""
    order = await an_order(database)
    async with a_door(database) as door:
        head = f"POST /callbacks/kie/{order.id}/{order.callback_token} HTTP/1.1\r\nHost: shop\r\n"
        piece = f"{LIMIT_BYTES:x}\r\n".encode() + padded(LIMIT_BYTES) + b"\r\n0\r\n\r\n"
        answer = await door.raw(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + piece)
        assert answer.startswith(b"HTTP/1.1 200 ")


NOW = datetime.now(UTC)
FORGERIES: dict[str, dict[str, str]] = {
    "missing": {},
    "no signature": {"X-Webhook-Timestamp": str(int(NOW.timestamp()))},
    "no time": {"X-Webhook-Signature": signature(KEY, "task-1")["X-Webhook-Signature"]},
    "another key": signature("another-key", "task-1"),
    "another task": signature(KEY, "task-2"),
    "expired": signature(KEY, "task-1", NOW - timedelta(days=1)),
    "from the future": signature(KEY, "task-1", NOW + timedelta(days=1)),
    "another time": signature(KEY, "task-1") | {"X-Webhook-Timestamp": str(int(NOW.timestamp()) + 60)},
    "no number": signature(KEY, "task-1") | {"X-Webhook-Timestamp": "soon"},
}


@pytest.mark.parametrize("headers", FORGERIES.values(), ids=FORGERIES)
async def test_callback_without_a_valid_signature_is_refused(database: Database, headers: dict[str, str]) -> None:
    """Once a key is set the right token alone is not enough."""
    order = await an_order(database)
    async with a_door(database, hmac_key=KEY) as door:
        path = f"/callbacks/kie/{order.id}/{order.callback_token}"
        assert (await door.post(path, note(), headers)).status == 401
        assert (await door.post("/callbacks/kie", note(), headers)).status == 401
        assert await untouched(door, order.id)
        assert await door.count("orphan_callbacks") == 0


async def test_callback_with_a_valid_signature_is_taken(database: Database) -> None:
    """The right signature and the right token: 200."""
    order = await an_order(database)
    async with a_door(database, hmac_key=KEY) as door:
        path = f"/callbacks/kie/{order.id}/{order.callback_token}"
        assert (await door.post(path, note(), signature(KEY, "task-1"))).status == 200
        assert await door.jobs() == [("observe", order.id)]


async def test_valid_signature_does_not_replace_the_token(database: Database) -> None:
    """The signature does not cover the address."""
    order = await an_order(database)
    async with a_door(database, hmac_key=KEY) as door:
        answer = await door.post(f"/callbacks/kie/{order.id}/wrong", note(), signature(KEY, "task-1"))
        assert answer.status == 401
        assert await untouched(door, order.id)


async def test_callback_of_an_unknown_task_is_kept_once(database: Database) -> None:
    """Without a token and without a task of that name it becomes an orphan; repeats do not multiply it."""
    async with a_door(database) as door:
        for _ in range(3):
            assert (await door.post("/callbacks/kie", note("nobody's"))).status == 200
        assert (await door.count("orphan_callbacks"), await door.jobs()) == (1, [])


async def test_callback_of_a_known_task_wakes_its_order(database: Database) -> None:
    """Without a token it can only make us look at what we know already."""
    order = await an_order(database)
    async with a_door(database) as door:
        await door.post(f"/callbacks/kie/{order.id}/{order.callback_token}", note("known"))
        assert (await door.post("/callbacks/kie", note("known"))).status == 200
        assert await door.jobs() == [("observe", order.id)] * 2
        assert await door.count("orphan_callbacks") == 0


@pytest.mark.parametrize("body", [note(), b"not json"])
async def test_callback_before_the_shop_runs_is_to_come_again(database: Database, body: Any) -> None:
    """503 with Retry-After while the shop starts, whatever is said."""
    order = await an_order(database)
    async with a_door(database, is_open=False) as door:
        for path in (f"/callbacks/kie/{order.id}/{order.callback_token}", "/callbacks/kie"):
            answer = await door.post(path, body)
            assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert await untouched(door, order.id)
