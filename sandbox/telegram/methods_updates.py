"""Methods by which a bot says how it wants its updates: pushed to a webhook, or fetched."""

import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sandbox.telegram.bots import Bot
from sandbox.telegram.calls import Call
from sandbox.telegram.errors import ApiError, BadRequest
from sandbox.telegram.limits import LONG_POLL_S, UPDATES_PER_CALL
from sandbox.telegram.pushing import start_pushing, stop_pushing
from sandbox.telegram.updates import read_allowed
from sandbox.telegram.webhook import Webhook
from sandbox.telegram.world import Method, World

WEBHOOK_ACTIVE = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
WEBHOOK_CAME = "Conflict: terminated by setWebhook request"
_SECRET = re.compile(r"[A-Za-z0-9_-]*")
_MAX_SECRET_CHARS = 256
_MAX_CONNECTIONS = 100
_DEFAULT_CONNECTIONS = 40


async def set_webhook(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#setwebhook; http is accepted for loopback addresses only."""
    if not call.text("url"):
        return await delete_webhook(world, bot, call)
    webhook = Webhook(
        url=_checked_url(call.text("url")),
        secret=_checked_secret(call.text("secret_token")),
        max_connections=min(max(call.integer("max_connections", _DEFAULT_CONNECTIONS), 1), _MAX_CONNECTIONS),
    )
    _note_allowed(bot, call)
    if call.flag("drop_pending_updates"):
        bot.queue.clear()
    if not _is_same(bot.webhook, webhook):
        await stop_pushing(bot)
        bot.webhook = webhook
        bot.queue.end_poll(WEBHOOK_CAME)
        start_pushing(world, bot)
    world.changed()
    return True


async def delete_webhook(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#deletewebhook: what is pending stays, for getUpdates."""
    if call.flag("drop_pending_updates"):
        bot.queue.clear()
    await stop_pushing(bot)
    bot.webhook = None
    world.changed()
    return True


async def get_webhook_info(_world: World, bot: Bot, _call: Call) -> Any:
    """https://core.telegram.org/bots/api#getwebhookinfo"""
    info: dict[str, Any] = {"url": "", "has_custom_certificate": False, "pending_update_count": len(bot.queue)}
    if bot.queue.allowed is not None:
        info["allowed_updates"] = list(bot.queue.allowed)
    if bot.webhook is not None:
        info["url"] = bot.webhook.url
        info["max_connections"] = bot.webhook.max_connections
        if bot.webhook.last_error_at is not None:
            info["last_error_date"] = bot.webhook.last_error_at
            info["last_error_message"] = bot.webhook.last_error
    return info


async def get_updates(world: World, bot: Bot, call: Call) -> Any:
    """https://core.telegram.org/bots/api#getupdates"""
    if bot.webhook is not None:
        raise ApiError(409, WEBHOOK_ACTIVE)
    _note_allowed(bot, call)
    updates = await bot.queue.poll(
        call.integer("offset"),
        min(max(call.integer("limit", UPDATES_PER_CALL), 1), UPDATES_PER_CALL),
        min(max(call.integer("timeout"), 0), LONG_POLL_S),
    )
    world.changed()
    return [update.as_json() for update in updates]


def _note_allowed(bot: Bot, call: Call) -> None:
    """Without the parameter the earlier choice stays."""
    if "allowed_updates" in call.params:
        bot.queue.allowed = read_allowed(call.items("allowed_updates"))


def _is_same(present: Webhook | None, wanted: Webhook) -> bool:
    return present is not None and (present.url, present.secret, present.max_connections) == (
        wanted.url,
        wanted.secret,
        wanted.max_connections,
    )


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        raise BadRequest("invalid webhook URL specified") from None
    if not host or parts.scheme not in {"http", "https"}:
        raise BadRequest("invalid webhook URL specified")
    if parts.scheme == "http" and not _is_loopback(parts):
        raise BadRequest("bad webhook: An HTTPS URL must be provided for webhook")
    return url


def _is_loopback(parts: SplitResult) -> bool:
    try:
        return parts.hostname == "localhost" or ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _checked_secret(secret: str) -> str:
    if len(secret) > _MAX_SECRET_CHARS:
        raise BadRequest("secret token is too long")
    if not _SECRET.fullmatch(secret):
        raise BadRequest("secret token contains unallowed characters")
    return secret


METHODS: dict[str, Method] = {
    "setWebhook": set_webhook,
    "deleteWebhook": delete_webhook,
    "getWebhookInfo": get_webhook_info,
    "getUpdates": get_updates,
}
