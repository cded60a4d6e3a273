"""Where the server's processor time goes while it has lessons: py-spy's samples, summed up by stage."""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from lessonroom.bench import machine
from lessonroom.bench.lesson import house
from lessonroom.bench.rooms import Plan, enter
from lessonroom.bench.serving import Server, serving
from lessonroom.simulate import shaped
from lessonroom.simulate.sources import SHIPPED_CLIP

RATE: Final = 100
"""Samples a second; each stops the process for a moment."""
WAITING: Final = re.compile(r"^(\S*select|\S*wait|_worker|\S*_do_waitpid|Worker\._next|_Lane\._serve|accept|serve) ")
"""Innermost frames that wait; some systems have py-spy take them for work."""
STAGES: Final = (
    ("networks", r"media/(onnx_engine|engine|kserve)"),
    ("decoding", r"media/guard/decoding|(^|/)av/"),
    (
        "looking beside the networks",
        r"media/(vision|observe|faces|mesh|geometry|expression|quality|strain|baseline|lanes|tracking|asking|schedule)",
    ),
    ("receiving: packets, reports, ICE, DTLS", r"media/(guard|peer|frames|sdp)|aiortc|aioice|pylibsrtp|OpenSSL"),
    ("hints, samples, pace", r"media/|workers/"),
    ("screening chat", r"lessonroom/chat/|sklearn|processes/"),
    ("store", r"lessonroom/storage/|sqlalchemy|sqlite"),
    ("rooms", r"lessonroom/rooms/|lessonroom/messages"),
    ("sockets and HTTP", r"lessonroom/server/|websockets|uvicorn|starlette|fastapi|httptools|h11|pydantic|json/"),
    ("metrics and logs", r"prometheus_client|lessonroom/(metrics|logs|gpu|tracing)|structlog|logging/"),
)
LOOP: Final = "event loop, by itself"


def stage_of(stack: str) -> str:
    """The stage of one stack, ``root;...;leaf`` as py-spy writes it: that of the innermost frame that has one."""
    for frame in reversed(stack.split(";")):
        for name, pattern in STAGES:
            if re.search(pattern, frame):
                return name
    return LOOP


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Stage -> share of all samples, the largest first."""
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rstrip().rpartition(" ")
        if stack and not WAITING.match(stack.rpartition(";")[2]):
            counts[stage_of(stack)] += int(count)
    total = sum(counts.values()) or 1
    return {name: round(count / total, 4) for name, count in counts.most_common()}


def run(py_spy: str, environment: dict[str, str], *, rooms: int = 16, seconds: int = 25) -> dict[str, Any]:
    """Profile a server with so many lessons. Raises EngineDown when it does not come up, OSError without py-spy."""
    about, frames = machine.describe(), shaped.encode(SHIPPED_CLIP)
    with tempfile.TemporaryDirectory(prefix="lessonroom-bench-") as name:
        percent = asyncio.run(_measure(Path(name), py_spy, environment, frames, Plan(rooms, seconds)))
        found = shares((Path(name) / "stacks.txt").read_text().splitlines())
    rows = [
        {"stage": stage, "share": share, "percent_of_a_core": round(share * percent / rooms, 3)}
        for stage, share in found.items()
    ]
    return {"bench": "profile", "machine": about, "rooms": rooms, "seconds": seconds, "stages": rows, "ratios": {}}


async def _measure(folder: Path, py_spy: str, environment: dict[str, str], frames: list[bytes], plan: Plan) -> float:
    async with (
        serving(folder, environment, **plan.settings()) as server,
        house(server, frames) as shared,
        AsyncExitStack() as stack,
    ):
        lessons = await enter(stack, shared, plan)
        before, began = server.usage(), asyncio.get_running_loop().time()
        talking = asyncio.gather(*(each.hearing(each.talk(plan.seconds, plan.gone)) for each in lessons))
        await _sample(server, py_spy, folder / "stacks.txt", int(plan.seconds))
        await talking
        lasted = asyncio.get_running_loop().time() - began
        return 100 * (server.usage().cpu_seconds - before.cpu_seconds) / lasted


async def _sample(server: Server, py_spy: str, stacks: Path, seconds: int) -> None:
    how = [
        "--subprocesses",
        "--format",
        "raw",
        "--rate",
        str(RATE),
        "--duration",
        str(seconds),
        "--output",
        str(stacks),
    ]
    process = await asyncio.create_subprocess_exec(
        py_spy, "record", "--pid", str(server.process.pid), *how, stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait() != 0:
        raise OSError("expected samples from py-spy, got none; it must be allowed to trace processes")
