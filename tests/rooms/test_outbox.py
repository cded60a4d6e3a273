"""The bounded queue of one socket."""

from __future__ import annotations

import asyncio
import time

import pytest

from lessonroom.messages import ChatMessage, CloseCode, Description, Hints, HintShow, Pong, Signal, ToPage, dump
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
    await asyncio.wait_for(outbox.eased(), 30)


async def test_a_closed_outbox_lets_a_waiting_replay_go() -> None:
    outbox = Outbox(4)
    for _ in range(3):
        outbox.send(Pong())
    waiting = asyncio.create_task(outbox.eased())
    await asyncio.sleep(0)
    outbox.close(1000)
    await asyncio.wait_for(waiting, 30)


def described(size: int) -> Signal:
    return Signal(sender="member-01", page="page-0001", description=Description(type="offer", sdp="x" * size))


async def test_a_reader_of_few_but_large_messages_is_too_slow_by_their_bytes() -> None:
    """256 descriptions of 64 KiB are 16 MiB that one member could make the server hold for another."""
    outbox = Outbox(256, 200_000)
    for _ in range(3):
        outbox.send(described(60_000))
    assert outbox.code is None
    outbox.send(described(60_000))
    assert outbox.code == CloseCode.TOO_SLOW
    assert await outbox.take() is None


async def test_bytes_that_were_taken_are_free_again() -> None:
    outbox = Outbox(256, 200_000)
    for _ in range(100):
        outbox.send(described(60_000))
        await outbox.take()
    assert outbox.code is None


async def test_one_message_alone_is_never_too_large() -> None:
    outbox = Outbox(256, 1000)
    outbox.send(described(60_000))
    assert outbox.code is None


async def test_a_replay_waits_while_more_than_half_of_the_bytes_are_taken() -> None:
    outbox = Outbox(256, 40_000)
    outbox.send(ChatMessage(seq=1, id="message-1", sender="member-01", text="я" * 6000, at=0))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(outbox.eased(), 0.01)
    await outbox.take()
    await asyncio.wait_for(outbox.eased(), 30)


async def test_a_hint_tells_how_long_it_waited_when_it_is_taken_and_nothing_else_does() -> None:
    """Operators see from it what the server itself adds on a hint's way to the teacher."""
    ages: list[float] = []
    outbox = Outbox(8, on_hint=ages.append)
    made = int((time.time() - 2.0) * 1000)
    outbox.send(Pong())
    outbox.send(HintShow(id="hint-0001", at=made, cue="frowning", advice="slow_down", answered=False, helpful=None))
    await outbox.take()
    assert ages == []
    await outbox.take()
    assert [2.0 <= age < 30.0 for age in ages] == [True]
