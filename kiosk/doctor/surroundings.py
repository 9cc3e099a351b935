"""What lies around the shop: its clock, its disk, and the address by which the world reaches it."""

import asyncio
import contextlib
import json
import shutil
import socket
import tempfile
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from kiosk import __version__
from kiosk.doctor import store
from kiosk.doctor.database import AWAY
from kiosk.doctor.finding import Finding, failed, ok, skipped, warning
from kiosk.doctor.patient import Answer, Patient, Unheard, ask, database, existing, number, tokens
from kiosk.errors import BadSettings
from kiosk.ids import webhook_secret

CLOCK: Final = "clock"
ADDRESS: Final = "public address"
DISK: Final = "disk"
SET_THE_CLOCK: Final = "let this machine follow a time server (NTP)"
NOTICED: Final = timedelta(seconds=5)
TOO_FAR: Final = timedelta(seconds=60)
GIB: Final = 1 << 30
LITTLE_BYTES: Final = 2 * GIB
TOO_LITTLE_BYTES: Final = GIB // 4
OPENED: Final = "see that HOST, PORT and whatever stands before them lead here"


async def clock(patient: Patient) -> Finding:
    """Ours against those of the database, Telegram and the provider: as many as answer."""
    settings = patient.settings
    asked = {
        "the database": _of_database(patient),
        "Telegram": _of_host(patient, settings.telegram_base_url),
        "the provider": _of_host(patient, settings.kie_base_url),
    }
    answers = await asyncio.gather(*asked.values())
    return judge_clock({name: ahead for name, ahead in zip(asked, answers, strict=True) if ahead is not None})


def judge_clock(ahead: dict[str, timedelta]) -> Finding:
    """Pure: by how much each other clock is ahead of ours."""
    if not ahead:
        return skipped(CLOCK, "nobody can be asked for the time")
    name, most = max(ahead.items(), key=lambda one: abs(one[1]))
    if abs(most) < NOTICED:
        return ok(CLOCK, f"agrees with {', '.join(ahead)}")
    how = "behind" if most > timedelta() else "ahead of"
    said = f"this machine is {abs(most).total_seconds():.0f} s {how} {name}"
    return (failed if abs(most) >= TOO_FAR else warning)(CLOCK, said, SET_THE_CLOCK)


async def _of_database(patient: Patient) -> timedelta | None:
    try:
        async with database(patient) as db, db.reading() as tx:
            before = datetime.now(UTC)
            theirs = await store.clock(tx)
            return outside(theirs, theirs, before, datetime.now(UTC))
    except AWAY:
        return None


async def _of_host(patient: Patient, address: str) -> timedelta | None:
    """A Date header has whole seconds, cut off."""
    before = datetime.now(UTC)
    try:
        answer = await ask(patient.session, "HEAD", address)
    except Unheard:
        return None
    if answer.date is None:
        return None
    return outside(answer.date, answer.date + timedelta(seconds=1), before, datetime.now(UTC))


def outside(earliest: datetime, latest: datetime, before: datetime, after: datetime) -> timedelta:
    """Pure: by how much another clock, read between these moments of ours, is surely ahead; negative: behind."""
    if latest < before:
        return latest - before
    return max(earliest - after, timedelta())


async def disk(patient: Patient) -> Finding:
    """Where files of customers pass through, and where the built-in database keeps its own."""
    folders = {"the folder for temporary files": Path(tempfile.gettempdir())}
    if patient.settings.database_url is None:
        folders["DATA_DIR"] = existing(patient.settings.data_dir)
    return judge_disk({name: shutil.disk_usage(folder).free for name, folder in folders.items()})


def judge_disk(free: dict[str, int]) -> Finding:
    """Pure: bytes that are left in each folder."""
    name, least = min(free.items(), key=lambda one: one[1])
    if least >= LITTLE_BYTES:
        return ok(DISK, f"{least / GIB:.1f} GiB are left")
    said, mend = f"{least / GIB:.2f} GiB are left in {name}", "make room, or give it a larger disk"
    return (failed if least < TOO_LITTLE_BYTES else warning)(DISK, said, mend)


async def public_address(patient: Patient) -> Finding:
    """Resolves, is https, and leads to a shop of this version with this bot's token."""
    base = patient.settings.webhook_base_url
    if base is None:
        return skipped(ADDRESS, "none is set (WEBHOOK_BASE_URL): results are asked for, and callbacks do not come")
    host = urlsplit(base).hostname or ""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return failed(ADDRESS, f"{host} does not resolve", "look at WEBHOOK_BASE_URL, or at the records of the domain")
    outside = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    if not base.startswith("https://") and not all(address.is_loopback for address in outside):
        return failed(ADDRESS, "Telegram sends updates to https addresses alone", "put a certificate before it")
    try:
        live, health = (
            await ask(patient.session, "GET", f"{base}/live"),
            await ask(patient.session, "GET", f"{base}/health"),
        )
        taken = await _knock(patient, base)
    except Unheard as silence:
        return failed(ADDRESS, f"{base}: {silence}", OPENED)
    return judge_address(base, live, health, taken)


def judge_address(base: str, live: Answer, health: Answer, taken: int | None) -> Finding:
    """Pure. `taken` is the status of an empty update with our secret, None when there was no token to knock with."""
    if not (isinstance(live.body, dict) and live.body.get("live") is True):
        return failed(ADDRESS, f"{base} answers {live.status}, and is no Kiosk", OPENED)
    there = health.body.get("version") if isinstance(health.body, dict) else None
    if there != __version__:
        return warning(ADDRESS, f"{base} runs version {there}, this is {__version__}", "finish the deployment")
    match taken:
        case 400 | None:  # an empty update is none, but the secret was right
            return ok(ADDRESS, f"{base} leads to a shop of version {there}")
        case 401:
            said = f"the shop at {base} does not know this bot: another token, or another shop"
            return failed(ADDRESS, said, "give every replica the same TELEGRAM_BOT_TOKEN")
        case 503:
            return warning(ADDRESS, f"the shop at {base} is not open", "wait for its start, or look at its /ready")
        case _:
            return failed(ADDRESS, f"{base} answers {taken} to an update", OPENED)


async def _knock(patient: Patient, base: str) -> int | None:
    """Sends what is no update, with the secret that Telegram would send; the worst of all bots. Errors: Unheard."""
    taken = None
    with contextlib.suppress(BadSettings):
        for token in tokens(patient.settings):
            headers = {"X-Telegram-Bot-Api-Secret-Token": webhook_secret(token), "Content-Type": "application/json"}
            address = f"{base}/telegram/{number(token)}"
            answer = await ask(patient.session, "POST", address, headers=headers, body=json.dumps({}))
            taken = max(taken or 0, answer.status)
    return taken
