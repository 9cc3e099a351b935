"""What this process counts and times, by name; whoever scrapes `/metrics` reads it, together with the shop's figures.

Labels have few values: no customer, no order, and of models only those of the catalog. docs/observability.md explains
every name.
"""

import contextlib
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from kiosk import __version__

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which nobody asks for

# Of our own: the library's is shared with whatever else there is in the process.
REGISTRY: Final = CollectorRegistry()
OTHER: Final = "other"
UNKNOWN: Final = math.nan  # compares with nothing, so no alarm is made of it

QUICK_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CALL_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0)
STAGE_S: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)

ProcessCollector(registry=REGISTRY)
Gauge("kiosk_build_info", "Always 1; the label says which program this is.", ["version"], registry=REGISTRY).labels(
    __version__
).set(1)

# Orders

ORDERS: Final = Counter("kiosk_orders", "Drafts that became orders.", ["model"], registry=REGISTRY)
NOT_ORDERED: Final = Counter(
    "kiosk_orders_not_taken", "Presses on Create that led to no order, by why not.", ["answer"], registry=REGISTRY
)
ENDED: Final = Counter(
    "kiosk_orders_ended", "Ends of orders; late: succeeded after failing.", ["model", "outcome", "reason"],
    registry=REGISTRY,
)  # fmt: skip
CHARGED: Final = Counter("kiosk_charged_kopecks", "Prices taken for results.", ["model"], registry=REGISTRY)
CREDITS: Final = Counter("kiosk_credits_spent", "What the provider took for tasks.", ["model"], registry=REGISTRY)
STAGE: Final = Histogram(
    "kiosk_stage_seconds",
    "How long delivered orders took: in_line, at_provider, delivery, whole.",
    ["stage", "output"],
    buckets=STAGE_S,
    registry=REGISTRY,
)
DELIVERIES: Final = Counter(
    "kiosk_deliveries", "Attempts to bring a part of a result into a chat.", ["part", "outcome"], registry=REGISTRY
)

# The provider

PROVIDER: Final = Histogram(
    "kiosk_provider_request_seconds",
    "Requests to the provider, by what came back.",
    ["operation", "outcome"],
    buckets=CALL_S,
    registry=REGISTRY,
)
CREATES: Final = Counter(
    "kiosk_provider_creates", "What became of attempts to buy.", ["outcome", "reason"], registry=REGISTRY
)
BALANCE: Final = Gauge("kiosk_provider_credits", "Credits left at the provider; NaN: not known.", registry=REGISTRY)
BALANCE.set(UNKNOWN)
CALLBACKS: Final = Counter("kiosk_callbacks", "Callbacks of the provider.", ["outcome"], registry=REGISTRY)

# Telegram

TELEGRAM: Final = Histogram(
    "kiosk_telegram_request_seconds",
    "Requests to Telegram, by method and what came back.",
    ["method", "outcome"],
    buckets=CALL_S,
    registry=REGISTRY,
)
UPDATES: Final = Histogram(
    "kiosk_update_seconds", "Updates dealt with.", ["bot_id", "kind", "outcome"], buckets=QUICK_S, registry=REGISTRY
)
LEADS: Final = Gauge("kiosk_leads", "Whether this process polls the bot.", ["bot_id"], registry=REGISTRY)

# The engine

JOBS: Final = Histogram("kiosk_job_seconds", "Jobs run.", ["act", "outcome"], buckets=CALL_S, registry=REGISTRY)
ROUNDS: Final = Counter("kiosk_rounds", "Rounds run.", ["round", "outcome"], registry=REGISTRY)
ROUND_DONE: Final = Gauge(
    "kiosk_round_last_success_timestamp_seconds", "When a round last ended well.", ["round"], registry=REGISTRY
)
BROKEN: Final = Gauge(
    "kiosk_audit_violations", "What the last audit of this process found.", ["invariant"], registry=REGISTRY
)

_output_of: dict[str, str] = {}  # model → kind of its output


def know_models(outputs: Mapping[str, str]) -> None:
    """Only these stand in labels, each with the kind of its output: rows may name models that are no longer known."""
    _output_of.update(outputs)


def model_label(model_id: str) -> str:
    """The model, or "other"."""
    return model_id if model_id in _output_of else OTHER


def stage(name: str, model_id: str, begun_at: datetime | None, ended_at: datetime | None) -> None:
    """One stage of one order; what never began or ended is none."""
    if begun_at and ended_at:
        took_s = max(0.0, (ended_at - begun_at).total_seconds())
        STAGE.labels(name, _output_of.get(model_id, OTHER)).observe(took_s)


@dataclass(slots=True)
class Timing:
    """What is being timed; whoever does it says how it ended."""

    outcome: str


@contextlib.contextmanager
def timed(instrument: Histogram, *labels: str, raised: str = "error") -> Iterator[Timing]:
    """Observes how long the block took, with its outcome as the last label: `raised` unless it says otherwise."""
    timing, began_s = Timing(raised), time.perf_counter()
    try:
        yield timing
    finally:
        instrument.labels(*labels, timing.outcome).observe(time.perf_counter() - began_s)
