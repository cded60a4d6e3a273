"""A video file through the real models, and the same halves on generated observations."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lessonroom.config import Settings
from lessonroom.errors import BadInput, BadMedia, ModelRefused
from lessonroom.media.analyse import Record, Tally, run
from lessonroom.media.types import Unseen
from lessonroom.simulate.sources import SHIPPED_CLIP
from tests.media.sequences import Student, held
from tests.media.videos import video

SETTINGS = Settings()


def tallied(student: Student, seconds: float) -> list[Record]:
    tally = Tally(SETTINGS)
    found = [record for observation in student.observe(seconds) for record in tally.take_in(observation)]
    return [*found, tally.summary()]


def test_a_file_gives_its_records_in_order_and_a_report(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An empty room: nothing is seen, and the records say why; nothing is drawn on a stderr that is no terminal."""
    found: list[Any] = []
    run(video(tmp_path / "room.webm"), SETTINGS, found.append, html=tmp_path / "report.html")
    kinds = [record["type"] for record in found]
    assert kinds == ["clip", *["observation", "strain"] * 8, "summary"]
    assert found[0]["provider"] in {"TensorRT", "CUDA", "CPU"}
    assert {record["unseen"] for record in found if record["type"] == "observation"} == {"no_face"}
    assert found[-1]["unseen"] == {"no_face": 4.0}
    assert found[-1]["seen"] == 0
    assert json.loads(json.dumps(found)) == found
    assert "room.webm" in (tmp_path / "report.html").read_text()
    assert capfd.readouterr() == ("", "")


def test_a_bad_file_gives_no_record(tmp_path: Path) -> None:
    found: list[Any] = []
    with pytest.raises(BadMedia):
        run(tmp_path / "none.webm", SETTINGS, found.append, html=tmp_path / "report.html")
    assert found == []
    assert not (tmp_path / "report.html").exists()


def test_a_head_that_cannot_be_used_is_told_before_the_first_record(tmp_path: Path) -> None:
    found: list[Any] = []
    with pytest.raises(ModelRefused):
        run(video(tmp_path / "room.webm"), Settings(strain_head=tmp_path), found.append)
    assert found == []


def test_a_report_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="expected a file to write the report to"):
        run(video(tmp_path / "room.webm"), SETTINGS, lambda _: None, html=tmp_path / "no" / "report.html")


def test_the_summary_adds_up() -> None:
    student = Student(2, mood=held("anger", 130, 200), drop=lambda at: Unseen.NO_FACE if 60 <= at < 90 else None)
    found = tallied(student, 300)
    summary = found[-1]
    assert summary["unseen"]["no_face"] == pytest.approx(30, abs=3)
    assert sum(summary["watching"].values()) == pytest.approx(summary["samples"] / 2, abs=0.2)
    assert summary["seen"] == pytest.approx(0.9, abs=0.02)
    assert 30 < summary["above"] < 90
    assert summary["hints"] == sum(record["type"] == "hint" for record in found) == 1


def test_a_seen_face_is_recorded_without_its_embedding() -> None:
    record = next(iter(tallied(Student(1), 1)))
    assert "embedding" not in record
    assert "landmarks" not in json.dumps(record)


def test_the_bar_goes_to_the_terminal_and_the_records_to_the_pipe(tmp_path: Path) -> None:
    """``lessonroom analyse a.webm > records``: what is piped stays clean, what is seen moves."""
    terminal, behind = os.openpty()
    command = [sys.executable, "-m", "lessonroom.cli", "analyse", str(video(tmp_path / "room.webm"))]
    environment = {**os.environ, "TERM": "xterm"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=behind, check=True, timeout=60, env=environment)
    os.close(behind)
    seen = os.read(terminal, 65536).decode()
    os.close(terminal)
    assert "looking" in seen
    assert [json.loads(line)["type"] for line in done.stdout.splitlines()][-1] == "summary"


def test_the_shipped_clip_leads_to_a_hint() -> None:
    """Calm for 35 s, strained for 40 s, calm again: the real models see it, and the hint comes within 20 s."""
    found: list[Any] = []
    run(SHIPPED_CLIP, Settings(hint_first_seconds=0.0), found.append)
    hints = [record for record in found if record["type"] == "hint"]
    assert len(hints) == 1
    assert 35 < hints[0]["at"] < 55
    levels = {record["at"]: record["level"] for record in found if record["type"] == "strain"}
    assert all(level is None or level < 0.3 for at, level in levels.items() if at < 34)
    assert found[-1]["seen"] > 0.95
