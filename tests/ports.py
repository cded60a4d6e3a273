"""Ports for servers that have to be told theirs, because they are started again on it or cannot say which they took."""

from __future__ import annotations

import itertools
import os
import random
import socket

_FIRST, _EACH = 20_000, 3_000
"""Below the range from which systems give ports to whoever asks for any: nobody is given one that was found free."""


def _own() -> range:
    """The ports of this process of the suite: two that look at the same time would find the same one free."""
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 4
    return range(_FIRST + number * _EACH, _FIRST + (number + 1) * _EACH)


_mine = _own()
# not from the first on: another suite may run on this machine
_next = itertools.count(random.randrange(len(_mine)))


def free_port() -> int:
    """A port of loopback that nobody uses for TCP or UDP, each once. Raises OSError when all are taken."""
    for _ in _mine:
        port = _mine[next(_next) % len(_mine)]
        if _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            return port
    raise OSError(f"expected a free port in {_mine.start} to {_mine.stop - 1}, got none")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
