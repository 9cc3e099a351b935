"""One order, a shop that is killed on the way, and another that goes on; what they do is seen from outside.

The shops are processes of `kiosk run` between both stand-ins on a real database. Nobody waits for a clock: when a shop
has nothing to do, or is dead, an hour passes, by moving every column that holds a time.
"""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chaos.points import CRASH_AT, TRACE
from chaos.starter import Started, Starter
from kiosk.bot.buttons import Press, pack
from kiosk.customers.arrive import arrive
from kiosk.customers.store import remember_bot
from kiosk.db import Database
from kiosk.generations import store
from kiosk.generations.states import State
from kiosk.generations.store import Generation
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit
from kiosk.queue.jobs import Act
from kiosk.settings import load_settings
from kiosk.wiring import Shop, build
from sandbox.faults import Fault
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox, acts
from sandbox.telegram.chats import Chat
from sandbox.telegram.pushing import stop_pushing
from sandbox.telegram.views import message_view
from tests.shopkeeping import BOT, a_card, a_visitor, confirm

CUSTOMER = 1001
FUNDS = 1000  # kopecks
PRICE = 80  # of the model, kopecks
PATIENCE_S = 60.0  # for what never comes when something is broken
LOOK_S = 0.03
LAST_BREATH_S = 1.0  # from what can be seen outside to the end of whoever dies right behind it
DEADLINE_S = 86_400  # no story is so long
CREATES = 20  # that the gate lets through at once

AN_HOUR_PASSES = """
UPDATE generations
SET next_at = next_at - interval '1 hour', submitted_at = submitted_at - interval '1 hour',
    line_ends_at = line_ends_at - interval '1 hour', deadline_at = deadline_at - interval '1 hour',
    late_look_at = late_look_at - interval '1 hour', held_back_until = held_back_until - interval '1 hour'
WHERE confirmed_at IS NOT NULL AND state <> 'canceled';
UPDATE deliveries SET claimed_at = claimed_at - interval '1 hour';
UPDATE media SET uploaded_at = uploaded_at - interval '1 hour';
UPDATE provider_gates
SET counted = ARRAY(SELECT moment - interval '1 hour' FROM unnest(counted) moment),
    closed_until = closed_until - interval '1 hour', broken_until = broken_until - interval '1 hour',
    trial = trial - interval '1 hour', paused_since = paused_since - interval '1 hour',
    check_at = check_at - interval '1 hour';
"""
WITH_NOBODY_AT_WORK = """
UPDATE pgqueuer SET heartbeat = heartbeat - interval '1 hour';
UPDATE turns SET due_at = due_at - interval '1 hour';
"""
IDLE = """
SELECT NOT EXISTS (SELECT FROM pgqueuer WHERE status IN ('queued', 'picked'))
   AND NOT EXISTS (SELECT FROM generations WHERE next_at <= now() OR late_look_at <= now())
"""


@dataclass
class Stage:
    """`own` is a shop in this process that brings the order to where the story begins; it runs no loops."""

    db: Database
    telegram: TelegramSandbox
    kie: KieSandbox
    own: Shop
    starter: Starter
    folder: Path
    settings: dict[str, str]
    order: int
    message_id: int

    async def confirmed(self) -> None:
        """Confirmed, and nobody woken for it."""
        async with self.db.transaction() as tx:
            await confirm(tx, self.order, line_s=DEADLINE_S, run_s=DEADLINE_S)

    async def submitted(self) -> None:
        await self.confirmed()
        await self.own.worker.handlers[Act.SUBMIT](self.order)

    async def settled(self) -> None:
        await self.submitted()
        await self.looked_at_until_settled()

    async def looked_at_until_settled(self) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not (await self.generation()).settled_at:
                await self.own.worker.handlers[Act.OBSERVE](self.order)

    async def sql(self, statement: str, *values: Any) -> None:
        async with self.db.transaction() as tx:
            await tx.execute(statement, *values)

    def kie_fault(self, name: str, target: str, *, times: int | None = 1, **args: Any) -> None:
        self.kie.faults.add(Fault(name, target, times=times, args=args))

    def telegram_fault(self, name: str, target: str, *, times: int | None = 1, **args: Any) -> None:
        self.telegram.faults.add(Fault(name, target, times=times, args=args))

    @property
    def chat(self) -> Chat:
        return self.telegram.world.chat(BOT_ID, CUSTOMER)

    def press(self, button: Press) -> None:
        acts.press(self.telegram.world, self.chat, acts.find(self.chat, self.message_id), pack(button))

    def write(self, text: str) -> None:
        acts.say(self.telegram.world, self.chat, text)

    def block(self, *, blocked: bool) -> None:
        acts.set_blocked(self.telegram.world, self.chat, blocked=blocked)

    def delete_message(self) -> None:
        acts.delete(self.telegram.world, self.chat, self.message_id)

    async def killed_at(self, point: str, ends: frozenset[State], outside: "asyncio.Task[None]") -> "Death":
        """Lets a shop run until it dies there. Errors: NotReached."""
        trace = self.folder / "trace"
        trace.touch()
        process = await self._start("killed.log", {CRASH_AT: point, TRACE: str(trace)})
        await self._watch(process, ends, outside)
        await self.forget_webhook()
        try:
            await asyncio.wait_for(process.wait(), LAST_BREATH_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise NotReached(f"{point} is not on this way:\n{trace.read_text(encoding='utf-8')}") from None
        name, transaction = trace.read_text(encoding="utf-8").splitlines()[-1].split()
        return Death(process.returncode or 0, name, None if transaction == "-" else transaction)

    async def finished(self, ends: frozenset[State], outside: "asyncio.Task[None]") -> None:
        """Lets another shop work until there is nothing left to do."""
        process = await self._start("another.log", {})
        await self._watch(process, ends, outside)
        assert process.returncode is None, (self.folder / "another.log").read_text(encoding="utf-8")
        process.kill()
        await process.wait()

    async def forget_webhook(self) -> None:
        """Telegram waits for the next shop to be open, rather than for the seconds that an opening one asks for."""
        bot = self.telegram.world.bots[BOT_ID]
        await stop_pushing(bot)
        bot.webhook = None

    async def an_hour_passes(self, *, nobody_at_work: bool) -> None:
        await self.sql(AN_HOUR_PASSES)
        if nobody_at_work:
            await self.sql(WITH_NOBODY_AT_WORK)

    async def _start(self, log: str, more: dict[str, str]) -> Started:
        environment = {"PATH": os.environ["PATH"], **self.settings, **more}
        with (self.folder / log).open("wb") as output:
            return await self.starter.start("run", folder=self.folder, environment=environment, stdout=output.fileno())

    async def _watch(self, process: Started, ends: frozenset[State], outside: "asyncio.Task[None]") -> None:
        """Until the process has ended, or the order has come to one of these ends and nothing is left to do."""
        async with asyncio.timeout(PATIENCE_S):
            while process.returncode is None:
                if outside.done() and await self._is_idle():
                    order = await self.generation()
                    if is_over(order, ends):
                        return
                    assert order.delivered_at is None, f"{order.state} is no end of this story"
                    await self.an_hour_passes(nobody_at_work=False)
                await asyncio.sleep(LOOK_S)

    async def _is_idle(self) -> bool:
        if len(self.telegram.world.bots[BOT_ID].queue):
            return False
        async with self.db.reading() as tx:
            idle: bool = await tx.fetchval(IDLE)
        return idle

    async def generation(self) -> Generation:
        async with self.db.reading() as tx:
            found = await store.get(tx, self.order)
        assert found is not None
        return found

    async def fate_of(self, transaction: str) -> str:
        """What PostgreSQL says of a transaction whose client was killed: committed or aborted."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with self.db.reading() as tx:
                    fate: str = await tx.fetchval("SELECT pg_xact_status($1::text::xid8)", transaction)
                if fate != "in progress":
                    return fate
                await asyncio.sleep(LOOK_S)

    async def broken_invariants(self) -> list[str]:
        async with self.db.reading() as tx:
            return [finding.invariant.name for finding in await audit(tx) if finding.broken]

    async def money(self) -> tuple[int, int]:
        """Available and held kopecks."""
        customer = (await self.generation()).customer_id
        async with self.db.reading() as tx:
            wallet = await ledger.wallet(tx, customer)
        return wallet.available_kopecks, wallet.held_kopecks

    async def parked_jobs(self) -> int:
        async with self.db.reading() as tx:
            count: int = await tx.fetchval("SELECT count(*) FROM pgqueuer WHERE status = 'failed'")
        return count

    def shown(self) -> list[dict[str, Any]]:
        """What the bot has in the chat, as the customer sees it."""
        return [message_view(self.chat, message) for message in self.chat.messages.values() if message.from_bot]


class NotReached(AssertionError):  # noqa: N818 - it states a fact
    """The shop came to rest without dying; the message tells what it passed."""


@dataclass(frozen=True)
class Death:
    """`transaction` is the one that was open, or that had just been committed."""

    code: int
    point: str
    transaction: str | None


def is_over(order: Generation, ends: frozenset[State]) -> bool:
    """Nothing is owed to anybody."""
    return order.state in ends and (order.delivered_at is not None or order.state not in (State.DONE, State.FAILED))


@contextlib.asynccontextmanager
async def a_stage(dsn: str, starter: Starter, folder: Path) -> AsyncIterator[Stage]:
    """A customer with money in front of a card; no shop runs yet."""
    port = free_port()
    telegram = TelegramSandbox(TelegramOptions(time_scale=0.02))
    kie = KieSandbox(KieOptions(time_scale=0.001, create_limit=None, poll_limit_per_s=None, newer_keys=True))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(telegram)
        await stack.enter_async_context(kie)
        settings = {
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "BOT_MODE": "webhook",
            "WEBHOOK_BASE_URL": f"http://127.0.0.1:{port}",
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "DATABASE_URL": dsn,
            "DATABASE_POOL_SIZE": "4",
            "LINE_DEADLINE_S": str(DEADLINE_S),
            "IMAGE_DEADLINE_S": str(DEADLINE_S),
            "PROVIDER_CREATES": str(CREATES),
            "ALLOW_PRIVATE_LINKS": "true",
        }
        db = await stack.enter_async_context(await Database.connect(dsn, max_size=4))
        chosen = load_settings({name.lower(): value for name, value in settings.items()}, env_file=None)
        own = await build(stack, chosen, db, dsn)
        order, message_id = await a_customer_at_the_card(telegram, db)
        yield Stage(db, telegram, kie, own, starter, folder, settings, order, message_id)


async def a_customer_at_the_card(telegram: TelegramSandbox, db: Database) -> tuple[int, int]:
    """The order-to-be and its message."""
    telegram.world.bot_of(BOT_TOKEN)
    chat = telegram.world.chat(BOT_ID, CUSTOMER)
    chat.started = True
    card = telegram.world.send(chat, {"text": "Z-Image"})
    async with db.transaction() as tx:
        await remember_bot(tx, BOT, "kiosk_sandbox_bot")
        customer = await arrive(tx, a_visitor(CUSTOMER), 0)
        await ledger.adjust(tx, customer.id, FUNDS, "test")
        order = await a_card(tx, customer.id, price=PRICE, chat_id=CUSTOMER, message_id=card.message_id)
    return order, card.message_id
