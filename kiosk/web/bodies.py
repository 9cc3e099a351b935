"""Request bodies: bounded before they are read."""

from typing import Final

from fastapi import HTTPException, Request, status

LIMIT_BYTES: Final = 1024 * 1024


async def bounded_body(request: Request) -> bytes:
    """The whole body. Errors: 413 over 1 MiB, whatever the Content-Length says."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > LIMIT_BYTES:
        raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, "the body is over 1 MiB")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise HTTPException(status.HTTP_413_CONTENT_TOO_LARGE, "the body is over 1 MiB")
    return bytes(body)
