"""``lessonroom demo --simulate`` as a newcomer starts it, seen by a teacher who opens the printed link."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lessonroom import messages as m
from lessonroom.config import PREFIX
from lessonroom.simulate.sources import SHIPPED_CLIP
from tests.integration.serving import Visitor
from tests.media.videos import cut

CALM, STRAINED = (20.0, 26.0), (45.0, 65.0)
"""Seconds of the shipped clip."""
QUICK = {
    "HINT_FIRST_SECONDS": "0",
    "HINT_HOLD_SECONDS": "1",
    "STRAIN_LEARNING_SECONDS": "3",
    "STRAIN_CLEAR_SECONDS": "2",
}
PATIENCE = 100.0


@asynccontextmanager
async def demo(folder: Path, *words: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The real program, with its output to read and its errors in ``folder``."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    own |= {PREFIX + name: value for name, value in QUICK.items()}
    command = [
        sys.executable,
        "-m",
        "lessonroom.cli",
        "demo",
        "--port",
        "0",
        "--data-dir",
        str(folder / "data"),
        *words,
    ]
    with (folder / "errors").open("wb") as errors:
        process = await asyncio.create_subprocess_exec(*command, env=own, stdout=asyncio.subprocess.PIPE, stderr=errors)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def printed(process: asyncio.subprocess.Process) -> dict[str, str]:
    """What stands behind the words on the first lines, to the last of them."""
    assert process.stdout is not None
    found: dict[str, str] = {}
    async with asyncio.timeout(PATIENCE):
        while line := (await process.stdout.readline()).decode():
            if row := re.match(r"  (\w+) +(.+)\n", line):
                found[row[1]] = row[2]
            if line.startswith("Ctrl+C"):
                return found
    raise AssertionError("the demo ended before it was ready")


async def stopped(process: asyncio.subprocess.Process) -> int:
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


@pytest.mark.timeout(400)
async def test_a_teacher_alone_sees_the_whole_thing_work(tmp_path: Path) -> None:
    clip = await asyncio.to_thread(cut, tmp_path / "clip.webm", SHIPPED_CLIP, CALM, STRAINED)
    async with demo(tmp_path, "--simulate", "--clip", str(clip)) as process:
        links = await printed(process)
        assert links["student"].startswith("simulated")
        base = links["teacher"].partition("/lesson/")[0]
        assert links["operations"].startswith(f"{base}/operations/")
        teacher = Visitor(base, links["teacher"])
        await teacher.enter()
        async with asyncio.timeout(PATIENCE), teacher.page("page-t001") as page:
            members = page.welcome.members
            while not any(row.role == "analyser" and row.present for row in members):
                members = (await page.later(m.Members)).members
            assert [row.role for row in members] == ["teacher", "student", "analyser"]
            seen = [] if page.welcome.analysis.state == "off" else [page.welcome.analysis.state]
            while "watching" not in seen:
                seen.append((await page.later(m.Analysis)).state)
            assert [state for state in dict.fromkeys(seen) if state != "off"] == ["learning", "watching"]
            hint = await page.later(m.HintShow)
            assert hint.cue in {"frowning", "distress"}
            await page.say(m.HintFeedback(hint=hint.id, helpful=True))
            await page.nothing(m.Problem)
        async with teacher.page("page-t002") as page:
            assert [(each.id, each.helpful) for each in page.welcome.hints if each.answered] == [(hint.id, True)]
        assert await stopped(process) == 0
    assert "Traceback" not in (tmp_path / "errors").read_text()


@pytest.mark.timeout(400)
async def test_without_simulation_there_are_three_links_that_open(tmp_path: Path) -> None:
    async with demo(tmp_path) as process:
        links = await printed(process)
        for who in ("teacher", "student", "operations"):
            visitor = Visitor(links[who].split("/lesson/")[0].split("/operations/")[0], links[who])
            page = await visitor.http.get(links[who].partition("#")[0])
            assert page.status_code == 200
            await visitor.enter()
        assert await stopped(process) == 0
