"""Files of customers: every way to send one, checked before anything else is asked, and handed on byte by byte."""

import io
import wave
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from PIL import Image

from kiosk.db import Database
from kiosk.generations.states import State
from sandbox.media.studio import MediaOrder, make
from tests.openshop import OpenShop, an_open_shop
from tests.visitor import ChatVisitor

MIB = 1024 * 1024


def a_picture(colour: str = "red", extension: str = "jpeg") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (320, 240), colour).save(buffer, extension.upper())
    return buffer.getvalue()


def a_sound(seconds: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", "not compressed"))
        sound.writeframes(b"\x80" * 8000 * seconds)
    return buffer.getvalue()


@asynccontextmanager
async def a_visit(dsn: str, db: Database, **changes: Any) -> AsyncIterator[tuple[OpenShop, ChatVisitor]]:
    """A shop that sells everything, and a customer with money."""
    changes = {"single_model_only": False, "welcome_balance_rub": "1000", **changes}
    async with an_open_shop(dsn, db, **changes) as shop, shop.customer() as customer:
        yield shop, ChatVisitor(customer)


async def bought(shop: OpenShop, visitor: ChatVisitor) -> dict[str, Any]:
    """Presses "create", waits for the result, and gives what the provider was sent."""
    data = next(one["callback_data"] for one in visitor.buttons() if "Создать" in one["text"])
    await visitor.customer.click(visitor.screen["message_id"], data)
    assert (await shop.settled_order(int(data.split(":")[1]))).state is State.DONE
    assert await shop.broken_invariants() == []
    return dict(list(shop.kie.provider.desk.tasks.values())[-1].input)


async def handed(shop: OpenShop, address: str) -> bytes:
    """What lies at an address that the provider was sent."""
    assert address.startswith(shop.kie.result_url)
    async with aiohttp.ClientSession() as session, session.get(address) as response:
        assert response.status == 200
        return await response.read()


async def test_photo_becomes_an_input(database: Database, dsn: str) -> None:
    """A photo from the chat: its bytes reach the provider under an address of the provider's own."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        assert "JPEG, PNG, WEBP" in visitor.text()
        await visitor.send("photo", a_picture(), "Цена", "Картинка: файлов: 1")
        sent = await bought(shop, visitor)
        chat = await visitor.customer.chat()
        photo = next(item for item in chat["messages"] if item["media"] and item["from"] == "customer")
        assert await handed(shop, sent["image"]) == await visitor.customer.download(photo["media"]["url"])


async def test_wrong_files_are_explained_at_once(database: Database, dsn: str) -> None:
    """Another kind, another format, too big, no file at all: the question stays and says what is expected."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        await visitor.send(
            "voice", a_sound(1), "Это звук, а нужно другое — картинка", name="v.wav", mime_type="audio/wav"
        )
        await visitor.send("sticker", b"not what it seems", "нужно другое — картинка", name="a.tgs")
        await visitor.send("document", a_picture(extension="gif"), "Нужен один из: JPEG, PNG, WEBP", name="a.gif")
        await visitor.send("document", b"just words" * 900, "нужно другое — картинка", name="a.bin")
        big = a_picture() + b"\0" * (6 * MIB)
        await visitor.send("document", big, "Файл 6.0 МБ, а можно до 5 МБ", name="a.jpg", mime_type="image/jpeg")
        await visitor.write("кот", "Нужен файл или ссылка")
        await visitor.write("media:1", "Нужен файл или ссылка")
        assert shop.kie.provider.desk.created == 0
        await visitor.send("document", a_picture(extension="png"), "Цена", name="a.png", mime_type="image/png")


async def test_album_is_a_list_and_comes_but_once(database: Database, dsn: str) -> None:
    """Three pictures of an album, each update twice: three addresses, in the order in which they came."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🖌", "Nano Banana Edit")
        await visitor.write("сложи вместе", "Можно несколько, до 10")
        shop.telegram_fault("duplicate_update", "webhook", times=3)
        colours = ("red", "green", "blue")
        for number, colour in enumerate(colours, start=1):
            picture = a_picture(colour, "png")
            await visitor.send(
                "document", picture, f"Дальше (файлов: {number})", name="a.png", mime_type="image/png", album="7"
            )
        await visitor.press("✅ Дальше", "Цена", "Картинки: файлов: 3")
        sent = await bought(shop, visitor)
        assert [await handed(shop, one) for one in sent["image_urls"]] == [a_picture(one, "png") for one in colours]


async def test_length_of_a_video_decides_the_price(database: Database, dsn: str) -> None:
    """As many seconds as the clip has: on the buttons, on the card, and no price for a clip that hides its length."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("📽", "Wan 2.2 Animate Move")
        clip = make(MediaOrder("video", "волны", duration_s=4, extension="mp4"))
        hidden, named = clip.replace(b"moov", b"free"), {"name": "a.mp4", "mime_type": "video/mp4"}
        await visitor.send("document", hidden, "Не видно, сколько это длится", **named)
        await visitor.send("video", clip, "Картинка", **named)
        await visitor.send("photo", a_picture(), "Цена: 24,00\xa0₽")
        await visitor.press("⚙️", "Разрешение")
        await visitor.press("Разрешение", "480p · 24,00\xa0₽", "720p · 50,00\xa0₽")
        await visitor.press("720p", "Разрешение: 720p")
        await visitor.press("⬅️", "Цена: 50,00\xa0₽")
        sent = await bought(shop, visitor)
        assert await handed(shop, sent["video_url"]) == clip


async def test_sound_too_long_is_refused(database: Database, dsn: str) -> None:
    """Six minutes where five are taken; a sound that fits is paid for by the second."""
    async with a_visit(dsn, database) as (_, visitor):
        await visitor.choose("🗣", "Kling AI Avatar Standard")
        await visitor.write("говорит", "Картинка")
        await visitor.send("photo", a_picture(), "Аудио")
        long = {"name": "a.wav", "mime_type": "audio/wav"}
        await visitor.send("audio", a_sound(360), "Длина 360 с, а можно до 300 с", **long)
        await visitor.send("audio", a_sound(3), "Цена: 24,00\xa0₽", **long)


async def test_pasted_address_is_read_by_us(database: Database, dsn: str) -> None:
    """A link to a picture: the provider gets the bytes from its own host, never the link."""
    async with a_visit(dsn, database) as (shop, visitor):
        picture = a_picture("green", "png")
        sample = await visitor.customer.send_media("document", picture, name="a.png", mime_type="image/png")
        link = f"{shop.telegram.base_url}{sample['media']['url']}"
        await visitor.choose("✂️", "Recraft Remove Background")
        await visitor.write(f"{link}nothing", "Не получилось открыть файл")
        await visitor.write(link, "Цена")
        sent = await bought(shop, visitor)
        assert await handed(shop, sent["image"]) == picture


async def test_pasted_address_of_our_own_network_is_refused(database: Database, dsn: str) -> None:
    """Without the setting for stand-ins nobody makes us read what only this machine can reach."""
    async with a_visit(dsn, database, allow_private_links=False) as (shop, visitor):
        sample = await visitor.customer.send_media("document", a_picture(), name="a.jpg", mime_type="image/jpeg")
        address = f"{shop.telegram.base_url}{sample['media']['url']}"
        await visitor.choose("✂️", "Recraft Remove Background")
        for link in (address, address.replace("127.0.0.1", "localhost")):
            await visitor.write(link, "ссылка ведёт в закрытую сеть")


async def test_file_is_handed_over_anew_once_the_provider_forgot_it(database: Database, dsn: str) -> None:
    """The same order again: the same address while it is fresh, another one after twenty hours."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        await visitor.send("photo", a_picture(), "Цена")
        addresses = []
        for hours in (0, 19, 21):
            async with shop.db.transaction() as tx:
                await tx.execute("UPDATE media SET uploaded_at = uploaded_at - make_interval(hours => $1)", hours)
            addresses.append((await bought(shop, visitor))["image"])
            await visitor.see("Ещё раз")
            await visitor.press("🔁", "Цена")
        assert addresses[0] == addresses[1] != addresses[2]


async def test_upload_that_fails_is_made_up_for(database: Database, dsn: str) -> None:
    """The provider's file host is away: the order waits, is placed later, and paid for once."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        await visitor.send("photo", a_picture(), "Цена")
        shop.kie_fault("http_502", "upload-stream", times=4)
        assert await handed(shop, (await bought(shop, visitor))["image"])
        assert shop.kie.provider.desk.created == 1


async def test_long_text_comes_as_a_file(database: Database, dsn: str) -> None:
    """What is too long for a message is sent as a text file, and is the answer."""
    async with a_visit(dsn, database) as (shop, visitor):
        text = "волны и ветер " * 350
        await visitor.choose("🎬", "Wan 2.7")
        await visitor.send("document", text.encode(), "Цена", name="a.txt", mime_type="text/plain")
        assert (await bought(shop, visitor))["prompt"] == text.strip()


@pytest.mark.parametrize("kind", ["sticker", "voice"])
async def test_file_where_words_are_asked_for(database: Database, dsn: str, kind: str) -> None:
    """The question is repeated, and says that words are expected."""
    async with a_visit(dsn, database) as (_, visitor):
        await visitor.choose("🎬", "Wan 2.7")
        data = {"sticker": b"RIFF0000WEBPVP8 ", "voice": a_sound(1)}[kind]
        await visitor.send(kind, data, "нужен ответ текстом", "Опишите видео", name="a.webp", mime_type="image/webp")


async def test_seconds_are_read_from_documents_and_links(database: Database, dsn: str) -> None:
    """A clip sent as a file, then by its address: its own header tells the length that decides the price."""
    async with a_visit(dsn, database) as (shop, visitor):
        clip = make(MediaOrder("video", "волны", duration_s=4, extension="mp4"))
        sample = await visitor.customer.send_media("document", clip, name="a.mp4", mime_type="video/mp4")
        for as_link in (False, True):
            await visitor.choose("📽", "Wan 2.2 Animate Move")
            if as_link:
                await visitor.write(f"{shop.telegram.base_url}{sample['media']['url']}", "Картинка")
            else:
                await visitor.send("document", clip, "Картинка", name="a.mp4", mime_type="video/mp4")
            await visitor.send("photo", a_picture(), "Цена: 24,00\xa0₽")


async def test_album_larger_than_its_question_says_so(database: Database, dsn: str) -> None:
    """The first files are taken in their order; those that are too many answer no other question by accident."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        picture = {"name": "a.png", "mime_type": "image/png"}
        await visitor.send("document", a_picture("red", "png"), "Цена", album="1", **picture)
        await visitor.send("document", a_picture("blue", "png"), "взят первый", "Цена", album="1", **picture)
        assert await handed(shop, (await bought(shop, visitor))["image"]) == a_picture("red", "png")


async def test_wrong_kind_in_an_album_is_named(database: Database, dsn: str) -> None:
    """A clip among pictures: it is said to be one, and the pictures around it are taken."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🖌", "Nano Banana Edit")
        await visitor.write("сложи вместе", "Можно несколько, до 10")
        await visitor.send("photo", a_picture("red"), "Дальше (файлов: 1)", album="9")
        clip = make(MediaOrder("video", "волны", duration_s=1, extension="mp4"))
        await visitor.send("video", clip, "Это видео, а нужно другое — картинка", album="9", mime_type="video/mp4")
        await visitor.send("photo", a_picture("blue"), "Дальше (файлов: 2)", album="9")
        await visitor.press("✅ Дальше", "Цена", "Картинки: файлов: 2")
        assert len((await bought(shop, visitor))["image_urls"]) == 2


async def test_file_that_comes_twice_and_filled_its_question_changes_nothing(database: Database, dsn: str) -> None:
    """Its update again, once the card is shown: the card once more, and not a word about files."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        shop.telegram_fault("duplicate_update", "webhook")
        await visitor.send("photo", a_picture(), "Цена")
        await visitor.write("и что теперь?", "Цена")
        texts = [one["text"] for one in (await visitor.customer.chat())["messages"] if one["from"] == "bot"]
        assert not any("Привет" in text for text in texts[1:])
        assert not any("Нужен файл" in text for text in texts)


@pytest.mark.parametrize("kind", ["video_note", "animation"])
async def test_every_kind_of_clip_leads_somewhere(database: Database, dsn: str, kind: str) -> None:
    """A round video and a GIF are clips like any other."""
    async with a_visit(dsn, database) as (_, visitor):
        await visitor.choose("📽", "Wan 2.2 Animate Move")
        clip = make(MediaOrder("video", "волны", duration_s=4, extension="mp4"))
        await visitor.send(kind, clip, "Картинка", name="a.mp4", mime_type="video/mp4")


async def test_sticker_is_a_picture(database: Database, dsn: str) -> None:
    """A still one is a WebP like any other."""
    async with a_visit(dsn, database) as (_, visitor):
        await visitor.choose("✂️", "Recraft Remove Background")
        await visitor.send("sticker", a_picture(extension="webp"), "Цена", name="a.webp", mime_type="image/webp")


async def test_caption_answers_the_text_that_is_asked(database: Database, dsn: str) -> None:
    """A photo with words answers two questions at once, whether the words are asked for first or next."""
    async with a_visit(dsn, database) as (shop, visitor):
        await visitor.choose("🎞", "Kling 2.1 Standard")
        both = ("Описание: кот идёт", "файлов: 1", "Выберите длительность")
        await visitor.send("photo", a_picture(), *both, caption="кот идёт")
        await visitor.press("5 с", "Цена")
        sent = await bought(shop, visitor)
        assert sent["prompt"] == "кот идёт"
        await visitor.write("/start", "Привет")
        await visitor.send("photo", a_picture(), "Что сделать с этим файлом?")
