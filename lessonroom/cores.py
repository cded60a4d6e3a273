"""How many cores this process may use: what a container or a service allows it, which may be less than the machine has.

A container that may use two cores of sixty-four sees all of them. With threads for sixty-four it would be stopped for
most of each tenth of a second, and its load would look like nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")


def allowed(root: Path = _ROOT) -> float:
    """Cores, above 0, at most those of the machine; a quota may be a part of one.

    Counted are the set of cores that the process is bound to, and the quotas of its control groups: ``cpu.max`` of
    version 2, ``cpu.cfs_quota_us`` of version 1. ``root``: where ``/proc`` and ``/sys`` lie.
    """
    return min([float(_bound()), *_quotas(root)])


def whole(root: Path = _ROOT) -> int:
    """As :func:`allowed`, for counting threads: whole cores, at least 1."""
    return max(1, int(allowed(root)))


def _bound() -> int:
    """Not every system has sets of cores."""
    bound = getattr(os, "sched_getaffinity", None)
    return len(bound(0)) if bound is not None else os.cpu_count() or 1


def _quotas(root: Path) -> Iterator[float]:
    """Of each control group that the process is in, and of those around it."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, controllers, name = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "sys/fs/cgroup" / controllers
        group = top / name.lstrip("/")
        for place in (group, *group.parents):
            if place.is_relative_to(top) and (quota := _quota(place)) is not None:
                yield quota


def _quota(place: Path) -> float | None:
    """Cores; None where there is no limit."""
    both = _text(place / "cpu.max") or f"{_text(place / 'cpu.cfs_quota_us')} {_text(place / 'cpu.cfs_period_us')}"
    words = both.split()
    if len(words) != 2 or not all(word.isdigit() and int(word) for word in words):
        return None
    return int(words[0]) / int(words[1])


def _text(path: Path) -> str:
    """Empty where there is no such file, as on most systems for most of these."""
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")  # names of groups are any bytes
    except OSError:
        return ""
