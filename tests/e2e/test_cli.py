"""The `kiosk` command as operators and programs use it: a process with an exit code, and words on two channels."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk import __version__
from kiosk.commands import models
from kiosk.customers.arrive import arrive
from kiosk.customers.store import remember_bot
from kiosk.db import Database
from kiosk.generations import tasks
from kiosk.ledger.audit import INVARIANTS
from sandbox.kie import KieSandbox, catalogue
from sandbox.kie.options import KieOptions
from sandbox.kie.rules import rules
from tests.breakages import BREAKAGES, Breakage, a_busy_shop, break_books
from tests.shopkeeping import BOT, a_visitor
from tests.shopprocess import Ended, ran

NOWHERE = "postgresql://kiosk:password-of-nobody@127.0.0.1:1/kiosk"
CUSTOMER = 1001
# The stand-in of the provider still serves them.
UNLISTED = ("elevenlabs/speech-to-text", "elevenlabs/sound-effect-v2", "ideogram/v3-reframe")
FIRST_OF_EACH = {breakage.invariant: breakage for breakage in reversed(BREAKAGES)}.values()


async def ask(folder: Path, dsn: str, *arguments: str) -> Ended:
    """A command, its answer in columns wide enough to be compared."""
    return await ran(folder, *arguments, DATABASE_URL=dsn, COLUMNS="200")


async def test_audit_of_clean_books(tmp_path: Path, database: Database, dsn: str) -> None:
    """Exit code 0, every invariant listed, nothing to complain."""
    await a_busy_shop(database)
    ended = await ask(tmp_path, dsn, "audit")
    assert (ended.code, ended.err) == (0, "")
    assert [invariant.name for invariant in INVARIANTS if invariant.name not in ended.out] == []


@pytest.mark.parametrize("breakage", FIRST_OF_EACH, ids=str)
async def test_audit_of_broken_books(tmp_path: Path, database: Database, dsn: str, breakage: Breakage) -> None:
    """Exit code 1, and one line that names what is broken and where."""
    await break_books(database, breakage, await a_busy_shop(database))
    ended = await ask(tmp_path, dsn, "audit")
    assert ended.code == 1
    (line,) = ended.told
    assert line.startswith(f"broken: {breakage.invariant}: ")


async def test_audit_for_programs(tmp_path: Path, database: Database, dsn: str) -> None:
    """--json gives the number of violations by name, with the same exit code."""
    (breakage,) = (found for found in FIRST_OF_EACH if found.invariant == "nobody_is_overdrawn")
    await break_books(database, breakage, await a_busy_shop(database))
    ended = await ask(tmp_path, dsn, "audit", "--json")
    assert ended.code == 1
    assert json.loads(ended.out) == {i.name: int(i.name == "nobody_is_overdrawn") for i in INVARIANTS}


async def test_migrate_twice(tmp_path: Path, empty_dsn: str) -> None:
    """An empty database becomes a shop's, and a second time nothing is left to do."""
    for _ in range(2):
        ended = await ask(tmp_path, empty_dsn, "migrate")
        assert (ended.code, ended.told) == (0, [])


@pytest.mark.parametrize("command", [["migrate"], ["audit"], ["orphans"], ["customer", "1"]])
async def test_command_without_database(tmp_path: Path, command: list[str]) -> None:
    """Exit code 2 and one line that names the setting and not the password."""
    ended = await ask(tmp_path, NOWHERE, *command)
    assert (ended.code, len(ended.told)) == (2, 1)
    assert ended.told[0].startswith("kiosk: DATABASE_URL: ")
    assert "password-of-nobody" not in ended.err


async def balance(tmp_path: Path, dsn: str) -> str:
    ended = await ask(tmp_path, dsn, "customer", str(CUSTOMER), "--json")
    return str(json.loads(ended.out)["balance_rub"])


async def a_customer_of_the_bot(database: Database) -> None:
    async with database.transaction() as tx:
        await remember_bot(tx, BOT, "kiosk_sandbox_bot")
        await arrive(tx, a_visitor(CUSTOMER), 0)


async def test_adjust_gives_and_takes(tmp_path: Path, database: Database, dsn: str) -> None:
    """Money goes to the customer, and with a minus it comes back; the books stay clean."""
    await a_customer_of_the_bot(database)
    given = await ask(tmp_path, dsn, "adjust", str(CUSTOMER), "100", "--reason", "top-up", "--bot-id", str(BOT))
    taken = await ask(tmp_path, dsn, "adjust", str(CUSTOMER), "-5.50", "--reason", "mistake", "--bot-id", str(BOT))
    assert (given.code, taken.code) == (0, 0), given.err + taken.err
    assert await balance(tmp_path, dsn) == "94.50"
    assert (await ask(tmp_path, dsn, "audit")).code == 0


async def test_adjust_does_not_take_more_than_there_is(tmp_path: Path, database: Database, dsn: str) -> None:
    """One line, exit code 2, nothing moved."""
    await a_customer_of_the_bot(database)
    ended = await ask(tmp_path, dsn, "adjust", str(CUSTOMER), "-1", "--reason", "x", "--bot-id", str(BOT))
    assert (ended.code, len(ended.told)) == (2, 1)
    assert await balance(tmp_path, dsn) == "0.00"


async def test_adjust_of_a_stranger(tmp_path: Path, database: Database, dsn: str) -> None:
    """Nobody of that number: one line that says what to do."""
    ended = await ask(tmp_path, dsn, "adjust", "5", "1", "--reason", "x", "--bot-id", str(BOT))
    assert (ended.code, len(ended.told)) == (2, 1)
    assert "/start" in ended.told[0]


@pytest.mark.parametrize("amount", ["abc", "nan", "1e30", "0.001", "1000000.01", "--1", ""])
async def test_adjust_refuses_what_is_no_amount(tmp_path: Path, amount: str) -> None:
    """Exit code 2 and no traceback; the database is not even asked."""
    ended = await ask(tmp_path, NOWHERE, "adjust", "1", amount, "--reason", "x")
    assert ended.code == 2
    assert "DATABASE_URL" not in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize("number", ["0", "-7", "x", "9" * 30])
async def test_customer_refuses_what_is_no_number(tmp_path: Path, number: str) -> None:
    """A number that no customer of Telegram can have is refused before the database is asked."""
    ended = await ask(tmp_path, NOWHERE, "customer", number)
    assert ended.code == 2
    assert "DATABASE_URL" not in ended.err
    assert "Traceback" not in ended.err


async def topped_up(tmp_path: Path, dsn: str, who: int, rub: str, reference: str) -> Ended:
    payment = ("--method", "bank", "--reference", reference, "--bot-id", str(BOT))
    return await ask(tmp_path, dsn, "topup", str(who), rub, *payment)


async def test_topup_counts_a_payment_once(tmp_path: Path, database: Database, dsn: str) -> None:
    """Told twice it is credited once; told otherwise it is refused in one line; the books stay clean."""
    await a_customer_of_the_bot(database)
    first = await topped_up(tmp_path, dsn, CUSTOMER, "150.50", "A-1")
    again = await topped_up(tmp_path, dsn, CUSTOMER, "150.50", "A-1")
    other = await topped_up(tmp_path, dsn, CUSTOMER, "150.51", "A-1")
    assert (first.code, again.code, other.code) == (0, 0, 2), first.err + again.err
    assert "150.50" in first.out
    assert again.out.startswith("Already recorded at ")
    assert "150.50" in "".join(other.told)
    assert len(other.told) == 1
    assert await balance(tmp_path, dsn) == "150.50"
    assert (await ask(tmp_path, dsn, "audit")).code == 0


async def test_topup_of_nothing_or_nobody(tmp_path: Path, database: Database, dsn: str) -> None:
    """Exit code 2 and one line."""
    await a_customer_of_the_bot(database)
    for who, rub in ((CUSTOMER, "0"), (5, "1")):
        ended = await topped_up(tmp_path, dsn, who, rub, "A-1")
        assert (ended.code, len(ended.told)) == (2, 1)
    assert await balance(tmp_path, dsn) == "0.00"


async def test_refund_gives_back_once_and_refuses_the_rest(tmp_path: Path, database: Database, dsn: str) -> None:
    """The price of a result goes back; a second time says so; what was not taken is refused with its reason."""
    names = await a_busy_shop(database)
    given, again, gift, nobody = [
        await ask(tmp_path, dsn, "refund", str(number), "--reason", "the wrong picture")
        for number in (names["done"], names["done"], names["late"], 999_999)
    ]
    assert (given.code, again.code, gift.code, nobody.code) == (0, 0, 2, 2), given.err + again.err
    assert given.out.startswith("0.80 ₽ went back")
    assert again.out.startswith("Already refunded at ")
    assert [len(ended.told) for ended in (gift, nobody)] == [1, 1]
    assert "gift" in gift.told[0]
    assert (await ask(tmp_path, dsn, "audit")).code == 0


async def test_orphans_are_listed(tmp_path: Path, database: Database, dsn: str) -> None:
    """Callbacks that fit nothing are shown with their task."""
    async with database.transaction() as tx:
        await tasks.keep_orphan(tx, "task-of-nobody", "{}")
    ended = await ask(tmp_path, dsn, "orphans")
    assert ended.code == 0
    assert "task-of-nobody" in ended.out


async def test_models_and_version_need_nothing(tmp_path: Path) -> None:
    """What is sold, and which version runs, is told without a database."""
    shelf, version = await ran(tmp_path, "models"), await ran(tmp_path, "version")
    assert (shelf.code, version.code, version.out) == (0, 0, f"{__version__}\n")
    assert "z-image" in shelf.out


async def test_models_are_shown_checked_and_compared(tmp_path: Path) -> None:
    """For people and for programs; a catalog that differs, and a model that there is not, are told by the exit code."""
    sold = await ran(tmp_path, "models", "list", "--sold", "--type", "text_to_image", "--json")
    rows = json.loads(sold.out)
    assert all(row["sold"] and row["type"] == "text_to_image" for row in rows)
    assert [row["credits_from"] for row in rows if row["model"] == "z-image"] == ["0.8"]
    shown = await ran(tmp_path, "models", "show", "z-image", COLUMNS="200")
    assert "required, text of 1 to 1000 characters" in shown.out
    assert (await ran(tmp_path, "models", "show", "no/such")).code == 2
    checked = await ran(tmp_path, "models", "check")
    assert (checked.code, checked.out.partition(" models")[0]) == (0, "188")
    catalog = Path(models.__file__).parents[1] / "catalog" / "models.yaml"
    assert (await ran(tmp_path, "models", "diff", "--file", str(catalog))).code == 0
    other = tmp_path / "other.yaml"
    other.write_text(catalog.read_text(encoding="utf-8").replace("name: Z-Image\n", "name: Z\n", 1), encoding="utf-8")
    differing = await ran(tmp_path, "models", "diff", "--file", str(other))
    assert (differing.code, differing.out) == (1, "z-image: model name: was Z-Image, is Z\n")


async def test_models_are_compared_with_the_providers_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """New ones, gone ones, and a price that changed since the list was looked at before; without a key it says so."""
    assert (await ran(tmp_path, "models", "diff", KIE_API_KEY="")).code == 2
    async with KieSandbox(KieOptions(time_scale=0.01)) as kie:
        beside = {"KIE_API_KEY": "sandbox-test", "KIE_BASE_URL": kie.api_url}
        seen = tmp_path / "seen.json"
        first = await ran(tmp_path, "models", "diff", "--remember", str(seen), **beside)
        again = {f"{one}: the provider lists it again, the catalog says unlisted" for one in UNLISTED}
        assert (first.code, set(first.out.splitlines())) == (1, again)
        offered = dict(rules())
        offered["tomorrow/dream"] = replace(offered.pop("z-image"), id="tomorrow/dream")
        offered["nano-banana-2"] = replace(offered["nano-banana-2"], credits=9)
        monkeypatch.setattr(catalogue, "rules", lambda: offered)
        second = await ran(tmp_path, "models", "diff", "--remember", str(seen), **beside)
        assert second.code == 1
        assert "tomorrow/dream: the provider lists it, the catalog does not" in second.out
        assert "z-image: the provider does not list it any more" in second.out
        assert "nano-banana-2: price: was 'Nano Banana 2 costs 8 credits" in second.out
    assert (await ran(tmp_path, "models", "diff", **beside)).code == 2


async def test_unknown_command_is_refused(tmp_path: Path) -> None:
    """A command that there is not ends with 2, as every shell expects."""
    assert (await ran(tmp_path, "sell")).code == 2


async def test_customer_of_two_bots_is_asked_about_by_bot(tmp_path: Path, database: Database, dsn: str) -> None:
    """Each bot's books are told apart; without saying which, one line names both."""
    async with database.transaction() as tx:
        for bot, kopecks in ((BOT, 10_000), (BOT + 1, 5_000)):
            await remember_bot(tx, bot, "kiosk_sandbox_bot")
            await arrive(tx, replace(a_visitor(CUSTOMER), bot_id=bot), kopecks)
    told = [await ask(tmp_path, dsn, "customer", str(CUSTOMER), "--json", "--bot-id", str(b)) for b in (BOT, BOT + 1)]
    assert [json.loads(ended.out)["balance_rub"] for ended in told] == ["100.00", "50.00"]
    asked = await ask(tmp_path, dsn, "customer", str(CUSTOMER))
    assert (asked.code, len(asked.told)) == (2, 1)
    assert all(text in asked.told[0] for text in ("--bot-id", str(BOT), str(BOT + 1)))


async def test_flaws_of_bots_file_stop_the_start(tmp_path: Path, dsn: str) -> None:
    """What a bot's files hold is checked like the rest: every flaw with its place, and nothing is begun."""
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "ru.ftl").write_text("greeting = Привет\nhome = { $nobody }\n", encoding="utf-8")
    (tmp_path / "prices.yaml").write_text("no-such-model: {}\n", encoding="utf-8")
    token = "7000009:partner-token-that-nobody-may-see"
    entry = f'{{token: "{token}", texts: texts, prices_file: prices.yaml}}'
    (tmp_path / "bots.yaml").write_text(f"bots: [{entry}]\n", encoding="utf-8")
    settings = {"KIE_API_KEY": "key", "TELEGRAM_BOT_TOKEN": f"{BOT}:sandbox", "PORT": "0", "HOST": "127.0.0.1"}
    ended = await ran(tmp_path, "run", **settings, DATABASE_URL=dsn, BOTS_FILE="bots.yaml")
    assert ended.code == 2
    assert ended.told[0].startswith("kiosk: BOTS_FILE: ")
    shown = "\n".join(ended.told)
    assert all(place in shown for place in ("bots[0].texts/ru.ftl: greeting", "$nobody", "bots[0].prices_file: "))
    assert token.partition(":")[2] not in ended.err
