"""The child's side: hear what the parent says until it is gone. Runs in the child alone, in its only thread."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterable
from typing import Final

from lessonroom.errors import LessonroomError
from lessonroom.processes.frames import READY, Message, Unpacker, greeted, pack, refusal
from lessonroom.processes.manners import behave

_READ: Final = 256 * 1024

Handle = Callable[[Message], Iterable[Message]]


def serve(start: Callable[[Message], Handle], *, idle: Callable[[], None], every: float) -> None:
    """Answer the parent until it is gone; ``sys.argv[1]`` names the socket that it gave us.

    ``start`` gets what it is to do and returns what answers each later message; each answer is sent as soon as it is
    there. A LessonroomError of ``start`` is told and ends the process. ``idle`` is called when nothing came for
    ``every`` seconds.
    """
    behave()
    with socket.socket(fileno=int(sys.argv[1])) as parent:
        parent.settimeout(every)
        unpacker = Unpacker()
        handle: Handle | None = None
        while True:
            try:
                data = parent.recv(_READ)
            except TimeoutError:
                idle()
                continue
            except ConnectionError:
                return
            if not data:
                return
            for message in unpacker.feed(data):
                if handle is not None:
                    for answer in handle(message):
                        _say(parent, answer)
                    continue
                handle = _begun(parent, start, message)
                if handle is None:
                    return


def _begun(parent: socket.socket, start: Callable[[Message], Handle], first: Message) -> Handle | None:
    try:
        handle = start(greeted(first))
    except LessonroomError as error:
        _say(parent, refusal(error))
        return None
    _say(parent, READY)
    return handle


def _say(parent: socket.socket, message: Message) -> None:
    """However long the parent takes to hear it: the time limit is for reading alone."""
    every = parent.gettimeout()
    parent.settimeout(None)
    try:
        parent.sendall(pack(message))
    except ConnectionError:  # the parent is gone: the next read says so
        return
    finally:
        parent.settimeout(every)
