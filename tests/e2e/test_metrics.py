"""`/metrics` of a real shop: it moves with a real order, tells nobody without the token, and outlives its database."""

import asyncio
from collections.abc import Mapping

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from kiosk.db import Database
from kiosk.metrics import OTHER, ORDERS, know_models, model_label
from tests.frontdoor import a_door
from tests.openshop import METRICS_TOKEN, OpenShop, an_open_shop, at_the_card, confirmed

AUTHORIZED = {"Authorization": f"Bearer {METRICS_TOKEN}"}


async def scraped(url: str) -> dict[str, float]:
    """Every sample by its name and labels."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics", headers=AUTHORIZED) as answer:
        assert answer.status == 200
        text = await answer.text()
    return {
        shown(sample.name, sample.labels): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def shown(name: str, labels: Mapping[str, str]) -> str:
    return name + "".join(f" {key}={value}" for key, value in sorted(labels.items()))


async def test_print(dsn: str, database: Database) -> None:
    async with an_open_shop(dsn, database) as shop, shop.customer() as customer:
        order = await confirmed(customer, await at_the_card(customer))
        await shop.settled_order(order)
        async with aiohttp.ClientSession() as session, session.get(f"{shop.url}/metrics", headers=AUTHORIZED) as answer:
            open("/tmp/metrics.txt", "w").write(await answer.text())
