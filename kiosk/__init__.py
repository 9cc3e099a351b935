"""Kiosk: a shop for AI generation inside Telegram."""

__version__ = "0.1.0"
