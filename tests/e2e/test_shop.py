"""What a customer sees in the chat, with everything real behind it."""

import asyncio
from typing import Any

import pytest

from kiosk.db import Database
from kiosk.generations.states import State
from tests.openshop import PATIENCE_S, an_open_shop, at_the_card, button, confirmed, message, shows


def pictures(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [item for item in chat["messages"] if item["media"] and item["from"] == "bot"]


@pytest.mark.parametrize("mode", ["webhook", "polling"])
async def test_order_turns_its_own_message_into_the_picture(database: Database, dsn: str, mode: str) -> None:
    """The card's message is the status and then the picture; one short reply rings."""
    async with an_open_shop(dsn, database, mode=mode) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        assert (await shop.settled_order(order)).state is State.DONE
        chat = await customer.chat()
        assert [item["message_id"] for item in pictures(chat)] == [card["message_id"]]
        rings = [item for item in chat["messages"] if "смотрите выше" in (item["text"] or "")]
        assert len(rings) == 1
        assert await shop.broken_invariants() == []


async def test_twenty_clicks_are_one_order(database: Database, dsn: str) -> None:
    """Impatient clicking buys one picture."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        data = button(card, "Создать")
        await asyncio.gather(*(customer.click(card["message_id"], data) for _ in range(20)))
        await shop.settled_order(int(data.split(":")[1]))
        assert len(pictures(await customer.chat())) == 1
        assert shop.kie.provider.desk.created == 1


async def test_failure_says_so_and_gives_a_way_to_try_again(database: Database, dsn: str) -> None:
    """The reason in plain words, no word of the provider, the money back, and a retry that works."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("task_fail", "createTask", code="500", msg="kie internal upstream error")
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        await shop.settled_order(order)
        told = await message(customer, card["message_id"])
        assert "вернулись на баланс" in told["text"]
        assert "kie" not in told["text"].lower()
        await customer.click(told["message_id"], button(told, "Попробовать снова"))
        again = await customer.wait_until(
            lambda item: item["message_id"] > told["message_id"] and "Цена" in (item["text"] or ""), PATIENCE_S
        )
        retried = await confirmed(customer, again)
        assert (await shop.settled_order(retried)).state is State.DONE
        assert (await shop.order(order)).state is State.FAILED
        assert await shop.broken_invariants() == []


async def test_poor_customer_keeps_the_order(database: Database, dsn: str) -> None:
    """Without money nothing starts, the card says what is missing, and nothing is lost."""
    async with an_open_shop(dsn, database, welcome_balance_rub="0.50") as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        assert "не хватает" in card["text"]
        await confirmed(customer, card)
        await customer.send_text("/balance")
        balance = await customer.wait_until(shows("Доступно"), PATIENCE_S)
        assert "0,50" in balance["text"]
        assert shop.kie.provider.desk.created == 0


async def test_callbacks_lost_are_made_up_for_by_polling(database: Database, dsn: str) -> None:
    """No callback ever comes: the sweep finds the result."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("callback_never", "createTask")
        order = await confirmed(customer, await at_the_card(customer))
        assert (await shop.settled_order(order)).state is State.DONE


@pytest.mark.parametrize(("fault", "args"), [("file_wrong_type", {}), ("file_big", {"mb": 25})])
async def test_awkward_files_arrive_all_the_same(
    database: Database, dsn: str, fault: str, args: dict[str, int]
) -> None:
    """A wrong content type or a picture over the photo limit: the next form is tried until one is taken."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault(fault, "result", times=None, **args)
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        assert (await shop.settled_order(order)).state is State.DONE
        shown = await message(customer, card["message_id"])
        assert shown["media"]
        assert "Готово" in shown["text"]


async def test_file_over_the_upload_limit_becomes_a_link(database: Database, dsn: str) -> None:
    """What Telegram cannot take is given as an address."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("file_big", "result", times=None, mb=60)
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        assert (await shop.settled_order(order)).state is State.DONE
        shown = await message(customer, card["message_id"])
        assert not shown["media"]
        assert shop.kie.result_url in shown["text"]


@pytest.mark.parametrize("count", [4, 12])
async def test_all_results_are_delivered(database: Database, dsn: str, count: int) -> None:
    """The first in the order's message, the others in reply."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("task_many_results", "createTask", count=count)
        order = await confirmed(customer, await at_the_card(customer))
        await shop.settled_order(order)
        assert len(pictures(await customer.chat())) == count


async def test_deleted_status_message_is_replaced(database: Database, dsn: str) -> None:
    """The customer deletes the status message: the picture comes as a new one, once."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("task_seconds", "createTask", seconds=400)
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        await customer.wait_until(shows("Генерирую"), PATIENCE_S)
        await customer.delete(card["message_id"])
        await shop.settled_order(order)
        shown = pictures(await customer.chat())
        assert len(shown) == 1
        assert shown[0]["message_id"] != card["message_id"]


async def test_blocked_customer_gets_the_result_when_back(database: Database, dsn: str) -> None:
    """Nothing can be sent while the bot is blocked; /start brings what waited."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.kie_fault("task_seconds", "createTask", seconds=400)
        order = await confirmed(customer, await at_the_card(customer))
        await customer.wait_until(shows("Генерирую"), PATIENCE_S)
        await customer.block()
        async with asyncio.timeout(PATIENCE_S):
            while (await shop.order(order)).state is not State.DONE:
                await asyncio.sleep(0.05)
        assert pictures(await customer.chat()) == []
        await customer.block(blocked=False)
        await customer.send_text("/start")
        await shop.settled_order(order)
        assert len(pictures(await customer.chat())) == 1


@pytest.mark.parametrize(
    "text",
    ["что это?", "/unknown", "5"],
)
async def test_unknown_text_is_answered(database: Database, dsn: str, text: str) -> None:
    """Whatever a customer writes, something sensible comes back."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text(text)
        await customer.wait_until(shows("/start"), PATIENCE_S)


async def test_sticker_in_the_wizard_is_answered(database: Database, dsn: str) -> None:
    """A sticker where a description was expected: the question is repeated."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        await customer.send_text("/start")
        home = await customer.wait_until(shows("Привет"), PATIENCE_S)
        await customer.click(home["message_id"], button(home, "Создать картинку"))
        await customer.wait_until(shows("Опишите картинку"), PATIENCE_S)
        await customer.send_media("sticker", b"RIFF0000WEBPVP8 ", name="s.webp", mime_type="image/webp")
        await customer.wait_until(shows("нужен ответ текстом", "Опишите картинку"), PATIENCE_S)


async def test_old_button_never_writes_over_a_result(database: Database, dsn: str) -> None:
    """Whatever is pressed in the message of a finished order, the picture stays and the press is answered."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        await shop.settled_order(order)
        presses = [button(card, label) for label in ("Создать", "Изменить", "Отмена")]
        for data in (*presses, "nonsense", "s:999999", "h", "l"):
            query = await customer.click(card["message_id"], data)
            await customer.wait_for(lambda event, query=query: event.get("callback_query_id") == query, PATIENCE_S)
        assert [item["message_id"] for item in pictures(await customer.chat())] == [card["message_id"]]
        assert await shop.broken_invariants() == []


@pytest.mark.parametrize("target", ["editMessageMedia", "sendMessage"])
async def test_flood_wait_is_obeyed(database: Database, dsn: str, target: str) -> None:
    """Telegram asks to wait while delivering: it is waited for, and the result comes once."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        shop.telegram_fault("flood", target)
        order = await confirmed(customer, card)
        await shop.settled_order(order)
        assert len(pictures(await customer.chat())) == 1


@pytest.mark.parametrize("fault", ["error_after", "drop_after"])
async def test_lost_reply_of_an_edit_shows_the_result_once(database: Database, dsn: str, fault: str) -> None:
    """Telegram carried the edit out and the reply was lost: repeating it leaves the chat as it is."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        shop.telegram_fault(fault, "editMessageMedia", times=2)
        order = await confirmed(customer, card)
        await shop.settled_order(order)
        assert [item["message_id"] for item in pictures(await customer.chat())] == [card["message_id"]]


async def test_lost_reply_of_the_ring_rings_no_second_time(database: Database, dsn: str) -> None:
    """The notification may be lost; it is never doubled."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        shop.telegram_fault("error_after", "sendMessage", times=1)
        order = await confirmed(customer, card)
        await shop.settled_order(order)
        chat = await customer.chat()
        assert sum("смотрите выше" in (item["text"] or "") for item in chat["messages"]) == 1


async def test_update_sent_twice_is_applied_once(database: Database, dsn: str) -> None:
    """Telegram delivers every update twice: one draft, one order, one charge."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        shop.telegram_fault("duplicate_update", "webhook", times=None)
        order = await confirmed(customer, await at_the_card(customer))
        await shop.settled_order(order)
        async with database.reading() as tx:
            orders = await tx.fetchval("SELECT count(*) FROM generations WHERE confirmed_at IS NOT NULL")
            prompts = await tx.fetchval("SELECT count(*) FROM generations WHERE inputs ->> 'prompt' = 'кот'")
        assert (orders, prompts) == (1, 1)
        assert shop.kie.provider.desk.created == 1


async def test_operator_sees_the_day_and_nobody_else(database: Database, dsn: str) -> None:
    """/admin shows the essentials to those named in ADMIN_ID; to a customer it is an unknown word."""
    async with an_open_shop(dsn, database, admin_id="500,501") as shop:
        async with shop.customer(1001) as customer:
            await shop.settled_order(await confirmed(customer, await at_the_card(customer)))
            await customer.send_text("/admin")
            await customer.wait_until(shows("Я понимаю кнопки"), PATIENCE_S)
        async with shop.customer(501) as operator:
            await operator.send_text("/admin")
            day = await operator.wait_until(shows("За сутки"), PATIENCE_S)
    assert "Готово: 1, не получилось: 0" in day["text"]
    assert "0,80" in day["text"]
    assert "0.8 кредитов" in day["text"]


async def test_original_is_brought_once_however_often_it_is_asked_for(database: Database, dsn: str) -> None:
    """Ten presses under the picture: one document with every byte of the provider's file, and the books stay clean."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        card = await at_the_card(customer)
        order = await confirmed(customer, card)
        await shop.settled_order(order)
        result = await customer.wait_until(
            lambda item: item["message_id"] == card["message_id"] and bool(item["media"]), PATIENCE_S
        )
        data = button(result, "Оригинал")
        await asyncio.gather(*(customer.click(card["message_id"], data) for _ in range(10)))
        brought = await customer.wait_until(
            lambda item: bool(item["media"]) and item["media"]["kind"] == "document", PATIENCE_S
        )
        assert brought["reply_to"]["message_id"] == card["message_id"]
        async with asyncio.timeout(PATIENCE_S):
            while (await shop.order(order)).delivered_at is None:
                await asyncio.sleep(0.05)
        await customer.click(card["message_id"], data)
        chat = await customer.chat()
        assert [item["media"]["kind"] for item in pictures(chat)] == ["photo", "document"]
        assert brought["media"]["file_name"].endswith(".png")
        assert await shop.broken_invariants() == []
