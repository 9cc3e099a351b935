"""The wizard in the chat: each shape of input is asked, explained, changed and paid for as it was shown."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kiosk.db import Database
from kiosk.generations.states import State
from sandbox.media import MediaOrder, make
from tests.openshop import OpenShop, an_open_shop, message
from tests.visitor import ChatVisitor


@asynccontextmanager
async def a_visit(dsn: str, db: Database) -> AsyncIterator[tuple[OpenShop, ChatVisitor]]:
    """A shop that sells everything, and a customer with money."""
    changes = {"single_model_only": False, "welcome_balance_rub": "1000"}
    async with an_open_shop(dsn, db, **changes) as shop, shop.customer() as customer:
        yield shop, ChatVisitor(customer)


async def bought(shop: OpenShop, visitor: ChatVisitor) -> dict[str, Any]:
    """Presses "create", waits for the result, and gives the message and what the provider was sent."""
    data = next(one["callback_data"] for one in visitor.buttons() if "Создать" in one["text"])
    await visitor.customer.click(visitor.screen["message_id"], data)
    order = await shop.settled_order(int(data.split(":")[1]))
    assert order.state is State.DONE
    assert (await message(visitor.customer, order.status_message))["media"]
    assert await shop.broken_invariants() == []
    (task,) = shop.kie.provider.desk.tasks.values()
    return dict(task.input)


async def test_required_questions_show_what_each_choice_costs(database: Database, dsn: str) -> None:
    """A switch, a format and a duration: the price on the button is the price on the card."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎬", "Kling 2.6")
        await visitor.write("волны", "Добавить звук?")
        assert visitor.labels()[:2] == ["✅ Да · 110,00\xa0₽", "❌ Нет · 55,00\xa0₽"]
        await visitor.press("❌ Нет", "Выберите формат")
        assert not any("₽" in label for label in visitor.labels())
        await visitor.press("▭ 16:9", "Выберите длительность")
        assert visitor.labels()[:2] == ["5 с · 55,00\xa0₽", "10 с · 110,00\xa0₽"]
        await visitor.press("10 с", "Цена: 110,00\xa0₽")
        sent = await bought(shop, visitor)
        assert sent == {"prompt": "волны", "sound": False, "aspect_ratio": "16:9", "duration": "10"}


async def test_settings_are_changed_reset_and_sent(database: Database, dsn: str) -> None:
    """Choice, number by button and in words, switch, long text: each with its value, its range and its way back."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎬", "Wan 2.7")
        await visitor.write("волны", "Цена: 120,00\xa0₽")
        await visitor.press("⚙️", "Разрешение: 1080p", "Длительность: 5 с", "Чего не должно быть: не задано")
        await visitor.press("Разрешение", "Выберите разрешение")
        assert visitor.labels()[:2] == ["720p · 80,00\xa0₽", "1080p · 120,00\xa0₽"]
        await visitor.press("720p", "✏️ Разрешение: 720p")
        await visitor.press("Длительность", "от 2 до 15", "2 с · 32,00\xa0₽")
        await visitor.write("16", "Нужно число от 2 до 15")
        await visitor.write("3", "✏️ Длительность: 3 с")
        await visitor.press("Чего не", "до 500 символов")
        await visitor.write("д" * 501, "501 символов, а можно не больше 500")
        await visitor.write("дождь", "Чего не должно быть: дождь")
        await visitor.press("Дополнять", "✅ Да")
        await visitor.press("❌ Нет", "✏️ Дополнять описание: ❌ Нет")
        await visitor.press("Число", "Пришлите целое число от 0 до 2147483647")
        await visitor.write("7", "✏️ Число случайности: 7")
        await visitor.press("✏️ Число", "♻️")
        await visitor.press("♻️", "Число случайности: не задано")
        await visitor.press("⬅️", "Цена: 48,00\xa0₽", "Чего не должно быть: дождь")
        sent = await bought(shop, visitor)
        expected = {"prompt": "волны", "resolution": "720p", "duration": 3, "negative_prompt": "дождь"}
        assert {name: sent[name] for name in expected} == expected
        assert sent["prompt_extend"] is False
        assert "seed" not in sent


async def test_combination_that_does_not_go_is_explained_before_any_price(database: Database, dsn: str) -> None:
    """Joint rules are told on the card, there is nothing to press that would order it, and one change mends it."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🖼", "GPT Image 2")
        await visitor.write("кот", "Цена")
        await visitor.press("⚙️", "Разрешение")
        await visitor.press("Разрешение", "4K")
        await visitor.press("4K", "Разрешение: 4K")
        await visitor.press("Формат", "1:1")
        await visitor.press("⬜ 1:1", "1:1")
        await visitor.press("⬅️", "Так вместе нельзя", "«Разрешение»", "«Формат»")
        assert not any("Создать" in label for label in visitor.labels())
        await visitor.press("⚙️", "Формат")
        await visitor.press("✏️ Формат", "♻️")
        await visitor.press("▭ 16:9", "Формат: ▭ 16:9")
        await visitor.press("⬅️", "Цена")
        assert (await bought(shop, visitor))["resolution"] == "4K"


async def test_long_list_of_choices_has_pages(database: Database, dsn: str) -> None:
    """Sixty-seven voices: shown by name, page by page, and the one that is pressed is the one that is sent."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🔊", "ElevenLabs TTS Multilingual v2")
        await visitor.write("Добрый день", "Выберите голос", "Дальше")
        await visitor.press("Дальше", "Раньше", "Дальше")
        await visitor.press("Дальше", "Раньше")
        picked = visitor.labels()[0]
        await visitor.press(picked, "Цена", picked)
        sent = await bought(shop, visitor)
        assert sent["text"] == "Добрый день"
        assert sent["voice"] not in visitor.text()


async def test_keyboard_whose_options_moved_chooses_nothing(database: Database, dsn: str) -> None:
    """A press that says another value than the one that stands there now leads back to the question."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎬", "Kling 2.6")
        await visitor.write("волны", "Добавить звук?")
        press = visitor.buttons()[0]["callback_data"].split(":")
        await visitor.customer.click(visitor.screen["message_id"], ":".join((*press[:4], str(int(press[4]) ^ 1))))
        await visitor.customer.click(visitor.screen["message_id"], "c:" + ":".join(press[1:3]) + ":1:" + press[4])
        async with shop.db.reading() as tx:
            assert await tx.fetchval("SELECT asking FROM generations") == "sound"
        await visitor.press("❌ Нет", "Выберите формат")


async def test_shop_of_one_model_has_one_door(database: Database, dsn: str) -> None:
    """SINGLE_MODEL_ONLY: the first screen has the button that leads straight to the model, and no shelf."""
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        visitor = ChatVisitor(customer)
        await visitor.write("/start", "Привет")
        assert visitor.labels() == ["🖼 Создать картинку", "💰 Баланс"]
        await visitor.press("🖼 Создать картинку", "Опишите картинку")


async def test_lines_of_a_dialogue_are_asked_one_by_one(database: Database, dsn: str) -> None:
    """Text, then voice; another line, a changed one, one step back, the last one away; paid for by what is left."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🔊", "ElevenLabs Dialogue v3")
        assert "Реплика · 1" in visitor.text()
        assert "осталось 5000" in visitor.text()
        await visitor.write("Привет!", "Чьим голосом?", "Дальше")
        await visitor.press("⬅️", "Что произнести?")
        await visitor.write("Здравствуй!", "Чьим голосом?")
        anna = visitor.labels()[0]
        await visitor.press(anna, "1. Здравствуй!", "➕", "осталось 4989")
        await visitor.write("и ещё", "Выберите кнопкой", "1. Здравствуй!")
        await visitor.press("➕", "Реплика · 2", "Что произнести?")
        book = {"name": "long.txt", "mime_type": "text/plain"}
        await visitor.send("document", ("я" * 5000).encode(), "Вместе слишком длинно: 5011", "Что произнести?", **book)
        await visitor.write("Как дела?", "Чьим голосом?")
        boris = visitor.labels()[1]
        await visitor.press(boris, "2. Как дела?")
        await visitor.press("➕", "Реплика · 3")
        await visitor.write("Лишнее", "Чьим голосом?")
        await visitor.press(anna, "3. Лишнее")
        await visitor.press("🗑 Убрать последнее", "осталось 4980")
        assert not any(label.startswith("3.") for label in visitor.labels())
        await visitor.press("1. ", "Реплика · 1", "Текст: Здравствуй!")
        await visitor.press("✏️ Голос", "Чьим голосом?")
        await visitor.press(boris, "Нажмите, что нужно изменить", f"Голос: {boris}")
        await visitor.press("⬅️", "➕")
        await visitor.press("✅ Дальше", "Цена: 14,00\xa0₽", "1. Здравствуй!", "2. Как дела?")
        sent = await bought(shop, visitor)
        assert [line["text"] for line in sent["dialogue"]] == ["Здравствуй!", "Как дела?"]
        assert len({line["voice"] for line in sent["dialogue"]}) == 1


async def test_objects_hold_pictures_and_are_settings_too(database: Database, dsn: str) -> None:
    """A character with a name, a description and pictures: asked from the settings, uploaded, and sent as objects."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎬", "Kling 3.0 Omni")
        await visitor.write("@Анна идёт по пляжу", "Цена")
        await visitor.press("⚙️", "Персонаж или предмет: не задано")
        await visitor.press("Персонаж", "Персонаж или предмет · 1", "Имя")
        await visitor.press("⬅️", "Настройки")
        await visitor.press("Персонаж", "Имя")
        await visitor.write("Анна", "Описание")
        await visitor.write("в красном платье", "Пришлите картинку")
        await visitor.send("photo", picture(), "Дальше (файлов: 1)")
        await visitor.press("✅ Дальше", "1. Анна · в красном платье")
        await visitor.press("✅ Дальше", "Цена", "Персонаж или предмет")
        (one,) = (await bought(shop, visitor))["elements"]
        assert (one["name"], one["description"], len(one["element_input_urls"])) == ("Анна", "в красном платье", 1)
        assert one["element_input_urls"][0].startswith("http")


async def test_scenes_are_asked_for_where_a_switch_demands_them(database: Database, dsn: str) -> None:
    """Several shots need scenes: asked at once, with numbers in words, and a way back to the switch."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎬", "Kling 3.0")
        await visitor.write("город", "Добавить звук?")
        await visitor.press("❌ Нет", "длительность")
        await visitor.press("5 с", "формат")
        await visitor.press("▭ 16:9", "Режим")
        await visitor.press("Обычный", "Несколько")
        await visitor.press("✅ Да", "Что происходит в этой сцене?")
        await visitor.press("⬅️", "Несколько")
        await visitor.press("✅ Да", "Что происходит в этой сцене?")
        await visitor.write("утро", "Сколько секунд")
        await visitor.write("13", "от 1 до 12")
        await visitor.write("2", "1. утро · 2")
        await visitor.press("✅ Дальше", "Цена: 70,00\xa0₽")
        assert (await bought(shop, visitor))["multi_prompt"] == [{"prompt": "утро", "duration": 2}]


def picture() -> bytes:
    return make(MediaOrder("image", "портрет", extension="jpeg"), 64 * 64)
