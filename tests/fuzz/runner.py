"""Tries inputs on a target and says what was not as it should be."""

from __future__ import annotations

import hashlib
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from lessonroom.errors import LessonroomError
from tests.fuzz.mutate import LINES, Mutator, Shape

FOUND = Path(__file__).parent / "found"
MOST_CPU = 0.05
"""Seconds of CPU that an input may take: a twentieth of what one second of one core can do for a whole server."""
TRIES = 4
"""How often an input is tried before it counts as too slow: the quickest counts, so no pause of the machine does."""
HANGS_AFTER = 5.0
"""Seconds of CPU after which an input is stopped in Python code."""

Read = Callable[[bytes], None]
"""Takes an input or raises LessonroomError; whatever else it raises is a find."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads what strangers send. ``weight``: its share of the inputs; ``cpu``: seconds for one of them.

    ``open``: gives the reader, with what it needs around it. ``words``: what its inputs are made of.
    """

    name: str
    corpus: tuple[bytes, ...] = field(repr=False)
    open: Callable[[], AbstractContextManager[Read]]
    words: tuple[bytes, ...] = field(default=(), repr=False)
    shape: Shape = LINES
    weight: float = 1
    cpu: float = MOST_CPU


@dataclass(frozen=True, slots=True)
class Find:
    """What an input did. ``kind``: an exception's name, ``slow``, ``hang`` or ``killed``; ``where``: file and line."""

    target: str
    kind: str
    where: str
    data: bytes = field(repr=False, compare=False, hash=False)
    trace: str = field(default="", repr=False, compare=False, hash=False)


@dataclass(slots=True)
class Tally:
    """What came of the inputs of one target."""

    target: str
    inputs: int = 0
    taken: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    finds: list[Find] = field(default_factory=list)


class _Hang(BaseException):
    """An input was stopped. No Exception, so that nothing on its way catches it."""


def run(target: Target, inputs: int, seed: str, note: Callable[[bytes], None] = lambda data: None) -> Tally:
    """Try so many inputs. ``note`` is told each before it is tried."""
    mutator = Mutator(target.corpus, target.words, target.shape, f"{seed}/{target.name}")
    tally = Tally(target.name)
    began = time.monotonic()
    with target.open() as read, _watched():
        for number in range(inputs):
            data = mutator.make(number)
            note(data)
            _count(tally, attempt(target.name, read, data, target.cpu))
    tally.seconds = time.monotonic() - began
    return tally


def replay(target: Target, data: bytes) -> Find | None:
    """Try one input again."""
    with target.open() as read, _watched():
        found = attempt(target.name, read, data, target.cpu)
    return found if isinstance(found, Find) else None


def attempt(target: str, read: Read, data: bytes, cpu: float = MOST_CPU) -> Find | tuple[bool, float]:
    """Try one input: whether it was taken, and its seconds of CPU; or what is wrong."""
    least = float("inf")
    for _ in range(TRIES):
        outcome = _once(target, read, data)
        if isinstance(outcome, Find):
            return outcome
        least = min(least, outcome[1])
        if least <= cpu:
            return outcome[0], least
    return Find(target, "slow", f"{least * 1000:.0f} ms", data)


def _once(target: str, read: Read, data: bytes) -> Find | tuple[bool, float]:
    taken, began = True, time.thread_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, HANGS_AFTER)
    try:
        read(data)
    except LessonroomError:
        taken = False
    except (Exception, _Hang) as error:  # noqa: BLE001 - whatever it is, it is what was looked for
        kind = "hang" if isinstance(error, _Hang) else type(error).__name__
        return Find(target, kind, _place(error), data, "".join(traceback.format_exception(error)))
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return taken, time.thread_time() - began


def _place(error: BaseException) -> str:
    """Where it was raised: the innermost frame that is ours, else the innermost of all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/lessonroom/" in frame.filename] or frames
    return f"{Path(own[-1].filename).name}:{own[-1].lineno}"


def _count(tally: Tally, outcome: Find | tuple[bool, float]) -> None:
    tally.inputs += 1
    if isinstance(outcome, Find):
        if outcome not in tally.finds:
            tally.finds.append(outcome)
        return
    taken, seconds = outcome
    tally.slowest = max(tally.slowest, seconds)
    if taken:
        tally.taken += 1
    else:
        tally.refused += 1


@contextmanager
def _watched() -> Iterator[None]:
    """Stop an input that never ends, where Python code runs."""
    before = signal.signal(signal.SIGVTALRM, _stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGVTALRM, before)


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Hang


def keep(find: Find, folder: Path = FOUND) -> Path:
    """Write a find down; its name begins with the target's."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{find.target}-{hashlib.sha256(find.data).hexdigest()[:16]}.bin"
    path.write_bytes(find.data)
    return path


def kept(folder: Path = FOUND) -> Iterator[tuple[str, Path]]:
    """What was found before: target and file."""
    for path in sorted(folder.glob("*.bin")):
        yield path.name.rpartition("-")[0], path
