"""Methods that change a message in place; repeating one is answered with "message is not modified"."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sandbox.telegram.bots import Bot, unix_now
from sandbox.telegram.calls import Call
from sandbox.telegram.chats import Chat, Message
from sandbox.telegram.content import read_caption, read_text
from sandbox.telegram.errors import NOT_MODIFIED, BadRequest
from sandbox.telegram.markup import INLINE, read_inline_markup
from sandbox.telegram.media import kind_of, take_media
from sandbox.telegram.methods_media import input_media
from sandbox.telegram.world import Method, World

_EDIT_KINDS = frozenset({"photo", "video", "animation", "audio", "document"})
_ALBUM_SWAPS = frozenset({"photo", "video"})
_CAPTION_FIELDS = ("caption", "caption_entities", "show_caption_above_media")


async def edit_message_text(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#editmessagetext"""
    body = read_text(call)
    markup = read_inline_markup(call.json("reply_markup"))
    chat, message = _editable(world, bot, call)
    if "text" not in message.body:
        raise BadRequest("there is no text in the message to edit")
    return _apply(world, chat, message, body, markup)


async def edit_message_caption(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#editmessagecaption"""
    caption = read_caption(call)
    markup = read_inline_markup(call.json("reply_markup"))
    chat, message = _editable(world, bot, call)
    if kind_of(message.body) is None:
        raise BadRequest("there is no caption in the message to edit")
    kept = {name: value for name, value in message.body.items() if name not in _CAPTION_FIELDS}
    return _apply(world, chat, message, {**kept, **caption}, markup)


async def edit_message_media(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#editmessagemedia: a text message becomes a media message too."""
    kind, item = input_media(call, call.json("media"), _EDIT_KINDS)
    caption = read_caption(item)
    markup = read_inline_markup(call.json("reply_markup"))
    _, message = _editable(world, bot, call)
    _check_swap(message, kind)
    body = await take_media(world, bot.id, kind, item, "media")
    # The message may have been deleted while the file was fetched or looked at.
    chat, message = _editable(world, bot, call)
    return _apply(world, chat, message, {**body, **caption}, markup)


async def edit_message_reply_markup(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#editmessagereplymarkup"""
    markup = read_inline_markup(call.json("reply_markup"))
    chat, message = _editable(world, bot, call)
    return _apply(world, chat, message, message.body, markup)


def _editable(world: World, bot: Bot, call: Call) -> tuple[Chat, Message]:
    chat = world.open_chat(bot, call)
    if not call.integer("message_id"):
        raise BadRequest("message identifier is not specified")
    message = chat.message(call.integer("message_id"), "message to edit not found")
    has_other_keyboard = message.markup is not None and INLINE not in message.markup
    if not message.from_bot or has_other_keyboard or "successful_payment" in message.body:
        raise BadRequest("message can't be edited")
    return chat, message


def _check_swap(message: Message, kind: str) -> None:
    present = kind_of(message.body)
    if present in {"voice", "video_note", "sticker"} or "invoice" in message.body:
        raise BadRequest("message media can't be edited")
    if message.album is not None and present != kind and not {present, kind} <= _ALBUM_SWAPS:
        raise BadRequest("can't change media type in the album")


def _apply(
    world: World, chat: Chat, message: Message, body: Mapping[str, Any], markup: Mapping[str, Any] | None
) -> dict[str, Any]:
    if message.says(body, markup):
        raise BadRequest(NOT_MODIFIED)
    changed = chat.change(replace(message, body=body, markup=markup, edit_date=unix_now()))
    world.stats.edits += 1
    world.changed()
    return world.as_message(chat, changed)


METHODS: dict[str, Method] = {
    "editMessageText": edit_message_text,
    "editMessageCaption": edit_message_caption,
    "editMessageMedia": edit_message_media,
    "editMessageReplyMarkup": edit_message_reply_markup,
}
