"""RTCP of a receiver: receiver reports (RFC 3550 section 6.4.2), generic NACK and picture loss (RFC 4585 section 6).

Pure but for aiortc's packet classes.
"""

from __future__ import annotations

from aiortc.rtp import RTCP_PSFB_PLI, RTCP_RTPFB_NACK, RtcpPsfbPacket, RtcpRtpfbPacket

from lessonroom.media.guard.assembly import MISORDER
from lessonroom.media.guard.rtp import ReceptionReport, SenderReport, receiver_report

CLOCK_RATE = 90_000
DROPOUT = 3000
"""Packets that may be lost at once; a longer step is a stray number, or a new start (RFC 3550 appendix A.1)."""
_TURN = 1 << 16
_HALF_CLOCK = 1 << 31


class Reports:
    """What one received stream must be told about. ``ssrc``: the stream's own. Times are seconds of one clock."""

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.next_at = 0.0
        """When to report next; whoever reports sets it."""
        self._count = self._first = self._highest = 0
        self._astray = -1
        """The number after one that was far off: when it comes next, the numbers have begun anew."""
        self._jitter = 0.0
        self._transit: float | None = None
        self._timestamp = -1
        self._expected_before = self._count_before = 0
        self._sender_report: tuple[int, float] | None = None

    @property
    def due(self) -> bool:
        """Whether there is anything to report: a packet of the stream has come, not only retransmissions of some."""
        return self._count > 0

    def received(self, sequence: int, timestamp: int, now: float) -> None:
        """Count a packet of the stream (RFC 3550 appendices A.1, A.3 and A.8)."""
        if not self._count:
            self._begin(sequence)
        step = (sequence - self._highest) % _TURN
        if DROPOUT <= step <= _TURN - MISORDER:
            if sequence != self._astray:
                self._astray = (sequence + 1) % _TURN
                return
            self._begin(sequence)
            step = 0
        self._count += 1
        if step >= DROPOUT:  # late
            return
        self._highest += step
        self._measure(timestamp, now)

    def _begin(self, sequence: int) -> None:
        """Count from here: what the numbers were before tells of no loss."""
        self._first = self._highest = sequence
        self._count = self._expected_before = self._count_before = 0
        self._transit = None

    def _measure(self, timestamp: int, now: float) -> None:
        """Jitter, from the first packet of each frame."""
        if timestamp != self._timestamp:
            self._timestamp = timestamp
            transit = now * CLOCK_RATE - timestamp
            if self._transit is not None:
                difference = abs(transit - self._transit)
                # a timestamp that wraps around says nothing about the line
                if difference < _HALF_CLOCK:
                    self._jitter += (difference - self._jitter) / 16
            self._transit = transit

    def sender_reported(self, report: SenderReport, now: float) -> None:
        """Keep the report's time, for the sender's round-trip time."""
        self._sender_report = report.middle, now

    def report(self, own_ssrc: int, now: float) -> bytes:
        """A receiver report; it must be :attr:`due`."""
        last, delay = 0, 0
        if self._sender_report is not None:
            last = self._sender_report[0]
            delay = min(int((now - self._sender_report[1]) * 65536), 0xFFFFFFFF)
        expected = self._highest - self._first + 1
        block = ReceptionReport(
            ssrc=self.ssrc,
            fraction_lost=self._fraction_lost(expected),
            lost=expected - self._count,
            highest=self._highest,
            jitter=int(self._jitter),
            last_report=last,
            delay=delay,
        )
        return receiver_report(own_ssrc, block)

    def _fraction_lost(self, expected: int) -> int:
        """Of the packets since the latest report, in 256ths (RFC 3550 appendix A.3)."""
        wanted, came = expected - self._expected_before, self._count - self._count_before
        self._expected_before, self._count_before = expected, self._count
        return ((wanted - came) << 8) // wanted if wanted > came else 0

    def ask_again(self, own_ssrc: int, missing: list[int]) -> bytes:
        """Generic NACK for these sequence numbers, sorted: aiortc cannot pack a list that wraps around at 2^16."""
        return bytes(RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=own_ssrc, media_ssrc=self.ssrc, lost=sorted(missing)))

    def ask_key(self, own_ssrc: int) -> bytes:
        """Picture loss indication: the sender answers with a keyframe."""
        return bytes(RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=own_ssrc, media_ssrc=self.ssrc))
