"""A real server in a process of its own, and what can be read off it from outside."""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
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


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the server: processor seconds and bytes so far, threads now, and its Prometheus series.

    ``series``: name with its labels in order, e.g. ``lessonroom_samples_total`` or ``..._bucket{le=0.1,stage=look}``.
    """

    cpu_seconds: float
    memory: int
    threads: int
    series: Mapping[str, float]


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
        """What the system says of the server now, without its series."""
        with self.process.oneshot():
            times = self.process.cpu_times()
            return Reading(times.user + times.system, self.process.memory_info().rss, self.process.num_threads(), {})


@asynccontextmanager
async def serving(data_dir: Path, environment: Mapping[str, str], **settings: object) -> AsyncIterator[Server]:
    """Start a server on a free port, with these settings and no others; stop it at the end.

    ``environment``: that of the calling process. Raises EngineDown when the server does not come up.
    """
    key, port = secrets.token_urlsafe(24), _free_port()
    own = {name: value for name, value in environment.items() if not name.startswith(PREFIX)}
    own |= {f"{PREFIX}{name.upper()}": str(value) for name, value in settings.items()}
    own[f"{PREFIX}ADMIN_KEYS"] = hash_secret(key)
    command = [sys.executable, "-m", "lessonroom.cli", "serve", "--port", str(port), "--data-dir", str(data_dir)]
    with (data_dir / "server.log").open("wb") as log:
        # a session of its own: Ctrl+C is for the bench, which stops the server when it has its figures
        process = await asyncio.create_subprocess_exec(
            *command, env=own, stdout=log, stderr=log, start_new_session=True
        )
    headers = {"Authorization": f"Bearer {key}"}
    base, limits = f"http://127.0.0.1:{port}", httpx.Limits(keepalive_expiry=IDLE_SECONDS)
    try:
        async with httpx.AsyncClient(base_url=base, headers=headers, timeout=30.0, limits=limits) as http:
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
    with suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                with suppress(httpx.TransportError):
                    if (await http.get("/healthz")).is_success:
                        return True
                await asyncio.sleep(0.1)
    return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])
