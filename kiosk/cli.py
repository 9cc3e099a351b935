"""The `kiosk` command."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from typing import Annotated, Any, Final, TypeVar, assert_never

import typer
from rich.console import Console
from rich.table import Table

from kiosk import __version__, process
from kiosk.commands import legacy, models
from kiosk.commands.backup import backup, restore
from kiosk.commands.doctor import doctor
from kiosk.commands.generate import generate
from kiosk.commands.sanity import sanity
from kiosk.customers import store as customers
from kiosk.customers.store import Customer
from kiosk.db import Database, Tx
from kiosk.errors import CannotStart
from kiosk.generations import tasks
from kiosk.generations.refund import NoSuchGeneration, NothingTaken, RefundAnswer, Refunded
from kiosk.generations.refund import refund as give_back
from kiosk.generations.report import customer_report
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit as run_audit
from kiosk.log import Redactor, set_up_logging
from kiosk.money import to_kopecks, to_rub
from kiosk.operators import store as operators
from kiosk.operators.alerts import Raised
from kiosk.payments.topup import AlreadyRecorded, Contradicted, Credited, TopUp, top_up
from kiosk.role import Role
from kiosk.settings import Settings, load_settings

T = TypeVar("T")

MOST_RUB: Final = 1_000_000
LONGEST: Final = 200  # characters of what an operator writes into the books
TelegramId = Annotated[int, typer.Argument(min=1, max=2**52 - 1, help="The customer's number in Telegram.")]
BotId = Annotated[
    int | None,
    typer.Option(min=1, max=2**63 - 1, help="The bot's number; needed only where several bots know this person."),
]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.add_typer(models.app, name="models")
app.command("import-legacy")(legacy.import_legacy)
for command in (generate, sanity, doctor, backup, restore):
    app.command()(command)
out = Console()
err = Console(stderr=True)


def main() -> None:
    """Runs the command; what cannot start says so in one line and exits with 2."""
    try:
        app()
    except CannotStart as problem:
        shown = Redactor(()).text(str(problem))
        err.print(f"kiosk: {shown}", style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(2)


def with_database(use: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Runs `use` against the configured database, or the embedded one, with the schema brought up to date."""
    settings = load_settings()
    set_up_logging("warning", settings.secrets(), form=settings.log_format)

    async def run() -> T:
        async with process.open_database(settings) as db:
            return await use(db, settings)

    return asyncio.run(run())


@app.command()
def run() -> None:
    """Run the whole shop: web server, bot and worker in one process."""
    asyncio.run(process.run(load_settings(), Role.RUN))


@app.command()
def web() -> None:
    """Run what comes in: the port, webhooks or polling, callbacks. Orders are placed and delivered by a worker."""
    asyncio.run(process.run(load_settings(), Role.WEB))


@app.command()
def worker() -> None:
    """Run what goes out: jobs, sweeps, deliveries, alerts. Opens no port unless ENABLE_HEALTH_SERVER=true."""
    asyncio.run(process.run(load_settings(), Role.WORKER))


@app.command()
def demo(
    arguments: Annotated[list[str] | None, typer.Argument(help="Passed on; see --help of the demo.")] = None,
) -> None:
    """Run the shop on local stand-ins for Telegram and the provider; nothing is configured, nothing is paid."""
    if find_spec("sandbox") is None:
        raise CannotStart("the demo is part of the source tree: clone it and run `make demo`")
    raise typer.Exit(process.start_demo(arguments or []))


@app.command()
def migrate() -> None:
    """Bring the database's schema up to date."""

    async def use(_db: Database, _settings: Settings) -> None:
        out.print("The schema is up to date.")

    with_database(use)


@app.command()
def audit(as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False) -> None:
    """Prove the books: every invariant of money and generations. Exit code 1 when one is broken."""

    async def use(db: Database, _settings: Settings) -> tuple[Any, ...]:
        async with db.transaction(isolation="repeatable_read", readonly=True) as tx:
            return await run_audit(tx)

    findings = with_database(use)
    broken = [finding for finding in findings if finding.broken]
    if as_json:
        out.print_json(json.dumps({finding.invariant.name: finding.broken for finding in findings}))
    else:
        table = Table("invariant", "claim", "violations")
        for finding in findings:
            table.add_row(finding.invariant.name, finding.invariant.claim, str(finding.broken or "—"))
        out.print(table)
    for finding in broken:
        told = f"broken: {finding.invariant.name}: {'; '.join(finding.examples)}"
        err.print(told, style="red", highlight=False, markup=False, soft_wrap=True)
    if broken:
        raise typer.Exit(1)


@app.command()
def customer(
    telegram_id: TelegramId,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
    bot_id: BotId = None,
) -> None:
    """Show what the books say of a customer: balance, holds, and every generation with its money."""

    async def use(db: Database, _settings: Settings) -> dict[str, Any]:
        async with db.reading() as tx:
            return await customer_report(tx, bot_id or await the_only_bot(tx, telegram_id) or 0, telegram_id)

    report = with_database(use)
    if as_json:
        print(json.dumps(report, ensure_ascii=False))  # noqa: T201 - for programs: no wrapping, no colour
        return
    out.print(f"Balance {report['balance_rub']} ₽, on hold {report['held_rub']} ₽")
    table = Table("generation", "model", "state", "price ₽", "charged ₽", "refunded ₽", "created")
    keys = ("id", "model", "state", "price_rub", "charged_rub", "refunded_rub", "created_at")
    for row in report["generations"]:
        table.add_row(*(str(row[key]) for key in keys))
    out.print(table)


def rubles(text: str) -> Decimal:
    """An amount that is a whole number of kopecks. Errors: typer.BadParameter."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("nan")
    if not (amount.is_finite() and abs(amount) <= MOST_RUB and amount == round(amount, 2)):
        raise typer.BadParameter(f"must be an amount such as 100 or -5.50, at most {MOST_RUB}")
    return amount


def say(sentence: str) -> None:
    """One line as it is, however narrow the screen."""
    out.print(sentence, highlight=False, markup=False, soft_wrap=True)


def words(text: str) -> str:
    """What an operator calls something, on one line. Errors: typer.BadParameter."""
    said = " ".join(text.split())
    if not 0 < len(said) <= LONGEST:
        raise typer.BadParameter(f"must be 1 to {LONGEST} characters")
    return said


async def the_only_bot(tx: Tx, telegram_id: int) -> int | None:
    """The bot that knows this person; None: nobody does. Errors: CannotStart when several do."""
    known = await customers.bots_of(tx, telegram_id)
    if len(known) > 1:
        numbers = ", ".join(str(number) for number in known)
        raise CannotStart(f"{telegram_id} is a customer of several bots: say which with --bot-id, one of {numbers}")
    return known[0] if known else None


async def the_customer(tx: Tx, settings: Settings, bot_id: int | None, telegram_id: int) -> Customer:
    """Errors: CannotStart."""
    if bot_id is None and len(settings.bots) > 1:
        bot_id = await the_only_bot(tx, telegram_id)
    bot = bot_id or settings.bots[0].id
    found = await customers.find(tx, bot, telegram_id)
    if found is None:
        raise CannotStart(f"bot {bot} has no customer {telegram_id}: they have to press /start first")
    return found


@app.command(context_settings={"ignore_unknown_options": True})  # -5 is an amount
def adjust(
    telegram_id: TelegramId,
    rub: Annotated[Decimal, typer.Argument(parser=rubles, help="A negative amount is taken from the customer.")],
    reason: Annotated[str, typer.Option(help="Kept with the transfer.")],
    bot_id: BotId = None,
) -> None:
    """Give money to a customer, or take it back, with a reason that stays in the books."""
    amount = to_kopecks(rub)
    if not amount or not reason.strip():
        raise CannotStart("an adjustment needs an amount and a reason")

    async def use(db: Database, settings: Settings) -> int:
        async with db.transaction() as tx:
            found = await the_customer(tx, settings, bot_id, telegram_id)
            wallet = await ledger.lock(tx, found.id)
            if wallet.available_kopecks + amount < 0:
                raise CannotStart(f"the customer has only {wallet.available_kopecks / 100:.2f} ₽")
            await ledger.adjust(tx, found.id, amount, reason.strip())
            return wallet.available_kopecks + amount

    out.print(f"The balance is {with_database(use) / 100:.2f} ₽ now.")


@app.command()
def topup(
    telegram_id: TelegramId,
    rub: Annotated[Decimal, typer.Argument(parser=rubles, help="What was paid.")],
    method: Annotated[str, typer.Option(parser=words, help="How it was paid, such as bank or card.")],
    reference: Annotated[str, typer.Option(parser=words, help="The number of the payment, as its method counts.")],
    bot_id: BotId = None,
) -> None:
    """Record a payment of a customer, and credit it. The same payment counts once, however often it is recorded."""
    amount = to_kopecks(rub)
    if amount <= 0:
        raise CannotStart("a top-up needs an amount above 0")

    async def use(db: Database, settings: Settings) -> TopUp:
        async with db.transaction() as tx:
            found = await the_customer(tx, settings, bot_id, telegram_id)
            return await top_up(tx, found.id, method=method, reference=reference, amount_kopecks=amount)

    match with_database(use):
        case Credited(available_kopecks=kopecks):
            say(f"The balance is {to_rub(kopecks)} ₽ now. The bot does not tell the customer.")
        case AlreadyRecorded(payment=known):
            say(f"Already recorded at {known.created_at:%Y-%m-%d %H:%M:%S} UTC. Nothing changed.")
        case Contradicted(payment=known):
            whose = "" if known.amount_kopecks != amount else " for another customer"
            raise CannotStart(
                f"payment {known.reference} by {known.method} was recorded at {known.created_at:%Y-%m-%d %H:%M:%S} UTC "
                f"with {to_rub(known.amount_kopecks)} ₽{whose}; nothing changed"
            )
        case other:
            assert_never(other)


@app.command()
def refund(
    generation: Annotated[int, typer.Argument(min=1, max=2**63 - 1, help="Its number, as `kiosk customer` shows it.")],
    reason: Annotated[str, typer.Option(parser=words, help="Kept with the transfer.")],
) -> None:
    """Give back what a result cost: all of it, once. Refuses where nothing was taken."""

    async def use(db: Database, _settings: Settings) -> RefundAnswer:
        return await give_back(db, generation, reason)

    match with_database(use):
        case Refunded(refund=made, earlier=True):
            given = f"{to_rub(made.amount_kopecks)} ₽, {made.reason}"
            say(f"Already refunded at {made.created_at:%Y-%m-%d %H:%M:%S} UTC: {given}. Nothing changed.")
        case Refunded(refund=made, available_kopecks=kopecks):
            given = f"{to_rub(made.amount_kopecks)} ₽ went back"
            say(f"{given}, the balance is {to_rub(kopecks)} ₽ now. The bot does not tell the customer.")
        case NothingTaken(why=why):
            raise CannotStart(f"generation {generation} cannot be refunded: {why.value}")
        case NoSuchGeneration():
            raise CannotStart(f"there is no generation {generation}")
        case other:
            assert_never(other)


@app.command()
def orphans() -> None:
    """List callbacks of the provider that fit no generation."""

    async def use(db: Database, _settings: Settings) -> tuple[tasks.Orphan, ...]:
        async with db.reading() as tx:
            return await tasks.orphans(tx, limit=100)

    table = Table("task", "received")
    for orphan in with_database(use):
        table.add_row(orphan.task_id, orphan.received_at.isoformat(timespec="seconds"))
    out.print(table)


@app.command()
def alerts(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")] = False,
) -> None:
    """List what operators were told of, or are about to be: the last raised first."""

    async def use(db: Database, _settings: Settings) -> Sequence[Raised]:
        async with db.reading() as tx:
            return await operators.latest(tx, limit=100)

    rows = [_alert_row(raised) for raised in with_database(use)]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))  # noqa: T201 - for programs: no wrapping, no colour
        return
    table = Table("raised", "kind", "times", "untold", "what")
    for row in rows:
        what = ", ".join(f"{name} {value}" for name, value in row["values"].items())
        table.add_row(row["raised_at"], row["kind"], str(row["count"]), str(row["untold"]), what)
    out.print(table)


def _alert_row(raised: Raised) -> dict[str, Any]:
    return {
        "kind": raised.alert.kind.value,
        "subject": raised.alert.subject,
        "values": dict(raised.alert.values),
        "count": raised.count,
        "untold": raised.untold,
        "raised_at": raised.raised_at.isoformat(timespec="seconds"),
        "told_at": raised.told_at.isoformat(timespec="seconds") if raised.told_at else None,
    }


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__)


if __name__ == "__main__":
    main()
