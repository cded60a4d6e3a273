"""The child's side for work on an event loop. :mod:`~lessonroom.processes.inside` is for work in one thread."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol

from lessonroom.errors import EngineDown, LessonroomError
from lessonroom.processes.frames import READY, Message, greeted, refusal
from lessonroom.processes.line import Line
from lessonroom.processes.manners import behave

Say = Callable[[Message], None]
"""Tells the parent something. Never raises: with the parent gone, this process ends by itself."""


class Part(Protocol):
    """What a child does."""

    def hear(self, message: Message) -> None:
        """The parent says something. Must not block."""
        ...

    async def close(self) -> None:
        """The parent is gone, or wants no more."""
        ...


def serve(begin: Callable[[Message, Say], Part]) -> None:
    """Be the parent's until it is gone; ``sys.argv[1]`` names the socket that it gave us.

    ``begin`` gets what it is to do and a way to say something, may take its time, and returns what hears the rest. Its
    LessonroomError is told and ends the process.
    """
    behave()
    asyncio.run(_serve(begin))


async def _serve(begin: Callable[[Message, Say], Part]) -> None:
    first: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
    part: Part | None = None

    def hear(message: Message) -> None:
        if part is None:
            first.set_result(message)
        else:
            part.hear(message)

    line = await Line.on(socket.socket(fileno=int(sys.argv[1])), hear)
    waits: list[asyncio.Future[Any]] = [first, line.ended]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    if not first.done():
        return

    def say(message: Message) -> None:
        try:
            line.send(message)
        except EngineDown:  # the parent is gone or hears nothing: nobody is left to work for
            line.cut()

    try:
        part = begin(greeted(first.result()), say)
    except LessonroomError as error:
        say(refusal(error))
        line.close()
        await line.ended
        return
    say(READY)
    try:
        await line.ended
    finally:
        await part.close()
