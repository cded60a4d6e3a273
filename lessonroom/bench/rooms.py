"""``lessonroom bench rooms``: what a lesson costs the server, and how long people wait.

The server is a process of its own, with its children; the lessons' pages and cameras are clients in this one: real
sockets, real WHIP, real WebRTC with the stream that our page sends. Everything goes over the loopback interface.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import process_time
from typing import Any, Final

from lessonroom.bench import machine
from lessonroom.bench.cameras import Cameras
from lessonroom.bench.ideal import Ideal
from lessonroom.bench.lesson import CHAT_EVERY, House, Lesson, Waits, house, lesson
from lessonroom.bench.serving import MEASURED, Reading, Use, grown_by, quantile, serving
from lessonroom.errors import EngineDown
from lessonroom.progress import Show, unseen
from lessonroom.simulate import shaped
from lessonroom.simulate.facts import PLACE

AT_ONCE: Final = 4
"""Lessons that are let in at the same time."""
SETTLE_SECONDS: Final = 3.0
SETTLE_EACH: Final = 0.15
"""Seconds more for each lesson: a crowd that is let in leaves work, and a rate of looks that comes back slowly."""
STREAM: Final = f"VP8 {shaped.WIDTH}x{shaped.HEIGHT}@{shaped.RATE}, {shaped.BITRATE // 1000} kbit/s"
STAGES: Final = "lessonroom_inference_seconds"
CALLS: Final = "lessonroom_inference_server_calls_total"
TICKETS: Final = 10_000
"""A minute: the tickets of one member who comes and goes faster than anybody does."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many lessons, for how long, looked at how often per second; ``workers``: media processes, 0: none;
    ``chosen``: further settings of the server (:mod:`lessonroom.bench.choosing`); ``every``: seconds from a lesson's
    message to its next, and from hint to hint at the least.
    """

    rooms: int = 8
    seconds: float = 60.0
    samples: float = 1.0
    workers: int = 0
    progress: Show = unseen
    chosen: Mapping[str, str] = field(default_factory=dict)
    every: float = CHAT_EVERY

    def settings(self) -> dict[str, object]:
        """Settings of the server; hints may come at once, so that their way to the teacher is measured."""
        return {
            **MEASURED, "ice_loopback": True, "provider_place": PLACE, "analysers": self.rooms,
            "sample_rate": self.samples, "sample_rate_least": min(0.5, self.samples),
            "chat_per_minute": 1000, "strain_learning_seconds": 5, "strain_clear_seconds": 2,
            "hint_first_seconds": 0, "hint_hold_seconds": 0, "hint_pause_seconds": self.every,
            "tickets_per_minute": TICKETS,
        } | ({"workers": self.workers} if self.workers else {}) | dict(self.chosen)  # fmt: skip

    def gone(self, seconds: float) -> None:
        """Show how much of the time has gone by."""
        self.progress("measuring", seconds, self.seconds)


def run(clip: Path, environment: Mapping[str, str], plan: Plan, *, beside: int | None = None) -> dict[str, Any]:
    """Measure and return the figures. ``environment``: of the calling process.

    ``beside``: a smaller number of lessons that is measured first, on a server of its own, so that it is seen how the
    cost of a lesson grows with their number. Hints are measured when the clip shows strain meanwhile.

    Raises EngineDown when the server does not come up, BadMedia for a clip that is none or shows no face.
    """
    frames = shaped.encode(clip)
    about = machine.describe()
    with closing(Ideal(frames)) as ideal:
        fewer = _one(frames, environment, replace(plan, rooms=beside), ideal) if beside else None
        figures = _one(frames, environment, plan, ideal)
    head = {"bench": "rooms", "machine": about, "stream": STREAM}
    return {**head, **figures, **({} if fewer is None else _grown(figures, fewer))}


def _one(frames: list[bytes], environment: Mapping[str, str], plan: Plan, ideal: Ideal) -> dict[str, Any]:
    ideal.forget()
    with _folder() as folder:
        return asyncio.run(_measure(folder, environment, frames, plan, ideal))


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lessonroom-bench-") as name:
        yield Path(name)


@dataclass(frozen=True, slots=True)
class Window:
    """The server before there were lessons, and at both ends of the time that counts, which ``lasted`` seconds.

    ``clients``: processor seconds of this process meanwhile, those of the bound left out.
    """

    empty: Reading
    before: Reading
    after: Reading
    lasted: float
    clients: float

    def grown(self, prefix: str) -> float:
        """What counters of this name, all labels together, have gained."""
        return sum(
            value - self.before.series.get(name, 0.0)
            for name, value in self.after.series.items()
            if name.partition("{")[0] == prefix
        )

    def percent(self, seconds: float) -> float:
        """So many processor seconds as per cent of a core."""
        return 100 * seconds / self.lasted


async def _measure(
    folder: Path, environment: Mapping[str, str], frames: list[bytes], plan: Plan, ideal: Ideal
) -> dict[str, Any]:
    async with (
        serving(folder, environment, **plan.settings()) as server,
        house(server, frames) as shared,
        AsyncExitStack() as stack,
    ):
        empty = await server.read()
        lessons = await enter(stack, shared, plan)
        await asyncio.sleep(SETTLE_SECONDS + SETTLE_EACH * plan.rooms)
        sent, late = shared.cameras.bytes_sent, shared.cameras.late.copy()
        before, began, busy = await server.read(), asyncio.get_running_loop().time(), process_time()
        async with _beside(ideal):
            await asyncio.gather(*(each.hearing(each.talk(plan.seconds, plan.gone, plan.every)) for each in lessons))
        after, lasted = await server.read(), asyncio.get_running_loop().time() - began
        window = Window(empty, before, after, lasted, process_time() - busy - ideal.spent)
        pages = _clients(window, shared.cameras, sent) | {"frames_late_ms": shared.cameras.late.since(late).spread()}
        return _figures(window, plan, shared.waits, ideal) | {"clients": pages}


async def enter(stack: AsyncExitStack, shared: House, plan: Plan) -> list[Lesson]:
    """All lessons, a few at a time; they end with the stack. Raises EngineDown when one does not come about."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> Lesson:
        async with gate:
            entered = await stack.enter_async_context(lesson(shared, number))
        plan.progress("letting people in", number + 1, plan.rooms)
        return entered

    return await asyncio.gather(*(one(number) for number in range(plan.rooms)))


@asynccontextmanager
async def _beside(ideal: Ideal) -> AsyncIterator[None]:
    measuring = asyncio.create_task(ideal.beside())
    try:
        yield
    finally:
        measuring.cancel()
        await asyncio.gather(measuring, return_exceptions=True)


def _figures(window: Window, plan: Plan, waits: Waits, ideal: Ideal) -> dict[str, Any]:
    rows, bound = _server(window, plan.rooms), ideal.figures(plan.samples)
    lesson_percent = rows["percent_of_a_core"]["per_lesson"]
    waiting = _waiting(window, waits)
    age, look = waiting["frame_received_to_estimate"], waiting["look"]
    taken = rows["samples_per_second"]["per_lesson"]
    ratios = {
        "lesson_to_bound": round(lesson_percent / bound["percent_of_a_core"], 3),
        "samples_asked_to_taken": round(plan.samples / taken, 3),
    }
    if age and look:
        ratios["frame_to_estimate_p95_to_look"] = round(age["p95"] / look["p50"], 2)
    costs = {
        "lesson_percent_of_a_core": lesson_percent,
        "lesson_memory_mb": rows["memory_mb"]["per_lesson"],
        **{f"{name}_ms": row["p50"] for name, row in waiting.items() if row},
    }
    return {
        "rooms": plan.rooms, "seconds": plan.seconds, "samples": plan.samples, "every": plan.every,
        "workers": plan.workers,
        "server": rows, "processes": _processes(window), "bound": bound, "latency_ms": waiting,
        "stages_ms": _stages(window), "ratios": ratios, "costs": costs, "inference_server": _server_calls(window, plan),
    }  # fmt: skip


def _server_calls(window: Window, plan: Plan) -> dict[str, int]:
    """What became of asking an inference server. Raises EngineDown when one was chosen and did not answer."""
    found = grown_by(window.before, window.after, CALLS)
    if plan.chosen.get("inference_server") and not found.get("answered"):
        raise EngineDown("expected answers of the inference server, got none: the figures would be this machine's own")
    return found


def _server(window: Window, rooms: int) -> dict[str, dict[str, float]]:
    before, after, empty = window.before, window.after, window.empty
    taken = window.grown("lessonroom_samples_total")
    if taken == 0:
        raise EngineDown("expected samples to be looked at, got none: the figures would mean nothing")
    cpu = window.percent(after.cpu_seconds - before.cpu_seconds)
    failed = window.grown("lessonroom_inference_failures_total")
    rows = {
        "percent_of_a_core": (cpu, cpu / rooms),
        "memory_mb": (after.memory / 2**20, (after.memory - empty.memory) / 2**20 / rooms),
        "threads": (after.threads, (after.threads - empty.threads) / rooms),
        "descriptors": (after.descriptors, (after.descriptors - empty.descriptors) / rooms),
        "samples_per_second": (taken / window.lasted, taken / window.lasted / rooms),
        "looks_without_an_answer": (failed, failed / rooms),
    }
    return {name: {"all": round(a, 3), "per_lesson": round(b, 3)} for name, (a, b) in rows.items()}


def _processes(window: Window) -> list[dict[str, Any]]:
    """What each process of the server took; one that was not there at both ends is left out."""
    then: dict[int, Use] = {one.pid: one for one in window.before.parts}
    return [
        {
            "process": one.name,
            "percent_of_a_core": round(window.percent(one.cpu_seconds - then[one.pid].cpu_seconds), 2),
            "memory_mb": round(one.memory / 2**20, 1),
        }
        for one in window.after.parts
        if one.pid in then
    ]


def _clients(window: Window, cameras: Cameras, sent_before: int) -> dict[str, Any]:
    """This process: how much of the machine it took from the server, and what it sent, as it is on the wire."""
    server = window.after.cpu_seconds - window.before.cpu_seconds
    return {
        "percent_of_a_core": round(window.percent(window.clients), 2),
        "share_of_all": round(window.clients / (window.clients + server), 3),
        "media_kbit_per_second": round((cameras.bytes_sent - sent_before) * 8 / 1000 / window.lasted, 1),
    }


def _waiting(window: Window, waits: Waits) -> dict[str, dict[str, float] | None]:
    return {
        "frame_received_to_estimate": _histogram(window, "lessonroom_observation_age_seconds"),
        "look": _histogram(window, STAGES, stage="look"),
        "hint_decided_to_teacher": _spread(waits.hint_to_teacher),
        "button_to_teacher": _spread(waits.button_to_teacher),
        "chat_to_acknowledgement": _spread(waits.chat_acknowledged),
        "chat_to_teacher": _spread(waits.chat_relayed),
    }


def _stages(window: Window) -> dict[str, dict[str, float] | None]:
    """Every stage of looking that the server has told of, under its own name."""
    labels = (key.partition("{stage=")[2].rstrip("}") for key in window.after.series if key.startswith(f"{STAGES}_sum"))
    found = {stage: _histogram(window, STAGES, stage=stage) for stage in sorted(labels)}
    return {stage: row for stage, row in found.items() if row is not None}


def _spread(values: list[float]) -> dict[str, float] | None:
    return {**machine.spread(values), "of": len(values)} if values else None


def _histogram(window: Window, name: str, **labels: str) -> dict[str, float] | None:
    """Quantiles in ms; as fine as the histogram's buckets, half as much again each."""
    before, after = window.before, window.after
    points = {f"p{round(share * 100)}": quantile(before, after, name, share, **labels) for share in (0.5, 0.95, 0.99)}
    known = {point: round(value * 1000, 3) for point, value in points.items() if value is not None}
    if not known:
        return None
    key = f"{name}_count" + (f"{{{','.join(f'{k}={v}' for k, v in labels.items())}}}" if labels else "")
    return {**known, "of": int(after.series[key] - before.series.get(key, 0.0))}


def _grown(many: dict[str, Any], fewer: dict[str, Any]) -> dict[str, Any]:
    """How the cost of a lesson has grown from the smaller number to the larger one, and what each one more takes."""

    def cost(of: dict[str, Any], what: str, which: str) -> float:
        return float(of["server"][what][which])

    more = many["rooms"] - fewer["rooms"]
    ratio = cost(many, "percent_of_a_core", "per_lesson") / cost(fewer, "percent_of_a_core", "per_lesson")
    to_bound = many["ratios"]["lesson_to_bound"] / fewer["ratios"]["lesson_to_bound"]
    grown = {
        "lesson_to_that_of_fewer": round(ratio, 3),
        "lesson_to_that_of_fewer_by_bounds": round(to_bound, 3),
    }
    one_more = {
        what: round((cost(many, what, "all") - cost(fewer, what, "all")) / more, 3) if more else 0.0
        for what in ("percent_of_a_core", "memory_mb")
    }
    return {"beside": fewer, "one_more": one_more, "ratios": many["ratios"] | grown}
