"""`kiosk generate`: what can be said on the command line. What comes of it stands in `ordering.py`."""

from pathlib import Path
from typing import Annotated

import typer


def generate(  # noqa: PLR0917 - options of a command
    model_id: Annotated[str | None, typer.Argument(metavar="MODEL", help="As `kiosk models` names it.")] = None,
    given: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="Once for each value; NAME=@FILE gives a file."),
    ] = None,
    inputs_file: Annotated[
        Path | None, typer.Option("--inputs", metavar="FILE", help="Inputs as one JSON object; - reads stdin.")
    ] = None,
    folder: Annotated[Path, typer.Option("--out", file_okay=False, help="Where the files go.")] = Path(),
    list_inputs: Annotated[bool, typer.Option("--list-inputs", help="Show what the model takes, and end.")] = False,
    only_price: Annotated[bool, typer.Option("--price", "--dry-run", help="Check and price it, and end.")] = False,
    resume: Annotated[
        int | None, typer.Option(min=1, max=2**63 - 1, metavar="GENERATION", help="Go on with an order that was left.")
    ] = None,
    customer: Annotated[
        int | None, typer.Option(min=1, max=2**52 - 1, help="Who pays, by number in Telegram; else the house.")
    ] = None,
    bot_id: Annotated[int | None, typer.Option(help="The customer's bot; needed only when there are several.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Make one thing: order it, wait for it, save its files. Needs KIE_API_KEY and no bot."""
    # Imported here, or every other command would wait for it.
    from kiosk.commands.ordering import Wish, carry_out  # noqa: PLC0415 - see above

    wish = Wish(
        model_id=model_id,
        given=tuple(given or ()),
        inputs_file=inputs_file,
        folder=folder,
        list_inputs=list_inputs,
        only_price=only_price,
        resume=resume,
        customer=customer,
        bot=bot_id,
        as_json=as_json,
        quiet=quiet,
    )
    raise typer.Exit(carry_out(wish))
