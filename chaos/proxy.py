"""Stands between the replicas and PostgreSQL, and can freeze a connection half-open: nothing passes, nobody is told."""

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Self

CHUNK_BYTES = 64 * 1024
CONNECT_S = 5.0
HALF_OPEN_S = 60.0  # how long the server's side of a frozen connection outlives the client's


@dataclass(slots=True, eq=False)
class Link:
    """One proxied connection."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    frozen: bool = False


@dataclass(slots=True)
class TcpProxy:
    """Listens on a free port of the loopback interface inside `async with`."""

    port: int  # of the same interface
    frozen_count: int = 0
    _links: list[Link] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def listens_on(self) -> int:
        assert self._server is not None  # noqa: S101 - asked inside the block only
        return int(self._server.sockets[0].getsockname()[1])

    def leads_to(self, port: int) -> None:
        """Where new connections go from now on."""
        self.port = port

    def freeze(self, choice: int) -> bool:
        """Freezes one of the connections that live now; False when there is none."""
        lively = [link for link in self._links if not link.frozen]
        if not lively:
            return False
        lively[choice % len(lively)].frozen = True
        self.frozen_count += 1
        return True

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None  # noqa: S101 - it was entered
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine always runs in one
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        with contextlib.suppress(asyncio.CancelledError):  # only `__aexit__` cancels, and it waits for the end
            await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(CONNECT_S):
                upstream, server = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, server)
        self._links.append(link)
        pumps = [
            asyncio.create_task(_pump(reader, server, link)),
            asyncio.create_task(_pump(upstream, writer, link)),
        ]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            if link.frozen:  # whoever is left hears nothing of the other's end
                await asyncio.wait(pumps, timeout=HALF_OPEN_S)
        finally:
            self._links.remove(link)
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            for end in (link.client, link.server):
                end.transport.abort()


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, link: Link) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(CHUNK_BYTES):
            if not link.frozen:
                target.write(data)
                await target.drain()
