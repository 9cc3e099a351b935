"""JSON that came from outside: read within bounds, cleaned of what PostgreSQL and logs cannot hold, never trusted."""

import json
import math
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Never, TypeAlias
from urllib.parse import urlsplit

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

MAX_DEPTH = 40
MAX_TEXT_CHARS = 500
MAX_URL_CHARS = 8192
MAX_NUMBER = 10**15
MAX_NUMBER_CHARS = 40

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OLDEST_MS = 946_684_800_000  # 2000-01-01: anything earlier is not a time of this provider
_NEWEST_MS = 4_102_444_800_000  # 2100-01-01
# NUL is refused by PostgreSQL, lone surrogates by UTF-8; JSON escapes can carry both.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_ADDRESS = re.compile(r"\b(?:https?|wss?)://(?:[^/\s@]*@)?([^/\s\"'<>?#]+)[^\s\"'<>]*", re.IGNORECASE)


class NotJson(ValueError):  # noqa: N818 - it states a fact, as errors.py does; callers of this module turn it into one
    """The text is not JSON, or nests deeper than any answer of the provider."""


def parse_json(text: bytes | str) -> JSON:
    """Read JSON as RFC 8259 has it: no NaN, no infinities, at most MAX_DEPTH levels; raise NotJson for all else."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return _clean(json.loads(decoded, parse_constant=_refuse_constant), MAX_DEPTH)
    except (ValueError, RecursionError):
        # The cause holds the text itself; it may name a customer's prompt, so it is not chained.
        raise NotJson from None


def _refuse_constant(name: str) -> Never:
    raise NotJson(name)


def _clean(value: JSON, depth: int) -> JSON:
    if depth == 0:
        raise NotJson
    match value:
        case str():
            return _UNSTORABLE.sub("", value)
        case float() if not math.isfinite(value):
            raise NotJson
        case list():
            return [_clean(item, depth - 1) for item in value]
        case dict():
            return {_UNSTORABLE.sub("", key): _clean(item, depth - 1) for key, item in value.items()}
        case _:
            return value


def object_of(value: JSON) -> dict[str, JSON]:
    """The object that `value` is, or is the JSON text of; an empty one otherwise."""
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except NotJson:
            return {}
    return value if isinstance(value, dict) else {}


def text_of(value: JSON, limit_chars: int = MAX_TEXT_CHARS) -> str:
    """A text or a number as one bounded line; "" for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if not isinstance(value, str):
        number = number_of(value)
        return "" if number is None else str(number)
    return " ".join(_UNSTORABLE.sub("", value[: limit_chars * 4]).split())[:limit_chars]


def words_of(value: JSON) -> str:
    """What the provider says, fit for logs: addresses are cut to their host, for ours carry tokens in their path."""
    return _ADDRESS.sub(r"\1/...", text_of(value, MAX_TEXT_CHARS * 2))[:MAX_TEXT_CHARS]


def number_of(value: JSON) -> Decimal | None:
    """A finite number, also when written as text; None for anything else or beyond MAX_NUMBER."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    # Through the shortest text of a float: 0.8 stays 0.8, not 0.8000000000000000444.
    digits = str(value) if not isinstance(value, int) or abs(value) <= MAX_NUMBER else ""
    try:
        number = Decimal(digits) if len(digits) <= MAX_NUMBER_CHARS else None
    except InvalidOperation:
        return None
    if number is None:
        return None
    return number if number.is_finite() and abs(number) <= MAX_NUMBER else None


def code_of(value: JSON) -> int | None:
    """A whole number such as 200 or "422"; None for anything else."""
    number = number_of(value)
    return int(number) if number is not None and number == int(number) else None


def moment_of(value: JSON) -> datetime | None:
    """Unix milliseconds as an aware UTC time; None when absent or not of this century."""
    number = number_of(value)
    if number is None or not _OLDEST_MS <= number <= _NEWEST_MS:
        return None
    return _EPOCH + timedelta(milliseconds=int(number))


def url_of(value: JSON) -> str | None:
    """An absolute http(s) address without spaces; None for anything else."""
    if not isinstance(value, str) or len(value) > MAX_URL_CHARS:
        return None
    url = value.strip()
    if not url.isprintable() or " " in url:
        return None
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return url if named and parts.scheme in {"http", "https"} else None
