"""Files of every kind into a chat that does not want them in their own form: bytes go up in the next one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal

import aiohttp
import pytest
from aiohttp import web

from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.catalog.shelf import default_shelf
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.messenger import Recipient, Sent
from kiosk.delivery.plan import Media, Part
from kiosk.delivery.send import Courier
from kiosk.delivery.store import Delivery
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

    async def bring(self, part: Part, media: Media) -> dict[str, Any]:
        """The message that shows it."""
        handed = await self.courier.hand_over(self.to, Delivery(1, part, 0, media, self.url, 0))
        assert isinstance(handed, Sent)
        chat = await self.customer.chat()
        return next(dict(item) for item in chat["messages"] if item["message_id"] == handed.message_id)

    def refuse(self, method: str) -> None:
        self.telegram.faults.add(Fault("refuse_file", method, times=1))


@contextlib.asynccontextmanager
async def a_counter(kind: Literal["image", "video", "audio"], extension: str) -> AsyncIterator[Counter]:
    content = await asyncio.to_thread(make, MediaOrder(kind, "кот", extension=extension, duration_s=1))

    async def give(_request: web.Request) -> web.Response:
        return web.Response(body=content, content_type=MIME[extension])

    async with (
        TelegramSandbox(TelegramOptions(time_scale=0.01)) as telegram,
        serving(give) as address,
        aiohttp.ClientSession() as session,
        make_bot(f"{BOT}:sandbox-test", telegram.base_url) as bot,
    ):
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
