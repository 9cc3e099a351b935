"""The customers of a run: impatient fingers, patient otherwise; they know only what the chat shows them."""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from sandbox.customer import Customer, NothingHappened, Refused
from sandbox.shopkeeper import BOT_ID
from sandbox.telegram import TelegramSandbox, acts
from sandbox.telegram.chats import Message as SentMessage
from sandbox.telegram.views import message_view

FIRST_ID = 5_000_001
STEP_S = 20.0  # then they begin anew
STALLED_S = 150.0  # longer than any outage
RESULT_S = 40.0  # then they go on with something else, and come back to it by and by
REMEMBERED = 30
LOOKS_AT = 60  # messages, at the end of the chat
LOOK_S = 0.25  # far less than it takes to fill a chat's log of events
CHOICE = "c:"
RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16")
PROMPTS = ("кот в скафандре", "город под дождём", "чайник на луне", "лиса читает газету", "маяк, масло")

Message = dict[str, Any]
Fits = Callable[[Message], bool]


@dataclass(frozen=True, slots=True)
class Habits:
    """Chances, 0 to 1."""

    double_click: float = 0.3
    old_button: float = 0.15
    command: float = 0.12
    patient: float = 0.7  # waits for the picture before the next one
    again: float = 0.3  # by the button under the picture
    deletes: float = 0.05  # the order's message, while the shop works on it
    blocks: float = 0.04  # the bot, for a moment


@dataclass(slots=True)
class Diary:
    """What all customers of a run did and saw, by order number."""

    target: int
    confirmed: set[int] = field(default_factory=set)  # the chat said that it is being made, or what became of it
    cards: dict[int, set[int]] = field(default_factory=dict)  # these messages showed the order's card
    prices: dict[int, int] = field(default_factory=dict)  # kopecks, as the button said
    owners: dict[int, int] = field(default_factory=dict)  # Telegram's number of who pressed
    deleted: set[int] = field(default_factory=set)  # the order's message was deleted by its customer
    fresh_starts: int = 0
    blocks: int = 0

    @property
    def complete(self) -> bool:
        return len(self.confirmed) >= self.target


class GaveUp(Exception):  # noqa: N818 - it states a fact
    """Nothing happened for a while; the customer begins anew."""


def button(message: Message, prefix: str, label: str = "") -> str | None:
    """The data of the first button that begins with `prefix` and shows `label`."""
    rows = message["inline_keyboard"]
    return next(
        (
            item["callback_data"]
            for row in rows
            for item in row
            if item.get("callback_data", "").startswith(prefix) and label in item["text"]
        ),
        None,
    )


def order_of(message: Message) -> int | None:
    """The order whose result or failure a message shows: its "again" button carries the number."""
    data = button(message, "r:")
    return int(data.split(":")[1]) if message["from"] == "bot" and data else None


@dataclass(slots=True)
class Shopper:
    """One customer, with a seeded character; `buy` goes on until it is cancelled."""

    telegram: TelegramSandbox
    customer: Customer
    telegram_id: int
    diary: Diary
    chance: random.Random
    habits: Habits = Habits()
    _used: list[tuple[int, str]] = field(default_factory=list)

    async def buy(self) -> None:
        again: int | None = None
        while True:
            try:
                order = await self._order(again)
                again = await self._after(order)
            except (GaveUp, Refused, aiohttp.ClientError, TimeoutError):
                self.diary.fresh_starts += 1
                again = None

    async def _order(self, again: int | None) -> int:
        card = await self._card_again(again) if again else await self._card_from_the_start()
        data = button(card, "go:")
        if data is None:
            raise GaveUp
        order = int(data.split(":")[1])
        await self._press(card["message_id"], data)
        await self._see(lambda message: self._tells_of(message, order, card["message_id"]), STEP_S)
        self.diary.confirmed.add(order)
        return order

    async def _card_from_the_start(self) -> Message:
        began = await self.customer.send_text("/start")
        home = await self._see_below(began, lambda message: button(message, "m:") is not None)
        await self._fidget()
        await self._press(home["message_id"], str(button(home, "m:")))
        asks = await self._see(
            lambda message: message["message_id"] >= home["message_id"] and "Опишите картинку" in message["text"],
            STEP_S,
        )
        await self._fidget()
        wrote = await self.customer.send_text(self.chance.choice(PROMPTS))
        if wrote["message_id"] < asks["message_id"]:
            raise GaveUp
        ratio = self.chance.choice(RATIOS)
        ratios = await self._see_below(wrote, lambda message: button(message, CHOICE, ratio) is not None)
        await self._fidget()
        await self._press(ratios["message_id"], str(button(ratios, CHOICE, ratio)))
        return await self._see_below(wrote, lambda message: button(message, "go:") is not None)

    async def _card_again(self, order: int) -> Message:
        shown = await self._see(lambda message: order_of(message) == order, STEP_S)
        below = (await self.customer.chat())["messages"][-1]
        await self._press(shown["message_id"], f"r:{order}")
        return await self._see_below(below, lambda message: button(message, "go:") is not None)

    async def _after(self, order: int) -> int | None:
        """What they do once it is ordered; the order to buy again, if they liked it."""
        if self.chance.random() < self.habits.deletes:
            self._delete_status(order)
        if self.chance.random() < self.habits.blocks:
            await self._block_for_a_moment()
        if self.chance.random() >= self.habits.patient:
            return None
        with contextlib.suppress(GaveUp):
            await self._see(lambda message: order_of(message) == order, RESULT_S)
            return order if self.chance.random() < self.habits.again else None
        return None

    async def _press(self, message_id: int, data: str) -> None:
        """Once, or several times at once."""
        self._note(message_id, data)
        times = self.chance.choice((2, 2, 3, 5)) if self.chance.random() < self.habits.double_click else 1
        for _ in range(times):
            await self.customer.click(message_id, data)

    def _note(self, message_id: int, data: str) -> None:
        self._used = [*self._used, (message_id, data)][-REMEMBERED:]
        if data.startswith("go:"):
            _, order, price = data.split(":")
            self.diary.prices[int(order)] = int(price)
            self.diary.owners[int(order)] = self.telegram_id

    async def _fidget(self) -> None:
        """A command out of place, or a button from before: neither may do harm."""
        if self.chance.random() < self.habits.command:
            await self.customer.send_text(self.chance.choice(("/balance", "/help")))
        if self._used and self.chance.random() < self.habits.old_button:
            message_id, data = self.chance.choice(self._used)
            with contextlib.suppress(Refused):  # the message is gone
                await self.customer.click(message_id, data)

    def _delete_status(self, order: int) -> None:
        """Only before it is over: whoever deletes the end has seen it. In this process, so none slips in."""
        chat = self.telegram.world.chat(BOT_ID, self.telegram_id)
        for message_id in self.diary.cards.get(order, ()):
            message = chat.messages.get(message_id)
            if message is not None and order_of(message_view(chat, message)) != order:
                acts.delete(self.telegram.world, chat, message_id)
                self.diary.deleted.add(order)

    async def _block_for_a_moment(self) -> None:
        self.diary.blocks += 1
        await self.customer.block()
        await asyncio.sleep(self.chance.uniform(0.5, 5))
        await self.customer.block(blocked=False)

    def _tells_of(self, message: Message, order: int, message_id: int) -> bool:
        """The order is being made, or is over: its own message says so, or a new one where that is gone."""
        status = message["from"] == "bot" and message["message_id"] == message_id and "Генерирую" in message["text"]
        return status or order_of(message) == order

    async def _see_below(self, above: Message, fits: Fits) -> Message:
        return await self._see(lambda message: message["message_id"] > above["message_id"] and fits(message), STEP_S)

    async def _see(self, fits: Fits, patience_s: float) -> Message:
        """The newest message of the shop's that fits. Errors: GaveUp."""
        try:
            return await self.customer.wait_until(
                lambda message: message["from"] == "bot" and fits(message), patience_s
            )
        except NothingHappened:
            raise GaveUp from None


async def crowd(telegram: TelegramSandbox, diary: Diary, seed: int, how_many: int) -> None:
    """So many customers buy side by side until the diary is complete, or nobody gets anything for long.

    Then they drop whatever they are doing.
    """

    async def one(number: int) -> None:
        telegram_id = FIRST_ID + number
        async with Customer(telegram.base_url, telegram_id, BOT_ID, looks_at=LOOKS_AT) as customer:
            chance = random.Random(f"{seed}/customer/{number}")
            await asyncio.sleep(chance.uniform(0, 2))
            await Shopper(telegram, customer, telegram_id, diary, chance).buy()

    loop = asyncio.get_running_loop()
    shoppers = [asyncio.create_task(one(number)) for number in range(how_many)]
    try:
        count, since_s = 0, loop.time()
        while not diary.complete and loop.time() - since_s < STALLED_S:
            if len(diary.confirmed) > count:
                count, since_s = len(diary.confirmed), loop.time()
            failed, _ = await asyncio.wait(shoppers, timeout=LOOK_S, return_when=asyncio.FIRST_EXCEPTION)
            for shopper in failed:
                shopper.result()
    finally:
        for shopper in shoppers:
            shopper.cancel()
        await asyncio.gather(*shoppers, return_exceptions=True)


async def look_on(telegram: TelegramSandbox, diary: Diary) -> None:
    """Notes in which messages the card of each order was shown, however briefly; until it is cancelled."""
    seen: dict[int, int] = {}
    try:
        while True:
            _look(telegram, diary, seen)
            await asyncio.sleep(LOOK_S)
    finally:
        _look(telegram, diary, seen)  # the last card may be younger than the last look


def _look(telegram: TelegramSandbox, diary: Diary, seen: dict[int, int]) -> None:
    for (bot_id, user_id), chat in telegram.world.chats.items():
        for event in chat.events.after(seen.get(user_id, 0)) or ():
            seen[user_id] = event.seq
            if isinstance(event.content, SentMessage) and bot_id == BOT_ID:
                _note_card(diary, message_view(chat, event.content))


def _note_card(diary: Diary, message: Message) -> None:
    data = button(message, "go:")
    if data is not None:
        diary.cards.setdefault(int(data.split(":")[1]), set()).add(message["message_id"])


async def come_back(telegram: TelegramSandbox, telegram_ids: Sequence[int]) -> None:
    """Those whom the shop believes gone say a word."""
    for telegram_id in telegram_ids:
        async with Customer(telegram.base_url, telegram_id, BOT_ID) as customer:
            with contextlib.suppress(Refused):
                await customer.block(blocked=False)
            await customer.send_text("/balance")


def by_order(messages: Sequence[Message]) -> Mapping[int, list[Message]]:
    """The messages of a chat that end an order, by order."""
    found: defaultdict[int, list[Message]] = defaultdict(list)
    for message in messages:
        order = order_of(message)
        if order is not None:
            found[order].append(message)
    return found
