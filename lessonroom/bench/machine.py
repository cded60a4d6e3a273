"""What every bench prints beside its figures: the machine, the versions, and how figures are summed up."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from lessonroom import __version__, cores

PACKAGES = ("aiortc", "av", "numpy", "opencv-python-headless")
RUNTIMES = ("onnxruntime-gpu", "onnxruntime")


def describe() -> dict[str, Any]:
    """Processor, cores, memory, load before the bench, and the versions that matter for speed."""
    return {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": _processor(),
        "cores": cores.whole(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_before": load(),
        "versions": {"lessonroom": __version__, "python": platform.python_version(), **dict(_versions())},
    }


def load() -> float:
    """The load average of the latest minute."""
    return round(float(psutil.getloadavg()[0]), 2)


def line(machine: dict[str, Any]) -> str:
    """The same in two lines for people."""
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"load before {machine['load_before']}\n{versions}"
    )


def spread(values: Sequence[float], scale: float = 1000.0) -> dict[str, float]:
    """Median, p95 and p99 of seconds, in milliseconds."""
    points = np.percentile(np.asarray(values) * scale, [50, 95, 99])
    return {name: round(float(point), 3) for name, point in zip(("p50", "p95", "p99"), points, strict=True)}


def _processor() -> str:
    """The name in /proc/cpuinfo, where there is one."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (text.partition(":")[2].strip() for text in lines if text.startswith("model name"))
    return next(names, platform.machine())


def _versions() -> Iterable[tuple[str, str]]:
    from importlib.metadata import PackageNotFoundError  # noqa: PLC0415

    for name in (*PACKAGES, *RUNTIMES):
        try:
            yield name, version(name)
        except PackageNotFoundError:
            continue  # one of the two runtimes is always missing
