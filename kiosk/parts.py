"""Settings to the parts that a shop and a single order have in common."""

import contextlib
from typing import Final

import aiohttp

from kiosk import __version__
from kiosk.assortment import assortment
from kiosk.catalog.quote import Rates
from kiosk.catalog.shelf import Shelf
from kiosk.db import Database
from kiosk.generations.gate import Rate
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.ids import key_name
from kiosk.kie.client import KieClient
from kiosk.media.links import Links, link_session
from kiosk.settings import Settings

PROVIDER_CONNECTIONS: Final = 100
USER_AGENT: Final = f"Kiosk/{__version__}"


def the_shelf(settings: Settings) -> Shelf:
    """What is sold. Errors: CatalogError."""
    return assortment(
        settings.prices_file,
        single_model_only=settings.single_model_only,
        called_back=settings.webhook_base_url is not None,
    )


def rates(settings: Settings) -> Rates:
    """How credits become rubles."""
    return Rates(rub_per_usd=settings.rub_per_usd, multiplier=settings.price_multiplier)


def provider_session() -> aiohttp.ClientSession:
    """For the provider and its file hosts: bounded, and without the cookies of whoever stands before them."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=PROVIDER_CONNECTIONS), cookie_jar=aiohttp.DummyCookieJar()
    )


def provider_client(settings: Settings, session: aiohttp.ClientSession) -> KieClient:
    """Errors: BadSettings without a key."""
    return KieClient(
        session,
        api_key=settings.provider_key(),
        base_url=settings.kie_base_url,
        upload_url=settings.kie_upload_url,
    )


def gatekeeper(settings: Settings, db: Database, *, direct_only: bool = False) -> Gatekeeper:
    """Of the gate before the provider's key, which all processes share."""
    return Gatekeeper(
        db=db,
        key_name=key_name(settings.provider_key()),
        rate=Rate(settings.provider_creates, settings.provider_window_s),
        grace_s=settings.submit_grace_s,
        direct_only=direct_only,
    )


async def open_links(stack: contextlib.AsyncExitStack, settings: Settings) -> Links:
    """For the addresses that customers give: connections of their own."""
    session = await stack.enter_async_context(link_session(allow_private=settings.allow_private_links))
    return Links(session, allow_private=settings.allow_private_links, user_agent=USER_AGENT)
