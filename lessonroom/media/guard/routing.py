"""Which receiver a decrypted packet is for, in a connection that sends no media of its own."""

from __future__ import annotations

from aiortc.rtcdtlstransport import RtpReceiver, RtpRouter, RtpSender
from aiortc.rtp import AnyRtcpPacket, RtcpByePacket, RtcpSrPacket


class ReceiverRouter(RtpRouter):
    """aiortc's router without its way to senders, of which there are none.

    On that way aiortc 1.16 reads bandwidth estimates (REMB) further than they go: one that is cut short raises
    struct.error, where ValueError is waited for, and ends the session.
    """

    def route_rtcp(self, packet: AnyRtcpPacket) -> set[RtpReceiver | RtpSender]:
        """The receivers of a sender's report or goodbye; what is meant for senders is for nobody."""
        streams: list[int] = []
        if isinstance(packet, RtcpSrPacket):
            streams = [packet.ssrc]
        elif isinstance(packet, RtcpByePacket):
            streams = packet.sources
        return {self.ssrc_table[stream] for stream in streams if stream in self.ssrc_table}
