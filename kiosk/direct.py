"""One function for everybody: an order without a chat, from its inputs to its files, in this very process.

    from kiosk import generate

    made = await generate("z-image", {"prompt": "a cat in space", "aspect_ratio": "16:9"}, out="pictures")
    print(made.files[0].path)

It needs the provider's key and nothing else, and does no harm beside a running shop: see docs/generate.md.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import structlog
from stamina.instrumentation import set_on_retry_hooks

from kiosk.assortment import patience
from kiosk.catalog.shelf import Shelf
from kiosk.customers import store as customers
from kiosk.customers.house import the_house
from kiosk.customers.store import Customer
from kiosk.db import Database
from kiosk.delivery import store as deliveries
from kiosk.delivery.fetch import Fetcher
from kiosk.delivery.keep import keep
from kiosk.delivery.plan import Media, Parcel
from kiosk.delivery.wording import Wording
from kiosk.generations import store, tasks
from kiosk.generations.confirm import Till
from kiosk.generations.direct import DirectOrders
from kiosk.generations.draft import Wizard
from kiosk.generations.drive import Driver, Seen, Watch
from kiosk.generations.inspection import Inspector, NotOrdered, Ready
from kiosk.generations.observe import Observer
from kiosk.generations.settle import Settler
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.generations.submit import Submitter
from kiosk.kie.client import KieClient
from kiosk.log import set_up_logging
from kiosk.media.given import Porter
from kiosk.media.links import Addresses
from kiosk.media.luggage import Luggage
from kiosk.media.source import Library
from kiosk.money import to_rub
from kiosk.parts import (
    USER_AGENT,
    gatekeeper,
    open_links,
    provider_client,
    provider_session,
    rates,
    the_shelf,
)
from kiosk.process import open_database
from kiosk.settings import Settings, load_settings

__all__ = ["File", "Generated", "NotOrdered", "Workbench", "generate", "generate_now", "open_workbench", "price"]

MOST_BYTES: Final = 4 * 1024**3  # of a result: nothing but this disk bounds it
FETCH_S: Final = 150.0  # without a byte; four times that for all of them
FILES_AT_ONCE: Final = 2
PLAIN: Final = re.compile(r"[^A-Za-z0-9.]+")


def nobody_watches(_seen: Seen) -> None:
    pass


@dataclass(frozen=True, slots=True)
class File:
    """One thing that was made. `url`: where the provider keeps it, for some days; `path`: where we wrote it.

    `text`: the words themselves, of a result in words, which has no `url`.
    """

    media: str
    url: str | None
    path: Path | None
    mime: str | None
    size_bytes: int | None
    text: str | None
    title: str
    duration_s: int | None


@dataclass(frozen=True, slots=True)
class Generated:
    """How an order ended: `state` is done, failed (for `failure`, the money is back) or canceled.

    `credits`: quoted; `credits_taken`: what the provider says it took, None: it has not said.
    """

    generation: int
    model: str
    state: str
    failure: str | None
    price_rub: Decimal
    credits: Decimal
    credits_taken: Decimal | None
    seconds: float
    files: tuple[File, ...]

    @property
    def is_done(self) -> bool:
        return self.state == State.DONE


@dataclass(frozen=True, slots=True)
class Workbench:
    """Everything that brings a direct order to its end. Any number of orders may be on it at once."""

    db: Database
    inspector: Inspector
    orders: DirectOrders
    driver: Driver
    fetcher: Fetcher

    async def generate(
        self,
        model: str,
        inputs: Mapping[str, Any],
        *,
        out: Path | str | None = None,
        payer: Customer | None = None,
        watch: Watch = nobody_watches,
    ) -> Generated:
        """As `kiosk.generate`, for whoever makes several things: None as `payer` is the house."""
        ready = await self.inspector.check(model, inputs)
        order = await self.orders.place(ready, payer or await self.payer(None, None))
        return await self.finish(order.id, out=Path(out) if out is not None else None, watch=watch)

    async def payer(self, telegram_id: int | None, bot_id: int | None) -> Customer:
        """None: the house. Errors: NotOrdered."""
        async with self.db.transaction() as tx:
            if telegram_id is None:
                return await the_house(tx)
            found = await customers.find(tx, bot_id or 0, telegram_id)
        if found is None:
            raise NotOrdered(f"bot {bot_id} has no customer {telegram_id}")
        return found

    async def find(self, generation_id: int) -> Generation:
        """A direct order. Errors: NotOrdered."""
        async with self.db.reading() as tx:
            order = await store.get(tx, generation_id)
        if order is None:
            raise NotOrdered(f"there is no generation {generation_id}")
        if not order.is_direct:
            raise NotOrdered(f"generation {generation_id} belongs to a chat: the shop brings it there")
        return order

    async def finish(self, generation_id: int, *, out: Path | None, watch: Watch) -> Generated:
        """Drives it to its end, and keeps what it made. Errors: NotKept, DatabaseUnavailable."""
        order = await self.driver.drive(generation_id, watch)
        async with self.db.reading() as tx:
            parcels = await deliveries.at_hand(tx, order.id) if order.state is State.DONE else ()
            taken = [row.credits for row in await tasks.of_generation(tx, order.id)]
        files = await self._files(order, parcels, out)
        known = [one for one in taken if one is not None]
        assert order.confirmed_at is not None  # noqa: S101 - it was ordered
        assert order.settled_at is not None  # noqa: S101 - it is over
        return Generated(
            generation=order.id,
            model=order.model_id,
            state=order.state.value,
            failure=order.failure.value if order.failure else None,
            price_rub=to_rub(order.price),
            credits=order.credits_quoted or Decimal(0),
            credits_taken=sum(known, Decimal(0)) if len(known) == len(taken) else None,
            seconds=round((order.settled_at - order.confirmed_at).total_seconds(), 2),
            files=files,
        )

    async def _files(self, order: Generation, parcels: tuple[Parcel, ...], out: Path | None) -> tuple[File, ...]:
        if out is None:
            return tuple(_file(one) for one in parcels)
        stem = f"{PLAIN.sub('-', order.model_id).strip('-.')}-{order.id}"
        kept = await keep(self.fetcher, parcels, out, stem)
        return tuple(
            _file(parcel, path=one.path, media=one.media, mime=one.mime, size_bytes=one.size_bytes)
            for parcel, one in zip(parcels, kept, strict=True)
        )


def _file(
    parcel: Parcel,
    *,
    path: Path | None = None,
    media: Media | None = None,
    mime: str | None = None,
    size_bytes: int | None = None,
) -> File:
    said = Wording.of(parcel.source)
    return File(
        media=(media or parcel.media).value,
        url=None if said else parcel.source,
        path=path,
        mime=mime or (said.mime if said else None),
        size_bytes=size_bytes,
        text=said.text if said else None,
        title=parcel.title,
        duration_s=parcel.duration_s,
    )


@dataclass(frozen=True, slots=True)
class Whoever(Mapping[int, Library]):
    """The same library for the customers of every bot: what lies at an address is anybody's."""

    library: Library

    def __getitem__(self, bot_id: int) -> Library:
        return self.library

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


@contextlib.asynccontextmanager
async def open_workbench(settings: Settings) -> AsyncIterator[Workbench]:
    """With the configured database, or the embedded one. Errors: BadSettings, DatabaseUnavailable, CatalogError."""
    settings.provider_key()
    shelf = the_shelf(settings)
    if not structlog.is_configured():  # a program that imports us, and has said nothing of logs
        set_up_logging("warning", settings.secrets())
    set_on_retry_hooks([])  # the clients log their own retries
    async with contextlib.AsyncExitStack() as stack:
        db = await stack.enter_async_context(open_database(settings))
        session = await stack.enter_async_context(provider_session())
        kie = provider_client(settings, session)
        library = Addresses(await open_links(stack, settings))
        wizard = Wizard(shelf, rates(settings))
        fetcher = Fetcher(session, USER_AGENT, MOST_BYTES, FETCH_S)
        yield Workbench(
            db=db,
            inspector=Inspector(shelf, wizard.rates, library),
            orders=_orders(settings, db, wizard, Porter(db, kie)),
            driver=_driver(settings, db, shelf, kie, library, fetcher),
            fetcher=fetcher,
        )


def _orders(settings: Settings, db: Database, wizard: Wizard, porter: Porter) -> DirectOrders:
    keeper = gatekeeper(settings, db)
    till = Till(db, wizard, patience(settings), settings.open_orders_per_customer, keeper.key_name)
    return DirectOrders(db, till, porter, keeper)


def _driver(
    settings: Settings, db: Database, shelf: Shelf, kie: KieClient, library: Addresses, fetcher: Fetcher
) -> Driver:
    settler = Settler(db)
    submit = Submitter(
        db=db,
        kie=kie,
        shelf=shelf,
        settler=settler,
        keeper=gatekeeper(settings, db, direct_only=True),
        usher=None,
        callback_base=settings.webhook_base_url,
        poll_first_s=settings.poll_first_s,
        luggage=Luggage(db, kie, Whoever(library), asyncio.Semaphore(FILES_AT_ONCE)),
    )
    return Driver(db, submit, Observer(db, kie, shelf, fetcher, settler, settings.poll_first_s, rates(settings)))


def bot_of(settings: Settings, customer: int | None, bot: int | None) -> int | None:
    """The bot whose customer is meant: the one that is named, else the shop's own. Errors: BadSettings."""
    if customer is None or bot is not None:
        return bot
    return int(settings.bot_token().partition(":")[0])


async def generate(
    model: str,
    inputs: Mapping[str, Any],
    *,
    out: Path | str | None = None,
    customer: int | None = None,
    bot: int | None = None,
    watch: Watch = nobody_watches,
    settings: Settings | None = None,
) -> Generated:
    """Orders, waits for the end, and writes what was made into the folder `out`; None: the files stay where they are.

    A local file among the inputs is a `pathlib.Path`; an address is a text. The house pays, or the `customer` with this
    number in Telegram, of the shop's bot or the one with the number `bot`. `settings`: else those of the environment.
    Errors: NotOrdered when nothing was ordered; NotKept when it was made and a file could not be fetched;
    CannotStart and its kinds when the shop's settings or its database are in the way.
    """
    chosen = settings or load_settings()
    async with open_workbench(chosen) as bench:
        payer = await bench.payer(customer, bot_of(chosen, customer, bot))
        return await bench.generate(model, inputs, out=out, payer=payer, watch=watch)


async def price(model: str, inputs: Mapping[str, Any], *, settings: Settings | None = None) -> Ready:
    """Checks the inputs and prices them. Needs no database and no key. Errors: NotOrdered, CannotStart."""
    chosen = settings or load_settings()
    async with contextlib.AsyncExitStack() as stack:
        library = Addresses(await open_links(stack, chosen))
        inspector = Inspector(the_shelf(chosen), rates(chosen), library)
        return await inspector.check(model, inputs)


def generate_now(model: str, inputs: Mapping[str, Any], **options: Any) -> Generated:
    """`generate` for programs without an event loop: waits until it is over."""
    return asyncio.run(generate(model, inputs, **options))
