"""The envelope that every answer of the provider comes in: a code, a message and data."""

from dataclasses import dataclass

from kiosk.kie.document import JSON, NotJson, code_of, parse_json, words_of

OK = 200
MAX_TASK_ID_CHARS = 200


@dataclass(frozen=True, slots=True)
class Envelope:
    """`code` decides, not the HTTP status, which is 200 for errors too; None when the answer carries no code."""

    code: int | None
    message: str
    data: JSON


def read_envelope(body: bytes) -> Envelope | None:
    """Read `{code, msg | message, data}`; None when the body is not a JSON object or has neither code nor data."""
    try:
        root = parse_json(body)
    except NotJson:
        return None
    if not isinstance(root, dict):
        return None
    code, data = code_of(root.get("code")), root.get("data")
    if code is None and data is None:
        return None
    message = words_of(root.get("msg")) or words_of(root.get("message"))
    return Envelope(code=code, message=message, data=data)


def task_id_in(place: JSON) -> str | None:
    """The task id that an object carries under either of its two names; 32 hex in all real traffic, opaque to us."""
    if not isinstance(place, dict):
        return None
    for key in ("taskId", "task_id"):
        value = place.get(key)
        if isinstance(value, str) and 0 < len(value.strip()) <= MAX_TASK_ID_CHARS:
            return value.strip()
    return None
