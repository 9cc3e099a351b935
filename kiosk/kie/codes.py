"""What the provider's codes and texts mean: refused for good, or only not now."""

import re
from enum import StrEnum


class RefusalReason(StrEnum):
    """Definite and permanent: asking the same again gets the same answer."""

    BAD_INPUT = "bad_input"
    MODERATION = "moderation"
    MODEL_UNSUPPORTED = "model_unsupported"
    UNAUTHORIZED = "unauthorized"
    NO_CREDITS = "no_credits"
    KEY_CAP = "key_cap"
    FEATURE_DISABLED = "feature_disabled"
    NOT_FOUND = "not_found"
    OTHER = "other"


class DelayReason(StrEnum):
    """Definite and temporary: nothing was accepted, later it may be."""

    RATE_LIMITED = "rate_limited"
    MAINTENANCE = "maintenance"
    PROVIDER_ERROR = "provider_error"
    BLOCKED = "blocked"  # stopped by what stands before the provider's application
    UNREACHABLE = "unreachable"  # the request never left


Reason = RefusalReason | DelayReason

_BY_CODE: dict[int, Reason] = {
    400: RefusalReason.BAD_INPUT,
    401: RefusalReason.UNAUTHORIZED,
    402: RefusalReason.NO_CREDITS,
    403: RefusalReason.UNAUTHORIZED,
    404: RefusalReason.NOT_FOUND,
    408: DelayReason.PROVIDER_ERROR,
    409: RefusalReason.BAD_INPUT,
    413: RefusalReason.BAD_INPUT,
    422: RefusalReason.BAD_INPUT,
    429: DelayReason.RATE_LIMITED,
    430: DelayReason.RATE_LIMITED,
    433: RefusalReason.KEY_CAP,
    451: RefusalReason.BAD_INPUT,
    455: DelayReason.MAINTENANCE,
    505: RefusalReason.FEATURE_DISABLED,
}
_INPUT_CODES = frozenset({400, 413, 422, 451})
_SERVER_CODES = range(500, 600)

# "No credits" comes as 402 and as 500, the pause of a model under a code nobody wrote down: these are told by text.
_ANY_CODE_TEXTS: tuple[tuple[re.Pattern[str], RefusalReason], ...] = (
    (re.compile(r"temporarily paused", re.IGNORECASE), RefusalReason.FEATURE_DISABLED),
    (re.compile(r"\bapi ?key\b.{0,80}\bexceeded the \w+ limit", re.IGNORECASE), RefusalReason.KEY_CAP),
    (
        re.compile(r"credits? (?:is |are )?insufficient|insufficient credits?|balance isn.t enough", re.IGNORECASE),
        RefusalReason.NO_CREDITS,
    ),
    (re.compile(r"model name .{0,80}not supported", re.IGNORECASE), RefusalReason.MODEL_UNSUPPORTED),
)
# Narrow on purpose: words such as "invalid" also stand in texts of failures inside the provider.
_BAD_INPUT_TEXT = re.compile(
    r"\brequired\b|cannot be empty|insufficient|not within the range of allowed options", re.IGNORECASE
)
_MODERATION_TEXT = re.compile(
    r"content polic|\bflagged\b|PUBLIC_ERROR_\w*FILTER|sensitive|\bnsfw\b|\bprohibited\b|moderation[ _]blocked",
    re.IGNORECASE,
)


def classify(code: int, text: str) -> Reason:
    """Class of an envelope whose code is not 200, by the text first and then by the code."""
    if code not in {401, 403, 429}:
        for pattern, reason in _ANY_CODE_TEXTS:
            if pattern.search(text):
                return reason
    if code in _INPUT_CODES and is_moderation(text):
        return RefusalReason.MODERATION
    known = _BY_CODE.get(code)
    if known is not None:
        return known
    if code not in _SERVER_CODES:
        return RefusalReason.OTHER
    return RefusalReason.BAD_INPUT if is_bad_input(text) else DelayReason.PROVIDER_ERROR


def is_moderation(text: str) -> bool:
    """Whether the text says that the content was refused."""
    return _MODERATION_TEXT.search(text) is not None


def is_bad_input(text: str) -> bool:
    """Whether the text names an input that is missing or out of range; such texts come with code 500 too."""
    return _BAD_INPUT_TEXT.search(text) is not None
