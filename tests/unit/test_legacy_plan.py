"""Whatever an earlier bot left, the plan moves no money that is not there and forgets no row."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings

from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.generations.deadlines import Patience
from kiosk.legacy.plan import Known, Plan, Terms, plan
from kiosk.legacy.read import Row, Table, a_row, amount, chat, moment, number
from tests.earlierrows import DATABASES
from tests.values import MOMENT

TERMS = Terms(7000001, MOMENT, default_shelf(), Patience(600, dict.fromkeys(Output, 600.0)))
SIGNS = {"topup": 1, "hold": -1, "release": 1, "capture": 0, "adjust": 1}
NOW, BEFORE = f'"{MOMENT.isoformat()}"', f'"{(MOMENT - timedelta(hours=3)).isoformat()}"'


def rows(owner: str, **tables: list[dict[str, Any]]) -> list[Row]:
    """Rows of one owner, numbered within their tables."""
    return [
        a_row(table, owner, str(place), json.dumps(row).replace('"NOW"', NOW).replace('"BEFORE"', BEFORE))
        for table in Table
        for place, row in enumerate(tables.get(table.value, []))
    ]


def planned(**tables: list[dict[str, Any]]) -> Plan:
    return plan(rows("42", **tables), Known(), TERMS)


@settings(max_examples=30)
@given(DATABASES)
def test_money_is_never_below_nothing(database: dict[str, list[dict[str, Any]]]) -> None:
    """Posting after posting the balance stays at or above 0, and ends where the plan says; held likewise."""
    assume(any(database.values()))
    made = planned(**database)
    balance = held = 0
    for one in made.postings:
        balance += SIGNS[one.kind] * one.kopecks
        held += one.kopecks if one.kind == "hold" else -one.kopecks if one.kind in ("capture", "release") else 0
        assert balance >= 0
        assert held >= 0
    assert (balance, held) == (made.available_kopecks, made.held_kopecks)
    assert sum(one.brought_kopecks for one in made.outcomes) == made.available_kopecks + made.held_kopecks


@settings(max_examples=30)
@given(DATABASES)
def test_every_row_has_one_outcome(database: dict[str, list[dict[str, Any]]]) -> None:
    """Taken or with a reason, each once; what is taken of payments and orders is written once."""
    given_rows = [row for row in rows("42", **database) if row.table is not Table.ORPHANS]  # those are nobody's
    assume(given_rows)
    made = plan(given_rows, Known(), TERMS)
    assert Counter(one.row.text for one in made.outcomes) == Counter(row.text for row in given_rows)
    assert [one for one in made.outcomes if not one.taken and one.why is None] == []
    written = [(one.row.table, one.row.key) for one in (*made.payments, *made.orders)]
    taken = [(one.row.table, one.row.key) for one in made.outcomes if one.taken]
    assert sorted(written) == sorted(one for one in taken if one[0] not in (Table.USERS, Table.WALLETS))
    tasks = [order.task_id for order in made.orders if order.task_id]
    assert len(tasks) == len(set(tasks))


@pytest.mark.parametrize(
    ("text", "kopecks"),
    [
        ("1 234,50 ₽", 123450),
        ("0.005", 1),
        ("0.0049", 0),
        ("-25", -2500),
        (99.99999999999999, 10000),
        (None, 0),
        ("", 0),
        ("сто", 0),
        ("NaN", 0),
        ("1e12", 0),
    ],
)
def test_amounts(text: object, kopecks: int) -> None:
    """Numbers and texts are read to the nearest kopeck; what is no amount is 0 and says so."""
    found = amount(text)
    assert found.kopecks == kopecks
    assert found.readable == (text not in ("сто", "NaN", "1e12"))


def test_moments_and_numbers() -> None:
    """A naive time is UTC; a zone is heeded; what is no time, person or chat is none."""
    naive, zoned = moment("2024-05-01 10:00:00"), moment("2024-05-01T13:00:00+03:00")
    assert naive is not None
    assert naive == zoned
    assert naive.isoformat() == "2024-05-01T10:00:00+00:00"
    assert [moment(value) for value in ("infinity", None, "soon", "0001-01-01T00:00:00+14:00")] == [None] * 4
    assert [number(text) for text in ("42", "0", "-1", "042", "9" * 17)] == [42, None, None, None, None]
    assert [chat(value) for value in ("-100200", 7, None, "x", "9" * 19)] == [-100200, 7, None, None, None]


def test_one_task_in_both_tables_is_one_order() -> None:
    """The row that knows the result counts, whichever table it is in."""
    made = planned(
        wallets=[{"balance_rub": 1, "hold_rub": 0}],
        generation_jobs=[{"price": "0.80", "status": "running", "external_task_id": "t", "created_at": "NOW"}],
        jobs=[
            {"price_rub": "0.80", "status": "done", "kie_task_id": "t", "result_json": ["https://files.example/1.png"]}
        ],
    )
    (order,) = made.orders
    assert (order.state.value, order.row.table) == ("done", Table.JOBS)


def test_charged_before_it_was_made() -> None:
    """What the ledger says was charged and not refunded is on hold for it, on top of the balance."""
    job = {"id": 9, "price_rub": "0.80", "status": "running", "kie_task_id": "t", "created_at": "NOW"}
    charge = {"kind": "charge", "amount_rub": "-0.80", "status": "done", "ref": "job:9"}
    wallet = {"balance_rub": 5, "hold_rub": 0}
    paid = planned(wallets=[wallet], jobs=[job], ledger=[charge])
    refunded = planned(wallets=[wallet], jobs=[job], ledger=[charge, {**charge, "kind": "refund"}])
    assert (paid.available_kopecks, paid.held_kopecks) == (500, 80)
    assert (refunded.available_kopecks, refunded.held_kopecks) == (420, 80)
