"""What two of our processes say to one another: JSON objects, each with its length before it. Pure.

Both ends are of one user on one machine, joined by a socket that has no name, so nobody else can speak; and of one
version, which :func:`greeted` sees to. Data only: what is not JSON is a defect, and ends the process that said it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from struct import Struct
from typing import Any, Final

from lessonroom import __version__
from lessonroom.errors import BadMessage, LessonroomError

Message = dict[str, Any]

LONGEST: Final = 16 * 1024 * 1024
"""Bytes of one message. A whole lesson's worth of chat lines is a thousandth of it."""

READY: Final[Message] = {"ready": True}
"""What a child says first; or :func:`refusal`, and then it ends."""

_LENGTH: Final = Struct("!I")


def greeting(hello: Message) -> Message:
    """What a parent says first: its version, and what the child is to do."""
    return {"version": __version__, "hello": hello}


def greeted(message: Message) -> Message:
    """Read the first message: what to do. Raises BadMessage when the parent is of another version.

    A server that runs while another version is installed over it would start its next child from the new files.
    """
    version = message.get("version")
    if version != __version__:
        raise BadMessage(f"expected version {version} as the server, got {__version__}: restart the server")
    hello: Message = message["hello"]
    return hello


def refusal(error: LessonroomError) -> Message:
    """What a child says first when it cannot do what it is for; it ends after that."""
    return {"refused": error.code, "why": str(error)}


def pack(message: Message) -> bytes:
    """A message as bytes, half pairs of surrogates included. Raises BadMessage for one that is too long."""
    body = json.dumps(message, separators=(",", ":")).encode()
    if len(body) > LONGEST:
        raise BadMessage(f"expected at most {LONGEST} bytes between processes, got {len(body)}")
    return _LENGTH.pack(len(body)) + body


class Unpacker:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole by now. Raises BadMessage for what no process of ours says."""
        self._rest += data
        start = 0
        while len(self._rest) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest, start)
            if length > LONGEST:
                raise BadMessage(f"expected at most {LONGEST} bytes between processes, got {length}")
            end = start + _LENGTH.size + length
            if len(self._rest) < end:
                break
            body = bytes(self._rest[start + _LENGTH.size : end])
            start = end
            yield _object(body)
        del self._rest[:start]


def _object(body: bytes) -> Message:
    try:
        message = json.loads(body)
    except ValueError:
        raise BadMessage("expected JSON between processes, got something else") from None
    if not isinstance(message, dict):
        raise BadMessage("expected a JSON object between processes, got something else")
    return message
