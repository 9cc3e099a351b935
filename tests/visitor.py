"""A customer who knows nothing but the chat: reads the newest screen, presses what it offers, writes what it asks."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.customer import Customer
from tests.openshop import PATIENCE_S


@dataclass
class ChatVisitor:
    """`screen` is the newest message of the bot with buttons, as it stood when it was looked at."""

    customer: Customer
    screen: dict[str, Any] = field(default_factory=dict)

    async def write(self, text: str, *expected: str) -> None:
        """Sends words, and waits for a screen that says all this."""
        wrote = await self.customer.send_text(text)
        await self.see(*expected, after=wrote["message_id"])

    async def send(self, kind: str, data: bytes, *expected: str, **more: Any) -> None:
        """Sends a file, and waits for a screen that says all this."""
        sent = await self.customer.send_media(kind, data, **more)
        await self.see(*expected, after=sent["message_id"])

    async def press(self, label: str, *expected: str) -> None:
        """Presses the first button whose text begins with this, and waits for another screen that says all this."""
        before = self.screen
        found = [one for one in self.buttons() if one["text"].startswith(label)]
        assert found, f"no button {label!r} in {self.labels()}"
        await self.customer.click(before["message_id"], found[0]["callback_data"])
        await self.see(*expected, after=before["message_id"] - 1, unlike=before)

    async def see(self, *texts: str, after: int = 0, unlike: dict[str, Any] | None = None) -> None:
        """Waits for a message of the bot with all these texts on it or on its buttons."""

        def fits(message: dict[str, Any]) -> bool:
            if message["from"] != "bot" or message["message_id"] <= after or not message["inline_keyboard"]:
                return False
            if unlike and (message["text"], message["inline_keyboard"]) == (unlike["text"], unlike["inline_keyboard"]):
                return False
            shown = "\n".join([message["text"] or "", *(one["text"] for one in _buttons(message))])
            return all(text in shown for text in texts)

        self.screen = await self.customer.wait_until(fits, PATIENCE_S)

    async def choose(self, aisle: str, model: str) -> None:
        """From /start along the shelf to a model."""
        await self.write("/start", "Привет")
        await self.press(aisle, "Выберите модель")
        while not any(label.startswith(f"{model} — ") for label in self.labels()):
            await self.press("Дальше", "Выберите модель")
        await self.press(f"{model} — ")

    def buttons(self) -> list[dict[str, Any]]:
        return _buttons(self.screen)

    def labels(self) -> list[str]:
        return [str(one["text"]) for one in self.buttons()]

    def text(self) -> str:
        return str(self.screen["text"])


def _buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for row in message["inline_keyboard"] or [] for one in row]
