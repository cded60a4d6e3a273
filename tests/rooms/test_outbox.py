"""The bounded queue of one socket."""

from __future__ import annotations

import asyncio

import pytest

from lessonroom.messages import CloseCode, Hints, Pong, ToPage, dump
from lessonroom.rooms.outbox import Outbox


async def test_what_was_put_in_comes_out_in_order() -> None:
    outbox = Outbox(8)
    messages: list[ToPage] = [Pong(), Hints(on=True), Hints(on=False)]
    for message in messages:
        outbox.send(message)
    assert [await outbox.take() for _ in messages] == [dump(message) for message in messages]


async def test_a_full_outbox_closes_as_too_slow_and_forgets_what_waits() -> None:
    outbox = Outbox(8)
    for _ in range(9):
        outbox.send(Pong())
    assert outbox.code == CloseCode.TOO_SLOW
    await outbox.closed()
    assert await outbox.take() is None


async def test_what_waits_is_sent_before_an_ordinary_close() -> None:
    outbox = Outbox(8)
    outbox.send(Pong())
    outbox.close(CloseCode.REPLACED)
    outbox.send(Hints(on=True))
    assert await outbox.take() == dump(Pong())
    assert await outbox.take() is None


async def test_the_first_close_code_counts() -> None:
    outbox = Outbox(8)
    outbox.close(CloseCode.ROOM_CLOSED)
    outbox.close(CloseCode.SERVER_BUSY)
    assert outbox.code == CloseCode.ROOM_CLOSED


async def test_a_taker_is_woken_by_a_message_and_by_the_close() -> None:
    outbox = Outbox(8)
    taker = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.send(Pong())
    assert await taker == dump(Pong())
    taker = asyncio.create_task(outbox.take())
    await asyncio.sleep(0)
    outbox.close(1000)
    assert await taker is None


async def test_a_replay_waits_while_more_than_half_is_taken() -> None:
    outbox = Outbox(4)
    for _ in range(3):
        outbox.send(Pong())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outbox.eased(), 0.01)
    await outbox.take()
    await asyncio.wait_for(outbox.eased(), 1)


async def test_a_closed_outbox_lets_a_waiting_replay_go() -> None:
    outbox = Outbox(4)
    for _ in range(3):
        outbox.send(Pong())
    waiting = asyncio.create_task(outbox.eased())
    await asyncio.sleep(0)
    outbox.close(1000)
    await asyncio.wait_for(waiting, 1)
