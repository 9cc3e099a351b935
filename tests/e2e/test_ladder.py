"""Files of every kind into a chat that does not want them in their own form: bytes go up in the next one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import pytest
from aiogram import Bot
from aiogram.client.session.middlewares.base import NextRequestMiddlewareType
from aiogram.methods import EditMessageMedia, SendAudio, TelegramMethod
from aiogram.types import InputMediaVideo
from aiohttp import web

from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.catalog.shelf import default_shelf
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.messenger import Recipient, Sent
from kiosk.delivery.plan import Media, Part
from kiosk.delivery.send import Courier
from kiosk.delivery.store import Delivery
from kiosk.delivery.wording import Wording
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.media.studio import MIME, MediaOrder, make
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.e2e.test_fetch import serving

BOT = 7000001
LIMIT = 50 * 1024 * 1024
KINDS: tuple[tuple[Literal["image", "video", "audio"], str, str], ...] = (
    ("image", "png", "photo"),
    ("video", "mp4", "video"),
    ("audio", "mp3", "audio"),
)


@dataclass(frozen=True)
class Counter:
    """A chat with a status message, a file at an address, and the courier between the two."""

    telegram: TelegramSandbox
    customer: Customer
    courier: Courier
    to: Recipient
    url: str
    calls: list[TelegramMethod[Any]]

    async def bring(
        self, part: Part, media: Media, *, source: str = "", title: str = "", duration_s: int | None = None
    ) -> dict[str, Any]:
        """The message that shows it."""
        parcel = Delivery(1, part, 0, media, source or self.url, 0, title, duration_s)
        handed = await self.courier.hand_over(self.to, parcel)
        assert isinstance(handed, Sent)
        chat = await self.customer.chat()
        return next(dict(item) for item in chat["messages"] if item["message_id"] == handed.message_id)

    def refuse(self, method: str) -> None:
        self.telegram.faults.add(Fault("refuse_file", method, times=1))


@contextlib.asynccontextmanager
async def a_counter(kind: Literal["image", "video", "audio"], extension: str) -> AsyncIterator[Counter]:
    content = await asyncio.to_thread(make, MediaOrder(kind, "кот", extension=extension, duration_s=1))

    calls: list[TelegramMethod[Any]] = []

    async def note(make_request: NextRequestMiddlewareType[Any], bot: Bot, method: TelegramMethod[Any]) -> Any:
        calls.append(method)
        return await make_request(bot, method)

    async def give(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=MIME[extension])

    async with (
        TelegramSandbox(TelegramOptions(time_scale=0.01)) as telegram,
        serving(give) as address,
        aiohttp.ClientSession() as session,
        make_bot(f"{BOT}:sandbox-test", telegram.base_url) as bot,
    ):
        bot.session.middleware(note)
        await bot.get_me()
        async with Customer(telegram.base_url, 1001, BOT) as customer:
            await customer.send_text("/start")
            status = await bot.send_message(1001, "Создаём…")
            yield Counter(
                telegram=telegram,
                customer=customer,
                courier=Courier(TelegramMessenger(bot, default_shelf()), Fetcher(session, "tests", LIMIT), LIMIT),
                to=Recipient(
                    chat_id=1001,
                    message_id=status.message_id,
                    language="ru",
                    generation_id=1,
                    model_id="z-image",
                    price_kopecks=80,
                    late=False,
                    failure=None,
                    shown_as=None,
                ),
                url=f"{address}/result.{extension}",
                calls=calls,
            )


@pytest.mark.parametrize(("kind", "extension", "shown_as"), KINDS)
async def test_result_of_every_kind_takes_the_place_of_its_status(
    kind: Literal["image", "video", "audio"], extension: str, shown_as: str
) -> None:
    """The order's own message becomes the picture, the clip or the sound."""
    async with a_counter(kind, extension) as counter:
        shown = await counter.bring(Part.RESULT, Media(kind))
        assert shown["message_id"] == counter.to.message_id
        assert shown["media"]["kind"] == shown_as


@pytest.mark.parametrize(("kind", "extension", "_shown_as"), KINDS)
async def test_refused_kind_goes_up_as_a_document(
    kind: Literal["image", "video", "audio"], extension: str, _shown_as: str
) -> None:
    """Not the same address once more: the bytes, as a file, in the same message."""
    async with a_counter(kind, extension) as counter:
        counter.refuse("editMessageMedia")
        shown = await counter.bring(Part.RESULT, Media(kind))
        assert shown["message_id"] == counter.to.message_id
        assert shown["media"]["kind"] == "document"


@pytest.mark.parametrize(
    ("kind", "extension", "method"), [(kind, ext, f"send{as_.title()}") for kind, ext, as_ in KINDS]
)
async def test_refused_further_file_goes_up_as_a_document(
    kind: Literal["image", "video", "audio"], extension: str, method: str
) -> None:
    """The same for files that follow in reply."""
    async with a_counter(kind, extension) as counter:
        counter.refuse(method)
        shown = await counter.bring(Part.EXTRA, Media(kind))
        assert shown["message_id"] != counter.to.message_id
        assert shown["media"]["kind"] == "document"


async def test_file_refused_in_every_form_becomes_its_address() -> None:
    """The last rung cannot be refused for its file."""
    async with a_counter("image", "png") as counter:
        counter.telegram.faults.add(Fault("refuse_file", "editMessageMedia", times=2))
        shown = await counter.bring(Part.RESULT, Media.IMAGE)
        assert not shown["media"]
        assert counter.url in shown["text"]


async def test_clip_and_sound_arrive_with_what_a_player_shows() -> None:
    """A clip knows its sides and its length before it is fetched, a sound its title and its length."""
    async with a_counter("video", "mp4") as counter:
        await counter.bring(Part.RESULT, Media.VIDEO)
        edit = counter.calls[-1]
        assert isinstance(edit, EditMessageMedia)
        assert isinstance(edit.media, InputMediaVideo)
        assert (edit.media.width, edit.media.height, edit.media.duration) == (496, 496, 1)
    async with a_counter("audio", "mp3") as counter:
        await counter.bring(Part.EXTRA, Media.AUDIO, title="Утро", duration_s=7)
        sent = counter.calls[-1]
        assert isinstance(sent, SendAudio)
        assert (sent.title, sent.duration) == ("Утро", 7)


@pytest.mark.parametrize("part", [Part.RESULT, Part.EXTRA])
async def test_every_kind_keeps_telegrams_name_of_its_file(part: Part) -> None:
    """With it the result can be shown again after the provider has deleted the file."""
    for kind, extension, _shown_as in KINDS:
        async with a_counter(kind, extension) as counter:
            handed = await counter.courier.hand_over(counter.to, Delivery(1, part, 0, Media(kind), counter.url, 0))
            assert isinstance(handed, Sent)
            assert handed.file_id


@pytest.mark.parametrize("part", [Part.RESULT, Part.EXTRA])
async def test_short_words_are_a_message_and_long_ones_a_file(part: Part) -> None:
    """Text as text and JSON as code where they fit, with markup in them harmless; else a file of their kind."""
    async with a_counter("image", "png") as counter:
        shown = await counter.bring(part, Media.TEXT, source=Wording("<b>Кот</b> & пёс").source())
        assert "<b>Кот</b> & пёс" in shown["text"]
        assert (shown["message_id"] == counter.to.message_id) == (part is Part.RESULT)
        shown = await counter.bring(part, Media.TEXT, source=Wording("мяу " * 2000, "json").source())
        assert shown["media"]["kind"] == "document"
        assert shown["media"]["file_name"].endswith(".json")


async def test_refused_words_take_their_other_form() -> None:
    """A file that Telegram does not take leaves the beginning as a message."""
    async with a_counter("image", "png") as counter:
        counter.refuse("sendDocument")
        shown = await counter.bring(Part.EXTRA, Media.TEXT, source=Wording("мяу " * 2000).source())
        assert shown["text"].startswith("мяу мяу")
        assert shown["text"].endswith("…")
