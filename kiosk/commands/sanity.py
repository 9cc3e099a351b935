"""`kiosk sanity`: what can be said on the command line. What comes of it stands in `rehearsal.py`."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Final

import typer

LONGEST: Final = 12  # digits of more than anybody has


def credits_said(text: str) -> str:
    """Errors: typer.BadParameter."""
    if len(text) > LONGEST or not text.replace(".", "", 1).isdecimal():
        raise typer.BadParameter("must be a number of credits, such as 50 or 12.5")
    return text


def sanity(
    models: Annotated[
        list[str] | None, typer.Option("--model", "-m", metavar="MODEL", help="This model; may be given several times.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every model of the catalog.")] = False,
    budget: Annotated[
        str, typer.Option(callback=credits_said, metavar="CREDITS", help="What may be spent at the provider at most.")
    ] = "100",
    at_once: Annotated[int, typer.Option(min=1, max=50, help="How many orders go on at a time.")] = 16,
    folder: Annotated[Path | None, typer.Option("--out", file_okay=False, help="Where to keep what was made.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Spend without asking.")] = False,
) -> None:
    """Make the least that models can be asked for: one cheap model of each type, these models, or all of them.

    Orders are real and cost credits. The last line is one JSON object; exit code 1 when anything failed.
    """
    # Imported here, or every other command would wait for it.
    from kiosk.commands.rehearsal import Plan, carry_out  # noqa: PLC0415 - see above

    raise typer.Exit(carry_out(Plan(tuple(models or ()), every, Decimal(budget), at_once, folder, yes)))
