"""The operations page's figures: rates and percentiles over the last seconds, made of the Prometheus series.

Once a second the counters are read; a rate is the difference over the last ``RATE_SECONDS``, a percentile comes from
the histogram's buckets over the last ``INFERENCE_SECONDS``. The last hour is kept as one point every ten seconds. What
was read also tells :class:`~lessonroom.server.capacity.Capacity` whether the server has too much to do.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lessonroom import logs
from lessonroom.gpu import Gpus, Reading
from lessonroom.metrics import Metrics
from lessonroom.rooms.hub import Hub
from lessonroom.rooms.live import Live
from lessonroom.rooms.review import Review
from lessonroom.server.capacity import LEAST_LOOKS, Capacity, Health, Now, Troubles, health
from lessonroom.server.counting import AGE, CHAT, Counts, between, count, percentile, total
from lessonroom.server.processor import Pids, Processor, Use, Work
from lessonroom.server.pulse import Pulse

log = logs.get(__name__)

RATE_SECONDS = 10
INFERENCE_SECONDS = 60
POINT_SECONDS = 10
HOUR_POINTS = 360
STAGE = "look"
"""The stage of inference that operators see first: all of one look at a sample."""

Json = dict[str, Any]


class Figures:
    """Reads everything once a second and builds snapshots. ``provider``: where models run, empty when nowhere.

    ``waiting``: how many records wait for the database; ``processes``: those beside the server's own, by kind.
    """

    def __init__(
        self,
        metrics: Metrics,
        hub: Hub,
        gpus: Gpus,
        review: Review,
        capacity: Capacity,
        *,
        provider: str,
        reason: str,
        waiting: Callable[[], int],
        processes: Mapping[str, Pids],
    ) -> None:
        self.provider = provider
        self.capacity = capacity
        self._reason = reason
        self._metrics = metrics
        self._hub = hub
        self._gpus = gpus
        self._review = review
        self._waiting = waiting
        self._pulse = Pulse()
        self._processor = Processor(processes)
        self._counts: deque[Counts] = deque(maxlen=INFERENCE_SECONDS + 1)
        self._history: deque[Json] = deque(maxlen=HOUR_POINTS)
        self._snapshot: Json = {}
        self._fresh = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read. Call on the event loop."""
        self._pulse.start()
        self._look(time.time())
        self._task = asyncio.create_task(self._run(), name="figures")

    async def stop(self) -> None:
        """Read no more."""
        self._pulse.stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._gpus.close()

    def inference_runs(self, provider: str, reason: str) -> None:
        """Models run there from now on, for that reason; empty for nowhere."""
        self.provider, self._reason = provider, reason
        self._metrics.provider_chosen(provider or "off")

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
        self._counts.append(count(self._metrics, now))
        snapshot = self._make(now)
        # a clock that was set back has gone on, too
        if not self._history or abs(now - self._history[-1]["t"] / 1000) >= POINT_SECONDS:
            point = _point(snapshot)
            self._history.append(point)
            snapshot["history_append"] = [point]
        self._snapshot = snapshot

    def _make(self, now: float) -> Json:
        latest, before, oldest = (
            self._counts[-1],
            self._counts[-1 - min(RATE_SECONDS, len(self._counts) - 1)],
            self._counts[0],
        )
        seconds = max(latest.at - before.at, 1.0)
        work, readings = self._processor.read(), self._gpus.read()
        looked = _looked(self._counts, latest)
        self._judge(looked, work, readings)
        looks, messages = between(oldest.looks, latest.looks), between(oldest.messages, latest.messages)
        return {
            "type": "operations",
            "now": int(now * 1000),
            "rooms": total(self._metrics.rooms),
            "analysers": total(self._metrics.analysers),
            "analysers_most": self.capacity.limits.analysers,
            "samples_per_second": round((latest.samples - before.samples) / seconds, 2),
            "late_share": round(looked.late / looked.looks, 3) if looked.looks else 0.0,
            "drops_per_second": round((latest.drops - before.drops) / seconds, 2),
            "inference_ms": looks.get(STAGE, {"p50": None, "p95": None}),
            "stages": {"look": looks, "message": messages},
            "queue": total(self._metrics.queue),
            "store_queue": self._waiting(),
            "loop_ms": {"mean": round(self._pulse.mean * 1000, 1), "worst": round(self._pulse.worst * 1000, 1)},
            "cpu": {"process": round(work.process, 3), "machine": round(work.busy, 3), "cores": work.cores},
            "memory_mb": _megabytes(work.memory),
            "processes": [_use(one) for one in work.others],
            "provider": self.provider or "off",
            "provider_reason": self._reason,
            "gpus": [_gpu(reading) for reading in readings],
            "gpu_note": self._gpus.note,
            "chat_per_second": round((latest.chat - before.chat) / seconds, 2),
            "verdicts": {action: int(latest.verdicts.get(action, 0)) for action in ("relay", "hold", "block")},
            "review": asdict(self._review.counts),
            "load": {part: round(share, 3) for part, share in self.capacity.load.items()},
            "full": list(self.capacity.full),
            "health": _health(health(self.capacity, self._troubles(latest, before))),
            "table": [_row(live, now) for live in self._hub.live_rooms()],
        }

    def _judge(self, looked: Looked, work: Work, readings: Sequence[Reading]) -> None:
        """Tell the capacity, and the metrics, what was measured."""
        was = self.capacity.full
        self.capacity.read(
            Now(
                loop=self._pulse.mean,
                machine=work.busy,
                server=work.server,
                looks=looked.looks,
                late=looked.late,
                age=looked.age,
                records=self._waiting(),
                analysers=int(total(self._metrics.analysers)),
                gpu=max((one.utilization for one in readings if one.utilization is not None), default=None),
            ),
            time.monotonic(),
        )
        if self.capacity.full != was:
            log.warning("overload has changed", reason=" ".join(self.capacity.full) or "nothing")
        machine = self._metrics.machine
        machine.gpus_read(readings)
        machine.processor_read(work.busy, work.server)
        machine.loop_lagged(self._pulse.worst)
        machine.records_wait(self._waiting())
        machine.load_read(self.capacity.load, self.capacity.full)
        machine.processes_up({one.kind: one.count for one in work.others})

    def _troubles(self, latest: Counts, before: Counts) -> Troubles:
        return Troubles(
            store=latest.store_failures > before.store_failures,
            no_vision=not self.provider,
            vision=latest.broken > before.broken,
        )


@dataclass(frozen=True, slots=True)
class Looked:
    """Looks of the last seconds, those of them that got no answer in time, and the age of observations (p95, s)."""

    looks: float
    late: float
    age: float | None


def _looked(counts: Sequence[Counts], latest: Counts) -> Looked:
    """Over the last ``RATE_SECONDS``, or where these had too few looks for a share, over all that is kept."""
    recent = counts[-1 - min(RATE_SECONDS, len(counts) - 1)]
    before = recent if latest.samples - recent.samples >= LEAST_LOOKS else counts[0]
    age = percentile(before.looks[AGE], latest.looks[AGE], 0.95)
    return Looked(latest.samples - before.samples, latest.late - before.late, None if age is None else age / 1000)


def _point(snapshot: Json) -> Json:
    """A point of the hour."""
    stages = snapshot["stages"]
    gpus = [gpu["utilization"] for gpu in snapshot["gpus"] if gpu["utilization"] is not None]
    return {
        "t": snapshot["now"],
        "rooms": snapshot["rooms"],
        "samples": snapshot["samples_per_second"],
        "inference_p95": snapshot["inference_ms"]["p95"],
        "age_p95": stages["look"].get(AGE, {}).get("p95"),
        "chat_p95": stages["message"].get(CHAT, {}).get("p95"),
        "cpu": snapshot["cpu"]["process"],
        "machine": snapshot["cpu"]["machine"],
        "memory": snapshot["memory_mb"],
        "loop": snapshot["loop_ms"]["worst"],
        "queue": snapshot["queue"],
        "chat": snapshot["chat_per_second"],
        "gpu": max(gpus, default=None),
    }


def _health(found: Health) -> Json:
    return {"state": found.state, "limits": found.limits, "sentence_key": found.key, "share": round(found.share, 3)}


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


def _use(one: Use) -> Json:
    return {"kind": one.kind, "count": one.count, "cpu": round(one.cpu, 3), "memory_mb": _megabytes(one.memory)}


def _gpu(reading: Reading) -> Json:
    return {
        "name": reading.name,
        "utilization": reading.utilization,
        "memory_used_mb": reading.memory_used // 2**20,
        "memory_mb": reading.memory // 2**20,
        "temperature_c": reading.temperature,
        "power_w": reading.power,
    }


def _megabytes(count: int) -> float:
    return round(count / 2**20, 1)
