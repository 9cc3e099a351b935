"""Screens to Telegram's keyboards."""

from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from kiosk.bot.buttons import pack
from kiosk.bot.screens import Screen


def markup(screen: Screen) -> InlineKeyboardMarkup | None:
    """None when the screen has no button: an edit then takes an old keyboard away."""
    if not screen.rows:
        return None
    return InlineKeyboardMarkup(
        inline_keyboard=[
            [InlineKeyboardButton(text=button.text, callback_data=pack(button.press)) for button in row]
            for row in screen.rows
        ]
    )
