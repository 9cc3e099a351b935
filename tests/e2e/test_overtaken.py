"""An update that is dealt with slowly, and again, never reaches into what happened after it."""

import asyncio
import json
from typing import Any

from kiosk.db import Database
from kiosk.generations import drafts
from sandbox.customer import Customer
from tests.openshop import BOT, PATIENCE_S, OpenShop, an_open_shop, at_the_card, button, confirmed, message, shows

SLOW_S = 3


async def at_the_ratios(customer: Customer) -> tuple[dict[str, Any], dict[str, Any]]:
    """The prompt as written, and the question that came after it."""
    await customer.send_text("/start")
    home = await customer.wait_until(shows("Привет"), PATIENCE_S)
    await customer.click(home["message_id"], button(home, "Создать картинку"))
    await customer.wait_until(shows("Опишите картинку"), PATIENCE_S)
    wrote = await customer.send_text("кот")
    return wrote, await customer.wait_until(shows("Выберите формат"), PATIENCE_S)


async def sent_again(shop: OpenShop, customer_id: int, message_id: int) -> None:
    """The update of this message reaches the shop once more, as after an answer that was lost."""
    assert shop.front.running is not None
    world = shop.telegram.world
    chat = world.chat(BOT, customer_id)
    newest = world.bots[BOT].queue.next_id - 1
    update = {"update_id": newest, "message": world.as_message(chat, chat.messages[message_id])}
    await shop.front.running.intakes[BOT].take(json.dumps(update).encode())


async def test_repeated_words_never_take_a_result_away(database: Database, dsn: str) -> None:
    """The repetition is so slow that the question before it is a picture when it wants to tidy up."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        wrote, ratios = await at_the_ratios(customer)
        shop.telegram_fault("slow", "sendMessage", delay_s=SLOW_S)
        again = asyncio.create_task(sent_again(shop, 1001, wrote["message_id"]))
        while shop.telegram.faults.active():
            await asyncio.sleep(0.01)
        await customer.click(ratios["message_id"], button(ratios, "16:9"))
        card = await customer.wait_until(shows("Цена"), PATIENCE_S)
        await shop.settled_order(await confirmed(customer, card))
        await again
        assert (await message(customer, card["message_id"]))["media"]
        found = (await customer.chat())["messages"]
        assert sum(bool(item["media"]) for item in found) == 1


async def test_order_stays_where_its_wizard_moved(database: Database, dsn: str) -> None:
    """Create is pressed in a card that the wizard has just left: the order does not go back there."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        newer = card["message_id"] + 100
        async with database.transaction() as tx:
            assert await drafts.move(tx, int(button(card, "Создать").split(":")[1]), newer, was=card["message_id"])
        order = await confirmed(customer, card)
        assert (await shop.settled_order(order)).message_id == newer
        async with database.transaction() as tx:
            assert not await drafts.move(tx, order, card["message_id"], was=newer)


async def test_press_dealt_with_too_late_does_not_move_the_wizard(database: Database, dsn: str) -> None:
    """A replica wakes up with a screen from long ago, whose message is gone: the order stays where it was pressed."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        assert shop.front.running is not None
        world = shop.telegram.world
        chat = world.chat(BOT, 1001)
        await customer.send_text("/start")
        home = await customer.wait_until(shows("Привет"), PATIENCE_S)
        press = {
            "update_id": 1,
            "callback_query": {
                "id": "1",
                "from": chat.user.as_user(),
                "chat_instance": "1",
                "message": world.as_message(chat, chat.messages[home["message_id"]]),
                "data": button(home, "Создать картинку"),
            },
        }
        shop.telegram_fault("slow", "editMessageText", delay_s=SLOW_S)
        late = asyncio.create_task(shop.front.running.intakes[BOT].take(json.dumps(press).encode()))
        while shop.telegram.faults.active():
            await asyncio.sleep(0.01)
        await customer.send_text("кот")
        ratios = await customer.wait_until(shows("Выберите формат"), PATIENCE_S)
        await customer.click(ratios["message_id"], button(ratios, "16:9"))
        card = await customer.wait_until(shows("Цена"), PATIENCE_S)
        await late
        order = await shop.settled_order(await confirmed(customer, card))
        assert order.message_id == card["message_id"]
        shown = (await customer.chat())["messages"]
        assert [item["message_id"] for item in shown if item["media"]] == [card["message_id"]]
        assert not any("Опишите картинку" in (item["text"] or "") for item in shown)


async def test_wizard_never_returns_to_a_message_that_is_about_to_be_taken_away(database: Database, dsn: str) -> None:
    """Repeated words move the wizard, and the copy that it left is pressed before it is gone: nothing is lost."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        wrote, ratios = await at_the_ratios(customer)
        while any("Опишите картинку" in (item["text"] or "") for item in (await customer.chat())["messages"]):
            await asyncio.sleep(0.01)
        shop.telegram_fault("slow", "deleteMessage", delay_s=SLOW_S)
        again = asyncio.create_task(sent_again(shop, 1001, wrote["message_id"]))
        while shop.telegram.faults.active():
            await asyncio.sleep(0.01)
        await customer.click(ratios["message_id"], button(ratios, "16:9"))
        card = await customer.wait_until(shows("Цена"), PATIENCE_S)
        assert card["message_id"] > ratios["message_id"]
        order = await confirmed(customer, card)
        await again
        assert (await shop.settled_order(order)).message_id == card["message_id"]
        assert (await message(customer, card["message_id"]))["media"]
