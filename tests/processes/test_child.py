"""A process of ours and its parent: what each hears, and what happens when either is gone."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from lessonroom import __version__
from lessonroom.errors import EngineDown
from lessonroom.processes import child as parent_side
from lessonroom.processes import frames
from lessonroom.processes.child import Child
from lessonroom.processes.frames import Message
from tests.processes.echo import REFUSED

PATIENCE = 20.0


class Parent:
    """Starts a child and hears it."""

    def __init__(self, module: str = "tests.processes.echo") -> None:
        self.said: asyncio.Queue[Message] = asyncio.Queue()
        self.times: asyncio.Queue[str] = asyncio.Queue()
        self.refusals: asyncio.Queue[str] = asyncio.Queue()
        self.child = Child(
            module,
            lambda: {"number": self.starts},
            on_message=self.said.put_nowait,
            on_up=lambda: self.times.put_nowait("up"),
            on_gone=lambda: self.times.put_nowait("gone"),
            on_refused=self.refusals.put_nowait,
        )
        self.starts = 0

    async def next(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self.times.get()

    async def refused(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self.refusals.get()

    async def hear(self) -> Message:
        async with asyncio.timeout(PATIENCE):
            return await self.said.get()

    async def ask(self, do: str) -> Message:
        self.child.send({"do": do})
        return await self.hear()


@asynccontextmanager
async def started() -> AsyncIterator[Parent]:
    parent = Parent()
    parent.child.start()
    try:
        assert await parent.next() == "up"
        yield parent
    finally:
        await parent.child.stop()


@pytest.fixture(autouse=True)
def _no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent_side, "FIRST_PAUSE", 0.01)


async def test_a_child_hears_its_orders_first_and_then_each_message_in_order() -> None:
    async with started() as parent:
        assert (await parent.ask("one"))["hello"] == {"number": 0}
        assert await parent.hear() == {"do": "one"}


@pytest.mark.parametrize("how", ["end", "babble"])
async def test_a_child_that_ends_or_babbles_is_replaced_and_told_its_orders_of_now(how: str) -> None:
    async with started() as parent:
        before = parent.child.pid
        parent.starts = 1
        parent.child.send({"do": how})
        assert await parent.next() == "gone"
        assert await parent.next() == "up"
        heard = await parent.ask("two")
        assert heard["hello"] == {"number": 1}
        assert heard["pid"] == parent.child.pid != before


async def test_a_child_that_hangs_can_be_ended_and_is_replaced() -> None:
    async with started() as parent:
        parent.child.send({"do": "hang"})
        parent.child.kill()
        assert [await parent.next(), await parent.next()] == ["gone", "up"]


async def test_nothing_can_be_said_to_a_child_that_is_not_there() -> None:
    parent = Parent()
    with pytest.raises(EngineDown):
        parent.child.send({"do": "one"})
    async with started() as other:
        pid = other.child.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)
    assert other.child.pid is None
    with pytest.raises(EngineDown):
        other.child.send({"do": "one"})


async def test_a_child_that_cannot_even_start_is_tried_again_and_does_not_hurt() -> None:
    parent = Parent("tests.processes.there_is_no_such_module")
    parent.child.start()
    await asyncio.sleep(0.3)
    assert not parent.child.up
    await parent.child.stop()


async def test_a_child_that_is_not_spoken_to_has_time_for_itself() -> None:
    async with started() as parent:
        async with asyncio.timeout(PATIENCE):
            while (await parent.ask("idle"))["idle"] == 0:
                await asyncio.sleep(0.06)


async def test_a_child_takes_no_code_from_the_folder_where_the_server_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets.py").write_text("raise SystemExit('code of another folder')")
    (tmp_path / "lessonroom").mkdir()
    monkeypatch.syspath_prepend(str(Path.cwd()))
    monkeypatch.chdir(tmp_path)
    async with started() as parent:
        assert (await parent.ask("one"))["hello"] == {"number": 0}


async def test_a_child_that_is_stopped_before_it_is_ready_leaves_no_process_behind() -> None:
    before = {one.pid for one in psutil.Process().children()}
    for pause in (0.0, 0.01, 0.03, 0.1):
        parent = Parent()
        parent.child.start()
        await asyncio.sleep(pause)
        await parent.child.stop()
        assert not [one for one in psutil.Process().children() if one.pid not in before and lives(one)]


def lives(process: psutil.Process) -> bool:
    """Also of one that goes, or is taken leave of, while it is looked at."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def test_a_defect_of_who_hears_a_child_is_not_the_end_of_it() -> None:
    parent = Parent()
    defects = iter([True])

    def gone() -> None:
        if next(defects, False):
            raise ValueError("a defect")
        parent.times.put_nowait("gone")

    parent.child._on_gone = gone
    parent.child.start()
    try:
        assert await parent.next() == "up"
        parent.child.send({"do": "end"})
        assert await parent.next() == "up"
    finally:
        await parent.child.stop()


@pytest.mark.parametrize("signal_", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_for_the_whole_group_is_left_to_the_parent(signal_: signal.Signals) -> None:
    async with started() as parent:
        os.kill(parent.child.pid or 0, signal_)
        assert (await parent.ask("one"))["pid"] == parent.child.pid


async def test_a_child_that_is_never_ready_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent_side, "READY_SECONDS", 0.001)  # no Python starts in that
    parent = Parent()
    parent.child.start()
    pids: set[int] = set()
    async with asyncio.timeout(PATIENCE):
        while len(pids - {None}) < 2:
            pids.add(parent.child.pid or 0)
            pids.discard(0)
            await asyncio.sleep(0.01)
    await parent.child.stop()


async def test_a_stopped_child_leaves_no_process_behind() -> None:
    async with started() as parent:
        process = psutil.Process(parent.child.pid)
    assert not process.is_running()


async def test_a_child_of_another_version_does_not_begin_and_says_that_the_server_wants_a_restart(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after an upgrade on disk: this process has the code of before, its next child has that of now."""
    monkeypatch.setattr(frames, "__version__", "0.0.9")
    parent = Parent()
    parent.child.start()
    try:
        why = f"expected version 0.0.9 as the server, got {__version__}: restart the server"
        assert await parent.refused() == why
        assert parent.times.empty()
        with pytest.raises(EngineDown):
            parent.child.send({"do": "one"})
    finally:
        await parent.child.stop()
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert why in line


async def test_a_child_that_refuses_says_why_in_one_line_and_is_tried_again_until_it_may(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """No stack trace and no word of a crash: somebody who reads the log has to mend a model, not a program."""
    parent = Parent()
    parent.starts = REFUSED
    parent.child.start()
    try:
        assert await parent.refused() == "expected another number, got this one"
        parent.starts = 1
        assert await parent.next() == "up"
        assert parent.times.empty()
    finally:
        await parent.child.stop()
    (line,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "does not begin" in line
    assert capfd.readouterr() == ("", "")


async def test_a_child_that_refuses_again_and_again_is_tried_less_and_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a long way to the refusal count as a time in which it was well."""
    monkeypatch.setattr(parent_side, "STEADY_SECONDS", 0.0)
    monkeypatch.setattr(parent_side, "FIRST_PAUSE", 0.1)
    parent = Parent()
    parent.starts = REFUSED
    parent.child.start()
    loop, at = asyncio.get_running_loop(), list[float]()
    try:
        for _ in range(4):
            await parent.refused()
            at.append(loop.time())
    finally:
        await parent.child.stop()
    assert [later - sooner >= pause for sooner, later, pause in zip(at, at[1:], (0.1, 0.2, 0.4), strict=False)] == [
        True
    ] * 3
