"""`kiosk run` as a process: what it refuses to start with, when its port is open, and how it ends."""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from kiosk.postgres import EmbeddedPostgres
from tests.shopprocess import BOT, KEY, TOKEN, Ended, a_telegram, kiosk, ran

PASSWORD = "password-of-nobody"
WELL = {"TELEGRAM_BOT_TOKEN": TOKEN, "KIE_API_KEY": KEY, "HOST": "127.0.0.1", "PORT": "0"}


async def status(port: int, path: str, method: str = "GET") -> int:
    url = f"http://127.0.0.1:{port}{path}"
    async with aiohttp.ClientSession() as session, session.request(method, url) as answer:
        return answer.status


@contextlib.asynccontextmanager
async def a_silent_database() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """The address of something that takes connections and says nothing, and whether somebody came."""
    came, may_end = asyncio.Event(), asyncio.Event()

    async def say_nothing(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set()
        await may_end.wait()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"postgresql://kiosk:{PASSWORD}@127.0.0.1:{port}/kiosk", came
    finally:
        may_end.set()
        server.close()
        await server.wait_closed()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def refused(ended: Ended, name: str) -> bool:
    """Whether it ended with one line for people that names the setting, and without any secret."""
    (line,) = ended.told
    secrets = (TOKEN, KEY, PASSWORD)
    return ended.code == 2 and line.startswith(f"kiosk: {name}") and not any(s in ended.err for s in secrets)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TELEGRAM_BOT_TOKEN", ""),
        ("TELEGRAM_BOT_TOKEN", "no token at all"),
        ("KIE_API_KEY", ""),
        ("PORT", "eighty"),
        ("BOT_MODE", "pigeon"),
        ("RUB_PER_USD", "ninety"),
        ("ADMIN_ID", "me"),
        ("DATABASE_URL", f"postgresql://kiosk:{PASSWORD}@127.0.0.1:99999/kiosk"),
        ("DATABASE_URL", f"mysql://kiosk:{PASSWORD}@127.0.0.1/kiosk"),
    ],
)
async def test_run_refuses_a_setting_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    """Exit code 2, one line on the screen that names the setting, and nothing was begun."""
    ended = await ran(tmp_path, "run", **{**WELL, name: value})
    assert refused(ended, f"{name}: ")
    assert ended.err.splitlines() == ended.told
    assert left_in(tmp_path) == []


async def test_run_refuses_a_database_that_is_not_there(tmp_path: Path) -> None:
    """Nobody listens: the address is at fault, its password stays ours."""
    address = f"postgresql://kiosk:{PASSWORD}@127.0.0.1:{free_port()}/kiosk"
    settings = {**WELL, "DATABASE_URL": address, "STARTUP_WAIT_S": "1"}
    ended = await ran(tmp_path, "run", **settings)
    assert refused(ended, "DATABASE_URL: ")
    said = [json.loads(line) for line in ended.err.splitlines() if '"database.awaited"' in line]
    assert [line["level"] for line in said][:1] == ["warning"]
    assert {line["level"] for line in said[1:]} <= {"info"}


async def test_run_waits_for_its_database(tmp_path: Path, open_folder: Path) -> None:
    """A platform starts everything at once: the process lives, says what it waits for, and opens when it is there."""
    server = EmbeddedPostgres(open_folder / "postgres", {"fsync": "off", "autovacuum": "off"})
    address = server.start()
    server.stop()
    async with (
        a_telegram() as telegram,
        kiosk(tmp_path, "run", **WELL, DATABASE_URL=address, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        port = (await process.hears("web.listening"))["port"]
        await process.hears("database.awaited")
        assert await status(port, "/live") == 200
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/ready") as answer:
            told = await answer.json()
        assert (answer.status, told["ready"], told["checks"]) == (503, False, {})
        assert told["waits_for"].startswith("the database: ")
        try:
            server.start()
            await process.hears("shop.open")
            ended = await process.ended(told_to=True)
        finally:
            server.stop()
    assert (ended.code, ended.told) == (0, [])


async def test_run_refuses_a_wrong_password(tmp_path: Path, dsn: str) -> None:
    """The database does not let us in: the address is at fault."""
    user, _, rest = dsn.partition("://")[2].partition("@")
    address = f"postgresql://{user.partition(':')[0]}:{PASSWORD}@{rest}"
    assert refused(await ran(tmp_path, "run", **WELL, DATABASE_URL=address), "DATABASE_URL: ")


async def test_run_refuses_a_taken_port(tmp_path: Path, dsn: str) -> None:
    """Another program listens there: the port is named, and the database is left alone."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert refused(await ran(tmp_path, "run", **{**WELL, "PORT": str(port)}, DATABASE_URL=dsn), f"PORT: {port} ")


async def test_refused_token_is_named(tmp_path: Path, dsn: str) -> None:
    """401 on getMe: the token is at fault and nobody sees it."""
    async with a_telegram(refusals={"getMe": 401}) as telegram:
        ended = await ran(tmp_path, "run", **WELL, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url)
    assert refused(ended, "TELEGRAM_BOT_TOKEN: ")


async def test_run_that_hears_nonsense_keeps_its_secrets(tmp_path: Path, dsn: str) -> None:
    """Who answers like no Telegram is asked again, and the screen shows log lines alone: no bare traceback."""
    async with (
        a_telegram(me={"id": "nonsense"}) as telegram,
        kiosk(tmp_path, "run", **WELL, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        assert (await process.hears("bot.not_met"))["error"] == "ClientDecodeError"
        ended = await process.ended(told_to=True)
    assert (ended.code, ended.told) == (0, [])
    assert TOKEN not in ended.err


async def test_port_is_open_before_the_database_answers(tmp_path: Path) -> None:
    """The process is alive while it waits for its first word with the database, and ends when told to."""
    async with (
        a_silent_database() as (address, came),
        kiosk(tmp_path, "run", **WELL, DATABASE_URL=address) as process,
    ):
        port = (await process.hears("web.listening"))["port"]
        await came.wait()
        assert (await status(port, "/live"), await status(port, "/ready")) == (200, 503)
        ended = await process.ended(told_to=True)
    assert (ended.code, ended.told) == (0, [])


async def test_port_answers_while_the_rest_starts(tmp_path: Path, dsn: str) -> None:
    """While getMe waits all else works: updates and callbacks are taken, and /ready says what is missing."""
    async with (
        a_telegram(held=frozenset({"getMe"})) as telegram,
        kiosk(tmp_path, "run", **WELL, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        port = (await process.hears("web.listening"))["port"]
        await telegram.was_called("getMe").wait()
        await process.hears("shop.open")
        assert (await status(port, "/live"), await status(port, "/ready"), await status(port, "/health")) == (
            200,
            503,
            200,
        )
        assert await status(port, f"/telegram/{BOT}", "POST") == 401
        telegram.let_go.set()
        await process.hears("leadership.active")
        ended = await process.ended(told_to=True)
    assert (ended.code, ended.told) == (0, [])


@pytest.mark.parametrize("role", ["web", "worker"])
async def test_refused_token_is_named_by_every_part(tmp_path: Path, dsn: str, role: str) -> None:
    """Whichever part is started: a token that nobody accepts ends it in one line."""
    async with a_telegram(refusals={"getMe": 401}) as telegram:
        ended = await ran(tmp_path, role, **WELL, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url)
    assert refused(ended, "TELEGRAM_BOT_TOKEN: ")
    assert ("web.listening" in ended.err) is (role == "web")


@pytest.mark.parametrize("held", ["getMe", "setMyCommands", "deleteWebhook", "getUpdates"])
async def test_sigterm_ends_a_shop_that_waits_for_telegram(tmp_path: Path, dsn: str, held: str) -> None:
    """At whatever call it waits, told to end it ends, with 0."""
    async with (
        a_telegram(held=frozenset({held})) as telegram,
        kiosk(tmp_path, "run", **WELL, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        await process.hears("web.listening")
        await telegram.was_called(held).wait()
        ended = await process.ended(told_to=True)
    assert (ended.code, ended.told) == (0, [])
    assert TOKEN not in ended.err


async def test_sigterm_ends_a_shop_with_webhook(tmp_path: Path, dsn: str) -> None:
    """Webhook mode serves until it is told to end, and then ends with 0."""
    settings = {**WELL, "BOT_MODE": "webhook", "WEBHOOK_BASE_URL": "https://shop.example"}
    async with (
        a_telegram() as telegram,
        kiosk(tmp_path, "run", **settings, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        port = (await process.hears("web.listening"))["port"]
        await process.hears("bot.webhook_set")
        assert await status(port, f"/telegram/{BOT}", "POST") == 401
        ended = await process.ended(told_to=True)
    assert (ended.code, ended.told) == (0, [])


async def test_webhook_address_and_secret_do_not_hold_the_token(tmp_path: Path, dsn: str) -> None:
    """What Telegram is told to call holds the bot's public number, and a secret that does not give the token away."""
    settings = {**WELL, "BOT_MODE": "webhook", "WEBHOOK_BASE_URL": "https://shop.example"}
    async with (
        a_telegram() as telegram,
        kiosk(tmp_path, "run", **settings, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        await process.hears("bot.webhook_set")
        await process.ended(told_to=True)
    told = telegram.told["setWebhook"]
    assert told["url"] == f"https://shop.example/telegram/{BOT}"
    assert re.fullmatch(r"[0-9a-f]{64}", told["secret_token"])
    assert [value for value in told.values() if TOKEN.partition(":")[2] in value] == []


async def test_polling_without_a_port_listens_nowhere(tmp_path: Path, dsn: str) -> None:
    """ENABLE_HEALTH_SERVER=false with polling: the shop opens, no port does."""
    settings = {**WELL, "ENABLE_HEALTH_SERVER": "false"}
    async with (
        a_telegram() as telegram,
        kiosk(tmp_path, "run", **settings, DATABASE_URL=dsn, TELEGRAM_BASE_URL=telegram.url) as process,
    ):
        await process.hears("shop.open")
        ended = await process.ended(told_to=True)
    assert (ended.code, "web.listening" in ended.err) == (0, False)
