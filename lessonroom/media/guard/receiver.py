"""The receiving end of one video stream: what aiortc's transport hands packets to, instead of its RTCRtpReceiver.

It speaks the protocol ``RtpReceiver`` of :mod:`aiortc.rtcdtlstransport` and has what ``RTCRtpTransceiver`` and
``RTCPeerConnection`` ask of a receiver. Decoded pictures go to a callback at once; there is no track to drain.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable

from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.rtp import AnyRtcpPacket, RtcpByePacket, RtcpSrPacket, RtpPacket, unwrap_rtx
from aiortc.stats import RTCStatsReport

from lessonroom.media.guard.assembly import Assembly
from lessonroom.media.guard.decoding import LIBAV_NAMES, Decoded, DecodeStream
from lessonroom.media.guard.payload import piece_of
from lessonroom.media.guard.reports import Reports

TAKE_OVER = 1.0
"""Seconds of silence after which another stream of the same peer is taken instead."""


class VideoReceiver:
    """Receives, mends and decodes one video stream at a time.

    ``on_picture`` gets every decoded picture, ``on_end`` is called once when the peer says goodbye or the transport
    is gone. Both run on the event loop and must not block.
    """

    def __init__(
        self,
        transport: RTCDtlsTransport,
        *,
        on_picture: Callable[[Decoded], None],
        on_end: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._on_picture = on_picture
        self._on_end = on_end
        self._clock = clock
        self._enabled = True
        self._track: MediaStreamTrack | None = None
        self._own_ssrc: int | None = None
        self._formats: dict[int, str] = {}
        self._rtx: dict[int, int] = {}
        self._rtx_ssrc: dict[int, int] = {}
        self._assembly = Assembly()
        self._reports: Reports | None = None
        self._stream: DecodeStream | None = None
        self._codec = ""
        self._reporting: asyncio.Task[None] | None = None
        self._broken = False
        self._closed = False
        self.packets = 0
        self.last_packet_at: float | None = None

    @property
    def track(self) -> MediaStreamTrack | None:
        """What RTCPeerConnection made for this stream. Nobody writes to it."""
        return self._track

    @property
    def transport(self) -> RTCDtlsTransport:
        """The transport that hands over packets."""
        return self._transport

    @property
    def decode_errors(self) -> int:
        """Frames of the current stream that the decoder could not read."""
        return self._stream.decoder.errors if self._stream else 0

    @property
    def dropped(self) -> int:
        """Packets and frames thrown away undecoded."""
        return self._assembly.dropped + (self._stream.dropped if self._stream else 0)

    # --- what RTCPeerConnection and RTCRtpTransceiver ask of a receiver ----------------------------------------------

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Start to take packets of the negotiated formats. Called again, does nothing."""
        if self._reporting is not None or self._closed:
            return
        for codec in parameters.codecs:
            self._learn(codec)
        self._rtx_ssrc = {e.rtx.ssrc: e.ssrc for e in parameters.encodings if e.rtx}
        self._transport._register_rtp_receiver(self, parameters)
        self._reporting = asyncio.create_task(self._report_for_ever(), name="rtcp-reports")

    async def stop(self) -> None:
        """Take no more packets; returns at once, a frame that is being decoded is forgotten."""
        self._closed = True
        self._transport._unregister_rtp_receiver(self)
        if self._stream:
            self._stream.close()
        if self._track:
            self._track.stop()
        if self._reporting is not None and not self._reporting.done():
            self._reporting.cancel()
            await asyncio.wait([self._reporting])

    def setTransport(self, transport: RTCDtlsTransport) -> None:  # noqa: N802 - aiortc's name
        """Move to another transport, when media are bundled."""
        self._transport = transport

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """Nothing: the analyser has counters of its own."""
        return RTCStatsReport()

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._own_ssrc = ssrc

    # --- what RTCDtlsTransport hands over ----------------------------------------------------------------------------

    def _handle_disconnect(self) -> None:
        self._on_end()

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpByePacket):
            self._on_end()
        elif isinstance(packet, RtcpSrPacket) and self._reports and packet.ssrc == self._reports.ssrc:
            self._reports.sender_reported(packet, self._clock())

    async def _handle_rtp_packet(self, packet: RtpPacket, arrival_time_ms: int) -> None:
        now = self._clock()
        original = self._unwrapped(packet)
        if original is None or self._closed or not self._enabled:
            return
        codec = self._formats.get(original.payload_type)
        reports = self._accept(original.ssrc, now) if codec else None
        if codec is None or reports is None:
            # aiortc's router remembers every SSRC that a peer makes up; keep only the one that is listened to
            self._transport._rtp_router.ssrc_table.pop(packet.ssrc, None)
            return
        if original is packet:
            reports.received(packet)
        self.packets += 1
        self.last_packet_at = now
        await self._take(codec, original, reports, now)

    # --- own ---------------------------------------------------------------------------------------------------------

    def _learn(self, codec: RTCRtpCodecParameters) -> None:
        """Note what a payload type stands for."""
        if codec.payloadType is None:
            return
        apt = codec.parameters.get("apt")
        if is_rtx(codec) and isinstance(apt, int):
            self._rtx[codec.payloadType] = apt
        elif codec.name in LIBAV_NAMES:
            self._formats[codec.payloadType] = codec.name

    def _unwrapped(self, packet: RtpPacket) -> RtpPacket | None:
        """The packet itself, or the one that a retransmission (RFC 4588) holds."""
        apt = self._rtx.get(packet.payload_type)
        if apt is None:
            return packet
        original = self._rtx_ssrc.get(packet.ssrc)
        if original is None or len(packet.payload) < 2:
            return None
        return unwrap_rtx(packet, payload_type=apt, ssrc=original)

    def _accept(self, ssrc: int, now: float) -> Reports | None:
        """The reports of the one stream that is listened to, or None for another one that talks over it."""
        if self._reports is not None and self._reports.ssrc == ssrc:
            return self._reports
        if self.last_packet_at is not None and now - self.last_packet_at < TAKE_OVER:
            return None
        self._reports = Reports(ssrc)
        self._assembly = Assembly()
        return self._reports

    async def _take(self, codec: str, packet: RtpPacket, reports: Reports, now: float) -> None:
        try:
            piece = piece_of(codec, packet)
        except ValueError:
            self._assembly.dropped += 1
            return
        if self._broken:
            self._broken = False
            self._assembly.lose()
        outcome = self._assembly.add(piece, now)
        for frame in outcome.frames:
            self._decoding(codec).put(frame)
        if self._own_ssrc is not None and outcome.missing:
            await self._send(reports.ask_again(self._own_ssrc, outcome.missing))
        if self._own_ssrc is not None and outcome.ask_key:
            await self._send(reports.ask_key(self._own_ssrc))

    def _decoding(self, codec: str) -> DecodeStream:
        if self._stream is None or codec != self._codec:
            if self._stream is not None:
                self._stream.close()
            self._codec = codec
            self._stream = DecodeStream(codec, self._on_picture, self._break)
        return self._stream

    def _break(self) -> None:
        """The decoder lost the thread: the next packet makes the assembly wait for a keyframe, and ask for it."""
        self._broken = True

    async def _report_for_ever(self) -> None:
        while True:
            # RFC 3550 section 6.2: randomised, so that receivers do not speak at once
            await asyncio.sleep(0.5 + random.random())
            if self._reports is not None and self._reports.due and self._own_ssrc is not None:
                await self._send(self._reports.report(self._own_ssrc, self._clock()))

    async def _send(self, packet: bytes) -> None:
        try:
            await self._transport._send_rtp(packet)
        except ConnectionError:
            # the transport went down in between; its own state change ends the session
            return
