"""The kinds of updates that the bot takes; apart from the handlers, so that whoever only asks imports no Bot API."""

from typing import Final

# Exactly what the handlers take; tests compare it with what is registered.
ALLOWED_UPDATES: Final = ("message", "callback_query", "my_chat_member")
