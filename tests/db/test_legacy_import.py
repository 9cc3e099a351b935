"""An earlier bot's database comes over: whole, once, to the kopeck, and whatever does not come is told of."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from kiosk.customers.arrive import arrive
from kiosk.db import Database
from kiosk.errors import CannotStart
from kiosk.generations.report import customer_report, last_day
from kiosk.legacy.why import MEANING, Why
from tests.conftest import administer
from tests.earlierbot import (
    FIRST,
    SECOND,
    TABLES,
    Imported,
    an_earlier_bot,
    books,
    broken_invariants,
    imported,
    rows_of,
    wallets,
)
from tests.shopkeeping import BOT, a_customer, a_visitor

BOTH = (FIRST, SECOND)
OF_FIRST = {
    101: ("150.50", "0.00"),
    102: ("0.00", "0.00"),
    103: ("0.00", "0.00"),
    104: ("10.01", "0.00"),
    105: ("0.00", "0.00"),
    106: ("29.20", "0.80"),
}
OF_SECOND = {
    101: ("149.70", "0.00"),
    201: ("1000.50", "0.80"),
    202: ("25.00", "0.00"),
    203: ("12.34", "0.00"),
    204: ("0.00", "0.00"),
    205: ("5.00", "0.00"),
    206: ("0.00", "0.80"),
}


@pytest.mark.parametrize(
    ("shapes", "expected"),
    [((FIRST,), OF_FIRST), ((SECOND,), OF_SECOND), (BOTH, OF_FIRST | OF_SECOND)],
    ids=["first", "second", "both"],
)
async def test_balances_are_the_earlier_ones(
    database: Database, postgres: str, shapes: tuple[str, ...], expected: dict[int, Any]
) -> None:
    """To the kopeck, debts excepted; every row is taken or told of; the books are clean."""
    async with an_earlier_bot(postgres, *shapes) as address:
        run = await imported(database, address)
        there = await rows_of(address)
    assert run.problems == []
    assert await wallets(database) == expected
    assert Counter(one.row.table.value for one, _ in run.seen) == there
    assert [one for one, _ in run.seen if not one.taken and one.why is None] == []
    assert await broken_invariants(database) == []


async def test_sums_are_equal(database: Database, postgres: str) -> None:
    """What was told, with what was paid ahead and without what is listed as not brought, is what is here."""
    async with an_earlier_bot(postgres, *BOTH) as address:
        run = await imported(database, address)
    money = run.tally.report()["money"]
    assert money == {
        "told_rub": "1288.35",
        "paid_ahead_rub": "0.80",
        "not_brought_rub": "55.00",
        "brought_rub": "1234.15",
    }
    async with database.reading() as tx:
        assert str(await tx.fetchval("SELECT sum(balance_rub + hold_rub) FROM wallets")) == "1234.15"


async def test_twice_is_once(database: Database, postgres: str) -> None:
    """A second run takes nothing, changes nothing, and tells the same."""
    async with an_earlier_bot(postgres, *BOTH) as address:
        first = await imported(database, address)
        once = await books(database)
        second = await imported(database, address)
    assert await books(database) == once
    assert (second.problems, second.tally.fresh) == ([], 0)
    told = [
        {name: value for name, value in run.tally.report().items() if name != "fresh_rows"} for run in (first, second)
    ]
    assert told[0] == told[1]


async def test_dry_run_writes_nothing(database: Database, postgres: str) -> None:
    """It tells the same as the run that follows."""
    async with an_earlier_bot(postgres, *BOTH) as address:
        dry = await imported(database, address, write=False)
        untouched = await books(database)
        real = await imported(database, address)
    assert {name for name in TABLES if untouched[name]} == {"accounts"}  # the shop's own
    assert dry.tally.report() == real.tally.report()


REASONS = {
    **{("users", key): why for key, why in (("1", "other_balance"), ("3", "negative"), ("4", "rounded"))},
    ("users", "6"): "no_number",
    ("users", "5"): "taken",
    **{
        ("generation_jobs", f"g-{key}"): why
        for key, why in (
            ("done", "taken"),
            ("one-url", "unknown_model"),
            ("failed", "taken"),
            ("dear-failure", "uncovered_failure"),
            ("empty", "no_result"),
            ("free", "not_an_amount"),
            ("undelivered", "never_delivered"),
            ("stranger", "unknown_owner"),
            ("ownerless", "unknown_owner"),
            ("odd", "unknown_status"),
            ("old", "too_old"),
            ("queued", "never_submitted"),
            ("alive", "taken"),
            ("too-dear", "not_covered"),
        )
    },
    **{
        ("payments", key): why
        for key, why in (
            ("1", "taken"),
            ("2", "paid_twice"),
            ("3", "taken"),
            ("4", "undecided"),
            ("5", "rejected"),
            ("6", "not_an_amount"),
            ("7", "taken"),
            ("8", "unknown_owner"),
        )
    },
    **{
        ("wallets", key): why
        for key, why in (
            ("101", "taken"),
            ("201", "taken"),
            ("202", "hold_unproven"),
            ("203", "hold_inside"),
            ("204", "unreadable"),
            ("205", "taken"),
            ("-7", "no_number"),
        )
    },
    **{
        ("jobs", key): why
        for key, why in (
            ("1", "taken"),
            ("2", "taken"),
            ("3", "unordered"),
            ("4", "unordered"),
            ("5", "canceled"),
            ("6", "taken"),
            ("7", "taken"),
            ("8", "not_an_amount"),
            ("9", "paid_ahead"),
            ("10", "task_taken"),
            ("11", "unknown_owner"),
        )
    },
    ("ledger", "1"): "told_otherwise",
    ("ledger", "9"): "unknown_owner",
    ("referrals", "202"): "no_such_feature",
    ("referrals", "202#2"): "no_such_feature",
    ("orphan_callbacks", "kie-2#2"): "wake_up",
    ("orphan_callbacks", ""): "wake_up",
}


async def test_every_awkward_row_has_its_reason(database: Database, postgres: str) -> None:
    """What was not taken is told of with the reason that holds, and kept as it was."""
    async with an_earlier_bot(postgres, *BOTH) as address:
        run = await imported(database, address)
    assert {(table, key): run.why(table, key) for table, key in REASONS} == REASONS
    async with database.reading() as tx:
        kept = await tx.fetchval("SELECT count(*) FROM imported_rows WHERE became_id IS NULL AND content IS NOT NULL")
    assert kept == sum(not one.taken for one, _ in run.seen)


def test_every_reason_has_its_meaning() -> None:
    """Whoever reads a reason reads what it means."""
    assert MEANING.keys() == set(Why)


async def test_history_keeps_its_moments(database: Database, postgres: str) -> None:
    """Naive times are UTC; nothing of the past counts as today, in figures or in transfers of what was earned."""
    async with an_earlier_bot(postgres, *BOTH) as address:
        await imported(database, address)
    async with database.reading() as tx:
        day = await last_day(tx, BOT)
        created = await tx.fetchval("SELECT created_at FROM payments WHERE reference = $1", f"{BOT}/3")
        settled = await tx.fetchval("SELECT settled_at FROM generations WHERE task_id = 'kie-1'")
        captured = await tx.fetchval(
            "SELECT t.created_at FROM transfers t JOIN generations g ON g.id = t.generation_id "
            "WHERE g.task_id = 'task-done' AND t.kind = 'capture'"
        )
        since = await tx.fetchval("SELECT created_at FROM customers WHERE telegram_id = 101")
    assert (day.done, day.revenue_kopecks, day.open_now, day.credits) == (1, 80, 3, 0)  # job 6 ended minutes ago
    assert created == datetime(2024, 3, 10, 23, 59, 59, tzinfo=UTC)
    assert settled == datetime(2025, 2, 1, 7, 1, tzinfo=UTC)
    assert captured == datetime(2024, 4, 1, 12, 1, tzinfo=UTC)
    assert since == datetime(2024, 3, 1, 10, tzinfo=UTC)


async def test_orders_are_in_the_books(database: Database, postgres: str) -> None:
    """Done is charged, failed is given back, alive is on hold with its task; a correction makes up the rest."""
    async with an_earlier_bot(postgres, SECOND) as address:
        await imported(database, address)
    async with database.reading() as tx:
        report = await customer_report(tx, BOT, 201)
        kinds = await tx.fetch(
            "SELECT t.kind, t.amount_kopecks FROM transfers t JOIN accounts a ON a.id IN (t.debit_id, t.credit_id) "
            "JOIN customers c ON c.id = a.customer_id WHERE c.telegram_id = 201 AND a.kind = 'available' ORDER BY t.id"
        )
        alive = await tx.fetchrow("SELECT * FROM generations WHERE task_id = 'kie-2'")
        owed = await tx.fetch(
            "SELECT part, d.state, source FROM deliveries d JOIN generations g ON g.id = d.generation_id "
            "WHERE g.task_id = 'kie-6' ORDER BY d.id"
        )
    assert [(row["state"], row["charged_rub"]) for row in report["generations"]] == [
        ("running", "0.00"),
        ("done", "0.80"),
    ]
    assert [tuple(row) for row in kinds] == [("adjust", 100_210), ("hold", 80), ("hold", 80)]
    assert alive is not None
    assert (alive["state"], alive["chat_id"], alive["submits"]) == ("running", -100200, 1)
    assert alive["deadline_at"] > alive["next_at"]
    assert [tuple(row) for row in owed] == [
        ("result", "pending", "https://files.example/7.png"),
        ("notice", "pending", ""),
    ]


async def test_imported_customer_is_not_welcomed(database: Database, postgres: str) -> None:
    """Whoever comes from the earlier bot is known here; the bonus is for the new."""
    async with an_earlier_bot(postgres, FIRST) as address:
        await imported(database, address)
    async with database.transaction() as tx:
        await arrive(tx, a_visitor(101), 20_000)
        await arrive(tx, a_visitor(777), 20_000)
    found = await wallets(database)
    assert (found[101][0], found[777][0]) == ("150.50", "200.00")


async def test_customer_who_came_first(database: Database, postgres: str) -> None:
    """Their money of here stays, and that of there is added to it; once."""
    async with database.transaction() as tx:
        await tx.execute("INSERT INTO bots (id, username) VALUES ($1, 'kiosk_test_bot')", BOT)
        await arrive(tx, a_visitor(101), 1_000)
    async with an_earlier_bot(postgres, FIRST) as address:
        for _ in range(2):
            assert (await imported(database, address)).problems == []
    assert (await wallets(database))[101] == ("160.50", "0.00")
    assert await broken_invariants(database) == []
    async with database.reading() as tx:
        assert await tx.fetchval("SELECT username FROM bots") == "kiosk_test_bot"


async def test_two_bots_are_apart(database: Database, postgres: str) -> None:
    """The same numbers of payments and people at another bot are other payments and other customers."""
    async with an_earlier_bot(postgres, FIRST) as address:
        await imported(database, address)
        await administer(address, "UPDATE generation_jobs SET external_task_id = 'other-' || external_task_id")
        other = await imported(database, address, bot_id=BOT + 1)
    assert other.problems == []
    async with database.reading() as tx:
        rows = await tx.fetch("SELECT bot_id, sum(balance_rub + hold_rub) AS rub FROM wallets GROUP BY 1 ORDER BY 1")
    assert [(row["bot_id"], str(row["rub"])) for row in rows] == [(BOT, "190.51"), (BOT + 1, "190.51")]


async def test_earlier_bot_that_went_on(database: Database, postgres: str) -> None:
    """Balances that moved and rows that came up after the import are told loudly; nothing here moves."""
    async with an_earlier_bot(postgres, FIRST) as address:
        await imported(database, address)
        once = await wallets(database)
        await administer(
            address,
            "UPDATE users SET balance = balance + 5 WHERE user_id = 101",
            "INSERT INTO payments (user_id, amount, payment_method, status) VALUES (101, 5, 'sbp', 'approved')",
        )
        again = await imported(database, address)
        third = await imported(database, address)
    assert await wallets(database) == once
    assert (again.why("users", "1"), again.why("payments", "9")) == ("changed", "late")
    assert (len(again.problems), len(third.problems)) == (1, 1)
    assert again.tally.report()["money"]["not_brought_rub"] == "57.00"


async def test_hold_kept_unless_proven(database: Database, postgres: str) -> None:
    """On request a hold comes back only where the ledger proves that it had left the balance."""
    async with an_earlier_bot(postgres, SECOND) as address:
        await imported(database, address, trust_holds=False)
    found = await wallets(database)
    assert (found[201], found[202], found[203]) == (("1000.50", "0.80"), ("20.00", "0.00"), ("12.34", "0.00"))


async def refused(database: Database, address: str) -> str:
    with pytest.raises(CannotStart) as told:
        await imported(database, address)
    return str(told.value)


async def test_what_is_no_earlier_bot(database: Database, dsn: str, empty_dsn: str) -> None:
    """A shop's own database and one without customers are refused before anything is read."""
    assert "Kiosk" in await refused(database, dsn)
    assert "users" in await refused(database, empty_dsn)


@pytest.mark.parametrize(
    "address",
    ["postgresql://kiosk:hunter2hunter2@127.0.0.1:1/kiosk", "hunter2hunter2", "postgresql://k:hunter2hunter2@[/x"],
)
async def test_address_is_never_told(database: Database, address: str) -> None:
    """Nobody there, or no address at all: one line without the password."""
    assert "hunter2" not in await refused(database, address)


async def test_tables_with_next_to_nothing(database: Database, postgres: str, empty_dsn: str) -> None:
    """Columns and tables that are absent are as good as empty; an id with no other number beside it is Telegram's."""
    await administer(
        empty_dsn,
        "CREATE TABLE users (id text, balance double precision)",
        "INSERT INTO users VALUES (' 301 ', 0.1), ('302', 'NaN'), ('303', 1e300), ('304', 5), ('304', 6), (NULL, 1)",
        "CREATE TABLE jobs (price_rub text, status text)",
        "INSERT INTO jobs VALUES ('1', 'done')",
        "CREATE TABLE payments (user_id integer, amount text, status text)",
        "INSERT INTO payments VALUES (304, '2', 'PAID'), (304, '2', 'paid')",
    )
    run = await imported(database, empty_dsn)
    assert run.problems == []
    assert {user: rub for user, (rub, _) in (await wallets(database)).items()} == {
        301: "0.10",
        302: "0.00",
        303: "0.00",
        304: "5.00",
    }
    assert Counter(one.why.value for one, _ in run.seen if one.why) == {
        "unreadable": 2,
        "again": 1,
        "no_number": 1,
        "unknown_owner": 1,
    }
    assert await broken_invariants(database) == []


async def test_owner_by_foreign_key(database: Database, empty_dsn: str) -> None:
    """Where a foreign key says that user_id means users.id, it does, although users has a number of Telegram too."""
    await administer(
        empty_dsn,
        "CREATE TABLE users (id serial PRIMARY KEY, user_id bigint)",
        "INSERT INTO users (user_id) VALUES (2), (1)",
        "CREATE TABLE wallets (user_id integer REFERENCES users (id), balance_rub numeric)",
        "INSERT INTO wallets VALUES (1, 10), (2, 20)",
    )
    await imported(database, empty_dsn)
    assert {user: rub for user, (rub, _) in (await wallets(database)).items()} == {1: "20.00", 2: "10.00"}


async def test_many_rows_of_nobody_come_in_parts(database: Database, empty_dsn: str) -> None:
    """However many rows belong to no customer, each is told of once, and few are held at a time."""
    await administer(
        empty_dsn,
        "CREATE TABLE users (user_id bigint)",
        "CREATE TABLE ledger (user_id bigint, kind text)",
        "INSERT INTO ledger SELECT NULL, 'topup' FROM generate_series(1, 2300)",
    )
    run: Imported = await imported(database, empty_dsn)
    assert (run.problems, len(run.seen), run.tally.fresh) == ([], 2300, 2300)
    assert (await imported(database, empty_dsn)).tally.fresh == 0


async def test_retelling_never_overdraws_on_the_way(database: Database) -> None:
    """Money that goes out before it came in is refused, although the end would be above nothing."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=10)
    for amounts in ([-20, 30], [-10, -1]):
        with pytest.raises(asyncpg.CheckViolationError):
            async with database.transaction() as tx:
                await tx.execute(
                    "SELECT ledger_retell($1, '{adjust,adjust}', $2, '{NULL,NULL}', '{NULL,NULL}', '{now,now}', 'x')",
                    customer,
                    amounts,
                )
    assert await broken_invariants(database) == []
