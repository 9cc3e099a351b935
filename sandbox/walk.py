"""A customer's walk through the shop, from /start to the picture: what a person would do in the chat page."""

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from sandbox.customer import Customer

STEP_S = 30.0
RESULT_S = 180.0
RATIO_TOLERANCE = 0.02
ONLY, AISLE, ONWARD, MODEL = "Создать картинку", "Картинка по описанию", "Дальше", "Z-Image"


@dataclass(frozen=True, slots=True)
class Purchase:
    """What the customer got: the file as saved and its sides in pixels."""

    message_id: int
    file: Path
    width: int
    height: int


class WalkFailed(Exception):  # noqa: N818 - it states a fact
    """The shop did not do what a customer expects; the message says at which step."""


async def buy_picture(customer: Customer, prompt: str, ratio: str, out: Path) -> Purchase:
    """Buys one picture and saves it in `out`. Errors: WalkFailed, NothingHappened."""
    await customer.send_text("/start")
    shelf = await _to_the_model(customer)
    await customer.wait_until(lambda message: _asks(message, shelf, "Опишите"), STEP_S)
    wrote = await customer.send_text(prompt)
    ratios = await _screen(customer, ratio, after=wrote["message_id"])
    await _press(customer, ratios, ratio)
    card = await _screen(customer, "✅", after=wrote["message_id"])
    await _press(customer, card, "✅")
    ended = await customer.wait_until(lambda message: _ended(message, card["message_id"]), RESULT_S)
    return await _save(customer, ended, ratio, out)


async def _to_the_model(customer: Customer) -> int:
    """Goes along the shelf, or through the one door of a shop with one model; the number of the shelf's message."""
    home = await customer.wait_until(lambda message: any(_button(message, label) for label in (ONLY, AISLE)), STEP_S)
    shelf: int = home["message_id"]
    if _button(home, ONLY):
        await _press(customer, home, ONLY)
        return shelf
    label, page = AISLE, home
    while not _button(page, MODEL):
        await _press(customer, page, label)
        page = await _turned(customer, page)
        label = ONWARD
    await _press(customer, page, MODEL)
    return shelf


async def _turned(customer: Customer, page: dict[str, Any]) -> dict[str, Any]:
    """The same message once it shows other buttons."""
    return await customer.wait_until(
        lambda message: (
            message["message_id"] == page["message_id"] and message["inline_keyboard"] != page["inline_keyboard"]
        ),
        STEP_S,
    )


def _asks(message: dict[str, Any], message_id: int, text: str) -> bool:
    return message["message_id"] == message_id and text in (message["text"] or "")


def _ended(message: dict[str, Any], message_id: int) -> bool:
    """The order's own message became a picture, or tells of a failure."""
    return message["message_id"] == message_id and (
        bool(message["media"]) or "Не получилось" in (message["text"] or "")
    )


def _button(message: dict[str, Any], label: str) -> str | None:
    """The data of the first button whose text holds the label."""
    rows = message.get("inline_keyboard") or []
    return next((button["callback_data"] for row in rows for button in row if label in button["text"]), None)


async def _screen(customer: Customer, label: str, after: int = 0) -> dict[str, Any]:
    """The newest message of the bot below `after` with such a button."""
    return await customer.wait_until(
        lambda message: (
            message["from"] == "bot" and message["message_id"] > after and _button(message, label) is not None
        ),
        STEP_S,
    )


async def _press(customer: Customer, message: dict[str, Any], label: str) -> None:
    data = _button(message, label)
    if data is None:
        raise WalkFailed(f"message {message['message_id']} has no button {label!r}")
    await customer.click(message["message_id"], data)


async def _save(customer: Customer, message: dict[str, Any], ratio: str, out: Path) -> Purchase:
    media = message["media"]
    if not media:
        raise WalkFailed(f"the shop says: {message['text']}")
    data = await customer.download(media["url"])
    with Image.open(BytesIO(data)) as picture:
        width, height, extension = *picture.size, (picture.format or "bin").lower()
    wide, high = map(int, ratio.split(":"))
    if abs(Fraction(width, height) / Fraction(wide, high) - 1) > RATIO_TOLERANCE:
        raise WalkFailed(f"asked for {ratio}, got {width}x{height}")
    file = out / f"picture-{message['message_id']}.{extension.replace('jpeg', 'jpg')}"
    await asyncio.to_thread(_write, file, data)
    return Purchase(message["message_id"], file, width, height)


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
