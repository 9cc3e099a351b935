"""What all bots of a shop share: the database, the provider with its gate, and the ways out."""

import asyncio
import contextlib
import os
import secrets
import socket
from dataclasses import dataclass
from typing import Final

from kiosk.catalog.shelf import Shelf
from kiosk.db import Database, Pool, open_pool
from kiosk.delivery.fetch import Fetcher
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.settle import Settler
from kiosk.kie.client import KieClient
from kiosk.media.links import Links
from kiosk.metrics import know_models
from kiosk.parts import USER_AGENT, gatekeeper, open_links, provider_client, provider_session, the_shelf
from kiosk.role import Role
from kiosk.settings import Settings

UPLOAD_LIMIT_BYTES: Final = 50 * 1024 * 1024  # Bot API, "Sending files"


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
    shelf = the_shelf(settings)
    know_models({model.id: model.output.value for model in shelf.models})
    return Parts(
        role=role,
        holder=f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}",
        settings=settings,
        db=db,
        dsn=dsn,
        shelf=shelf,
        kie=provider_client(settings, session),
        fetcher=Fetcher(session, USER_AGENT, UPLOAD_LIMIT_BYTES),
        links=await open_links(stack, settings),
        keeper=gatekeeper(settings, db),
        settler=Settler(db),
    )


def hands() -> asyncio.Semaphore:
    """How many files of customers are whole on disk while they are handed to the provider."""
    return asyncio.Semaphore(4)
