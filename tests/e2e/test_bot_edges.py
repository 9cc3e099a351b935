"""Awkward moments in the chat: slow servers, lost messages, old buttons, groups; the customer is always answered."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from kiosk.bot.buttons import Choose, Create, Home, model_code, pack
from kiosk.bot.handlers import HELP
from kiosk.bot.intake import BotIntake
from kiosk.bot.kinds import ALLOWED_UPDATES
from kiosk.bot.opening import COMMANDS
from kiosk.bot.replies import Pressed, Reply
from kiosk.bot.screens import Button
from kiosk.customers import store as customers
from kiosk.customers.arrive import Visitor
from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.deliver import recipient
from kiosk.generations.states import State
from sandbox.customer import Customer
from tests.openshop import BOT, PATIENCE_S, OpenShop, an_open_shop, at_the_card, button, confirmed, message, shows
from tests.workshop import a_desk, a_workshop

ANNA = 1001
GROUP = -100500


@contextlib.asynccontextmanager
async def a_sound_shop(dsn: str, db: Database) -> AsyncIterator[OpenShop]:
    """An open shop that deals with every update: at the end none has failed."""
    with structlog.testing.capture_logs() as log:
        async with an_open_shop(dsn, db) as shop:
            yield shop
    assert [entry for entry in log if entry["event"] in {"update.failed", "queue.job_failed"}] == []


def intake(shop: OpenShop) -> BotIntake:
    assert shop.front.running is not None
    taken = shop.front.running.intakes[BOT]
    assert isinstance(taken, BotIntake)
    return taken


async def give(shop: OpenShop, kind: str, event: dict[str, Any]) -> None:
    """An update that the stand-in would not make up by itself."""
    update_id = 900_000_000 + time.monotonic_ns() % 10**9
    assert await intake(shop).take(json.dumps({"update_id": update_id, kind: event}).encode())


async def answered(customer: Customer, query: str) -> dict[str, Any]:
    """The end of the spinner on a button."""
    return await customer.wait_for(lambda event: event.get("callback_query_id") == query, PATIENCE_S)


async def test_spinner_ends_while_the_database_does_not_answer(database: Database, dsn: str) -> None:
    """Somebody else holds the customer's accounts: the press is acknowledged all the same, and done afterwards."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        async with database.transaction() as tx:
            await tx.execute("SELECT FROM accounts FOR UPDATE")
            query = await customer.click(card["message_id"], button(card, "Создать"))
            await answered(customer, query)
            waiting = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = $1"
            )
            assert await tx.fetchval(waiting, "Lock") == 1
        await customer.wait_until(shows("Готово"), PATIENCE_S)


async def test_query_that_is_too_old_is_no_error(database: Database, dsn: str) -> None:
    """An update that waited long: its spinner cannot be ended any more, its press counts."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text("/start")
        home = await customer.wait_until(shows("Привет"), PATIENCE_S)
        person = {"id": ANNA, "is_bot": False, "first_name": "Анна", "language_code": "ru"}
        shown = {"message_id": home["message_id"], "date": 1, "chat": {"id": ANNA, "type": "private"}, "text": "x"}
        data = button(home, "Создать картинку")
        query = {"id": "forgotten", "from": person, "message": shown, "chat_instance": "1", "data": data}
        await give(shop, "callback_query", query)
        await customer.wait_until(shows("Опишите картинку"), PATIENCE_S)
        assert shop.telegram.world.stats.refusals[400] == 1


@pytest.mark.parametrize("fault", ["bad_gateway", "error_before", "drop_before"])
async def test_press_counts_though_its_spinner_stays(database: Database, dsn: str, fault: str) -> None:
    """answerCallbackQuery is decoration: when it fails, the press is done all the same, once."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text("/start")
        home = await customer.wait_until(shows("Привет"), PATIENCE_S)
        shop.telegram_fault(fault, "answerCallbackQuery")
        await customer.click(home["message_id"], button(home, "Создать картинку"))
        await customer.wait_until(shows("Опишите картинку"), PATIENCE_S)


async def test_screen_that_is_shown_already_is_no_error(database: Database, dsn: str) -> None:
    """The same button twice: "message is not modified" is what was wanted."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text("/start")
        home = await customer.wait_until(shows("Привет"), PATIENCE_S)
        for _ in range(2):
            await answered(customer, await customer.click(home["message_id"], pack(Home())))
        await until(lambda: shop.telegram.world.stats.refusals[400] == 2)
        assert len((await customer.chat())["messages"]) == 2


async def test_wizard_whose_message_was_deleted_goes_on_in_a_new_one(database: Database, dsn: str) -> None:
    """The customer deletes the card as they press: it comes back below, and that message becomes the picture."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        shop.telegram_fault("forget_message", "editMessageText")
        await customer.click(card["message_id"], button(card, "Изменить"))
        menu = await customer.wait_until(shows("Что изменить?"), PATIENCE_S)
        assert menu["message_id"] > card["message_id"]
        await customer.click(menu["message_id"], button(menu, "Назад"))
        again = await customer.wait_until(shows("Цена"), PATIENCE_S)
        assert again["message_id"] == menu["message_id"]
        await shop.settled_order(await confirmed(customer, again))
        assert (await message(customer, menu["message_id"]))["media"]


async def test_customer_who_blocks_while_pressing_is_no_error(database: Database, dsn: str) -> None:
    """Telegram refuses to show it to them: the update is done with, not tried again and again."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        shop.telegram_fault("blocked", "editMessageText")
        await answered(customer, await customer.click(card["message_id"], button(card, "Изменить")))
        await until(lambda: len(shop.telegram.world.bots[BOT].queue) == 0)
        assert shop.telegram.world.stats.webhook_retries == 0


async def test_press_is_acknowledged_while_the_provider_hangs(database: Database, dsn: str) -> None:
    """The update is done and the status is shown long before the provider has said a word."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("slow", "createTask", seconds=3)
        card = await at_the_card(customer)
        query = await customer.click(card["message_id"], button(card, "Создать"))
        await answered(customer, query)
        await customer.wait_until(shows("Генерирую"), PATIENCE_S)
        await until(lambda: len(shop.telegram.world.bots[BOT].queue) == 0)
        assert shop.kie.provider.desk.created == 0
        assert (await shop.settled_order(int(button(card, "Создать").split(":")[1]))).state is State.DONE


async def test_ring_after_a_flood_wait_comes(database: Database, dsn: str) -> None:
    """Telegram asked to wait, so nothing was sent: the customer is notified afterwards, once."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        shop.telegram_fault("flood", "sendMessage")
        await shop.settled_order(await confirmed(customer, card))
        chat = await customer.chat()
        assert sum("смотрите выше" in (item["text"] or "") for item in chat["messages"]) == 1


@pytest.mark.parametrize(
    "data", ["s:99999999999999999999", "go:1:99999999999999999999", "a:7:0:0", "m:nothing", "😀" * 16]
)
async def test_strange_button_is_answered(database: Database, dsn: str, data: str) -> None:
    """A number that no column holds, a model that there is not, an invention: something sensible is shown."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text("/start")
        home = await customer.wait_until(shows("Привет"), PATIENCE_S)
        await answered(customer, await customer.click(home["message_id"], data))
        await until(lambda: len(shop.telegram.world.bots[BOT].queue) == 0)


async def test_longest_awkward_prompt_reaches_the_card(database: Database, dsn: str) -> None:
    """A thousand characters that each become five in HTML: shown, priced, generated."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer, prompt="&<" * 500)
        assert "&<&<" in card["text"]
        order = await shop.settled_order(await confirmed(customer, card))
        assert order.inputs["prompt"] == "&<" * 500


async def test_every_registered_update_is_subscribed(database: Database, dsn: str) -> None:
    """What the handlers take is what Telegram is asked for, on the webhook too; nothing else is."""
    async with an_open_shop(dsn, database) as shop:
        assert set(ALLOWED_UPDATES) == set(intake(shop).dispatcher.resolve_used_update_types())
        assert set(ALLOWED_UPDATES) == set(shop.telegram.world.bots[BOT].queue.allowed or ())


async def test_every_command_of_the_menu_is_handled(database: Database, dsn: str) -> None:
    """Whatever the menu shows, and what else Telegram wants of a bot, is answered with something of its own."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        for command in (*COMMANDS, *HELP):
            wrote = await customer.send_text(f"/{command}")
            after = wrote["message_id"]
            answer = await customer.wait_until(
                lambda message, after=after: message["from"] == "bot" and message["message_id"] > after, PATIENCE_S
            )
            assert not answer["text"].startswith("Я понимаю"), command


async def test_leaving_a_group_is_not_blocking_the_bot(database: Database, dsn: str) -> None:
    """Whoever removes the bot from a group can still be written to; whoever blocks it cannot."""
    async with a_sound_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text("/start")
        await customer.wait_until(shows("Привет"), PATIENCE_S)
        for chat, blocked in (({"id": GROUP, "type": "supergroup", "title": "x"}, False), (private(), True)):
            await give(shop, "my_chat_member", removal(chat))
            async with database.reading() as tx:
                found = await customers.find(tx, BOT, ANNA)
            assert found is not None
            assert found.blocked is blocked


def private() -> dict[str, Any]:
    return {"id": ANNA, "type": "private", "first_name": "Анна"}


def removal(chat: dict[str, Any]) -> dict[str, Any]:
    """Anna takes the bot out of this chat."""
    bot = {"id": BOT, "is_bot": True, "first_name": "Kiosk"}
    return {
        "chat": chat,
        "from": {"id": ANNA, "is_bot": False, "first_name": "Анна"},
        "date": 1,
        "old_chat_member": {"user": bot, "status": "member"},
        "new_chat_member": {"user": bot, "status": "kicked", "until_date": 0},
    }


async def until(reached: Any) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not reached():
            await asyncio.sleep(0.01)


# Groups: the stand-in for Telegram has private chats only, so these talk to the desk itself.

VISITOR = Visitor(BOT, ANNA, "Анна", "anna", "ru")
CHOOSE = pack(Choose(model_code("z-image")))


async def a_known_bot(database: Database) -> None:
    async with database.transaction() as tx:
        await customers.remember_bot(tx, BOT, "kiosk_sandbox_bot")


def labelled(reply: Reply | None, label: str) -> Button:
    assert reply is not None
    assert reply.screen is not None
    return next(item for row in reply.screen.rows for item in row if label in item.text)


async def test_order_placed_in_a_group_lands_in_the_group(database: Database) -> None:
    """From the first press to the address of the result it is one chat."""
    await a_known_bot(database)
    async with a_workshop(database) as shop:
        desk = a_desk(shop)
        await desk.press(VISITOR, Pressed(GROUP, 5, 1, CHOOSE))
        ratios = await desk.text(VISITOR, GROUP, "кот", 2)
        assert ratios is not None
        assert ratios.draft is not None
        await desk.shown(ratios.draft, 8)
        card = await desk.press(VISITOR, Pressed(GROUP, 8, 3, pack(labelled(ratios, "16:9").press)))
        create = labelled(card, "Создать").press
        assert isinstance(create, Create)
        await desk.press(VISITOR, Pressed(GROUP, 8, 4, pack(create)))
        await shop.submit(create.generation_id)
        order = await shop.ended(create.generation_id)
        async with database.reading() as tx:
            to = recipient(order, await customers.get(tx, order.customer_id), None)
        assert (order.state, to.chat_id, to.message_id) == (State.DONE, GROUP, 8)


async def test_words_in_another_chat_answer_nothing(database: Database) -> None:
    """A draft waits for its prompt in private: what its customer says in a group is not for us."""
    await a_known_bot(database)
    async with a_workshop(database) as shop:
        desk = a_desk(shop)
        asked = await desk.press(VISITOR, Pressed(ANNA, 5, 1, CHOOSE))
        assert await desk.text(VISITOR, GROUP, "привет всем", 2) is None
        assert asked.draft is not None
        async with database.reading() as tx:
            draft = await store.get(tx, asked.draft.id)
        assert draft is not None
        assert draft.inputs == {}
        answer = await desk.text(VISITOR, ANNA, "кот", 3)
        assert answer is not None
        assert answer.draft is not None
        assert answer.draft.id == asked.draft.id


async def test_button_of_somebody_else_leads_to_ones_own(database: Database) -> None:
    """In a group anybody can press: the order of another is neither shown nor touched."""
    await a_known_bot(database)
    async with a_workshop(database) as shop:
        desk = a_desk(shop)
        asked = await desk.press(VISITOR, Pressed(GROUP, 5, 1, CHOOSE))
        stranger = Visitor(BOT, 2002, "Борис", None, "ru")
        reply = await desk.press(stranger, Pressed(GROUP, 5, 2, pack(labelled(asked, "Отмена").press)))
        assert reply.screen is not None
        assert reply.screen.fresh
        assert asked.draft is not None
        async with database.reading() as tx:
            draft = await store.get(tx, asked.draft.id)
        assert draft is not None
        assert draft.state is State.DRAFT
