"""The cameras of many lessons in one loop: frames encoded, cut into payloads and headed beforehand.

aiortc does what is done once, ICE and DTLS, and its sender's reports; its way of sending media takes about as much
processor time as the server that is to be measured takes to receive them. Here a packet is a header of twelve bytes
written over, an encryption and a datagram.
"""

from __future__ import annotations

import asyncio
import heapq
import struct
import time
from dataclasses import dataclass
from typing import Any, Final

from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtptransceiver import RTCRtpTransceiver

from lessonroom.bench.ledger import Times
from lessonroom.simulate import shaped

Packed = list[list[bytes]]
"""Of each frame, its payloads (RFC 7741)."""

MID: Final = "urn:ietf:params:rtp-hdrext:sdes:mid"
TICKS: Final = 90_000 // shaped.RATE
"""Of the RTP clock, from one frame to the next."""
OVERHEAD: Final = 10 + 8 + 20
"""Bytes beside each packet: SRTP's tag, UDP, IPv4."""


def pack(frames: list[bytes]) -> Packed:
    """Cut frames into payloads; each keeps the same picture number in every round, which nobody reads."""
    encoder = Vp8Encoder()
    return [encoder.pack(shaped.packet(frames, number))[0] for number in range(len(frames))]


class Standby(MediaStreamTrack):
    """Stands where a track must stand while :class:`Cameras` send; it never has a frame."""

    kind = "video"

    async def recv(self) -> Any:
        """Wait until the sender stops."""
        await asyncio.get_running_loop().create_future()
        raise MediaStreamError


@dataclass(slots=True)
class _Camera:
    transceiver: RTCRtpTransceiver
    payload_type: int
    extension: bytes
    sequence: int = 0
    frame: int = 0
    gone: bool = False


class Cameras:
    """Sends the same frames to any number of lessons, each shifted against the others. Use as a context manager.

    ``late``: how long after their time frames left. ``bytes_sent``: with what the network adds to each packet.
    """

    def __init__(self, frames: list[bytes]) -> None:
        self.late = Times()
        self.bytes_sent = 0
        self._frames = pack(frames)
        self._due: list[tuple[float, int, _Camera]] = []
        self._count = 0
        self._more = asyncio.Event()
        self._sending: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Cameras:
        self._sending = asyncio.create_task(self._send_for_ever(), name="cameras")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)

    def start(self, transceiver: RTCRtpTransceiver) -> None:
        """Send to a connection that has been negotiated, as soon as it stands."""
        camera = _Camera(transceiver, transceiver._codecs[0].payloadType or 0, _extension(transceiver))
        # spread over the time of one frame by the golden ratio, so that any number of them is spread evenly
        shift = (self._count * 0.618034 % 1.0) / shaped.RATE
        self._count += 1
        heapq.heappush(self._due, (time.monotonic() + shift, self._count, camera))
        self._more.set()

    async def _send_for_ever(self) -> None:
        while True:
            if not self._due:
                self._more.clear()
                await self._more.wait()
            due, number, camera = self._due[0]
            if (wait := due - time.monotonic()) > 0:
                await asyncio.sleep(wait)
                continue
            heapq.heappop(self._due)
            if await self._send(camera, due):
                heapq.heappush(self._due, (due + 1.0 / shaped.RATE, number, camera))

    async def _send(self, camera: _Camera, due: float) -> bool:
        """Send the next frame; False once there is nobody to send to any more."""
        sender = camera.transceiver.sender
        if sender.transport.state in {"closed", "failed"}:
            return False
        if sender.transport.state != "connected":
            return True
        payloads = self._frames[camera.frame % len(self._frames)]
        try:
            for place, payload in enumerate(payloads):
                packet = _header(camera, sender._ssrc, last=place == len(payloads) - 1) + payload
                await sender.transport._send_rtp(packet)
                self.bytes_sent += len(packet) + OVERHEAD
        except ConnectionError:
            return False
        camera.frame += 1
        self.late.add(time.monotonic() - due)
        return True


def _header(camera: _Camera, ssrc: int, *, last: bool) -> bytes:
    """RFC 3550 section 5.1 and RFC 8285 section 4.2."""
    camera.sequence = (camera.sequence + 1) % 0x10000
    timestamp = camera.frame * TICKS % 2**32
    first = 0x90 if camera.extension else 0x80
    fixed = struct.pack("!BBHII", first, last << 7 | camera.payload_type, camera.sequence, timestamp, ssrc)
    return fixed + camera.extension


def _extension(transceiver: RTCRtpTransceiver) -> bytes:
    """The name of the media section, as browsers send it with each packet where it was agreed on."""
    name = (transceiver.mid or "").encode()
    number = next((each.id for each in transceiver._headerExtensions if each.uri == MID), None)
    if number is None or not name:
        return b""
    data = bytes([number << 4 | len(name) - 1]) + name
    data += bytes(-len(data) % 4)
    return struct.pack("!HH", 0xBEDE, len(data) // 4) + data
