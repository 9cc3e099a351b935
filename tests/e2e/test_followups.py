"""What can be done with a result, as a customer sees it: in messages below, at a price told before, never twice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from kiosk.bot.buttons import Follow, FollowAisle, Onward, Pick, model_code, pack
from kiosk.catalog.vocabulary import ModelType
from kiosk.db import Database
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from tests.e2e.test_media_in import a_picture
from tests.openshop import OpenShop, an_open_shop, message
from tests.visitor import ChatVisitor

NEXT = "✨ Что дальше"


@asynccontextmanager
async def a_visit(dsn: str, db: Database) -> AsyncIterator[tuple[OpenShop, ChatVisitor]]:
    """A shop that sells everything, and a customer with money."""
    changes = {"single_model_only": False, "welcome_balance_rub": "3000"}
    async with an_open_shop(dsn, db, **changes) as shop, shop.customer() as customer:
        yield shop, ChatVisitor(customer)


async def bought(shop: OpenShop, visitor: ChatVisitor) -> tuple[Generation, dict[str, Any]]:
    """Presses "create" and waits: the order, whose message is the visitor's screen now, and what the provider got."""
    data = next(one["callback_data"] for one in visitor.buttons() if "Создать" in one["text"])
    await visitor.customer.click(visitor.screen["message_id"], data)
    order = await shop.settled_order(int(data.split(":")[1]))
    assert order.state is State.DONE
    assert await shop.broken_invariants() == []
    visitor.screen = await message(visitor.customer, order.status_message)
    return order, dict(list(shop.kie.provider.desk.tasks.values())[-1].input)


async def a_result(shop: OpenShop, visitor: ChatVisitor, aisle: str, model: str, prompt: str = "кот") -> Generation:
    """A result of this model, after whatever its questions are."""
    await visitor.choose(aisle, model)
    while not any("Создать" in label for label in visitor.labels()):
        before = visitor.screen
        if "сообщением" in visitor.text() or "символов" in visitor.text():
            await visitor.write(prompt)
        else:
            await visitor.press(next(label for label in visitor.labels() if label[0] not in "⬅✖"))
        assert visitor.screen != before
    order, _ = await bought(shop, visitor)
    return order


def task_of(shop: OpenShop, order: Generation) -> Any:
    return shop.kie.provider.desk.tasks[order.task_id or ""]


async def test_picture_is_animated_without_being_sent_again(database: Database, dsn: str) -> None:
    """Picture, what next, animate, a model, a prompt: the provider gets its own file; the picture stays as it was."""
    async with a_visit(dsn, database) as (shop, visitor):
        picture = await a_result(shop, visitor, "🖼", "Z-Image")
        before = visitor.screen
        await visitor.press(NEXT, "Что сделать с этим результатом?", "🎞 Оживить картинку", "✂️ Убрать фон")
        await visitor.press("🎞", "Выберите модель")
        while not any(label.startswith("Kling 2.1 Standard — ") for label in visitor.labels()):
            await visitor.press("Дальше", "Выберите модель")
        await visitor.press("Kling 2.1 Standard — ", "Опишите видео", "файлов: 1")
        await visitor.write("кот идёт", "Выберите длительность")
        await visitor.press("5 с", "Цена")
        clip, sent = await bought(shop, visitor)
        assert sent["image_url"] == task_of(shop, picture).result_json.split('"')[3]
        assert clip.follows_id == picture.id
        assert visitor.screen["media"]["kind"] == "video"
        assert await message(visitor.customer, picture.status_message) == before


async def test_clip_is_extended_at_the_price_of_its_own_tier(database: Database, dsn: str) -> None:
    """Veo, then extend: only offered below it, priced by the earlier task, and given that task's id."""
    async with a_visit(dsn, database) as (shop, visitor):
        clip = await a_result(shop, visitor, "🎬", "Veo 3.1", "волны")
        await visitor.press(NEXT, "⏩ Продолжить видео", "📺 Улучшить видео")
        await visitor.press("⏩", "Veo 3.1 Extend — от 60,00")
        await visitor.press("Veo 3.1 Extend", "Исходник: ваш результат, файл 1", "Опишите видео")
        await visitor.write("дальше", "Цена: 60,00\xa0₽")
        assert "task" not in visitor.text()
        _, sent = await bought(shop, visitor)
        assert sent == {"prompt": "дальше", "task_id": clip.task_id}


async def test_song_becomes_a_wav_and_goes_on(database: Database, dsn: str) -> None:
    """Of two tracks one is chosen; its own id and its task's go along, though no customer ever sees them."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎵", "Suno Generate Music")
        await visitor.press("❌ Нет")
        await visitor.press("❌ Нет")
        await visitor.press("V6", "Опишите музыку")
        await visitor.write("вальс", "Описание: вальс")
        await visitor.press("⬅️", "Цена")
        song, _ = await bought(shop, visitor)
        second = task_of(shop, song).result_json.split('"id":"')[2].partition('"')[0]
        menu = visitor.screen
        await visitor.press(NEXT, "С каким из них?", "2")
        await visitor.press("2", "🎚 Обработать звук")
        await visitor.press("🎚", "Suno Convert to WAV — от 0,40")
        await visitor.press("Suno Convert to WAV", "Исходник: ваш результат, файл 2", "Цена: 0,40")
        _, sent = await bought(shop, visitor)
        assert sent == {"task_id": song.task_id, "audio_id": second}
        visitor.screen = menu
        await visitor.press(NEXT, "С каким из них?")
        await visitor.press("1", "🎚 Обработать звук")
        await visitor.press("🎚", "Suno Extend Music")
        await visitor.press("Suno Extend Music", "Свои параметры")
        await visitor.press("❌ Нет", "Версия модели")
        await visitor.press("V6", "Цена")
        _, sent = await bought(shop, visitor)
        assert sent["audio_id"] in task_of(shop, song).result_json


async def test_result_of_another_customer_cannot_be_used(database: Database, dsn: str) -> None:
    """Buttons with somebody else's order and file are old buttons, whoever made them up, and make no draft."""
    async with a_visit(dsn, database) as (shop, visitor), shop.customer(1002) as other:
        order = await a_result(shop, visitor, "🖼", "Z-Image")
        await visitor.press(NEXT, "Оживить")
        stranger = ChatVisitor(other)
        await stranger.write("/start", "Привет")
        at = stranger.screen["message_id"]
        kind, model = model_code(ModelType.IMAGE_TO_VIDEO.value), model_code("kling/v2-1-standard")
        file = await database_value(shop, "SELECT id FROM media")
        for press in (
            Onward(order.id),
            Pick(order.id, 0),
            Pick(0, file),
            FollowAisle(kind, 0, order.id, 0),
            FollowAisle(kind, 0, 0, file),
            Follow(model, order.id, 0),
            Follow(model, 0, file),
            Follow(model_code("veo/extend"), order.id, 0),
        ):
            last = max(item["message_id"] for item in (await other.chat())["messages"])
            await other.click(at, pack(press))
            await stranger.see("Привет", after=last)
        assert await database_value(shop, "SELECT count(*) FROM generations") == 1


async def test_old_result_says_so(database: Database, dsn: str) -> None:
    """After two weeks what needs the provider's memory is neither offered, ordered nor repeated; the file still is."""
    async with a_visit(dsn, database) as (shop, visitor):
        await a_result(shop, visitor, "🎬", "Veo 3.1", "волны")
        result = visitor.screen
        await visitor.press(NEXT, "⏩ Продолжить видео")
        await visitor.press("⏩", "Veo 3.1 Extend")
        await visitor.press("Veo 3.1 Extend", "Опишите видео")
        await visitor.write("дальше", "Цена")
        extended, _ = await bought(shop, visitor)
        done = visitor.screen
        await visitor.press("🔁", "Цена")
        await later(shop, days=15)
        await visitor.press("✅ Создать", "Исходный результат уже не открыть")
        assert (await shop.order(extended.id + 1)).state is State.DRAFT
        visitor.screen = done
        await visitor.press("🔁", "сейчас не открыть")
        visitor.screen = result
        await visitor.press(NEXT, "Что сделать с этим результатом?")
        await visitor.press("⏩", "Выберите модель")
        assert not any("Veo" in label for label in visitor.labels())


async def test_twenty_presses_are_one_draft(database: Database, dsn: str) -> None:
    """However often the same model is pressed under the same screen, one draft comes of it."""
    async with a_visit(dsn, database) as (shop, visitor):
        await a_result(shop, visitor, "🖼", "Z-Image")
        await visitor.press(NEXT, "✂️ Убрать фон")
        await visitor.press("✂️", "Recraft Remove Background")
        at = visitor.screen["message_id"]
        data = next(one["callback_data"] for one in visitor.buttons() if one["text"].startswith("Recraft"))
        for _ in range(20):
            await visitor.customer.click(at, data)
        await visitor.see("Цена")
        await visitor.write("/balance", "Баланс")
        assert await database_value(shop, "SELECT count(*) FROM generations") == 2
        assert await database_value(shop, "SELECT count(*) FROM media") == 1


async def test_picture_that_nobody_asked_for_is_an_offer(database: Database, dsn: str) -> None:
    """A customer sends a photo out of the blue: what can be done with it is asked, and it need not be sent again."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.write("/start", "Привет")
        await visitor.send("photo", a_picture(), "Что сделать с этим файлом?", "✂️ Убрать фон")
        await visitor.press("✂️", "Recraft Remove Background")
        await visitor.press("Recraft Remove Background", "Цена")
        _, sent = await bought(shop, visitor)
        assert sent["image"].startswith(shop.kie.result_url)


async def database_value(shop: OpenShop, query: str) -> Any:
    async with shop.db.reading() as tx:
        return await tx.fetchval(query)


async def later(shop: OpenShop, *, days: int) -> None:
    """So long ago were all results made, at the provider too."""
    async with shop.db.transaction() as tx:
        await tx.execute(
            "UPDATE generations SET settled_at = settled_at - make_interval(days => $1) WHERE state = 'done'", days
        )
