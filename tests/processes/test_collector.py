"""Processes that serve must not be stopped again and again by the collector of cycles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lessonroom import logs
from lessonroom.chat import screening
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.questions import Orders
from lessonroom.chat.releases import PACKAGED
from lessonroom.config import Settings
from lessonroom.processes import collector, inside
from lessonroom.processes.frames import Message
from lessonroom.workers import worker

PROGRAM = """
import gc, lessonroom.app
from lessonroom.processes import collector
collector.spare()
print(len(gc.get_objects()) < 5_000 < gc.get_freeze_count(), gc.get_threshold() == collector.COLLECT_AFTER)
"""


def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == "True True\n"


async def test_a_process_spares_the_collector_when_its_models_are_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spared: list[str] = []
    monkeypatch.setattr(collector, "spare", lambda: spared.append("spared"))
    monkeypatch.setattr(logs, "setup", lambda **_: None)  # this process is the tests'

    def serve(start: Callable[[Message], object], **_: object) -> None:
        start(Orders(str(tmp_path), None, ChatPolicy(), PACKAGED, None, "info", log_json=False).message())

    monkeypatch.setattr(inside, "serve", serve)
    screening.main()
    assert spared == ["spared"]
    part = worker.begin({"settings": Settings().model_dump(mode="json")}, lambda _: None)
    await part.close()
    assert spared == ["spared", "spared"]
