"""Fifty customers in the same moment, and a handful of connections between them."""

import asyncio

from kiosk.bot.buttons import Choose, model_code, pack
from kiosk.bot.desk import Desk
from kiosk.bot.replies import Pressed, Reply
from kiosk.customers import store as customers
from kiosk.customers.arrive import Visitor
from kiosk.db import Database
from kiosk.generations.states import State
from tests.shopkeeping import BOT
from tests.workshop import a_desk, a_workshop

CROWD = 50
CONNECTIONS = 3


def data_of(reply: Reply | None, label: str) -> str:
    assert reply is not None
    assert reply.screen is not None
    return next(pack(item.press) for row in reply.screen.rows for item in row if label in item.text)


async def buys(desk: Desk, number: int) -> int:
    """From the first word to the order: its number."""
    visitor = Visitor(BOT, number, "Анна", None, "ru")
    await desk.start(visitor)
    asked = await desk.press(visitor, Pressed(number, 5, 1, pack(Choose(model_code("z-image")))))
    assert asked.draft is not None
    ratios = await desk.text(visitor, number, f"кот {number}", 2)
    card = await desk.press(visitor, Pressed(number, 5, 3, data_of(ratios, "16:9")))
    await desk.press(visitor, Pressed(number, 5, 4, data_of(card, "Создать")))
    return asked.draft.id


async def test_fifty_customers_at_once_share_a_small_pool(dsn: str) -> None:
    """Each ordered what they wrote; nobody is refused a connection, nothing hangs, the books are clean."""
    async with (
        await Database.connect(dsn, max_size=CONNECTIONS, application_name="kiosk") as db,
        a_workshop(db) as shop,
    ):
        async with db.transaction() as tx:
            await customers.remember_bot(tx, BOT, "kiosk_sandbox_bot")
        desk = a_desk(shop)
        orders = await asyncio.gather(*(buys(desk, number) for number in range(1001, 1001 + CROWD)))
        found = [await shop.order(order) for order in orders]
        assert {order.state for order in found} == {State.PENDING}
        assert {order.inputs["prompt"] for order in found} == {f"кот {n}" for n in range(1001, 1001 + CROWD)}
        assert await shop.broken_invariants() == []
        figures = db.figures()
        assert (figures.size, figures.free, figures.waiting, figures.timeouts) == (CONNECTIONS, CONNECTIONS, 0, 0)
        assert figures.waits > CROWD
