"""What the machine and the server's processes do: processor time and memory."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import psutil

from lessonroom import cores

SMOOTHED: Final = 10
"""Readings of the processor, one a second, that are averaged where a single one says little."""

Pids = Callable[[], Sequence[int]]
"""The processes of one kind that are up now."""


@dataclass(frozen=True, slots=True)
class Use:
    """What processes of one kind do: ``cpu`` in cores, ``memory`` in bytes."""

    kind: str
    count: int
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Work:
    """``process``: the server's own, in cores; ``others``: processes beside the server's own; ``busy`` and ``server``:
    shares of all cores over the last seconds, everybody's and ours.

    ``cores``: those that we may use; where that is less than all, shares are of these, and nobody else's work on them
    is seen.
    """

    process: float
    memory: int
    cores: int
    others: tuple[Use, ...]
    busy: float
    server: float


class Processor:
    """Reads once a second. ``kinds``: processes beside the server's own, by the word for them."""

    def __init__(self, kinds: Mapping[str, Pids]) -> None:
        self._cores = cores.allowed()
        self._limited = self._cores < (psutil.cpu_count() or 1)
        self._kinds = kinds
        self._own = psutil.Process()
        self._known: dict[int, psutil.Process] = {}
        self._busy: deque[tuple[float, float]] = deque(maxlen=SMOOTHED)

    def read(self) -> Work:
        """What was done since the last reading."""
        machine, process = psutil.cpu_percent() / 100, self._own.cpu_percent() / 100
        pids = {kind: tuple(ask()) for kind, ask in self._kinds.items()}
        up = {pid: self._known.get(pid) or _opened(pid) for kind in pids.values() for pid in kind}
        self._known = {pid: process for pid, process in up.items() if process is not None and process.is_running()}
        others = tuple(self._use(kind, found) for kind, found in pids.items())
        server = (process + sum(use.cpu for use in others)) / self._cores
        machine = max(machine, server) if self._limited else machine
        self._busy.append((machine, server))
        busy, ours = (sum(column) / len(self._busy) for column in zip(*self._busy, strict=True))
        return Work(process, int(self._own.memory_info().rss), math.ceil(self._cores), others, busy, ours)

    def _use(self, kind: str, pids: Sequence[int]) -> Use:
        read = [_read(self._known[pid]) for pid in pids if pid in self._known]
        there = [one for one in read if one is not None]
        return Use(kind, len(there), sum(cpu for cpu, _ in there), sum(memory for _, memory in there))


def _opened(pid: int) -> psutil.Process | None:
    """None for one that has ended meanwhile."""
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:
        return None


def _read(process: psutil.Process) -> tuple[float, int] | None:
    """Cores and bytes; None for one that has ended meanwhile."""
    try:
        with process.oneshot():
            return process.cpu_percent() / 100, int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return None
