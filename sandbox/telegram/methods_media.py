"""Methods that send files: one, an album, or an address for downloading one."""

from typing import Any

from sandbox.telegram.bots import Bot
from sandbox.telegram.calls import Call
from sandbox.telegram.content import read_caption, read_reply
from sandbox.telegram.errors import BadRequest
from sandbox.telegram.ids import new_album_id
from sandbox.telegram.limits import ALBUM_ITEMS
from sandbox.telegram.markup import read_markup
from sandbox.telegram.media import take_media
from sandbox.telegram.world import Method, World

_ALBUM_KINDS = frozenset({"photo", "video", "audio", "document"})
# Documents and audio files go only with their like: https://core.telegram.org/bots/api#sendmediagroup
_UNMIXED_KINDS = ("document", "audio")
# What the server words as the failure of one item; everything else refuses the album as a whole.
_ITEM_FAILURES = frozenset(
    {
        "IMAGE_PROCESS_FAILED",
        "PHOTO_INVALID_DIMENSIONS",
        "failed to get HTTP URL content",
        "wrong type of the web page content",
    }
)


def _sender(kind: str) -> Method:
    async def send(world: World, bot: Bot, call: Call) -> Any:
        caption = read_caption(call)
        markup = read_markup(call.json("reply_markup"))
        chat = world.open_chat(bot, call)
        body = await take_media(world, bot.id, kind, call, kind)
        # The chat may have changed while the file was fetched or looked at.
        chat = world.open_chat(bot, call)
        message = world.send(chat, {**body, **caption}, markup=markup, reply_to=read_reply(call, chat))
        return world.as_message(chat, message)

    return send


async def send_media_group(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#sendmediagroup: all messages or none."""
    items = [input_media(call, item, _ALBUM_KINDS, in_album=True) for item in call.items("media")]
    _check_album([kind for kind, _ in items])
    captions = [read_caption(item) for _, item in items]
    world.open_chat(bot, call)
    bodies = [await _take_item(world, bot, kind, item, number) for number, (kind, item) in enumerate(items, start=1)]
    chat = world.open_chat(bot, call)
    reply_to, album = read_reply(call, chat), new_album_id()
    messages = [
        world.send(chat, {**body, **caption}, reply_to=reply_to, album=album)
        for body, caption in zip(bodies, captions, strict=True)
    ]
    return [world.as_message(chat, message) for message in messages]


def input_media(call: Call, item: Any, kinds: frozenset[str], *, in_album: bool = False) -> tuple[str, Call]:
    """An InputMedia object as its kind and a call of its own, sharing the uploads; raises BadRequest."""
    if not isinstance(item, dict):
        raise BadRequest("can't parse InputMedia: expected an Object")
    kind = str(item.get("type", ""))
    if kind not in kinds:
        where = " can't be used in sendMediaGroup" if in_album and kind == "animation" else " is unsupported"
        raise BadRequest(f'can\'t parse InputMedia: type "{kind}"{where}')
    if not item.get("media"):
        raise BadRequest("can't parse InputMedia: media not found")
    return kind, Call(call.method, item, call.uploads)


def _check_album(kinds: list[str]) -> None:
    if not kinds:
        raise BadRequest("there are no messages to send")
    if len(kinds) not in ALBUM_ITEMS:
        # The servers let an album of one pass; the documentation does not, and clients are held to it here.
        count = "too many" if len(kinds) >= ALBUM_ITEMS.stop else "too few"
        raise BadRequest(f"{count} messages to send as an album")
    for kind in _UNMIXED_KINDS:
        if kind in kinds and set(kinds) != {kind}:
            raise BadRequest(f"{kind} can't be mixed with other media types")


async def _take_item(world: World, bot: Bot, kind: str, item: Call, number: int) -> dict[str, Any]:
    try:
        return await take_media(world, bot.id, kind, item, "media")
    except BadRequest as error:
        reason = error.description.removeprefix("Bad Request: ")
        if reason not in _ITEM_FAILURES:
            raise
        raise BadRequest(f'failed to send message #{number} with the error message "{reason}"') from None


async def get_file(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#getfile"""
    stored = world.files.downloadable(bot.id, call.text("file_id"))
    return {
        "file_id": stored.file_id,
        "file_unique_id": stored.unique_id,
        "file_size": stored.size_bytes,
        "file_path": stored.path,
    }


METHODS: dict[str, Method] = {
    "sendPhoto": _sender("photo"),
    "sendVideo": _sender("video"),
    "sendAnimation": _sender("animation"),
    "sendAudio": _sender("audio"),
    "sendVoice": _sender("voice"),
    "sendDocument": _sender("document"),
    "sendMediaGroup": send_media_group,
    "getFile": get_file,
}
