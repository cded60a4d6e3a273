"""The bench of chat alone: how messages are followed, when memory grows, and what a run reports."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from lessonroom import cli
from lessonroom.bench import growth, rooms, talk, talk_page, wire
from lessonroom.bench.growth import MIB
from lessonroom.bench.ledger import Ledger, Times
from lessonroom.errors import Refused
from tests.integration.serving import serving

SMALL = talk.Load(rooms=3, rate=30, seconds=2)


def followed(*steps: str) -> Ledger:
    """A ledger of one message: ``say``, ``ack``, ``stop``, ``refuse``, ``come``."""
    ledger = Ledger()
    for now, step in enumerate(steps):
        match step:
            case "say":
                ledger.send("m", now)
            case "ack" | "stop":
                ledger.acknowledge("m", now, relayed=step == "ack")
            case "refuse":
                ledger.refuse("m")
            case "come":
                ledger.arrive("m", now)
    return ledger


@pytest.mark.parametrize(
    ("steps", "lost", "doubled"),
    [
        (("say", "ack", "come"), 0, 0),
        (("say", "come", "ack"), 0, 0),
        (("say", "stop"), 0, 0),
        (("say", "refuse"), 0, 0),
        (("say",), 1, 0),
        (("say", "ack"), 1, 0),
        (("say", "come"), 1, 0),
        (("say", "ack", "come", "come"), 0, 1),
        (("say", "come", "come", "ack"), 0, 1),
        (("say", "ack", "ack", "come"), 0, 1),
        (("say", "ack", "come", "ack"), 0, 1),
        (("say", "refuse", "ack"), 0, 1),
        (("say", "refuse", "come"), 0, 1),
        (("say", "stop", "come"), 0, 1),
        (("say", "come", "stop"), 1, 0),
        (("come",), 0, 1),
    ],
)
def test_what_is_lost_and_what_is_doubled(steps: tuple[str, ...], lost: int, doubled: int) -> None:
    ledger = followed(*steps)
    assert (ledger.under_way, ledger.doubled) == (lost, doubled)


def test_times_begin_when_a_message_is_said() -> None:
    ledger = followed("say", "ack", "come")
    found = ledger.acknowledging.spread(), ledger.relaying.spread()
    assert [row and row["max"] for row in found] == [1000.05, 2000.05]


def test_percentiles_are_those_of_the_times() -> None:
    times = Times()
    for number in range(1, 1001):
        times.add(number / 1000)
    early = times.copy()
    times.add(90.0)
    assert early.spread() == pytest.approx({"p50": 500.05, "p95": 950.05, "p99": 990.05, "max": 1000.05, "of": 1000})
    assert times.since(early).spread() == pytest.approx(
        {"p50": 20000.05, "p95": 20000.05, "p99": 20000.05, "max": 20000.05, "of": 1}
    )
    assert Times().spread() is None


def line(mib_per_minute: float, minutes: float, start: float = 100.0) -> list[growth.Point]:
    return [(6.0 * n, (start + mib_per_minute * n / 10) * MIB) for n in range(round(minutes * 10) + 1)]


def test_the_slope_is_that_of_the_straight_line_through_the_readings() -> None:
    assert growth.per_minute(line(2.5, 10)) == pytest.approx(2.5)
    zigzag = [(at, size + (MIB if n % 2 else -MIB)) for n, (at, size) in enumerate(line(0, 10))]
    assert growth.per_minute(zigzag) == pytest.approx(0, abs=0.02)
    assert growth.per_minute(line(1, 0)) == growth.per_minute([]) == 0


def test_a_server_that_fills_up_once_does_not_grow_and_one_that_leaks_does() -> None:
    filling = [(at, min(size, 150 * MIB)) for at, size in line(50, 10)]
    assert not growth.grows(filling)
    assert growth.grows(line(2, 10))
    assert growth.grows(line(0.1, 8 * 60)), "hours make a small leak a large one"
    assert not growth.grows(line(0.01, 8 * 60))
    assert not growth.grows(line(100, 0.5)), "half a minute is too short to tell filling from a leak"
    assert growth.grows(line(600, 0.5))
    assert not growth.grows([])


def test_a_small_load_loses_and_doubles_nothing(tmp_path: Path) -> None:
    shown: set[str] = set()
    figures = talk.run(os.environ, SMALL, progress=lambda what, done, of: shown.add(what))
    assert json.loads(json.dumps(figures)) == figures
    assert shown == {"letting people in", "talking"}
    assert figures["sent"] > 20
    assert figures["sent"] == figures["acknowledged"] == figures["arrived"] == figures["stored"]
    assert figures["relay_ms"]["of"] == figures["sent"]
    assert [figures[name] for name in ("stopped", "refused", "lost", "doubled", "dropped_sockets")] == [0] * 5
    assert figures["failed"] == []
    page = io.StringIO()
    talk_page.show(figures, Console(file=page, width=120))
    for words in ("3 rooms", "the other page", "memory mib per minute", "nothing failed"):
        assert words in page.getvalue()


@pytest.mark.parametrize("settings", [talk.Load().settings(), rooms.Plan().settings()])
def test_a_server_that_is_measured_turns_nobody_away_before_its_limit(settings: dict[str, object]) -> None:
    """A crowd that is let in holds up the event loop; a server that took no more rooms then would end the run."""
    assert settings["overload_seconds"] == 0


def test_the_command_takes_a_rate_and_fails_when_something_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[talk.Load] = []

    def run(environment: object, load: talk.Load, **options: object) -> dict[str, object]:
        asked.append(load)
        return {"failed": ["lost"]}

    monkeypatch.setattr(talk, "run", run)
    command = ["bench", "rooms", "--rooms", "5", "--rate", "7", "--seconds", "9", "--json"]
    answer = CliRunner().invoke(cli.commands, command)
    assert (answer.exit_code, asked) == (1, [talk.Load(5, 7.0, 9.0)])
    answer = CliRunner().invoke(cli.commands, ["bench", "rooms", "--checkpoints", "somewhere"])
    assert answer.exit_code == 1
    assert "--checkpoints: expected --rate" in str(answer.exception)


def test_a_run_that_is_interrupted_reports_what_it_has_and_every_minute_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The minute is a second here."""
    monkeypatch.setattr(talk, "CHECKPOINT_SECONDS", 1.0)
    lines = tmp_path / "soak.jsonl"

    def interrupt() -> None:
        while not (lines.exists() and lines.read_text()):
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt, daemon=True)  # should the run fail, nothing waits for its lines
    thread.start()
    figures = talk.run(os.environ, talk.Load(2, 20, 100), checkpoints=lines)
    thread.join()
    assert figures["interrupted"]
    assert figures["seconds"] < 60
    assert figures["failed"] == []
    first = json.loads(lines.read_text().splitlines()[0])
    assert 0 < first["minute"]["relay_ms"]["of"] <= first["arrived"] <= figures["arrived"]


@contextlib.asynccontextmanager
async def opened(tmp_path: Path, heard: list[bytes], lost: list[int]) -> AsyncIterator[wire.Wire]:
    async with serving(tmp_path) as app:
        address = app.admission.public_url
        yield await wire.connect(f"{address.replace('http', 'ws')}/ws/room", address, heard.append, lost.append)


async def test_a_light_socket_hears_the_code_with_which_it_is_closed(tmp_path: Path) -> None:
    heard: list[bytes] = []
    lost: list[int] = []
    async with opened(tmp_path, heard, lost) as socket:
        socket.say(b'{"type":"ping"}')
        async with asyncio.timeout(60):
            while not lost:
                await asyncio.sleep(0.01)
    assert (heard, lost) == ([], [4000])


async def test_a_light_socket_that_is_dropped_hears_so_once(tmp_path: Path) -> None:
    lost: list[int] = []
    async with opened(tmp_path, [], lost) as socket:
        assert socket.open
        socket.abort()
        await asyncio.sleep(0.05)
    assert lost == [1006]


async def test_a_light_socket_that_is_refused_is_no_socket(tmp_path: Path) -> None:
    async with serving(tmp_path) as app:
        address = app.admission.public_url
        with pytest.raises(Refused, match="handshake"):
            await wire.connect(f"{address.replace('http', 'ws')}/ws/room", "http://evil", print, print)
