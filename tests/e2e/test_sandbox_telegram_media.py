"""The Telegram stand-in takes and gives files as Telegram does: photos, albums, addresses, limits, downloads."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from PIL import Image
from telegram import Bot, InputMediaAudio, InputMediaDocument, InputMediaPhoto, InputMediaVideo
from telegram.error import BadRequest, NetworkError

from sandbox.customer import Customer, Refused
from sandbox.media.studio import MediaOrder, make
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.errors import TooManyRequests
from sandbox.telegram.limits import FloodGate, FloodLimits
from tests.e2e.sandbox_telegram_stage import library_bot, picture, raw_bot, served, started

USER_ID = 42
MIB = 1024 * 1024
PDF = b"%PDF-1.4\n%%EOF\n"


@pytest.fixture
async def sandbox() -> AsyncIterator[TelegramSandbox]:
    async with TelegramSandbox(TelegramOptions(fetch_timeout_s=5)) as running:
        yield running


@pytest.fixture
async def bot(sandbox: TelegramSandbox) -> AsyncIterator[Bot]:
    async with library_bot(sandbox) as library:
        yield library


@pytest.fixture
async def customer(sandbox: TelegramSandbox, bot: Bot) -> AsyncIterator[Customer]:
    async with started(sandbox, USER_ID) as someone:
        yield someone


async def test_uploaded_photo_has_real_sizes_and_can_be_sent_again(bot: Bot, customer: Customer) -> None:
    """The last size is the picture itself, smaller ones come before it, and its file_id sends the same file."""
    sent = await bot.send_photo(USER_ID, picture(1000, 500), caption="<i>Готово</i>", parse_mode="HTML")
    again = await bot.send_photo(USER_ID, sent.photo[-1].file_id)
    assert [(size.width, size.height) for size in sent.photo] == [(90, 45), (320, 160), (800, 400), (1000, 500)]
    assert sent.caption_entities[0].type == "italic"
    assert again.photo[-1].file_unique_id == sent.photo[-1].file_unique_id
    shown = (await customer.chat())["messages"][-1]["media"]
    assert (shown["kind"], shown["width"]) == ("photo", 1000)
    assert (await customer.download(shown["url"])).startswith(b"\xff\xd8")


async def test_file_id_of_another_bot_is_refused(sandbox: TelegramSandbox, bot: Bot, customer: Customer) -> None:
    """An identifier belongs to the bot that was given it."""
    sent = await bot.send_photo(USER_ID, picture())
    async with library_bot(sandbox, "7002:sandbox-other") as other, started(sandbox, USER_ID, 7002):
        with pytest.raises(BadRequest, match="Wrong file identifier/http url specified"):
            await other.send_photo(USER_ID, sent.photo[-1].file_id)
    with pytest.raises(BadRequest, match="Can't use file of type photo as document"):
        await bot.send_document(USER_ID, sent.photo[-1].file_id)


@pytest.mark.parametrize(
    ("data", "refusal"),
    [
        (b"not a picture", "Image_process_failed"),
        (picture()[:60], "Image_process_failed"),
        (picture(100, 2001), "Photo_invalid_dimensions"),
        (picture(9000, 1001), "Photo_invalid_dimensions"),
        (b"\xff\xd8" + b"x" * (10 * MIB), f"File of size {10 * MIB + 2} bytes is too big for a photo"),
        (b"", "File must be non-empty"),
    ],
    ids=["text", "cut", "ratio", "sides", "10MB", "empty"],
)
async def test_photo_outside_the_limits_is_refused(bot: Bot, customer: Customer, data: bytes, refusal: str) -> None:
    """Each limit has its own refusal, and the chat stays as it was."""
    with pytest.raises(BadRequest, match=refusal):
        await bot.send_photo(USER_ID, data)
    assert len((await customer.chat())["messages"]) == 1


async def test_upload_beyond_50_mb_is_refused_and_50_mb_is_taken(
    sandbox: TelegramSandbox, bot: Bot, customer: Customer
) -> None:
    """The limit is on the file, to the byte."""
    sent = await bot.send_document(USER_ID, b"x" * (50 * MIB), filename="big.bin")
    assert sent.document is not None
    assert sent.document.file_size == 50 * MIB
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(USER_ID, b"x" * (50 * MIB + 1))
    assert sandbox.world.stats.refusals[413] == 1


async def test_files_by_address(bot: Bot, customer: Customer) -> None:
    """The stand-in fetches what an address holds, and names the two ways in which that fails."""
    files = {
        "a.jpg": ("image/jpeg", picture(kind="JPEG")),
        "a.html": ("text/html", b"<html></html>"),
        "a.pdf": ("application/pdf", PDF),
        "a.txt": ("text/plain", b"text"),
        "big.jpg": ("image/jpeg", b"x" * (5 * MIB + 1)),
    }
    async with served(files) as web:
        assert (await bot.send_photo(USER_ID, f"{web}/a.jpg")).photo[-1].width == 64
        sent = await bot.send_document(USER_ID, f"{web}/a.pdf")
        assert sent.document is not None
        assert sent.document.file_name == "a.pdf"
        for name in ("a.html", "a.txt"):
            with pytest.raises(BadRequest, match="Wrong type of the web page content"):
                await bot.send_photo(USER_ID, f"{web}/{name}")
        with pytest.raises(BadRequest, match="Wrong type of the web page content"):
            await bot.send_document(USER_ID, f"{web}/a.txt")
        for name in ("big.jpg", "missing.jpg"):
            with pytest.raises(BadRequest, match="Failed to get http url content"):
                await bot.send_photo(USER_ID, f"{web}/{name}")


async def test_text_message_becomes_the_picture(bot: Bot, customer: Customer) -> None:
    """The status message turns into the result in place; the same file again is "not modified"."""
    status = await bot.send_message(USER_ID, "Генерирую")
    edited = await bot.edit_message_media(
        InputMediaPhoto(picture(), caption="Готово"), USER_ID, status.message_id, read_timeout=20
    )
    assert isinstance(edited, type(status))
    assert (edited.message_id, edited.caption, edited.text) == (status.message_id, "Готово", None)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_media(
            InputMediaPhoto(edited.photo[-1].file_id, caption="Готово"), USER_ID, status.message_id
        )
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("Готово", USER_ID, status.message_id)
    assert [message["media"] is None for message in (await customer.chat())["messages"]] == [True, False]


async def test_caption_is_edited_and_measured(bot: Bot, customer: Customer) -> None:
    """1024 characters; the picture stays."""
    sent = await bot.send_photo(USER_ID, picture())
    edited = await bot.edit_message_caption(USER_ID, sent.message_id, caption="x" * 1024)
    assert isinstance(edited, type(sent))
    assert edited.photo == sent.photo
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.edit_message_caption(USER_ID, sent.message_id, caption="x" * 1025)


async def test_album_is_sent_as_one_or_not_at_all(bot: Bot, customer: Customer) -> None:
    """Two to ten, documents only with documents, and one bad picture leaves the chat as it was."""
    sent = await bot.send_media_group(USER_ID, [InputMediaPhoto(picture(colour=colour)) for colour in ("red", "blue")])
    assert len({message.media_group_id for message in sent}) == 1
    mixed: list[Any] = [InputMediaPhoto(picture()), InputMediaDocument(PDF, filename="a.pdf")]
    with pytest.raises(BadRequest, match="Document can't be mixed with other media types"):
        await bot.send_media_group(USER_ID, mixed)
    with pytest.raises(BadRequest, match='message #2 with the error message "image_process_failed"'):
        await bot.send_media_group(USER_ID, [InputMediaPhoto(picture()), InputMediaPhoto(b"no picture")])
    assert len((await customer.chat())["messages"]) == 3


async def test_album_of_eleven_is_refused(sandbox: TelegramSandbox, bot: Bot, customer: Customer) -> None:
    """Ten is the most; the documentation's least is two."""
    file_id = (await bot.send_photo(USER_ID, picture())).photo[-1].file_id
    async with raw_bot(sandbox) as raw:
        media = [{"type": "photo", "media": file_id}]
        assert not (await raw("sendMediaGroup", chat_id=USER_ID, media=media * 11))["ok"]
        assert not (await raw("sendMediaGroup", chat_id=USER_ID, media=media))["ok"]
        nothing = await raw("sendMediaGroup", chat_id=USER_ID, media=[])
        assert nothing["description"] == "Bad Request: there are no messages to send"
        assert len((await raw("sendMediaGroup", chat_id=USER_ID, media=media * 10))["result"]) == 10


async def test_what_is_no_video_arrives_as_a_document(bot: Bot, customer: Customer) -> None:
    """As with Telegram, the content decides and not the method."""
    sent = await bot.send_video(USER_ID, b"just text", filename="clip.txt")
    assert sent.video is None
    assert sent.document is not None
    with pytest.raises(BadRequest):
        await bot.send_media_group(USER_ID, [InputMediaVideo(b""), InputMediaVideo(b"")])


async def test_customer_photo_is_downloaded_by_the_bot(bot: Bot, customer: Customer) -> None:
    """What a customer attaches comes as an update, and getFile leads to its bytes."""
    message = await customer.send_media("photo", picture(700, 300), caption="вот")
    update = (await bot.get_updates(offset=-1))[0]
    assert update.message is not None
    assert (update.message.message_id, update.message.caption) == (message["message_id"], "вот")
    file = await bot.get_file(update.message.photo[-1].file_id)
    assert (file.file_path or "").startswith("http")
    data = bytes(await file.download_as_bytearray())
    assert await customer.download(message["media"]["url"]) == data


async def test_file_beyond_20_mb_cannot_be_fetched(bot: Bot, customer: Customer) -> None:
    """A customer may send more than a bot may download."""
    await customer.send_media("document", b"x" * (20 * MIB + 1), name="big.bin")
    update = (await bot.get_updates(offset=-1))[0]
    assert update.message is not None
    assert update.message.document is not None
    with pytest.raises(BadRequest, match="File is too big"):
        await bot.get_file(update.message.document.file_id)


async def test_customer_album_is_one_group(sandbox: TelegramSandbox, bot: Bot, customer: Customer) -> None:
    """Photos sent with the same album id share a media_group_id; a file that is no photo is refused."""
    await asyncio.gather(*(customer.send_media("photo", picture(), album="555") for _ in range(3)))
    updates = await bot.get_updates(offset=-3)
    assert {update.message.media_group_id for update in updates if update.message} == {"555"}
    with pytest.raises(Refused, match="IMAGE_PROCESS_FAILED"):
        await customer.send_media("photo", b"no picture")


async def test_document_is_never_shown_in_the_page(sandbox: TelegramSandbox, bot: Bot, customer: Customer) -> None:
    """A page or script that somebody sends is offered for download, sandboxed, whatever type it claims."""
    message = await customer.send_media("document", b"<script>alert(1)</script>", name="a.html", mime_type="text/html")
    async with raw_bot(sandbox) as raw, raw.session.get(sandbox.base_url + message["media"]["url"]) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert "sandbox" in answer.headers["Content-Security-Policy"]


async def test_large_photo_is_scaled_to_2560(bot: Bot, customer: Customer) -> None:
    """The biggest size has its longer side at most 2560, as JPEG."""
    sent = await bot.send_photo(USER_ID, picture(4000, 2000))
    assert (sent.photo[-1].width, sent.photo[-1].height) == (2560, 1280)
    data = await customer.download((await customer.chat())["messages"][-1]["media"]["url"])
    with Image.open(io.BytesIO(data)) as seen:
        assert (seen.format, seen.size) == ("JPEG", (2560, 1280))


async def test_cover_is_kept_and_a_wrong_one_left_out(bot: Bot, customer: Customer) -> None:
    """A small JPEG beside a sound, in an album too; a large one is silently no cover."""
    audio, cover = await asyncio.to_thread(make, MediaOrder("audio", "утро", extension="mp3")), picture(kind="JPEG")
    sent = await bot.send_audio(USER_ID, audio, thumbnail=cover)
    assert sent.audio is not None
    assert sent.audio.thumbnail is not None
    assert (sent.audio.thumbnail.width, sent.audio.thumbnail.file_size) == (64, len(cover))
    album = await bot.send_media_group(
        USER_ID,
        [InputMediaAudio(audio, thumbnail=cover), InputMediaAudio(audio, thumbnail=picture(400, 400, kind="JPEG"))],
    )
    assert [message.audio is not None and message.audio.thumbnail is not None for message in album] == [True, False]
    seen = [message["media"]["cover"] for message in (await customer.chat())["messages"][-3:]]
    assert [one is not None for one in seen] == [True, True, False]
    assert await customer.download(seen[0]) == cover


async def test_album_counts_each_of_its_messages() -> None:
    """It passes as one message does; the next one waits for all of it."""
    now_s = [0.0]
    gate = FloodGate(FloodLimits(chat_burst=5), lambda: now_s[0])
    gate.pass_or_refuse(1, "sendMediaGroup", "1001", 10)
    for at_s, passes in ((5.0, False), (6.0, True)):
        now_s[0] = at_s
        with contextlib.nullcontext() if passes else pytest.raises(TooManyRequests):
            gate.pass_or_refuse(1, "sendMessage", "1001")
