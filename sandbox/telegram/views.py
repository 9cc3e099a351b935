"""A chat as the customer sees it: messages with safe HTML, addresses of media, keyboards, and what just happened."""

from typing import Any

from sandbox.telegram.bots import Bot
from sandbox.telegram.chats import Chat, Message
from sandbox.telegram.events import Event
from sandbox.telegram.media import kind_of
from sandbox.telegram.render import to_html

FILES_PATH = "/customer/files/"
_QUOTE_CHARS = 80


def chat_view(bot: Bot, chat: Chat, limit: int) -> dict[str, Any]:
    """The whole chat, or its last `limit` messages; `seq` is the event up to which it is true."""
    return {
        "seq": chat.events.seq,
        **state_view(bot, chat),
        "messages": [message_view(chat, message) for message in list(chat.messages.values())[-limit:]],
    }


def state_view(bot: Bot, chat: Chat) -> dict[str, Any]:
    """All of a chat but its messages."""
    return {
        "bot": bot_view(bot, chat.user.language_code),
        "user": {
            "id": chat.user.id,
            "first_name": chat.user.first_name,
            "username": chat.user.username,
            "language_code": chat.user.language_code,
        },
        "blocked": chat.blocked,
        "reply_keyboard": chat.reply_keyboard,
    }


def bot_view(bot: Bot, language_code: str = "ru") -> dict[str, Any]:
    """What a client shows of a bot."""
    profile = bot.profile
    return {
        "id": bot.id,
        "name": profile.name,
        "username": profile.username,
        "description": profile.description,
        "short_description": profile.short_description,
        "commands": profile.commands_for(language_code),
    }


def event_view(bot: Bot, chat: Chat, event: Event) -> dict[str, Any]:
    """One event as JSON: always `seq` and `type`, the rest by type."""
    view: dict[str, Any] = {"seq": event.seq, "type": event.kind}
    if isinstance(event.content, Message):
        return {**view, "message": message_view(chat, event.content), "reply_keyboard": chat.reply_keyboard}
    match event.kind:
        case "delete":
            return {**view, "message_id": event.content}
        case "callback":
            return {**view, **event.content}
        case "action":
            return {**view, "action": event.content}
        case _:
            return {**view, **state_view(bot, chat)}


def message_view(chat: Chat, message: Message) -> dict[str, Any]:
    """One message; `html` is the text or the caption, safe to be put into a page."""
    body = message.body
    text = body.get("text", body.get("caption", ""))
    entities = body.get("entities", body.get("caption_entities", []))
    return {
        "message_id": message.message_id,
        "from": "bot" if message.from_bot else "customer",
        "date": message.date,
        "edited": message.edit_date is not None,
        "text": text,
        "html": to_html(text, entities),
        "entities": entities,
        "caption_above": bool(body.get("show_caption_above_media")),
        "media": _media_view(message),
        "album": message.album,
        "inline_keyboard": message.inline_keyboard,
        "reply_to": _quote(chat, message),
        "invoice": {**body["invoice"], "paid": message.paid} if "invoice" in body else None,
        "payment": body.get("successful_payment"),
        "refund": body.get("refunded_payment"),
    }


def _media_view(message: Message) -> dict[str, Any] | None:
    kind = kind_of(message.body)
    if kind is None:
        return None
    media = message.body[kind][-1] if kind == "photo" else message.body[kind]
    return {
        "kind": kind,
        "url": FILES_PATH + media["file_unique_id"],
        "file_unique_id": media["file_unique_id"],
        "cover": FILES_PATH + media["thumbnail"]["file_unique_id"] if "thumbnail" in media else None,
        "spoiler": bool(message.body.get("has_media_spoiler")),
        **{
            name: media[name]
            for name in ("width", "height", "duration", "file_name", "mime_type", "file_size", "title", "performer")
            if name in media
        },
    }


def _quote(chat: Chat, message: Message) -> dict[str, Any] | None:
    replied = chat.messages.get(message.reply_to or 0)
    if replied is None:
        return None
    text = str(replied.body.get("text", replied.body.get("caption", "")))
    return {
        "message_id": replied.message_id,
        "from": "bot" if replied.from_bot else "customer",
        "text": text[:_QUOTE_CHARS],
        "kind": kind_of(replied.body),
    }
