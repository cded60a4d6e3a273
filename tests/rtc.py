"""A real WebRTC sender for tests: aiortc, a moving picture, and a line that can lose chosen packets for good."""

from __future__ import annotations

import asyncio
import time
from fractions import Fraction
from typing import Any

import numpy as np
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import VideoStreamTrack
from aiortc.rtcconfiguration import RTCIceTransportPolicy
from aiortc.rtp import RtpPacket, is_rtcp
from av import VideoFrame

from lessonroom.media.guard import end_consent_checks, gather_loopback


class MovingPicture(VideoStreamTrack):
    """A bright square that moves over a dark ground, ``rate`` pictures a second."""

    def __init__(self, rate: float = 5.0, width: int = 320, height: int = 240) -> None:
        super().__init__()
        self.rate = rate
        self.sent = 0
        self._size = height, width
        self._began: float | None = None

    async def recv(self) -> VideoFrame:
        if self._began is None:
            self._began = time.monotonic()
        await asyncio.sleep(self._began + self.sent / self.rate - time.monotonic())
        picture = np.full((*self._size, 3), 40, np.uint8)
        left = 20 + self.sent * 7 % (self._size[1] - 80)
        picture[60:120, left : left + 60] = 220
        frame = VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts = int(self.sent / self.rate * 90_000)
        frame.time_base = Fraction(1, 90_000)
        self.sent += 1
        return frame


class Sender:
    """One aiortc connection that sends video, as a WHIP client has it."""

    def __init__(
        self, track: MovingPicture | None = None, ice: list[RTCIceServer] | None = None, *, relay_only: bool = False
    ) -> None:
        policy = RTCIceTransportPolicy.RELAY if relay_only else RTCIceTransportPolicy.ALL
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=ice or [], iceTransportPolicy=policy))
        self.track = track or MovingPicture()
        transceiver = self.peer.addTransceiver(self.track, direction="sendonly")
        self.sender = transceiver.sender
        end_consent_checks(self.peer)
        if not relay_only:
            gather_loopback(self.peer)

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return str(self.peer.localDescription.sdp)

    async def answered(self, sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp, "answer"))

    def lose(self, count: int) -> list[int]:
        """From now on lose the next ``count`` packets of video for good: they are not sent again either."""
        lost: list[int] = []
        sender: Any = self.sender
        send, again = sender.transport._send_rtp, sender._retransmit

        async def send_rtp(data: bytes) -> None:
            if not is_rtcp(data) and len(lost) < count:
                lost.append(RtpPacket.parse(data).sequence_number)
                return
            await send(data)

        async def retransmit(sequence: int) -> None:
            if sequence not in lost:
                await again(sequence)

        sender.transport._send_rtp, sender._retransmit = send_rtp, retransmit
        return lost

    async def close(self) -> None:
        self.track.stop()
        await self.peer.close()
