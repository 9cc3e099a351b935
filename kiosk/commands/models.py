"""`kiosk models`: what the catalog holds, what is sold, and how another list differs. Needs no database."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from kiosk.catalog.model import Model
from kiosk.catalog.page import page as catalog_page
from kiosk.catalog.report import WHY_NOT, against_provider, credits_from, differences, facts, not_kept, number, sold
from kiosk.catalog.shelf import Shelf, UnknownModel, default_shelf, load_shelf
from kiosk.catalog.vocabulary import ModelType
from kiosk.errors import CannotStart
from kiosk.kie.client import KieClient
from kiosk.kie.errors import KieError
from kiosk.log import set_up_logging
from kiosk.settings import Settings, load_settings

SHOWN_CHARS: Final = 300  # of a fact in a table; voices alone are two thousand
Prices = Annotated[
    Path | None, typer.Option("--prices", exists=True, dir_okay=False, help="An operator's prices.yaml, applied first.")
]
app = typer.Typer(add_completion=False)
out = Console(markup=False, highlight=False)  # what is told is not markup


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """Look at the catalog: what is sold, what it costs, and why the rest is not."""
    if context.invoked_subcommand is None:
        show_list()


@app.command("list")
def show_list(
    kind: Annotated[ModelType | None, typer.Option("--type", help="Only models of this type.")] = None,
    only_sold: Annotated[bool, typer.Option("--sold", help="Only what customers see.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")] = False,
    prices: Prices = None,
) -> None:
    """List models, with the least that the provider takes in its credits."""
    shelf = the_shelf(prices)
    wanted = [model for model in shelf.models if kind in (None, model.type)]
    rows = [_row(shelf, model) for model in wanted if not only_sold or shelf.is_sold(model)]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))  # noqa: T201 - for programs: no wrapping, no colour
        return
    table = Table("model", "name", "type", "credits from", "sold")
    for row in rows:
        price = "—" if row["credits_from"] is None else row["credits_from"]
        table.add_row(row["model"], row["name"], row["type"], price, sold(shelf, shelf.get(row["model"])))
    out.print(table)


@app.command()
def show(model_id: Annotated[str, typer.Argument(metavar="MODEL")], prices: Prices = None) -> None:
    """Show one model: inputs with their limits, joint rules, prices by option, and why it is not sold."""
    shelf = the_shelf(prices)
    try:
        model = shelf.get(model_id)
    except UnknownModel as unknown:
        raise CannotStart(str(unknown)) from None
    table = Table("what", "name", "is", title=model.id)
    for fact in facts(model):
        value = fact.value if len(fact.value) <= SHOWN_CHARS else f"{fact.value[:SHOWN_CHARS]}…"
        table.add_row(fact.what, fact.name, value)
    out.print(table)
    reason = shelf.why_not_sold(model)
    if shelf.follows(model):
        say(f"On sale {sold(shelf, model).removeprefix('yes, ')}.")
    else:
        say("On sale." if reason is None else f"Not sold: {WHY_NOT[reason]}.")


@app.command()
def check(prices: Prices = None) -> None:
    """Check the catalog: every flaw (exit code 2), every model that it offers and cannot sell (exit code 1)."""
    shelf = the_shelf(prices)
    only = {model.id for model in shelf.follow_ups() if shelf.why_not_sold(model)}
    counts = Counter(why for model in shelf.models if model.id not in only and (why := shelf.why_not_sold(model)))
    say(f"{len(shelf.models)} models without a flaw, {len(shelf.sellable())} on sale.")
    say(f"{len(only)} more on sale as follow-ups of a result.")
    for reason, count in counts.most_common():
        say(f"{count} not sold: {WHY_NOT[reason]}.")
    broken = not_kept(shelf)
    for model, reason in broken:
        say(f"{model.id} is offered and cannot be sold: {WHY_NOT[reason]}.")
    if broken:
        raise typer.Exit(1)


@app.command()
def diff(
    file: Annotated[
        Path | None, typer.Option("--file", exists=True, dir_okay=False, help="Another models.yaml, instead.")
    ] = None,
    remember: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="Keeps the provider's list, and tells which prices changed since."),
    ] = None,
) -> None:
    """Tell how the provider's list, or another catalog, differs from the packaged one. Exit code 1 when it does."""
    changes = _against_file(file) if file else _against_provider(remember)
    for change in changes:
        say(change)
    if changes:
        raise typer.Exit(1)
    say("No difference.")


def _against_file(file: Path) -> tuple[str, ...]:
    return differences(default_shelf(), load_shelf(file.read_text(encoding="utf-8")))


def _against_provider(remember: Path | None) -> tuple[str, ...]:
    settings = load_settings()
    set_up_logging("warning", settings.secrets())
    listed = asyncio.run(_listed(settings))
    seen = _seen(remember) if remember and remember.exists() else None
    if remember:
        remember.write_text(json.dumps(dict(listed), ensure_ascii=False, indent=0), encoding="utf-8")
    return against_provider(default_shelf(), listed, seen)


async def _listed(settings: Settings) -> Mapping[str, str]:
    async with aiohttp.ClientSession() as session:
        client = KieClient(session, api_key=settings.provider_key(), base_url=settings.kie_base_url)
        try:
            return await client.models()
        except KieError as error:
            raise CannotStart(f"the provider's list cannot be read: {error}") from None


def _seen(remember: Path) -> Mapping[str, str]:
    try:
        return {str(one): str(price) for one, price in json.loads(remember.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError):
        raise CannotStart(f"{remember} is not what --remember has written") from None


@app.command()
def page() -> None:
    """Print docs/models.md."""
    print(catalog_page(default_shelf()), end="")  # noqa: T201 - a file: no wrapping, no colour


def the_shelf(prices: Path | None) -> Shelf:
    """Errors: CatalogError."""
    return default_shelf(prices.read_text(encoding="utf-8") if prices else None)


def say(sentence: str) -> None:
    """One line as it is, however narrow the screen."""
    out.print(sentence, soft_wrap=True)


def _row(shelf: Shelf, model: Model) -> dict[str, Any]:
    lowest, reason = credits_from(model), shelf.why_not_sold(model)
    return {
        "model": model.id,
        "name": model.name,
        "vendor": model.vendor,
        "type": model.type.value,
        "output": model.output.value,
        "credits_from": None if lowest is None else number(lowest),
        "asks_for": [item.name for item in model.inputs if item.required],
        "sold": reason is None,
        "follow_up": shelf.follows(model),
        "why_not_sold": reason.value if reason else None,
    }
