"""The bench of lessons: a real server process, real streams; what it reports, not how fast it is."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from click.testing import CliRunner
from rich.console import Console

from lessonroom.bench import rooms, rooms_page, talk
from lessonroom.bench.cameras import Cameras, Standby
from lessonroom.bench.choosing import chosen
from lessonroom.bench.growth import MIB
from lessonroom.bench.lesson import CHAT_EVERY, SHIFTS, house, lesson, turns
from lessonroom.bench.serving import Reading, Server, Use, quantile, series, serving
from lessonroom.cli import commands
from lessonroom.errors import BadInput, EngineDown
from lessonroom.media.guard import Connection, gather_loopback
from lessonroom.media.guard.decoding import Decoded
from lessonroom.simulate import shaped
from lessonroom.simulate.facts import PLACE
from lessonroom.simulate.sources import SHIPPED_CLIP
from tests.media.videos import cut, video


def reading(**counts: float) -> Reading:
    named = {f"seconds_bucket{{le={bound},stage=look}}": value for bound, value in counts.items()}
    return Reading(0.0, 0, 0, named)


def histogram(one: float, two: float, more: float) -> Reading:
    return reading(**{"0.1": one, "0.2": two, "+Inf": more})


@pytest.mark.parametrize(("share", "value"), [(0.25, 0.05), (0.5, 0.1), (0.75, 0.15), (1.0, 0.2)])
def test_a_quantile_is_read_from_what_came_between_two_readings(share: float, value: float) -> None:
    before, after = histogram(100, 100, 100), histogram(110, 120, 120)
    assert quantile(before, after, "seconds", share, stage="look") == pytest.approx(value)


def test_a_quantile_of_nothing_is_none_and_one_beyond_the_last_bound_is_that_bound() -> None:
    assert quantile(histogram(1, 1, 1), histogram(1, 1, 1), "seconds", 0.5, stage="look") is None
    assert quantile(histogram(1, 1, 1), histogram(1, 1, 9), "seconds", 0.5, stage="look") == 0.2
    assert quantile(histogram(0, 0, 0), histogram(1, 1, 1), "seconds", 0.5, stage="other") is None


def test_prometheus_text_is_read_with_its_labels_in_order() -> None:
    text = '# TYPE a_total counter\na_total{z="1",b="2"} 3\n# TYPE b gauge\nb 4\n'
    assert series(text) == {"a_total{b=2,z=1}": 3.0, "b": 4.0}


def test_lessons_speak_in_turn_all_the_time_and_not_all_at_once() -> None:
    """Only the first messages were shifted once: from the second one on all lessons spoke in the same moment."""
    spoken = sorted(due for number in range(SHIFTS) for due in turns(number, 5 * CHAT_EVERY))
    apart = [later - earlier for earlier, later in itertools.pairwise(spoken)]
    assert apart == pytest.approx([CHAT_EVERY / SHIFTS] * (5 * SHIFTS - 1))


@pytest.mark.parametrize("number", [0, 5, 21])
def test_each_lesson_speaks_at_a_steady_rate(number: int) -> None:
    due = list(turns(number, 10 * CHAT_EVERY))
    assert len(due) == 10
    assert [later - earlier for earlier, later in itertools.pairwise(due)] == pytest.approx([CHAT_EVERY] * 9)
    assert len(list(turns(number, 150.0, 15.0))) == 10


async def test_a_server_that_does_not_come_up_says_why(tmp_path: Path) -> None:
    with pytest.raises(EngineDown, match="SAMPLE_RATE"):
        async with serving(tmp_path, os.environ, sample_rate=99):
            pass


def test_one_lesson_for_a_few_seconds(tmp_path: Path) -> None:
    """Calm, then strained: a hint is decided and its way to the teacher is measured."""
    clip = cut(tmp_path / "clip.webm", SHIPPED_CLIP, (20, 28), (45, 60))
    shown: list[tuple[str, float, float]] = []
    plan = rooms.Plan(1, 18, 2.0, progress=lambda *said: shown.append(said))
    figures = rooms.run(clip, os.environ, plan)
    assert {"letting people in", "measuring"} == {what for what, _, _ in shown}
    assert 10 < shown[-1][1] <= shown[-1][2] == 18
    assert json.loads(json.dumps(figures)) == figures
    assert figures["server"]["samples_per_second"]["per_lesson"] > 0.5
    assert figures["server"]["percent_of_a_core"]["all"] > 0
    assert {one["process"] for one in figures["processes"]} >= {"lessonroom.cli", "lessonroom.chat.screening"}
    assert figures["ratios"]["lesson_to_bound"] > 1
    assert figures["clients"]["frames_late_ms"]["of"] == pytest.approx(18 * shaped.RATE, rel=0.3)
    assert 60 < figures["clients"]["media_kbit_per_second"] < 200
    assert figures["latency_ms"]["chat_to_teacher"]["of"] >= 2
    assert figures["latency_ms"]["chat_to_acknowledgement"]["of"] >= 2
    assert figures["latency_ms"]["button_to_teacher"]["of"] == 1
    assert figures["latency_ms"]["hint_decided_to_teacher"]["of"] >= 1
    assert figures["latency_ms"]["frame_received_to_estimate"]["of"] > 0
    page = io.StringIO()
    rooms_page.show(figures, Console(file=page, width=100))
    for row in ("percent of a core", "frame received to estimate", "hint decided to teacher", "chat to teacher"):
        assert row in page.getvalue()


async def test_a_page_that_is_lost_ends_the_measurement(tmp_path: Path) -> None:
    """Nobody waits for ever for what a page without a socket cannot hear."""
    frames = shaped.encode(video(tmp_path / "clip.webm", seconds=3, size=(320, 240)))
    async with (
        serving(tmp_path, os.environ, ice_loopback=True, provider_place=PLACE) as server,
        house(server, frames) as shared,
        lesson(shared, 0) as made,
    ):
        made.lose()
        with pytest.raises(EngineDown, match="socket"):
            await made.hearing(made.talk(60, lambda gone: None))


def test_a_reading_counts_every_process_of_the_server_by_what_it_runs() -> None:
    """Or screening, and media workers, would cost nothing."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        reading = Server(psutil.Process(), httpx.AsyncClient()).usage()
        assert child.pid in {one.pid for one in reading.parts[1:]}
        assert reading.parts[0].pid == os.getpid()
        assert reading.memory == sum(one.memory for one in reading.parts)
        assert reading.descriptors > 3
    finally:
        child.communicate(b"\n")


def window(cpu: float = 2.0, clients: float = 1.0) -> rooms.Window:
    """Ten seconds: the first process and one that stays, one that came and one that went."""
    first, stays = Use(1, "lessonroom.cli", 5.0, 10 * MIB, 3, 9), Use(2, "worker", 1.0, MIB, 1, 3)
    later = replace(first, cpu_seconds=5.0 + cpu / 2, memory=20 * MIB), replace(stays, cpu_seconds=1.0 + cpu / 2)
    before = Reading(6.0, 11 * MIB, 4, {"lessonroom_samples_total": 0}, 12, (first, stays, replace(stays, pid=3)))
    after = Reading(6.0 + cpu, 21 * MIB, 4, {"lessonroom_samples_total": 40}, 12, (*later, replace(stays, pid=4)))
    return rooms.Window(before, before, after, 10.0, clients)


def test_what_each_process_took_is_told_of_those_that_were_there_all_the_time() -> None:
    assert rooms._processes(window()) == [
        {"process": "lessonroom.cli", "percent_of_a_core": 10.0, "memory_mb": 20.0},
        {"process": "worker", "percent_of_a_core": 10.0, "memory_mb": 1.0},
    ]


def test_a_lesson_costs_its_part_of_all_processes_together() -> None:
    row = rooms._server(window(), rooms=4)
    assert row["percent_of_a_core"] == {"all": 20.0, "per_lesson": 5.0}
    assert row["memory_mb"]["per_lesson"] == 2.5
    assert row["samples_per_second"]["per_lesson"] == 1.0


def of(lessons: int, percent: float, memory: float, bound: float) -> dict[str, Any]:
    rows = {"percent_of_a_core": percent, "memory_mb": memory}
    server = {name: {"all": value, "per_lesson": value / lessons} for name, value in rows.items()}
    return {"rooms": lessons, "server": server, "ratios": {"lesson_to_bound": bound}}


def test_the_growth_of_a_lessons_cost_is_told_by_itself_and_by_the_bounds() -> None:
    """A machine that is slower under load is so for the bound, too."""
    grown = rooms._grown(of(64, 96.0, 300.0, 2.4), of(8, 10.0, 132.0, 2.5))
    assert grown["ratios"]["lesson_to_that_of_fewer"] == 1.2
    assert grown["ratios"]["lesson_to_that_of_fewer_by_bounds"] == 0.96
    assert grown["one_more"] == {"percent_of_a_core": 1.536, "memory_mb": 3.0}


async def test_cameras_send_what_a_receiver_can_decode(tmp_path: Path) -> None:
    """The packets that are made beforehand are those of RFC 3550 and RFC 7741, for any number of lessons."""
    frames = shaped.encode(video(tmp_path / "clip.webm", seconds=2, size=(320, 240)))
    pictures: list[list[Decoded]] = [[], []]
    receivers = [await connected(seen) for seen in pictures]
    async with Cameras(frames) as cameras:
        for _, sender in receivers:
            cameras.start(sender.getTransceivers()[0])
        async with asyncio.timeout(60):
            while min(len(seen) for seen in pictures) < 2 * len(frames):
                await asyncio.sleep(0.05)
    for receiver, sender in receivers:
        assert receiver.receiver.decode_errors == receiver.receiver.dropped == 0
        await receiver.close()
        await sender.close()


async def connected(seen: list[Decoded]) -> tuple[Connection, RTCPeerConnection]:
    receiver = Connection([], relay_only=False, loopback=True, on_picture=seen.append, on_end=lambda: None)
    sender = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sender.addTransceiver(Standby(), direction="sendonly")
    gather_loopback(sender)
    await sender.setLocalDescription(await sender.createOffer())
    await receiver.peer.setRemoteDescription(sender.localDescription)
    await receiver.peer.setLocalDescription(await receiver.peer.createAnswer())
    await sender.setRemoteDescription(receiver.peer.localDescription)
    return receiver, sender


def test_workers_are_passed_to_the_server_and_nobody_is_sent_away_before_the_limit() -> None:
    assert rooms.Plan(workers=2).settings()["workers"] == 2
    assert "workers" not in rooms.Plan().settings(), "a server without workers gets its own default"
    assert rooms.Plan(rooms=200).settings()["analysers"] == 200
    assert rooms.Plan().settings()["overload_seconds"] == 0


@pytest.mark.parametrize(
    "words",
    [
        "--rate 3 --cycles 3",
        "--rate 3 --beside 2",
        "--cycles 3 --beside 2",
        "--rate 3 --workers 2",
        "--beside 8",
        "--cycles 3 --setting log_json=1",
        "--rate 3 --setting chat_per_minute=1",
        "--setting sample_rate=2",
    ],
)
def test_options_that_do_not_go_together_are_refused_before_anything_is_measured(words: str) -> None:
    with pytest.raises(BadInput, match="expected"):
        CliRunner().invoke(commands, ["bench", "rooms", *words.split()], catch_exceptions=False)


def test_a_setting_of_ones_own_reaches_the_server_beside_those_of_the_bench() -> None:
    own = chosen(["inference_server=grpc://127.0.0.1:1", "inference_server_deadline=1"], rooms.Plan().settings())
    settings = rooms.Plan(chosen=own).settings()
    assert settings.items() >= {"inference_server": "grpc://127.0.0.1:1", "sample_rate": 1.0}.items()


@pytest.mark.parametrize("pair", ["nonsense=1", "inference_server", "workers=2", "admin_keys=secret", "=1"])
def test_a_setting_that_there_is_not_or_that_the_bench_chooses_is_refused_without_its_value(pair: str) -> None:
    with pytest.raises(BadInput, match="--setting: expected") as caught:
        chosen([pair], {*rooms.Plan().settings(), "workers"})
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", ["rooms", "talk"])
def test_figures_with_a_setting_are_not_compared_with_those_without(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: list[rooms.Plan | talk.Load] = []

    def run(*asked: Any, **_: object) -> dict[str, Any]:
        seen.append(asked[-1])
        return {"bench": kind, "machine": {}, "ratios": {"one": 1.0}, "failed": []}

    monkeypatch.setattr(rooms, "run", run)
    monkeypatch.setattr(talk, "run", run)
    command = ["bench", "rooms", "--json", *(["--rate", "3"] if kind == "talk" else [])]
    setting = ["--setting", "inference_server=grpc://127.0.0.1:1"]
    with_it, without = (CliRunner().invoke(commands, words) for words in ([*command, *setting], command))
    assert json.loads(with_it.output)["asked"]["settings"] == dict(seen[0].chosen)
    assert seen[0].settings()["inference_server"] == "grpc://127.0.0.1:1"
    assert "settings" not in json.loads(without.output)["asked"]
    (tmp_path / "without").write_text(without.output)
    with pytest.raises(BadInput, match="inference_server"):
        CliRunner().invoke(
            commands, [*command, *setting, "--against", str(tmp_path / "without")], catch_exceptions=False
        )


def calls(**counts: float) -> rooms.Window:
    made = window()
    series = {f"{rooms.CALLS}{{outcome={outcome}}}": count for outcome, count in counts.items()}
    return replace(made, after=replace(made.after, series=series))


def test_a_server_that_was_asked_for_and_never_answered_makes_no_figures() -> None:
    """All looks would have been at this machine's, and nobody would see it."""
    plan = rooms.Plan(chosen={"inference_server": "grpc://127.0.0.1:1"})
    assert rooms._server_calls(calls(answered=12, late=1), plan) == {"answered": 12, "late": 1}
    for none in (calls(), calls(refused=3)):
        with pytest.raises(EngineDown, match="inference server"):
            rooms._server_calls(none, plan)
    assert rooms._server_calls(calls(), rooms.Plan()) == {}
