"""`kiosk import-legacy` as operators use it: a process that may die anywhere, and a shop that goes on with the rest."""

import asyncio
import json
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from kiosk.db import Database
from tests.conftest import administer, fresh_database
from tests.earlierbot import (
    FIRST,
    SECOND,
    an_earlier_bot,
    broken_invariants,
    imported,
    is_empty,
    rows_of,
    story,
    wallets,
)
from tests.kie_stand_in import Visitor
from tests.openshop import OpenShop, an_open_shop, shows
from tests.shopkeeping import BOT
from tests.shopprocess import PATIENCE_S, TOKEN, Ended, kiosk, ran

# A row of this table sleeps when its transaction sees so many imported customers; so many are there after a death.
MOMENTS: Final = (
    ("payments", 0, 0),
    ("transfers", 0, 0),
    ("imported_rows", 1, 0),
    ("imported_customers", 4, 3),
    ("generations", 5, 5),
)
ASLEEP: Final = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"


async def ask(folder: Path, dsn: str, *arguments: str, **settings: str) -> Ended:
    return await ran(folder, "import-legacy", *arguments, DATABASE_URL=dsn, COLUMNS="250", **settings)


async def falls_asleep(db: Database, table: str, customers: int) -> None:
    await administer_in(
        db,
        f"""
        CREATE FUNCTION fall_asleep() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM imported_customers) = {customers} THEN PERFORM pg_sleep(3600); END IF;
            RETURN NULL;
        END $$;
        CREATE TRIGGER sleeper AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION fall_asleep()
        """,
    )


async def administer_in(db: Database, statements: str) -> None:
    async with db.transaction() as tx:
        await tx.execute(statements)


async def killed_asleep(folder: Path, db: Database, dsn: str, address: str) -> None:
    """Runs the command until it sleeps in the middle, and kills it and what it was doing."""
    async with kiosk(folder, "import-legacy", address, "--bot-id", str(BOT), DATABASE_URL=dsn) as process:
        async with asyncio.timeout(PATIENCE_S), db.reading() as tx:
            while not await tx.fetchval(ASLEEP):
                await asyncio.sleep(0.05)
        process.process.kill()
        await process.process.wait()
    async with db.reading() as tx:
        await tx.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
        while await tx.fetchval(ASLEEP):
            await asyncio.sleep(0.05)


async def test_killed_anywhere_and_started_again(
    tmp_path: Path, database: Database, dsn: str, postgres: str, migrated: str
) -> None:
    """Five processes die in the middle of a customer; the books are clean each time, and the end is that of one run."""
    async with an_earlier_bot(postgres, FIRST) as address:
        for table, seen, there in MOMENTS:
            await falls_asleep(database, table, seen)
            await killed_asleep(tmp_path, database, dsn, address)
            await administer_in(database, f"DROP TRIGGER sleeper ON {table}; DROP FUNCTION fall_asleep()")
            assert await broken_invariants(database) == []
            async with database.reading() as tx:
                assert await tx.fetchval("SELECT count(*) FROM imported_customers") == there
        assert (await imported(database, address)).problems == []
        async with fresh_database(postgres, migrated) as other, await Database.connect(other) as undisturbed:
            await imported(undisturbed, address)
            assert await story(database) == await story(undisturbed)


async def test_dry_run_then_import_then_again(tmp_path: Path, database: Database, dsn: str, postgres: str) -> None:
    """The dry run says everything and writes nothing; the import does it; the report names every row not taken."""
    file = tmp_path / "report.jsonl"
    async with an_earlier_bot(postgres, FIRST, SECOND) as address:
        dry = await ask(tmp_path, dsn, "--dry-run", "--bot-id", str(BOT), LEGACY_DATABASE_URL=address)
        assert await is_empty(database)
        real = await ask(tmp_path, dsn, address, "--json", "--report", str(file), TELEGRAM_BOT_TOKEN=TOKEN)
        there = await rows_of(address)
    assert (dry.code, real.code) == (0, 0), dry.err + real.err
    assert "nothing was written" in dry.out
    assert "1288.35 ₽ in the earlier books" in dry.out
    told = json.loads(real.out)
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert {name: counts["rows"] for name, counts in told["tables"].items()} == there
    for name, counts in told["tables"].items():
        assert counts["not_taken"] == sum(line["table"] == name and not line["taken"] for line in lines)
    assert (told["bot_id"], told["dry_run"], told["problems"]) == (BOT, False, [])
    assert await broken_invariants(database) == []


async def test_earlier_bot_that_went_on_ends_with_1(
    tmp_path: Path, database: Database, dsn: str, postgres: str
) -> None:
    """Exit code 1 and one line when the earlier balances are not what they were at the import."""
    async with an_earlier_bot(postgres, FIRST) as address:
        await imported(database, address)
        await administer(address, "UPDATE users SET balance = 1 WHERE user_id = 101")
        ended = await ask(tmp_path, dsn, address, "--bot-id", str(BOT))
    assert (ended.code, len(ended.told)) == (1, 1)
    assert ended.told[0].startswith("does not add up: ")


@pytest.mark.parametrize(
    "address", ["postgresql://kiosk:hunter2hunter2@127.0.0.1:1/kiosk", "mysql://kiosk:hunter2hunter2@127.0.0.1/kiosk"]
)
async def test_command_tells_no_password(tmp_path: Path, dsn: str, address: str) -> None:
    """Exit code 2 and one line, without the password, wherever the address is wrong."""
    ended = await ask(tmp_path, dsn, address, "--bot-id", str(BOT))
    assert (ended.code, len(ended.told)) == (2, 1)
    assert "hunter2" not in ended.out + ended.err


async def alive_jobs(address: str, *jobs: tuple[int, str]) -> None:
    """Two customers of the second generation, each with an order at the provider and its price on hold."""
    await administer(
        address,
        "CREATE TABLE wallets (user_id bigint, balance_rub numeric, hold_rub numeric)",
        "CREATE TABLE jobs (id serial, user_id bigint, model_id text, input_json jsonb, price_rub numeric, status text,"
        " kie_task_id text, chat_id bigint, delivered_at timestamptz, created_at timestamp)",
        *(f"INSERT INTO wallets VALUES ({user}, 10, 0.80)" for user, _ in jobs),
        *(
            "INSERT INTO jobs (user_id, model_id, input_json, price_rub, status, kie_task_id, chat_id, created_at) "
            f"VALUES ({user}, 'z-image', '{{}}', 0.80, 'running', '{task}', {user}, now() AT TIME ZONE 'UTC')"
            for user, task in jobs
        ),
    )


async def tasks_of_the_earlier_bot(shop: OpenShop) -> tuple[str, str]:
    """One that ends well, and one that fails."""
    async with aiohttp.ClientSession() as session:
        provider = Visitor(shop.kie, session)
        return await provider.created(), await provider.created(fault="task_fail")


async def order_of(shop: OpenShop, task: str) -> int:
    async with shop.db.reading() as tx:
        number: int = await tx.fetchval("SELECT id FROM generations WHERE task_id = $1", task)
    return number


async def test_what_was_being_made_is_finished_here(database: Database, dsn: str, empty_dsn: str) -> None:
    """The new shop asks for the earlier bot's tasks: a result is delivered and charged, a failure is given back."""
    async with an_open_shop(dsn, database) as shop, shop.customer(1001) as anna, shop.customer(1002) as boris:
        good, bad = await tasks_of_the_earlier_bot(shop)
        await alive_jobs(empty_dsn, (1001, good), (1002, bad))
        assert (await imported(database, empty_dsn)).problems == []
        for customer in (anna, boris):
            await customer.send_text("/start")  # the stand-in lets no bot write to whoever never wrote
        picture = await anna.wait_until(lambda message: bool(message["media"]), PATIENCE_S)
        sorry = await boris.wait_until(shows("0,80"), PATIENCE_S)
        assert (await shop.settled_order(await order_of(shop, good))).price == 80
        await shop.settled_order(await order_of(shop, bad))
        assert (picture["from"], sorry["media"]) == ("bot", None)
        assert await wallets(database) == {1001: ("10.00", "0.00"), 1002: ("10.80", "0.00")}
        assert await shop.broken_invariants() == []
