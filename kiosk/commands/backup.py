"""`kiosk backup FILE` and `kiosk restore FILE`: all that the shop knows, in one file."""

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from kiosk import backup as backups
from kiosk.db import Database
from kiosk.ledger.audit import Finding
from kiosk.ledger.audit import audit as run_audit
from kiosk.log import set_up_logging
from kiosk.process import connect, database_address
from kiosk.settings import Settings, load_settings

MIB: Final = 1 << 20
File = Annotated[Path, typer.Argument(metavar="FILE", dir_okay=False)]
out = Console(markup=False, highlight=False, soft_wrap=True)
err = Console(stderr=True, markup=False, highlight=False, soft_wrap=True)


def backup(file: File) -> None:
    """Write everything into a new file, while the shop runs. It holds the customers' data: keep it safe."""
    settings = _settings()

    async def make() -> int:
        with err.status("Writing…") as shown:
            async with database_address(settings) as dsn:
                return await backups.write(dsn, file, lambda done: shown.update(f"Writing… {done / MIB:.1f} MiB"))

    size = asyncio.run(make())
    out.print(f"{file}: {size / MIB:.1f} MiB. `kiosk restore {file}` brings it into an empty database.")


def restore(file: File) -> None:
    """Bring a file of `kiosk backup` into an empty database, and prove the books. Exit code 1: they do not add up."""
    findings = asyncio.run(_restore(_settings(), file))
    broken = [finding for finding in findings if finding.broken]
    for finding in broken:
        err.print(f"broken: {finding.invariant.name}: {'; '.join(finding.examples)}", style="red")
    if broken:
        raise typer.Exit(1)
    out.print(f"Restored, and all {len(findings)} invariants hold.")


async def _restore(settings: Settings, file: Path) -> tuple[Finding, ...]:
    with err.status("Checking the file…") as shown:
        await backups.check(file, lambda done: shown.update(f"Checking the file… {done / MIB:.1f} MiB"))
        async with database_address(settings) as dsn:
            async with await Database.connect(dsn, max_size=1, behind_pooler=True) as db, db.reading() as tx:
                replacing = await backups.room(tx)
            shown.update("Restoring…")
            await backups.read(file, dsn, replacing=replacing)
            shown.update("Proving the books…")
            async with (
                await connect(settings, dsn) as db,
                db.transaction(isolation="repeatable_read", readonly=True) as tx,
            ):
                return await run_audit(tx)


def _settings() -> Settings:
    """Errors: CannotStart."""
    settings = load_settings()
    set_up_logging("warning", settings.secrets())
    return settings
