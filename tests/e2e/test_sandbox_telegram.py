"""The Telegram stand-in talks to an independent client library as Telegram does: messages, edits, buttons, refusals."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    LabeledPrice,
    PreCheckoutQuery,
    ReplyKeyboardMarkup,
    ReplyParameters,
)
from telegram.error import BadRequest, Forbidden, InvalidToken, RetryAfter

from sandbox.customer import Customer, Refused
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.limits import FloodLimits
from tests.e2e.sandbox_telegram_stage import BOT_ID, TOKEN, library_bot, raw_bot, started

USER_ID = 42
BUTTON = InlineKeyboardMarkup([[InlineKeyboardButton("Дальше", callback_data="next")]])


@pytest.fixture
async def sandbox() -> AsyncIterator[TelegramSandbox]:
    async with TelegramSandbox(TelegramOptions(callback_lifetime_s=30, pre_checkout_s=5)) as running:
        yield running


@pytest.fixture
async def bot(sandbox: TelegramSandbox) -> AsyncIterator[Bot]:
    async with library_bot(sandbox) as library:
        yield library


@pytest.fixture
async def customer(sandbox: TelegramSandbox, bot: Bot) -> AsyncIterator[Customer]:
    async with started(sandbox, USER_ID) as someone:
        yield someone


async def test_get_me_names_the_bot_by_the_digits_of_its_token(bot: Bot) -> None:
    """A token's digits are the bot."""
    assert (await bot.get_me()).id == BOT_ID


async def test_token_of_a_real_bot_is_refused(sandbox: TelegramSandbox) -> None:
    """Nothing but a sandbox's token is let in."""
    with pytest.raises(InvalidToken):
        async with library_bot(sandbox, "7001:AAE-real-looking"):
            pass


async def test_message_reaches_the_customer_formatted(bot: Bot, customer: Customer) -> None:
    """HTML becomes entities for the bot and safe HTML for the page, and what looked like a tag stays text."""
    sent = await bot.send_message(USER_ID, "<b>Цена</b> &lt;script&gt;", parse_mode="HTML", reply_markup=BUTTON)
    seen = await customer.wait_until(lambda message: message["from"] == "bot")
    assert sent.text == "Цена <script>"
    assert [(entity.type, entity.offset, entity.length) for entity in sent.entities] == [("bold", 0, 4)]
    assert seen["html"] == "<strong>Цена</strong> &lt;script&gt;"
    assert seen["inline_keyboard"][0][0]["callback_data"] == "next"


async def test_entities_count_utf16_units(bot: Bot, customer: Customer) -> None:
    """An emoji before bold text shifts it by two, as in the Bot API."""
    sent = await bot.send_message(USER_ID, "😀 *да*", parse_mode="MarkdownV2")
    assert [(entity.type, entity.offset, entity.length) for entity in sent.entities] == [("bold", 3, 2)]
    assert sent.parse_entity(sent.entities[0]) == "да"


@pytest.mark.parametrize(
    ("text", "mode", "complaint"),
    [
        ("<b>", "HTML", 'Can\'t find end tag corresponding to start tag "b"'),
        ("<b>x</i>", "HTML", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("ы <div>", "HTML", 'Unsupported start tag "div" at byte offset 3'),
        ("10.5", "MarkdownV2", "Character '.' is reserved and must be escaped with the preceding '\\'"),
        ("*x", "MarkdownV2", "Can't find end of Bold entity at byte offset 0"),
    ],
)
async def test_formatting_that_does_not_parse_sends_nothing(
    bot: Bot, customer: Customer, text: str, mode: str, complaint: str
) -> None:
    """The complaint names the place in bytes, and the chat stays as it was."""
    with pytest.raises(BadRequest) as refusal:
        await bot.send_message(USER_ID, text, parse_mode=mode)
    assert refusal.value.message.lower() == f"can't parse entities: {complaint}".lower()
    assert len((await customer.chat())["messages"]) == 1


async def test_edit_changes_the_message_in_place_and_not_twice(bot: Bot, customer: Customer) -> None:
    """The same edit again is "not modified", which is how a repeated delivery is recognised."""
    sent = await bot.send_message(USER_ID, "Генерирую", reply_markup=BUTTON)
    edited = await bot.edit_message_text("Готово", USER_ID, sent.message_id, reply_markup=BUTTON)
    with pytest.raises(BadRequest, match="Message is not modified: specified new message content and reply markup"):
        await bot.edit_message_text("Готово", USER_ID, sent.message_id, reply_markup=BUTTON)
    assert isinstance(edited, type(sent))
    assert edited.message_id == sent.message_id
    assert edited.edit_date is not None
    assert [message["text"] for message in (await customer.chat())["messages"]] == ["/start", "Готово"]


async def test_edit_without_keyboard_takes_it_away(bot: Bot, customer: Customer) -> None:
    """A keyboard that an edit does not repeat is gone, and its absence is a modification."""
    sent = await bot.send_message(USER_ID, "Готово", reply_markup=BUTTON)
    edited = await bot.edit_message_text("Готово", USER_ID, sent.message_id)
    assert isinstance(edited, type(sent))
    assert edited.reply_markup is None


async def test_edit_is_refused_where_it_cannot_be_done(bot: Bot, customer: Customer) -> None:
    """A deleted message, the customer's own message and one with a reply keyboard each have their refusal."""
    gone = await bot.send_message(USER_ID, "раз")
    await customer.delete(gone.message_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("два", USER_ID, gone.message_id)
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("два", USER_ID, 1)
    with_keyboard = await bot.send_message(USER_ID, "раз", reply_markup=ReplyKeyboardMarkup([["Меню"]]))
    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("два", USER_ID, with_keyboard.message_id)
    with pytest.raises(BadRequest, match="There is no caption in the message to edit"):
        await bot.edit_message_caption(USER_ID, (await bot.send_message(USER_ID, "x")).message_id, caption="y")


@pytest.mark.parametrize(
    ("text", "refusal"),
    [("x" * 4097, "Message is too long"), (" \n ", "Message text is empty")],
)
async def test_text_beyond_the_limits_is_refused(bot: Bot, customer: Customer, text: str, refusal: str) -> None:
    """4096 characters and not one more, and not none."""
    with pytest.raises(BadRequest, match=refusal):
        await bot.send_message(USER_ID, text)


async def test_text_is_measured_after_parsing(bot: Bot, customer: Customer) -> None:
    """Tags do not count."""
    sent = await bot.send_message(USER_ID, f"<b>{'x' * 4096}</b>", parse_mode="HTML")
    assert len(sent.text or "") == 4096


@pytest.mark.parametrize(("data", "fits"), [("ы" * 32, True), ("ы" * 32 + "x", False), ("", False)])
async def test_callback_data_is_measured_in_bytes(
    sandbox: TelegramSandbox, customer: Customer, data: str, fits: bool
) -> None:
    """64 bytes are 32 Cyrillic letters."""
    markup = {"inline_keyboard": [[{"text": "x", "callback_data": data}]]}
    async with raw_bot(sandbox) as raw:
        answer = await raw("sendMessage", chat_id=USER_ID, text="x", reply_markup=markup)
    assert answer["ok"] == fits
    assert fits or answer["description"] == "Bad Request: BUTTON_DATA_INVALID"


async def test_click_is_answered_once(bot: Bot, customer: Customer) -> None:
    """A press becomes a callback query, its answer a toast, and a second answer comes too late."""
    sent = await bot.send_message(USER_ID, "Меню", reply_markup=BUTTON)
    await customer.click(sent.message_id, text="Дальше")
    query = (await bot.get_updates(offset=-1))[0].callback_query
    assert query is not None
    assert (query.data, query.from_user.id) == ("next", USER_ID)
    await bot.answer_callback_query(query.id, "Секунду", show_alert=True)
    toast = await customer.wait_for(lambda event: event["type"] == "callback")
    assert (toast["callback_query_id"], toast["text"], toast["show_alert"]) == (query.id, "Секунду", True)
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired or query id is invalid"):
        await bot.answer_callback_query(query.id)


async def test_click_expires() -> None:
    """An answer after the lifetime of the query is refused."""
    async with (
        TelegramSandbox(TelegramOptions(callback_lifetime_s=0)) as sandbox,
        library_bot(sandbox) as bot,
        started(sandbox, USER_ID) as customer,
    ):
        sent = await bot.send_message(USER_ID, "Меню", reply_markup=BUTTON)
        query_id = await customer.click(sent.message_id, "next")
        with pytest.raises(BadRequest, match="Query is too old"):
            await bot.answer_callback_query(query_id)


async def test_old_button_still_presses(bot: Bot, customer: Customer) -> None:
    """A slow client presses what has been edited away; pressing by text needs the button to be there."""
    sent = await bot.send_message(USER_ID, "Меню", reply_markup=BUTTON)
    await bot.edit_message_text("Меню", USER_ID, sent.message_id)
    await customer.click(sent.message_id, "next")
    assert (await bot.get_updates(offset=-1))[0].callback_query is not None
    with pytest.raises(Refused):
        await customer.click(sent.message_id, text="Дальше")


async def test_stranger_cannot_be_written_to(bot: Bot, customer: Customer) -> None:
    """A bot may not begin a conversation, and a chat that cannot exist is another refusal."""
    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(USER_ID + 1, "Привет")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(-100500, "Привет")


async def test_customer_who_blocked_the_bot_gets_nothing(bot: Bot, customer: Customer) -> None:
    """403 while blocked, an update that says so, and writing again after the block is lifted."""
    await customer.block()
    membership = (await bot.get_updates(offset=-1))[0].my_chat_member
    assert membership is not None
    assert membership.new_chat_member.status == "kicked"
    with pytest.raises(Forbidden, match="bot was blocked by the user"):
        await bot.send_message(USER_ID, "Вернитесь")
    await customer.block(blocked=False)
    assert (await bot.send_message(USER_ID, "Рады видеть")).message_id == 2


async def test_flood_is_stopped_with_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the burst the pause is told in seconds, and nothing is sent."""
    monkeypatch.setenv("PTB_TIMEDELTA", "true")
    limits = FloodLimits(chat_per_s=0.001, chat_burst=2)
    async with (
        TelegramSandbox(TelegramOptions(flood=limits)) as sandbox,
        library_bot(sandbox) as bot,
        started(sandbox, USER_ID) as customer,
    ):
        for _ in range(2):
            await bot.send_message(USER_ID, "да")
        with pytest.raises(RetryAfter) as refusal:
            await bot.send_message(USER_ID, "нет")
        assert refusal.value.retry_after != timedelta()
        assert [message["text"] for message in (await customer.chat())["messages"]] == ["/start", "да", "да"]


async def test_reply_copy_and_delete(bot: Bot, customer: Customer) -> None:
    """A reply names its message, a copy is a message of its own, and what is deleted cannot be deleted again."""
    sent = await bot.send_message(USER_ID, "раз", reply_parameters=ReplyParameters(1))
    copied = await bot.copy_message(USER_ID, USER_ID, sent.message_id)
    assert sent.reply_to_message is not None
    assert sent.reply_to_message.text == "/start"
    assert copied.message_id == sent.message_id + 1
    await bot.delete_message(USER_ID, sent.message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(USER_ID, sent.message_id)
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(USER_ID, "два", reply_parameters=ReplyParameters(sent.message_id))
    assert await bot.delete_messages(USER_ID, [sent.message_id, copied.message_id])


async def test_commands_and_descriptions_are_kept(bot: Bot, customer: Customer) -> None:
    """What the bot says about itself is what the customer's page shows."""
    await bot.set_my_commands([BotCommand("start", "Начать")])
    await bot.set_my_commands([BotCommand("start", "Start")], language_code="en")
    await bot.set_my_description("Картинки и видео")
    assert (await bot.get_my_commands())[0].description == "Начать"
    shown = (await customer.chat())["bot"]
    assert (shown["commands"], shown["description"]) == (
        [{"command": "start", "description": "Начать"}],
        "Картинки и видео",
    )
    with pytest.raises(BadRequest, match="Bot_command_invalid"):
        await bot.set_my_commands([BotCommand("Start", "x")])


async def test_get_chat_and_chat_action(bot: Bot, customer: Customer) -> None:
    """The library can read the chat's details, and the customer sees that the bot is typing."""
    assert (await bot.get_chat(USER_ID)).username == f"customer{USER_ID}"
    await bot.send_chat_action(USER_ID, "upload_photo")
    assert (await customer.wait_for(lambda event: event["type"] == "action"))["action"] == "upload_photo"


async def _invoice(bot: Bot, **changes: object) -> int:
    fields: dict[str, object] = {
        "title": "100 ₽",
        "description": "Пополнение",
        "payload": "topup-1",
        "currency": "XTR",
        "prices": [LabeledPrice("Звёзды", 50)],
        **changes,
    }
    return (await bot.send_invoice(USER_ID, **fields)).message_id  # type: ignore[arg-type]  # by name


async def _checkout(bot: Bot) -> PreCheckoutQuery:
    """The next pre-checkout query; what comes before it is passed over."""
    offset = None
    while True:
        for update in await bot.get_updates(offset=offset, timeout=5):
            offset = update.update_id + 1
            if update.pre_checkout_query is not None:
                return update.pre_checkout_query


async def test_payment_in_stars_goes_through_the_bot(bot: Bot, customer: Customer) -> None:
    """The bot agrees before, is told after, finds it among its transactions, and can give it back once."""
    message_id = await _invoice(bot)
    paying = asyncio.create_task(customer.pay(message_id))
    query = await _checkout(bot)
    assert (query.currency, query.total_amount, query.invoice_payload) == ("XTR", 50, "topup-1")
    await bot.answer_pre_checkout_query(query.id, ok=True)
    assert (await paying)["status"] == "paid"

    message = (await bot.get_updates(offset=-1))[0].message
    assert message is not None
    assert message.successful_payment is not None
    charge_id = message.successful_payment.telegram_payment_charge_id
    listed = (await bot.get_star_transactions()).transactions
    assert [(transaction.id, transaction.amount) for transaction in listed] == [(charge_id, 50)]
    with pytest.raises(Refused, match="paid already"):
        await customer.pay(message_id)

    assert await bot.refund_star_payment(USER_ID, charge_id)
    with pytest.raises(BadRequest, match="Charge_already_refunded"):
        await bot.refund_star_payment(USER_ID, charge_id)
    assert len((await bot.get_star_transactions()).transactions) == 2


async def test_payment_is_declined_or_expires(bot: Bot, customer: Customer) -> None:
    """What the bot says against it is told to the customer, and the invoice stays open."""
    message_id = await _invoice(bot)
    paying = asyncio.create_task(customer.pay(message_id))
    query = await _checkout(bot)
    await bot.answer_pre_checkout_query(query.id, ok=False, error_message="Цена изменилась")
    assert await paying == {"ok": False, "status": "declined", "error": "Цена изменилась"}
    with pytest.raises(BadRequest, match="Query is too old"):
        await bot.answer_pre_checkout_query(query.id, ok=True)
    assert (await bot.get_star_transactions()).transactions == ()


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"payload": "x" * 129}, "Invoice_payload_invalid"),
        ({"currency": "RUB"}, "Payment_provider_invalid"),
        ({"prices": [LabeledPrice("a", 1), LabeledPrice("b", 1)]}, "Currency_total_amount_invalid"),
    ],
)
async def test_invoice_outside_the_rules_is_refused(
    bot: Bot, customer: Customer, changes: dict[str, object], refusal: str
) -> None:
    """Stars only, one price, 128 bytes of payload."""
    with pytest.raises(BadRequest, match=refusal):
        await _invoice(bot, **changes)


async def test_two_bots_live_side_by_side(sandbox: TelegramSandbox, bot: Bot, customer: Customer) -> None:
    """A customer's chat with one bot is nothing to the other."""
    async with library_bot(sandbox, "7002:sandbox-other") as other:
        with pytest.raises(Forbidden, match="can't initiate"):
            await other.send_message(USER_ID, "Привет")
        assert await other.get_updates() == ()
    assert len(await bot.get_updates()) == 1


async def test_unknown_method_and_form_body(sandbox: TelegramSandbox, customer: Customer) -> None:
    """404 for what does not exist; parameters may come as a form, a query or JSON, the name in any case."""
    async with raw_bot(sandbox, TOKEN) as raw:
        assert (await raw("sendTelepathy"))["error_code"] == 404
        async with raw.session.post(f"{raw.base}/SENDMESSAGE", data={"chat_id": USER_ID, "text": "форма"}) as answer:
            assert (await answer.json())["result"]["text"] == "форма"
        async with raw.session.get(f"{raw.base}/sendMessage", params={"chat_id": USER_ID, "text": "адрес"}) as answer:
            assert (await answer.json())["result"]["text"] == "адрес"
