"""A shop without its window: real database, real provider sandbox over HTTP, and the acts of a generation."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import aiohttp
from aiohttp import web

from kiosk.bot.filing import FilingDesk
from kiosk.bot.messenger import TelegramMessenger
from kiosk.bot.opening import make_bot
from kiosk.catalog.quote import Rates
from kiosk.catalog.shelf import default_shelf
from kiosk.catalog.vocabulary import Output
from kiosk.db import Database
from kiosk.delivery.fetch import Fetcher
from kiosk.generations import store
from kiosk.generations.callback import CallbackDesk
from kiosk.generations.confirm import Confirmation, Confirmed, Till
from kiosk.generations.deadlines import Patience
from kiosk.generations.draft import Wizard
from kiosk.generations.gate import Rate
from kiosk.generations.gatekeeper import Gatekeeper
from kiosk.generations.observe import Observer
from kiosk.generations.settle import Settler
from kiosk.generations.store import Generation
from kiosk.generations.submit import Submitter
from kiosk.generations.usher import Usher
from kiosk.ids import key_name
from kiosk.kie.callback import read_callback
from kiosk.kie.client import KieClient
from kiosk.kie.pacing import Waits
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from kiosk.media.luggage import Luggage
from kiosk.media.source import Library, Stream
from kiosk.media.store import Source
from kiosk.operators import store as alerts
from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from tests.shopkeeping import BOT, a_customer, a_draft

MB = 1024 * 1024
KEY = "sandbox-key"
KEY_NAME = key_name(KEY)
AS_FAST_AS_IT_GOES = Rate(1000, 1)
NOBODY_LISTENS = "http://127.0.0.1:1"  # what is said of the line reaches nobody


class NoFiles:
    """Where no order has a file, none is opened."""

    def open(self, source: Source) -> AbstractAsyncContextManager[Stream]:
        raise AssertionError(f"nothing was to be opened, not {source}")


@dataclass
class Workshop:
    """`grace_s` is how long an unknown outcome is waited for; 0 makes every later look overdue."""

    db: Database
    kie: KieSandbox
    submit: Submitter
    observe: Observer
    settler: Settler
    till: Till
    wizard: Wizard
    keeper: Gatekeeper
    desk: CallbackDesk
    received: list[int] = field(default_factory=list)

    async def ordered(self, *, kopecks: int = 1000) -> int:
        """A confirmed order of a customer with this much money: its number."""
        draft, confirmation = await self.pressed(kopecks=kopecks)
        assert isinstance(confirmation, Confirmed)
        return draft

    async def pressed(self, *, kopecks: int = 1000, customer: int | None = None) -> tuple[int, Confirmation]:
        """A complete draft, of this customer or a new one with this much money, and what "create" led to."""
        async with self.db.transaction() as tx:
            customer = customer or await a_customer(tx, kopecks=kopecks)
            draft = await a_draft(tx, customer)
            found = await store.lock(tx, draft, customer)
            assert found is not None
            quoted = await self.wizard.requote(tx, found)
        pressed = await self.till.confirm(customer, draft, price_pressed=quoted.price, message_id=quoted.status_message)
        return draft, pressed

    async def ended(self, generation_id: int, *, looks: int = 200) -> Generation:
        """Looks until the provider has ended it; the clock plays no part but for the provider's own pace."""
        for _ in range(looks):
            order = await self.order(generation_id)
            if order.settled_at:
                return order
            await self.observe(generation_id)
        raise AssertionError(f"still {order.state} after {looks} looks")

    async def order(self, generation_id: int) -> Generation:
        async with self.db.reading() as tx:
            found = await store.get(tx, generation_id)
        assert found is not None
        return found

    async def wait_is_over(self) -> None:
        """Whatever the gate and the line wait for is past: the provider's pauses, and those of single orders."""
        async with self.db.transaction() as tx:
            await tx.execute(
                """
                UPDATE provider_gates
                SET closed_until = NULL, broken_until = CASE WHEN broken_until IS NOT NULL THEN now() END,
                    check_at = CASE WHEN check_at IS NOT NULL THEN now() END
                """
            )
            await tx.execute("UPDATE generations SET held_back_until = NULL WHERE state = 'pending'")

    async def money(self, generation_id: int) -> tuple[int, int]:
        """Available and held kopecks of the customer."""
        order = await self.order(generation_id)
        async with self.db.reading() as tx:
            wallet = await ledger.wallet(tx, order.customer_id)
        return wallet.available_kopecks, wallet.held_kopecks

    async def transfers(self, generation_id: int) -> list[str]:
        async with self.db.reading() as tx:
            rows = await tx.fetch("SELECT kind FROM transfers WHERE generation_id = $1 ORDER BY id", generation_id)
        return [row["kind"] for row in rows]

    async def jobs(self, act: str) -> int:
        async with self.db.reading() as tx:
            count: int = await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE entrypoint = $1", act)
        return count

    async def alerts(self) -> list[str]:
        """What operators are to be told."""
        async with self.db.reading() as tx:
            return [raised.alert.kind.value for raised in await alerts.latest(tx, limit=100)]

    async def broken_invariants(self) -> list[str]:
        async with self.db.reading() as tx:
            return [finding.invariant.name for finding in await audit(tx) if finding.broken]

    def fault(self, name: str, target: str, *, times: int | None = 1, **args: Any) -> None:
        self.kie.faults.add(Fault(name, target, times=times, args=args))


def a_desk(shop: Workshop) -> FilingDesk:
    """The counter of this shop."""
    return FilingDesk(
        db=shop.db,
        shelf=default_shelf(),
        wizard=shop.wizard,
        till=shop.till,
        settler=shop.settler,
        welcome_kopecks=1000,
        support="",
        admins=frozenset(),
    )


@contextlib.asynccontextmanager
async def a_workshop(
    db: Database,
    *,
    grace_s: float = 0,
    line_s: float = 600,
    run_s: float = 600,
    library: Library | None = None,
    rate: Rate = AS_FAST_AS_IT_GOES,
    telegram_url: str = NOBODY_LISTENS,
    **options: Any,
) -> AsyncIterator[Workshop]:
    """Tasks of the provider take milliseconds; its callbacks come to a real HTTP server."""
    sandbox = KieSandbox(
        KieOptions(**{"time_scale": 0.0005, "poll_limit_per_s": None, "create_limit": None, **options})
    )
    shelf = default_shelf()
    rates = Rates(rub_per_usd=Decimal(100), multiplier=Decimal(2))
    wizard = Wizard(shelf, rates)
    settler = Settler(db)
    desk = CallbackDesk(db, poll_first_s=600)
    keeper = Gatekeeper(db, KEY_NAME, rate, grace_s)
    async with (
        sandbox,
        aiohttp.ClientSession() as session,
        callback_server(desk) as address,
        make_bot(f"{BOT}:sandbox-test", telegram_url) as bot,
    ):
        kie = KieClient(
            session,
            api_key=KEY,
            base_url=sandbox.api_url,
            upload_url=sandbox.upload_url,
            waits=Waits(initial_s=0, longest_s=0, jitter_s=0, rate_limit_s=0),
        )
        fetcher = Fetcher(session, "tests", 50 * MB)
        yield Workshop(
            db=db,
            kie=sandbox,
            submit=Submitter(
                db=db,
                kie=kie,
                shelf=shelf,
                settler=settler,
                keeper=keeper,
                usher=Usher(db, {BOT: TelegramMessenger(bot, shelf)}),
                callback_base=address,
                poll_first_s=600,
                luggage=Luggage(db, kie, {BOT: library or NoFiles()}, asyncio.Semaphore(4)),
            ),
            observe=Observer(db, kie, shelf, fetcher, settler, poll_first_s=600, rates=rates),
            settler=settler,
            till=Till(db, wizard, Patience(line_s, dict.fromkeys(Output, run_s)), open_at_most=5, key_name=KEY_NAME),
            wizard=wizard,
            keeper=keeper,
            desk=desk,
        )


@contextlib.asynccontextmanager
async def callback_server(desk: CallbackDesk) -> AsyncIterator[str]:
    """Receives the provider's callbacks as the shop's web server does."""

    async def receive(request: web.Request) -> web.Response:
        note = read_callback(await request.read())
        number, token = int(request.match_info["number"]), request.match_info["token"]
        await desk.by_token(number, token, note.task_id)
        return web.json_response({"code": 200, "msg": "success"})

    app = web.Application()
    app.router.add_post("/callbacks/kie/{number}/{token}", receive)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()
