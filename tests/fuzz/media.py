"""Targets of the media line: what an authenticated peer may send, RTP and RTCP, into the guarded receiver.

An input is a few datagrams. The first byte of each says how long it took to come, in fiftieths of a second; the clock
is virtual, decoding is real and happens at once.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext
from typing import Any
from unittest.mock import patch

import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpDecodingParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpReceiveParameters,
    RTCRtpRtxParameters,
)
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    is_rtcp,
    pack_remb_fci,
    wrap_rtx,
)
from av import VideoFrame

from lessonroom.media.guard import Connection, VideoReceiver, decoding
from lessonroom.media.guard.assembly import CAPACITY, NACKS, Assembly
from lessonroom.media.guard.decoding import TIME_BASE
from lessonroom.media.guard.payload import piece_of
from lessonroom.media.guard.rtp import Packet
from lessonroom.media.guard.sampling import EVERY_PICTURE
from tests.fuzz.corpus import RTX_SSRC, SSRC
from tests.fuzz.mutate import datagrams, packed
from tests.fuzz.runner import Read

MOST_DATAGRAMS = 48
"""So many of an input are handed over: a second and a half of an honest stream."""
VP8, VP8_RTX, H264, H264_RTX = 96, 97, 103, 104
PARAMETERS = RTCRtpReceiveParameters(
    codecs=[
        RTCRtpCodecParameters("video/VP8", 90_000, payloadType=VP8),
        RTCRtpCodecParameters("video/rtx", 90_000, payloadType=VP8_RTX, parameters={"apt": VP8}),
        RTCRtpCodecParameters("video/H264", 90_000, payloadType=H264),
        RTCRtpCodecParameters("video/rtx", 90_000, payloadType=H264_RTX, parameters={"apt": H264}),
    ],
    headerExtensions=[RTCRtpHeaderExtensionParameters(id=9, uri="urn:ietf:params:rtp-hdrext:sdes:mid")],
    muxId="0",
    encodings=[RTCRtpDecodingParameters(ssrc=SSRC, payloadType=VP8, rtx=RTCRtpRtxParameters(ssrc=RTX_SSRC))],
)


# --- honest inputs ---------------------------------------------------------------------------------------------------


def _packets(encoder: Vp8Encoder | H264Encoder, payload_type: int) -> list[RtpPacket]:
    made: list[RtpPacket] = []
    for number in range(4):
        picture = np.full((48, 64, 3), 40 + number * 30, np.uint8)
        picture[10:30, 8 * number : 8 * number + 20] = 220
        frame = VideoFrame.from_ndarray(picture, format="bgr24").reformat(format="yuv420p")
        frame.pts, frame.time_base = number * 9000, TIME_BASE
        payloads, timestamp = encoder.encode(frame)
        for at, payload in enumerate(payloads):
            made.append(RtpPacket(payload_type, at == len(payloads) - 1, 65_533 + len(made), timestamp, SSRC, payload))
    for packet in made:
        packet.sequence_number %= 2**16
    return made


def _vp8() -> list[RtpPacket]:
    encoder = Vp8Encoder()
    encoder.picture_id = 7  # aiortc begins with a random one
    return _packets(encoder, VP8)


def _stream(packets: Sequence[RtpPacket | bytes], delay: int = 5) -> bytes:
    return packed([bytes([delay]) + (p if isinstance(p, bytes) else p.serialize()) for p in packets])


def _with_extension(packet: RtpPacket) -> bytes:
    plain = packet.serialize()
    return bytes([plain[0] | 0x10]) + plain[1:12] + b"\xbe\xde\x00\x01\x90" + b"0\x00\x00" + plain[12:]


_VP8_PACKETS, _H264_PACKETS = _vp8(), _packets(H264Encoder(), H264)
_REPORT = RtcpReceiverInfo(SSRC, 12, -3, 70_000, 9, 1, 2)
_SENDER = RtcpSrPacket(SSRC, RtcpSenderInfo(0xE0000000_00000000, 9000, 4, 900), [_REPORT])
_RTCP = (
    bytes(_SENDER) + bytes(RtcpSdesPacket([RtcpSourceInfo(SSRC, [(1, b"axtBPwXYZ")])])),
    bytes(RtcpRrPacket(SSRC, [_REPORT])) + bytes(RtcpPsfbPacket(1, SSRC, 1)),
    bytes(RtcpRtpfbPacket(1, SSRC, 1, [5, 6, 30, 65_535])),
    bytes(RtcpPsfbPacket(15, SSRC, 0, pack_remb_fci(300_000, [1, SSRC]))),
    bytes(RtcpByePacket([SSRC])),
)
STREAMS = (
    _stream(_VP8_PACKETS),
    _stream(_H264_PACKETS),
    _stream([*_VP8_PACKETS[:2], wrap_rtx(_VP8_PACKETS[2], VP8_RTX, 9, RTX_SSRC), *_VP8_PACKETS[3:]], delay=30),
    _stream([_with_extension(packet) for packet in _VP8_PACKETS]),
    _stream([*_VP8_PACKETS, *_H264_PACKETS], delay=60),
)
REPORTS = (
    _stream([*_VP8_PACKETS[:1], *_RTCP]),
    *(_stream([_VP8_PACKETS[0], rtcp, *_VP8_PACKETS[1:]]) for rtcp in _RTCP),
)
PAYLOADS = tuple(
    packed([struct.pack("!HIB", p.sequence_number, p.timestamp, p.marker) + p.payload for p in packets])
    for packets in (_VP8_PACKETS, _H264_PACKETS)
)


# --- targets ---------------------------------------------------------------------------------------------------------


def payloads() -> nullcontext[Read]:
    """Packets' payloads as both codecs: refused by ValueError, as it is documented, or put together."""
    return nullcontext(_payloads)


def _payloads(data: bytes) -> None:
    for codec in ("VP8", "H264"):
        assembly = Assembly()
        for number, part in enumerate(datagrams(data)[:MOST_DATAGRAMS]):
            if len(part) < 7:
                continue
            sequence, timestamp, marker = struct.unpack_from("!HIB", part)
            try:
                piece = piece_of(codec, Packet(VP8, marker, sequence, timestamp, SSRC, part[7:]))
            except ValueError:
                continue
            outcome = assembly.add(piece, number / 10)
            assert len(assembly._pieces) <= CAPACITY, "more packets are kept than may be"
            assert len(outcome.missing) <= NACKS, "more packets are asked for than may be"


class _Inline(Executor):
    """Does what it is given at once."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - handed to whoever reads the future
            future.set_exception(error)
        return future


@contextmanager
def receiver() -> Iterator[Read]:
    """A receiver, anew for each input; datagrams come as if decrypted."""
    loop, raised = asyncio.new_event_loop(), []
    loop.set_exception_handler(lambda _, what: raised.append(what.get("exception") or AssertionError(what["message"])))
    with patch.object(decoding, "shared_threads", _Inline):
        connection = loop.run_until_complete(_connection())

        def read(data: bytes) -> None:
            raised.clear()
            loop.run_until_complete(_feed(connection, data))
            if raised:
                raise raised[0]

        try:
            yield read
        finally:
            loop.run_until_complete(connection.close())
            loop.close()


async def _connection() -> Connection:
    return Connection([], relay_only=False, loopback=False, on_picture=lambda _: None, on_end=lambda: None)


async def _feed(connection: Connection, data: bytes) -> None:
    now = 100.0
    receiving = VideoReceiver(
        connection.receiver.transport,
        on_picture=lambda _: None,
        on_end=lambda: None,
        reader=EVERY_PICTURE,
        clock=lambda: now,
    )
    keys_only = len(data) % 2 == 1
    receiving._set_rtcp_ssrc(1)
    await receiving.receive(PARAMETERS)
    try:
        for part in datagrams(data)[:MOST_DATAGRAMS]:
            now += part[0] / 50 if part else 0
            receiving._sampling.keys_only = keys_only
            # the division of RFC 5761 section 4, as the transport makes it
            if is_rtcp(part[1:]):
                receiving.take_rtcp(part[1:])
            elif len(part) > 1:
                receiving.take_rtp(part[1:])
            await asyncio.sleep(0)
        if receiving._reports is not None and receiving._reports.due:
            receiving._reports.report(1, now)
        kept = max(len(receiving._assembly._pieces), len(receiving._keys._pieces) - 1)
        assert kept <= CAPACITY, "more packets are kept than may be"
    finally:
        await receiving.stop()
