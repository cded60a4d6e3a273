"""What a peer may say to a receiver that a careless reading of it would end the session for."""

from __future__ import annotations

import struct

import pytest
from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpPsfbPacket, RtcpSenderInfo, RtcpSrPacket, RtpPacket, pack_remb_fci

from lessonroom.media.guard import Connection
from lessonroom.media.guard.reports import Reports
from lessonroom.media.guard.routing import ReceiverRouter


@pytest.fixture
def router() -> ReceiverRouter:
    router = ReceiverRouter()
    router.ssrc_table[7] = "receiver"  # type: ignore[assignment]
    return router


def test_reports_and_goodbyes_reach_the_receiver_of_their_stream(router: ReceiverRouter) -> None:
    for stream, expected in ((7, {"receiver"}), (8, set())):
        report = RtcpSrPacket(stream, RtcpSenderInfo(0, 0, 0, 0))
        assert router.route_rtcp(report) == expected
        assert router.route_rtcp(RtcpByePacket([stream, 9])) == expected


def test_a_bandwidth_estimate_that_is_cut_short_is_for_nobody(router: ReceiverRouter) -> None:
    """aiortc's own router raises struct.error for it, and the session ends."""
    cut = bytes(RtcpPsfbPacket(15, 1, 0, pack_remb_fci(300_000, [1, 2])[:-4]))
    (packet,) = RtcpPacket.parse(cut)
    with pytest.raises(struct.error):
        super(ReceiverRouter, router).route_rtcp(packet)
    assert router.route_rtcp(packet) == set()


async def test_a_guarded_connection_routes_by_it() -> None:
    connection = Connection([], relay_only=False, loopback=False, on_picture=lambda _: None, on_end=lambda: None)
    assert isinstance(connection.receiver.transport._rtp_router, ReceiverRouter)
    await connection.close()


def test_a_stream_of_retransmissions_alone_has_nothing_to_report_yet() -> None:
    """There is no highest sequence number then; asked for one, the statistics raise TypeError."""
    reports = Reports(7)
    assert not reports.due
    with pytest.raises(TypeError):
        reports.report(1, 0.0)
    reports.received(RtpPacket(96, 0, 5, 9000, 7, b"x"))
    assert reports.due
    assert reports.report(1, 0.0)
