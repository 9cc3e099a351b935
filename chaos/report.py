"""What a run says: one line of progress after another, the table, and what stays on disk."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from chaos.nemesis import Kind
from chaos.options import Options
from chaos.verdict import Evidence, Verdict

ENOUGH_FOR_ALL: Final = 200  # orders: with so many every class of faults should have struck
# The last line is for programs; everything else goes to the other stream.
say = Console(stderr=True, highlight=False)


def step(text: str) -> None:
    """One line of progress."""
    say.print(f"[dim]·[/dim] {text}…", soft_wrap=True)


def never_struck(options: Options, struck: Mapping[str, int], dealt: Mapping[str, int]) -> list[str]:
    """What a run of this size should have seen and has not: no failure, but it proves less than another seed would."""
    if options.generations < ENOUGH_FOR_ALL:
        return []
    blows = {} if options.calm else {kind.value: dealt.get(kind.value, 0) for kind in Kind}
    return [name for name, times in {**struck, **blows}.items() if not times]


def show(report: Mapping[str, Any], verdict: Verdict) -> None:
    """The table at the end."""
    table = Table("what", "how many", title=f"seed {report['seed']}, {report['replicas']} replicas")
    for name, value in report.items():
        if isinstance(value, Mapping):
            shown = ", ".join(f"{key} {count}" for key, count in value.items())
        elif isinstance(value, list):
            shown = ", ".join(map(str, value))
        else:
            shown = str(value)
        table.add_row(name, shown)
    say.print(table)
    for name in report["never_struck"]:
        say.print(f"[yellow]![/yellow] never struck: {name}")
    for complaint in verdict.complaints:
        say.print("[red]✗[/red]", complaint, markup=True, soft_wrap=True)
    say.print("[green]All as promised.[/green]" if verdict.kept else "[red]A promise was broken.[/red]")


def keep(path: Path, evidence: Evidence) -> None:
    """For whoever wants to know more than the verdict says; beside it lie the logs."""
    path.write_text(json.dumps(asdict(evidence), ensure_ascii=False, default=list, indent=1), encoding="utf-8")
