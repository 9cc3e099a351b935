"""What a customer does: writes, presses, attaches, deletes, blocks, pays."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.telegram.bots import Bot, Checkout, Click, StarPayment, unix_now
from sandbox.telegram.calls import Upload
from sandbox.telegram.chats import Chat, Message
from sandbox.telegram.content import caption_body, plain, text_body
from sandbox.telegram.ids import new_album_id, new_charge_id, new_query_id
from sandbox.telegram.limits import CAPTION_CHARS, TEXT_CHARS
from sandbox.telegram.media import body_of, store
from sandbox.telegram.methods_payments import STARS, payment_fields
from sandbox.telegram.world import World

MAX_ALBUM = 10


class NotPossible(Exception):  # noqa: N818 - the name states the fact
    """A customer's client would not let this be done; nothing was."""


def say(world: World, chat: Chat, text: str) -> Message:
    """Raises NotPossible for an empty text, one that is too long, and in a blocked chat."""
    styled = plain(text)
    if not styled.text:
        raise NotPossible("the text is empty")
    if len(styled.text) > TEXT_CHARS:
        raise NotPossible("the text is too long")
    _check_open(chat)
    _hide_one_time_keyboard(chat)
    return world.say(chat, text_body(styled))


async def attach(
    world: World, chat: Chat, files: Sequence[tuple[str, Upload]], *, caption: str, album: str | None
) -> list[Message]:
    """Sends files of the given kinds, several as an album; raises NotPossible and BadRequest for unusable ones."""
    if not 1 <= len(files) <= MAX_ALBUM:
        raise NotPossible(f"1 to {MAX_ALBUM} files can be sent at once")
    styled = plain(caption)
    if len(styled.text) > CAPTION_CHARS:
        raise NotPossible("the caption is too long")
    _check_open(chat)
    bodies = [body_of(world, await store(world, chat.bot_id, kind, upload)) for kind, upload in files]
    bodies[0] |= caption_body(styled)
    if album is None and len(bodies) > 1:
        album = new_album_id()
    return [world.say(chat, body, album=album) for body in bodies]


def press(world: World, chat: Chat, message: Message, data: str) -> str:
    """Presses a callback button and gives the query's id; old data is passed on, as a slow client would."""
    bot = world.bots[chat.bot_id]
    query_id = new_query_id()
    lifetime_s = world.options.callback_lifetime_s
    expires_at_s = asyncio.get_running_loop().time() + lifetime_s
    bot.remember_click(query_id, Click(chat.user.id, message.message_id, data, expires_at_s))
    world.deliver(
        chat,
        "callback_query",
        {
            "id": query_id,
            "from": chat.user.as_user(),
            "message": world.as_message(chat, message),
            "chat_instance": str(chat.bot_id * 1_000_003 + chat.user.id),
            "data": data,
        },
    )
    return query_id


def button_data(message: Message, text: str) -> str:
    """What the button with this text carries; raises NotPossible when there is no such callback button."""
    for row in message.inline_keyboard:
        for button in row:
            if button["text"] == text and "callback_data" in button:
                return str(button["callback_data"])
    raise NotPossible("there is no such button")


def delete(world: World, chat: Chat, message_id: int) -> None:
    """Deletes a message for both sides; the bot is not told, as in Telegram."""
    if not chat.remove(message_id):
        raise NotPossible("there is no such message")
    world.changed()


def set_blocked(world: World, chat: Chat, *, blocked: bool) -> None:
    """Blocks or unblocks the bot and lets it know."""
    if chat.blocked == blocked:
        return
    chat.blocked = blocked
    chat.events.publish("chat", None)
    old, new = ("member", "kicked") if blocked else ("kicked", "member")
    bot = world.bots[chat.bot_id].as_user()
    world.deliver(
        chat,
        "my_chat_member",
        {
            "chat": chat.user.as_chat(),
            "from": chat.user.as_user(),
            "date": unix_now(),
            "old_chat_member": _membership(bot, old),
            "new_chat_member": _membership(bot, new),
        },
    )


@dataclass(frozen=True, slots=True)
class Paid:
    """The Stars are with the bot, and the bot was told."""

    charge_id: str


@dataclass(frozen=True, slots=True)
class NotPaid:
    """`reason` is what the bot said; None: it did not answer in time."""

    reason: str | None


async def pay(world: World, chat: Chat, message: Message) -> Paid | NotPaid:
    """Asks the bot, and pays when it agrees; raises NotPossible for what is no open invoice."""
    bot = world.bots[chat.bot_id]
    _check_payable(message)
    refused = await _ask_bot(world, bot, chat, message)
    if refused is not None:
        return refused
    # Someone may have paid or deleted it while the bot thought.
    message = find(chat, message.message_id)
    _check_payable(message)
    payment = StarPayment(
        charge_id=new_charge_id(),
        user_id=chat.user.id,
        stars=message.body["invoice"]["total_amount"],
        payload=message.payload,
        paid_at=unix_now(),
    )
    bot.payments.append(payment)
    chat.change(replace(message, paid=True))
    world.say(chat, {"successful_payment": payment_fields(payment)})
    return Paid(payment.charge_id)


def find(chat: Chat, message_id: int) -> Message:
    """Raises NotPossible when there is no such message."""
    message = chat.messages.get(message_id)
    if message is None:
        raise NotPossible("there is no such message")
    return message


def _check_payable(message: Message) -> None:
    if "invoice" not in message.body:
        raise NotPossible("there is nothing to pay")
    if message.paid:
        raise NotPossible("this is paid already")


async def _ask_bot(world: World, bot: Bot, chat: Chat, message: Message) -> NotPaid | None:
    """None when the bot agrees."""
    query_id = new_query_id()
    verdict: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
    bot.checkouts[query_id] = Checkout(chat.user.id, message.message_id, verdict)
    query: dict[str, Any] = {
        "id": query_id,
        "from": chat.user.as_user(),
        "currency": STARS,
        "total_amount": message.body["invoice"]["total_amount"],
        "invoice_payload": message.payload,
    }
    try:
        world.deliver(chat, "pre_checkout_query", query)
        async with asyncio.timeout(world.options.pre_checkout_s):
            refusal = await verdict
    except TimeoutError:
        return NotPaid(None)
    finally:
        bot.checkouts.pop(query_id, None)
    return None if refusal is None else NotPaid(refusal)


def _check_open(chat: Chat) -> None:
    if chat.blocked:
        raise NotPossible("the bot is blocked")


def _hide_one_time_keyboard(chat: Chat) -> None:
    if chat.reply_keyboard and chat.reply_keyboard.get("one_time_keyboard"):
        chat.reply_keyboard = None
        chat.events.publish("chat", None)


def _membership(bot: dict[str, Any], status: str) -> dict[str, Any]:
    until = {"until_date": 0} if status == "kicked" else {}
    return {"user": bot, "status": status, **until}
