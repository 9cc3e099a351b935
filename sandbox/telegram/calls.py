"""One call of the Bot API: its parameters from the query, a form, JSON or multipart, read as the server does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, MultipartReader, web

from sandbox.telegram.errors import BadRequest, TooLarge
from sandbox.telegram.limits import UPLOAD_BYTES

_CHUNK_BYTES = 1024 * 1024  # more than a connection ever buffers, so that nothing that was read has to be put back
_FIELD_BYTES = 1024 * 1024
_MAX_PARTS = 100


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came inside the request."""

    name: str
    mime_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """`method` in lower case, as the server compares it; values are texts, or JSON values of a JSON body."""

    method: str
    params: Mapping[str, Any] = field(default_factory=dict)
    uploads: Mapping[str, Upload] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Empty when it is missing."""
        value = self.params.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def integer(self, name: str, default: int = 0) -> int:
        """The default when it is missing or no number: the server reads numbers leniently."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """The server takes "true", "yes" and "1" for true, everything else for false."""
        return self.text(name).strip('"').lower() in {"true", "yes", "1"}

    def json(self, name: str) -> Any:
        """A JSON-serialised parameter, None when it is missing; raises BadRequest when it does not parse."""
        value = self.params.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise BadRequest(f"can't parse {name.replace('_', ' ')} JSON object") from None

    def items(self, name: str) -> list[Any]:
        """A JSON-serialised array, empty when it is missing."""
        value = self.json(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise BadRequest(f"parameter {name} must be an Array")
        return value

    def object(self, name: str) -> dict[str, Any]:
        """A JSON-serialised object, empty when it is missing."""
        value = self.json(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise BadRequest(f"parameter {name} must be an Object")
        return value


async def read_call(request: web.Request, method: str) -> Call:
    """Raises TooLarge for an upload beyond the limit and BadRequest for a body that does not parse."""
    params: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json" and request.can_read_body:
        params.update(await _json_body(request))
    elif request.content_type == "application/x-www-form-urlencoded":
        params.update({name: value for name, value in (await request.post()).items() if isinstance(value, str)})
    elif request.content_type == "multipart/form-data":
        await _read_parts(request, params, uploads, UPLOAD_BYTES)
    return Call(method.lower(), params, uploads)


async def read_form(request: web.Request, limit_bytes: int) -> tuple[dict[str, Any], dict[str, Upload]]:
    """A multipart body as fields and files; raises TooLarge for a file beyond `limit_bytes`."""
    params: dict[str, Any] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type != "multipart/form-data":
        raise BadRequest("multipart/form-data expected")
    await _read_parts(request, params, uploads, limit_bytes)
    return params, uploads


async def _json_body(request: web.Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.read())
    except ValueError:
        raise BadRequest("can't parse request body: not a JSON object") from None
    if not isinstance(body, dict):
        raise BadRequest("object expected as the request body")
    return body


async def _read_parts(
    request: web.Request, params: dict[str, Any], uploads: dict[str, Upload], limit_bytes: int
) -> None:
    if (request.content_length or 0) > limit_bytes + _FIELD_BYTES:
        raise TooLarge
    try:
        reader = await request.multipart()
        for _ in range(_MAX_PARTS):
            part = await reader.next()
            if part is None:
                return
            await _read_part(part, params, uploads, limit_bytes)
    except ValueError:
        raise BadRequest("can't parse multipart/form-data") from None


async def _read_part(
    part: MultipartReader | BodyPartReader, params: dict[str, Any], uploads: dict[str, Upload], limit_bytes: int
) -> None:
    if not isinstance(part, BodyPartReader) or not part.name:
        raise BadRequest("can't parse multipart/form-data")
    is_file = part.filename is not None
    data = await _read_all(part, limit_bytes if is_file else _FIELD_BYTES)
    if not is_file:
        params[part.name] = data.decode(errors="replace")
        return
    name = part.name if part.name not in uploads else f"{part.name}#{len(uploads)}"
    uploads[name] = Upload(
        part.filename or "file", part.headers.get("Content-Type", "application/octet-stream").split(";")[0], data
    )


async def _read_all(part: BodyPartReader, limit_bytes: int) -> bytes:
    data = bytearray()
    while chunk := await part.read_chunk(_CHUNK_BYTES):
        data += chunk
        if len(data) > limit_bytes:
            raise TooLarge
    return bytes(data)
