"""Alerts in Telegram: one message to one operator, in their language."""

from collections.abc import Sequence
from dataclasses import dataclass

from aiogram import Bot

from kiosk.bot import screens
from kiosk.bot.presence import Presence
from kiosk.bot.refusals import outcome
from kiosk.bot.words import words
from kiosk.customers.store import Language
from kiosk.delivery.messenger import Busy, Sent, Unknown
from kiosk.operators.alerts import Raised
from kiosk.operators.tell import Reached


@dataclass(frozen=True, slots=True)
class TelegramCrier:
    """Implements `kiosk.operators.tell.Crier` for one bot."""

    bot: Bot

    async def cry(self, operator: int, language: Language, raised: Raised) -> Reached:
        screen = screens.alert(words(language), raised)
        match await outcome(self.bot.send_message(operator, screen.text)):
            case Sent():
                return Reached.YES
            case Busy() | Unknown():
                return Reached.LATER
            case _:
                return Reached.NEVER


@dataclass(frozen=True, slots=True)
class FirstAccepted:
    """Implements it for a shop of several bots: the owner's speaks, or the next one while its token is refused."""

    presences: Sequence[Presence]

    async def cry(self, operator: int, language: Language, raised: Raised) -> Reached:
        speaks = next((one for one in self.presences if not one.refused), self.presences[0])
        return await TelegramCrier(speaks.bot).cry(operator, language, raised)
