"""The child's side, where the parent is slow."""

from __future__ import annotations

import socket
import threading
import time

from lessonroom.processes import inside
from lessonroom.processes.frames import Message, Unpacker


def test_a_parent_that_reads_late_hears_everything() -> None:
    """A busy server lets answers pile up; the time after which a child has time for itself is none for its answers."""
    parent, child = socket.socketpair()
    child.settimeout(0.05)
    said: Message = {"text": "x" * 2_000_000}
    heard: list[Message] = []

    def hear() -> None:
        unpacker = Unpacker()
        time.sleep(0.3)
        while not heard:
            heard.extend(unpacker.feed(parent.recv(1 << 20)))

    reading = threading.Thread(target=hear)
    reading.start()
    with parent, child:
        inside._say(child, said)
        reading.join(10)
        assert heard == [said]
        assert child.gettimeout() == 0.05


def test_a_parent_that_is_gone_is_nobody_to_complain_to() -> None:
    parent, child = socket.socketpair()
    parent.close()
    with child:
        inside._say(child, {"text": "x"})
        assert child.recv(1) == b""
