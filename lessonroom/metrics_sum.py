"""The figures of several processes in one: what grew in a worker's :class:`~lessonroom.metrics.Metrics` is added here.

prometheus_client has a way of its own for this, files that all processes map, with gauges that nobody takes back when
a process dies. Here a worker tells what grew since it last did, and what a dead one still counted in a gauge goes with
it. Values and buckets are read and added to through names that the library does not promise; a test looks whether
they are still there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from prometheus_client import Counter, Gauge, Histogram

from lessonroom.metrics import Metrics

GAUGES: Final = frozenset({"lessonroom_inference_queue"})
"""Gauges that mean something when they are added up over processes."""

Series = Counter | Gauge | Histogram
Labels = tuple[str, ...]
Change = Sequence[Any]
"""Name, values of the labels, and what came: one number, or for a histogram its sum and each bucket's count."""


class Growth:
    """What has grown in this process since the last time it was asked."""

    def __init__(self, metrics: Metrics) -> None:
        self._series = _summed(metrics)
        self._before: dict[tuple[str, Labels], list[float]] = {}

    def next(self) -> list[Change]:
        """Only what changed, as data of JSON."""
        return list(self._changes())

    def _changes(self) -> Iterator[Change]:
        for name, series in self._series.items():
            for labels, child in _children(series):
                now = _read(child)
                before = self._before.get((name, labels)) or [0.0] * len(now)
                if now != before:
                    self._before[name, labels] = now
                    yield [name, labels, [new - old for new, old in zip(now, before, strict=True)]]


class Sum:
    """Adds what one worker tells, and takes its gauges back when it is gone."""

    def __init__(self, metrics: Metrics) -> None:
        self._series = _summed(metrics)
        self._held: dict[tuple[str, Labels], float] = {}

    def add(self, changes: Iterable[Change]) -> None:
        """Take in what has grown; a series that is not known here is of another version and is left out."""
        for name, labels, grown in changes:
            series = self._series.get(name)
            if series is None:
                continue
            child = series.labels(*labels) if labels else series
            if isinstance(child, Gauge):
                key = name, tuple(labels)
                self._held[key] = self._held.get(key, 0.0) + grown[0]
            _add(child, grown)

    def gone(self) -> None:
        """The worker is gone, and so is all that waits in it."""
        for (name, labels), value in self._held.items():
            series = self._series[name]
            _add(series.labels(*labels) if labels else series, [-value])
        self._held.clear()


def _summed(metrics: Metrics) -> dict[str, Series]:
    found = set(metrics.registry._names_to_collectors.values())
    kinds = (one for one in found if isinstance(one, Counter | Histogram | Gauge))
    return {one._name: one for one in kinds if not isinstance(one, Gauge) or one._name in GAUGES}


def _children(series: Series) -> list[tuple[Labels, Series]]:
    if not series._labelnames:
        return [((), series)]
    children: dict[Labels, Series] = series._metrics  # type: ignore[assignment]
    return list(children.items())


def _read(child: Series) -> list[float]:
    if isinstance(child, Histogram):
        return [child._sum.get(), *(bucket.get() for bucket in child._buckets)]
    return [child._value.get()]


def _add(child: Series, grown: Sequence[float]) -> None:
    if isinstance(child, Histogram):
        child._sum.inc(grown[0])
        for bucket, count in zip(child._buckets, grown[1:], strict=True):
            bucket.inc(count)
    else:
        child._value.inc(grown[0])
