"""Orders the least that models can be asked for, within a budget, and tells what came of each."""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Column, Table

from kiosk.catalog.example import example
from kiosk.catalog.model import Model
from kiosk.catalog.quote import USD_PER_CREDIT
from kiosk.catalog.report import credits_from, number
from kiosk.catalog.shelf import Shelf
from kiosk.delivery.keep import NotKept
from kiosk.direct import Generated, Workbench, nobody_watches, open_workbench
from kiosk.errors import CannotStart
from kiosk.generations.inspection import NotOrdered, Ready, unknown_model
from kiosk.log import set_up_logging
from kiosk.parts import the_shelf
from kiosk.samples import with_samples
from kiosk.settings import Settings, load_settings

DONE, REFUSED, FAILED = "done", "refused", "failed"
COLOUR: Final = {DONE: "green", REFUSED: "yellow", FAILED: "red"}
out = Console(markup=False, highlight=False)
err = Console(stderr=True, markup=False, highlight=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """What was said on the command line; `budget` in credits."""

    models: tuple[str, ...]
    every: bool
    budget: Decimal
    at_once: int
    folder: Path | None
    yes: bool


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one model. `why`: it was refused or failed."""

    model: Model
    outcome: str = ""
    why: str = ""
    ready: Ready | None = None
    generation: int | None = None
    taken: Decimal | None = None
    seconds: float | None = None

    @property
    def quoted(self) -> Decimal:
        return self.ready.quote.credits if self.ready else Decimal(0)


@dataclass(slots=True)
class Purse:
    """Credits that may be spent: a quote is set aside first, then what was taken counts, if that is known."""

    budget: Decimal
    spent: Decimal = field(default=Decimal(0))

    def set_aside(self, quoted: Decimal) -> bool:
        if self.spent + quoted > self.budget:
            return False
        self.spent += quoted
        return True

    def settle(self, quoted: Decimal, taken: Decimal | None) -> None:
        self.spent += Decimal(0) if taken is None else taken - quoted


def chosen(shelf: Shelf, plan: Plan) -> tuple[Model, ...]:
    """Those named, all, or the cheapest on sale of each type. Errors: NotOrdered."""
    if plan.models:
        unknown = [unknown_model(shelf, name) for name in plan.models if shelf.find(name) is None]
        if unknown:
            raise NotOrdered(*unknown)
        return tuple(shelf.get(name) for name in dict.fromkeys(plan.models))
    return shelf.models if plan.every else tuple(map(_cheapest, (models for _, models in shelf.aisles())))


def _cheapest(models: Sequence[Model]) -> Model:
    return min(models, key=lambda model: credits_from(model) or Decimal("Infinity"))


def carry_out(plan: Plan) -> int:
    """The exit code. Errors: CannotStart."""
    settings = load_settings()
    set_up_logging("error", settings.secrets())
    settings.provider_key()
    try:
        return asyncio.run(_rehearse(plan, settings))
    except KeyboardInterrupt:
        err.print("Whatever was ordered is kept: `kiosk generate --resume` or the shop goes on with it.")
        return 130


async def _rehearse(plan: Plan, settings: Settings) -> int:
    began_s = time.monotonic()
    models = chosen(the_shelf(settings), plan)
    async with open_workbench(settings) as bench:
        trials = [await _prepared(bench, model) for model in models]
        total = sum((trial.quoted for trial in trials if not trial.outcome), Decimal(0))
        if not _agreed(plan, min(total, plan.budget), sum(not trial.outcome for trial in trials)):
            raise CannotStart("nothing was ordered")
        ended = await _all(bench, trials, plan)
    _tell(ended, round(time.monotonic() - began_s, 1))
    return int(any(trial.outcome == FAILED for trial in ended))


async def _prepared(bench: Workbench, model: Model) -> Trial:
    """Checked and priced, or why it is not to be had."""
    try:
        bench.inspector.model(model.id)
    except NotOrdered as refusal:
        return Trial(model, REFUSED, str(refusal).removeprefix(f"{model.id} is not sold: "))
    inputs = example(model)
    if inputs is None:
        return Trial(model, FAILED, "no inputs were found for it")
    try:
        return Trial(
            model, ready=await bench.inspector.check(model.id, {k: with_samples(v) for k, v in inputs.items()})
        )
    except NotOrdered as refusal:
        return Trial(model, FAILED, str(refusal))


def _agreed(plan: Plan, credits_at_most: Decimal, orders: int) -> bool:
    usd = credits_at_most * USD_PER_CREDIT
    err.print(f"{orders} orders, at most {number(credits_at_most)} credits of the provider ({usd:.2f} USD).")
    if plan.yes or not orders:
        return True
    if not sys.stdin.isatty():
        raise CannotStart("say --yes where nobody can be asked whether that may be spent")
    return err.input("Spend them? [y/N] ").strip().lower() in ("y", "yes")


async def _all(bench: Workbench, trials: Iterable[Trial], plan: Plan) -> list[Trial]:
    """Side by side, as many as may be; the gate keeps the provider's pace."""
    purse, hands = Purse(plan.budget), asyncio.Semaphore(plan.at_once)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Bar(*columns, console=err, transient=True, disable=not err.is_terminal)

    async def one(trial: Trial) -> Trial:
        async with hands:
            ended = (
                trial if trial.outcome or trial.ready is None else await _tried(bench, trial, trial.ready, purse, plan)
            )
        bar.advance(task)
        return ended

    with bar:
        waiting = [*trials]
        task = bar.add_task("Models", total=len(waiting))
        return list(await asyncio.gather(*map(one, waiting)))


async def _tried(bench: Workbench, trial: Trial, ready: Ready, purse: Purse, plan: Plan) -> Trial:
    if not purse.set_aside(trial.quoted):
        return replace(trial, outcome=REFUSED, why=f"{number(trial.quoted)} credits are not left of the budget")
    taken: Decimal | None = Decimal(0)
    try:
        order = await bench.orders.place(ready, await bench.payer(None, None))
        taken = None
        made = await bench.finish(order.id, out=plan.folder, watch=nobody_watches)
        taken = made.credits_taken
    except (NotOrdered, NotKept) as problem:
        return replace(trial, outcome=FAILED, why=str(problem))
    finally:
        purse.settle(trial.quoted, taken)
    return _ended(trial, made)


def _ended(trial: Trial, made: Generated) -> Trial:
    return replace(
        trial,
        outcome=DONE if made.is_done else FAILED,
        why=made.failure or "",
        generation=made.generation,
        taken=made.credits_taken,
        seconds=made.seconds,
    )


def _tell(trials: Sequence[Trial], seconds: float) -> None:
    table = Table(
        Column("model", overflow="fold"),
        Column("outcome", no_wrap=True),
        *(Column(name, justify="right", no_wrap=True) for name in ("quoted", "taken", "seconds")),
        "why",
        title="Credits of the provider",
    )
    for one in trials:
        numbers = (number(one.quoted) if one.ready else "", "" if one.taken is None else number(one.taken))
        lasted = "" if one.seconds is None else f"{one.seconds:.1f}"
        table.add_row(one.model.id, one.outcome, *numbers, lasted, one.why, style=COLOUR[one.outcome])
    out.print(table)
    print(json.dumps(report(trials, seconds), ensure_ascii=False), flush=True)  # noqa: T201 - for programs


def report(trials: Sequence[Trial], seconds: float) -> dict[str, Any]:
    """The last line. `credits_taken`: as far as the provider has said."""
    counts = {outcome: sum(one.outcome == outcome for one in trials) for outcome in (DONE, REFUSED, FAILED)}
    ordered = [one for one in trials if one.generation is not None]
    return {
        "models": len(trials),
        **counts,
        "credits_quoted": number(sum((one.quoted for one in ordered), Decimal(0))),
        "credits_taken": number(sum((one.taken or Decimal(0) for one in ordered), Decimal(0))),
        "seconds": seconds,
        "not_done": {one.model.id: one.why for one in trials if one.outcome != DONE},
    }
