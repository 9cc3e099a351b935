"""Methods that write, copy and delete messages, answer buttons and tell about a chat."""

import asyncio
from typing import Any

from sandbox.telegram.bots import Bot
from sandbox.telegram.calls import Call
from sandbox.telegram.content import read_caption, read_reply, read_text
from sandbox.telegram.errors import QUERY_EXPIRED, BadRequest
from sandbox.telegram.limits import CALLBACK_ANSWER_CHARS
from sandbox.telegram.markup import read_markup
from sandbox.telegram.media import kind_of
from sandbox.telegram.world import Method, World

_ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
_MAX_DELETED_AT_ONCE = 100
_SERVICE = frozenset({"invoice", "successful_payment", "refunded_payment"})


async def send_message(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#sendmessage"""
    body = read_text(call)
    markup = read_markup(call.json("reply_markup"))
    chat = world.open_chat(bot, call)
    message = world.send(chat, body, markup=markup, reply_to=read_reply(call, chat))
    return world.as_message(chat, message)


async def copy_message(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#copymessage"""
    caption = read_caption(call) if "caption" in call.params else None
    markup = read_markup(call.json("reply_markup"))
    chat = world.open_chat(bot, call)
    source = world.known_chat(bot, call, "from_chat_id").message(
        call.integer("message_id"), "message to copy not found"
    )
    if _SERVICE & set(source.body):
        raise BadRequest("the message can't be copied")
    body = dict(source.body)
    if caption is not None and kind_of(body) is not None:
        body = {name: value for name, value in body.items() if not name.startswith("caption")} | caption
    message = world.send(chat, body, markup=markup, reply_to=read_reply(call, chat))
    return {"message_id": message.message_id}


async def delete_message(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#deletemessage"""
    chat = world.known_chat(bot, call)
    if "message_id" not in call.params:
        raise BadRequest("message identifier is not specified")
    if not chat.remove(call.integer("message_id")):
        raise BadRequest("message to delete not found")
    world.changed()
    return True


async def delete_messages(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#deletemessages: those that are gone already are skipped."""
    chat = world.known_chat(bot, call)
    message_ids = call.items("message_ids")
    if not message_ids:
        raise BadRequest("message identifiers are not specified")
    if len(message_ids) > _MAX_DELETED_AT_ONCE:
        raise BadRequest("too many message identifiers specified")
    for message_id in message_ids:
        chat.remove(message_id if isinstance(message_id, int) else 0)
    world.changed()
    return True


async def send_chat_action(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#sendchataction"""
    action = call.text("action")
    if action not in _ACTIONS:
        raise BadRequest("wrong parameter action in request")
    world.open_chat(bot, call).events.publish("action", action)
    return True


async def answer_callback_query(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#answercallbackquery"""
    if len(call.text("text")) > CALLBACK_ANSWER_CHARS:
        raise BadRequest("MESSAGE_TOO_LONG")
    query_id = call.text("callback_query_id")
    click = bot.clicks.pop(query_id, None)
    if click is None or asyncio.get_running_loop().time() > click.expires_at_s:
        raise BadRequest(QUERY_EXPIRED)
    answer = {
        "callback_query_id": query_id,
        "message_id": click.message_id,
        "data": click.data,
        "text": call.text("text"),
        "show_alert": call.flag("show_alert"),
        "url": call.text("url"),
    }
    world.chat(bot.id, click.user_id).events.publish("callback", answer)
    return True


async def get_chat(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#getchat"""
    return {
        **world.known_chat(bot, call).user.as_chat(),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": {
            "unlimited_gifts": True,
            "limited_gifts": True,
            "unique_gifts": True,
            "premium_subscription": True,
            "gifts_from_channels": True,
        },
    }


METHODS: dict[str, Method] = {
    "sendMessage": send_message,
    "copyMessage": copy_message,
    "deleteMessage": delete_message,
    "deleteMessages": delete_messages,
    "sendChatAction": send_chat_action,
    "answerCallbackQuery": answer_callback_query,
    "getChat": get_chat,
}
