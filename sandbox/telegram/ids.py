"""Identifiers that Telegram makes up: long numbers written as text, never twice."""

import secrets


def new_query_id() -> str:
    """Of a callback query or a pre-checkout query."""
    return str(secrets.randbelow(9 * 10**18) + 10**18)


def new_album_id() -> str:
    """A media_group_id."""
    return str(secrets.randbelow(9 * 10**16) + 10**16)


def new_charge_id() -> str:
    """A telegram_payment_charge_id."""
    return f"stx{secrets.token_urlsafe(48)}"
