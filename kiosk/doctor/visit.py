"""Every check, side by side: each has its time, and none hides another."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from kiosk.doctor import choices, database, provider, surroundings, telegram
from kiosk.doctor.finding import Finding, failed, warning
from kiosk.doctor.patient import Patient, http_session
from kiosk.errors import CannotStart
from kiosk.log import Redactor
from kiosk.process import database_address
from kiosk.settings import Settings

Looked = Finding | Sequence[Finding]


@dataclass(frozen=True, slots=True)
class Check:
    """`patience_s`: it is given up after so long; `slow` says what that means where it is no failure."""

    look: Callable[[Patient], Awaitable[Looked]]
    patience_s: float = 20.0
    slow: str = ""


CHECKS: Final[Mapping[str, Check]] = {
    telegram.TOKEN: Check(telegram.token),
    telegram.WEBHOOK: Check(telegram.webhook),
    surroundings.ADDRESS: Check(surroundings.public_address, 40.0),
    database.DATABASE: Check(database.answers),
    database.LISTENING: Check(database.listening),
    database.POOLER: Check(database.pooler),
    database.SCHEMA: Check(database.schema),
    database.BOOKS: Check(database.books, 30.0, "there are too many for a quick look: run `kiosk audit`"),
    provider.KEY: Check(provider.key),
    provider.FILES: Check(provider.file_host),
    surroundings.CLOCK: Check(surroundings.clock),
    surroundings.DISK: Check(surroundings.disk),
    choices.CATALOG: Check(choices.catalog),
    choices.SETTINGS: Check(choices.sanity),
}


async def visit(settings: Settings, checks: Mapping[str, Check] = CHECKS) -> list[Finding]:
    """What every check found, in the order of the checks, with no secret in it."""
    redact = Redactor(settings.secrets()).text
    async with _patient(settings) as patient:
        looked = await asyncio.gather(*(_bounded(name, check, patient) for name, check in checks.items()))
    return [replace(one, said=redact(one.said), mend=redact(one.mend)) for findings in looked for one in findings]


async def _bounded(name: str, check: Check, patient: Patient) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(check.patience_s):
            found = await check.look(patient)
    except TimeoutError:
        if check.slow:
            return [warning(name, "not done in time", check.slow)]
        return [failed(name, f"no answer within {check.patience_s:.0f} s", "try again, and look at what it asks")]
    except Exception as error:  # noqa: BLE001 - the boundary of a check: the others are told all the same
        return [failed(name, f"the check itself broke: {type(error).__name__}", "this is a bug of Kiosk")]
    return [found] if isinstance(found, Finding) else found


@contextlib.asynccontextmanager
async def _patient(settings: Settings) -> AsyncIterator[Patient]:
    """Starts the built-in database if there is one, and makes none."""
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(http_session())
        dsn, why = None, ""
        if settings.database_url is not None or (settings.data_dir / "postgres" / "cluster").exists():
            try:
                dsn = await stack.enter_async_context(database_address(settings))
            except CannotStart as problem:
                why = str(problem)
        yield Patient(settings, session, dsn, why)
