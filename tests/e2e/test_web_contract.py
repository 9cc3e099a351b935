"""What the server says of itself in OpenAPI, held against what it does, by requests that nobody thought of."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import checks
from schemathesis.core.result import Ok

from kiosk.db import Database
from tests.frontdoor import SECRET, Door, a_bot_intake, a_door, an_order
from tests.shopkeeping import BOT

EXAMPLES = 30
PATHS = {
    "/live",
    "/ready",
    "/health",
    "/metrics",
    "/telegram/{bot}",
    "/callbacks/kie",
    "/callbacks/kie/{generation}/{token}",
}
# Less is documented than understood: the bodies of the provider's families differ, and we read them all.
LENIENT = ("negative_data_rejection",)
Change = Callable[[Any], None]


def explore(url: str, change: Change, *lenient: str) -> set[str]:
    """Asks every operation a number of things; `change` may put a secret into each request first.

    An answer must be one that the document declares, in status, type and form. Gives the paths that were asked.
    """
    excluded = [check for check in checks.CHECKS.get_all() if check.__name__ in (*LENIENT, *lenient)]
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    asked = set()
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            change(case)
            case.call_and_validate(excluded_checks=excluded)

        ask()
        asked.add(operation.path)
    return asked


async def explored(door: Door, change: Change, *lenient: str) -> set[str]:
    return await asyncio.to_thread(explore, f"http://127.0.0.1:{door.port}", change, *lenient)


async def test_strangers_get_only_declared_answers(database: Database) -> None:
    """Whatever somebody without a secret sends: a declared answer, nothing breaks, and no order is woken."""
    async with a_door(database) as door:
        assert await explored(door, lambda _case: None) == PATHS
        assert await door.jobs() == []


@pytest.mark.filterwarnings("ignore:Detected unknown update type")  # by the Bot API's client: there is none in it
async def test_those_with_the_secrets_get_only_declared_answers(database: Database) -> None:
    """The same behind the secrets, where more of the program is reached."""
    order = await an_order(database)

    def let_in(case: Any) -> None:
        if "bot" in case.path_parameters:
            case.path_parameters["bot"] = str(BOT)
            case.headers["X-Telegram-Bot-Api-Secret-Token"] = SECRET
        if "token" in case.path_parameters:
            case.path_parameters.update(generation=str(order.id), token=order.callback_token)

    async with a_bot_intake() as intake, a_door(database, intake=intake) as door:
        assert await explored(door, let_in, "positive_data_acceptance") == PATHS  # an update has many more rules
        assert set(await door.jobs()) == {("observe", order.id)}


async def test_shop_that_starts_gives_only_declared_answers(database: Database) -> None:
    """Before the shop is open, 503 is declared wherever it is given."""
    async with a_door(database, is_open=False) as door:
        assert await explored(door, lambda _case: None, "not_a_server_error", "positive_data_acceptance") == PATHS
        assert await door.jobs() == []
