"""The `kiosk` command."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from importlib.util import find_spec
from typing import Annotated, Any, Final, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from kiosk import __version__, process
from kiosk.catalog.shelf import default_shelf
from kiosk.customers import store as customers
from kiosk.db import Database
from kiosk.errors import CannotStart
from kiosk.generations import tasks
from kiosk.generations.report import customer_report
from kiosk.ledger import store as ledger
from kiosk.ledger.audit import audit as run_audit
from kiosk.log import Redactor, set_up_logging
from kiosk.money import to_kopecks
from kiosk.settings import Settings, load_settings

T = TypeVar("T")

MOST_RUB: Final = 1_000_000
TelegramId = Annotated[int, typer.Argument(min=1, max=2**52 - 1, help="The customer's number in Telegram.")]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
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
    set_up_logging("warning", settings.secrets())

    async def run() -> T:
        async with process.open_database(settings) as db:
            return await use(db, settings)

    return asyncio.run(run())


@app.command()
def run() -> None:
    """Run the whole shop: web server, bot and worker in one process."""
    asyncio.run(process.run(load_settings()))


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
) -> None:
    """Show what the books say of a customer: balance, holds, and every generation with its money."""

    async def use(db: Database, _settings: Settings) -> dict[str, Any]:
        async with db.reading() as tx:
            return await customer_report(tx, telegram_id)

    report = with_database(use)
    if as_json:
        print(json.dumps(report, ensure_ascii=False))  # noqa: T201 - for programs: no wrapping, no colour
        return
    out.print(f"Balance {report['balance_rub']} ₽, on hold {report['held_rub']} ₽")
    table = Table("generation", "model", "state", "price ₽", "charged ₽", "created")
    for row in report["generations"]:
        table.add_row(*(str(row[key]) for key in ("id", "model", "state", "price_rub", "charged_rub", "created_at")))
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


@app.command(context_settings={"ignore_unknown_options": True})  # -5 is an amount
def adjust(
    telegram_id: TelegramId,
    rub: Annotated[Decimal, typer.Argument(parser=rubles, help="A negative amount is taken from the customer.")],
    reason: Annotated[str, typer.Option(help="Kept with the transfer.")],
    bot_id: Annotated[int | None, typer.Option(help="Needed only when there are several bots.")] = None,
) -> None:
    """Give money to a customer, or take it back, with a reason that stays in the books."""
    amount = to_kopecks(rub)
    if not amount or not reason.strip():
        raise CannotStart("an adjustment needs an amount and a reason")

    async def use(db: Database, settings: Settings) -> int:
        bot = bot_id or int(settings.bot_token().partition(":")[0])
        async with db.transaction() as tx:
            found = await customers.find(tx, bot, telegram_id)
            if found is None:
                raise CannotStart(f"bot {bot} has no customer {telegram_id}: they have to press /start first")
            wallet = await ledger.lock(tx, found.id)
            if wallet.available_kopecks + amount < 0:
                raise CannotStart(f"the customer has only {wallet.available_kopecks / 100:.2f} ₽")
            await ledger.adjust(tx, found.id, amount, reason.strip())
            return wallet.available_kopecks + amount

    out.print(f"The balance is {with_database(use) / 100:.2f} ₽ now.")


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
def models() -> None:
    """List the catalog: what is sold, and why the rest is not."""
    shelf = default_shelf()
    table = Table("model", "type", "sold")
    for model in shelf.models:
        reason = shelf.why_not_sold(model)
        table.add_row(model.id, model.type, "yes" if reason is None else reason.value)
    out.print(table)


@app.command()
def version() -> None:
    """Print the version."""
    out.print(__version__)


if __name__ == "__main__":
    main()
