"""A real server in a process of its own, and what can be read off it from outside."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import psutil
from prometheus_client.parser import text_string_to_metric_families

from lessonroom.auth import hash_secret
from lessonroom.config import PREFIX
from lessonroom.errors import EngineDown

IDLE_SECONDS = 2.0
"""How long our own HTTP connections are kept: the server closes idle ones after 5 s, and must not do so first."""
START_SECONDS = 60.0
STOP_SECONDS = 15.0
MEASURED: Mapping[str, object] = MappingProxyType({"log_level": "warning", "overload_seconds": 0})
"""Settings of every server that is measured: its limit is what is looked for, so that it turns nobody away before."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one process of the server has used: processor seconds so far; bytes, threads and descriptors now.

    ``name``: the module that it runs. The first process is that which was started; the others are its children.
    """

    pid: int
    name: str
    cpu_seconds: float
    memory: int
    threads: int
    descriptors: int


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the server, all its processes together, and its Prometheus series.

    ``cpu_seconds`` so far; ``memory`` in bytes, ``threads`` and ``descriptors`` now; ``parts``: process by process.
    ``series``: name with its labels in order, e.g. ``lessonroom_samples_total`` or ``..._bucket{le=0.1,stage=look}``.
    """

    cpu_seconds: float
    memory: int
    threads: int
    series: Mapping[str, float]
    descriptors: int = 0
    parts: tuple[Use, ...] = ()


class Server:
    """A running ``lessonroom serve``. ``process``: for what the system says of it; ``http`` speaks to its admin API."""

    def __init__(self, process: psutil.Process, http: httpx.AsyncClient) -> None:
        self.process = process
        self.http = http

    @property
    def address(self) -> str:
        """``http://HOST:PORT``, which is the pages' origin, too."""
        return str(self.http.base_url).rstrip("/")

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Ask the admin API for something."""
        answer = await self.http.post(f"/api/admin/{path}", json=body)
        answer.raise_for_status()
        return answer.json()

    async def read(self) -> Reading:
        """Look at the server now."""
        text = (await self.http.get("/metrics")).raise_for_status().text
        return replace(self.usage(), series=series(text))

    def usage(self) -> Reading:
        """What the system says of the server and its processes now, without its series."""
        every = [_use_of(process) for process in (self.process, *self.process.children(recursive=True))]
        parts = tuple(one for one in every if one is not None)
        cpu, memory = sum(one.cpu_seconds for one in parts), sum(one.memory for one in parts)
        threads, descriptors = sum(one.threads for one in parts), sum(one.descriptors for one in parts)
        return Reading(cpu, memory, threads, {}, descriptors, parts)


def _use_of(process: psutil.Process) -> Use | None:
    """Nothing of one that has ended meanwhile."""
    try:
        with process.oneshot():
            times, memory = process.cpu_times(), process.memory_info().rss
            threads, descriptors = process.num_threads(), process.num_fds()
            name = _module(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return None
    return Use(process.pid, name, times.user + times.system, memory, threads, descriptors)


def _module(command: list[str]) -> str:
    """``lessonroom.cli`` of ``python -m lessonroom.cli serve``, and what a child of the server runs."""
    places = [number for number, word in enumerate(command[:-1]) if word == "-m"]
    if places:
        return command[places[0] + 1]
    return command[-1] if "-c" in command else "process"


@asynccontextmanager
async def serving(data_dir: Path, environment: Mapping[str, str], **settings: object) -> AsyncIterator[Server]:
    """Start a server on a free port, with these settings and no others; stop it at the end.

    ``environment``: that of the calling process. Raises EngineDown when the server does not come up.
    """
    key = secrets.token_urlsafe(24)
    own = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
    own |= {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}
    own[f"{PREFIX}ADMIN_KEYS"] = hash_secret(key)
    command = [sys.executable, "-m", "lessonroom.cli", "serve", "--port", "0", "--data-dir", str(data_dir)]
    with (data_dir / "server.log").open("wb") as log:
        # a session of its own: Ctrl+C is for the bench, which stops the server when it has its figures
        process = await asyncio.create_subprocess_exec(
            *command, env=own, stdout=log, stderr=log, start_new_session=True
        )
    headers = {"Authorization": f"Bearer {key}"}
    limits = httpx.Limits(keepalive_expiry=IDLE_SECONDS)
    try:
        async with httpx.AsyncClient(headers=headers, timeout=30.0, limits=limits) as http:
            if not await _up(http, process):
                last = (data_dir / "server.log").read_text(errors="replace").strip().splitlines()[-1:]
                raise EngineDown(f"expected a server within {START_SECONDS:.0f} s, got: {''.join(last) or 'nothing'}")
            yield Server(psutil.Process(process.pid), http)
    finally:
        await _stop(process)


def series(text: str) -> dict[str, float]:
    """Prometheus text as name with sorted labels -> value."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def grown_by(before: Reading, after: Reading, name: str) -> dict[str, int]:
    """What a counter with one label has gained between two readings, by the label's value."""
    return {
        key.partition("=")[2].rstrip("}"): int(value - before.series.get(key, 0.0))
        for key, value in after.series.items()
        if key.partition("{")[0] == name
    }


def quantile(before: Reading, after: Reading, name: str, share: float, **labels: str) -> float | None:
    """A quantile of a histogram between two readings, straight within a bucket; None when nothing was counted."""
    counts: dict[float, float] = {}
    for key, value in after.series.items():
        bound = _bound(key, name, labels)
        if bound is not None:
            counts[bound] = value - before.series.get(key, 0.0)
    bounds = sorted(counts)
    if not bounds or counts[bounds[-1]] <= 0:
        return None
    wanted, low, below = share * counts[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if counts[bound] >= wanted:
            inside = counts[bound] - below
            return low if bound == float("inf") else low + (bound - low) * (wanted - below) / (inside or 1.0)
        low, below = bound, counts[bound]
    return low


def _bound(key: str, name: str, labels: Mapping[str, str]) -> float | None:
    head, _, rest = key.partition("{")
    if head != f"{name}_bucket":
        return None
    found = dict(part.split("=", 1) for part in rest.rstrip("}").split(","))
    bound = found.pop("le")
    return float(bound) if found == dict(labels) else None


async def _up(http: httpx.AsyncClient, process: asyncio.subprocess.Process) -> bool:
    """Wait until the server answers at the port that it has chosen, which becomes the client's base."""
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                if (port := _listens_at(process.pid)) is not None:
                    http.base_url = f"http://127.0.0.1:{port}"
                    with suppress(httpx.TransportError):
                        if (await http.get("/healthz")).is_success:
                            return True
                await asyncio.sleep(0.1)
    return False


def _listens_at(pid: int) -> int | None:
    """Where a process listens: a port that we had found free for it could be another's by the time it is used."""
    try:
        connections = psutil.Process(pid).net_connections("tcp4")
    except psutil.NoSuchProcess:
        return None
    return next((each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN), None)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
