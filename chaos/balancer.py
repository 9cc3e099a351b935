"""A tiny load balancer: whoever calls the shop reaches a replica that lives, as behind any hosting platform."""

import asyncio
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import aiohttp
from aiohttp import hdrs, web

ANSWER_S = 6.0  # a replica that is silent for so long is taken for dead
REST_S = 3.0  # and is passed over for this long
BODY_BYTES = 4 * 2**20
# Of one connection only, or written anew by whoever sends the body on.
OWN_HEADERS = frozenset({hdrs.HOST, hdrs.CONNECTION, hdrs.CONTENT_LENGTH, hdrs.TRANSFER_ENCODING, hdrs.ACCEPT_ENCODING})


@dataclass(slots=True)
class Balancer:
    """Takes the replicas in turn.

    A replica that refuses the connection or says 503 has done nothing, so the next one is asked. A silent one, or one
    that breaks off, may have done anything: the caller is told 502 or 504, and is expected to come again.
    """

    ports: Sequence[int]
    answers: dict[int, int] = field(default_factory=dict)
    _resting_until: dict[int, float] = field(default_factory=dict)
    _turn: Iterator[int] = field(default_factory=itertools.count)
    _session: aiohttp.ClientSession | None = None
    _runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        assert self._runner is not None  # noqa: S101 - asked inside the block only
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=ANSWER_S),
            connector=aiohttp.TCPConnector(limit=0, force_close=True),  # a kept connection may lead to the dead
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        application = web.Application(client_max_size=BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._pass_on)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None  # noqa: S101 - it was entered
        assert self._session is not None  # noqa: S101 - likewise
        await self._runner.cleanup()
        await self._session.close()

    async def _pass_on(self, request: web.Request) -> web.Response:
        body = await request.read()
        answer = web.Response(status=503, text="no replica")
        for port in self._in_turn():
            answer = await self._ask(port, request, body)
            if answer.status != 503:  # noqa: PLR2004 - "not now": it has done nothing
                break
        self.answers[answer.status] = self.answers.get(answer.status, 0) + 1
        return answer

    def _in_turn(self) -> Sequence[int]:
        first = next(self._turn) % len(self.ports)
        now_s = asyncio.get_running_loop().time()
        order = [*self.ports[first:], *self.ports[:first]]
        lively = [port for port in order if self._resting_until.get(port, 0.0) <= now_s]
        return lively or order

    async def _ask(self, port: int, request: web.Request, body: bytes) -> web.Response:
        assert self._session is not None  # noqa: S101 - requests come inside the block only
        headers = {name: value for name, value in request.headers.items() if name not in OWN_HEADERS}
        try:
            async with self._session.request(
                request.method,
                f"http://127.0.0.1:{port}{request.raw_path}",
                data=body,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                kept = (
                    {hdrs.RETRY_AFTER: answer.headers[hdrs.RETRY_AFTER]} if hdrs.RETRY_AFTER in answer.headers else {}
                )
                return web.Response(
                    status=answer.status, body=await answer.read(), headers=kept, content_type=answer.content_type
                )
        except aiohttp.ClientConnectorError:
            return web.Response(status=503, text="no connection")
        except TimeoutError:
            self._resting_until[port] = asyncio.get_running_loop().time() + REST_S
            return web.Response(status=504, text="no answer")
        except aiohttp.ClientError:
            return web.Response(status=502, text="broke off")
