"""The receiving end of one video stream, in the place of aiortc's RTCRtpReceiver.

Decrypted packets come from :mod:`.inlet`, on the spot. For the rest it has what ``RTCRtpTransceiver``,
``RTCPeerConnection`` and ``RTCDtlsTransport`` ask of a receiver. Decoded pictures go to a callback at once; there is no
track to drain.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable
from typing import cast

from aiortc.codecs import is_rtx
from aiortc.mediastreams import MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpReceiver
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpReceiveParameters
from aiortc.stats import RTCStatsReport

from lessonroom.media.guard.assembly import Assembly, Outcome, Piece
from lessonroom.media.guard.decoding import LIBAV_NAMES, Decoded, DecodeStream
from lessonroom.media.guard.keys import Keyframes
from lessonroom.media.guard.payload import piece_of
from lessonroom.media.guard.reports import Reports
from lessonroom.media.guard.rtp import Goodbye, Packet, read_control, read_packet, source_description
from lessonroom.media.guard.sampling import Reader, Sampling

TAKE_OVER = 1.0
"""Seconds of silence after which another stream of the same peer is taken instead."""
REPORT_SECONDS = 0.5, 1.5
"""Between two receiver reports, at random within this range (RFC 3550 section 6.2), when a packet comes."""


class VideoReceiver:
    """Receives, mends and decodes one video stream at a time.

    ``on_picture`` gets every decoded picture; ``reader`` says how many are wanted. ``on_end`` is called once when the
    peer says goodbye or the transport is gone. Both run on the event loop and must not block.
    """

    def __init__(
        self,
        transport: RTCDtlsTransport,
        *,
        on_picture: Callable[[Decoded], None],
        on_end: Callable[[], None],
        reader: Reader,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._on_picture = on_picture
        self._on_end = on_end
        self._reader = reader
        self._clock = clock
        self._enabled = True
        self._track: MediaStreamTrack | None = None
        self._own_ssrc: int | None = None
        self._name = secrets.token_urlsafe(12)  # CNAME: 96 random bits, new for each session (RFC 7022 section 4.2)
        self._formats: dict[int, str] = {}
        self._rtx: dict[int, int] = {}
        self._rtx_ssrc: dict[int, int] = {}
        self._announced: frozenset[int] = frozenset()
        self._assembly = Assembly()
        self._keys = Keyframes()
        self._sampling = Sampling()
        self._reports: Reports | None = None
        self._stream: DecodeStream | None = None
        self._codec = ""
        self._receiving = False
        self._sending: set[asyncio.Task[None]] = set()
        self._broken = False
        self._closed = False
        self._past_dropped = self._past_errors = 0
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
        """Frames that the decoder could not read."""
        return self._past_errors + (self._stream.decoder.errors if self._stream else 0)

    @property
    def dropped(self) -> int:
        """Packets and frames lost or thrown away undecoded, but for those that were not wanted."""
        return self._past_dropped + sum(part.dropped for part in (self._assembly, self._keys, self._stream) if part)

    # --- what RTCPeerConnection and RTCRtpTransceiver ask of a receiver ----------------------------------------------

    async def receive(self, parameters: RTCRtpReceiveParameters) -> None:
        """Start to take packets of the negotiated formats. Called again, does nothing."""
        if self._receiving or self._closed:
            return
        self._receiving = True
        for codec in parameters.codecs:
            self._learn(codec)
        self._rtx_ssrc = {e.rtx.ssrc: e.ssrc for e in parameters.encodings if e.rtx}
        self._announced = frozenset(e.ssrc for e in parameters.encodings)
        self._transport._register_rtp_receiver(cast(RtpReceiver, self), parameters)

    async def stop(self) -> None:
        """Take no more packets; returns at once, a frame that is being decoded is forgotten."""
        self._closed = True
        self._transport._unregister_rtp_receiver(cast(RtpReceiver, self))
        if self._stream:
            self._stream.close()
        if self._track:
            self._track.stop()
        for task in self._sending:
            task.cancel()

    def setTransport(self, transport: RTCDtlsTransport) -> None:  # noqa: N802 - aiortc's name
        """Move to another transport, when media are bundled."""
        self._transport = transport

    async def getStats(self) -> RTCStatsReport:  # noqa: N802 - aiortc's name
        """Nothing: the analyser has counters of its own."""
        return RTCStatsReport()

    def _set_rtcp_ssrc(self, ssrc: int) -> None:
        self._own_ssrc = ssrc

    # --- what comes ---------------------------------------------------------------------------------------------------

    def _handle_disconnect(self) -> None:
        self._on_end()

    def take_rtcp(self, data: bytes) -> None:
        """Read what the sender says of its stream; what is broken is passed over."""
        for said in read_control(data):
            if isinstance(said, Goodbye):
                if self._knows(said.sources):
                    self._on_end()
            elif self._reports and said.ssrc == self._reports.ssrc:
                self._reports.sender_reported(said, self._clock())

    def take_rtp(self, data: bytes) -> None:
        """Take one decrypted packet; what is none, or of a format that was not agreed on, is for nobody."""
        try:
            packet = read_packet(data)
        except ValueError:
            return
        now = self._clock()
        original = self._unwrapped(packet)
        if original is None or self._closed or not self._receiving or not self._enabled:
            return
        codec = self._formats.get(original.payload_type)
        reports = self._accept(original.ssrc, now) if codec else None
        if codec is None or reports is None:
            return
        if original is packet:
            reports.received(packet.sequence_number, packet.timestamp, now)
        self.packets += 1
        self.last_packet_at = now
        self._take(codec, original, reports, now)
        if now >= reports.next_at and self._own_ssrc is not None and reports.due:
            reports.next_at = now + random.uniform(*REPORT_SECONDS)
            self._send(reports.report(self._own_ssrc, now) + source_description(self._own_ssrc, self._name))

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

    def _unwrapped(self, packet: Packet) -> Packet | None:
        """The packet itself, or the one that a retransmission (RFC 4588 section 4) holds."""
        apt = self._rtx.get(packet.payload_type)
        if apt is None:
            return packet
        original = self._rtx_ssrc.get(packet.ssrc)
        if original is None or len(packet.payload) < 2:
            return None
        sequence = int.from_bytes(packet.payload[:2], "big")
        return Packet(apt, packet.marker, sequence, packet.timestamp, original, packet.payload[2:])

    def _knows(self, streams: tuple[int, ...]) -> bool:
        """Whether the stream that is listened to is among these; before there is one, any that the offer told of."""
        known = self._announced if self._reports is None else {self._reports.ssrc}
        return not known.isdisjoint(streams)

    def _accept(self, ssrc: int, now: float) -> Reports | None:
        """The reports of the one stream that is listened to, or None for another one that talks over it."""
        if self._reports is not None and self._reports.ssrc == ssrc:
            return self._reports
        if self.last_packet_at is not None and now - self.last_packet_at < TAKE_OVER:
            return None
        self._reports = Reports(ssrc)
        self._sampling = Sampling()
        self._assemble_anew()
        self._keys_anew()
        return self._reports

    def _take(self, codec: str, packet: Packet, reports: Reports, now: float) -> None:
        try:
            piece = piece_of(codec, packet)
        except ValueError:
            self._assembly.dropped += 1
            return
        outcome = self._sample(piece, now) if self._sampling.keys_only else self._mend(piece, now)
        for frame in outcome.frames:
            self._decoding(codec).put(frame)
        if self._own_ssrc is not None and outcome.missing:
            self._send(reports.ask_again(self._own_ssrc, outcome.missing))
        if self._own_ssrc is not None and outcome.ask_key:
            self._send(reports.ask_key(self._own_ssrc))

    def _mend(self, piece: Piece, now: float) -> Outcome:
        """Every frame, as long as there is no hole."""
        if self._broken:
            self._broken = False
            self._assembly.lose()
        outcome = self._assembly.add(piece, now)
        if any(frame.key for frame in outcome.frames):
            self._sampling.key_came(now)
        self._sampling.mending = self._sampling.mending or outcome.ask_key
        due = self._sampling.key_due(now, self._reader)
        if self._sampling.keys_only:
            self._keys_anew()
        return Outcome(outcome.frames, outcome.missing, outcome.ask_key or due)

    def _sample(self, piece: Piece, now: float) -> Outcome:
        """Keyframes alone, asked for when one is wanted."""
        outcome = self._keys.add(piece, now)
        if outcome.frames:
            self._sampling.key_came(now)
        elif outcome.ask_key or self._broken:
            self._broken = False
            self._sampling.key_lost(now)
        due = self._sampling.key_due(now, self._reader)
        if not self._sampling.keys_only:
            self._assemble_anew()
        return Outcome(outcome.frames, outcome.missing, due)

    def _assemble_anew(self) -> None:
        self._past_dropped, self._assembly = self._past_dropped + self._assembly.dropped, Assembly()

    def _keys_anew(self) -> None:
        self._past_dropped, self._keys = self._past_dropped + self._keys.dropped, Keyframes()

    def _decoded(self, decoded: Decoded) -> None:
        """Hand out a picture; learn from it what the stream costs."""
        if not self._sampling.keys_only:
            pixels = decoded.picture.width * decoded.picture.height
            self._sampling.decoded(pixels, decoded.at, self._reader.interval)
        self._on_picture(decoded)

    def _decoding(self, codec: str) -> DecodeStream:
        if self._stream is None or codec != self._codec:
            if self._stream is not None:
                self._stream.close()
                self._past_dropped += self._stream.dropped
                self._past_errors += self._stream.decoder.errors
            self._codec = codec
            self._stream = DecodeStream(codec, self._decoded, self._break)
        return self._stream

    def _break(self) -> None:
        """The decoder lost the thread: the next packet makes the assembly wait for a keyframe, and ask for it."""
        self._broken = True

    def _send(self, packet: bytes) -> None:
        """Send RTCP without waiting for it."""
        task = asyncio.get_running_loop().create_task(self._sent(packet), name="rtcp")
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, packet: bytes) -> None:
        try:
            await self._transport._send_rtp(packet)
        except ConnectionError:  # the transport went down in between; its own state change ends the session
            return
