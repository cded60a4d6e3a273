"""What ``lessonroom bench receive`` sends: real WebRTC senders with streams that cost the sender little.

``shaped`` is our own page's stream, encoded once. ``foreign`` is what a WHIP client sends that nobody has asked to send
less: encoded while it is sent, since such a client answers a request for a keyframe.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any

import av
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType, VideoFrame

from lessonroom.media.guard import end_consent_checks, gather_loopback
from lessonroom.simulate import shaped as page
from lessonroom.simulate.paced import PacedTrack
from lessonroom.simulate.sources import pictures_of

WIDTH, HEIGHT, RATE, BITRATE = 640, 360, 30, 1_000_000
PICTURES = 150
"""Pictures that the foreign client shows, there and back again."""


@dataclass(frozen=True, slots=True)
class Footage:
    """What is sent. ``frames``: encoded, for a decoder alone. ``pictures``: for clients that encode as they send."""

    name: str
    rate: int
    frames: list[bytes]
    pictures: list[VideoFrame]

    @classmethod
    def shaped(cls, clip: Path) -> Footage:
        """VP8 320x240, 5 a second, 100 kbit/s."""
        return cls("shaped", page.RATE, page.encode(clip), [])

    @classmethod
    def foreign(cls, clip: Path) -> Footage:
        """VP8 640x360, 30 a second, 1 Mbit/s."""
        pictures = [
            picture.reformat(WIDTH, HEIGHT, format="yuv420p") for picture, _ in islice(pictures_of(clip), PICTURES)
        ]
        encoder = _encoder()
        shown = (_shown(pictures, number) for number in range(10 * RATE))
        return cls("foreign", RATE, [bytes(packet) for frame in shown for packet in encoder.encode(frame)], pictures)

    def track(self) -> page.ShapedTrack | LiveTrack:
        """A track of its own for one client."""
        return LiveTrack(self.pictures) if self.pictures else page.ShapedTrack(self.frames)


class LiveTrack(PacedTrack):
    """Encodes pictures as they are due; :meth:`ask_key` makes the next one a keyframe."""

    def __init__(self, pictures: list[VideoFrame]) -> None:
        super().__init__(RATE)
        self._pictures = pictures
        self._encoder = _encoder()
        self._key = False
        self.keys_asked = 0

    def ask_key(self) -> None:
        """The receiver wants a keyframe."""
        self._key = True
        self.keys_asked += 1

    async def recv(self) -> Packet[Any]:
        """The next frame when it is due."""
        number = await self.due()
        frame = _shown(self._pictures, number)
        frame.pict_type = PictureType.I if self._key else PictureType.NONE
        self._key = False
        (made,) = await asyncio.to_thread(self._encoder.encode, frame)
        self.stamp(made, number)
        return made


class Client:
    """One connection that sends one track and nothing else."""

    def __init__(self, track: page.ShapedTrack | LiveTrack) -> None:
        self.track = track
        self._peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        sender = self._peer.addTransceiver(track, direction="sendonly").sender
        if isinstance(track, LiveTrack):
            sender._send_keyframe = track.ask_key  # type: ignore[method-assign]
        end_consent_checks(self._peer)
        gather_loopback(self._peer)

    async def offer(self) -> str:
        """The offer, with candidates."""
        await self._peer.setLocalDescription(await self._peer.createOffer())
        return str(self._peer.localDescription.sdp)

    async def answered(self, answer: str) -> None:
        """Begin to send."""
        await self._peer.setRemoteDescription(RTCSessionDescription(answer, "answer"))

    async def close(self) -> None:
        """Send no more."""
        self.track.stop()
        await self._peer.close()


def _encoder() -> VideoCodecContext:
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate, encoder.time_base, encoder.framerate = BITRATE, Fraction(1, RATE), Fraction(RATE)
    encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "3000"}
    encoder.thread_count = 1
    return encoder


def _shown(pictures: list[VideoFrame], number: int) -> VideoFrame:
    """The picture with this number, there and back; two in three are a camera's that moved a little."""
    place = number % (2 * len(pictures) - 2)
    frame = VideoFrame.from_ndarray(pictures[min(place, 2 * len(pictures) - 2 - place)].to_ndarray(), format="yuv420p")
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    return frame
