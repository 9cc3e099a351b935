"""`/metrics`: what this process measured, and the shop's figures, for Prometheus and nobody without the token."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Generic, TypeVar

import structlog
from fastapi import APIRouter, Header, HTTPException, Request, status
from fastapi.responses import Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from kiosk.db import Database, DatabaseUnavailable, PoolFigures, Tx
from kiosk.ids import same_secret
from kiosk.metrics import REGISTRY
from kiosk.operators import figures
from kiosk.operators.figures import Books, Work
from kiosk.web.front import Front

log = structlog.get_logger()
router = APIRouter()
T = TypeVar("T")

WORK_S: Final = 5.0  # so old a figure may be
BOOKS_S: Final = 300.0  # those read every transfer
LIMIT_S: Final = 5.0  # a scrape waits no longer for the database; Prometheus itself gives up after 10
ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format."},
    401: {"description": "The token is missing or wrong."},
    404: {"description": "No METRICS_TOKEN is set: nothing is told."},
}


@dataclass(slots=True)
class Remembered(Generic[T]):
    """What the database said lately, or that it said nothing: many who ask at once are one query."""

    read: Callable[[Tx], Awaitable[T]]
    for_s: float
    _value: T | None = None
    _until_s: float = 0.0
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def of(self, db: Database) -> T | None:
        """None while the database is away or too slow."""
        async with self._asking:
            if time.monotonic() >= self._until_s:
                self._value = await self._ask(db)
                # A database that is away is asked again as soon as one that is there.
                self._until_s = time.monotonic() + (self.for_s if self._value is not None else WORK_S)
            return self._value

    async def _ask(self, db: Database) -> T | None:
        try:
            async with asyncio.timeout(LIMIT_S), db.transaction(readonly=True) as tx:
                return await self.read(tx)
        except (DatabaseUnavailable, TimeoutError) as error:
            log.info("metrics.figures_missing", error=type(error).__name__)
        except Exception:
            # The boundary of the figures: a bug in them is loud, and hides nothing else.
            log.exception("metrics.figures_broke")
        return None


@dataclass(slots=True)
class Scrape:
    """`token` is what `Authorization: Bearer` has to bring; without one there is no page."""

    front: Front
    token: str | None
    _work: Remembered[Work] = field(init=False)
    _books: Remembered[Books] = field(init=False)

    def __post_init__(self) -> None:
        self._work = Remembered(self._read_work, WORK_S)
        self._books = Remembered(figures.books, BOOKS_S)

    async def _read_work(self, tx: Tx) -> Work:
        return await figures.work(tx, self.front.running.key_name if self.front.running else "")

    async def text(self) -> bytes:
        """Never fails: what cannot be had is not in it."""
        families = [_flag("kiosk_open", "Whether the shop runs in this process.", on=self.front.running is not None)]
        if running := self.front.running:
            families += _of_pool(running.db.figures())
            work, books = await asyncio.gather(self._work.of(running.db), self._books.of(running.db))
            families.append(_flag("kiosk_database_up", "Whether the figures could be read.", on=work is not None))
            families += [*(_of_work(work) if work else ()), *(_of_books(books) if books else ())]
        return await asyncio.to_thread(generate_latest, _Page(families))


@dataclass(frozen=True, slots=True)
class _Page:
    families: list[Metric]

    def collect(self) -> Iterator[Metric]:
        yield from REGISTRY.collect()
        yield from self.families


@router.get("/metrics", responses=ANSWERS, response_class=Response)
async def metrics(request: Request, authorization: Annotated[str, Header()] = "") -> Response:
    """Everything that is measured; the same figures of the database on every replica."""
    scrape: Scrape = request.app.state.scrape
    if scrape.token is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, "METRICS_TOKEN is not set")
    if not same_secret(f"Bearer {scrape.token}", authorization):
        raise HTTPException(status.HTTP_401_UNAUTHORIZED, "wrong token", headers={"WWW-Authenticate": "Bearer"})
    return Response(await scrape.text(), media_type=CONTENT_TYPE_LATEST)


def _flag(name: str, meaning: str, *, on: bool) -> Metric:
    return GaugeMetricFamily(name, meaning, value=float(on))


def _gauge(name: str, meaning: str, label: str, values: dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _of_pool(pool: PoolFigures) -> Iterator[Metric]:
    in_use = float(pool.size - pool.free)
    values = {"in_use": in_use, "free": float(pool.free), "waiting": float(pool.waiting)}
    yield _gauge("kiosk_db_connections", "Of the pool for requests and jobs; waiting: for one.", "state", values)
    yield CounterMetricFamily("kiosk_db_waits", "Who found all connections in use.", value=float(pool.waits))
    yield CounterMetricFamily("kiosk_db_timeouts", "Who waited for one in vain.", value=float(pool.timeouts))


def _of_work(work: Work) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("kiosk_queue_jobs", "Jobs of the engine.", labels=["act", "state"])
    for (act, state), count in work.jobs.items():
        jobs.add_metric([act, state], float(count))
    yield jobs
    orders = {state: work.orders.get(state) for state in figures.UNFINISHED}
    by_state = "Orders that are not over; done and failed: not delivered yet."
    yield _gauge("kiosk_open_orders", by_state, "state", {s: float(w.count if w else 0) for s, w in orders.items()})
    oldest = {s: w.oldest_s if w else 0.0 for s, w in orders.items()}
    yield _gauge("kiosk_oldest_order_seconds", "How long the oldest of them has waited.", "state", oldest)
    overdue = {s: float(w.overdue if w else 0) for s, w in orders.items()}
    yield _gauge("kiosk_overdue_orders", "Should have been looked at a minute ago.", "state", overdue)
    yield GaugeMetricFamily("kiosk_parked_orders", "Wait for a customer who blocked the bot.", value=float(work.parked))
    yield GaugeMetricFamily("kiosk_orphan_callbacks", "Callbacks that fit no order.", value=float(work.orphans))
    paused = {why: float(why == work.paused_why) for why in figures.PAUSES}
    yield _gauge("kiosk_sales_paused", "Nothing is sold, for this reason.", "reason", paused)
    yield _flag("kiosk_breaker_open", "The provider fails order after order and is not asked.", on=work.breaker_open)
    nightly = dict(work.nightly)
    yield _gauge("kiosk_nightly_last_run_timestamp_seconds", "When nightly work was last done.", "work", nightly)
    alerts = CounterMetricFamily("kiosk_operator_alerts", "What operators are told of.", labels=["kind"])
    for kind, count in work.alerts.items():
        alerts.add_metric([kind], float(count))
    yield alerts
    yield GaugeMetricFamily("kiosk_operator_alerts_due", "Of them, to be told now.", value=float(work.due))


def _of_books(books: Books) -> Iterator[Metric]:
    accounts = {kind: float(kopecks) for kind, kopecks in books.accounts.items()}
    yield _gauge("kiosk_ledger_kopecks", "What is on all accounts of a kind.", "account", accounts)
    kopecks = CounterMetricFamily("kiosk_transfers_kopecks", "Money moved, ever.", labels=["kind"])
    transfers = CounterMetricFamily("kiosk_transfers", "Transfers made, ever.", labels=["kind"])
    for kind in figures.TRANSFERS:
        count, moved = books.transfers.get(kind, (0, 0))
        kopecks.add_metric([kind], float(moved))
        transfers.add_metric([kind], float(count))
    yield from (kopecks, transfers)
    customers = GaugeMetricFamily("kiosk_customers", "People known to a bot.", labels=["bot_id", "state"])
    for bot_id, (everybody, blocked) in books.customers.items():
        customers.add_metric([str(bot_id), "blocked"], float(blocked))
        customers.add_metric([str(bot_id), "reachable"], float(everybody - blocked))
    yield customers
