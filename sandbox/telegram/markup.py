"""Keyboards: what the Bot API accepts as reply_markup and what it says about the rest."""

from typing import Any
from urllib.parse import urlsplit

from sandbox.telegram.errors import BadRequest
from sandbox.telegram.limits import CALLBACK_DATA_BYTES, KEYBOARD_BUTTONS

INLINE = "inline_keyboard"
# https://core.telegram.org/bots/api#inlinekeyboardbutton: exactly one of these.
_ACTIONS = (
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
)
_STYLES = frozenset({"danger", "success", "primary"})
_REPLY_KINDS = ("keyboard", "remove_keyboard", "force_reply")


def read_markup(value: Any) -> dict[str, Any] | None:
    """Any kind of reply_markup, checked; None when there is none or it has no buttons."""
    if value is None or value == {}:
        return None
    if not isinstance(value, dict):
        raise BadRequest("object expected as reply markup")
    if INLINE in value:
        rows = [[_inline_button(button) for button in row] for row in _rows(value[INLINE])]
        return {INLINE: rows} if rows else None
    if "keyboard" in value:
        rows = [[_reply_button(button) for button in row] for row in _rows(value["keyboard"])]
        return {**value, "keyboard": rows} if rows else None
    if any(value.get(kind) for kind in _REPLY_KINDS):
        return dict(value)
    raise BadRequest("can't parse reply keyboard markup JSON object")


def read_inline_markup(value: Any) -> dict[str, Any] | None:
    """What an edit may carry: inline keyboards only."""
    markup = read_markup(value)
    if markup is not None and INLINE not in markup:
        raise BadRequest("inline keyboard expected")
    return markup


def _rows(value: Any) -> list[list[Any]]:
    if not isinstance(value, list) or not all(isinstance(row, list) for row in value):
        raise BadRequest("field of the keyboard must be an Array of Arrays")
    if sum(len(row) for row in value) > KEYBOARD_BUTTONS:
        raise BadRequest("reply markup is too long")
    return [row for row in value if row]


def _inline_button(button: Any) -> dict[str, Any]:
    if not isinstance(button, dict) or not isinstance(button.get("text"), str):
        raise BadRequest("can't parse inline keyboard button: Can't find field \"text\"")
    if not button["text"].strip():
        raise BadRequest("inline keyboard button text is empty")
    actions = [name for name in _ACTIONS if name in button and button[name] not in (None, False)]
    if not actions:
        raise BadRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    if len(actions) > 1:
        raise BadRequest("can't parse inline keyboard button: only one action is allowed")
    if actions[0] == "callback_data":
        _check_data(button["callback_data"])
    if actions[0] == "url":
        _check_url(button["url"])
    if button.get("style") not in {None, *_STYLES}:
        raise BadRequest("can't parse inline keyboard button: unknown button style specified")
    return {name: value for name, value in button.items() if value is not None}


def _check_data(data: Any) -> None:
    if not isinstance(data, str) or not 1 <= len(data.encode()) <= CALLBACK_DATA_BYTES:
        raise BadRequest("BUTTON_DATA_INVALID")


def _check_url(url: Any) -> None:
    if not isinstance(url, str) or not _is_button_url(url):
        raise BadRequest(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def _is_button_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if parts.scheme in {"tg", "ton"}:
        return True
    host = parts.hostname if parts.scheme in {"http", "https"} else parts.path.split("/")[0]
    return "." in (host or "") and parts.scheme in {"", "http", "https"}


def _reply_button(button: Any) -> dict[str, Any]:
    if isinstance(button, str):
        button = {"text": button}
    if not isinstance(button, dict) or not isinstance(button.get("text"), str) or not button["text"].strip():
        raise BadRequest("can't parse keyboard button: Text must be non-empty")
    return {name: value for name, value in button.items() if value is not None}
