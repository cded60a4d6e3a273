"""RTCP of a receiver: receiver reports (RFC 3550 section 6.4.2), generic NACK and picture loss (RFC 4585 section 6).

Pure but for aiortc's packet classes and its loss statistics, which read the wall clock for jitter.
"""

from __future__ import annotations

from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

CLOCK_RATE = 90_000


class Reports:
    """What one received stream must be told about. ``ssrc``: the stream's own."""

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self._statistics = StreamStatistics(CLOCK_RATE)
        self._sender_report: tuple[int, float] | None = None

    @property
    def due(self) -> bool:
        """Whether there is anything to report: a packet of the stream has come, not only retransmissions of some."""
        return self._statistics.packets_received > 0

    def received(self, packet: RtpPacket) -> None:
        """Count a packet of the stream."""
        self._statistics.add(packet)

    def sender_reported(self, packet: RtcpSrPacket, now: float) -> None:
        """Keep the middle of the report's time, for the sender's round-trip time."""
        self._sender_report = (packet.sender_info.ntp_timestamp >> 16) & 0xFFFFFFFF, now

    def report(self, own_ssrc: int, now: float) -> bytes:
        """A receiver report; it must be :attr:`due`. ``now``: seconds."""
        last, delay = 0, 0
        if self._sender_report is not None:
            last = self._sender_report[0]
            delay = min(int((now - self._sender_report[1]) * 65536), 0xFFFFFFFF)
        statistics = self._statistics
        info = RtcpReceiverInfo(
            ssrc=self.ssrc,
            fraction_lost=statistics.fraction_lost,
            packets_lost=statistics.packets_lost,
            highest_sequence=(statistics.cycles + (statistics.max_seq or 0)) & 0xFFFFFFFF,
            jitter=statistics.jitter & 0xFFFFFFFF,
            lsr=last,
            dlsr=delay,
        )
        return bytes(RtcpRrPacket(ssrc=own_ssrc, reports=[info]))

    def ask_again(self, own_ssrc: int, missing: list[int]) -> bytes:
        """Generic NACK for these sequence numbers, sorted: aiortc cannot pack a list that wraps around at 2^16."""
        return bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=own_ssrc, media_ssrc=self.ssrc, lost=sorted(missing)))

    def ask_key(self, own_ssrc: int) -> bytes:
        """Picture loss indication: the sender answers with a keyframe."""
        return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=own_ssrc, media_ssrc=self.ssrc))
