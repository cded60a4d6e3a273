"""The analyser with a real aiortc client in the same process."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import random
import socket
import sys
import threading
import time
from pathlib import Path
from unittest.mock import patch

import aioice
import pytest
from aiortc import RTCRtpSender

from lessonroom.errors import BadSdp, Busy
from lessonroom.media import peer as peer_module
from lessonroom.media.frames import FramesEnded
from lessonroom.media.guard import sampling
from lessonroom.media.guard.assembly import EncodedFrame
from lessonroom.media.guard.ice import MOST_DATAGRAMS
from lessonroom.media.peer import Analyser, End, State
from lessonroom.media.sdp import SdpPolicy
from lessonroom.messages import IceServer
from lessonroom.metrics import Metrics
from tests.rtc import MovingPicture, Sender

HERE = SdpPolicy(loopback=True)


class Session:
    """A client and its analyser."""

    def __init__(self, sender: Sender) -> None:
        self.sender = sender
        self.ends: list[End] = []
        self.ended = asyncio.Event()
        self.analyser: Analyser

    def on_end(self, reason: End) -> None:
        self.ends.append(reason)
        self.ended.set()

    async def begin(self) -> Session:
        self.analyser = await Analyser.accept(await self.sender.offer(), [], policy=HERE, on_end=self.on_end)
        return self

    async def connect(self) -> Session:
        await self.begin()
        await self.sender.answered(self.analyser.answer)
        await asyncio.wait_for(self.analyser.frames.take(), 10)
        return self

    async def close(self) -> None:
        await asyncio.gather(self.analyser.close(), self.sender.close())


async def test_an_accepted_offer_brings_frames() -> None:
    session = await Session(Sender()).begin()
    assert session.analyser.state.value == "connecting"
    assert "a=recvonly" in session.analyser.answer
    await session.sender.answered(session.analyser.answer)
    began = time.monotonic()
    frame = await asyncio.wait_for(session.analyser.frames.take(), 10)
    assert (frame.width, frame.height) == (320, 240)
    assert began < session.analyser.frames.taken_at <= time.monotonic()
    assert session.analyser.state.value == "receiving"
    await session.close()


async def test_an_unread_stream_does_not_grow() -> None:
    """aiortc alone keeps every decoded picture of a track that nobody reads: 86 MB in 8 s."""
    session = await Session(Sender(MovingPicture(rate=60))).connect()
    await asyncio.sleep(1.0)
    frames = session.analyser.frames
    assert frames.dropped >= frames.received - 2 > 10
    await session.close()


async def test_what_is_lost_on_the_way_is_counted_while_the_session_goes_on_and_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(peer_module, "LOOK_SECONDS", 0.01)
    metrics, sender = Metrics(), Sender(MovingPicture(rate=30))
    analyser = await Analyser.accept(await sender.offer(), [], policy=HERE, on_end=lambda _: None, meter=metrics)
    await sender.answered(analyser.answer)
    await asyncio.wait_for(analyser.frames.take(), 10)
    receiver = analyser._connection.receiver
    for _ in range(3):
        assert receiver._stream is not None
        receiver._stream.decoder.decode(EncodedFrame(b"\x00\xff\x00nonsense", 0, True, 0.0))
    receiver._assembly.dropped += 2
    async with asyncio.timeout(5):
        while metrics.lost.labels("broken")._value.get() < 3 or metrics.lost.labels("skipped")._value.get() < 2:
            await asyncio.sleep(0.01)
    await asyncio.gather(analyser.close(), sender.close())
    assert metrics.lost.labels("broken")._value.get() == receiver.decode_errors
    assert metrics.lost.labels("skipped")._value.get() == receiver.dropped


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds to learn of a stream takes tenths."""
    seconds = {"MEASURED": 0.3, "KEY_SECONDS": 0.3, "LEAST_INTERVAL": 0.2, "UNANSWERED": 0.4, "SLOW": 0.3}
    for name, value in seconds.items():
        monkeypatch.setattr(sampling, name, value)


@pytest.mark.usefixtures("quick")
async def test_a_dear_stream_is_decoded_no_more_often_than_pictures_are_taken() -> None:
    """A client that nobody can ask to send less, such as OBS: decoding all of it costs four times as much."""
    session = await Session(Sender(MovingPicture(rate=20, width=480, height=360))).connect()
    frames, receiver = session.analyser.frames, session.analyser._connection.receiver
    frames.interval = 0.3
    async with asyncio.timeout(10):
        while not receiver._sampling.keys_only:
            await frames.take()
        for _ in range(2):
            await frames.take()
        decoded, packets = frames.received, receiver.packets
        for _ in range(4):
            assert (await frames.take()).key_frame
            await asyncio.sleep(0.3)
    assert frames.received - decoded <= 5
    assert receiver.packets - packets >= 20
    assert receiver.dropped == 0
    await session.close()


@pytest.mark.usefixtures("quick")
async def test_a_client_that_ignores_requests_for_keyframes_is_decoded_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    session = await Session(Sender(MovingPicture(rate=20, width=480, height=360))).connect()
    frames, receiver = session.analyser.frames, session.analyser._connection.receiver
    asked: list[bool] = []
    monkeypatch.setattr(session.sender.sender, "_send_keyframe", lambda: asked.append(True))
    frames.interval = 0.3
    async with asyncio.timeout(10):
        while not receiver._sampling._deaf:
            await frames.take()
    decoded, sent = frames.received, session.sender.track.sent
    await asyncio.sleep(0.5)
    assert asked
    assert not receiver._sampling.keys_only
    assert frames.received - decoded >= session.sender.track.sent - sent - 2 > 4
    await session.close()


@pytest.mark.usefixtures("quick")
async def test_a_deaf_client_whose_own_keyframes_come_often_enough_is_decoded_by_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session = await Session(Sender(MovingPicture(rate=20, width=480, height=360))).connect()
    frames, receiver, sender = session.analyser.frames, session.analyser._connection.receiver, session.sender.sender
    make, asked = sender._send_keyframe, []
    monkeypatch.setattr(sender, "_send_keyframe", lambda: asked.append(True))
    frames.interval = 0.6

    async def keyframes() -> None:
        while True:
            await asyncio.sleep(0.9)
            make()

    making = asyncio.create_task(keyframes())
    async with asyncio.timeout(20):
        while not receiver._sampling._own:
            await frames.take()
        asked.clear()
        decoded, packets = frames.received, receiver.packets
        while receiver.packets < packets + 40:
            assert (await frames.take()).key_frame
    making.cancel()
    assert frames.received - decoded <= 4
    assert (asked, receiver.dropped) == ([], 0)
    await session.close()


async def test_nothing_comes_out_once_it_is_closed() -> None:
    session = await Session(Sender(MovingPicture(rate=30))).connect()
    reader = asyncio.create_task(session.analyser.frames.take())
    closing = asyncio.create_task(session.analyser.close())
    await asyncio.sleep(0)
    if not reader.done():
        with pytest.raises(FramesEnded):
            await reader
    with pytest.raises(FramesEnded):
        await session.analyser.frames.take()
    await closing
    await session.close()


async def test_closing_many_times_ends_once() -> None:
    session = await Session(Sender()).connect()
    await asyncio.gather(*(session.analyser.close() for _ in range(5)))
    await session.analyser.close()
    assert session.ends == [End.CLOSED]
    assert session.analyser.state is State.CLOSED
    await session.close()


async def test_the_end_is_told_when_the_client_leaves() -> None:
    session = await Session(Sender()).connect()
    await session.sender.close()
    await asyncio.wait_for(session.ended.wait(), 5)
    assert session.ends == [End.LEFT]
    await session.close()


async def test_a_client_that_falls_silent_is_noticed_first_and_given_up_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed browser sends nothing more: no goodbye, no checks."""
    monkeypatch.setattr(peer_module, "SILENT_SECONDS", 0.4)
    monkeypatch.setattr(peer_module, "LOST_SECONDS", 1.0)
    monkeypatch.setattr(peer_module, "LOOK_SECONDS", 0.05)
    session = await Session(Sender()).connect()
    sockets = session.sender.sender.transport.transport._connection._protocols
    for protocol in sockets:
        monkeypatch.setattr(protocol.transport, "sendto", lambda *_: None)
    await asyncio.sleep(0.7)
    assert session.analyser.state is State.SILENT
    await asyncio.wait_for(session.ended.wait(), 5)
    assert session.ends == [End.LOST]
    monkeypatch.undo()
    await session.close()


async def test_a_client_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peer_module, "CONNECT_SECONDS", 0.2)
    monkeypatch.setattr(peer_module, "LOOK_SECONDS", 0.05)
    session = await Session(Sender()).begin()
    await asyncio.wait_for(session.ended.wait(), 5)
    assert session.ends == [End.FAILED]
    await session.close()


async def test_candidates_that_come_later_are_used() -> None:
    """The client's own checks are kept from the server, so that only the server can make the connection."""
    sender = Sender()
    offer = await sender.offer()
    lines = offer.split("\r\n")
    candidates = [line.removeprefix("a=candidate:") for line in lines if line.startswith("a=candidate:")]
    bare = "\r\n".join(line for line in lines if "candidate" not in line)
    session = Session(sender)
    session.analyser = await Analyser.accept(bare, [], policy=HERE, on_end=session.on_end)
    answer = [line for line in session.analyser.answer.split("\r\n") if "candidate" not in line]
    await sender.answered("\r\n".join(answer))
    for candidate in candidates:
        await session.analyser.add_candidate(candidate, session.analyser.mid)
    await asyncio.wait_for(session.analyser.frames.take(), 10)
    await session.close()


async def test_a_client_that_hides_its_addresses_behind_mdns_names_connects_without_a_lookup() -> None:
    """As Chromium does; its checks come to the server's candidates, and are answered to where they came from."""
    sender = Sender()
    offer = await sender.offer()
    lines = [line for line in offer.split("\r\n") if not line.startswith("a=candidate")]
    lines.insert(-1, "a=candidate:1 1 udp 2113937151 5d1f3c4e-7c1a-4d6e-9c39-8a6f4b6d2e11.local 51234 typ host")
    session = Session(sender)
    with patch.object(aioice.mdns, "create_mdns_protocol", side_effect=AssertionError("looked up")):
        session.analyser = await Analyser.accept("\r\n".join(lines), [], policy=HERE, on_end=session.on_end)
        await sender.answered(session.analyser.answer)
        await asyncio.wait_for(session.analyser.frames.take(), 10)
    await session.close()


async def test_without_the_loopback_setting_no_private_address_is_remembered() -> None:
    session = Session(Sender())
    offer = await session.sender.offer()
    session.analyser = await Analyser.accept(offer, [], policy=SdpPolicy(), on_end=session.on_end)
    (transceiver,) = session.analyser._connection.peer.getTransceivers()
    assert transceiver.receiver.transport.transport.getRemoteCandidates() == []
    await session.close()


async def test_one_candidate_too_many_is_refused() -> None:
    session = await Session(Sender()).begin()
    named = session.analyser._offer.named
    for port in range(30 - named):
        await session.analyser.add_candidate(f"1 1 udp 1 192.0.2.9 {5000 + port} typ host", "")
    with pytest.raises(BadSdp, match="at most 30"):
        await session.analyser.add_candidate("1 1 udp 1 192.0.2.9 6000 typ host", "")
    await session.close()


@pytest.mark.parametrize(
    "fmtp",
    ["profile-level-id=6e0032;packetization-mode=1", "profile-level-id=zz", "packetization-mode=9"],
)
async def test_an_offer_without_a_format_in_common_is_refused(fmtp: str) -> None:
    sender = Sender()
    lines = [
        line
        for line in (await sender.offer()).split("\r\n")
        if not line.startswith(("a=rtpmap", "a=fmtp", "a=rtcp-fb"))
    ]
    offer = "\r\n".join([*lines[:-1], "a=rtpmap:99 H264/90000", f"a=fmtp:99 {fmtp}", ""])
    ends: list[End] = []
    with pytest.raises(BadSdp):
        await Analyser.accept(offer, [], policy=HERE, on_end=ends.append)
    assert ends == []
    await sender.close()


async def test_relay_only_without_a_relay_is_no_capacity() -> None:
    sender = Sender()
    policy = SdpPolicy(loopback=True, relay_only=True)
    server = IceServer(urls=["turn:127.0.0.1:9?transport=udp"], username="u", credential="p")
    with pytest.raises(Busy):
        await Analyser.accept(await sender.offer(), [server], policy=policy, on_end=print)
    await sender.close()


def ports(session: Session) -> list[tuple[str, int]]:
    """Where the analyser listens, IPv4 only."""
    (transceiver,) = session.analyser._connection.peer.getTransceivers()
    found = transceiver.receiver.transport.transport.iceGatherer.getLocalCandidates()
    return [(candidate.ip, candidate.port) for candidate in found if ":" not in candidate.ip]


async def test_datagrams_of_strangers_do_not_disturb_a_session() -> None:
    """An empty one is enough to end a session of aiortc alone."""
    session = await Session(Sender(MovingPicture(rate=20))).connect()
    chance = random.Random(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(4000):
            first = chance.choice([0, 1, 22, 23, 128, 144, 200, 255])
            data = bytes([first]) + chance.randbytes(chance.choice([0, 1, 3, 11, 19, 60, 200]))
            stranger.sendto(data if number % 7 else b"", chance.choice(ports(session)))
            if number % 40 == 0:
                await asyncio.sleep(0)
        await asyncio.sleep(0.2)
    await asyncio.wait_for(session.analyser.frames.take(), 10)
    assert session.ends == []
    await session.close()


async def test_what_strangers_send_before_the_connection_stands_does_not_pile_up() -> None:
    session = await Session(Sender()).begin()
    (transceiver,) = session.analyser._connection.peer.getTransceivers()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for _ in range(40):
            for _ in range(100):
                stranger.sendto(b"\x16" * 1000, ports(session)[0])
            await asyncio.sleep(0.002)
    waiting = transceiver.receiver.transport.transport._connection._queue.qsize()
    assert 100 < waiting <= MOST_DATAGRAMS
    await session.sender.answered(session.analyser.answer)
    await asyncio.wait_for(session.analyser.frames.take(), 10)
    await session.close()


async def test_h264_is_understood_as_well() -> None:
    sender = Sender()
    (transceiver,) = sender.peer.getTransceivers()
    capable = RTCRtpSender.getCapabilities("video").codecs
    transceiver.setCodecPreferences([codec for codec in capable if codec.mimeType == "video/H264"])
    session = await Session(sender).connect()
    assert "VP8" not in session.analyser.answer
    frame = await asyncio.wait_for(session.analyser.frames.take(), 10)
    assert (frame.width, frame.height) == (320, 240)
    await session.close()


def held() -> dict[str, int]:
    """Threads, descriptors and tasks of this process; without those of pools, which are made at need and stay.

    ``decode``: the guard's own pool; ``asyncio``: the loop's, in which the sender encodes.
    """
    return {
        "threads": sum(not thread.name.startswith(("decode", "asyncio")) for thread in threading.enumerate()),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "tasks": len(asyncio.all_tasks()),
    }


async def let_go(before: dict[str, int]) -> None:
    """Wait until no more is held than before; what was told to end may take a few turns of the loop."""
    for _ in range(200):
        if all(held()[name] <= before[name] for name in before):
            return
        await asyncio.sleep(0.01)
    assert held() == before


async def test_connecting_and_closing_again_and_again_leaves_nothing_behind() -> None:
    async def lesson(number: int) -> None:
        session = await Session(Sender(MovingPicture(rate=20))).connect()
        if number % 2:
            await session.sender.close()
            await asyncio.wait_for(session.ended.wait(), 5)
        await session.close()

    for number in range(4):
        await lesson(number)
    before = held()
    for number in range(20):
        await lesson(number)
    await let_go(before)


async def test_a_hundred_connections_take_no_memory_with_them() -> None:
    """Neither Python's nor that of libav, OpenSSL and libsrtp, which each hold tens of kilobytes for a connection."""

    async def connections(count: int) -> None:
        sessions = [await Session(Sender(MovingPicture(rate=10))).connect() for _ in range(count)]
        await asyncio.gather(*(session.close() for session in sessions))

    for _ in range(5):
        await connections(4)
    blocks, native = memory()
    for _ in range(25):
        await connections(4)
    after, native_after = memory()
    # a connection is 2,000 blocks and 300 kB: a tenth of one, each time, would be seen
    assert after - blocks < 100 * 200
    assert native_after - native < 100 * 30_000


def memory() -> tuple[int, int]:
    """Blocks of Python's own allocator, and bytes of the C library's that are in use."""
    for _ in range(3):
        gc.collect()
    return sys.getallocatedblocks(), _c_memory()


def _c_memory() -> int:
    """From glibc 2.33 on; nothing elsewhere."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return 0
    ask.restype = Allocated
    found = ask()
    return int(found.uordblks) + int(found.hblkhd)


class Allocated(ctypes.Structure):
    """What mallinfo2(3) answers."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


@pytest.mark.parametrize("delay", [0.0, 0.01, 0.03, 0.06, 0.1, 0.2])
async def test_closing_at_any_moment_of_connecting_leaves_nothing_behind(delay: float) -> None:
    session = await Session(Sender()).connect()
    await session.close()
    before = held()
    session = await Session(Sender()).begin()
    await session.sender.answered(session.analyser.answer)
    await asyncio.sleep(delay)
    began = time.monotonic()
    await session.close()
    assert time.monotonic() - began < 4
    await let_go(before)
