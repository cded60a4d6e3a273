"""The mailbox between a receiver and the pipeline."""

from __future__ import annotations

import asyncio

import pytest

from lessonroom.media.frames import Frames, FramesEnded


async def test_the_newest_frame_wins_and_the_others_are_counted() -> None:
    frames: Frames[int] = Frames()
    for number in range(1000):
        frames.put(number, at=number / 10)
    assert await frames.take() == 999
    assert frames.taken_at == 99.9
    assert (frames.received, frames.dropped) == (1000, 999)


async def test_a_frame_is_taken_once() -> None:
    frames: Frames[int] = Frames()
    frames.put(1)
    await frames.take()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(frames.take(), 0.02)


async def test_a_waiting_reader_gets_the_next_frame() -> None:
    frames: Frames[str] = Frames()
    reader = asyncio.create_task(frames.take())
    await asyncio.sleep(0)
    frames.put("new")
    assert await reader == "new"


async def test_closing_wakes_the_reader_and_forgets_what_waited() -> None:
    """Consent may be withdrawn at any time: nothing may be looked at afterwards."""
    frames: Frames[str] = Frames()
    reader = asyncio.create_task(frames.take())
    await asyncio.sleep(0)
    frames.put("face")
    frames.close()
    frames.close()
    with pytest.raises(FramesEnded):
        await reader
    frames.put("late")
    with pytest.raises(FramesEnded):
        await frames.take()
    assert frames.dropped == 2


async def test_clearing_forgets_the_waiting_frame_and_goes_on() -> None:
    frames: Frames[str] = Frames()
    frames.put("old")
    frames.clear()
    frames.put("new")
    assert await frames.take() == "new"
    assert frames.dropped == 1


async def test_a_reader_is_hungry_while_it_waits_and_once_it_has_taken_the_newest() -> None:
    frames: Frames[int] = Frames()
    assert not frames.hungry
    reader = asyncio.create_task(frames.take())
    await asyncio.sleep(0)
    assert frames.hungry
    frames.put(1)
    await reader
    assert frames.hungry
    frames.put(2)
    assert not frames.hungry
    frames.clear()
    assert not frames.hungry
    await asyncio.sleep(0)
    frames.put(3)
    await frames.take()
    frames.close()
    assert not frames.hungry


async def test_a_reader_that_gave_up_waiting_is_not_hungry() -> None:
    frames: Frames[int] = Frames()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(frames.take(), 0.01)
    assert not frames.hungry
