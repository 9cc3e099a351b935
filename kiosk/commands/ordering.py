"""One order of the command line, through the life of any order, to files in a folder.

Exit codes: 0 it was made, 1 it failed and the money is back, 2 nothing was ordered, 3 it is ordered and something was
in the way of its files, 70 a bug stopped the waiting, 130 nobody waits for it any more.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from rich.console import Console
from rich.table import Table

from kiosk.catalog.model import Model
from kiosk.catalog.outline import outline
from kiosk.catalog.report import WHY_NOT, kind_said, number
from kiosk.catalog.shelf import Shelf
from kiosk.catalog.written import Illegible, read_inputs, read_object
from kiosk.commands.progress import Progress
from kiosk.delivery.keep import NotKept
from kiosk.direct import Generated, bot_of, open_workbench, price
from kiosk.errors import CannotStart
from kiosk.generations.inspection import NotOrdered, Ready, unknown_model
from kiosk.generations.states import Failure
from kiosk.log import Redactor, set_up_logging
from kiosk.money import to_rub
from kiosk.parts import the_shelf
from kiosk.settings import Settings, load_settings

FAILED, REFUSED, KEPT, BROKEN, LEFT = 1, 2, 3, 70, 130
WHY_FAILED: Final = {
    Failure.MODERATION: "the provider finds that it breaks its rules",
    Failure.INPUT: "the provider did not take the inputs",
    Failure.PROVIDER: "it broke at the provider",
    Failure.UNAVAILABLE: "nothing could be bought from the provider in time",
    Failure.NO_RESULT: "the provider called it a success, and there was nothing usable in it",
    Failure.TIMEOUT: "it did not end in time",
}
_NOTHING: Final[dict[str, Any]] = {
    **dict.fromkeys(("generation", "model", "state", "failure", "price_rub", "credits", "credits_taken", "seconds")),
    "files": [],
}
log = structlog.get_logger()
out = Console(markup=False, highlight=False)
err = Console(stderr=True, markup=False, highlight=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """What was said on the command line; `bot` matters beside a `customer` alone."""

    model_id: str | None
    given: tuple[str, ...]
    inputs_file: Path | None
    folder: Path
    list_inputs: bool
    only_price: bool
    resume: int | None
    customer: int | None
    bot: int | None
    as_json: bool
    quiet: bool


def carry_out(wish: Wish) -> int:
    """The exit code."""
    try:
        settings = load_settings()
        set_up_logging("error", settings.secrets())
        if wish.resume is not None:
            return _finish(wish, settings, wish.resume)
        model = _the_model(the_shelf(settings), wish.model_id)
        if wish.list_inputs:
            return _show_inputs(
                the_shelf(settings),
                model,
                as_json=wish.as_json,
            )
        inputs = _inputs(wish, model)
        return _price(wish, settings, model, inputs) if wish.only_price else _order(wish, settings, model, inputs)
    except CannotStart as problem:
        return _refused(wish, problem)


def _the_model(shelf: Shelf, model_id: str | None) -> Model:
    if model_id is None:
        raise NotOrdered("name a model; `kiosk models list --sold` shows what there is")
    model = shelf.find(model_id)
    if model is None:
        raise NotOrdered(unknown_model(shelf, model_id))
    return model


def _inputs(wish: Wish, model: Model) -> dict[str, Any]:
    """Those of the command line win over those of the file. Errors: NotOrdered."""
    try:
        whole = read_object(model, _text(wish.inputs_file)) if wish.inputs_file else {}
        return {**whole, **read_inputs(model, wish.given)}
    except Illegible as illegible:
        raise NotOrdered(str(illegible)) from None


def _text(file: Path) -> str:
    try:
        return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NotOrdered(f"{file} cannot be read: {type(error).__name__}") from None


def _show_inputs(shelf: Shelf, model: Model, *, as_json: bool) -> int:
    why = shelf.why_not_sold(model)
    if as_json:
        _print(outline(model, why))
        return 0
    table = Table("input", "required", "takes", "default", title=model.id)
    for item in model.inputs:
        default = "" if item.preset is None or item.required else json.dumps(item.preset, ensure_ascii=False)
        table.add_row(item.name, "yes" if item.required else "", kind_said(item.kind), default)
    out.print(table)
    for rule in outline(model, why)["rules"]:
        out.print(f"Rule: {rule}.", soft_wrap=True)
    if why:
        out.print(f"Not sold: {WHY_NOT[why]}.", soft_wrap=True)
    return 0


def _price(wish: Wish, settings: Settings, model: Model, inputs: dict[str, Any]) -> int:
    ready = asyncio.run(price(model.id, inputs, settings=settings))
    if wish.as_json:
        cost = str(to_rub(ready.quote.cost_kopecks))
        _print({**_NOTHING, "model": model.id, "state": "priced", **_money(ready), "cost_rub": cost})
    else:
        out.print(_cost(ready))
    return 0


def _money(ready: Ready) -> dict[str, str]:
    return {"price_rub": str(to_rub(ready.quote.price_kopecks)), "credits": number(ready.quote.credits)}


def _cost(ready: Ready) -> str:
    return f"{to_rub(ready.quote.price_kopecks)} ₽, {number(ready.quote.credits)} credits of the provider"


def _order(wish: Wish, settings: Settings, model: Model, inputs: dict[str, Any]) -> int:
    bot = bot_of(settings, wish.customer, wish.bot)

    async def work(progress: Progress) -> Generated:
        async with open_workbench(settings) as bench:
            ready = await bench.inspector.check(model.id, inputs)
            order = await bench.orders.place(ready, await bench.payer(wish.customer, bot))
            progress.begins(order.id, _cost(ready), usual_s=model.usual_seconds)
            return await bench.finish(order.id, out=wish.folder, watch=progress.sees)

    return _watched(wish, work)


def _finish(wish: Wish, settings: Settings, generation_id: int) -> int:
    if wish.model_id is not None:
        raise NotOrdered("an order that was left knows its model: give --resume alone")

    async def work(progress: Progress) -> Generated:
        async with open_workbench(settings) as bench:
            order = await bench.find(generation_id)
            model = bench.inspector.shelf.find(order.model_id)
            progress.begins(order.id, f"{to_rub(order.price)} ₽", usual_s=model.usual_seconds if model else None)
            return await bench.finish(order.id, out=wish.folder, watch=progress.sees)

    return _watched(wish, work)


def _watched(wish: Wish, work: Callable[[Progress], Coroutine[Any, Any, Generated]]) -> int:
    """The exit code; whatever ends the waiting tells how to go on."""
    with Progress(err, quiet=wish.quiet or wish.as_json) as progress:
        try:
            made = asyncio.run(work(progress))
        except KeyboardInterrupt:
            made = None
        except (NotKept, CannotStart) as problem:
            if progress.generation is None:
                raise
            return _kept(wish, progress.generation, str(problem))
        except Exception:
            # The boundary: Python itself would print it with whatever secret its message holds.
            log.exception("generate.broke", generation_id=progress.generation)
            return BROKEN
    if made is None:
        if progress.generation is None:
            err.print("Nothing was ordered.")
        else:
            err.print(_go_on(progress.generation), soft_wrap=True)
        return LEFT
    return _told(wish, made)


def _told(wish: Wish, made: Generated) -> int:
    if wish.as_json:
        _print(as_object(made))
    elif made.is_done:
        for file in made.files:
            out.print(str(file.path), soft_wrap=True)
    if made.is_done:
        return 0
    why = WHY_FAILED[Failure(made.failure)] if made.failure else "it was canceled"
    err.print(f"kiosk: generation {made.generation} failed: {why}; the money is back", style="red", soft_wrap=True)
    return FAILED


def as_object(made: Generated) -> dict[str, Any]:
    """For programs: money and credits as texts, so that no digit is lost."""
    return {
        **asdict(made),
        "price_rub": str(made.price_rub),
        "credits": number(made.credits),
        "credits_taken": None if made.credits_taken is None else number(made.credits_taken),
        "files": [{**asdict(file), "path": str(file.path) if file.path else None} for file in made.files],
    }


def _kept(wish: Wish, generation_id: int, problem: str) -> int:
    """Its files could not be fetched, or the database went away: nothing is lost."""
    why = Redactor(()).text(problem)
    if wish.as_json:
        _print({**_NOTHING, "generation": generation_id, "state": "kept", "reasons": [why]})
    err.print(f"kiosk: {why}", style="red", soft_wrap=True)
    err.print(_go_on(generation_id), soft_wrap=True)
    return KEPT


def _go_on(generation_id: int) -> str:
    return f"Generation {generation_id} is kept. Go on: kiosk generate --resume {generation_id}"


def _refused(wish: Wish, problem: CannotStart) -> int:
    """Every reason in a line of its own."""
    redacted = Redactor(())
    reasons = [redacted.text(one) for one in (problem.reasons if isinstance(problem, NotOrdered) else (str(problem),))]
    if wish.as_json:
        _print({**_NOTHING, "model": wish.model_id, "state": "refused", "reasons": reasons})
    for reason in reasons:
        err.print(f"kiosk: {reason}", style="red", soft_wrap=True)
    return REFUSED


def _print(value: dict[str, Any]) -> None:
    print(json.dumps(value, ensure_ascii=False), flush=True)  # noqa: T201 - for programs: no wrapping, no colour
