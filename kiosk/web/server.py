"""The port: open before anything else is asked of anyone, closed after the last request is answered."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Iterator

import structlog
import uvicorn
from fastapi import FastAPI

from kiosk.errors import BadSettings, CannotStart

log = structlog.get_logger()

GRACE_S = 3  # what is left by then was let in by a shop that is closed


class PortTaken(CannotStart):
    """Another program listens there."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(f"PORT: {port} is taken by another program; choose another one")


class _Server(uvicorn.Server):
    """Signals are the composition root's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def serving(app: FastAPI, host: str, port: int) -> AsyncIterator[int]:
    """Listens from the first moment; gives the port. Errors: PortTaken, BadSettings."""
    listener = _listen(host, port)
    actual: int = listener.getsockname()[1]
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,  # an access log would hold callback tokens
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web")
    log.info("web.listening", host=host, port=actual)
    try:
        yield actual
    finally:
        server.should_exit = True
        await task


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:  # a name that cannot be a host's is the latter
        listener.close()
        raise _why_not(error, port) from None
    listener.listen(2048)
    listener.setblocking(False)
    return listener


def _why_not(error: Exception, port: int) -> CannotStart:
    match getattr(error, "errno", None):
        case errno.EADDRINUSE:
            return PortTaken(port)
        case errno.EACCES:
            return BadSettings("PORT", f"this user may not listen on {port}; choose one from 1024 upwards")
        case _:
            return BadSettings("HOST", "must be an address of this machine, such as 0.0.0.0")
