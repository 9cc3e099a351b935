"""The customer's side of the Telegram stand-in: the chat as JSON, its events, what is not allowed, the page."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from sandbox.customer import Customer, NothingHappened, Refused
from sandbox.guard import ProductionSettings
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.page import FOLDER
from tests.e2e.sandbox_telegram_stage import BOT_ID, RawBot, keyboard, picture, raw_bot, started

USER_ID = 42
# The names of XML vocabularies look like addresses and are none.
ADDRESS = re.compile(r"https?://(?!www\.w3\.org/)[\w.-]+")


@pytest.fixture
async def sandbox() -> AsyncIterator[TelegramSandbox]:
    async with TelegramSandbox(TelegramOptions()) as running:
        yield running


@pytest.fixture
async def bot(sandbox: TelegramSandbox) -> AsyncIterator[RawBot]:
    async with raw_bot(sandbox) as raw:
        yield raw


@pytest.fixture
async def customer(sandbox: TelegramSandbox, bot: RawBot) -> AsyncIterator[Customer]:
    async with started(sandbox, USER_ID) as someone:
        yield someone


async def _events(sandbox: TelegramSandbox, bot: RawBot, after: int) -> dict[str, Any]:
    address = f"{sandbox.base_url}/customer/{USER_ID}/events"
    async with bot.session.get(address, params={"bot": BOT_ID, "after": after, "timeout": 0}) as answer:
        return dict(await answer.json())


async def test_events_tell_what_happened_in_order(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """Every change of the chat is one numbered event, and a later reader gets the rest."""
    sent = (await bot("sendMessage", chat_id=USER_ID, text="раз"))["result"]["message_id"]
    await bot("editMessageText", chat_id=USER_ID, message_id=sent, text="два")
    await bot("sendChatAction", chat_id=USER_ID, action="typing")
    await bot("deleteMessage", chat_id=USER_ID, message_id=sent)
    seen = await _events(sandbox, bot, 0)
    assert [event["type"] for event in seen["events"]] == ["message", "message", "edit", "action", "delete"]
    assert [event["seq"] for event in seen["events"]] == [1, 2, 3, 4, 5]
    assert [event["type"] for event in (await _events(sandbox, bot, 3))["events"]] == ["action", "delete"]


async def test_event_shows_the_message_as_it_was_then(
    sandbox: TelegramSandbox, bot: RawBot, customer: Customer
) -> None:
    """A reader who comes late still sees each step of a message that was edited since."""
    sent = (await bot("sendMessage", chat_id=USER_ID, text="Генерирую"))["result"]["message_id"]
    await bot("editMessageText", chat_id=USER_ID, message_id=sent, text="Готово")
    texts = [event["message"]["text"] for event in (await _events(sandbox, bot, 1))["events"]]
    assert texts == ["Генерирую", "Готово"]


async def test_reader_from_elsewhere_is_told_to_start_anew(
    sandbox: TelegramSandbox, bot: RawBot, customer: Customer
) -> None:
    """A number beyond the last one, or so old that events are forgotten, asks for the whole chat."""
    assert (await _events(sandbox, bot, 1000))["reset"]
    for number in range(600):
        sandbox.world.chats[BOT_ID, USER_ID].events.publish("action", str(number))
    forgotten = await _events(sandbox, bot, 1)
    assert (forgotten["reset"], forgotten["events"], forgotten["seq"]) == (True, [], 601)


async def test_waiting_reader_is_woken(bot: RawBot, customer: Customer) -> None:
    """A long poll ends with the event that it waited for."""
    waiting = asyncio.create_task(customer.wait_for(lambda event: event["type"] == "edit"))
    sent = (await bot("sendMessage", chat_id=USER_ID, text="раз"))["result"]["message_id"]
    await bot("editMessageText", chat_id=USER_ID, message_id=sent, text="два")
    assert (await waiting)["message"]["text"] == "два"


async def test_waiting_in_vain_tells_what_was_seen(bot: RawBot, customer: Customer) -> None:
    """Who waits for something that does not come learns what came instead."""
    await bot("sendMessage", chat_id=USER_ID, text="не то")
    with pytest.raises(NothingHappened) as nothing:
        await customer.wait_for(lambda event: event["type"] == "callback", timeout_s=0.3)
    assert [event["message"]["text"] for event in nothing.value.seen] == ["/start", "не то"]


async def test_customer_is_named_and_renamed(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """A customer is plausible from the start; a new name and language are in the next update."""
    first = (await bot("getUpdates"))["result"][0]["message"]["from"]
    assert (first["language_code"], bool(first["first_name"])) == ("ru", True)
    fields = {"first_name": "Василиса", "language_code": "en"}
    async with bot.session.put(f"{sandbox.base_url}/customer/{USER_ID}", json=fields) as answer:
        assert answer.status == 200
    await customer.send_text("hello")
    now = (await bot("getUpdates", offset=-1))["result"][0]["message"]["from"]
    assert (now["first_name"], now["language_code"], now["username"]) == ("Василиса", "en", first["username"])


async def test_commands_and_links_are_recognised(bot: RawBot, customer: Customer) -> None:
    """What a customer types carries the entities that bots look for."""
    await customer.send_text("  /start ref_7 https://example.com/a.png  ")
    message = (await bot("getUpdates", offset=-1))["result"][0]["message"]
    assert message["text"] == "/start ref_7 https://example.com/a.png"
    assert [entity["type"] for entity in message["entities"]] == ["bot_command", "url"]


@pytest.mark.parametrize(
    ("html", "shown"),
    [
        ("<b>а<i>б</i></b>&lt;b&gt;", "<strong>а<em>б</em></strong>&lt;b&gt;"),
        ('<a href="javascript:alert(1)">х</a>', "х"),
        (
            '<a href="https://e.com/?a=1&amp;b=&quot;">х</a>',
            '<a href="https://e.com/?a=1&amp;b=&quot;" target="_blank" rel="noopener noreferrer">х</a>',
        ),
        ("<blockquote>а</blockquote>\nб", "<blockquote>а</blockquote>б"),
        ('<span class="tg-spoiler">а</span>', '<span class="spoiler">а</span>'),
        ('<pre><code class="language-py">x &lt; 1</code></pre>', "<pre>x &lt; 1</pre>"),
    ],
)
async def test_formatting_is_shown_as_safe_html(bot: RawBot, customer: Customer, html: str, shown: str) -> None:
    """Only the stand-in's own tags reach the page, and links only to web addresses."""
    await bot("sendMessage", chat_id=USER_ID, text=html, parse_mode="HTML")
    assert (await customer.chat())["messages"][-1]["html"] == shown


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", " javascript:alert(1)", "JaVaScRiPt:x", "//[x"]
)
async def test_link_that_is_no_web_address_is_only_text(bot: RawBot, customer: Customer, url: str) -> None:
    """An entity that a bot states itself cannot bring a script into the page."""
    entities = [{"type": "text_link", "offset": 0, "length": 1, "url": url}]
    await bot("sendMessage", chat_id=USER_ID, text="х", entities=entities)
    html = (await customer.chat())["messages"][-1]["html"]
    assert "<a" not in html or 'href="https://' in html


async def test_overlapping_entities_are_nested(bot: RawBot, customer: Customer) -> None:
    """Entities that a bot states itself may cross; tags never do."""
    entities = [{"type": "bold", "offset": 0, "length": 2}, {"type": "italic", "offset": 1, "length": 2}]
    await bot("sendMessage", chat_id=USER_ID, text="абв", entities=entities)
    assert (await customer.chat())["messages"][-1]["html"] == "<strong>а<em>б</em></strong><em>в</em>"


async def test_reply_keyboard_is_shown_until_it_is_removed(bot: RawBot, customer: Customer) -> None:
    """The keyboard belongs to the chat; one for a single use is gone with the next text."""
    await bot("sendMessage", chat_id=USER_ID, text="?", reply_markup={"keyboard": [["Да", {"text": "Нет"}]]})
    assert (await customer.chat())["reply_keyboard"]["keyboard"] == [[{"text": "Да"}, {"text": "Нет"}]]
    await bot("sendMessage", chat_id=USER_ID, text="!", reply_markup={"remove_keyboard": True})
    assert (await customer.chat())["reply_keyboard"] is None
    once = {"keyboard": [["Да"]], "one_time_keyboard": True}
    await bot("sendMessage", chat_id=USER_ID, text="?", reply_markup=once)
    await customer.send_text("Да")
    assert (await customer.chat())["reply_keyboard"] is None


@pytest.mark.parametrize(
    ("status", "attempt"),
    [
        (409, lambda customer: customer.send_text("   ")),
        (409, lambda customer: customer.send_text("x" * 4097)),
        (409, lambda customer: customer.click(999, "y")),
        (409, lambda customer: customer.click(2, text="Нет")),
        (409, lambda customer: customer.delete(999)),
        (409, lambda customer: customer.pay(2)),
        (400, lambda customer: customer.send_media("hologram", b"x")),
        (400, lambda customer: customer.send_media("photo", b"x")),
    ],
    ids=["blank", "long", "gone", "no-button", "deleted", "no-invoice", "kind", "no-photo"],
)
async def test_client_does_not_let_one_do_what_makes_no_sense(
    bot: RawBot, customer: Customer, status: int, attempt: Callable[[Customer], Awaitable[Any]]
) -> None:
    """Each refusal has a status and a reason, and nothing reaches the bot."""
    await bot("sendMessage", chat_id=USER_ID, text="?", reply_markup=keyboard(("Да", "y")))
    with pytest.raises(Refused) as refusal:
        await attempt(customer)
    assert (refusal.value.status, bool(refusal.value.reason)) == (status, True)
    assert (await bot("getWebhookInfo"))["result"]["pending_update_count"] == 1


async def test_unknown_bot_has_no_chat(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """A bot is known from its first call on."""
    async with bot.session.get(f"{sandbox.base_url}/customer/{USER_ID}/chat", params={"bot": 999}) as answer:
        assert (answer.status, "no such bot" in (await answer.json())["error"]) == (400, True)


async def test_blocked_bot_cannot_be_written_to(customer: Customer) -> None:
    """The customer has to lift the block first."""
    await customer.block()
    with pytest.raises(Refused, match="blocked"):
        await customer.send_text("привет")


async def test_album_of_one_request_is_one_group(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """Several files in one form become an album with the caption on the first."""
    form = aiohttp.FormData()
    form.add_field("bot", str(BOT_ID))
    form.add_field("caption", "два фото")
    for name in ("a.png", "b.png"):
        form.add_field("photo", picture(), filename=name)
    async with bot.session.post(f"{sandbox.base_url}/customer/{USER_ID}/media", data=form) as answer:
        messages = (await answer.json())["messages"]
    assert [message["text"] for message in messages] == ["два фото", ""]
    assert len({message["album"] for message in messages}) == 1


async def test_known_bots_and_counters(sandbox: TelegramSandbox, bot: RawBot, customer: Customer) -> None:
    """The page learns which bots there are; tests learn what was called, sent and stored."""
    await bot("sendMessage", chat_id=USER_ID, text="?")
    async with bot.session.get(f"{sandbox.base_url}/customer/bots") as answer:
        assert [known["id"] for known in (await answer.json())["bots"]] == [BOT_ID]
    async with bot.session.get(f"{sandbox.base_url}/_sandbox/telegram/stats") as answer:
        stats = await answer.json()
    assert stats["calls"] == {"getMe": 1, "sendMessage": 1}
    assert (stats["sends"], stats["customer_messages"]) == (1, 1)
    assert stats["stored_messages"] == {f"{BOT_ID}/{USER_ID}": 2}


async def test_page_loads_nothing_from_outside(sandbox: TelegramSandbox, bot: RawBot) -> None:
    """The page and all it asks for come from the stand-in, and its policy allows nothing else."""
    async with bot.session.get(f"{sandbox.base_url}/") as answer:
        page, policy = await answer.text(), answer.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'")
    for path in re.findall(r'(?:href|src)="(/chat/[\w.]+)"', page):
        async with bot.session.get(sandbox.base_url + path) as answer:
            assert (answer.status, answer.content_type in {"text/css", "text/javascript"}) == (200, True)
    sources = "".join(path.read_text() for path in sorted(FOLDER.iterdir()))
    assert ADDRESS.findall(sources) == []


async def test_page_serves_only_its_own_files(sandbox: TelegramSandbox, bot: RawBot) -> None:
    """Nothing else of the folder, and nothing above it."""
    for path in ("/chat/index.html", "/chat/..%2Ftelegram.py", "/chat/secret.js"):
        async with bot.session.get(sandbox.base_url + path) as answer:
            assert answer.status == 404


async def test_start_is_refused_beside_production_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in does not run in a terminal that holds a real token."""
    monkeypatch.setenv("TELEGRAM_BOT_TOKEN", "123456:AAE-real-looking")
    with pytest.raises(ProductionSettings):
        await TelegramSandbox(TelegramOptions()).start()
