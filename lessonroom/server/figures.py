"""The operations page's figures: rates and percentiles over the last seconds, made of the Prometheus series.

Once a second the counters are read; a rate is the difference over the last ``RATE_SECONDS``, a percentile comes from
the histogram's buckets over the last ``INFERENCE_SECONDS``. The last hour is kept as one point every ten seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import psutil
from prometheus_client import Counter, Gauge, Histogram

from lessonroom import logs
from lessonroom.gpu import Gpus, Reading
from lessonroom.metrics import SECONDS, Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.live import Live
from lessonroom.rooms.review import Review

log = logs.get(__name__)

RATE_SECONDS = 10
INFERENCE_SECONDS = 60
POINT_SECONDS = 10
HOUR_POINTS = 360
STAGE = "look"
"""The stage of inference that operators see: all of one look at a sample."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """All counters at one moment. ``inference``: cumulative observations by upper bound, as Prometheus has them."""

    at: float
    samples: float
    drops: float
    chat: float
    store_failures: float
    inference_failures: float
    verdicts: Mapping[str, float]
    inference: Sequence[float] = field(default_factory=list)


class Figures:
    """Reads everything once a second and builds snapshots. ``provider``: where models run, empty when nowhere."""

    def __init__(
        self, metrics: Metrics, hub: Hub, gpus: Gpus, review: Review, *, provider: str, reason: str, deadline: float
    ) -> None:
        self.provider = provider
        self._reason = reason
        self._deadline = deadline
        self._metrics = metrics
        self._hub = hub
        self._gpus = gpus
        self._review = review
        self._process = psutil.Process()
        self._counts: deque[Counts] = deque(maxlen=INFERENCE_SECONDS + 1)
        self._history: deque[Json] = deque(maxlen=HOUR_POINTS)
        self._snapshot: Json = {}
        self._fresh = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read. Call on the event loop."""
        self._look(time.time())
        self._task = asyncio.create_task(self._run(), name="figures")

    async def stop(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._gpus.close()

    def first(self) -> Json:
        """The latest snapshot with the whole last hour."""
        return {**self._snapshot, "history": list(self._history)}

    async def next(self) -> Json:
        """Wait for the next snapshot; ``history_append`` holds a new point of the hour, if there is one."""
        async with self._fresh:
            await self._fresh.wait()
            return self._snapshot

    async def _run(self) -> None:
        failed = False
        while True:
            await asyncio.sleep(1.0)
            try:
                self._look(time.time())
                failed = False
            except Exception:  # figures that fail for a moment must not stay away for ever
                if not failed:
                    log.exception("figures could not be read")
                failed = True
                continue
            async with self._fresh:
                self._fresh.notify_all()

    def _look(self, now: float) -> None:
        self._counts.append(self._read(now))
        snapshot = self._make(now)
        if not self._history or now - self._history[-1]["t"] / 1000 >= POINT_SECONDS:
            point = {
                "t": int(now * 1000),
                "samples": snapshot["samples_per_second"],
                "inference_p95": snapshot["inference_ms"]["p95"],
                "cpu": snapshot["cpu"]["process"],
                "queue": snapshot["queue"],
                "chat": snapshot["chat_per_second"],
            }
            self._history.append(point)
            snapshot["history_append"] = [point]
        self._snapshot = snapshot

    def _read(self, now: float) -> Counts:
        metrics = self._metrics
        verdicts = _by_label(metrics.verdicts)
        return Counts(
            at=now,
            samples=_total(metrics.samples),
            drops=_total(metrics.dropped) + _total(metrics.lost),
            chat=sum(verdicts.values()),
            store_failures=_total(metrics.store_failures),
            inference_failures=_total(metrics.inference_failures),
            verdicts=verdicts,
            inference=_buckets(metrics.inference, STAGE),
        )

    def _make(self, now: float) -> Json:
        latest, before = self._counts[-1], self._counts[max(0, len(self._counts) - 1 - RATE_SECONDS)]
        seconds = max(latest.at - before.at, 1.0)
        p50, p95 = (percentile(self._counts[0].inference, latest.inference, share) for share in (0.5, 0.95))
        readings = self._gpus.read()
        self._metrics.gpus_read(readings)
        cpu = self._process.cpu_percent() / 100
        machine = psutil.cpu_percent() / 100
        snapshot: Json = {
            "type": "operations",
            "now": int(now * 1000),
            "rooms": _total(self._metrics.rooms),
            "analysers": _total(self._metrics.analysers),
            "samples_per_second": round((latest.samples - before.samples) / seconds, 2),
            "drops_per_second": round((latest.drops - before.drops) / seconds, 2),
            "inference_ms": {"p50": p50, "p95": p95},
            "queue": _total(self._metrics.queue),
            "cpu": {"process": round(cpu, 3), "machine": round(machine, 3), "cores": psutil.cpu_count() or 1},
            "memory_mb": round(self._process.memory_info().rss / 2**20, 1),
            "provider": self.provider or "off",
            "provider_reason": self._reason,
            "gpus": [_gpu(reading) for reading in readings],
            "gpu_note": self._gpus.note,
            "chat_per_second": round((latest.chat - before.chat) / seconds, 2),
            "verdicts": {action: int(latest.verdicts.get(action, 0)) for action in ("relay", "hold", "block")},
            "review": asdict(self._review.counts),
            "table": [_row(live, now) for live in self._hub.live_rooms()],
        }
        snapshot["health"] = health(snapshot, latest, before, self._deadline)
        return snapshot


def health(snapshot: Json, latest: Counts, before: Counts, deadline: float) -> Json:
    """Is everything well, and what limits capacity now; the page has a sentence for each key."""
    p95 = snapshot["inference_ms"]["p95"] or 0.0
    found = [
        (latest.store_failures > before.store_failures, "red", "store", "store_down"),
        (snapshot["provider"] == "off", "amber", "inference", "no_vision"),
        (latest.inference_failures > before.inference_failures, "red", "inference", "vision_down"),
        (snapshot["cpu"]["machine"] > 0.97, "red", "cpu", "cpu_full"),
        (p95 > deadline * 500, "amber", "inference", "inference_slow"),
        (snapshot["cpu"]["machine"] > 0.85, "amber", "cpu", "cpu_busy"),
    ]
    state, limits, key = next((row[1:] for row in found if row[0]), ("green", "none", "all_well"))
    return {"state": state, "limits": limits, "sentence_key": key}


def percentile(before: Sequence[float], latest: Sequence[float], share: float) -> float | None:
    """A percentile in milliseconds of what came between two readings, linear within its bucket; None for nothing."""
    came = [after - old for after, old in zip(latest, before or [0.0] * len(latest), strict=True)]
    if not came or came[-1] <= 0:
        return None
    wanted, below, floor = share * came[-1], 0.0, 0.0
    for bound, count in zip((*SECONDS, SECONDS[-1]), came, strict=True):
        if count >= wanted:
            inside = (wanted - below) / (count - below) if count > below else 1.0
            return round((floor + inside * (bound - floor)) * 1000, 1)
        below, floor = count, bound
    return round(SECONDS[-1] * 1000, 1)


def _row(live: Live, now: float) -> Json:
    analysis = live.room.analysis(now)
    session = live.session
    return {
        "room": live.room.id[:6],
        "age_s": int(now - live.created_at),
        "mode": analysis.mode,
        "state": analysis.state,
        "reason": analysis.reason,
        "stream": session.stream if session else "",
        "samples": session.watch.samples if session else 0,
        "drops": session.analyser.frames.dropped if session else 0,
        "last_hint_age_s": None if live.last_hint_at is None else int(now - live.last_hint_at),
    }


def _gpu(reading: Reading) -> Json:
    return {
        "name": reading.name,
        "utilization": reading.utilization,
        "memory_used_mb": reading.memory_used // 2**20,
        "memory_mb": reading.memory // 2**20,
        "temperature_c": reading.temperature,
    }


def _samples(series: Counter | Gauge | Histogram, suffix: str) -> list[tuple[dict[str, str], float]]:
    return [
        (sample.labels, sample.value)
        for family in series.collect()
        for sample in family.samples
        if sample.name.endswith(suffix)
    ]


def _total(series: Counter | Gauge) -> float:
    """The sum over all labels; whole numbers as such, for the page."""
    value = sum(value for _, value in _samples(series, "_total" if isinstance(series, Counter) else ""))
    return int(value) if value == int(value) else value


def _by_label(series: Counter) -> dict[str, float]:
    return {next(iter(labels.values())): value for labels, value in _samples(series, "_total")}


def _buckets(series: Histogram, stage: str) -> list[float]:
    return [value for labels, value in _samples(series, "_bucket") if labels.get("stage") == stage]
