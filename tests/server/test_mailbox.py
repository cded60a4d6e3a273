"""The small queue and the small gate of a socket do what asyncio's do."""

from __future__ import annotations

import asyncio

import pytest

from lessonroom.server.mailbox import Gate, Mailbox


async def test_events_come_in_the_order_in_which_they_were_put() -> None:
    box = Mailbox()
    assert box.empty()
    for number in range(3):
        box.put_nowait(number)
    assert not box.empty()
    assert [await box.get() for _ in range(3)] == [0, 1, 2]
    assert box.empty()


async def test_a_reader_waits_for_an_event_and_two_at_once_are_both_kept() -> None:
    box = Mailbox()
    reader = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    assert not reader.done()
    box.put_nowait("one")
    box.put_nowait("two")
    assert await reader == "one"
    assert await box.get() == "two"


async def test_whoever_gives_up_waiting_takes_nothing_even_when_it_came_at_the_same_moment() -> None:
    box = Mailbox()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await box.get()
    reader = asyncio.create_task(box.get())
    await asyncio.sleep(0)
    box.put_nowait("kept")
    reader.cancel()
    await asyncio.wait({reader})
    assert await box.get() == "kept"


async def test_a_gate_is_open_until_it_is_shut_and_lets_all_through_when_it_opens() -> None:
    gate = Gate()
    assert gate.is_set()
    await gate.wait()
    gate.clear()
    gate.clear()
    assert not gate.is_set()
    waiting = [asyncio.create_task(gate.wait()) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    gate.set()
    gate.set()
    await asyncio.gather(*waiting)
    assert gate.is_set()
