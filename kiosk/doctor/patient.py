"""What the checks look at: settings, connections for HTTP, and the database's address where there is one."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import aiohttp
import asyncpg
from yarl import URL

from kiosk.db import Database, Tx
from kiosk.settings import Settings

HTTP_S = 10.0
CONNECT_S = 5.0
APPLICATION = "kiosk-doctor"


@dataclass(frozen=True, slots=True)
class Patient:
    """`dsn` is None where no database can be asked, and `no_database` says why."""

    settings: Settings
    session: aiohttp.ClientSession
    dsn: str | None
    no_database: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is parsed JSON, or None when it is none; `date` is what the other side's clock shows."""

    status: int
    body: object
    date: datetime | None


class Unheard(Exception):  # noqa: N818 - it states a fact
    """Nobody answered; the message says how it failed, and holds no address: those may carry a token."""


class NoDatabase(Exception):  # noqa: N818 - it states a fact
    """There is none to be asked; the check of the database itself says why."""


def tokens(settings: Settings) -> tuple[str, ...]:
    """Of every bot of this deployment. Errors: BadSettings."""
    return tuple(bot.token for bot in settings.bots)


def number(token: str) -> int:
    """The bot's, which is no secret."""
    return int(token.partition(":")[0])


def http_session() -> aiohttp.ClientSession:
    """Connections of the doctor's own: nothing is followed, nothing is remembered."""
    timeout = aiohttp.ClientTimeout(total=HTTP_S, connect=CONNECT_S)
    return aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar())


async def ask(
    session: aiohttp.ClientSession, method: str, address: str, *, headers: dict[str, str] | None = None, body: str = ""
) -> Answer:
    """One request. Errors: Unheard."""
    try:
        async with session.request(
            method,
            URL(address, encoded=True),
            headers={"User-Agent": APPLICATION, **(headers or {})},
            data=body.encode() or None,
            allow_redirects=False,
        ) as response:
            return Answer(response.status, await _json(response), _date(response.headers.get("Date", "")))
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unheard(_how(error)) from None


@contextlib.asynccontextmanager
async def database(patient: Patient) -> AsyncIterator[Database]:
    """Works behind a pooler, too. Errors: NoDatabase, DatabaseUnavailable, BadSettings."""
    if patient.dsn is None:
        raise NoDatabase
    async with await Database.connect(
        patient.dsn, max_size=1, application_name=APPLICATION, behind_pooler=True
    ) as connected:
        yield connected


@contextlib.asynccontextmanager
async def session_of(patient: Patient) -> AsyncIterator[Tx]:
    """A connection without a transaction, for what belongs to a session. Errors: NoDatabase, and asyncpg's own."""
    if patient.dsn is None:
        raise NoDatabase
    connection = await asyncpg.connect(patient.dsn, timeout=CONNECT_S, statement_cache_size=0)
    try:
        yield connection
    finally:
        await connection.close(timeout=CONNECT_S)


def existing(folder: Path) -> Path:
    """The folder itself, or the nearest one above it that is there."""
    path = folder.absolute()
    while not path.exists():
        path = path.parent
    return path


async def _json(response: aiohttp.ClientResponse) -> object:
    with contextlib.suppress(ValueError, aiohttp.ClientError):
        parsed: object = await response.json(content_type=None)
        return parsed
    return None


def _date(header: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(header)
    return None


def _how(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return "its certificate is not accepted"
        case aiohttp.ClientConnectorDNSError():
            return "its name does not resolve"
        case aiohttp.ClientConnectorError():
            return "no connection"
        case _:
            return type(error).__name__
