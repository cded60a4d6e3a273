"""A target in a process of its own, so that one that is killed, or hangs where no Python runs, is a find, too."""

from __future__ import annotations

import math
import mmap
import multiprocessing
import os
import signal
import struct
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.fuzz.mutate import MOST_BYTES
from tests.fuzz.runner import Find, Tally, Target, run
from tests.fuzz.targets import TARGETS

PATIENCE = 120.0
"""Seconds without a new input after which a process is taken for hung."""
_HEAD = struct.Struct("!QI")


class Board:
    """A file that outlives the process that writes to it: how many inputs were begun, and the last of them."""

    def __init__(self, path: Path) -> None:
        path.touch()
        os.truncate(path, _HEAD.size + MOST_BYTES)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._begun = 0

    def note(self, data: bytes) -> None:
        """Write down an input before it is tried."""
        self._begun += 1
        self._memory[: _HEAD.size + len(data)] = _HEAD.pack(self._begun, len(data)) + data

    def read(self) -> tuple[int, bytes]:
        """How many were begun, and the last."""
        begun, length = _HEAD.unpack_from(self._memory)
        return begun, self._memory[_HEAD.size : _HEAD.size + length]


Work = Callable[[str, int, str, Callable[[bytes], None]], Tally]


def by_name(name: str, inputs: int, seed: str, note: Callable[[bytes], None]) -> Tally:
    """Run the target of this name, as :data:`Work`."""
    return run(TARGETS[name], inputs, seed, note)


def share(targets: Sequence[Target], inputs: int) -> list[tuple[Target, int]]:
    """Divide the inputs among the targets by their weights, never fewer than asked for."""
    total = sum(target.weight for target in targets)
    return [(target, math.ceil(inputs * target.weight / total)) for target in targets]


def survive(name: str, inputs: int, seed: str, work: Work = by_name) -> Tally:
    """Run a target in a process of its own; its death is a find."""
    context, began = multiprocessing.get_context("spawn"), time.monotonic()
    results: SimpleQueue[Tally] = context.SimpleQueue()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "board"
        board = Board(path)
        process = context.Process(target=_child, args=(work, name, inputs, seed, path, results))
        process.start()
        hung = _wait(process, board, results)
        if not results.empty():
            tally = results.get()  # before the join: a long one does not fit into the pipe
            process.join()
            return tally
        begun, data = board.read()
    code = process.exitcode or 0
    find = Find(name, "hang" if hung else "killed", signal.Signals(-code).name if code < 0 else str(code), data)
    return Tally(name, begun, seconds=time.monotonic() - began, finds=[find])


def _child(work: Work, name: str, inputs: int, seed: str, path: Path, results: SimpleQueue[Tally]) -> None:
    results.put(work(name, inputs, seed, Board(path).note))


def _wait(process: SpawnProcess, board: Board, results: SimpleQueue[Tally]) -> bool:
    """Wait for its result or its end; True when it had to be killed because nothing went on."""
    before, since = 0, time.monotonic()
    while process.is_alive() and results.empty():
        process.join(timeout=0.2)
        begun, _ = board.read()
        if begun != before:
            before, since = begun, time.monotonic()
        elif time.monotonic() - since > PATIENCE:
            process.kill()
            process.join()
            return True
    return False
