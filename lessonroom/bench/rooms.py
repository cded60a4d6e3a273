"""``lessonroom bench rooms``: what a lesson costs the server, and how long people wait.

The server is a process of its own; the lessons' pages and cameras are clients in this one: real sockets, real WHIP,
real WebRTC with the stream that our page sends. Everything goes over the loopback interface.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from lessonroom.bench import machine
from lessonroom.bench.lesson import Lesson, Waits, lesson
from lessonroom.bench.serving import Reading, quantile, serving
from lessonroom.errors import EngineDown
from lessonroom.progress import Show, unseen
from lessonroom.simulate import shaped
from lessonroom.simulate.facts import PLACE

AT_ONCE = 4
"""Lessons that are let in at the same time."""
SETTLE_SECONDS = 3.0
STREAM = f"VP8 {shaped.WIDTH}x{shaped.HEIGHT}@{shaped.RATE}, {shaped.BITRATE // 1000} kbit/s"


def run(
    clip: Path,
    environment: Mapping[str, str],
    *,
    rooms: int = 8,
    seconds: float = 60.0,
    samples: float = 1.0,
    progress: Show = unseen,
) -> dict[str, Any]:
    """Measure and return the figures. ``samples``: per second and lesson. ``environment``: of the calling process.

    Hints are measured when the clip shows strain while the lessons are measured.

    Raises EngineDown when the server does not come up, BadMedia for a clip that is none.
    """
    frames = shaped.encode(clip)
    about = machine.describe()
    with tempfile.TemporaryDirectory(prefix="lessonroom-bench-") as folder:
        figures = asyncio.run(_measure(Path(folder), environment, frames, Plan(rooms, seconds, samples, progress)))
    return {"bench": "rooms", "machine": about, "rooms": rooms, "seconds": seconds, "stream": STREAM, **figures}


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    console.print(f"{figures['rooms']} lessons for {figures['seconds']:g} s, each {figures['stream']}", highlight=False)
    server = Table(title="Server")
    for column in ("what", "in all", "per lesson"):
        server.add_column(column, justify="left" if column == "what" else "right")
    for name, row in figures["server"].items():
        server.add_row(name.replace("_", " "), *(f"{row[key]:.2f}" for key in ("all", "per_lesson")))
    console.print(server)
    waits = Table(title="People wait, ms")
    for column in ("what", "median", "p95", "of"):
        waits.add_column(column, justify="left" if column == "what" else "right")
    for name, row in figures["latency_ms"].items():
        cells = ("–", "–", "0") if row is None else (f"{row['p50']:.1f}", f"{row['p95']:.1f}", str(row["of"]))
        waits.add_row(name.replace("_", " "), *cells)
    console.print(waits)


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lessons, for how long, looked at how often per second."""

    rooms: int
    seconds: float
    samples: float
    progress: Show = unseen

    def settings(self) -> dict[str, object]:
        """Settings of the server; hints may come at once, so that their way to the teacher is measured."""
        return {
            "ice_loopback": True, "provider_place": PLACE, "analysers": self.rooms, "log_level": "warning",
            "sample_rate": self.samples, "sample_rate_least": min(0.5, self.samples),
            "chat_per_minute": 1000, "strain_learning_seconds": 5, "strain_clear_seconds": 2,
            "hint_first_seconds": 0, "hint_hold_seconds": 0, "hint_pause_seconds": 2,
        }  # fmt: skip

    def gone(self, seconds: float) -> None:
        """Show how much of the time has gone by."""
        self.progress("measuring", seconds, self.seconds)


@dataclass(frozen=True, slots=True)
class Window:
    """The server before there were lessons, and at both ends of the time that counts, which ``lasted`` seconds."""

    empty: Reading
    before: Reading
    after: Reading
    lasted: float

    def grown(self, prefix: str) -> float:
        """What counters of this name, all labels together, have gained."""
        return sum(
            value - self.before.series.get(name, 0.0)
            for name, value in self.after.series.items()
            if name.partition("{")[0] == prefix
        )


async def _measure(folder: Path, environment: Mapping[str, str], frames: list[bytes], plan: Plan) -> dict[str, Any]:
    waits = Waits()
    async with serving(folder, environment, **plan.settings()) as server, AsyncExitStack() as stack:
        empty = await server.read()
        gate = asyncio.Semaphore(AT_ONCE)

        async def enter(number: int) -> Lesson:
            async with gate:
                entered = await stack.enter_async_context(lesson(server, number, frames, waits))
            plan.progress("letting people in", number + 1, plan.rooms)
            return entered

        lessons = await asyncio.gather(*(enter(number) for number in range(plan.rooms)))
        await asyncio.sleep(SETTLE_SECONDS)
        before, began = await server.read(), asyncio.get_running_loop().time()
        await asyncio.gather(*(each.hearing(each.talk(plan.seconds, plan.gone)) for each in lessons))
        after, lasted = await server.read(), asyncio.get_running_loop().time() - began
        return _figures(Window(empty, before, after, lasted), plan.rooms, waits)


def _figures(window: Window, rooms: int, waits: Waits) -> dict[str, Any]:
    before, after, lasted = window.before, window.after, window.lasted
    taken = window.grown("lessonroom_samples_total")
    if taken == 0:
        raise EngineDown("expected samples to be looked at, got none: the figures would mean nothing")
    cpu = 100 * (after.cpu_seconds - before.cpu_seconds) / lasted
    failed = window.grown("lessonroom_inference_failures_total")
    server = {
        "percent_of_a_core": (cpu, cpu / rooms),
        "memory_mb": (after.memory / 2**20, (after.memory - window.empty.memory) / 2**20 / rooms),
        "threads": (after.threads, (after.threads - window.empty.threads) / rooms),
        "samples_per_second": (taken / lasted, taken / lasted / rooms),
        "looks_without_an_answer": (failed, failed / rooms),
    }
    latency = {
        "frame_received_to_estimate": _histogram(before, after, "lessonroom_observation_age_seconds"),
        "look": _histogram(before, after, "lessonroom_inference_seconds", stage="look"),
        "hint_decided_to_teacher": _spread(waits.hint_to_teacher),
        "button_to_teacher": _spread(waits.button_to_teacher),
        "chat_to_acknowledgement": _spread(waits.chat_acknowledged),
        "chat_to_teacher": _spread(waits.chat_relayed),
    }
    rows = {name: {"all": round(a, 3), "per_lesson": round(b, 3)} for name, (a, b) in server.items()}
    return {"server": rows, "latency_ms": latency}


def _spread(values: list[float]) -> dict[str, float] | None:
    return {**machine.spread(values), "of": len(values)} if values else None


def _histogram(before: Reading, after: Reading, name: str, **labels: str) -> dict[str, float] | None:
    """Quantiles in ms; as fine as the histogram's buckets, half as much again each."""
    points = {f"p{round(share * 100)}": quantile(before, after, name, share, **labels) for share in (0.5, 0.95, 0.99)}
    known = {point: round(value * 1000, 3) for point, value in points.items() if value is not None}
    if not known:
        return None
    key = f"{name}_count" + (f"{{{','.join(f'{k}={v}' for k, v in labels.items())}}}" if labels else "")
    return {**known, "of": int(after.series[key] - before.series.get(key, 0.0))}
