"""``lessonroom bench rooms --rate``: chat alone, in many rooms at once, as a load that goes on for long.

Both members of each room are real sockets in this process, the server is a process of its own. Messages are said at
random times, all members alike often; each is followed by its id from the page that says it to its acknowledgement and
to the other page. Times begin when a message is handed to the socket.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter, process_time
from typing import IO, Any, Final

from lessonroom.bench import growth, machine
from lessonroom.bench.crowd import Talker, gather
from lessonroom.bench.growth import MIB, Point
from lessonroom.bench.ledger import Ledger, Times
from lessonroom.bench.serving import MEASURED, Reading, Server, serving
from lessonroom.progress import Show, unseen

SETTLE_SECONDS: Final = 2.0
DRAIN_SECONDS: Final = 15.0
"""A time without any answer or arrival after which what is under way counts as lost."""
DRAIN_LOOK_SECONDS: Final = 0.05
READING_SECONDS: Final = 1.0
CHECKPOINT_SECONDS: Final = 60.0
DATABASE: Final = "lessonroom.sqlite3"


@dataclass(frozen=True, slots=True)
class Load:
    """So many rooms of two members, so many messages a second in all of them together, for so long.

    ``chosen``: further settings of the server (:mod:`lessonroom.bench.choosing`).
    """

    rooms: int = 500
    rate: float = 1000.0
    seconds: float = 60.0
    chosen: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, object]:
        """Settings of the server; nobody is told to be slower or to go elsewhere, everything else is as it comes."""
        return {**self.chosen, **MEASURED, "chat_per_minute": 100_000}


def run(
    environment: Mapping[str, str], load: Load, *, checkpoints: Path | None = None, progress: Show = unseen
) -> dict[str, Any]:
    """Measure and return the figures; ``failed`` in them names what must not be.

    ``checkpoints``: a file that gets the figures so far as a JSON line every minute, so that a run that is killed has
    reported, too. SIGINT and SIGTERM end the measuring early. Raises EngineDown when the server does not come up.
    """
    about = machine.describe()
    with tempfile.TemporaryDirectory(prefix="lessonroom-bench-") as name, _lines(checkpoints) as lines:
        watch = asyncio.run(_measure(Path(name), environment, load, _Told(progress, lines)))
        stored = _stored(Path(name) / DATABASE)
    figures = watch.figures()
    if stored < watch.ledger.acknowledged:
        figures["failed"].append("stored")
    head = {"bench": "talk", "machine": about, "rooms": load.rooms, "rate": load.rate}
    return {**head, **figures, "stored": stored, "load_after": machine.load()}


@dataclass(frozen=True, slots=True)
class _Told:
    progress: Show
    lines: IO[str] | None


@dataclass(slots=True)
class Watch:
    """A run as far as it has come; times are seconds of :func:`time.perf_counter`."""

    ledger: Ledger
    before: Reading
    began: float
    busy_before: float
    now: Reading
    ended: float
    late: Times = field(default_factory=Times)
    memory: list[Point] = field(default_factory=list)
    dropped: int = 0
    interrupted: bool = False
    busy: float = 0.0
    done: int = 0
    """Messages that were answered until the latest reading."""
    _minute: tuple[Times, Times] | None = None

    def look(self, reading: Reading, talkers: list[Talker]) -> None:
        """Take in a reading of the server."""
        self.now, self.ended = reading, perf_counter()
        self.busy = process_time() - self.busy_before
        self.done = self.ledger.acknowledged
        self.memory.append((self.ended - self.began, float(reading.memory)))
        self.dropped = sum(talker.dropped for talker in talkers)

    def figures(self) -> dict[str, Any]:
        """Everything so far."""
        ledger, lasted = self.ledger, self.ended - self.began
        cpu = self.now.cpu_seconds - self.before.cpu_seconds
        each = round(1e6 * cpu / self.done) if self.done else 0
        return {
            "seconds": round(lasted, 1),
            "interrupted": self.interrupted,
            "sent": ledger.sent,
            "sent_per_second": round(ledger.sent / lasted, 1) if lasted else 0.0,
            "acknowledged": ledger.acknowledged,
            "arrived": ledger.arrived,
            "stopped": ledger.stopped,
            "refused": ledger.refused,
            "lost": ledger.under_way,
            "doubled": ledger.doubled,
            "dropped_sockets": self.dropped,
            "relay_ms": ledger.relaying.spread(),
            "acknowledgement_ms": ledger.acknowledging.spread(),
            "said_late_ms": self.late.spread(),
            "server": {
                "percent_of_a_core": round(100 * cpu / lasted, 1) if lasted else 0.0,
                "microseconds_per_message": each,
                "memory_mib": round(self.now.memory / MIB, 1),
                "memory_mib_per_minute": round(growth.per_minute(growth.settled(self.memory)), 3),
            },
            "client_percent_of_a_core": round(100 * self.busy / lasted, 1) if lasted else 0.0,
            "failed": list(self._failed()),
            # the bound: what the pages' side of the same messages takes, which only writes, reads and counts them
            "ratios": {"server_to_pages_processor": round(cpu / self.busy, 3) if self.busy else 0.0},
            "costs": {"microseconds_per_message": each},
        }

    def minute(self) -> dict[str, Any]:
        """A checkpoint: the figures so far, what is under way not counted as lost, and the latest minute's times."""
        figures = self.figures()
        figures["under_way"] = figures.pop("lost")
        figures["failed"] = [name for name in figures["failed"] if name != "lost"]
        relaying, acknowledging = self._minute or (Times(), Times())
        figures["minute"] = {
            "relay_ms": self.ledger.relaying.since(relaying).spread(),
            "acknowledgement_ms": self.ledger.acknowledging.since(acknowledging).spread(),
        }
        self._minute = self.ledger.relaying.copy(), self.ledger.acknowledging.copy()
        return figures

    def _failed(self) -> Iterator[str]:
        if self.ledger.under_way:
            yield "lost"
        if self.ledger.doubled:
            yield "doubled"
        if self.dropped:
            yield "dropped_sockets"
        if growth.grows(self.memory):
            yield "growth"


async def _measure(folder: Path, environment: Mapping[str, str], load: Load, told: _Told) -> Watch:
    ledger = Ledger()
    async with serving(folder, environment, **load.settings()) as server:
        talkers = await gather(server, load.rooms, ledger, perf_counter, told.progress)
        await asyncio.sleep(SETTLE_SECONDS)
        reading = await server.read()
        now = perf_counter()
        watch = Watch(ledger, reading, now, process_time(), reading, now)
        await _talk(talkers, load, watch, server, told)
        await _drain(ledger, talkers)
        watch.dropped = sum(talker.dropped for talker in talkers)
        for talker in talkers:
            talker.leave()
        return watch


async def _talk(talkers: list[Talker], load: Load, watch: Watch, server: Server, told: _Told) -> None:
    """Talk for as long as the load says, or until a signal comes; read the server meanwhile."""
    stop = asyncio.Event()
    talking = asyncio.create_task(_pace(talkers, load, watch.late))
    stopping = asyncio.create_task(stop.wait())
    checkpoint = CHECKPOINT_SECONDS
    try:
        with _signals(stop):
            while not talking.done() and not stop.is_set():
                await asyncio.wait({talking, stopping}, timeout=READING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                watch.look(server.usage(), talkers)
                gone = watch.ended - watch.began
                told.progress("talking", min(gone, load.seconds), load.seconds)
                if gone >= checkpoint:
                    checkpoint += CHECKPOINT_SECONDS
                    _write(told.lines, watch.minute())
        watch.interrupted = not talking.done()
    finally:
        for task in (talking, stopping):
            task.cancel()
        await asyncio.gather(talking, stopping, return_exceptions=True)
    if not watch.interrupted:
        talking.result()


async def _pace(talkers: list[Talker], load: Load, late: Times) -> None:
    """Let everybody talk at random times, in turns that are shuffled anew; never waits for an answer."""
    end = perf_counter() + load.seconds
    due = perf_counter()
    while True:
        for talker in random.sample(talkers, len(talkers)):
            due += random.expovariate(load.rate)
            if due > end:
                return
            if (wait := due - perf_counter()) > 0:
                await asyncio.sleep(wait)
            late.add(perf_counter() - due)
            talker.talk()


async def _drain(ledger: Ledger, talkers: list[Talker]) -> None:
    """Wait for what is under way, for as long as some of it comes; but not for those who are gone."""
    left, quiet = ledger.under_way, 0.0
    while ledger.under_way and quiet < DRAIN_SECONDS and not all(talker.dropped for talker in talkers):
        await asyncio.sleep(DRAIN_LOOK_SECONDS)
        quiet = quiet + DRAIN_LOOK_SECONDS if ledger.under_way == left else 0.0
        left = ledger.under_way
    await asyncio.sleep(0.5)  # a double would come now


def _stored(database: Path) -> int:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db:
        return int(db.execute("SELECT count(*) FROM messages").fetchone()[0])


@contextmanager
def _lines(path: Path | None) -> Iterator[IO[str] | None]:
    if path is None:
        yield None
        return
    with path.open("a", encoding="utf-8") as file:
        yield file


def _write(lines: IO[str] | None, figures: dict[str, Any]) -> None:
    if lines is not None:
        lines.write(json.dumps(figures) + "\n")
        lines.flush()


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    """SIGINT and SIGTERM ask for the end instead of making it."""
    loop, numbers = asyncio.get_running_loop(), (signal.SIGINT, signal.SIGTERM)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
