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
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

from kiosk import __version__

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which nobody asks for

# Of our own: the library's is shared with whatever else there is in the process.
REGISTRY: Final = CollectorRegistry()
OTHER: Final = "other"
CUT_OFF: Final = "cut_off"  # the process ended meanwhile, or whoever waited gave up
UNKNOWN: Final = math.nan  # compares with nothing, so no alarm is made of it

QUICK_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
CALL_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0)
STAGE_S: Final = (1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0)

_counter = partial(Counter, registry=REGISTRY)
_gauge = partial(Gauge, registry=REGISTRY)
_histogram = partial(Histogram, registry=REGISTRY)

ProcessCollector(registry=REGISTRY)
_gauge("kiosk_build_info", "Always 1; the label says which program this is.", ["version"]).labels(__version__).set(1)

# Orders

ORDERS: Final = _counter("kiosk_orders", "Drafts that became orders.", ["model"])
NOT_ORDERED: Final = _counter("kiosk_orders_not_taken", "Presses on Create without an order, by why not.", ["answer"])
ENDED: Final = _counter("kiosk_orders_ended", "Late: succeeded after failing.", ["model", "outcome", "reason"])
CHARGED: Final = _counter("kiosk_charged_kopecks", "Prices taken for results.", ["model"])
CREDITS: Final = _counter("kiosk_credits_spent", "What the provider took for tasks.", ["model"])
STAGE: Final = _histogram(
    "kiosk_stage_seconds",
    "Of orders that went well: in_line, at_provider, delivery, whole.",
    ["stage", "output"],
    buckets=STAGE_S,
)
DELIVERIES: Final = _counter("kiosk_deliveries", "Attempts to bring a part into a chat.", ["part", "outcome"])

# The provider

PROVIDER: Final = _histogram(
    "kiosk_provider_request_seconds", "By what came back.", ["operation", "outcome"], buckets=CALL_S
)
CREATES: Final = _counter("kiosk_provider_creates", "What became of attempts to buy.", ["outcome", "reason"])
BALANCE: Final = _gauge("kiosk_provider_credits", "Credits left at the provider; NaN: not known.")
BALANCE.set(UNKNOWN)
CALLBACKS: Final = _counter("kiosk_callbacks", "Callbacks of the provider.", ["outcome"])

# Telegram

TELEGRAM: Final = _histogram(
    "kiosk_telegram_request_seconds", "By what came back.", ["method", "outcome"], buckets=CALL_S
)
UPDATES: Final = _histogram("kiosk_update_seconds", "Dealt with.", ["bot_id", "kind", "outcome"], buckets=QUICK_S)
LEADS: Final = _gauge("kiosk_leads", "Whether this process polls the bot.", ["bot_id"])

# The engine

JOBS: Final = _histogram("kiosk_job_seconds", "Jobs run.", ["act", "outcome"], buckets=CALL_S)
ROUNDS: Final = _counter("kiosk_rounds", "Rounds run.", ["round", "outcome"])
ROUND_DONE: Final = _gauge("kiosk_round_last_success_timestamp_seconds", "When a round last ended well.", ["round"])
BROKEN: Final = _gauge("kiosk_audit_violations", "What the last audit of this process found.", ["invariant"])

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
def timed(instrument: Histogram, *labels: str) -> Iterator[Timing]:
    """Observes how long the block took; the last label is the outcome: "cut_off", unless the block says otherwise."""
    timing, began_s = Timing(CUT_OFF), time.perf_counter()
    try:
        yield timing
    finally:
        instrument.labels(*labels, timing.outcome).observe(time.perf_counter() - began_s)
