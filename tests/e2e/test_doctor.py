"""`kiosk doctor` against a shop that is well, and with each thing broken in turn."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiosk.db import Database
from kiosk.doctor.finding import Status, is_well
from kiosk.doctor.patient import Patient
from kiosk.doctor.visit import CHECKS, Check, visit
from tests.breakages import BREAKAGES, a_busy_shop, break_books
from tests.clinic import BOT, KEY, Clinic, a_clinic, a_deaf_pooler
from tests.shopkeeping import a_customer
from tests.shopprocess import ran

NOWHERE = "http://127.0.0.1:1"
NO_DATABASE = "postgresql://kiosk:password-of-nobody@127.0.0.1:1/kiosk"
OF_DATABASE = ("database", "listening", "schema", "books")


@pytest.fixture
async def clinic(database: Database, dsn: str) -> AsyncIterator[Clinic]:
    """A shop in which everything is well."""
    async with a_clinic(database, dsn) as healthy:
        yield healthy


async def test_shop_that_is_well(clinic: Clinic) -> None:
    """Nothing is found but that the database of tests may forget, which is true."""
    found = await clinic.look()
    assert {name for name, finding in found.items() if finding.status is not Status.OK} == {"database", "pooler"}
    assert found["database"].said.startswith("fsync is off")
    assert "@" in found["token"].said
    assert found["provider"].said.endswith("5000 credits are left")


async def test_shop_on_a_database_of_its_own(open_folder: Path) -> None:
    """Before the first start nothing is made; afterwards the built-in database is started and found in order."""
    before = json.loads((await ran(open_folder, "doctor", "--json", ADMIN_ID="1")).out)
    assert {row["check"]: row["status"] for row in before}["database"] == "skipped"
    assert not (open_folder / "data").exists()
    assert (await ran(open_folder, "migrate")).code == 0
    after = {row["check"]: row["status"] for row in json.loads((await ran(open_folder, "doctor", "--json")).out)}
    assert {name: after[name] for name in OF_DATABASE} == dict.fromkeys(OF_DATABASE, "ok")


async def test_exit_codes_and_table(tmp_path: Path, clinic: Clinic) -> None:
    """1 when something failed, with a table that says what to do; 2 for settings that make no sense; no secret."""
    settings = {name.upper(): str(value) for name, value in clinic.settings.items()}
    wrong = f"{BOT}:{'x' * 40}"
    table = await ran(tmp_path, "doctor", **{**settings, "TELEGRAM_BOT_TOKEN": wrong}, COLUMNS="250")
    assert (table.code, table.told) == (1, [])
    assert "switch it on: what is paid must outlive a power cut" in table.out
    assert f"Telegram does not accept the token of {BOT}" in table.out
    for secret in (KEY, "x" * 40, str(clinic.settings["database_url"])):
        assert secret not in table.out + table.err
    nonsense = await ran(tmp_path, "doctor", BOT_MODE="webhook")
    assert (nonsense.code, len(nonsense.told)) == (2, 1)


BROKEN: list[tuple[str, dict[str, Any], Status, str]] = [
    ("token", {"telegram_bot_token": None}, Status.FAILED, "TELEGRAM_BOT_TOKEN: set the token"),
    ("token", {"telegram_bot_token": f"{BOT}:{'x' * 40}"}, Status.FAILED, f"does not accept the token of {BOT}"),
    ("token", {"telegram_base_url": NOWHERE}, Status.FAILED, "cannot be reached: no connection"),
    ("webhook", {"telegram_base_url": NOWHERE}, Status.SKIPPED, "Telegram cannot be asked"),
    ("webhook", {"webhook_base_url": "https://elsewhere.example"}, Status.FAILED, "instead of https://elsewhere"),
    ("webhook", {"bot_mode": "polling"}, Status.FAILED, "BOT_MODE is polling, but updates go to"),
    ("provider", {"kie_api_key": None}, Status.FAILED, "KIE_API_KEY"),
    ("provider", {"kie_api_key": "wrong-key-of-nobody"}, Status.FAILED, "does not accept the key"),
    ("provider", {"kie_base_url": NOWHERE}, Status.FAILED, "cannot be asked: Unreachable"),
    ("provider", {"low_credits": "5001"}, Status.WARNING, "less than LOW_CREDITS (5001)"),
    ("file host", {"kie_api_key": "wrong-key-of-nobody"}, Status.FAILED, "does not accept the key"),
    ("file host", {"kie_upload_url": NOWHERE}, Status.FAILED, "Unreachable"),
    ("public address", {"webhook_base_url": "https://no-such-host.invalid"}, Status.FAILED, "does not resolve"),
    ("public address", {"webhook_base_url": "http://192.0.2.1"}, Status.FAILED, "https addresses alone"),
    ("public address", {"webhook_base_url": NOWHERE}, Status.FAILED, "no connection"),
    ("public address", {"webhook_base_url": None, "bot_mode": "polling"}, Status.SKIPPED, "none is set"),
    ("public address", {"telegram_bot_token": "7000002:sandbox-another"}, Status.FAILED, "does not know this bot"),
    ("database", {"database_url": NO_DATABASE}, Status.FAILED, "Connection refused"),
    ("pooler", {"database_pooler_url": NO_DATABASE}, Status.FAILED, "Connection refused"),
    ("listening", {"database_url": NO_DATABASE}, Status.SKIPPED, "the database cannot be asked"),
    ("schema", {"database_url": NO_DATABASE}, Status.SKIPPED, "the database cannot be asked"),
    ("books", {"database_url": NO_DATABASE}, Status.SKIPPED, "the database cannot be asked"),
    ("settings", {"admin_id": ""}, Status.WARNING, "nobody is told"),
    ("settings", {"price_multiplier": "1"}, Status.WARNING, "no margin"),
    ("settings", {"enable_health_server": False, "bot_mode": "polling"}, Status.WARNING, "whether the shop lives"),
]


@pytest.mark.parametrize(("check", "changes", "status", "said"), BROKEN)
async def test_wrong_setting_is_found(
    clinic: Clinic, check: str, changes: dict[str, Any], status: Status, said: str
) -> None:
    """What a setting breaks is told by its own check, with a way to mend it unless it was not looked at."""
    finding = (await clinic.look(check, **changes))[check]
    assert (finding.status, bool(finding.mend)) == (status, status is not Status.SKIPPED), finding
    assert said in finding.said
    assert "password-of-nobody" not in finding.said


async def test_webhook_that_brings_too_little(clinic: Clinic) -> None:
    """Presses of buttons would never come."""
    await clinic.set_webhook(clinic.settings["webhook_base_url"], updates=("message",))
    finding = (await clinic.look("webhook"))["webhook"]
    assert (finding.status, finding.said) == (Status.FAILED, "Telegram does not send callback_query, my_chat_member")


async def test_webhook_that_failed_a_moment_ago(clinic: Clinic) -> None:
    """Telegram tells what went wrong when it knocked."""
    clinic.door.front.running = None  # 503
    async with clinic.telegram_customer() as customer:
        await customer.send_text("/start")
        async with asyncio.timeout(30):
            while (finding := (await clinic.look("webhook"))["webhook"]).status is not Status.WARNING:
                await asyncio.sleep(0.05)
    assert "503" in finding.said


async def test_address_of_a_shop_that_is_not_open(clinic: Clinic) -> None:
    """It answers, and takes no updates yet."""
    clinic.door.front.running = None
    finding = (await clinic.look("public address"))["public address"]
    assert (finding.status, "is not open" in finding.said) == (Status.WARNING, True)


async def test_address_of_another_version_and_of_no_shop(clinic: Clinic) -> None:
    """An update of the program that has not arrived there is told; so is somebody else's server."""
    clinic.door.front.version = "0.0.1"
    assert "runs version 0.0.1" in (await clinic.look("public address"))["public address"].said
    other = (await clinic.look("public address", webhook_base_url=clinic.telegram.base_url))["public address"]
    assert (other.status, "is no Kiosk" in other.said) == (Status.FAILED, True)


async def test_provider_without_credits(database: Database, dsn: str) -> None:
    """Nothing can be made."""
    async with a_clinic(database, dsn, credits_left=0) as poor:
        finding = (await poor.look("provider"))["provider"]
    assert (finding.status, finding.mend) == (Status.FAILED, "top up at the provider")


async def test_pooler_that_swallows_notifications(clinic: Clinic, dsn: str) -> None:
    """Found by listening; everything else works through it, and it is named."""
    async with a_deaf_pooler(dsn) as pooled:
        found = await clinic.look(*OF_DATABASE, database_url=pooled)
        beside = await clinic.look("listening", "pooler", database_pooler_url=pooled)
    assert {name: finding.status for name, finding in found.items()} == {
        "database": Status.FAILED,  # of the tests' own fsync
        "listening": Status.FAILED,
        "schema": Status.OK,
        "books": Status.OK,
    }
    assert "transaction mode" in found["listening"].said
    assert {finding.status for finding in beside.values()} == {Status.OK}


async def test_schema_behind_and_ahead(clinic: Clinic, database: Database, empty_dsn: str) -> None:
    """What is to be applied is named; a database of a newer program is not this one's to touch."""
    fresh = await clinic.look("schema", "books", database_url=empty_dsn)
    assert (fresh["schema"].status, fresh["books"].status) == (Status.WARNING, Status.SKIPPED)
    assert "0001_shop" in fresh["schema"].said
    async with database.transaction() as tx:
        newest = await tx.fetchval("SELECT max(version) FROM schema_migrations")
        await tx.execute("INSERT INTO schema_migrations VALUES ($1, 'from_the_future', '')", newest + 1)
    ahead = (await clinic.look("schema"))["schema"]
    assert (ahead.status, "newer than this program" in ahead.said) == (Status.FAILED, True)


async def test_books_that_do_not_add_up(clinic: Clinic, database: Database) -> None:
    """The invariant is named, as `kiosk audit` does."""
    names = await a_busy_shop(database)
    assert (await clinic.look("books"))["books"].status is Status.OK
    (breakage,) = (found for found in BREAKAGES if found.how == "a kopeck taken out of what is on hold")
    await break_books(database, breakage, names)
    finding = (await clinic.look("books"))["books"]
    assert (finding.status, finding.said) == (Status.FAILED, "broken: held_equals_open_generations")


async def test_nothing_is_changed_by_looking(clinic: Clinic, database: Database) -> None:
    """No row of the shop, no setting of the bot."""
    async with database.transaction() as tx:
        await a_customer(tx, kopecks=100)
    before = await _counts(database)
    info = await clinic.look("webhook")
    await clinic.look()
    assert (await _counts(database), await clinic.look("webhook")) == (before, info)


async def _counts(database: Database) -> list[int]:
    tables = ("bots", "customers", "generations", "transfers", "tasks", "alerts", "pgqueuer", "provider_gates", "turns")
    async with database.reading() as tx:
        return [await tx.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_one_check_hides_no_other(clinic: Clinic) -> None:
    """A bug in one is told as such, a silent one is given up, and the rest is told all the same."""

    async def broken(_patient: Patient) -> Any:
        raise ZeroDivisionError

    async def silent(_patient: Patient) -> Any:
        await asyncio.Event().wait()

    checks = {"broken": Check(broken), "silent": Check(silent, 0.01), "slow": Check(silent, 0.01, "later"), **CHECKS}
    found = {finding.check: finding for finding in await visit(clinic.told(), checks)}
    assert not is_well(found.values())
    assert found["broken"].said == "the check itself broke: ZeroDivisionError"
    assert found["silent"].status is Status.FAILED
    assert (found["slow"].status, found["slow"].mend) == (Status.WARNING, "later")
    assert found["provider"].status is Status.OK
