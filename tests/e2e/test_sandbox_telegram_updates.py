"""The Telegram stand-in delivers updates as Telegram does: polled or pushed, in order per chat, until confirmed."""

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from telegram.error import BadRequest, Conflict

from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.snapshot import Saver
from tests.e2e.sandbox_telegram_stage import BOT_ID, RawBot, keyboard, library_bot, raw_bot, started, until, webhook

USER_ID = 42


@pytest.fixture
async def sandbox() -> AsyncIterator[TelegramSandbox]:
    async with TelegramSandbox(TelegramOptions(time_scale=0.001)) as running:
        yield running


@pytest.fixture
async def bot(sandbox: TelegramSandbox) -> AsyncIterator[RawBot]:
    async with raw_bot(sandbox) as raw:
        yield raw


@pytest.fixture
async def customer(sandbox: TelegramSandbox, bot: RawBot) -> AsyncIterator[Customer]:
    async with started(sandbox, USER_ID) as someone:
        yield someone


def _failing_first(count: int, status: int, **headers: str) -> Any:
    """A webhook that fails that often and then takes everything."""
    left = [count]

    def answer(_update: dict[str, Any]) -> web.Response:
        left[0] -= 1
        return web.Response(status=status, headers=headers) if left[0] >= 0 else web.Response()

    return answer


async def _texts(bot: RawBot, **params: Any) -> list[str]:
    updates = (await bot("getUpdates", **params))["result"]
    return [update["message"]["text"] for update in updates]


async def test_polling_gives_again_what_is_not_confirmed(bot: RawBot, customer: Customer) -> None:
    """An offset confirms everything below it; without one the same updates come again."""
    for text in ("раз", "два"):
        await customer.send_text(text)
    first = (await bot("getUpdates", limit=2))["result"]
    assert await _texts(bot) == ["/start", "раз", "два"]
    assert await _texts(bot, offset=first[-1]["update_id"] + 1) == ["два"]
    assert await _texts(bot) == ["два"]
    assert [update["update_id"] for update in first] == sorted(update["update_id"] for update in first)


async def test_negative_offset_keeps_only_the_end(bot: RawBot, customer: Customer) -> None:
    """The updates before it are forgotten."""
    for text in ("раз", "два"):
        await customer.send_text(text)
    assert await _texts(bot, offset=-1) == ["два"]
    assert await _texts(bot) == ["два"]


async def test_long_poll_wakes_for_an_update(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """A poll that waits gets the update when it comes."""
    offset = (await bot("getUpdates"))["result"][-1]["update_id"] + 1
    polling = asyncio.create_task(_texts(bot, offset=offset, timeout=20))
    await until(lambda: not sandbox.world.bots[BOT_ID].queue)
    await customer.send_text("привет")
    assert await polling == ["привет"]


async def test_second_poller_ends_the_first_with_409(sandbox: TelegramSandbox, bot: RawBot) -> None:
    """The one that waited is told that another one is running, in the words clients look for."""
    async with library_bot(sandbox) as library:
        first = asyncio.create_task(library.get_updates(timeout=20))
        await until(lambda: sandbox.world.stats.calls["getUpdates"] == 1)
        assert (await bot("getUpdates"))["result"] == []
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
    assert sandbox.world.stats.as_json()["conflicts"] == 1


async def test_polling_beside_a_webhook_is_409(sandbox: TelegramSandbox, bot: RawBot) -> None:
    """A webhook has to be deleted first; one that is set ends a waiting poll."""
    async with library_bot(sandbox) as library, webhook() as receiver:
        waiting = asyncio.create_task(library.get_updates(timeout=20))
        await until(lambda: sandbox.world.stats.calls["getUpdates"] == 1)
        await library.set_webhook(receiver.url)
        with pytest.raises(Conflict, match="terminated by setWebhook"):
            await waiting
        with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
            await library.get_updates()
        await library.delete_webhook()
        assert await library.get_updates() == ()


async def test_webhook_gets_the_secret_and_only_what_it_asked_for(
    sandbox: TelegramSandbox, bot: RawBot, customer: Customer
) -> None:
    """The header carries the secret; kinds outside allowed_updates are not delivered at all."""
    async with library_bot(sandbox) as library, webhook() as receiver:
        sent = await library.send_message(USER_ID, "Меню")
        await library.set_webhook(receiver.url, secret_token="s3cret-_A", allowed_updates=["message"])
        await receiver.until(lambda: len(receiver.updates) == 1)
        await customer.click(sent.message_id, "next")
        await customer.send_text("привет")
        await receiver.until(lambda: len(receiver.updates) == 2)
        assert receiver.texts() == ["/start", "привет"]
        assert receiver.secrets == ["s3cret-_A"] * 2
        info = await library.get_webhook_info()
        assert (info.url, info.allowed_updates) == (receiver.url, ("message",))


@pytest.mark.parametrize(
    ("params", "refusal"),
    [
        ({"url": "http://example.com/hook"}, "Bad webhook: an https url must be provided for webhook"),
        ({"url": "ftp://example.com"}, "Invalid webhook url specified"),
        ({"url": "https://example.com", "secret_token": "пароль"}, "Secret token contains unallowed characters"),
    ],
)
async def test_webhook_address_is_checked(sandbox: TelegramSandbox, params: dict[str, Any], refusal: str) -> None:
    """https, or http on loopback; the secret in the alphabet that headers allow."""
    async with library_bot(sandbox) as library:
        with pytest.raises(BadRequest, match=refusal):
            await library.set_webhook(**params)


async def test_update_is_delivered_again_until_it_is_taken(bot: RawBot, customer: Customer) -> None:
    """Failures are repeated with the same update_id, in order, and told by getWebhookInfo."""
    async with webhook(_failing_first(3, 500)) as receiver:
        await bot("setWebhook", url=receiver.url)
        await customer.send_text("потом")
        await receiver.until(lambda: "потом" in receiver.texts())
        assert receiver.texts() == ["/start"] * 4 + ["потом"]
        assert len({update["update_id"] for update in receiver.updates}) == 2
        info = (await bot("getWebhookInfo"))["result"]
        assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"


async def test_failing_chat_does_not_hold_up_another(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """Order holds within a chat only: what one customer's update blocks, another's does not wait for."""

    def answer(update: dict[str, Any]) -> web.Response:
        return web.Response(status=503 if update["message"]["from"]["id"] == USER_ID else 200)

    async with webhook(answer) as receiver, started(sandbox, USER_ID + 1) as other:
        await bot("setWebhook", url=receiver.url)
        await customer.send_text("второе")
        await other.send_text("мимо")
        await receiver.until(lambda: "мимо" in receiver.texts())
        assert "второе" not in receiver.texts()
        assert (await bot("getWebhookInfo"))["result"]["pending_update_count"] == 2
        await bot("deleteWebhook")
        assert await _texts(bot) == ["/start", "второе"]


async def test_retry_after_is_obeyed(bot: RawBot, customer: Customer, sandbox: TelegramSandbox) -> None:
    """An hour stated by the webhook is an hour; without it the pauses grow from a second, here a thousandth of it."""

    def answer(update: dict[str, Any]) -> web.Response:
        patient = update["message"]["from"]["id"] == USER_ID
        return web.Response(status=503, headers={"Retry-After": "3600"} if patient else {})

    async with webhook(answer) as receiver, started(sandbox, USER_ID + 1):
        await bot("setWebhook", url=receiver.url)
        await receiver.until(lambda: len(receiver.updates) == 6)
        senders = [update["message"]["from"]["id"] for update in receiver.updates]
        assert senders.count(USER_ID) == 1


@pytest.mark.parametrize(("connections", "at_once"), [(1, 1), (3, 3)])
async def test_max_connections_bounds_what_is_under_way(
    sandbox: TelegramSandbox, bot: RawBot, connections: int, at_once: int
) -> None:
    """Updates of different chats come at the same time, as many as the bot allows."""
    for user_id in range(100, 106):
        async with started(sandbox, user_id):
            pass
    async with webhook() as receiver:
        receiver.hold_s = 0.05
        await bot("setWebhook", url=receiver.url, max_connections=connections)
        await receiver.until(lambda: len(receiver.updates) == 6)
        assert receiver.most_at_once == at_once


async def test_reply_of_a_webhook_is_carried_out(bot: RawBot, customer: Customer) -> None:
    """A method in the reply's body is a call whose result nobody sees."""

    def answer(_update: dict[str, Any]) -> web.Response:
        return web.json_response({"method": "sendMessage", "chat_id": USER_ID, "text": "сразу"})

    async with webhook(answer) as receiver:
        await bot("setWebhook", url=receiver.url)
        assert (await customer.wait_until(lambda message: message["from"] == "bot"))["text"] == "сразу"


async def test_drop_pending_updates_forgets_them(bot: RawBot, customer: Customer) -> None:
    """Only when it is asked for."""
    await bot("deleteWebhook")
    assert await _texts(bot) == ["/start"]
    await bot("deleteWebhook", drop_pending_updates=True)
    assert await _texts(bot) == []


async def test_duplicate_delivery_repeats_an_update(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """The fault delivers an update once more after its 200, before the next one."""
    sandbox.faults.add(Fault("duplicate_update", "webhook", times=1))
    async with webhook() as receiver:
        await bot("setWebhook", url=receiver.url)
        await customer.send_text("дальше")
        await receiver.until(lambda: "дальше" in receiver.texts())
        assert receiver.texts() == ["/start", "/start", "дальше"]


@pytest.mark.parametrize(
    ("fault", "answer"),
    [
        ("flood", {"ok": False, "error_code": 429, "parameters": {"retry_after": 1}}),
        ("error_before", {"ok": False, "error_code": 500}),
        ("blocked", {"ok": False, "error_code": 403}),
        ("error_after", {"ok": False, "error_code": 500}),
    ],
)
async def test_fault_before_or_after_the_call(
    bot: RawBot, customer: Customer, fault: str, answer: dict[str, Any]
) -> None:
    """A refusal looks the same whether the message was stored or not: only "after" leaves it in the chat."""
    refused = await bot("sendMessage", fault=fault, chat_id=USER_ID, text="?")
    assert answer.items() <= refused.items()
    assert len((await customer.chat())["messages"]) == (2 if fault.endswith("after") else 1)


@pytest.mark.parametrize(("fault", "stored"), [("drop_before", 1), ("drop_after", 2)])
async def test_fault_breaks_the_connection(bot: RawBot, customer: Customer, fault: str, stored: int) -> None:
    """No answer at all; what was done before stays done."""
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await bot("sendMessage", fault=fault, chat_id=USER_ID, text="?")
    assert len((await customer.chat())["messages"]) == stored


async def test_fault_hangs_after_the_call(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """The bot gives up waiting, and the message is in the chat."""
    sandbox.faults.add(Fault("hang_after", "sendMessage", args={"delay_s": 30}))
    sending = asyncio.create_task(bot("sendMessage", chat_id=USER_ID, text="?"))
    await customer.wait_until(lambda message: message["from"] == "bot")
    assert not sending.done()
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)


async def test_fault_forgets_the_status_message(bot: RawBot, customer: Customer) -> None:
    """The customer deletes the message just before the edit reaches it."""
    sent = (await bot("sendMessage", chat_id=USER_ID, text="Генерирую"))["result"]
    edit = {"chat_id": USER_ID, "message_id": sent["message_id"], "text": "Готово"}
    refused = await bot("editMessageText", fault="forget_message", **edit)
    assert refused["description"] == "Bad Request: message to edit not found"
    assert len((await customer.chat())["messages"]) == 1


async def test_faults_are_armed_over_http(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """The control page arms faults by method, and an unknown one in the header is told."""
    control = f"{sandbox.base_url}/_sandbox/faults"
    arm = {"name": "bad_gateway", "target": "sendMessage", "times": 1}
    async with bot.session.post(control, json=arm) as armed:
        assert armed.status == 201
    async with bot.session.post(f"{bot.base}/sendMessage", json={"chat_id": USER_ID, "text": "x"}) as answer:
        assert (answer.status, answer.content_type) == (502, "text/html")
    assert (await bot("sendMessage", chat_id=USER_ID, text="x"))["ok"]
    assert "unknown fault" in (await bot("getMe", fault="gremlin"))["description"]


async def test_state_survives_a_restart(tmp_path: Any) -> None:
    """Chats, files, the webhook, pending updates and their numbers go on where they were."""
    options = TelegramOptions(state_dir=tmp_path, time_scale=0.001)
    async with webhook(lambda _update: web.Response(status=500)) as receiver:
        async with TelegramSandbox(options) as sandbox, raw_bot(sandbox) as bot, started(sandbox, USER_ID) as customer:
            await bot("setWebhook", url=receiver.url, secret_token="s3cret")
            await bot("setMyName", name="Лавка")
            await bot("sendMessage", chat_id=USER_ID, text="Меню", reply_markup=keyboard(("Дальше", "next")))
            photo = await customer.send_media("document", b"bytes", name="a.txt")
            before = await customer.chat()
        taken = len(receiver.updates)
        async with TelegramSandbox(options) as sandbox, Customer(sandbox.base_url, USER_ID, BOT_ID) as customer:
            after = await customer.chat()
            assert after == before
            assert await customer.download(photo["media"]["url"]) == b"bytes"
            receiver.answer = lambda _update: web.Response()
            await receiver.until(lambda: len(receiver.updates) >= taken + 2)
            await customer.send_text("дальше")
            await receiver.until(lambda: "дальше" in receiver.texts())
            assert receiver.secrets[-1] == "s3cret"
    identifiers = [update["update_id"] for update in receiver.updates]
    assert identifiers == sorted(identifiers)


async def test_last_state_is_written_last(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stop while an earlier state is still being written waits for it, and then writes its own."""
    begun, go_on = threading.Event(), threading.Event()
    write = Saver._write

    def slowly(saver: Saver, text: str) -> None:
        if not begun.is_set():
            begun.set()
            go_on.wait(20)
        write(saver, text)

    monkeypatch.setattr(Saver, "_write", slowly)
    options = TelegramOptions(state_dir=tmp_path)
    sandbox = TelegramSandbox(options)
    await sandbox.start()
    async with raw_bot(sandbox), started(sandbox, USER_ID) as customer:
        await until(begun.is_set)
        await customer.send_text("последнее")
        stopping = asyncio.create_task(sandbox.stop())
        done, _ = await asyncio.wait({stopping}, timeout=1)
        go_on.set()
        await stopping
    assert not done
    async with TelegramSandbox(options) as sandbox, Customer(sandbox.base_url, USER_ID) as customer:
        assert (await customer.chat())["messages"][-1]["text"] == "последнее"


async def test_interrupted_write_keeps_the_old_state(tmp_path: Any) -> None:
    """A half-written snapshot beside the good one is not read."""
    options = TelegramOptions(state_dir=tmp_path)
    async with TelegramSandbox(options) as sandbox, raw_bot(sandbox), started(sandbox, USER_ID):
        pass
    (tmp_path / "telegram.new").write_text('{"version":')
    async with TelegramSandbox(options) as sandbox, Customer(sandbox.base_url, USER_ID) as customer:
        assert [message["text"] for message in (await customer.chat())["messages"]] == ["/start"]
