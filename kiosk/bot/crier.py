"""Alerts in Telegram: one message to one operator, in their language."""

from dataclasses import dataclass

from aiogram import Bot

from kiosk.bot import screens
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
