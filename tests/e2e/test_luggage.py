"""Files of an order on their way to the provider: whose they are, and what happens when they cannot be had."""

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web

from kiosk.catalog.model import MediaType
from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.states import Failure, State
from kiosk.kie.client import KieClient
from kiosk.kie.pacing import Waits
from kiosk.media import store as media
from kiosk.media.fit import Facts
from kiosk.media.luggage import Lost, Luggage, Packed
from kiosk.media.source import FROM_LINK_BYTES, Gone, Stream, Unreachable
from kiosk.media.store import Source
from tests.e2e.test_fetch import Serve, serving
from tests.shopkeeping import BOT, a_customer, a_draft
from tests.workshop import Workshop, a_workshop

PICTURE = Facts(MediaType.IMAGE, "png", "image/png", 1000)


@dataclass(frozen=True, slots=True)
class Closed:
    """A library where nothing can be opened, for this reason."""

    why: type[Exception]

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        raise self.why(source)


async def ordered(shop: Workshop, *, own: bool = True) -> int:
    """A confirmed order with a file, the customer's own or somebody else's."""
    async with shop.db.transaction() as tx:
        customer, other = await a_customer(tx, kopecks=1000), await a_customer(tx, kopecks=0)
        file = await media.add(tx, customer if own else other, 1, Source(file_id="x"), PICTURE)
        draft = await a_draft(tx, customer, model_id="recraft/remove-background", inputs={"image": f"media:{file}"})
        found = await store.lock(tx, draft, customer)
        assert found is not None
        quoted = await shop.wizard.requote(tx, found)
    await shop.till.confirm(customer, draft, price_pressed=quoted.price, message_id=quoted.status_message)
    return draft


async def test_nobody_orders_with_the_file_of_another(database: Database) -> None:
    """It becomes no order, and no money moves; were it one, the file would be nobody's."""
    async with a_workshop(database) as shop:
        order = await ordered(shop, own=False)
        draft = await shop.order(order)
        assert draft.state is State.DRAFT
        assert await shop.money(order) == (1000, 0)
        assert isinstance(await shop.submit.luggage.pack(draft.customer_id, draft.inputs), Lost)
        assert shop.kie.provider.desk.created == 0
        assert await shop.broken_invariants() == []


async def test_file_that_is_gone_ends_the_order(database: Database) -> None:
    """Telegram knows it no more: the customer is told that the input was at fault, and has the money."""
    async with a_workshop(database, library=Closed(Gone)) as shop:
        order = await ordered(shop)
        await shop.submit(order)
        assert (await shop.order(order)).failure is Failure.INPUT
        assert await shop.money(order) == (1000, 0)


async def test_file_that_is_out_of_reach_is_waited_for(database: Database) -> None:
    """The order keeps its place and its hold until the deadline; then the money goes back."""
    async with a_workshop(database, library=Closed(Unreachable)) as shop:
        order = await ordered(shop)
        await shop.submit(order)
        waiting = await shop.order(order)
        assert (waiting.state, waiting.submits) == (State.PENDING, 0)
        assert (await shop.money(order))[1] == waiting.price
        async with database.transaction() as tx:
            await tx.execute("UPDATE generations SET deadline_at = now() WHERE id = $1", order)
        await shop.submit(order)
        assert (await shop.order(order)).failure is Failure.UNAVAILABLE
        assert await shop.money(order) == (1000, 0)


async def test_update_brings_a_file_once(database: Database) -> None:
    """The same update again has nothing new; another customer's update of the same number has."""
    async with database.transaction() as tx:
        one, other = await a_customer(tx, kopecks=0), await a_customer(tx, kopecks=0)
        first = await media.add(tx, one, 5, Source(file_id="x"), PICTURE)
        assert first is not None
        assert await media.add(tx, one, 5, Source(file_id="x"), PICTURE) is None
        assert await media.add(tx, other, 5, Source(file_id="x"), PICTURE) is not None
        assert await media.find(tx, other, [first]) == {}


@pytest.mark.parametrize(("hours", "fresh"), [(0, True), (19, True), (21, False)])
async def test_address_is_used_while_the_provider_keeps_it(database: Database, hours: int, fresh: bool) -> None:
    """The provider forgets uploads after a day: an address of twenty hours is not trusted any more."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        file = await media.add(tx, customer, 5, Source(link="https://x.example/a"), PICTURE)
        assert file is not None
        await media.uploaded(tx, file, "https://host.example/a")
        await tx.execute("UPDATE media SET uploaded_at = now() - make_interval(hours => $1)", hours)
        kept = (await media.find(tx, customer, [file]))[file]
        assert kept.address == ("https://host.example/a" if fresh else None)


PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(16)
MIB = 1024 * 1024
NO_WAITS = Waits(initial_s=0, longest_s=0, jitter_s=0, rate_limit_s=0)


@dataclass
class Heavy:
    """A library with one file of so many MiB that exists in pieces only."""

    mib: int
    head: bytes = PNG
    opened: list[Source] = field(default_factory=list)

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        self.opened.append(source)
        return self._stream()

    @asynccontextmanager
    async def _stream(self) -> AsyncIterator[Stream]:
        yield Stream(None, self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield self.head
        for _ in range(self.mib):
            yield bytes(MIB)


async def packed(database: Database, library: Heavy, serve: Serve) -> object:
    """What becomes of an order's only file, on its way to a host that answers like this."""
    async with database.transaction() as tx:
        customer = await a_customer(tx, kopecks=0)
        file = await media.add(tx, customer, 1, Source(link="https://x.example/a"), PICTURE)
    async with serving(serve) as url, aiohttp.ClientSession() as session:
        kie = KieClient(session, api_key="sandbox-key", base_url=url, upload_url=url, waits=NO_WAITS)
        luggage = Luggage(database, kie, {BOT: library}, asyncio.Semaphore(4))
        return await luggage.pack(customer, {"image": f"media:{file}"})


async def test_file_of_a_customer_is_never_in_memory_as_a_whole(database: Database) -> None:
    """Forty megabytes come and go in pieces, the provider is told how many, and a second try needs no second fetch."""
    requests: list[tuple[int | None, int]] = []

    async def take(request: web.Request) -> web.Response:
        size = 0
        async for chunk in request.content.iter_any():
            size += len(chunk)
        requests.append((request.content_length, size))
        if len(requests) == 1:
            return web.Response(status=502)
        data = {"downloadUrl": "https://host.example/a.png", "fileSize": size}
        return web.json_response({"success": True, "code": 200, "msg": "ok", "data": data})

    library = Heavy(40)
    tracemalloc.start()
    try:
        found = await packed(database, library, take)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, Packed)
    assert [*found.addresses.values()] == ["https://host.example/a.png"]
    assert len(library.opened) == 1
    assert [announced == size and 40 * MIB < size < 41 * MIB for announced, size in requests] == [True, True]
    assert peak < 12 * MIB


@pytest.mark.parametrize(
    "library", [Heavy(FROM_LINK_BYTES // MIB), Heavy(1, head=b"<html>"), Heavy(1, head=b"\xff\xd8\xff\xe0" + bytes(20))]
)
async def test_file_that_became_another_is_lost(database: Database, library: Heavy) -> None:
    """Too big by now, a page, or of another kind than the customer was told would do: the provider gets nothing."""
    asked: list[str] = []

    async def take(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=500)

    assert isinstance(await packed(database, library, take), Lost)
    assert asked == []
