"""Pasted addresses: read by us, within limits, and never from a network that only we can reach."""

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from yarl import URL

from kiosk.media.source import Gone, Private, Stream, Unreachable
from kiosk.media.store import Source

REDIRECTS_AT_MOST: Final = 4
CONNECTIONS: Final = 20
CHUNK_BYTES: Final = 64 * 1024
TIMEOUT: Final = aiohttp.ClientTimeout(total=30, sock_connect=5, sock_read=10)
MOVED: Final = frozenset({301, 302, 303, 307, 308})
NO_CREDENTIALS: Final = {"Accept": "*/*"}


class PrivateHost(OSError):  # noqa: N818 - it states a fact
    """The name leads into a network that only this machine sees."""


def is_public(address: str) -> bool:
    """An address on the internet proper. Reserved are also those that carry an IPv4 address inside, but for 6to4's."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(ip, "sixtofour", None)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and (inner is None or inner.is_global)


class PublicResolver(AbstractResolver):
    """What a connection is made to is what was looked at: a name cannot change its mind in between."""

    def __init__(self) -> None:
        self._names = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._names.resolve(host, port, family)
        public = [one for one in found if is_public(one["host"])]
        if not public:
            raise PrivateHost(host)
        return public

    async def close(self) -> None:
        await self._names.close()


def link_session(*, allow_private: bool) -> aiohttp.ClientSession:
    """For the addresses of strangers alone: no cookies, no proxy of ours, no connection that stays."""
    resolver = None if allow_private else PublicResolver()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS, force_close=True, use_dns_cache=False, resolver=resolver)
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=TIMEOUT)


@dataclass(frozen=True, slots=True)
class Links:
    """Opens pasted addresses. `allow_private`: only beside the stand-ins."""

    session: aiohttp.ClientSession
    allow_private: bool
    user_agent: str

    @asynccontextmanager
    async def open(self, link: str) -> AsyncIterator[Stream]:
        """Errors, also while reading: Gone, Private among them, Unreachable."""
        try:
            async with asyncio.timeout(TIMEOUT.total), self._answer(URL(link)) as response:
                yield Stream(response.content_length, response.content.iter_chunked(CHUNK_BYTES))
        except (aiohttp.InvalidURL, ValueError):
            raise Gone from None
        except aiohttp.ClientConnectorDNSError as error:
            raise (Private if isinstance(error.os_error, PrivateHost) else Gone) from None
        except (aiohttp.ClientError, TimeoutError, OSError):
            raise Unreachable from None

    @asynccontextmanager
    async def _answer(self, url: URL) -> AsyncIterator[aiohttp.ClientResponse]:
        for _ in range(REDIRECTS_AT_MOST):
            self._check(url)
            headers = {**NO_CREDENTIALS, "User-Agent": self.user_agent}
            async with self.session.get(url, headers=headers, allow_redirects=False) as response:
                if response.status in MOVED and (onward := response.headers.get("Location")):
                    url = url.join(URL(onward))
                    continue
                if response.status >= 500:  # noqa: PLR2004 - what servers say of themselves
                    raise Unreachable
                if response.status != 200:  # noqa: PLR2004 - the one status that carries the file
                    raise Gone
                yield response
                return
        raise Gone

    def _check(self, url: URL) -> None:
        """A number in place of a name asks no resolver, so it is looked at here."""
        if url.scheme not in ("http", "https") or not url.host or url.user or url.password:
            raise Gone
        if self.allow_private:
            return
        try:
            public = is_public(url.host)
        except ValueError:  # a name, which the resolver looks at
            return
        if not public:
            raise Private


@dataclass(frozen=True, slots=True)
class Addresses:
    """Implements `kiosk.media.source.Library` where no bot is: files of chats are for others to read."""

    links: Links

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        return self.links.open(source.link) if source.link else self._unread()

    @asynccontextmanager
    async def _unread(self) -> AsyncIterator[Stream]:
        raise Unreachable
        yield
