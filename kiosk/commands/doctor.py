"""`kiosk doctor`: looks at everything that the shop leans on, and says how to mend what is not well."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from kiosk.doctor.finding import Finding, Status, is_well
from kiosk.log import set_up_logging
from kiosk.settings import load_settings

COLOUR_OF: Final = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "red", Status.SKIPPED: "dim"}
out = Console(markup=False, highlight=False)  # what is told is not markup


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array instead of a table.")] = False,
) -> None:
    """Look at token, webhook, address, database, provider, clock, disk and settings. Exit code 1: something failed."""
    settings = load_settings()
    set_up_logging("error", settings.secrets())
    from kiosk.doctor.visit import visit  # noqa: PLC0415 - it knows every part, and most commands do not wait for that

    with Console(stderr=True).status("Looking…"):
        findings = asyncio.run(visit(settings))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))  # noqa: T201 - for programs: no wrapping, no colour
    else:
        out.print(_table(findings))
    if not is_well(findings):
        raise typer.Exit(1)


def _table(findings: Sequence[Finding]) -> Table:
    table = Table("check", "", "what was found", "what to do")
    for one in findings:
        table.add_row(one.check, Text(one.status, COLOUR_OF[one.status]), one.said, one.mend)
    return table
