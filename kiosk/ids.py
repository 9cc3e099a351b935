"""Secrets that we make ourselves."""

import hashlib
import hmac
import secrets


def new_callback_token() -> str:
    """192 random bits that only the provider learns, inside the callback address of one generation."""
    return secrets.token_urlsafe(24)


def webhook_secret(bot_token: str) -> str:
    """What Telegram repeats in every webhook request: the same on all replicas, and new when the token changes."""
    return hmac.new(bot_token.encode(), b"telegram webhook", hashlib.sha256).hexdigest()


def webhook_mark(secret: str, url: str) -> str:
    """What tells one webhook from another, secret and all, and from which nobody finds the secret."""
    return hmac.new(secret.encode(), f"webhook {url}".encode(), hashlib.sha256).hexdigest()[:32]


def key_name(provider_key: str) -> str:
    """A name for a key by which replicas find the same rows, and from which nobody finds the key."""
    return hmac.new(provider_key.encode(), b"provider gate", hashlib.sha256).hexdigest()[:16]


def same_secret(ours: str, theirs: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(ours.encode(), theirs.encode())
