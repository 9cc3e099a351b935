"""What all bots of a shop share: the database, the provider with its gate, and the ways out."""

import asyncio
import contextlib
import os
import secrets
import socket
from dataclasses import dataclass
from typing import Final

import aiohttp

from kiosk import __version__
from kiosk.assortment import assortment
from kiosk.catalog.shelf import Shelf
from kiosk.db import Database, Pool, open_pool
from kiosk.delivery.fetch import Fetcher
from kiosk.generations.gate import Rate
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.settle import Settler
from kiosk.ids import key_name
from kiosk.kie.client import KieClient
from kiosk.media.links import Links, link_session
from kiosk.metrics import know_models
from kiosk.role import Role
from kiosk.settings import Settings

UPLOAD_LIMIT_BYTES: Final = 50 * 1024 * 1024  # Bot API, "Sending files"
PROVIDER_CONNECTIONS: Final = 100
AGENT: Final = f"Kiosk/{__version__}"


@dataclass(frozen=True, slots=True)
class Parts:
    """`dsn` is where `db` is, for pools of one's own; `holder` what this process, and no other, is called in leases."""

    role: Role
    holder: str
    settings: Settings
    db: Database
    dsn: str
    shelf: Shelf
    kie: KieClient
    fetcher: Fetcher
    links: Links
    keeper: Gatekeeper
    settler: Settler

    async def engine_pool(self) -> Pool:
        """Its own connections, past any pooler: the engine listens on one of them."""
        return await open_pool(self.dsn, max_size=self.settings.database_pool_size, application_name="kiosk worker")


async def make_parts(stack: contextlib.AsyncExitStack, settings: Settings, db: Database, dsn: str, role: Role) -> Parts:
    """Nothing here waits or talks to anyone; what is opened closes with `stack`. Errors: CatalogError."""
    session = await stack.enter_async_context(provider_session())
    links = await stack.enter_async_context(link_session(allow_private=settings.allow_private_links))
    key = settings.provider_key()
    shelf = assortment(settings.prices_file, single_model_only=settings.single_model_only)
    know_models({model.id: model.output.value for model in shelf.models})
    return Parts(
        role=role,
        holder=f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}",
        settings=settings,
        db=db,
        dsn=dsn,
        shelf=shelf,
        kie=KieClient(session, api_key=key, base_url=settings.kie_base_url, upload_url=settings.kie_upload_url),
        fetcher=Fetcher(session, AGENT, UPLOAD_LIMIT_BYTES),
        links=Links(links, allow_private=settings.allow_private_links, user_agent=AGENT),
        keeper=Gatekeeper(
            db=db,
            key_name=key_name(key),
            rate=Rate(settings.provider_creates, settings.provider_window_s),
            grace_s=settings.submit_grace_s,
        ),
        settler=Settler(db),
    )


def provider_session() -> aiohttp.ClientSession:
    """For the provider and its file hosts: bounded, and without the cookies of whoever stands before them."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=PROVIDER_CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar()
    )


def hands() -> asyncio.Semaphore:
    """How many files of customers are whole on disk while they are handed to the provider."""
    return asyncio.Semaphore(4)
