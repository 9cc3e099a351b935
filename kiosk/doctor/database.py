"""The database: whether it answers, keeps what it is given, wakes whoever listens, and holds books that add up."""

import asyncio
import secrets
from dataclasses import replace
from typing import Final

import asyncpg

from kiosk.db import DatabaseUnavailable
from kiosk.doctor import store
from kiosk.doctor.finding import Finding, failed, ok, skipped, warning
from kiosk.doctor.patient import NoDatabase, Patient, database, session_of
from kiosk.ledger.audit import audit
from kiosk.migrate import MigrationError, pending

DATABASE: Final = "database"
LISTENING: Final = "listening"
POOLER: Final = "pooler"
SCHEMA: Final = "schema"
BOOKS: Final = "books"
HEARD_S: Final = 3.0
NOT_ASKED: Final = "the database cannot be asked"
OLDEST: Final = 14
DURABLE: Final = "switch it on: what is paid must outlive a power cut"
AWAY: Final = (NoDatabase, DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)


async def answers(patient: Patient) -> Finding:
    """Whether it answers, and whether it may forget what it said it has kept."""
    if patient.dsn is None and patient.settings.database_url is None and not patient.no_database:
        return skipped(DATABASE, "the built-in one is made by the first `kiosk run`")
    try:
        async with database(patient) as db, db.reading() as tx:
            found = await store.server(tx)
            pooled = await store.backend(tx) != tx.get_server_pid()
    except NoDatabase:
        return failed(DATABASE, patient.no_database, "look at DATA_DIR, or set DATABASE_URL")
    except DatabaseUnavailable as away:
        return failed(DATABASE, away.why, "look at DATABASE_URL, and whether the server runs")
    return judge_server(found, pooled=pooled, wanted=2 * patient.settings.database_pool_size)


def judge_server(found: store.Server, *, pooled: bool, wanted: int) -> Finding:
    """Pure; `wanted` is how many connections one process opens at most."""
    for name, value in (("fsync", found.fsync), ("full_page_writes", found.full_page_writes)):
        if value != "on":
            return failed(DATABASE, f"{name} is {value}: a power cut may lose money and orders", DURABLE)
    if found.is_replica:
        return failed(DATABASE, "it is a replica, which takes no orders", "let DATABASE_URL name the primary")
    if int(found.version.partition(".")[0]) < OLDEST:
        return warning(DATABASE, f"PostgreSQL {found.version} is old", f"update to {OLDEST} or later")
    if found.synchronous_commit == "off":
        said = "synchronous_commit is off: a crash may lose the last moments"
        return warning(DATABASE, said, DURABLE)
    if not pooled and found.max_connections - found.used < wanted:
        said = f"{found.used} of {found.max_connections} connections are in use, and a process may open {wanted}"
        return warning(DATABASE, said, "lower DATABASE_POOL_SIZE, raise max_connections, or put a pooler before it")
    how = "through a pooler" if pooled else f"{found.used} of {found.max_connections} connections in use"
    return ok(DATABASE, f"PostgreSQL {found.version}, {how}")


async def listening(patient: Patient) -> Finding:
    """Jobs are woken by NOTIFY, which a pooler in transaction mode swallows."""
    channel, heard = f"kiosk_doctor_{secrets.token_hex(4)}", asyncio.Event()
    try:
        async with session_of(patient) as listener, session_of(patient) as caller:
            await listener.add_listener(channel, lambda *_: heard.set())
            await store.notify(caller, channel)
            async with asyncio.timeout(HEARD_S):
                await heard.wait()
    except TimeoutError:
        return failed(
            LISTENING,
            "nobody who listens is called: a pooler in transaction mode stands between",
            "let DATABASE_URL name PostgreSQL itself, and DATABASE_POOLER_URL the pooler",
        )
    except AWAY:
        return skipped(LISTENING, NOT_ASKED)
    return ok(LISTENING, "whoever listens is woken")


async def pooler(patient: Patient) -> Finding:
    """Whether requests find their way, where they go through a pooler."""
    address = patient.settings.database_pooler_url
    if address is None:
        return skipped(POOLER, "none is set (DATABASE_POOLER_URL): requests go to the database itself")
    try:
        async with database(replace(patient, dsn=address.get_secret_value())) as db:
            await db.ping()
    except DatabaseUnavailable as away:
        return failed(POOLER, away.why, "look at DATABASE_POOLER_URL, and whether PgBouncer runs")
    return ok(POOLER, "leads to the database")


async def schema(patient: Patient) -> Finding:
    """Whether this program and the database are of one mind."""
    if patient.dsn is None:
        return skipped(SCHEMA, NOT_ASKED)
    try:
        missing = await pending(patient.dsn, newer_too=patient.settings.allow_newer_schema)
    except MigrationError as problem:
        return failed(SCHEMA, str(problem), "run the version of Kiosk that fits this database")
    except AWAY:
        return skipped(SCHEMA, NOT_ASKED)
    if missing:
        said = f"not applied yet: {', '.join(str(migration) for migration in missing)}"
        return warning(SCHEMA, said, "run `kiosk migrate`; `kiosk run` does so, too")
    return ok(SCHEMA, "is up to date")


async def books(patient: Patient) -> Finding:
    """Every invariant of money and orders; a shop with many orders takes `kiosk audit` instead."""
    try:
        async with database(patient) as db, db.transaction(isolation="repeatable_read", readonly=True) as tx:
            findings = await audit(tx)
    except asyncpg.UndefinedTableError:
        return skipped(BOOKS, "there are none yet")
    except asyncpg.UndefinedColumnError:
        return skipped(BOOKS, "the schema is of another version")
    except AWAY:
        return skipped(BOOKS, NOT_ASKED)
    if broken := [finding.invariant.name for finding in findings if finding.broken]:
        return failed(BOOKS, f"broken: {', '.join(broken)}", "`kiosk audit` shows where; docs/operations.md what to do")
    return ok(BOOKS, f"all {len(findings)} invariants hold")
