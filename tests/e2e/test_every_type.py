"""One model of each type bought by a stranger, who knows nothing but the chat: its texts and its buttons."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from kiosk.db import Database
from sandbox.media import MediaOrder, clip, make
from tests.openshop import PATIENCE_S, an_open_shop
from tests.visitor import ChatVisitor

STEPS = 40
SMALL = 160 * 160  # pixels of what is sent and made: nobody looks at it
WORDS = "Рыжий кот у моря"
NO_ANSWERS = ("⬅️", "✖️", "♻️", "◀️", "Дальше ▶️", "⚙️", "✏️", "➕", "🗑")
ON = "✅ Дальше"
CREATE = "✅ Создать"
MONEY = r"([0-9\s\u00a0\u202f]+,[0-9]{2})"
# What is promised by the name of a door, by what stands in it; the first that fits.
PROMISED = (
    ("видео", "video"),
    ("оживить", "video"),
    ("картинк", "photo"),
    ("фон", "photo"),
    ("озвуч", "audio"),
    ("музык", "audio"),
    ("звук", "audio"),
    ("текст", ""),
)


@dataclass
class Stranger:
    """Looks at the newest screen, does what it asks, and pays what it says."""

    visitor: ChatVisitor
    seen: list[str] = field(default_factory=list)

    async def buy(self, door: str) -> tuple[dict[str, Any], int]:
        """The first model behind this door: the order's message at the end, and the price on its card in kopecks."""
        await self.visitor.write("/start", "Привет")
        await self.visitor.press(door)
        await self.visitor.press(self.visitor.labels()[0])
        for _ in range(STEPS):
            if self.offers(CREATE):
                return await self.create()
            await self.answer()
        raise AssertionError(f"no end of questions: {self.seen}")

    async def answer(self) -> None:
        """A file where a file is asked for, a button where there are some, words or a number where there are none."""
        text = self.visitor.text()
        self.seen.append(f"{text} {self.visitor.labels()}")
        asks = next((send for words, send in FILES.items() if words in text), None)
        if asks and not self.offers(ON):
            kind, content, name, mime = asks()
            await self.visitor.send(kind, content, name=name, mime_type=mime)
        elif self.offers(ON):
            await self.visitor.press(ON)
        elif choices := [label for label in self.visitor.labels() if not label.startswith(NO_ANSWERS)]:
            await self.visitor.press(choices[0])
        else:
            await self.visitor.write(self.words())

    def words(self) -> str:
        """A number in the range that is told, or a text as long as it has to be."""
        text = self.visitor.text()
        if found := re.search(r"число (?:от|не меньше) (-?[0-9.]+)", text):
            return found[1]
        if found := re.search(r"нужно хотя бы ([0-9]+)", text):
            return "я" * int(found[1])
        return WORDS

    def offers(self, label: str) -> bool:
        return any(one.startswith(label) and "▶️" not in one for one in self.visitor.labels())

    async def create(self) -> tuple[dict[str, Any], int]:
        card = self.visitor.screen
        price = kopecks(self.visitor.text(), "Цена: ")
        label = next(one["text"] for one in self.visitor.buttons() if one["text"].startswith(CREATE))
        assert kopecks(label, "Создать — ") == price
        data = next(one["callback_data"] for one in self.visitor.buttons() if one["text"] == label)
        await self.visitor.customer.click(card["message_id"], data)

        def ended(message: dict[str, Any]) -> bool:
            said = message["text"] or ""
            done = bool(message["media"]) or "Готово" in said or "Не получилось" in said
            return bool(message["message_id"] == card["message_id"] and done)

        return await self.visitor.customer.wait_until(ended, PATIENCE_S), price

    async def owns(self) -> int:
        """Kopecks, as the chat says."""
        await self.visitor.write("/balance", "Доступно")
        return kopecks(self.visitor.text(), "Доступно: ")


def kopecks(text: str, before: str) -> int:
    found = re.search(re.escape(before) + MONEY, text)
    assert found, text
    return int(re.sub(r"[^0-9]", "", found[1]))


@cache
def a_file(kind: str, extension: str) -> bytes:
    order = MediaOrder("image", WORDS, extension=extension)
    if kind == "audio":
        order = MediaOrder("audio", WORDS, extension=extension, duration_s=6)
    if kind == "video":
        order = MediaOrder("video", WORDS, extension=extension, duration_s=4)
    return make(order, SMALL)


FILES: dict[str, Callable[[], tuple[str, bytes, str, str]]] = {
    "Пришлите картинку": lambda: ("photo", a_file("image", "jpeg"), "a.jpg", "image/jpeg"),
    "Пришлите видео": lambda: ("video", a_file("video", "mp4"), "a.mp4", "video/mp4"),
    "Пришлите звук": lambda: ("audio", a_file("audio", "mp3"), "a.mp3", "audio/mpeg"),
}


def promised(door: str) -> str:
    return next(kind for word, kind in PROMISED if word in door.lower())


async def test_stranger_buys_one_of_each_type(database: Database, dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every door of the first screen leads to a result of its kind, and what the card says is what is paid."""
    monkeypatch.setattr(clip, "_CLIP_PIXELS", SMALL)
    changes: dict[str, Any] = {"single_model_only": False, "welcome_balance_rub": "50000"}
    async with an_open_shop(dsn, database, **changes) as shop, shop.customer() as customer:
        stranger = Stranger(ChatVisitor(customer))
        await stranger.visitor.write("/start", "Привет")
        doors = [label for label in stranger.visitor.labels() if "Баланс" not in label]
        owned, got = await stranger.owns(), []
        for door in doors:
            stranger.seen.clear()
            message, price = await stranger.buy(door)
            media = (message["media"] or {}).get("kind", "")
            got.append((door, media))
            assert "Готово" in (message["text"] or ""), (door, message["text"], stranger.seen)
            assert media in {promised(door), "document"} if promised(door) else not media, (door, media)
            left = await stranger.owns()
            assert owned - left == price, (door, owned, left, price)
            owned = left
        assert len(got) == len(doors) > 12
        assert await shop.broken_invariants() == []
