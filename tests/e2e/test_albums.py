"""Results of several files: the first in the order's message, the others in albums, whatever Telegram makes of them."""

import contextlib
import io
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from PIL import Image

from kiosk.bot import pace
from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.catalog.shelf import default_shelf
from kiosk.db import Database
from kiosk.delivery.fetch import Fetcher, sniff
from kiosk.delivery.plan import Media, Output
from kiosk.delivery.send import DOWNLOADS_AT_MOST, Courier
from kiosk.generations import store
from kiosk.generations.deliver import Deliverer
from kiosk.generations.original import Owed, owe_originals
from kiosk.generations.settle import Settler
from kiosk.generations.store import Generation
from sandbox.customer import Customer
from sandbox.faults import Fault
from sandbox.media.studio import MediaOrder, make
from sandbox.telegram import TelegramOptions, TelegramSandbox
from tests.e2e.test_fetch import serving
from tests.shopkeeping import BOT, a_customer, running

MIB = 1024 * 1024
LIMIT = 50 * MIB
CUSTOMER = 1001
RING = "смотрите выше"


@pytest.fixture(autouse=True)
def _no_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace within a chat is the turnstile's, with tests of its own."""
    monkeypatch.setattr(pace, "PRIVATE", pace.Limit(1000, 1))
    monkeypatch.setattr(pace, "PRIVATE_DELIVERIES", pace.Limit(1000, 1))


@cache
def picture(number: int, extension: str = "png", size: tuple[int, int] = (64, 48), mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    Image.new(mode, size, (number * 20 % 256, 99, 200, 120)[: len(mode)]).save(out, extension.upper())
    return out.getvalue()


@cache
def song() -> bytes:
    return make(MediaOrder("audio", "утро", extension="mp3", duration_s=1))


@cache
def film() -> bytes:
    return make(MediaOrder("video", "волны", extension="mp4", duration_s=1))


@dataclass
class Gallery:
    """An order with files at addresses of their own, and a chat."""

    database: Database
    telegram: TelegramSandbox
    customer: Customer
    deliver: Deliverer
    files: dict[str, bytes]
    address: str
    asked: list[str]
    order: int = 0
    status: int = 0

    async def owes(self, *contents: bytes, **told: Any) -> None:
        """What the order has made, in this order."""
        outputs = []
        for number, content in enumerate(contents):
            self.files[f"/{number}"] = content
            found = sniff(content[:4096])
            outputs.append(Output(found[0] if found else Media.IMAGE, f"{self.address}/{number}", **told))
        assert await Settler(self.database).succeed(await self.generation(), outputs)

    async def generation(self) -> Generation:
        async with self.database.reading() as tx:
            found = await store.get(tx, self.order)
        assert found is not None
        return found

    async def delivered(self, *, looks: int = 10) -> list[dict[str, Any]]:
        """What the chat shows of the order at the end, in its order, without the ring."""
        for _ in range(looks):
            await self.deliver(self.order)
            if (await self.generation()).delivered_at:
                return await self.shown()
        raise AssertionError(f"not delivered after {looks} looks")

    async def shown(self) -> list[dict[str, Any]]:
        messages = (await self.customer.chat())["messages"]
        return [one for one in messages if one["message_id"] >= self.status and RING not in one["text"]]

    async def rows(self) -> list[dict[str, Any]]:
        async with self.database.reading() as tx:
            found = await tx.fetch(
                "SELECT part, position, state, tries, message_id, file_id, alone FROM deliveries"
                " WHERE part <> 'notice' ORDER BY id"
            )
        return [dict(row) for row in found]

    def fault(self, name: str, method: str = "sendMediaGroup", *, times: int | None = 1, **args: Any) -> None:
        self.telegram.faults.add(Fault(name, method, times=times, args=args))

    @property
    def calls(self) -> dict[str, int]:
        sent = self.telegram.world.stats.calls
        return {name: count for name, count in sent.items() if name.startswith("send") and name != "sendMessage"}


@contextlib.asynccontextmanager
async def a_gallery(database: Database) -> AsyncIterator[Gallery]:
    files: dict[str, bytes] = {}
    asked: list[str] = []

    async def give(request: web.Request) -> web.Response:
        asked.append(request.path)
        content = files.get(request.path)
        return web.Response(body=content) if content is not None else web.Response(status=404)

    async with (
        TelegramSandbox(TelegramOptions(time_scale=0.01)) as telegram,
        serving(give) as address,
        aiohttp.ClientSession() as session,
        make_bot(f"{BOT}:sandbox-test", telegram.base_url) as bot,
    ):
        await bot.get_me()
        async with Customer(telegram.base_url, CUSTOMER, BOT) as customer:
            await customer.send_text("/start")
            status = await bot.send_message(CUSTOMER, "Создаём…")
            courier = Courier(TelegramMessenger(bot, default_shelf()), Fetcher(session, "tests", LIMIT), LIMIT)
            gallery = Gallery(database, telegram, customer, Deliverer(database, {BOT: courier}), files, address, asked)
            async with database.transaction() as tx:
                gallery.order = await running(tx, await a_customer(tx, kopecks=1000), price=10)
                await tx.execute(
                    "UPDATE generations SET chat_id = $2, message_id = $3 WHERE id = $1",
                    gallery.order,
                    CUSTOMER,
                    status.message_id,
                )
            gallery.status = status.message_id
            yield gallery


def kinds(shown: Sequence[dict[str, Any]]) -> list[str]:
    return [one["media"]["kind"] if one["media"] else "text" for one in shown]


def groups(shown: Sequence[dict[str, Any]]) -> list[int]:
    """How many messages stand in each album, in order; 1: a message by itself."""
    sizes: dict[Any, int] = {}
    for one in shown:
        name = one["album"] or one["message_id"]
        sizes[name] = sizes.get(name, 0) + 1
    return list(sizes.values())


@pytest.mark.parametrize(("count", "expected"), [(2, [1, 1]), (4, [1, 3]), (12, [1, 10, 1])])
async def test_further_pictures_come_as_albums_in_reply(database: Database, count: int, expected: list[int]) -> None:
    """Of two one is left over and sent plainly; of twelve there is one result, an album of ten, and one more."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(count)))
        shown = await gallery.delivered()
        assert groups(shown) == expected
        assert shown[0]["message_id"] == gallery.status
        assert all(one["reply_to"]["message_id"] == gallery.status for one in shown[1:])
        rows = await gallery.rows()
        assert [row["message_id"] for row in rows] == [one["message_id"] for one in shown]
        files = gallery.telegram.world.files
        for number, row in enumerate(rows):
            assert row["state"] == "sent"
            with Image.open(files.location(files.named(BOT, row["file_id"]))) as seen:
                pixel = seen.convert("RGB").getpixel((5, 5))
            assert isinstance(pixel, tuple)
            assert abs(pixel[0] - number * 20 % 256) < 4  # each row names its own picture


async def test_kinds_that_do_not_mix_come_apart(database: Database) -> None:
    """A picture and a clip in one album, two songs in another, a GIF that plays by itself."""
    async with a_gallery(database) as gallery:
        moving = io.BytesIO()
        Image.new("RGB", (64, 64), "red").save(
            moving, "GIF", save_all=True, append_images=[Image.new("RGB", (64, 64), "blue")]
        )
        await gallery.owes(picture(0), picture(1), film(), song(), song(), moving.getvalue())
        shown = await gallery.delivered()
        assert kinds(shown) == ["photo", "photo", "video", "audio", "audio", "animation"]
        assert groups(shown) == [1, 2, 2, 1]


async def test_album_refused_for_one_file_falls_apart(database: Database) -> None:
    """Each goes by itself then, the bad one as a document; all arrive once, in their order."""
    async with a_gallery(database) as gallery:
        cut = picture(7, size=(900, 900))[:-900]
        await gallery.owes(picture(0), picture(1), cut, picture(2))
        shown = await gallery.delivered()
        assert kinds(shown) == ["photo", "photo", "document", "photo"]
        assert groups(shown) == [1, 1, 1, 1]
        assert gallery.calls == {"sendMediaGroup": 1, "sendPhoto": 3, "sendDocument": 1}
        rows = await gallery.rows()
        assert [row["alone"] for row in rows] == [False, True, True, True]
        assert [row["tries"] for row in rows] == [1, 1, 1, 1]


async def test_file_that_is_away_holds_up_no_album_before_it(database: Database) -> None:
    """What can be fetched comes as an album; the one that cannot is tried by itself, and the rest follow."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(6)))
        del gallery.files["/3"]
        await gallery.deliver(gallery.order)
        assert groups(await gallery.shown()) == [1, 2]
        gallery.files["/3"] = picture(3)
        assert groups(await gallery.delivered()) == [1, 2, 1, 2]


async def test_file_too_big_for_telegram_divides_an_album(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Together they are no larger than one upload may be; one that is too big by itself becomes its address."""
    async with a_gallery(database) as gallery:
        big = b"\x89PNG\r\n\x1a\n" + bytes(1000)
        await gallery.owes(picture(0), picture(1), picture(2), picture(3), big, picture(4))
        small = 2 * len(picture(1)) + 10
        courier = gallery.deliver.couriers[BOT]
        fetcher = courier.fetcher
        smaller = Courier(courier.messenger, fetcher, small)
        monkeypatch.setattr(gallery, "deliver", Deliverer(database, {BOT: smaller}))
        object.__setattr__(fetcher, "upload_limit_bytes", small)
        shown = await gallery.delivered()
        assert groups(shown) == [1, 2, 1, 1, 1]
        assert kinds(shown) == ["photo", "photo", "photo", "photo", "text", "photo"]
        assert f"{gallery.address}/4" in shown[4]["text"]


async def test_album_whose_reply_was_lost_is_sent_again(database: Database) -> None:
    """Nobody knows that it arrived: it is counted and repeated as a whole, and never missing."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(4)))
        gallery.fault("drop_after")
        shown = await gallery.delivered()
        assert groups(shown) == [1, 3, 3]
        assert [row["tries"] for row in await gallery.rows()] == [1, 2, 2, 2]
        assert [row["message_id"] for row in (await gallery.rows())[1:]] == [one["message_id"] for one in shown[4:]]


@pytest.mark.parametrize("fault", ["error_before", "drop_before", "bad_gateway"])
async def test_album_that_never_arrived_comes_once(database: Database, fault: str) -> None:
    """A trouble on the way costs an attempt and doubles nothing."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(3)))
        gallery.fault(fault)
        assert groups(await gallery.delivered()) == [1, 2]


async def test_flood_wait_of_an_album_is_obeyed(database: Database) -> None:
    """A long one puts all of its files back, uncounted, until the time that Telegram named."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(4)))
        gallery.fault("flood", retry_after=30)
        await gallery.deliver(gallery.order)
        assert groups(await gallery.shown()) == [1]
        assert [(row["state"], row["tries"]) for row in await gallery.rows()] == [("sent", 1), *[("pending", 0)] * 3]
        async with database.reading() as tx:
            assert await tx.fetchval("SELECT next_at > now() + interval '25 seconds' FROM generations")
        await gallery.deliver(gallery.order)
        assert gallery.telegram.world.stats.too_early == 0


async def test_blocked_before_an_album_it_waits_for_the_customer(database: Database) -> None:
    """All of its files are put back, and come as one when the customer is back."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(4)))
        gallery.fault("blocked")
        await gallery.deliver(gallery.order)
        assert [row["state"] for row in await gallery.rows()] == ["sent", *["pending"] * 3]
        async with database.transaction() as tx:
            await tx.execute("UPDATE customers SET blocked_at = NULL")
        assert groups(await gallery.delivered()) == [1, 3]


async def test_what_a_photo_would_spoil_follows_as_files(database: Database) -> None:
    """Large or transparent pictures come as documents, too, without being asked for; their button is not needed."""
    async with a_gallery(database) as gallery:
        large, clear = picture(1, size=(2600, 20 * 7)), picture(2, mode="RGBA")
        await gallery.owes(large, picture(3), clear)
        shown = await gallery.delivered()
        assert kinds(shown) == ["photo", "photo", "photo", "document", "document"]
        assert groups(shown) == [1, 2, 2]
        documents = [await gallery.customer.download(one["media"]["url"]) for one in shown[3:]]
        assert documents == [large, clear]
        assert not any("Оригинал" in key["text"] for row in shown[0]["inline_keyboard"] for key in row)


async def test_exact_results_follow_as_files(database: Database) -> None:
    """Where the file is what was paid for it comes by itself, however small it is."""
    async with a_gallery(database) as gallery:
        await gallery.owes(picture(0), exact=True)
        shown = await gallery.delivered()
        assert kinds(shown) == ["photo", "document"]
        assert await gallery.customer.download(shown[1]["media"]["url"]) == picture(0)


async def test_file_that_is_shown_as_a_file_is_not_sent_twice(database: Database) -> None:
    """Refused as a photo, it is in the chat as what was paid for already."""
    async with a_gallery(database) as gallery:
        gallery.fault("refuse_file", "editMessageMedia")
        await gallery.owes(picture(0), exact=True)
        (shown,) = await gallery.delivered()
        assert (shown["media"]["kind"], shown["message_id"]) == ("document", gallery.status)
        assert {row["message_id"] for row in await gallery.rows()} == {gallery.status}


async def test_opaque_picture_with_a_channel_for_it_is_no_file(database: Database) -> None:
    """Many makers write a channel for what shows through though nothing does: no reason for a second message."""
    async with a_gallery(database) as gallery:
        out = io.BytesIO()
        Image.new("RGBA", (64, 64), (9, 9, 9, 255)).save(out, "PNG")
        await gallery.owes(out.getvalue())
        assert kinds(await gallery.delivered()) == ["photo"]


async def test_moving_webp_comes_as_a_file(database: Database) -> None:
    """Telegram would show its first moment only."""
    async with a_gallery(database) as gallery:
        out = io.BytesIO()
        Image.new("RGB", (64, 64), "red").save(
            out, "WEBP", save_all=True, append_images=[Image.new("RGB", (64, 64), "blue")], duration=200
        )
        await gallery.owes(out.getvalue())
        assert kinds(await gallery.delivered()) == ["document"]


async def test_original_that_is_gone_is_said_so(database: Database) -> None:
    """No dead address for somebody who waits for a file, but a plain word, after all tries."""
    async with a_gallery(database) as gallery:
        await gallery.owes(picture(0))
        await gallery.delivered()
        gallery.files.clear()
        async with database.transaction() as tx:
            assert await owe_originals(tx, await gallery.generation()) is Owed.NOW
        await gallery.deliver(gallery.order)
        assert len(await gallery.shown()) == 1
        async with database.transaction() as tx:
            await tx.execute("UPDATE deliveries SET tries = $1 WHERE part = 'original'", DOWNLOADS_AT_MOST - 1)
        shown = await gallery.delivered()
        assert "больше нет" in shown[-1]["text"]
        assert gallery.address not in shown[-1]["text"]


async def test_originals_come_as_an_album_of_files(database: Database) -> None:
    """Whoever asks for the files behind four pictures gets them in one go, byte for byte."""
    async with a_gallery(database) as gallery:
        await gallery.owes(*(picture(n) for n in range(4)))
        await gallery.delivered()
        async with database.transaction() as tx:
            assert await owe_originals(tx, await gallery.generation()) is Owed.NOW
        shown = await gallery.delivered()
        assert groups(shown) == [1, 3, 4]
        assert [await gallery.customer.download(one["media"]["url"]) for one in shown[4:]] == [
            picture(n) for n in range(4)
        ]


async def test_songs_come_with_what_a_player_shows(database: Database) -> None:
    """Title, maker, and the provider's picture as a small JPEG; in an album, and in the order's message."""
    async with a_gallery(database) as gallery:
        gallery.files["/cover"] = picture(1, "jpeg", (1024, 1024))
        await gallery.owes(song(), song(), song(), title="Утро", duration_s=7, cover=f"{gallery.address}/cover")
        for one in await gallery.delivered():
            assert (one["media"]["title"], one["media"]["performer"]) == ("Утро", "Z-Image")
            cover = await gallery.customer.download(one["media"]["cover"])
            with Image.open(io.BytesIO(cover)) as seen:
                assert (seen.format, seen.size) == ("JPEG", (320, 320))


@pytest.mark.parametrize("cover", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(9 * MIB)])
async def test_cover_that_cannot_be_had_fails_nothing(database: Database, cover: bytes) -> None:
    """Gone, broken or huge: the song comes without it."""
    async with a_gallery(database) as gallery:
        if cover:
            gallery.files["/cover"] = cover
        await gallery.owes(song(), cover=f"{gallery.address}/cover")
        (shown,) = await gallery.delivered()
        assert (shown["media"]["kind"], shown["media"]["cover"]) == ("audio", None)


async def test_song_refused_with_its_cover_is_tried_without(database: Database) -> None:
    """It may have been for the decoration: before it becomes a plain file it is sent as a song once more."""
    async with a_gallery(database) as gallery:
        gallery.files["/cover"] = picture(1)
        gallery.fault("refuse_file", "editMessageMedia")
        await gallery.owes(song(), cover=f"{gallery.address}/cover")
        (shown,) = await gallery.delivered()
        assert (shown["media"]["kind"], shown["media"]["cover"]) == ("audio", None)
