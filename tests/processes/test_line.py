"""One end of the socket between two of our processes."""

from __future__ import annotations

import asyncio
import socket

import pytest

from lessonroom.processes.frames import Message, pack
from lessonroom.processes.line import Line


@pytest.mark.parametrize("let_go", [Line.cut, Line.close])
async def test_who_lets_go_over_a_message_hears_nothing_of_what_came_with_it(let_go: object) -> None:
    """Else a child that is ended over what it said would count as one that has just become ready."""
    heard = list[Message]()

    def hear(message: Message) -> None:
        heard.append(message)
        assert callable(let_go)
        let_go(line)

    ours, theirs = socket.socketpair()
    line = await Line.on(ours, hear)
    with theirs:
        theirs.sendall(b"".join(pack({"number": number}) for number in range(3)))
        async with asyncio.timeout(20.0):
            await line.ended
    assert heard == [{"number": 0}]
