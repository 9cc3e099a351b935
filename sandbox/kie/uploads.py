"""The upload host of the provider's stand-in: files by stream, by base64 and by address."""

import asyncio
import base64
import binascii
import mimetypes
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp import web

from sandbox.faults import JSON
from sandbox.kie.door import body, door, key_of
from sandbox.kie.provider import Provider

ACCOUNT_ID = 100000
_FETCH_TIMEOUT_S = 30.0


class UploadRefused(Exception):  # noqa: N818 - the name states the fact
    """An upload the provider refuses; `code` and the message go into the body."""

    def __init__(self, code: int, msg: str) -> None:
        super().__init__(msg)
        self.code = code


@dataclass(frozen=True, slots=True)
class Upload:
    """What all three ways of uploading come down to."""

    content: bytes
    folder: str
    name: str
    mime: str


def upload_app(provider: Provider) -> web.Application:
    """The site of kieai.redpandaai.co; a file of the same name in the same folder is overwritten silently."""
    uploads = Uploads(provider)
    app = web.Application(
        middlewares=[door(provider, {}, needs_agent=True), _refusals],
        client_max_size=provider.options.max_upload_bytes * 4 // 3 + 2**20,
    )
    app.add_routes(
        [
            web.post("/api/file-stream-upload", uploads.stream, name="upload-stream"),
            web.post("/api/file-base64-upload", uploads.base64, name="upload-base64"),
            web.post("/api/file-url-upload", uploads.url, name="upload-url"),
        ]
    )
    return app


@web.middleware
async def _refusals(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors of this host say `success: false` and come over HTTP 200 as well."""
    if request.match_info.route.name is not None and key_of(request) is None:
        return _refused(UploadRefused(401, "Authentication failed: Invalid API Key"))
    try:
        response: web.StreamResponse = await handler(request)
    except UploadRefused as refusal:
        return _refused(refusal)
    return response


def _refused(refusal: UploadRefused) -> web.Response:
    return body({"success": False, "code": refusal.code, "msg": str(refusal)})


class Uploads:
    """The handlers of the upload host."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def stream(self, request: web.Request) -> web.Response:
        """multipart/form-data with `file`, `uploadPath` and perhaps `fileName`."""
        form = await request.post()
        file = form.get("file")
        if not isinstance(file, web.FileField):
            raise UploadRefused(400, "Missing required parameter: file")
        content = await asyncio.to_thread(file.file.read)
        folder, name = _text(form, "uploadPath"), str(form.get("fileName") or file.filename)
        return await self._keep(Upload(content, folder, name, _mime(name, file.content_type)))

    async def base64(self, request: web.Request) -> web.Response:
        """JSON with `base64Data` (plain, or a data URL), `uploadPath` and perhaps `fileName`."""
        asked = await _json(request)
        header, _, data = _text(asked, "base64Data").rpartition(",")
        folder = _text(asked, "uploadPath")
        try:
            content = await asyncio.to_thread(base64.b64decode, data, validate=True)
        except (binascii.Error, ValueError):
            raise UploadRefused(400, "Base64 decoding failed: Invalid Base64 format") from None
        declared = re.match(r"data:([^;,]+)", header)
        mime = declared.group(1) if declared else "application/octet-stream"
        name = str(asked.get("fileName") or f"{len(content)}{mimetypes.guess_extension(mime) or ''}")
        return await self._keep(Upload(content, folder, name, _mime(name, mime)))

    async def url(self, request: web.Request) -> web.Response:
        """JSON with `fileUrl`, `uploadPath` and perhaps `fileName`; the file is fetched now, within 30 s."""
        asked = await _json(request)
        url, folder = _text(asked, "fileUrl"), _text(asked, "uploadPath")
        content, mime = await self._fetched(url)
        name = str(asked.get("fileName") or urlsplit(url).path.rsplit("/", 1)[-1] or "file")
        return await self._keep(Upload(content, folder, name, _mime(name, mime)))

    async def _fetched(self, url: str) -> tuple[bytes, str]:
        limit = self._provider.options.max_upload_bytes
        try:
            timeout = aiohttp.ClientTimeout(total=_FETCH_TIMEOUT_S)
            async with self._provider.callbacks.session.get(url, timeout=timeout) as response:
                response.raise_for_status()
                content = bytearray()
                async for chunk in response.content.iter_chunked(2**16):
                    content += chunk
                    if len(content) > limit:
                        raise UploadRefused(413, "The file is too large")
                return bytes(content), response.content_type
        except (aiohttp.ClientError, OSError, ValueError, TimeoutError):
            raise UploadRefused(500, "Failed to download the file") from None

    async def _keep(self, upload: Upload) -> web.Response:
        provider = self._provider
        if len(upload.content) > provider.options.max_upload_bytes:
            raise UploadRefused(413, "The file is too large")
        folder, name = _cleaned(upload.folder), _cleaned(upload.name).replace("/", "-") or "file"
        path = "/".join(part for part in (f"kieai/{ACCOUNT_ID}", folder, name) if part)
        now_ms = provider.clock.now_ms()
        digest = await asyncio.to_thread(provider.files.keep, upload.content)
        expires_ms = now_ms + round(provider.options.upload_retention_s * 1000)
        provider.files.put_upload(path, digest, len(upload.content), upload.mime, expires_ms)
        await provider.snapshot.save()
        uploaded_at = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
        data: dict[str, JSON] = {
            "success": True,
            "fileName": name,
            "filePath": path,
            "downloadUrl": f"{provider.desk.result_url}/{quote(path)}",
            "fileSize": len(upload.content),
            "mimeType": upload.mime,
            "uploadedAt": uploaded_at.replace("+00:00", "Z"),
        }
        return body({"success": True, "code": 200, "msg": "File uploaded successfully", "data": data})


async def _json(request: web.Request) -> dict[str, Any]:
    try:
        asked = await request.json()
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise UploadRefused(400, "The request body is not valid JSON")
    return asked


def _text(asked: Any, name: str) -> str:
    value = asked.get(name)
    if not isinstance(value, str) or not value:
        raise UploadRefused(400, f"Missing required parameter: {name}")
    return value


def _mime(name: str, declared: str) -> str:
    return mimetypes.guess_type(name)[0] or declared


def _cleaned(path: str) -> str:
    return "/".join(part for part in path.replace("\\", "/").split("/") if part not in {"", ".", ".."})
