"""`kiosk import-legacy`: an earlier bot's customers, money and orders into this shop."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid

from kiosk import process
from kiosk.assortment import patience
from kiosk.db import Database
from kiosk.errors import BadSettings
from kiosk.legacy import store
from kiosk.legacy.bring import Import
from kiosk.legacy.holdings import Outcome
from kiosk.legacy.plan import Terms
from kiosk.legacy.source import open_source
from kiosk.legacy.tally import line
from kiosk.log import Redactor, set_up_logging
from kiosk.parts import the_shelf
from kiosk.settings import Settings, load_settings, with_parts

out = Console(markup=False, highlight=False)  # what is told is not markup
err = Console(stderr=True, markup=False, highlight=False)


def import_legacy(
    address: Annotated[
        str,
        typer.Argument(
            metavar="DATABASE_URL",
            envvar="LEGACY_DATABASE_URL",
            show_default=False,
            help="The earlier bot's database; nothing is written to it.",
        ),
    ],
    bot_id: Annotated[int | None, typer.Option(min=1, help="Without it, that of TELEGRAM_BOT_TOKEN.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="The whole report, and nothing is written.")] = False,
    report: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A JSON line for every row that was not taken, and why.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of tables.")] = False,
    keep_holds: Annotated[
        bool, typer.Option("--keep-holds", help="Give no hold back of which the ledger proves nothing.")
    ] = False,
) -> None:
    """Bring an earlier bot's users, balances, jobs and payments over. Started again, it goes on where it was.

    Exit code 1 when something does not add up.
    """
    settings = load_settings()
    redactor = Redactor((*settings.secrets(), *with_parts(address)))
    set_up_logging("warning", (*settings.secrets(), *with_parts(address)))
    bot = bot_id or int(settings.bot_token().partition(":")[0])

    async def run(file: TextIO | None) -> tuple[dict[str, Any], list[str]]:
        async with process.open_database(settings) as db, open_source(address, redactor) as source:
            counts = await source.counts()
            with _progress(as_json=as_json) as progress:
                task = progress.add_task("rows", total=sum(counts.values()))

                def tell(outcome: Outcome, fresh: bool) -> None:
                    progress.advance(task)
                    if file and outcome.why:
                        print(json.dumps({**line(outcome), "fresh": fresh}, ensure_ascii=False), file=file)

                terms = await _terms(db, settings, bot, trust_holds=not keep_holds)
                work = Import(db, source, terms, write=not dry_run, tell=tell)
                problems = await work.run()
        return {"bot_id": bot, "dry_run": dry_run, **work.tally.report(), "problems": problems}, problems

    with ExitStack() as stack:
        told, problems = asyncio.run(run(stack.enter_context(_opened(report)) if report else None))
    if as_json:
        print(json.dumps(told, ensure_ascii=False))  # noqa: T201 - for programs: no wrapping, no colour
    else:
        _show(told)
    for problem in problems:
        err.print(f"does not add up: {problem}", style="red", soft_wrap=True)
    if problems:
        raise typer.Exit(1)


async def _terms(db: Database, settings: Settings, bot_id: int, *, trust_holds: bool) -> Terms:
    async with db.reading() as tx:
        now = await store.now(tx)
    return Terms(
        bot_id,
        now,
        the_shelf(settings),
        patience(settings),
        trust_holds=trust_holds,
    )


def _opened(path: Path) -> TextIO:
    """Errors: BadSettings."""
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise BadSettings("--report", f"{path} cannot be written: {error.strerror}") from None


def _progress(*, as_json: bool) -> Progress:
    """Beside the answer, and only where somebody looks."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        disable=as_json or not err.is_terminal,
    )


def _show(told: Mapping[str, Any]) -> None:
    rows = Grid("table", "rows", "taken", "not taken")
    for name, counts in told["tables"].items():
        rows.add_row(name, str(counts["rows"]), str(counts["taken"]), str(counts["not_taken"]))
    out.print(rows)
    if told["reasons"]:
        reasons = Grid("table", "rows", "taken", "told ₽", "brought ₽", "why")
        for one in told["reasons"]:
            taken = "yes" if one["taken"] else "no"
            money = (one["told_rub"], one["brought_rub"])
            reasons.add_row(one["table"], str(one["rows"]), taken, *money, f"{one['why']}: {one['meaning']}")
        out.print(reasons)
    money = told["money"]
    out.print(
        f"{money['told_rub']} ₽ in the earlier books, {money['paid_ahead_rub']} ₽ paid ahead for what is still being "
        f"made, {money['not_brought_rub']} ₽ not brought (see above): {money['brought_rub']} ₽ brought.",
        soft_wrap=True,
    )
    if told["dry_run"]:
        out.print("A dry run: nothing was written.")
