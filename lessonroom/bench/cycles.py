"""``lessonroom bench rooms --cycles``: one lesson whose camera comes and goes; what stays behind each time.

Each cycle is a WHIP session as a page makes it: offer, ICE, DTLS, video until the indicator says that somebody looks,
goodbye. The server is read between cycles, when no session is open. The bound is this process, which does the other
half of the same handshakes with stock aiortc.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from lessonroom.bench import growth, machine
from lessonroom.bench.crowd import Pass
from lessonroom.bench.lesson import House, Lesson, agreed, feeding, house, within
from lessonroom.bench.rooms import STREAM, Plan
from lessonroom.bench.serving import Reading, serving
from lessonroom.simulate import shaped

WARM_UP: Final = 10
"""Cycles before the first reading: the first ones fill caches and pools once."""
READINGS: Final = 10
"""Of the server, at most so many cycles apart that there are so many of them."""
REST_SECONDS: Final = 0.5
ONE: Final = Plan(rooms=1)


@dataclass(frozen=True, slots=True)
class Rest:
    """The server after so many cycles, with no session open."""

    cycles: int
    reading: Reading


def run(clip: Path, environment: Mapping[str, str], cycles: int, plan: Plan = ONE) -> dict[str, Any]:
    """Measure and return the figures; ``failed`` in them names what grew. ``plan``: of the server, with one lesson.

    Raises EngineDown when the server does not come up, BadMedia for a clip that is none.
    """
    frames = shaped.encode(clip)
    about = machine.describe()
    with tempfile.TemporaryDirectory(prefix="lessonroom-bench-") as name:
        rests, busy = asyncio.run(_measure(Path(name), environment, frames, cycles, plan))
    return {"bench": "cycles", "machine": about, "stream": STREAM, **figures(rests, busy)}


async def _measure(
    folder: Path, environment: Mapping[str, str], frames: list[bytes], cycles: int, plan: Plan
) -> tuple[list[Rest], float]:
    async with (
        serving(folder, environment, **plan.settings()) as server,
        house(server, frames) as shared,
        agreed(shared, 0) as (made, room, student),
    ):
        await _turn(shared, made, room, student, WARM_UP)
        rests, busy = [Rest(0, await _at_rest(shared))], process_time()
        step = max(1, cycles // READINGS)
        while (done := rests[-1].cycles) < cycles:
            plan.progress("coming and going", done, cycles)
            await _turn(shared, made, room, student, min(step, cycles - done))
            rests.append(Rest(min(done + step, cycles), await _at_rest(shared)))
        return rests, process_time() - busy


async def _turn(shared: House, made: Lesson, room: str, student: Pass, times: int) -> None:
    for _ in range(times):
        async with feeding(shared, made, room, student):
            pass
        await made.hearing(within(made.unwatched.wait(), "an indicator that goes out"))


async def _at_rest(shared: House) -> Reading:
    """What a session leaves to timers and threads has gone by then."""
    await asyncio.sleep(REST_SECONDS)
    return shared.server.usage()


def figures(rests: list[Rest], busy: float) -> dict[str, Any]:
    """What a cycle takes and leaves. ``busy``: processor seconds of the other half of the same cycles. Pure."""
    first, last = rests[0], rests[-1]
    counted = [rest.cycles for rest in rests]
    memory = [rest.reading.memory for rest in rests]
    threads, descriptors = [rest.reading.threads for rest in rests], [rest.reading.descriptors for rest in rests]
    spent = last.reading.cpu_seconds - first.reading.cpu_seconds
    return {
        "cycles": last.cycles,
        "server_ms_a_cycle": round(1000 * spent / last.cycles, 2),
        "clients_ms_a_cycle": round(1000 * busy / last.cycles, 2),
        "memory_kb_a_cycle": round(growth.line(list(zip(counted, memory, strict=True))) / 1024, 2),
        "memory_mb": [round(size / growth.MIB, 1) for size in memory],
        "threads": threads,
        "descriptors": descriptors,
        "failed": list(growth.left_behind(counted, memory=memory, threads=threads, descriptors=descriptors)),
        "ratios": {"server_to_clients": round(spent / busy, 3)},
        "costs": {"server_ms_a_cycle": round(1000 * spent / last.cycles, 2)},
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures for people."""
    console.print(machine.line(figures["machine"]), style="dim", highlight=False)
    table = Table(title=f"A camera that comes and goes {figures['cycles']} times, {figures['stream']}")
    for column in ("what", "before", "after", "most"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for name in ("memory_mb", "threads", "descriptors"):
        row = figures[name]
        table.add_row(name.replace("_", " "), f"{row[0]:g}", f"{row[-1]:g}", f"{max(row):g}")
    console.print(table)
    console.print(
        f"a cycle: {figures['server_ms_a_cycle']:.1f} ms of the server, {figures['clients_ms_a_cycle']:.1f} ms of the "
        f"client, and {figures['memory_kb_a_cycle']:.1f} KB more\n"
        + (f"grown: {', '.join(figures['failed'])}" if figures["failed"] else "nothing has grown"),
        highlight=False,
    )
