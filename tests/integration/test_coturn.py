"""Media through a real TURN server and nothing else: Debian's coturn on loopback, both sides relay-only."""

from __future__ import annotations

import asyncio
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiortc import RTCIceServer

from lessonroom.config import Settings
from lessonroom.server.ice import ice_servers
from tests.fakes_whip import WhipClient, whip_server
from tests.ports import free_port
from tests.rtc import Sender

COTURN = shutil.which("turnserver")

pytestmark = [
    pytest.mark.coturn,
    pytest.mark.skipif(COTURN is None, reason="coturn is not installed: apt-get install coturn"),
]

BINDING = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"lessonroom-t"
"""A STUN binding request (RFC 8489 section 5), which every TURN server answers."""


@dataclass(frozen=True)
class Turn:
    """A running TURN server."""

    port: int
    secret: str

    def settings(self, **other: object) -> dict[str, object]:
        url = f"turn:127.0.0.1:{self.port}?transport=udp"
        return {"turn_urls": url, "turn_secret": self.secret, "ice_relay_only": True, **other}


@contextmanager
def coturn(folder: Path) -> Iterator[tuple[Turn, subprocess.Popen[bytes]]]:
    """coturn with time-limited credentials. It refuses to relay to loopback peers unless told otherwise."""
    assert COTURN is not None
    running = Turn(free_port(), secrets.token_hex(16))
    options = [
        "-n", "--no-cli", "--no-tls", "--no-dtls", "--fingerprint", "--use-auth-secret", "--allow-loopback-peers",
        "--realm=lessonroom", f"--static-auth-secret={running.secret}", f"--listening-port={running.port}",
        "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", "--min-port=49152", "--max-port=49999",
        f"--userdb={folder / 'users'}", f"--pidfile={folder / 'pid'}", "--log-file=stdout", "--simple-log",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([COTURN, *options], stdout=log, stderr=log, cwd=folder)
    try:
        _wait_for_answer(running.port, process, folder / "log")
        yield running, process
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def turn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    with coturn(tmp_path_factory.mktemp("coturn")) as (running, _):
        yield running


def _wait_for_answer(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        for _ in range(100):
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            probe.sendto(BINDING, ("127.0.0.1", port))
            try:
                probe.recv(1500)
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
            else:
                return
    raise AssertionError(log.read_text(errors="replace")[-2000:])


def relayed(turn: Turn, *, secret: str | None = None) -> Sender:
    """A client that uses nothing but the TURN server, with credentials as a page gets them."""
    settings = Settings.model_validate(turn.settings(**({"turn_secret": secret} if secret else {})))
    (server,) = ice_servers(settings, "student", time.time())
    ice = RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
    return Sender(ice=[ice], relay_only=True)


def kinds(sdp: str) -> set[str]:
    """Types of all candidates in a description."""
    return {line.split(" typ ")[1].split(" ")[0] for line in sdp.splitlines() if line.startswith("a=candidate")}


async def test_frames_arrive_when_both_sides_may_only_use_the_relay(turn: Turn) -> None:
    async with whip_server(**turn.settings()) as server:
        client = WhipClient(server.endpoint, await server.ticket(), relayed(turn))
        response = await client.publish()
        assert response.status_code == 201
        assert kinds(client.sender.peer.localDescription.sdp) == kinds(response.text) == {"relay"}
        for _ in range(3):
            frame = await asyncio.wait_for(server.hub.analysers[0].frames.take(), 15)
        assert (frame.width, frame.height) == (320, 240)
        assert (await client.delete()).status_code == 200
        await client.close()


async def test_a_direct_client_reaches_an_analyser_behind_the_relay(turn: Turn) -> None:
    async with whip_server(**turn.settings()) as server:
        client = WhipClient(server.endpoint, await server.ticket())
        response = await client.publish()
        assert kinds(response.text) == {"relay"}
        await asyncio.wait_for(server.hub.analysers[0].frames.take(), 15)
        await client.close()


async def test_without_an_address_of_the_relay_there_is_no_capacity(turn: Turn) -> None:
    """The analyser's credentials are wrong: better told at once than a session that never connects."""
    async with whip_server(**turn.settings(turn_secret="another secret")) as server:
        client = WhipClient(server.endpoint, await server.ticket(), relayed(turn))
        assert (await client.publish()).status_code == 503
        await client.close()


async def test_the_relay_refuses_credentials_that_have_expired(turn: Turn) -> None:
    settings = Settings.model_validate(turn.settings())
    (server,) = ice_servers(settings, "student", time.time() - 7 * 3600)
    ice = RTCIceServer(urls=server.urls, username=server.username, credential=server.credential)
    sender = Sender(ice=[ice], relay_only=True)
    assert kinds(await sender.offer()) == set()
    await sender.close()


async def test_closing_does_not_wait_for_a_relay_that_is_gone(tmp_path: Path) -> None:
    """aiortc by itself waits half a minute for the relay to confirm."""
    with coturn(tmp_path) as (turn, process):
        async with whip_server(**turn.settings()) as server:
            client = WhipClient(server.endpoint, await server.ticket())
            await client.publish()
            await asyncio.wait_for(server.hub.analysers[0].frames.take(), 15)
            process.kill()
            process.wait()
            response = await asyncio.wait_for(client.delete(), 10)
            assert response.status_code == 200
            await client.close()
