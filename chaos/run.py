"""The run: replicas behind a balancer, customers before it, faults everywhere; its last line is the verdict."""

import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chaos import hostility, points, scale
from chaos.balancer import Balancer
from chaos.breakages import NothingToBreak, broken_copy
from chaos.customers import Diary, come_back, crowd, look_on
from chaos.database import NoDatabase, Server, Witness
from chaos.nemesis import Nemesis, schedule
from chaos.options import Options, read_options
from chaos.proxy import TcpProxy
from chaos.replicas import NotReady, Replica
from chaos.report import keep, never_struck, say, show, step
from chaos.starter import Starter, StarterDied
from chaos.verdict import Evidence, Verdict, as_json, judge
from sandbox.guard import refuse_production
from sandbox.kie import KieSandbox
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, Shop, free_port
from sandbox.telegram import TelegramSandbox
from sandbox.telegram.views import chat_view

KOPECKS_PER_RUB: Final = 100
MESSAGES: Final = 5_000
QUIET_S: Final = 2.0
LOOK_S: Final = 0.5
WORD_EVERY_S: Final = 10.0


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    telegram: TelegramSandbox
    kie: KieSandbox
    replicas: Sequence[Replica]
    starter: Starter
    server: Server
    witness: Witness
    nemesis: Nemesis
    books: Shop  # for commands of an operator, who reaches the database directly


async def run(options: Options) -> tuple[dict[str, Any], Verdict]:
    """The report, and the verdict that it sums up. Errors: NoDatabase, NotReady, NothingToBreak, StarterDied."""
    started_s = time.monotonic()
    folder = options.data.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o711)  # under root PostgreSQL is another user, who has to walk through
    diary = Diary(options.generations)
    async with staged(options, folder) as stage:
        rested = await play(options, stage, diary)
        evidence = await collect(stage, diary)
        verdict = judge(evidence)
        if not diary.complete:
            verdict.complain(f"the shop took {len(diary.confirmed)} orders, and then none for long")
        if not rested:
            verdict.complain(f"the shop did not come to rest within {options.rest_s:g} s")
        report = summary(options, stage, diary, verdict) | {"seconds": round(time.monotonic() - started_s, 1)}
        keep(folder / "evidence.json", evidence)
    return report, verdict


@contextlib.asynccontextmanager
async def staged(options: Options, folder: Path) -> AsyncIterator[Stage]:
    """Starts everything, waits until every replica is ready, and stops it in reverse."""
    copies = [broken_copy(options.breakage, folder / "broken")] if options.breakage else []
    async with contextlib.AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(TelegramSandbox(scale.telegram_options(options.seed)))
        kie = await stack.enter_async_context(KieSandbox(scale.kie_options(options.seed)))
        starter = await stack.enter_async_context(Starter(pythonpath=copies, hooks=[points.__name__]))
        server = await stack.enter_async_context(
            Server(folder / "postgres", folder / "postgres.log", Shop(folder, {}).environment)
        )
        proxy = await stack.enter_async_context(TcpProxy(server.port))
        ports = distinct_ports(options.replicas)
        balancer = await stack.enter_async_context(Balancer(ports))
        settings = {
            **scale.SHOP_SETTINGS,
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "WEBHOOK_BASE_URL": balancer.url,
        }
        through_proxy = {**settings, "DATABASE_URL": with_port(server.dsn, proxy.listens_on)}
        replicas = [
            Replica(number, Shop(folder / f"replica-{number}", {**through_proxy, "PORT": str(port)}), starter)
            for number, port in enumerate(ports, start=1)
        ]
        step(f"Starting {len(replicas)} replicas")
        for replica in replicas:
            stack.push_async_callback(replica.stop)
            replica.start()
        for replica in replicas:
            await replica.ready()
        witness = Witness(server)
        names = [point.name for point in points.points_of_code(*copies)]
        nemesis = Nemesis(replicas, server, proxy, witness, names, teller())
        yield Stage(telegram, kie, replicas, starter, server, witness, nemesis, Shop(folder, settings))
        step("Closing")
        await asyncio.gather(*(replica.stop() for replica in replicas))


def teller() -> Callable[[str], None]:
    """Says what happens, with the seconds since now."""
    opened_s = time.monotonic()
    return lambda text: say.print(f"[dim]{time.monotonic() - opened_s:6.1f} s  {text}[/dim]", soft_wrap=True)


def distinct_ports(count: int) -> list[int]:
    """Free ports of the loopback interface."""
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port())
    return sorted(ports)


def with_port(dsn: str, port: int) -> str:
    """The same address at another port of this machine."""
    address = urlsplit(dsn)
    return urlunsplit(address._replace(netloc=f"{address.netloc.rpartition('@')[0]}@127.0.0.1:{port}"))


async def play(options: Options, stage: Stage, diary: Diary) -> bool:
    """Customers buy under fire until enough is confirmed; then all is left alone. Whether the shop came to rest."""
    for fault in hostility.of_the_provider(options.generations):
        stage.kie.faults.add(fault)
    for fault in hostility.of_telegram():
        stage.telegram.faults.add(fault)
    step(f"{options.customers} customers buy {options.generations} pictures")
    async with beside(look_on(stage.telegram, diary)):  # to the very end: a card may come late
        await buy(options, stage, diary)
        stage.kie.faults.clear()
        stage.telegram.faults.clear()
        step("Left alone: waiting until everything is final and delivered")
        began_s = time.monotonic()
        rested = await at_rest(stage, options.rest_s)
    step(f"At rest after {time.monotonic() - began_s:.1f} s" if rested else "No rest")
    return rested


async def buy(options: Options, stage: Stage, diary: Diary) -> None:
    """Customers and the nemesis, until enough is confirmed."""
    raging = asyncio.sleep(0) if options.calm else stage.nemesis.rage(schedule(options.seed, options.tempo))
    async with beside(spare_the_end(stage, diary), raging):
        with watched(stage, diary):
            await crowd(stage.telegram, diary, options.seed, options.customers)


@contextlib.asynccontextmanager
async def beside(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """These run while the block does; what went wrong in one is raised after it."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        bugs = await asyncio.gather(*tasks, return_exceptions=True)
    for bug in bugs:
        if isinstance(bug, Exception):
            raise bug


async def spare_the_end(stage: Stage, diary: Diary) -> None:
    """What comes hours late comes from orders of the first half alone, or the end is spent on waiting for it."""
    while 2 * len(diary.confirmed) < diary.target:  # noqa: ASYNC110 - customers are waited for
        await asyncio.sleep(LOOK_S)
    stage.kie.faults.disarm(hostility.HOURS_LATE)


@contextlib.contextmanager
def watched(stage: Stage, diary: Diary) -> Any:
    """A bar of confirmed orders while the block runs."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=say, transient=True) as progress:
        bar = progress.add_task("confirmed", total=diary.target)

        async def move() -> None:
            while True:
                kills = sum(replica.kills for replica in stage.replicas)
                progress.update(bar, completed=len(diary.confirmed), description=f"confirmed, {kills} kills")
                await asyncio.sleep(LOOK_S)

        moving = asyncio.create_task(move())
        try:
            yield
        finally:
            moving.cancel()


async def at_rest(stage: Stage, within_s: float) -> bool:
    """Everything final, delivered, announced and handled, and so for a while. Customers taken for gone come back."""
    loop = asyncio.get_running_loop()
    give_up_s = loop.time() + within_s
    quiet_since_s: float | None = None
    word_s = 0.0
    while loop.time() < give_up_s:
        if loop.time() >= word_s:
            await come_back(stage.telegram, sorted(await stage.witness.blocked()))
            word_s = loop.time() + WORD_EVERY_S
        if await busy(stage):
            quiet_since_s = None
        elif quiet_since_s is None:
            quiet_since_s = loop.time()
        elif loop.time() - quiet_since_s >= QUIET_S:
            return True
        await asyncio.sleep(LOOK_S)
    return False


async def busy(stage: Stage) -> bool:
    """Whether anybody still has something to do for an order."""
    tasks = stage.kie.provider.desk.tasks.values()
    at_provider = any(task.callback_open and task.script.ending != "never" for task in tasks)
    at_telegram = any(len(bot.queue) for bot in stage.telegram.world.bots.values())
    return at_provider or at_telegram or bool(await stage.witness.unfinished())


async def collect(stage: Stage, diary: Diary) -> Evidence:
    """Looks at everything from outside."""
    world = stage.telegram.world
    chats = {
        user_id: chat_view(world.bots[bot_id], chat, MESSAGES)["messages"]
        for (bot_id, user_id), chat in world.chats.items()
        if bot_id == BOT_ID
    }
    return Evidence(
        diary=diary,
        chats=chats,
        creates=dict(stage.kie.provider.desk.creates_by_url),
        orders=await stage.witness.orders(),
        wallets=await stage.witness.wallets(),
        welcome_kopecks=scale.WELCOME_RUB * KOPECKS_PER_RUB,
        audit=await audited(stage),
        strays=dict(stage.kie.provider.callbacks.stats.strays),
    )


async def audited(stage: Stage) -> Mapping[str, int]:
    """What `kiosk audit --json` says; it ends with 1 when an invariant is broken."""
    said, complained = (stage.books.folder / f"audit.{name}" for name in ("json", "log"))
    environment = {**stage.books.environment, "DATABASE_URL": stage.server.dsn}
    with said.open("wb") as out, complained.open("wb") as err:
        process = await stage.starter.start(
            "audit",
            "--json",
            folder=stage.books.folder,
            environment=environment,
            stdout=out.fileno(),
            stderr=err.fileno(),
        )
    await process.wait()
    try:
        return dict(json.loads(said.read_text(encoding="utf-8")))
    except ValueError:
        return {"audit_did_not_run": 1}


def summary(options: Options, stage: Stage, diary: Diary, verdict: Verdict) -> dict[str, Any]:
    """The last line."""
    struck = hostility.by_class(
        stage.kie.faults.struck_at(),
        stage.telegram.faults.struck_at(),
        blocks=diary.blocks,
        deletions=len(diary.deleted),
    )
    return {
        **as_json(verdict),
        "kept": verdict.kept,
        "complaints": verdict.complaints,
        "kills": sum(replica.kills for replica in stage.replicas),
        "points": sum(len(replica.deaths) for replica in stage.replicas),
        "exits": sum(replica.exits for replica in stage.replicas),
        "nemesis": dict(stage.nemesis.dealt),
        "struck": struck,
        "never_struck": never_struck(options, struck, stage.nemesis.dealt),
        "provider_429s": stage.kie.provider.creates.refused,
        "fresh_starts": diary.fresh_starts,
        "seed": options.seed,
        "replicas": options.replicas,
        "breakage": options.breakage,
    }


def is_worth_saying(record: logging.LogRecord) -> bool:
    """Not that a killed replica did not wait for its answer."""
    return record.exc_info is None or not isinstance(record.exc_info[1], ConnectionError)


def main() -> None:
    """Exit code 0 only when all is as promised; 1 when not, 2 when nothing could be judged."""
    options = read_options()
    refuse_production(os.environ)
    logging.getLogger("aiohttp.server").addFilter(is_worth_saying)
    try:
        report, verdict = asyncio.run(run(options))
    except (NoDatabase, NotReady, NothingToBreak, StarterDied, OSError) as problem:
        say.print(f"[red]The run cannot go on:[/red] {problem}")
        sys.exit(2)
    except KeyboardInterrupt:  # everything was closed in order on the way here
        sys.exit(130)
    show(report, verdict)
    print(json.dumps(report, ensure_ascii=False))  # noqa: T201 - for programs
    sys.exit(0 if verdict.kept else 1)


if __name__ == "__main__":
    main()
