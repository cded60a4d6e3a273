"""The guard around aiortc, with two real peers in one process."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from importlib import import_module
from importlib.metadata import version
from itertools import pairwise
from unittest.mock import AsyncMock, patch

import aioice
import av
import pytest
from aioice import stun
from aioice.ice import StunProtocol
from aiortc import RTCSessionDescription
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtp import RtcpPacket, RtcpRtpfbPacket, RtpPacket
from av import VideoFrame
from av.video.codeccontext import VideoCodecContext

from lessonroom.media.guard import PRIVATE_NAMES, WRITTEN_FOR, Connection
from lessonroom.media.guard.assembly import EncodedFrame
from lessonroom.media.guard.decoding import MOST_LATE, MOST_WAITING, TIME_BASE, Decoded, Decoder, DecodeStream
from lessonroom.media.guard.inlet import AT_ONCE, read_at_once
from lessonroom.media.guard.payload import piece_of
from lessonroom.media.guard.reports import Reports
from lessonroom.media.guard.rtp import Packet
from tests.rtc import MovingPicture, Sender


def test_guard_is_written_for_the_pinned_aiortc() -> None:
    """A new aiortc: read its changes against the guard, run these tests, then change WRITTEN_FOR and the pin."""
    assert version("aiortc") == WRITTEN_FOR


@pytest.mark.parametrize("owner", PRIVATE_NAMES)
async def test_the_private_names_that_the_guard_uses_are_still_there(owner: str) -> None:
    module, _, name = owner.rpartition(".")
    connection = Connection([], relay_only=False, loopback=True, on_picture=print, on_end=print)
    transceiver = connection.peer.getTransceivers()[0]
    transport = transceiver.receiver.transport
    protocol = StunProtocol(transport.transport.iceGatherer._connection)
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    living = [
        protocol,
        stun.Transaction(request, ("127.0.0.1", 9), protocol),
        connection.peer,
        transceiver.sender,
        transport,
        vars(connection.peer)["_RTCPeerConnection__certificates"][0],
        transport.transport.iceGatherer,
        transport.transport.iceGatherer._connection,
    ]
    cls = getattr(import_module(module), name)
    (found,) = (thing for thing in living if isinstance(thing, cls))
    assert all(hasattr(found, private) for private in PRIVATE_NAMES[owner])
    await connection.close()


async def test_no_receiver_of_aiortc_is_made_only_to_be_thrown_away() -> None:
    """Its bandwidth estimate alone is a sixth of what a connection costs."""
    with patch("aiortc.rtcpeerconnection.RTCRtpReceiver", side_effect=AssertionError):
        connection = Connection([], relay_only=False, loopback=True, on_picture=print, on_end=print)
    assert connection.peer.getTransceivers()[0].receiver is connection.receiver
    await connection.close()


class Receiving:
    """A guarded connection that keeps what it received."""

    def __init__(self) -> None:
        self.pictures: list[Decoded] = []
        self.arrived = asyncio.Event()
        self.ends = 0
        self.connection = Connection([], relay_only=False, loopback=True, on_picture=self._picture, on_end=self._end)

    def _picture(self, decoded: Decoded) -> None:
        self.pictures.append(decoded)
        self.arrived.set()

    def _end(self) -> None:
        self.ends += 1

    async def answer(self, offer: str) -> str:
        peer = self.connection.peer
        await peer.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await peer.setLocalDescription(await peer.createAnswer())
        return str(peer.localDescription.sdp)

    async def next_picture(self, timeout: float = 10.0) -> Decoded:
        self.arrived.clear()
        await asyncio.wait_for(self.arrived.wait(), timeout)
        return self.pictures[-1]


async def connect(sender: Sender) -> Receiving:
    receiving = Receiving()
    await sender.answered(await receiving.answer(await sender.offer()))
    await receiving.next_picture()
    return receiving


async def test_pictures_come_decoded_in_their_size() -> None:
    sender = Sender(MovingPicture(rate=10))
    receiving = await connect(sender)
    picture = (await receiving.next_picture()).picture
    assert (picture.width, picture.height) == (320, 240)
    assert receiving.connection.receiver.decode_errors == 0
    await asyncio.gather(sender.close(), receiving.connection.close())


async def test_a_packet_lost_for_good_freezes_the_picture_for_less_than_two_and_a_half_seconds() -> None:
    """aiortc alone is frozen for 53.8 s at this size and rate: its jitter buffer has to run full first."""
    sender = Sender(MovingPicture(rate=5))
    receiving = await connect(sender)
    await receiving.next_picture()
    lost = sender.lose(1)
    while not lost:
        await receiving.next_picture()
    before = len(receiving.pictures)
    began = time.monotonic()
    await receiving.next_picture(timeout=2.5)
    assert time.monotonic() - began < 2.5
    await receiving.next_picture(timeout=1.0)
    assert len(receiving.pictures) >= before + 2
    assert receiving.connection.receiver.dropped > 0
    await asyncio.gather(sender.close(), receiving.connection.close())


async def test_a_packet_that_is_sent_again_costs_no_picture() -> None:
    sender = Sender(MovingPicture(rate=20))
    receiving = await connect(sender)
    lost = sender.lose(1)
    sender.sender._retransmit = type(sender.sender)._retransmit.__get__(sender.sender)  # type: ignore[method-assign]
    while not lost:
        await receiving.next_picture()
    await asyncio.sleep(0.5)
    assert receiving.connection.receiver.dropped == 0
    stamps = [decoded.picture.pts or 0 for decoded in receiving.pictures]
    assert all(abs(later - earlier - 4500) <= 1 for earlier, later in pairwise(stamps))
    await asyncio.gather(sender.close(), receiving.connection.close())


async def test_media_pass_none_of_aiortcs_queues_and_parsers() -> None:
    """They cost as much as decoding a small picture does."""
    sender = Sender(MovingPicture(rate=20))
    receiving = await connect(sender)
    transport = receiving.connection.receiver.transport
    ice = transport.transport.iceGatherer._connection
    with (
        patch.object(ice, "data_received", side_effect=AssertionError),
        patch.object(transport, "_handle_rtp_data", side_effect=AssertionError),
        patch.object(RtpPacket, "parse", side_effect=AssertionError),
    ):
        packets = receiving.connection.receiver.packets
        for _ in range(4):
            await receiving.next_picture()
    # the first of the pictures may be of a packet that was there before
    assert receiving.connection.receiver.packets >= packets + 3
    await asyncio.gather(sender.close(), receiving.connection.close())


async def test_what_a_stranger_sends_is_no_sign_of_life_and_ends_nothing() -> None:
    """Anybody may send to an open port."""
    sender = Sender(MovingPicture(rate=20))
    receiving = await connect(sender)
    connection = receiving.connection
    (protocol, *_) = connection.receiver.transport.transport.iceGatherer._connection._protocols
    sender.sender.transport._send_rtp = AsyncMock()  # type: ignore[method-assign]
    await asyncio.sleep(0.1)
    heard, packets = connection.heard_at, connection.receiver.packets
    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        media = b"\x80", b"\x80\x60" + bytes(40), b"\x80\xc8" + bytes(40), b"\x90\x60" + bytes(1600)
        check = bytes(stun.Message(stun.Method.BINDING, stun.Class.REQUEST, bytes(12)))
        for data in (b"", *media, b"\x16\xfe\xfd" + bytes(40), b"\xff" * 40, check):
            stranger.sendto(data, protocol.transport.get_extra_info("sockname"))
    await asyncio.sleep(0.1)
    assert (connection.heard_at, connection.receiver.packets, told) == (heard, packets, [])
    assert connection.peer.connectionState == "connected"
    await asyncio.gather(sender.close(), connection.close())


async def test_a_flood_at_one_socket_leaves_room_for_others() -> None:
    """Each turn of the loop reads so many datagrams and no more."""
    turns: list[int] = []
    read: list[bytes] = []
    loop = asyncio.get_running_loop()
    connection = Connection([], relay_only=False, loopback=True, on_picture=print, on_end=print)
    transport, protocol = await loop.create_datagram_endpoint(
        lambda: StunProtocol(connection.receiver.transport.transport._connection), local_addr=("127.0.0.1", 0)
    )

    def take(data: bytes) -> bool:
        read.append(data)
        return True

    def turn() -> None:
        turns.append(len(read))
        if len(read) < 100:
            loop.call_soon(turn)

    read_at_once(protocol, take)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for number in range(100):
            stranger.sendto(bytes([number]), transport.get_extra_info("sockname"))
    turn()
    async with asyncio.timeout(5):
        while len(read) < 100:
            await asyncio.sleep(0.001)
    assert max(later - earlier for earlier, later in pairwise(turns)) == AT_ONCE
    assert read == [bytes([number]) for number in range(100)]
    transport.close()
    await connection.close()


async def test_the_goodbye_of_the_peer_is_told() -> None:
    sender = Sender()
    receiving = await connect(sender)
    await sender.close()
    while not receiving.ends:
        await asyncio.sleep(0.01)
    await receiving.connection.close()


async def test_closing_twice_and_at_once_is_the_same_as_closing() -> None:
    sender = Sender()
    receiving = await connect(sender)
    first = asyncio.create_task(receiving.connection.close())
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(*(receiving.connection.close() for _ in range(3)))
    assert receiving.connection.peer.connectionState == "closed"
    await sender.close()


async def test_closing_waits_no_longer_than_its_patience() -> None:
    """A TURN server that is gone keeps aiortc's own close waiting for half a minute."""
    receiving = Receiving()
    held = asyncio.Event()

    original = aioice.Connection.close

    async def close(connection: aioice.Connection) -> None:
        await held.wait()
        await original(connection)

    sender = Sender()
    with patch.object(aioice.Connection, "close", close):
        await receiving.answer(await sender.offer())
        await asyncio.wait_for(receiving.connection.close(patience=0.05), 2.0)
        held.set()
        await receiving.connection.close()
    await sender.close()


async def test_two_peers_on_a_machine_without_a_network_meet() -> None:
    with patch.object(aioice.ice, "get_host_addresses", lambda **_: []):
        sender = Sender()
        receiving = await connect(sender)
        await asyncio.gather(sender.close(), receiving.connection.close())


async def test_a_crowd_of_made_up_streams_is_not_remembered() -> None:
    """aiortc's router keeps every SSRC that a peer makes up."""
    sender = Sender()
    receiving = await connect(sender)
    receiver = receiving.connection.receiver
    listened_to, router = receiver._reports, receiver.transport._rtp_router
    before = len(router.ssrc_table)
    (payload_type,) = (number for number, name in receiver._formats.items() if name == "VP8")
    for ssrc in range(500):
        data = RtpPacket(payload_type=payload_type, ssrc=ssrc, payload=b"\x10\x00").serialize()
        receiver.take_rtp(data)
        await receiver.transport._handle_rtp_data(data, 0)
    assert receiver._reports is listened_to
    assert len(router.ssrc_table) == before
    await asyncio.gather(sender.close(), receiving.connection.close())


# --- decoding --------------------------------------------------------------------------------------------------------


def encoded(count: int, size: tuple[int, int] = (320, 240)) -> list[EncodedFrame]:
    """VP8 frames, the first of them a keyframe."""
    encoder = Vp8Encoder()
    made = []
    for number in range(count):
        picture = VideoFrame(*size, "yuv420p")
        for plane in picture.planes:  # fresh memory holds anything, noise that makes frames large among them
            plane.update(bytes([100 + number]) * plane.buffer_size)
        picture.pts = number * 9000
        picture.time_base = TIME_BASE
        payloads, timestamp = encoder.encode(picture)
        data = b"".join(piece_of("VP8", Packet(payload=payload)).data for payload in payloads)
        made.append(EncodedFrame(data, timestamp, number == 0, at=number / 10))
    return made


def test_the_decoder_has_one_thread_and_is_not_libvpx() -> None:
    decoder = Decoder("VP8")
    assert decoder._context.thread_count == 1
    assert decoder._context.codec.name == "vp8"


def test_broken_data_is_counted_and_decoding_goes_on() -> None:
    decoder = Decoder("VP8")
    key, delta = encoded(2)
    assert decoder.decode(EncodedFrame(b"\x00\xff\x00nonsense", 0, True, 0.0)) == []
    assert decoder.errors == 1
    assert [p.pts for p in decoder.decode(key) + decoder.decode(delta)] == [0, 9000]


def test_a_picture_too_large_to_be_honest_is_refused() -> None:
    decoder = Decoder("VP8")
    assert decoder.decode(encoded(1, size=(2560, 1440))[0]) == []
    assert decoder.errors == 1


async def test_decoded_pictures_come_in_order_on_the_loop() -> None:
    pictures: list[Decoded] = []
    stream = DecodeStream("VP8", pictures.append, lambda: None)
    for frame in encoded(30):
        stream.put(frame)
        await asyncio.sleep(0)
    while len(pictures) < 30:
        await asyncio.sleep(0.005)
    assert [decoded.picture.pts for decoded in pictures] == [9000 * n for n in range(30)]
    assert pictures[3].at == 0.3


async def test_a_picture_has_the_time_at_which_its_own_packets_came_also_where_later_ones_bring_it_out() -> None:
    """With B-frames a picture comes out two frames after its packets; its age would be told too low."""
    encoder: VideoCodecContext = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 320, 240, "yuv420p", TIME_BASE
    encoder.options = {"bf": "2", "b_strategy": "0", "preset": "veryfast", "g": "250"}
    packets = []
    for number in range(60):
        picture = VideoFrame(320, 240, "yuv420p")
        for plane in picture.planes:
            plane.update(bytes([100 + number]) * plane.buffer_size)
        picture.pts, picture.time_base = number * 3000, TIME_BASE
        packets += encoder.encode(picture)
    stamps = [packet.pts or 0 for packet in packets]
    assert stamps != sorted(stamps), "expected B-frames"
    pictures: list[Decoded] = []
    stream = DecodeStream("H264", pictures.append, lambda: None)
    for number, packet in enumerate(packets):
        stream.put(EncodedFrame(bytes(packet), packet.pts or 0, packet.is_keyframe, at=number / 30))
    async with asyncio.timeout(5):
        while len(pictures) < len(packets) - 3:
            await asyncio.sleep(0.005)
    told = [(decoded.picture.pts, decoded.at) for decoded in pictures]
    assert told == [(pts, stamps.index(pts or 0) / 30) for pts, _ in told]
    assert len(stream._came) <= 3


async def test_pictures_that_are_never_shown_are_not_remembered() -> None:
    stream = DecodeStream("VP8", lambda _: None, lambda: None)
    for number in range(3 * MOST_LATE):
        stream._decode([EncodedFrame(b"\x00\xff\x00nonsense", number, key=True, at=0.0)])
    assert len(stream._came) == MOST_LATE


async def test_small_and_slow_streams_need_no_thread() -> None:
    pictures: list[Decoded] = []
    stream = DecodeStream("VP8", pictures.append, lambda: None)
    first, *rest = encoded(10)
    stream.put(first)
    assert pictures == []
    while not pictures:
        await asyncio.sleep(0.001)
    for frame in rest:
        stream.put(frame)
    assert [decoded.picture.pts for decoded in pictures] == [9000 * n for n in range(10)]


@pytest.mark.parametrize(("size", "pause"), [((640, 480), 0.1), ((320, 240), 0.03)])
async def test_large_or_fast_streams_never_hold_up_the_loop(size: tuple[int, int], pause: float) -> None:
    pictures: list[Decoded] = []
    stream = DecodeStream("VP8", pictures.append, lambda: None)
    for number, frame in enumerate(encoded(5, size)):
        before = len(pictures)
        stream.put(replace(frame, at=number * pause))
        assert len(pictures) == before
        while len(pictures) == before:
            await asyncio.sleep(0.001)


async def test_a_decoder_that_cannot_keep_up_drops_all_and_asks_for_a_keyframe() -> None:
    broken: list[bool] = []
    stream = DecodeStream("VP8", lambda _: None, lambda: broken.append(True))
    for frame in encoded(1) * (MOST_WAITING + 2):
        stream.put(frame)
    assert len(broken) == 1
    assert stream.dropped == MOST_WAITING + 1
    assert not stream._waiting
    stream.close()


async def test_nothing_comes_out_after_closing() -> None:
    pictures: list[Decoded] = []
    stream = DecodeStream("VP8", pictures.append, lambda: None)
    for frame in encoded(5):
        stream.put(frame)
    stream.close()
    await asyncio.sleep(0.1)
    assert pictures == []


@pytest.mark.parametrize(
    ("codec", "payload", "key_start", "data"),
    [
        ("VP8", b"", False, b""),
        ("VP8", b"\x10\x00rest", True, b"\x00rest"),
        ("VP8", b"\x10\x01rest", False, b"\x01rest"),
        ("VP8", b"\x00\x00rest", False, b"\x00rest"),
        ("VP8", b"\x11\x00rest", False, b"\x00rest"),
        ("VP8", b"\x90\x80\x05\x00rest", True, b"\x00rest"),
        ("VP8", b"\x90\x80\x85\x01\x00rest", True, b"\x00rest"),
        ("VP8", b"\x90\xf0\x85\x01\x07\x20\x00rest", True, b"\x00rest"),
        ("VP8", b"\x90\x20\x20\x01rest", False, b"\x01rest"),
        ("H264", b"\x67\x42\x00", True, b"\0\0\0\1\x67\x42\x00"),
        ("H264", b"\x65\x88\x00", True, b"\0\0\0\1\x65\x88\x00"),
        ("H264", b"\x41\x9a\x00", False, b"\0\0\0\1\x41\x9a\x00"),
        ("H264", b"\x7c\x85\xaa", True, b"\0\0\0\1\x65\xaa"),
        ("H264", b"\x7c\x05\xaa", False, b"\xaa"),
        ("H264", b"\x78\x00\x02\x67\x42\x00\x02\x68\xce", True, b"\0\0\0\1\x67\x42\0\0\0\1\x68\xce"),
        # after a delimiter, as x264enc and aggregate-mode=zero-latency of GStreamer have it
        ("H264", b"\x78\x00\x02\x09\x10\x00\x02\x67\x42", True, b"\0\0\0\1\x09\x10\0\0\0\1\x67\x42"),
        ("H264", b"\x78\x00\x02\x09\x10\x00\x02\x41\x9a", False, b"\0\0\0\1\x09\x10\0\0\0\1\x41\x9a"),
        ("H264", b"\x78\x00\x00\x00\x02\x67\x42", True, b"\0\0\0\1\0\0\0\1\x67\x42"),
        # the second slice of a picture of instant refresh: without the first it would smear
        ("H264", b"\x65\x04\x00", False, b"\0\0\0\1\x65\x04\x00"),
        ("H264", b"\x7c\x85\x04", False, b"\0\0\0\1\x65\x04"),
    ],
)
def test_payloads_tell_where_a_keyframe_begins(codec: str, payload: bytes, key_start: bool, data: bytes) -> None:
    piece = piece_of(codec, Packet(sequence_number=7, timestamp=9, marker=1, payload=payload))
    assert (piece.sequence, piece.timestamp, piece.marker) == (7, 9, True)
    assert (piece.key_start, piece.data) == (key_start, data)


@pytest.mark.parametrize(
    ("codec", "payload"),
    [
        ("VP8", b"\x90"),
        ("VP8", b"\x90\x80"),
        ("VP8", b"\x90\x80\x85"),
        ("VP8", b"\x90\x40"),
        ("H264", b"\x67"),
        ("H264", b"\x18\x00\x09x"),
    ],
)
def test_payloads_that_break_their_format_are_refused(codec: str, payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        piece_of(codec, Packet(payload=payload))


def test_missing_packets_around_the_wrap_can_be_asked_for() -> None:
    """aiortc's packer raises on a list that is not sorted."""
    (packet,) = RtcpPacket.parse(Reports(5).ask_again(1, [65_534, 65_535, 0, 1]))
    assert isinstance(packet, RtcpRtpfbPacket)
    assert sorted(packet.lost) == [0, 1, 65_534, 65_535]
