"""A stand-in for Telegram: the Bot API for bots, an HTTP side and a chat page for the person who plays the customer."""

from sandbox.telegram.server import HOST, TelegramSandbox
from sandbox.telegram.world import TelegramOptions

__all__ = ["HOST", "TelegramOptions", "TelegramSandbox"]
