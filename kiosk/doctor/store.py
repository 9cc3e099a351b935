"""What the checks ask the database: SQL."""

from dataclasses import dataclass
from datetime import datetime

from kiosk.db import Tx


@dataclass(frozen=True, slots=True)
class Server:
    """`fsync` and `synchronous_commit` as the server says them; `used` counts connections of everybody."""

    version: str
    fsync: str
    synchronous_commit: str
    full_page_writes: str
    is_replica: bool
    max_connections: int
    used: int


async def server(tx: Tx) -> Server:
    row = await tx.fetchrow(
        """
        SELECT current_setting('server_version') AS version,
               current_setting('fsync') AS fsync,
               current_setting('synchronous_commit') AS synchronous_commit,
               current_setting('full_page_writes') AS full_page_writes,
               pg_is_in_recovery() AS is_replica,
               current_setting('max_connections')::integer AS max_connections,
               (SELECT count(*)::integer FROM pg_stat_activity WHERE backend_type = 'client backend') AS used
        """
    )
    assert row is not None  # noqa: S101 - a SELECT without FROM always gives a row
    return Server(**dict(row))


async def backend(tx: Tx) -> int:
    """The process that serves this transaction."""
    pid: int = await tx.fetchval("SELECT pg_backend_pid()")
    return pid


async def clock(tx: Tx) -> datetime:
    now: datetime = await tx.fetchval("SELECT clock_timestamp()")
    return now


async def notify(tx: Tx, channel: str) -> None:
    await tx.fetchval("SELECT pg_notify($1, '')", channel)
