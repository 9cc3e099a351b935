"""What a message says: text or caption with its formatting, a keyboard, the message it answers."""

from typing import Any

from sandbox.telegram.calls import Call
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import BadRequest
from sandbox.telegram.html import parse_html
from sandbox.telegram.limits import CAPTION_CHARS, TEXT_CHARS
from sandbox.telegram.markdown import parse_markdown
from sandbox.telegram.text import Styled, from_entities


def read_text(call: Call) -> dict[str, Any]:
    """The content fields of a text message; raises BadRequest when it is empty, too long or does not parse."""
    styled = _styled(call, "text", "entities")
    if not styled.text:
        raise BadRequest("message text is empty")
    if len(styled.text) > TEXT_CHARS:
        raise BadRequest("message is too long")
    return text_body(styled)


def read_caption(call: Call) -> dict[str, Any]:
    """The caption fields of a media message, none when there is no caption."""
    styled = _styled(call, "caption", "caption_entities")
    if len(styled.text) > CAPTION_CHARS:
        raise BadRequest("message caption is too long")
    body = caption_body(styled)
    if call.flag("show_caption_above_media"):
        body["show_caption_above_media"] = True
    if call.flag("has_spoiler"):
        body["has_media_spoiler"] = True
    return body


def text_body(styled: Styled) -> dict[str, Any]:
    """A text with its entities in the fields of the Bot API."""
    entities = styled.entities()
    return {"text": styled.text, **({"entities": entities} if entities else {})}


def caption_body(styled: Styled) -> dict[str, Any]:
    """A caption with its entities in the fields of the Bot API; empty for an empty text."""
    if not styled.text:
        return {}
    entities = styled.entities()
    return {"caption": styled.text, **({"caption_entities": entities} if entities else {})}


def plain(text: str) -> Styled:
    """What a customer types: no marks, only what Telegram finds by itself."""
    return Styled(text).trimmed().with_detected()


def read_reply(call: Call, chat: Chat) -> int | None:
    """The message that is answered; raises BadRequest when it is gone and the bot did not allow for that."""
    parameters = call.object("reply_parameters")
    message_id = parameters.get("message_id") or call.integer("reply_to_message_id")
    if not message_id:
        return None
    if int(message_id) in chat.messages:
        return int(message_id)
    if parameters.get("allow_sending_without_reply") or call.flag("allow_sending_without_reply"):
        return None
    raise BadRequest("message to be replied not found")


def _styled(call: Call, name: str, entities_name: str) -> Styled:
    text = call.text(name)
    mode = call.text("parse_mode").lower()
    if mode == "html":
        styled = parse_html(text)
    elif mode == "markdownv2":
        styled = parse_markdown(text)
    elif mode in {"", "none"}:
        styled = from_entities(text, call.items(entities_name))
    else:
        raise BadRequest("unsupported parse_mode")
    return styled.trimmed().with_detected()
