"""Threads that may hang: bounded, replaced, and none of it noticed by the event loop."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lessonroom.errors import EngineDown
from lessonroom.media.lanes import Lanes


class Gate:
    """Work that does not end before it is let."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.started = threading.Event()

    def __call__(self) -> str:
        self.started.set()
        self.opened.wait(30)
        return "through"


class Pool:
    """Lanes as their one user has them: work waits until one is free, and no longer than a deadline."""

    def __init__(self, count: int, **options: float) -> None:
        self._freed = asyncio.Event()
        self.lanes: Lanes[Any] = Lanes(count, on_free=self._freed.set, **options)  # type: ignore[arg-type]

    async def run(self, work: Callable[[], Any], deadline: float) -> Any:
        async with asyncio.timeout(deadline):
            while not self.lanes.free and not self.lanes.stuck and not self.lanes.closed:
                self._freed.clear()
                await self._freed.wait()
            return await asyncio.shield(self.lanes.start(work))


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


others: set[threading.Thread] = set()
"""Threads that were there before a test: of earlier tests, perhaps on their way out."""


def threads() -> int:
    return sum(thread.name == "lessonroom-inference" for thread in set(threading.enumerate()) - others)


@pytest.fixture(autouse=True)
def count_from_here() -> None:
    others.clear()
    others.update(threading.enumerate())


async def test_it_answers_and_passes_errors_on() -> None:
    lanes = Pool(1)
    assert await lanes.run(lambda: 7, deadline=5) == 7
    with pytest.raises(ZeroDivisionError):
        await lanes.run(lambda: 1 // 0, deadline=5)
    assert await lanes.run(lambda: 8, deadline=5) == 8
    lanes.lanes.close()


async def test_late_work_is_a_timeout_and_its_lane_comes_back() -> None:
    lanes = Pool(1)
    gate = Gate()
    with pytest.raises(TimeoutError):
        await lanes.run(gate, deadline=0.05)
    with pytest.raises(TimeoutError):
        await lanes.run(lambda: "next", deadline=0.05)  # waits for the only lane
    gate.opened.set()
    assert await lanes.run(lambda: "next", deadline=5) == "next"
    lanes.lanes.close()


async def test_a_hung_lane_is_replaced_but_no_more_often_than_there_are_spares() -> None:
    lanes = Pool(1, spares=2, patience=0.05)
    gates = [Gate() for _ in range(3)]
    for gate in gates:
        with pytest.raises(TimeoutError):
            await lanes.run(gate, deadline=0.03)
        hung = lanes.lanes.hung
        await until(lambda hung=hung: lanes.lanes.hung > hung)
    assert lanes.lanes.stuck
    assert threads() == 3
    with pytest.raises(EngineDown, match="free thread"):
        await lanes.run(lambda: "refused at once", deadline=5)
    for gate in gates:
        gate.opened.set()
    await until(lambda: lanes.lanes.hung == 0)
    await until(lambda: threads() == 1)
    assert await lanes.run(lambda: "again", deadline=5) == "again"
    lanes.lanes.close()


async def test_a_cancelled_wait_gives_the_lane_back() -> None:
    lanes = Pool(1)
    gate = Gate()
    task = asyncio.create_task(lanes.run(gate, deadline=30))
    await until(gate.started.is_set)
    waiting = asyncio.create_task(lanes.run(lambda: "never", deadline=30))
    await asyncio.sleep(0)
    for each in (waiting, task):
        each.cancel()
        with pytest.raises(asyncio.CancelledError):
            await each
    assert not lanes.lanes.free
    gate.opened.set()
    assert await lanes.run(lambda: "free", deadline=5) == "free"
    lanes.lanes.close()


async def test_a_busy_pool_takes_nothing_and_says_when_it_is_free() -> None:
    freed: list[bool] = []
    lanes: Lanes[str] = Lanes(1, on_free=lambda: freed.append(lanes.free))
    gate = Gate()
    answer = lanes.start(gate)
    assert not lanes.free
    with pytest.raises(EngineDown, match="free thread"):
        lanes.start(lambda: "no")
    gate.opened.set()
    assert await answer == "through"
    await until(lambda: freed == [True])
    lanes.close()


async def test_they_run_beside_one_another() -> None:
    lanes = Pool(2)
    together = threading.Barrier(2)
    await asyncio.gather(*(lanes.run(lambda: together.wait(10) and None, deadline=10) for _ in range(2)))
    lanes.lanes.close()


async def test_closed_means_down() -> None:
    lanes = Pool(2)
    lanes.lanes.close()
    with pytest.raises(EngineDown):
        await lanes.run(lambda: 1, deadline=1)


def test_work_that_ends_after_its_loop_harms_nobody(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()

    async def leave() -> None:
        lanes = Pool(1)
        with pytest.raises(TimeoutError):
            await lanes.run(gate, deadline=0.01)
        lanes.lanes.close()

    asyncio.run(leave())
    gate.opened.set()
    time.sleep(0.05)
    assert caplog.text == ""


async def test_an_idle_lane_holds_nothing_of_its_last_work() -> None:
    """The picture of a student must not live on in a thread that waits for the next one."""
    import gc
    import weakref

    class Picture: ...

    lanes = Pool(1)
    picture = Picture()
    gone = weakref.ref(picture)
    await lanes.run(lambda kept=picture: None, deadline=5)
    del picture
    await asyncio.sleep(0)
    gc.collect()
    assert gone() is None
    lanes.lanes.close()
