"""Jobs in their order, boundedly."""

from __future__ import annotations

import asyncio
from functools import partial

from lessonroom.rooms.lane import Lane


async def test_jobs_are_done_one_after_the_other_in_their_order() -> None:
    lane, done = Lane("test", 10, lambda error: None), []

    async def job(number: int) -> None:
        await asyncio.sleep(0.01 / (number + 1))  # a later one would overtake if it could
        done.append(number)

    for number in range(5):
        assert lane.offer(partial(job, number))
    assert not lane.idle
    await lane.finish()
    assert done == [0, 1, 2, 3, 4]
    assert lane.idle


async def test_a_full_lane_says_no_and_goes_on() -> None:
    lane, gate, done = Lane("test", 2, lambda error: None), asyncio.Event(), []

    async def job() -> None:
        await gate.wait()
        done.append(1)

    assert lane.offer(job)
    await asyncio.sleep(0)  # the first is under way now, and two may wait
    assert [lane.offer(job) for _ in range(3)] == [True, True, False]
    gate.set()
    await lane.finish()
    assert len(done) == 3


async def test_a_job_that_raises_ends_the_lane_and_is_told_once() -> None:
    told: list[BaseException] = []
    lane = Lane("test", 10, told.append)

    async def broken() -> None:
        raise ValueError

    async def never() -> None:
        raise AssertionError("done after the lane broke")

    lane.offer(broken)
    lane.offer(never)
    await lane.finish()
    assert [type(error) for error in told] == [ValueError]
    assert not lane.offer(never)


async def test_a_lane_can_be_used_again_after_it_ran_empty() -> None:
    lane, done = Lane("test", 10, lambda error: None), []

    async def job() -> None:
        done.append(1)

    for _ in range(3):
        lane.offer(job)
        await lane.finish()
    assert len(done) == 3


async def test_a_job_that_is_offered_while_the_last_one_ends_is_done_too() -> None:
    lane, done, ended = Lane("test", 10, lambda error: None), [], asyncio.Event()

    async def job() -> None:
        done.append(1)
        ended.set()

    lane.offer(job)
    await ended.wait()  # goes on before the lane has noticed that its task is over
    lane.offer(job)
    await lane.finish()
    assert len(done) == 2
