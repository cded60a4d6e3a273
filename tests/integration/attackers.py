"""Attackers in a process of their own: ``python -m tests.integration.attackers PORT ATTACK...``.

Says ``ready`` when each attack has come to its goal once, goes on until its input ends, and says what it was told.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from lessonroom.messages import CloseCode
from tests.integration.raw import CLOSE, CONT, PING, TEXT, frame, upgrade

HALF_OPEN = 500


class Attacker:
    """Threads with plain sockets; what they were told is counted in ``codes``."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.codes: Counter[int | None] = Counter()
        self.ready = threading.Semaphore(0)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, attack: Callable[[Attacker], None]) -> None:
        thread = threading.Thread(target=attack, args=(self,), daemon=True)
        self._threads.append(thread)
        thread.start()
        self.ready.acquire()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    @property
    def going_on(self) -> bool:
        return not self._stop.is_set()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def upgraded(self) -> socket.socket:
        opened = self.connect()
        opened.sendall(upgrade(self.port))
        told = b""
        while b"\r\n\r\n" not in told and (more := opened.recv(4096)):
            told += more
        return opened

    def flood(self, data: bytes) -> None:
        """Send this over a new socket, and again over another when it was closed."""
        while self.going_on:
            with suppress(OSError), self.upgraded() as opened:
                with suppress(OSError):
                    opened.sendall(data)
                self.codes[_code(opened)] += 1
                self.ready.release()

    def hold(self, make: Callable[[], socket.socket]) -> None:
        """Keep half a thousand of these open; for each that is closed make another."""
        held: list[socket.socket] = []
        while self.going_on:
            held = [one for one in held if _is_open(one)]
            for _ in range(min(50, HALF_OPEN - len(held))):
                with suppress(OSError):
                    held.append(make())
            if len(held) == HALF_OPEN:
                self.codes[HALF_OPEN] += 1
                self.ready.release()
                self._stop.wait(0.5)
        for one in held:
            one.close()

    def half_head(self) -> socket.socket:
        opened = self.connect()
        opened.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        return opened


def _is_open(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def _code(opened: socket.socket) -> int | None:
    told = b""
    with suppress(OSError):
        while more := opened.recv(65536):
            told += more
    at = told.rfind(bytes([0x80 | CLOSE]))
    return int.from_bytes(told[at + 2 : at + 4]) if at >= 0 else None


ATTACKS: dict[str, tuple[Callable[[Attacker], None], int]] = {
    "10,000 pings in one write": (lambda a: a.flood(frame(PING) * 10_000), CloseCode.RATE_LIMITED),
    "one-byte fragments": (
        lambda a: a.flood(frame(TEXT, b"x", last=False) + frame(CONT, b"x", last=False) * 90_000),
        CloseCode.BAD_MESSAGE,
    ),
    "empty fragments": (
        lambda a: a.flood(frame(TEXT, last=False) + frame(CONT, last=False) * 500_000), CloseCode.BAD_MESSAGE
    ),
    "500 half heads": (lambda a: a.hold(a.half_head), HALF_OPEN),
    "500 sockets without hello": (lambda a: a.hold(a.upgraded), HALF_OPEN),
}  # fmt: skip


def main() -> None:
    attacker = Attacker(int(sys.argv[1]))
    for name in sys.argv[2:]:
        attacker.start(ATTACKS[name][0])
    print("ready", flush=True)
    sys.stdin.read()
    attacker.stop()
    print(json.dumps({str(code): count for code, count in attacker.codes.items()}), flush=True)


if __name__ == "__main__":
    main()
