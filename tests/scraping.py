"""What `/metrics` of a running shop says, by name and labels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import aiohttp
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from kiosk.metrics import REGISTRY

SUFFIXES = {
    "counter": {"_total": ()},
    "gauge": {"": ()},
    "unknown": {"": ()},
    "histogram": {"_bucket": ("le",), "_count": (), "_sum": ()},
}


@dataclass(frozen=True)
class Scraped:
    """`samples` by what they are called; `labels` of every name, also of those that have no sample yet."""

    text: str
    samples: Mapping[str, float]
    labels: Mapping[str, frozenset[str]]
    values: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)  # of a name's label

    def __getitem__(self, called: str) -> float:
        """0 for what was never counted."""
        return self.samples.get(called, 0.0)


def called(name: str, labels: Mapping[str, str]) -> str:
    """`name` and its labels in order, such as `kiosk_leads{bot_id=1}`."""
    shown = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    return f"{name}{{{shown}}}" if shown else name


async def scraped(url: str, token: str) -> Scraped:
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics", headers=headers) as answer:
        assert answer.status == 200
        text = await answer.text()
    families = list(text_string_to_metric_families(text))
    samples = [sample for family in families for sample in family.samples]
    labels = {sample.name: frozenset(sample.labels) for sample in samples}
    for family in families:
        for suffix, more in SUFFIXES[family.type].items():
            declared = declared_labels(family.name) or ()
            labels.setdefault(family.name + suffix, frozenset((*declared, *more)))
    return Scraped(text, {called(one.name, one.labels): one.value for one in samples}, labels, values(samples))


def values(samples: Iterable[Sample]) -> dict[tuple[str, str], frozenset[str]]:
    found: dict[tuple[str, str], frozenset[str]] = {}
    for sample in samples:
        for label, value in sample.labels.items():
            found[sample.name, label] = found.get((sample.name, label), frozenset()) | {value}
    return found


def declared_labels(family: str) -> tuple[str, ...] | None:
    """Of an instrument that nothing was observed with yet; None: it is none of this process."""
    instrument = REGISTRY._names_to_collectors.get(family)
    return instrument._labelnames if isinstance(instrument, MetricWrapperBase) else None
