"""The shop behind a real PgBouncer in transaction mode: it works, or says at once what it needs besides."""

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from kiosk.db import leads_to_pooler
from sandbox.customer import Customer
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, Shop, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.walk import buy_picture
from tests.shopprocess import PATIENCE_S, ran

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
NOBODY = 65534
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="no PgBouncer here; on Debian: apt install pgbouncer")


@contextlib.asynccontextmanager
async def pgbouncer(folder: Path, dsn: str) -> AsyncIterator[str]:
    """The address of a pooler before this database: two connections to the server, whoever and however many come."""
    assert PROGRAM is not None
    server, port = urlsplit(dsn), free_port()
    (folder / "users.txt").write_text(f'"{server.username}" "{server.password}"\n', encoding="utf-8")
    (folder / "pgbouncer.ini").write_text(
        f"""[databases]
* = host=127.0.0.1 port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder / "users.txt"}
pool_mode = transaction
default_pool_size = 2
max_client_conn = 200
""",
        encoding="utf-8",
    )
    as_somebody = {"user": NOBODY} if os.getuid() == 0 else {}  # it refuses to run as root
    process = await asyncio.create_subprocess_exec(
        PROGRAM, "-q", str(folder / "pgbouncer.ini"), stderr=asyncio.subprocess.DEVNULL, **as_somebody
    )
    address = urlunsplit(server._replace(netloc=f"{server.username}:{server.password}@127.0.0.1:{port}"))
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not await answers(address):
                await asyncio.sleep(0.05)
        yield address
    finally:
        process.kill()
        await process.wait()


async def answers(address: str) -> bool:
    try:
        connection = await asyncpg.connect(address, statement_cache_size=0)
    except (asyncpg.PostgresError, OSError):
        return False
    await connection.close()
    return True


async def test_pooler_is_known_by_its_number(open_folder: Path, dsn: str) -> None:
    """It hands out a number of its own for the process that serves; the server itself never does."""
    async with pgbouncer(open_folder, dsn) as pooled:
        assert await leads_to_pooler(pooled)
        assert not await leads_to_pooler(dsn)


async def test_start_behind_a_pooler_says_what_it_needs(open_folder: Path, dsn: str) -> None:
    """The engine could not listen there, and would wait for ever: one line names the setting, and not the password."""
    async with pgbouncer(open_folder, dsn) as pooled:
        ended = await ran(
            open_folder,
            "run",
            TELEGRAM_BOT_TOKEN=BOT_TOKEN,
            KIE_API_KEY=KIE_KEY,
            DATABASE_URL=pooled,
            HOST="127.0.0.1",
            PORT=str(free_port()),
        )
        assert ended.code == 2
        (line,) = ended.told
        assert line.startswith("kiosk: DATABASE_URL: leads to a pooler such as PgBouncer")
        assert line.endswith("as DATABASE_POOLER_URL")
        assert str(urlsplit(dsn).password) not in ended.err


async def test_shop_sells_behind_a_pooler(open_folder: Path, dsn: str) -> None:
    """With the server's own address beside it everything works, and the books are clean."""
    async with (
        TelegramSandbox(TelegramOptions()) as telegram,
        KieSandbox(KieOptions(time_scale=0.02)) as kie,
        pgbouncer(open_folder, dsn) as pooled,
        Customer(telegram.base_url, 1001, BOT_ID) as customer,
    ):
        settings = {
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "DATABASE_URL": dsn,
            "DATABASE_POOLER_URL": pooled,
            "DATABASE_POOL_SIZE": "20",
            "WELCOME_BALANCE_RUB": "100",
            "POLL_FIRST_S": "0.5",
            "HOST": "127.0.0.1",
            "PORT": str(free_port()),
        }
        shop = Shop(open_folder / "shop", settings)
        async with shop.open():
            await buy_picture(customer, "кот за стеклом", "16:9", open_folder)
        report = await shop.ask("customer", "1001")
        assert [one["state"] for one in report["generations"]] == ["done"]
        assert not any((await shop.ask("audit")).values())
