"""Rows of an earlier bot as typed values: whatever is absent, naive or written as text is read all the same; pure."""

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum, StrEnum
from typing import Any, Final, Literal

from kiosk.kie.results import read_result


class Table(StrEnum):
    """In the order in which the rows of one customer are read."""

    USERS = "users"
    WALLETS = "wallets"
    PAYMENTS = "payments"
    GENERATION_JOBS = "generation_jobs"
    JOBS = "jobs"
    LEDGER = "ledger"
    REFERRALS = "referrals"
    ORPHANS = "orphan_callbacks"


class Fate(Enum):
    """What a word of the earlier bot says of an order or a payment."""

    OPEN = "open"
    GOOD = "good"
    BAD = "bad"
    CANCELED = "canceled"
    UNORDERED = "unordered"


ORDER_WORDS: Final = {
    **dict.fromkeys(("queued", "pending", "running", "processing", "waiting", "queuing", "generating"), Fate.OPEN),
    **dict.fromkeys(("done", "completed", "complete", "success", "succeeded", "finished", "delivered"), Fate.GOOD),
    **dict.fromkeys(("failed", "fail", "error", "timeout"), Fate.BAD),
    **dict.fromkeys(("canceled", "cancelled"), Fate.CANCELED),
    **dict.fromkeys(("draft", "await_confirm"), Fate.UNORDERED),
}
PAYMENT_WORDS: Final = {
    **dict.fromkeys(("approved", "completed", "complete", "confirmed", "paid", "success", "succeeded"), Fate.GOOD),
    **dict.fromkeys(("pending", "waiting", "created", "new", "processing", "review"), Fate.OPEN),
    **dict.fromkeys(("rejected", "declined", "failed", "canceled", "cancelled", "expired", "error"), Fate.BAD),
}
NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")
CHAT: Final = re.compile(r"-?[1-9][0-9]{0,18}")
HIGHEST_NUMBER: Final = 2**52 - 1  # Bot API, "User": at most 52 significant bits
HIGHEST_CHAT: Final = 2**63 - 1
MOST_RUB: Final = Decimal(1_000_000_000)
SIGNS_AROUND: Final = re.compile(r"[\s\u00a0\u202f'_]|₽|руб\.?|RUB", re.IGNORECASE)
NAME_LIMIT: Final = 128


@dataclass(frozen=True, slots=True)
class Row:
    """One row: whose it is and its key as texts, its columns, and the same as the JSON text that is kept."""

    table: Table
    owner: str
    key: str
    values: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Amount:
    """Rubles exactly as written, and whole kopecks; not `readable`: 0 of both."""

    rub: Decimal
    kopecks: int
    readable: bool = True

    @property
    def rounded(self) -> bool:
        return self.rub * 100 != self.kopecks


NOTHING: Final = Amount(Decimal(0), 0)
UNREADABLE: Final = Amount(Decimal(0), 0, readable=False)


def a_row(table: Table, owner: str, key: str, text: str) -> Row:
    """Numbers keep every digit."""
    return Row(table, owner, key, json.loads(text, parse_float=Decimal), text)


def amount(value: object) -> Amount:
    """Rubles as a number or a text such as "1 234,50 ₽"; nothing at all is 0."""
    if value is None or value == "":
        return NOTHING
    try:
        rub = Decimal(SIGNS_AROUND.sub("", str(value)).replace(",", "."))
    except InvalidOperation:
        return UNREADABLE
    if not rub.is_finite() or abs(rub) > MOST_RUB:
        return UNREADABLE
    # A balance kept as a float is a hair beside its kopeck; the nearest is what it meant.
    return Amount(rub, int((rub * 100).to_integral_value(ROUND_HALF_UP)))


def moment(value: object) -> datetime | None:
    """A naive time is UTC."""
    try:
        found = datetime.fromisoformat(str(value)) if value else None
        if found is None or found.tzinfo is None:
            return found and found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):  # "infinity", the year 0, or no time at all
        return None


def number(text: str) -> int | None:
    """A person's number in Telegram."""
    return int(text) if NUMBER.fullmatch(text) and int(text) <= HIGHEST_NUMBER else None


def chat(value: object) -> int | None:
    """A chat's number: groups have negative ones."""
    text = str(value or "").strip()
    return int(text) if CHAT.fullmatch(text) and abs(int(text)) <= HIGHEST_CHAT else None


def words(value: object) -> str:
    """A text without what PostgreSQL cannot keep and without spaces around."""
    return "" if value is None else _kept(str(value)).strip()


def mapping(value: object) -> dict[str, Any]:
    """An object, or the JSON text of one; anything else is an empty one."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    cleaned = _clean(value)
    return cleaned if isinstance(cleaned, dict) else {}


def _kept(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _clean(value: object) -> Any:
    match value:
        case str():
            return _kept(value)
        case dict():
            return {_kept(str(name)): _clean(inner) for name, inner in value.items()}
        case list():
            return [_clean(inner) for inner in value]
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case _:
            return value


@dataclass(frozen=True, slots=True)
class Person:
    """Who somebody is; a wallet alone names nobody."""

    telegram_id: int
    first_name: str
    username: str | None
    language: Literal["ru", "en"]
    created_at: datetime | None


def person(telegram_id: int, user: Mapping[str, Any]) -> Person:
    return Person(
        telegram_id,
        words(user.get("first_name"))[:NAME_LIMIT],
        words(user.get("username")).removeprefix("@")[:NAME_LIMIT] or None,
        "en" if words(user.get("locale")).lower().startswith("en") else "ru",
        moment(user.get("created_at")),
    )


@dataclass(frozen=True, slots=True)
class Job:
    """An order of either generation. `names`: what its money may be recorded under."""

    row: Row
    names: frozenset[str]
    model_id: str
    inputs: dict[str, Any]
    price: Amount
    fate: Fate | None
    task_id: str
    urls: tuple[str, ...]
    chat_id: int | None
    began_at: datetime | None
    ended_at: datetime | None
    delivered_at: datetime | None
    deliveries_were_noted: bool


def job(row: Row) -> Job:
    told = row.values
    ours = row.table is Table.JOBS
    key = words(told.get("id" if ours else "job_id")) or row.key
    task_id = words(told.get("kie_task_id" if ours else "external_task_id"))
    aliases = (key, f"job:{key}", f"job_{key}", task_id, words(told.get("idempotency_key")))
    return Job(
        row=row,
        names=frozenset(name for name in aliases if name),
        model_id=words(told.get("model_id")) or words(told.get("model_name")),
        inputs=mapping(told.get("input_json" if ours else "params")),
        price=amount(told.get("price_rub" if ours else "price")),
        fate=ORDER_WORDS.get(words(told.get("status")).lower()),
        task_id=task_id,
        urls=_urls(told.get("result_json" if ours else "result_urls")),
        chat_id=chat(told.get("chat_id")),
        began_at=moment(told.get("created_at")),
        ended_at=moment(told.get("finished_at")) or moment(told.get("updated_at")),
        delivered_at=moment(told.get("delivered_at")),
        deliveries_were_noted="delivered_at" in told,
    )


def _urls(value: object) -> tuple[str, ...]:
    """Addresses out of a list, one text, JSON text of a list, or the provider's own record."""
    if isinstance(value, str):
        with contextlib.suppress(ValueError):  # else it is the address itself, or nothing
            value = json.loads(value)
    cleaned = _clean(value)
    if isinstance(cleaned, dict):
        return read_result(cleaned).urls or read_result({"resultJson": cleaned}).urls
    return read_result({"resultUrls": cleaned}).urls


@dataclass(frozen=True, slots=True)
class Paid:
    row: Row
    kopecks: int
    method: str
    same_as: str  # two payments with this in common are one; "" says nothing
    fate: Fate | None
    created_at: datetime | None


def paid(row: Row) -> Paid:
    told = row.values
    return Paid(
        row,
        amount(told.get("amount")).kopecks,
        words(told.get("payment_method")).casefold()[:40] or "unknown",
        words(told.get("idempotency_key")),
        PAYMENT_WORDS.get(words(told.get("status")).lower()),
        moment(told.get("created_at")),
    )


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the earlier ledger. `names`: of the order that it is about."""

    kind: str
    kopecks: int
    counts: bool
    names: frozenset[str]


VOID: Final = frozenset({"failed", "canceled", "cancelled", "rejected", "pending", "reversed", "void"})


def entry(row: Row) -> Entry:
    told = row.values
    meta = mapping(told.get("meta"))
    names = (words(told.get("ref")), words(meta.get("job_id")), words(meta.get("task_id")))
    return Entry(
        words(told.get("kind")).lower(),
        amount(told.get("amount_rub")).kopecks,
        words(told.get("status")).lower() not in VOID,
        frozenset(name for name in names if name),
    )
