"""What ``serve`` and ``demo`` say when something ends."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessonroom import logs, run
from lessonroom.config import Settings


@pytest.fixture(autouse=True)
def logs_as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A command sets up the logs of its process, which is that of all tests here."""
    monkeypatch.setattr(logs, "_output", logs._Output())
    root = logging.getLogger()
    before = root.handlers, root.level
    yield
    root.handlers, root.level = before


async def test_why_the_simulated_student_cannot_come_is_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On stderr, in words, while the server goes on."""
    logs.setup(level="info", as_json=False)
    (tmp_path / "clip.webm").write_text("this is no video")
    async with run._student("http://127.0.0.1:9/lesson/m1#c1", tmp_path / "clip.webm"):
        async with asyncio.timeout(60):
            while "has left" not in (err := capsys.readouterr().err):
                await asyncio.sleep(0.01)
    assert "clip.webm: expected a whole video file" in err
    assert "Traceback" not in err
    assert "#c1" not in err


def test_a_server_that_dies_leaves_no_core_dump_with_a_picture_in_it() -> None:
    limit = "resource.getrlimit(resource.RLIMIT_CORE)"
    code = f"import resource; from lessonroom import run; run.no_core_dumps(); print({limit})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "(0, 0)"


def test_of_two_servers_on_one_data_directory_the_second_does_not_start(tmp_path: Path) -> None:
    """Each would hold half of a lesson's people."""
    settings = Settings(data_dir=tmp_path)
    with run.alone(settings):
        second = [sys.executable, "-m", "lessonroom.cli", "serve", "--data-dir", str(tmp_path), "--port", "0"]
        told = subprocess.run(second, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout) == (2, "")
    last = told.stderr.splitlines()[-1]
    assert last == "lessonroom: data_dir: expected a folder that no other server uses, got one that is in use"
    with run.alone(settings):
        pass


def test_a_server_that_was_killed_leaves_its_data_directory_to_the_next(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from lessonroom import run; from lessonroom.config import Settings\n"
        "with run.alone(Settings(data_dir=Path(sys.argv[1]))): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -9
    with run.alone(Settings(data_dir=tmp_path)):
        pass


def test_servers_with_a_database_server_may_share_a_data_directory(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql+psycopg://nobody@nowhere/none")
    with run.alone(settings), run.alone(settings):
        assert not (tmp_path / run.LOCK_FILE).exists()
