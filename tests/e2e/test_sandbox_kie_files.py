"""The result host, the upload host and download-url of the provider's stand-in."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import aiohttp
import av
import pytest
from aiohttp import web
from PIL import Image

from sandbox.kie.results import padded
from tests.kie_stand_in import CAT, Visitor, running_kie

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "kie" / "other.json").read_text(encoding="utf-8"))
UPLOADED = [json.loads(entry["response"]) for entry in RECORDED if "upload" in entry["url"]]
MEGABYTE = 2**20


async def fetched(kie: Visitor, url: str, fault: str | None = None) -> tuple[int, str, bytes]:
    """HTTP status, content type and bytes, asked for without a key."""
    headers = {"X-Sandbox-Fault": fault} if fault else {}
    async with kie.session.get(url, headers=headers) as answer:
        return answer.status, answer.content_type, await answer.read()


async def uploaded(kie: Visitor, way: str, **sent: Any) -> dict[str, Any]:
    """The body of an upload's answer."""
    url = f"{kie.kie.upload_url}/api/file-{way}-upload"
    async with kie.session.post(url, headers=kie.headers(), **sent) as answer:
        assert answer.status == 200
        return dict(await answer.json())


def text_file(content: bytes, name: str = "test.txt") -> dict[str, Any]:
    return {"base64Data": base64.b64encode(content).decode(), "uploadPath": "documents/test", "fileName": name}


async def test_result_is_a_real_picture_of_the_asked_shape() -> None:
    """The address needs no key and gives a PNG of exactly the asked proportions, the same every time."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls()
        status, kind, content = await fetched(kie, url)
        image = Image.open(io.BytesIO(content))
        assert (status, kind, image.format, image.size) == (200, "image/png", "PNG", (1280, 720))
        assert await fetched(kie, url) == (status, kind, content)


@pytest.mark.parametrize(
    ("model", "given", "kind"),
    [
        ("grok-imagine/text-to-video", {"prompt": "кот", "duration": 6, "aspect_ratio": "9:16"}, "video/mp4"),
        ("elevenlabs/sound-effect-v2", {"text": "дождь"}, "audio/mpeg"),
    ],
)
async def test_clips_and_sounds_are_real(model: str, given: dict[str, Any], kind: str) -> None:
    """Other models give files that can be played."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls({"model": model, "input": given})
        status, declared, content = await fetched(kie, url)
        with av.open(io.BytesIO(content)) as media:
            assert media.duration
        assert (status, declared) == (200, kind)


async def test_head_tells_size_and_type() -> None:
    """HEAD answers with the headers of GET and no body."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls()
        _, kind, content = await fetched(kie, url)
        async with kie.session.head(url) as answer:
            assert (answer.status, answer.content_type, answer.content_length) == (200, kind, len(content))
            assert await answer.read() == b""
        assert (await fetched(kie, url))[0] == 200


async def test_result_expires() -> None:
    """After its time a result is a plain HTTP 404, while the record still names it."""
    async with running_kie(result_retention_s=0.0) as kie:
        (url,) = await kie.result_urls()
        assert (await fetched(kie, url))[0] == 404
        assert (await fetched(kie, f"{kie.kie.result_url}/s/never.png"))[0] == 404


async def test_result_host_fails_on_demand() -> None:
    """Not found, a page instead of a picture, a wrong type - and then the file after all."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls()
        good = await fetched(kie, url)
        assert (await fetched(kie, url, "file_404"))[0] == 404
        assert (await fetched(kie, url, "file_html"))[:2] == (200, "text/html")
        assert await fetched(kie, url, "file_wrong_type") == (200, "application/octet-stream", good[2])
        assert (await fetched(kie, url, "http_502"))[:2] == (502, "text/html")
        assert await fetched(kie, url) == good


async def test_result_may_be_cut_off() -> None:
    """Half of the announced bytes come, then the connection is gone."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls()
        with pytest.raises(aiohttp.ClientPayloadError):
            await fetched(kie, url, "file_truncated")


async def test_result_may_be_slow() -> None:
    """In pieces, but whole."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls()
        good = await fetched(kie, url)
        kie.arm("file_slow", "result", seconds=0.05)
        assert await fetched(kie, url) == good


@pytest.mark.parametrize("megabytes", [25, 60])
async def test_result_may_be_big(megabytes: int) -> None:
    """Exactly as big as armed, and still a picture."""
    async with running_kie() as kie:
        (url,) = await kie.result_urls()
        kie.arm("file_big", "result", mb=megabytes)
        _, kind, content = await fetched(kie, url)
        assert (kind, len(content)) == ("image/png", megabytes * MEGABYTE)
        assert Image.open(io.BytesIO(content)).size == (1280, 720)


async def test_big_clip_still_plays() -> None:
    """The padding of a clip is a box that players skip."""
    async with running_kie() as kie:
        body = {"model": "grok-imagine/text-to-video", "input": {"prompt": "кот", "duration": 6}}
        (url,) = await kie.result_urls(body)
        content = padded((await fetched(kie, url))[2], "video/mp4", MEGABYTE)
        with av.open(io.BytesIO(content)) as clip:
            assert sum(1 for _ in clip.decode(video=0)) == 144
        assert len(content) == MEGABYTE


async def test_upload_answer_is_the_recorded_one() -> None:
    """Same keys and types as the real answers, and the same values where the file is the same."""
    async with running_kie() as kie:
        mine = await uploaded(kie, "base64", json=text_file(b"hello world"))
        for real in UPLOADED:
            assert {key: type(value) for key, value in mine.items()} == {key: type(real[key]) for key in real}
            assert {key: type(mine["data"][key]) for key in mine["data"]} == {
                key: type(real["data"][key]) for key in real["data"]
            }
        real = next(body for body in UPLOADED if body["data"]["fileName"] == "test.txt")
        same = ("success", "fileName", "fileSize", "mimeType")
        assert [mine["data"][key] for key in same] == [real["data"][key] for key in same]
        assert mine["data"]["filePath"] == "kieai/100000/documents/test/test.txt"


async def test_uploads_are_served_without_a_key() -> None:
    """Stream, base64, a data URL and an address all end as the same bytes behind downloadUrl."""
    async with running_kie() as kie:
        (source,) = await kie.result_urls()
        picture = (await fetched(kie, source))[2]
        form = aiohttp.FormData({"uploadPath": "images"})
        form.add_field("file", picture, filename="кот 1.png", content_type="image/png")
        encoded = base64.b64encode(picture).decode()
        answers = [
            await uploaded(kie, "stream", data=form),
            await uploaded(kie, "base64", json={"base64Data": encoded, "uploadPath": "images", "fileName": "b.png"}),
            await uploaded(
                kie, "base64", json={"base64Data": f"data:image/png;base64,{encoded}", "uploadPath": "images"}
            ),
            await uploaded(kie, "url", json={"fileUrl": source, "uploadPath": "/images/"}),
        ]
        urls = [answer["data"]["downloadUrl"] for answer in answers]
        assert len(set(urls)) == 4
        for url in urls:
            assert await fetched(kie, url) == (200, "image/png", picture)


async def test_same_name_overwrites_silently() -> None:
    """The second upload answers like the first, and its bytes are behind both addresses."""
    async with running_kie() as kie:
        first = (await uploaded(kie, "base64", json=text_file(b"first")))["data"]
        second = (await uploaded(kie, "base64", json=text_file(b"second")))["data"]
        other = (await uploaded(kie, "base64", json=text_file(b"other", name="other.txt")))["data"]
        assert first["downloadUrl"] == second["downloadUrl"] != other["downloadUrl"]
        assert (await fetched(kie, first["downloadUrl"]))[2] == b"second"


async def test_upload_expires() -> None:
    """After its day an upload is gone."""
    async with running_kie(upload_retention_s=0.0) as kie:
        url = (await uploaded(kie, "base64", json=text_file(b"x")))["data"]["downloadUrl"]
        assert (await fetched(kie, url))[0] == 404


@pytest.mark.parametrize(
    ("way", "sent", "code", "msg"),
    [
        ("base64", {"json": {"base64Data": "aGk="}}, 400, "Missing required parameter: uploadPath"),
        ("base64", {"json": {"uploadPath": "x"}}, 400, "Missing required parameter: base64Data"),
        (
            "base64",
            {"json": {"base64Data": "not base64!", "uploadPath": "x"}},
            400,
            "Base64 decoding failed: Invalid Base64 format",
        ),
        ("base64", {"data": b"{"}, 400, "The request body is not valid JSON"),
        ("stream", {"data": {"uploadPath": "x"}}, 400, "Missing required parameter: file"),
        (
            "url",
            {"json": {"fileUrl": "http://127.0.0.1:9/x.png", "uploadPath": "x"}},
            500,
            "Failed to download the file",
        ),
        ("base64", {"json": text_file(b"x" * 2000)}, 413, "The file is too large"),
    ],
)
async def test_bad_uploads_are_refused(way: str, sent: dict[str, Any], code: int, msg: str) -> None:
    """HTTP 200, success false, a code and a text."""
    async with running_kie(max_upload_bytes=1000) as kie:
        assert await uploaded(kie, way, **sent) == {"success": False, "code": code, "msg": msg}


async def test_upload_wants_a_key() -> None:
    """The upload host has words of its own for a wrong key."""
    async with running_kie() as kie:
        kie.key = "real-looking-key"
        body = await uploaded(kie, "base64", json=text_file(b"x"))
        assert body == {"success": False, "code": 401, "msg": "Authentication failed: Invalid API Key"}


async def test_upload_from_an_endless_address_is_bounded() -> None:
    """A source that is bigger than the limit is refused, not read to its end."""

    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(bytes(2**16))
        except ConnectionError:
            return response

    app = web.Application()
    app.router.add_get("/big", endless)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with running_kie(max_upload_bytes=MEGABYTE) as kie:
        source = f"http://127.0.0.1:{runner.addresses[0][1]}/big"
        body = await uploaded(kie, "url", json={"fileUrl": source, "uploadPath": "x"})
        assert (body["success"], body["code"]) == (False, 413)
    await runner.cleanup()


@pytest.mark.parametrize("folder", ["../../s", "/etc", "a/../../b", "..\\..\\c"])
async def test_upload_stays_in_its_folder(folder: str) -> None:
    """A path cannot leave the account's folder."""
    async with running_kie() as kie:
        body = await uploaded(kie, "base64", json=text_file(b"x") | {"uploadPath": folder, "fileName": "../x.txt"})
        assert body["data"]["filePath"].startswith("kieai/100000/")
        assert ".." not in body["data"]["filePath"].split("/")


async def test_download_url_gives_a_second_address() -> None:
    """A bare string with the same bytes behind it, for results and uploads alike."""
    async with running_kie() as kie:
        sources = await kie.result_urls()
        sources.append((await uploaded(kie, "base64", json=text_file(b"hi", "файл 1.txt")))["data"]["downloadUrl"])
        for source in sources:
            _, body = await kie.post("/api/v1/common/download-url", {"url": source})
            assert (body["code"], body["data"] == source) == (200, False)
            assert await fetched(kie, body["data"]) == await fetched(kie, source)


@pytest.mark.parametrize("url", ["https://example.com/x.png", "", None, "/s/x.png"])
async def test_download_url_refuses_foreign_addresses(url: Any) -> None:
    """422, as recorded."""
    real = next(json.loads(entry["response"]) for entry in RECORDED if entry["url"].endswith("download-url"))
    async with running_kie() as kie:
        assert await kie.post("/api/v1/common/download-url", {"url": url}) == (200, real)


async def test_download_url_expires_and_does_not_extend_life() -> None:
    """The second address has a life of its own, and none beyond the first."""
    async with running_kie(link_retention_s=0.0) as kie:
        (source,) = await kie.result_urls()
        link = (await kie.post("/api/v1/common/download-url", {"url": source}))[1]["data"]
        assert ((await fetched(kie, link))[0], (await fetched(kie, source))[0]) == (404, 200)
    async with running_kie(result_retention_s=0.0) as kie:
        (source,) = await kie.result_urls()
        assert (await kie.post("/api/v1/common/download-url", {"url": source}))[1]["code"] == 422


async def test_public_addresses_may_be_given() -> None:
    """Behind a tunnel the result addresses carry the public name."""
    async with running_kie(result_url="https://files.example/") as kie:
        (url,) = await kie.result_urls({"model": "z-image", "input": CAT})
        assert url.startswith("https://files.example/s/")
