"""Two bots sell from one deployment: the same person is a customer of each, and nothing of one reaches the other."""

import json
from pathlib import Path
from typing import Any

import structlog

from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.generations.states import State
from kiosk.ledger import store as ledger
from kiosk.operators import store as alerts
from kiosk.operators.alerts import Kind
from sandbox.customer import Customer
from tests.openshop import BOT, PATIENCE_S, OpenShop, an_open_shop, button, confirmed, message, shows

PARTNER = 7000002
ANNA, OWNER = 1001, 1009
GREETING = "Салют"


def bots_file(folder: Path) -> Path:
    """A partner with a price, a bonus and a greeting of its own."""
    (folder / "texts").mkdir()
    greeting = f"home = {GREETING}, {{ $name }}! На счету {'{ $balance }'}.\n"
    (folder / "texts" / "ru.ftl").write_text(greeting, encoding="utf-8")
    path = folder / "bots.yaml"
    path.write_text(
        f"""
bots:
  - token: "{PARTNER}:sandbox-partner"
    admins: [{ANNA}]
    price_multiplier: 3
    welcome_balance_rub: 50
    texts: texts
""",
        encoding="utf-8",
    )
    return path


async def the_card(customer: Customer, greeting: str) -> dict[str, Any]:
    await customer.send_text("/start")
    home = await customer.wait_until(shows(greeting), PATIENCE_S)
    await customer.click(home["message_id"], button(home, "Создать картинку"))
    await customer.wait_until(shows("Опишите картинку"), PATIENCE_S)
    await customer.send_text("кот")
    ratios = await customer.wait_until(shows("Выберите формат"), PATIENCE_S)
    await customer.click(ratios["message_id"], button(ratios, "16:9"))
    return await customer.wait_until(shows("Цена"), PATIENCE_S)


async def money(shop: OpenShop, bot: int) -> tuple[int, int]:
    """What Anna has at a bot, and what of it is set aside."""
    async with shop.db.reading() as tx:
        found = await customers.find(tx, bot, ANNA)
        assert found is not None
        wallet = await ledger.wallet(tx, found.id)
    return wallet.available_kopecks, wallet.held_kopecks


async def presses(shop: OpenShop, bot: int, message_id: int, data: str) -> None:
    """Anna's press reaches this bot, whatever stands in her chat with it."""
    assert shop.front.running is not None
    world = shop.telegram.world
    number = world.bots[bot].queue.next_id
    world.bots[bot].queue.next_id += 1
    chat = {"id": ANNA, "type": "private", "first_name": "Анна"}
    sender = {"id": ANNA, "is_bot": False, "first_name": "Анна"}
    shown = {"message_id": message_id, "date": 1_790_000_000, "chat": chat, "text": "Цена"}
    query = {"id": "1", "from": sender, "chat_instance": "1", "message": shown, "data": data}
    await shop.front.running.intakes[bot].take(json.dumps({"update_id": number, "callback_query": query}).encode())


async def test_bots_share_nothing_but_the_shop(database: Database, dsn: str, tmp_path: Path) -> None:
    """Words, prices, balances, drafts and results: each bot has its own for the same person."""
    async with (
        an_open_shop(dsn, database, bots_file=bots_file(tmp_path)) as shop,
        shop.customer(ANNA) as at_owner,
        Customer(shop.telegram.base_url, ANNA, PARTNER) as at_partner,
    ):
        ours, theirs = await the_card(at_owner, "Привет"), await the_card(at_partner, GREETING)
        assert await money(shop, BOT) == (10_000, 0)
        assert await money(shop, PARTNER) == (5_000, 0)

        orders = [int(button(card, "Создать").split(":")[1]) for card in (ours, theirs)]
        drafts = [await shop.order(number) for number in orders]
        assert drafts[0].customer_id != drafts[1].customer_id
        assert drafts[1].price * 2 == drafts[0].price * 3

        # A button of one bot's message does nothing in the other.
        await presses(shop, BOT, theirs["message_id"], button(theirs, "Создать"))
        await presses(shop, BOT, theirs["message_id"], button(theirs, "Отмена"))
        assert (await shop.order(orders[1])).state is State.DRAFT
        assert await money(shop, PARTNER) == (5_000, 0)

        bought = await shop.settled_order(await confirmed(at_partner, theirs))
        assert (await message(at_partner, theirs["message_id"]))["media"]
        assert not (await message(at_owner, ours["message_id"]))["media"]
        assert await money(shop, PARTNER) == (5_000 - bought.price, 0)
        assert await money(shop, BOT) == (10_000, 0)
        assert (await shop.order(orders[0])).state is State.DRAFT

        await shop.settled_order(await confirmed(at_owner, ours))
        assert (await message(at_owner, ours["message_id"]))["media"]
        assert await shop.broken_invariants() == []

        # The partner's admin sees the partner's day, and is nobody to the owner's bot.
        await at_partner.send_text("/admin")
        await at_partner.wait_until(shows("За сутки", "Готово: 1"), PATIENCE_S)
        await at_owner.send_text("/admin")
        await at_owner.wait_until(shows("Привет", "Я понимаю кнопки"), PATIENCE_S)


async def test_broken_token_leaves_the_other_bot_selling(database: Database, dsn: str, tmp_path: Path) -> None:
    """The shop is ready without the partner; its owner is told once; the partner's customers wait for nothing else."""
    changes = {"admin_id": str(OWNER), "bots_file": bots_file(tmp_path)}
    with structlog.testing.capture_logs() as lines:
        async with (
            an_open_shop(dsn, database, tokens={PARTNER: "of @BotFather"}, **changes) as shop,
            shop.customer(OWNER) as owner,
            shop.customer(ANNA) as anna,
        ):
            await owner.send_text("/start")
            await owner.wait_until(shows("Бот не принят", str(PARTNER)), PATIENCE_S)
            card = await the_card(anna, "Привет")
            await shop.settled_order(await confirmed(anna, card))
            assert (await message(anna, card["message_id"]))["media"]
            assert shop.front.running is not None
            states = {bot.id: (bot.accepted, bot.hears) for bot in shop.front.running.bots()}
            assert states == {BOT: (True, True), PARTNER: (False, False)}
    assert sum(line["event"] == "bot.refused" for line in lines) == 1
    async with database.reading() as tx:
        raised = await alerts.latest(tx, limit=10)
    told = [(one.alert.subject, one.count) for one in raised if one.alert.kind is Kind.BOT_REFUSED]
    assert told == [(str(PARTNER), 1)]
