"""Counters and histograms at one moment, and what came between two moments: the operations page is made of these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client import Counter, Gauge, Histogram

from lessonroom.metrics import SECONDS, Metrics

Buckets = Sequence[float]
"""Cumulative observations by upper bound, as Prometheus has them."""

AGE, DELIVERY, CHAT = "age", "hint", "chat"
"""Whole ways beside their stages: from capture to observation, from hint to socket, from message to receipt."""


@dataclass(frozen=True, slots=True)
class Counts:
    """All counters at one moment. ``looks`` and ``messages``: the histograms of each stage of the two lines."""

    at: float
    samples: float = 0.0
    drops: float = 0.0
    chat: float = 0.0
    store_failures: float = 0.0
    late: float = 0.0
    broken: float = 0.0
    verdicts: Mapping[str, float] = field(default_factory=dict)
    looks: Mapping[str, Buckets] = field(default_factory=dict)
    messages: Mapping[str, Buckets] = field(default_factory=dict)


def count(metrics: Metrics, now: float) -> Counts:
    """Read all of it. Takes about a millisecond."""
    verdicts = by_label(metrics.verdicts)
    failures = by_label(metrics.inference_failures)
    return Counts(
        at=now,
        samples=total(metrics.samples),
        drops=total(metrics.dropped) + total(metrics.lost),
        chat=sum(verdicts.values()),
        store_failures=total(metrics.store_failures),
        late=failures.get("late", 0.0),
        broken=sum(failures.values()) - failures.get("late", 0.0),
        verdicts=verdicts,
        looks={**buckets(metrics.inference), AGE: bare(metrics.age), DELIVERY: bare(metrics.hint_delivery)},
        messages={**buckets(metrics.chat_stages), CHAT: bare(metrics.chat_time)},
    )


def between(before: Mapping[str, Buckets], latest: Mapping[str, Buckets]) -> dict[str, dict[str, float | None]]:
    """Median and 95th percentile of each stage that something came through, in milliseconds."""
    found = {
        stage: {"p50": percentile(before.get(stage, ()), now, 0.5), "p95": percentile(before.get(stage, ()), now, 0.95)}
        for stage, now in latest.items()
    }
    return {stage: values for stage, values in found.items() if values["p50"] is not None}


def percentile(before: Buckets, latest: Buckets, share: float) -> float | None:
    """A percentile in milliseconds of what came between two readings, linear within its bucket; None for nothing."""
    came = [after - old for after, old in zip(latest, before or [0.0] * len(latest), strict=True)]
    if not came or came[-1] <= 0:
        return None
    wanted, below, floor = share * came[-1], 0.0, 0.0
    for bound, seen in zip((*SECONDS, SECONDS[-1]), came, strict=True):
        if seen >= wanted:
            inside = (wanted - below) / (seen - below) if seen > below else 1.0
            return round((floor + inside * (bound - floor)) * 1000, 1)
        below, floor = seen, bound
    return round(SECONDS[-1] * 1000, 1)


def total(series: Counter | Gauge) -> float:
    """The sum over all labels; whole numbers as such, for the page."""
    value = sum(value for _, value in _samples(series, "_total" if isinstance(series, Counter) else ""))
    return int(value) if value == int(value) else value


def by_label(series: Counter) -> dict[str, float]:
    """Values of a counter with one label."""
    return {next(iter(labels.values())): value for labels, value in _samples(series, "_total")}


def buckets(series: Histogram) -> dict[str, list[float]]:
    """The buckets of each stage of a histogram with this one label."""
    found: dict[str, list[float]] = {}
    for labels, value in _samples(series, "_bucket"):
        found.setdefault(labels["stage"], []).append(value)
    return found


def bare(series: Histogram) -> list[float]:
    """The buckets of a histogram without labels."""
    return [value for _, value in _samples(series, "_bucket")]


def _samples(series: Counter | Gauge | Histogram, suffix: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in series.collect()
        for sample in family.samples
        if sample.name.endswith(suffix)
    ]
