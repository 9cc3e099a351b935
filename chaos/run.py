"""The run: replicas behind a balancer, customers before it, faults everywhere; its last line is the verdict."""

import argparse
import asyncio
import contextlib
import json
import logging
import os
import shutil
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from chaos import hostility
from chaos.balancer import Balancer
from chaos.breakages import BREAKAGES, NothingToBreak, broken_copy
from chaos.customers import Diary, come_back, crowd, look_on
from chaos.database import NoDatabase, Witness, postgres
from chaos.nemesis import Nemesis, Tempo, schedule
from chaos.proxy import TcpProxy
from chaos.replicas import NotReady, Replica
from chaos.starter import Starter
from chaos.verdict import Evidence, Verdict, as_json, judge
from sandbox.guard import refuse_production
from sandbox.kie import KieSandbox
from sandbox.kie.options import KieOptions
from sandbox.shopkeeper import BOT_ID, BOT_TOKEN, KIE_KEY, Shop, free_port
from sandbox.telegram import TelegramOptions, TelegramSandbox
from sandbox.telegram.views import chat_view

WELCOME_RUB: Final = 100
KOPECKS_PER_RUB: Final = 100
LONG_GENERATIONS: Final = 1000
MESSAGES: Final = 5_000
QUIET_S: Final = 2.0
LOOK_S: Final = 0.5
WORD_EVERY_S: Final = 10.0
BUY_S_PER_ORDER: Final = 20.0  # how long customers may take at most, on average
SHOP_SETTINGS: Final = {
    "BOT_MODE": "webhook",
    "HOST": "127.0.0.1",
    "SINGLE_MODEL_ONLY": "true",
    "DATABASE_POOL_SIZE": "6",
    "WELCOME_BALANCE_RUB": str(WELCOME_RUB),
    "SUBMIT_GRACE_S": "4",
    "POLL_FIRST_S": "1",
    "LINE_DEADLINE_S": "25",
    "IMAGE_DEADLINE_S": "25",
}
# The last line is for programs; everything else goes to the other stream.
say = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for; `rest_s` is how long the shop may take to finish once it is left alone."""

    seed: int = 1
    generations: int = 40
    replicas: int = 3
    customers: int = 8
    rest_s: float = 240.0
    calm: bool = False  # no nemesis: only the stand-ins are hostile
    breakage: str | None = None
    data: Path = Path(".chaos")
    tempo: Tempo = field(default_factory=Tempo)


@dataclass(slots=True)
class Stage:
    """Everything that runs."""

    telegram: TelegramSandbox
    kie: KieSandbox
    replicas: Sequence[Replica]
    proxy: TcpProxy
    witness: Witness
    nemesis: Nemesis
    books: Shop  # for commands of an operator, who reaches the database directly


async def run(options: Options) -> tuple[dict[str, Any], Verdict]:
    """The report, and the verdict that it sums up. Errors: NoDatabase, NotReady, NothingToBreak."""
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
        if not rested:
            verdict.complain(f"the shop did not come to rest within {options.rest_s:g} s")
        report = summary(options, stage, diary, verdict) | {"seconds": round(time.monotonic() - started_s, 1)}
        keep(folder / "evidence.json", evidence)
    return report, verdict


@contextlib.asynccontextmanager
async def staged(options: Options, folder: Path) -> AsyncIterator[Stage]:
    """Starts everything, waits until every replica is ready, and stops it in reverse."""
    copies = [broken_copy(options.breakage, folder / "broken")] if options.breakage else []
    telegram = TelegramSandbox(TelegramOptions(seed=options.seed, time_scale=0.3))
    kie = KieSandbox(KieOptions(seed=options.seed, time_scale=0.02, newer_keys=True, mixed_states=True))
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(telegram)
        await stack.enter_async_context(kie)
        dsn = await stack.enter_async_context(
            postgres(folder / "postgres", folder / "postgres.log", Shop(folder, {}).environment)
        )
        address = urlsplit(dsn)
        proxy = await stack.enter_async_context(TcpProxy(str(address.hostname), address.port or 0))
        ports = distinct_ports(options.replicas)
        balancer = await stack.enter_async_context(Balancer(ports))
        settings = {
            **SHOP_SETTINGS,
            **({"PYTHONPATH": str(copies[0])} if copies else {}),
            "TELEGRAM_BOT_TOKEN": BOT_TOKEN,
            "TELEGRAM_BASE_URL": telegram.base_url,
            "KIE_API_KEY": KIE_KEY,
            "KIE_BASE_URL": kie.api_url,
            "KIE_UPLOAD_URL": kie.upload_url,
            "WEBHOOK_BASE_URL": balancer.url,
        }
        through_proxy = {**settings, "DATABASE_URL": with_port(dsn, proxy.listens_on)}
        starter = await stack.enter_async_context(Starter(pythonpath=copies))
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
        witness = Witness(dsn)
        opened_s = time.monotonic()
        nemesis = Nemesis(
            replicas, proxy, witness, lambda text: say.print(f"[dim]{time.monotonic() - opened_s:6.1f} s  {text}[/dim]")
        )
        yield Stage(telegram, kie, replicas, proxy, witness, nemesis, Shop(folder, {**settings, "DATABASE_URL": dsn}))
        step("Closing")
        await asyncio.gather(*(replica.stop() for replica in replicas))


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
    for fault in hostility.of_the_provider():
        stage.kie.faults.add(fault)
    for fault in hostility.of_telegram():
        stage.telegram.faults.add(fault)
    step(f"{options.customers} customers buy {options.generations} pictures")
    looking = asyncio.create_task(look_on(stage.telegram, diary))
    raging = asyncio.create_task(
        asyncio.sleep(0) if options.calm else stage.nemesis.rage(schedule(options.seed, options.tempo))
    )
    try:
        with watched(stage, diary):
            async with asyncio.timeout(60 + BUY_S_PER_ORDER * options.generations):
                await crowd(stage.telegram, diary, options.seed, options.customers)
    except TimeoutError:
        step("The customers ran out of patience")
    finally:
        raging.cancel()
        looking.cancel()
        bugs = await asyncio.gather(raging, looking, return_exceptions=True)
    for bug in bugs:
        if isinstance(bug, Exception):
            raise bug
    stage.kie.faults.clear()
    stage.telegram.faults.clear()
    for replica in stage.replicas:
        await replica.calm()
    step("Left alone: waiting until everything is final and delivered")
    began_s = time.monotonic()
    rested = await at_rest(stage, options.rest_s)
    step(f"At rest after {time.monotonic() - began_s:.1f} s" if rested else "No rest")
    return rested


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
        welcome_kopecks=WELCOME_RUB * KOPECKS_PER_RUB,
        audit=await audited(stage.books),
    )


def keep(path: Path, evidence: Evidence) -> None:
    """For whoever wants to know more than the verdict says; beside it lie the logs."""
    path.write_text(json.dumps(asdict(evidence), ensure_ascii=False, default=list, indent=1), encoding="utf-8")


async def audited(books: Shop) -> Mapping[str, int]:
    """What `kiosk audit --json` says; it ends with 1 when an invariant is broken."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "kiosk",
        "audit",
        "--json",
        cwd=books.folder,
        env=books.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    out, _ = await process.communicate()
    try:
        return dict(json.loads(out))
    except ValueError:
        return {"audit_did_not_run": 1}


def summary(options: Options, stage: Stage, diary: Diary, verdict: Verdict) -> dict[str, Any]:
    """The last line."""
    return {
        **as_json(verdict),
        "kept": verdict.kept,
        "complaints": verdict.complaints,
        "kills": sum(replica.kills for replica in stage.replicas),
        "exits": sum(replica.exits for replica in stage.replicas),
        "nemesis": dict(stage.nemesis.dealt),
        "fresh_starts": diary.fresh_starts,
        "faults": {"telegram": stage.telegram.faults.struck(), "provider": stage.kie.faults.struck()},
        "seed": options.seed,
        "replicas": options.replicas,
        "breakage": options.breakage,
    }


def step(text: str) -> None:
    """One line of progress."""
    say.print(f"[dim]·[/dim] {text}…")


def show(report: Mapping[str, Any], verdict: Verdict) -> None:
    """The table at the end."""
    table = Table("what", "how many", title=f"seed {report['seed']}, {report['replicas']} replicas")
    for name, value in report.items():
        if isinstance(value, Mapping):
            shown = ", ".join(f"{key} {count}" for key, count in value.items())
        else:
            shown = str(value)
        table.add_row(name, shown)
    say.print(table)
    for complaint in verdict.complaints:
        say.print(f"[red]✗[/red] {complaint}", markup=True)
    say.print("[green]All as promised.[/green]" if verdict.kept else "[red]A promise was broken.[/red]")


def arguments(argv: Sequence[str] | None = None) -> Options:
    """What was asked for."""
    defaults = Options()
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=defaults.seed, help="of faults, nemesis and customers")
    parser.add_argument("--generations", type=int, default=None, metavar="N", help="confirmed orders (default 40)")
    parser.add_argument("--replicas", type=int, default=defaults.replicas, metavar="R", help="at least 2 (default 3)")
    parser.add_argument(
        "--customers", type=int, default=defaults.customers, metavar="C", help="side by side (default 8)"
    )
    parser.add_argument("--long", action="store_true", help=f"{LONG_GENERATIONS} orders")
    parser.add_argument("--calm", action="store_true", help="hostile stand-ins, but nothing is killed, stopped or cut")
    parser.add_argument("--rest-s", type=float, default=defaults.rest_s, help="to finish when left alone (default 240)")
    parser.add_argument("--break", dest="breakage", choices=sorted(BREAKAGES), help="run a broken copy: it must fail")
    parser.add_argument("--data", type=Path, default=defaults.data, metavar="DIR", help="made anew (default .chaos)")
    asked = vars(parser.parse_args(argv))
    long = asked.pop("long")
    asked["generations"] = asked["generations"] or (LONG_GENERATIONS if long else defaults.generations)
    if asked["replicas"] < 2 or asked["generations"] < 1 or asked["customers"] < 1:  # noqa: PLR2004 - one may be killed
        parser.error("there have to be two replicas, a customer and an order at least")
    return Options(**asked)


def is_worth_saying(record: logging.LogRecord) -> bool:
    """Not that a killed replica did not wait for its answer."""
    return record.exc_info is None or not isinstance(record.exc_info[1], ConnectionError)


def main() -> None:
    """Exit code 0 only when all is as promised; 1 when not, 2 when nothing could be judged."""
    options = arguments()
    refuse_production(os.environ)
    logging.getLogger("aiohttp.server").addFilter(is_worth_saying)
    try:
        report, verdict = asyncio.run(run(options))
    except (NoDatabase, NotReady, NothingToBreak, OSError) as problem:
        say.print(f"[red]The run cannot go on:[/red] {problem}")
        sys.exit(2)
    except KeyboardInterrupt:  # everything was closed in order on the way here
        sys.exit(130)
    show(report, verdict)
    print(json.dumps(report, ensure_ascii=False))  # noqa: T201 - for programs
    sys.exit(0 if verdict.kept else 1)


if __name__ == "__main__":
    main()
