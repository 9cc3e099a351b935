"""Dashboard, alert rules and the page about them name what a running shop really tells."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from kiosk.db import Database
from kiosk.operators.audit import Auditor
from kiosk.queue import turns
from kiosk.queue.jobs import Act, Job, enqueue
from tests.frontdoor import METRICS_TOKEN, a_door
from tests.scraping import Scraped, scraped
from tests.shopkeeping import a_customer

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
BOARD = ROOT / "deploy" / "grafana" / "kiosk.json"
PAGE = ROOT / "docs" / "observability.md"
ROW = re.compile(r"\| `(?P<name>kiosk_[a-z_]+)` \| (?P<labels>[^|]+) \| (?P<meaning>[^|]+) \|")
LEGEND = re.compile(r"\{\{\s*\$?(?:labels\.)?(\w+)\s*\}\}")
ALL_AT_ONCE = {"kiosk_oldest_order_seconds", "kiosk_sales_paused", "kiosk_operator_alerts_total"}
ADDED = {"instance", "job"}  # by Prometheus itself


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(BOARD.read_text(encoding="utf-8"))["panels"] if panel["type"] != "row"]


def expressions() -> dict[str, tuple[str, str]]:
    """Every expression, and the text that names labels of its result, by where it stands."""
    of_rules = {f"alert {rule['alert']}": (rule["expr"], str(rule["annotations"])) for rule in rules()}
    of_board = {
        f"panel {panel['title']} {target['refId']} {panel['id']}": (target["expr"], target["legendFormat"])
        for panel in panels()
        for target in panel["targets"]
    }
    return of_rules | of_board


def parts(expression: promql_parser.Expr) -> Iterator[promql_parser.Expr]:
    found: list[promql_parser.Expr] = []
    promql_parser.walk(expression, lambda part: found.append(part))  # noqa: PLW0108 - what append returns must not stop it
    yield from found


def flaws(text: str, shop: Scraped) -> list[str]:
    """What an expression asks for that the shop does not tell. Errors: ValueError when it is no expression."""
    found = []
    for part in parts(promql_parser.parse(text.replace("$__rate_interval", "5m"))):
        match part:
            case promql_parser.VectorSelector():
                found += flaws_of_selector(part, shop)
            case promql_parser.AggregateExpr() if part.modifier:
                known = set().union(*(shop.labels.get(one.name, frozenset()) for one in selectors(part.expr)))
                found += [f"no label {label}" for label in part.modifier.labels if label not in known | ADDED]
    return found


def selectors(expression: promql_parser.Expr) -> list[promql_parser.VectorSelector]:
    return [part for part in parts(expression) if isinstance(part, promql_parser.VectorSelector)]


def flaws_of_selector(selector: promql_parser.VectorSelector, shop: Scraped) -> Iterator[str]:
    known = shop.labels.get(selector.name)
    if known is None:
        yield f"no metric {selector.name}"
        return
    for matcher in selector.matchers.matchers:
        if matcher.name not in known | ADDED:
            yield f"no label {matcher.name} of {selector.name}"


async def a_scrape(database: Database) -> Scraped:
    """Of a shop that has at least one of everything in its rows."""
    async with database.transaction() as tx:
        await a_customer(tx, kopecks=100)
        await turns.take(tx, "audit", lease_s=3600)
        await turns.finish(tx, "audit")
        await enqueue(tx, Job(Act.OBSERVE, 1))
    await Auditor(database).audit()
    async with a_door(database) as door:
        return await scraped(f"http://127.0.0.1:{door.port}", METRICS_TOKEN)


async def test_dashboard_and_alerts_ask_for_what_is_told(database: Database) -> None:
    """Every expression is one for Prometheus' own grammar, and every metric and label in it is a real one."""
    shop = await a_scrape(database)
    asked = expressions()
    assert len(asked) > 60
    assert {where: found for where, (text, _) in asked.items() if (found := flaws(text, shop))} == {}


async def test_flaws_are_found(database: Database) -> None:
    """A wrong name, a wrong label in a matcher or a grouping, and a broken expression are each noticed."""
    shop = await a_scrape(database)
    assert flaws("max(kiosk_opened)", shop) == ["no metric kiosk_opened"]
    assert flaws('sum(kiosk_leads{bot="1"})', shop) == ["no label bot of kiosk_leads"]
    assert flaws("sum by (model) (rate(kiosk_callbacks_total[5m]))", shop) == ["no label model"]
    assert flaws("rate(kiosk_callbacks[5m])", shop) == ["no metric kiosk_callbacks"]
    assert flaws('max by (instance) (kiosk_open_orders{state="done"})', shop) == []
    with pytest.raises(ValueError, match=r"unexpected"):
        flaws("sum(rate(kiosk_callbacks_total))) > ", shop)


async def test_values_that_are_asked_for_exist(database: Database) -> None:
    """Where the shop tells every value at once, an expression that asks for another one would never fire."""
    shop = await a_scrape(database)
    never = {}
    for where, (text, _) in expressions().items():
        for selector in selectors(promql_parser.parse(text.replace("$__rate_interval", "5m"))):
            for matcher in selector.matchers.matchers:
                told = shop.values.get((selector.name, matcher.name), frozenset())
                wanted = set(matcher.value.split("|"))
                if selector.name in ALL_AT_ONCE and not wanted <= told:
                    never[where] = wanted - told
    assert never == {}
    assert shop.labels.keys() >= ALL_AT_ONCE


def test_texts_name_labels_that_are_left() -> None:
    """Whoever reads an alert or a legend sees the label, not a hole: it is one that the expression keeps."""
    holes = {}
    for where, (text, told) in expressions().items():
        kept = {
            label for part in parts(promql_parser.parse(text.replace("$__rate_interval", "5m"))) for label in left(part)
        }
        holes[where] = set(LEGEND.findall(told)) - kept - {"value"}
    assert {where: names for where, names in holes.items() if names} == {}


def left(part: promql_parser.Expr) -> set[str]:
    """The labels that an aggregation keeps, or that a bare series has."""
    match part:
        case promql_parser.AggregateExpr() if part.modifier:
            return set(part.modifier.labels)
        case promql_parser.VectorSelector():
            return BARE.get(part.name, set())
        case _:
            return set()


BARE = {
    "kiosk_leads": {"bot_id", "instance"},
    "kiosk_round_last_success_timestamp_seconds": {"round", "instance"},
    "process_cpu_seconds_total": {"instance"},
    "process_resident_memory_bytes": {"instance"},
}


def test_rules_are_complete() -> None:
    """Each says how grave it is, what happened, and what to do; no name twice."""
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "warn"), rule["alert"]
        assert all(len(rule["annotations"][text]) > 20 for text in ("summary", "description")), rule["alert"]


def test_dashboard_is_complete() -> None:
    """Every panel has a title, a word about it and the dashboard's own data source; no two are in one place."""
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    assert [panel["title"] for panel in panels() if not panel["description"].endswith(".")] == []
    assert {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]} == {"${datasource}"}
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in board["panels"]]
    assert len(places) == len(set(places))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))


async def test_page_lists_every_metric_and_nothing_else(database: Database) -> None:
    """docs/observability.md has each name with its labels and a sentence."""
    shop = await a_scrape(database)
    told = {
        row["name"]: frozenset(label.strip() for label in row["labels"].split(",")) - {"–"}
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if (row := ROW.fullmatch(line))
    }
    real = {
        re.sub(r"_bucket$", "", name): labels - {"le"}
        for name, labels in shop.labels.items()
        if name.startswith("kiosk_") and not name.endswith(("_count", "_sum"))
    }
    assert told == real
