"""Two tests of different processes must not be given one port, and no system gives it to anybody who asks for any."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ports


def test_a_port_is_given_once() -> None:
    given = [ports.free_port() for _ in range(50)]
    assert len(set(given)) == 50


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_is_in_use_for_either_protocol_is_not_given(kind: socket.SocketKind) -> None:
    here = ports.free_port()
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", here))
        assert not all(ports._is_free(here, each) for each in (socket.SOCK_STREAM, socket.SOCK_DGRAM))


def test_the_processes_of_a_suite_take_theirs_from_different_parts() -> None:
    code = "from tests.ports import _own; print(_own().start, _own().stop)"
    parts = []
    for worker in ("gw0", "gw1"):
        told = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTEST_XDIST_WORKER": worker},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            check=True,
        )
        parts.append([int(number) for number in told.stdout.split()])
    assert parts[0][1] <= parts[1][0]


def test_no_port_is_one_that_the_system_gives_to_whoever_asks_for_any() -> None:
    shared = Path("/proc/sys/net/ipv4/ip_local_port_range")
    if not shared.exists():
        pytest.skip("this system does not say which ports it gives away: no /proc/sys/net")
    first, _ = (int(number) for number in shared.read_text().split())
    assert all(ports.free_port() < first for _ in range(50))
