"""Reading RTP and RTCP as aiortc reads them, and what a peer may say that a careless reading would fail on."""

from __future__ import annotations

import math
import random
import struct
from unittest.mock import Mock, patch

import pytest
from aiortc.rtcdtlstransport import State
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
)

from lessonroom.media.guard import Connection
from lessonroom.media.guard.inlet import Inlet
from lessonroom.media.guard.reports import CLOCK_RATE, Reports
from lessonroom.media.guard.rtp import (
    Goodbye,
    Packet,
    ReceptionReport,
    SenderReport,
    read_control,
    read_packet,
    receiver_report,
    source_description,
)


def plain(packet: RtpPacket) -> Packet:
    return Packet(
        packet.payload_type,
        packet.marker,
        packet.sequence_number,
        packet.timestamp,
        packet.ssrc,
        packet.payload,
    )


def made(chance: random.Random) -> bytes:
    """Some packet: contributing sources, an extension and padding come and go; half of them are cut short or bent."""
    packet = RtpPacket(
        96,
        chance.randrange(2),
        chance.randrange(2**16),
        chance.randrange(2**32),
        7,
        chance.randbytes(chance.randrange(9)),
    )
    packet.csrc = [chance.randrange(2**32) for _ in range(chance.randrange(3))]
    packet.padding_size = chance.choice((0, 0, 1, 5))
    data = packet.serialize()
    if chance.random() < 0.5:
        at = 12 + 4 * len(packet.csrc)
        data = bytes([data[0] | 0x10]) + data[1:at] + b"\x77\x77\x00\x01abcd" + data[at:]
    if chance.random() < 0.3:
        data = data[: chance.randrange(len(data))]
    if data and chance.random() < 0.3:
        at = chance.randrange(len(data))
        data = data[:at] + chance.randbytes(1) + data[at + 1 :]
    return data


def test_packets_are_read_and_refused_as_aiortc_reads_and_refuses_them() -> None:
    chance, read = random.Random(5), 0
    for _ in range(3000):
        data = made(chance)
        try:
            expected = plain(RtpPacket.parse(data))
        except ValueError:
            with pytest.raises(ValueError, match="expected"):
                read_packet(data)
        else:
            assert read_packet(data) == expected
            read += 1
    assert read > 1000


def test_reports_and_goodbyes_are_found_among_other_things() -> None:
    described = RtcpSdesPacket([RtcpSourceInfo(7, [(1, b"x")])])
    report = RtcpSrPacket(7, RtcpSenderInfo(0x0123_4567_89AB_CDEF, 0, 0, 0))
    data = b"".join(bytes(packet) for packet in (report, described, RtcpByePacket([7, 9])))
    assert list(read_control(data)) == [SenderReport(7, 0x4567_89AB), Goodbye((7, 9))]


def test_a_bandwidth_estimate_that_is_cut_short_says_nothing() -> None:
    """aiortc's router raises struct.error for it, and the session ends."""
    cut = bytes(RtcpPsfbPacket(15, 1, 0, pack_remb_fci(300_000, [1, 2])[:-4]))
    assert list(read_control(cut)) == []


@pytest.mark.parametrize("cut", range(1, 28))
def test_control_that_is_broken_ends_where_it_breaks(cut: int) -> None:
    report = bytes(RtcpSrPacket(7, RtcpSenderInfo(1 << 16, 0, 0, 0)))
    goodbye = bytes(RtcpByePacket([8]))
    assert list(read_control(goodbye + report[:-cut])) == [Goodbye((8,))]
    assert list(read_control(goodbye + struct.pack("!BBH", 0x01, 200, 6) + report[4:])) == [Goodbye((8,))]
    assert list(read_control(struct.pack("!BBH", 0x9F, 203, 1) + goodbye[4:])) == []


def test_a_report_is_read_by_others_as_it_was_meant() -> None:
    block = ReceptionReport(7, 130, -3, 70_000, 2**31, 9, 10)
    (packet,) = RtcpPacket.parse(receiver_report(5, block))
    assert isinstance(packet, RtcpRrPacket)
    (told,) = packet.reports
    assert (packet.ssrc, told.ssrc, told.fraction_lost, told.packets_lost) == (5, 7, 130, -3)
    assert (told.highest_sequence, told.jitter, told.lsr, told.dlsr) == (70_000, 2**31, 9, 10)


@pytest.mark.parametrize("name", ["a", "ab", "abc", "abcd", "x" * 16])
def test_who_reports_is_read_by_others_as_it_was_meant(name: str) -> None:
    block = ReceptionReport(7, 0, 0, 0, 0, 0, 0)
    report, described = RtcpPacket.parse(receiver_report(5, block) + source_description(5, name))
    assert isinstance(report, RtcpRrPacket)
    assert isinstance(described, RtcpSdesPacket)
    assert described.chunks == [RtcpSourceInfo(5, [(1, name.encode())])]
    assert source_description(5, name).endswith(b"\0")


async def test_no_report_goes_without_a_name_and_it_is_one_for_the_whole_session() -> None:
    """RFC 3550 section 6.1."""
    sent: list[bytes] = []
    connection = Connection([], relay_only=False, loopback=False, on_picture=lambda _: None, on_end=lambda: None)
    receiver = connection.receiver
    receiver._receiving, receiver._formats = True, {96: "VP8"}
    with patch.object(receiver, "_send", sent.append):
        for ssrc in (7, 8):
            receiver.last_packet_at = None
            receiver.take_rtp(RtpPacket(96, 0, 1, 0, ssrc, b"\x10\x00").serialize())
    (first, of_first), (second, of_second) = (RtcpPacket.parse(report) for report in sent)
    assert isinstance(first, RtcpRrPacket)
    assert isinstance(second, RtcpRrPacket)
    assert [first.reports[0].ssrc, second.reports[0].ssrc] == [7, 8]
    assert isinstance(of_first, RtcpSdesPacket)
    assert of_first == of_second
    await connection.close()


def test_a_stream_of_retransmissions_alone_has_nothing_to_report_yet() -> None:
    reports = Reports(7)
    assert not reports.due
    reports.received(5, 9000, 0.0)
    assert reports.due
    assert reports.report(1, 0.0)


def test_loss_is_told_of_the_time_since_the_latest_report_and_in_all() -> None:
    reports = Reports(7)
    for number in [*range(65_500, 65_536), *range(64)]:
        if number % 4:
            reports.received(number, number * 3000, number / 30)
    first, second = told(reports, 1.0), None
    assert (first.packets_lost, first.highest_sequence) == (24, 65_536 + 63)
    assert first.fraction_lost == 256 * 24 // 99
    for number in range(64, 164):
        reports.received(number, number * 3000, number / 30)
    second = told(reports, 2.0)
    assert (second.packets_lost, second.fraction_lost) == (24, 0)


def test_late_and_doubled_packets_take_no_place_of_newer_ones() -> None:
    reports = Reports(7)
    for number in (10, 12, 11, 11, 13):
        reports.received(number, 0, 0.0)
    after = told(reports, 1.0)
    assert (after.highest_sequence, after.packets_lost) == (13, -1)


@pytest.mark.parametrize("again", [100, 40_000])
def test_numbers_that_begin_anew_are_no_loss(again: int) -> None:
    """RFC 3550 appendix A.1: two packets in sequence are a new start."""
    reports = Reports(7)
    for number in [*range(20_000, 20_100), *range(again, again + 100)]:
        reports.received(number, 0, 0.0)
    after = told(reports, 1.0)
    assert (after.highest_sequence, after.packets_lost, after.fraction_lost) == (again + 99, 0, 0)


def test_one_number_far_off_is_no_new_start() -> None:
    reports = Reports(7)
    for number in [*range(100), 30_000, *range(100, 200), 60_000, *range(200, 210)]:
        reports.received(number, 0, 0.0)
    after = told(reports, 1.0)
    assert (after.highest_sequence, after.packets_lost) == (209, 0)


def test_a_long_loss_and_late_packets_in_sequence_are_no_new_start() -> None:
    reports = Reports(7)
    for number in [*range(100), *range(1000, 1400), 500, 501, 502]:
        reports.received(number, 0, 0.0)
    assert (told(reports, 1.0).highest_sequence, told(reports, 1.0).packets_lost) == (1399, 897)


def test_jitter_is_that_of_the_rfc() -> None:
    """A stream that comes by turns on time and 10 ms late has a jitter that goes to 10 ms."""
    reports = Reports(7)
    for number in range(400):
        reports.received(number, number * 9000, number / 10 + 0.01 * (number % 2))
    assert told(reports, 40.0).jitter == pytest.approx(0.01 * CLOCK_RATE, rel=0.01)


def test_the_time_of_a_senders_report_comes_back() -> None:
    reports = Reports(7)
    reports.received(1, 0, 0.0)
    reports.sender_reported(SenderReport(7, 0xABCD), now=5.0)
    report = told(reports, 5.5)
    assert (report.lsr, report.dlsr) == (0xABCD, 32_768)


def told(reports: Reports, now: float) -> RtcpReceiverInfo:
    (packet,) = RtcpPacket.parse(reports.report(1, now))
    assert isinstance(packet, RtcpRrPacket)
    return packet.reports[0]


async def test_broken_media_from_the_peer_itself_end_nothing() -> None:
    """Both ways: read straight from the socket, and by aiortc before there are keys."""
    connection = Connection([], relay_only=False, loopback=False, on_picture=lambda _: None, on_end=lambda: None)
    for data in (b"", b"\x80", b"\x80\xc8", b"\xb0" + bytes(11), bytes(RtcpPsfbPacket(15, 1, 0, b"REMB"))):
        await connection.receiver.transport._handle_rtp_data(data, 0)
        await connection.receiver.transport._handle_rtcp_data(data)
    await connection.close()


async def test_what_was_lost_of_earlier_streams_is_not_forgotten() -> None:
    """Whoever counts the difference would count what is left a second time."""
    connection = Connection([], relay_only=False, loopback=False, on_picture=lambda _: None, on_end=lambda: None)
    receiver = connection.receiver
    receiver._receiving, receiver._formats = True, {96: "VP8", 97: "H264"}
    lost = []
    for ssrc, payload_type, broken in ((7, 96, b"\x90"), (8, 97, b"\x67"), (8, 97, b"\x67"), (9, 96, b"\x90")):
        receiver.last_packet_at = None
        receiver.take_rtp(RtpPacket(payload_type, 1, 1, 0, ssrc, broken).serialize())
        receiver._decoding(receiver._formats[payload_type]).decoder.errors += 1
        lost.append((receiver.dropped, receiver.decode_errors))
    receiver._keys.dropped += 1
    receiver._keys_anew()
    assert lost == [(1, 1), (2, 2), (3, 3), (4, 4)]
    assert receiver.dropped == 5
    await connection.close()


async def test_a_defect_of_ours_is_not_taken_for_a_broken_packet() -> None:
    """Passed over, a picture that nobody can look at would look like a camera that is off."""

    def defect(frame: object) -> None:
        raise ValueError("expected another picture")

    connection = Connection([], relay_only=False, loopback=False, on_picture=lambda _: None, on_end=lambda: None)
    receiver, transport = connection.receiver, Mock()
    transport._rx_srtp.unprotect, transport._state = bytes, State.CONNECTED
    receiver._receiving, receiver._formats, receiver._transport = True, {96: "VP8"}, transport
    media = RtpPacket(96, 1, 1, 0, 7, b"\x10\x00rest").serialize()
    heard: list[bool] = []
    with (
        patch.object(receiver, "_decoding", return_value=Mock(put=defect)),
        patch.object(receiver, "_send"),
        pytest.raises(ValueError, match="another picture"),
    ):
        Inlet(receiver, lambda: heard.append(True)).take(media)
    assert heard == [True]
    await connection.close()


async def test_a_keyframe_asked_for_since_something_was_lost_is_known_as_such_when_it_comes() -> None:
    now = 100.0
    connection = Connection([], relay_only=False, loopback=False, on_picture=print, on_end=print, clock=lambda: now)
    receiver = connection.receiver
    receiver._receiving, receiver._formats = True, {96: "VP8"}
    seen = []
    with patch.object(receiver, "_decoding"), patch.object(receiver, "_send"):
        for sequence, payload in (
            (1, b"\x10\x00k"),
            (2, b"\x10\x01d"),
            (4, b"\x10\x01d"),
            (5, b"\x10\x01d"),
            (6, b"\x10\x00k"),
        ):
            receiver.take_rtp(RtpPacket(96, 1, sequence, 3000 * sequence, 7, payload).serialize())
            seen.append(receiver._sampling.mending)
            now += 0.5
    assert seen == [False, False, False, True, False]
    assert math.inf in list(receiver._sampling._gaps)[-1:]
    await connection.close()


@pytest.mark.parametrize(("current", "ended"), [(None, 1), (7, 1), (8, 0)])
async def test_the_goodbye_of_a_stream_that_another_took_the_place_of_ends_nothing(
    current: int | None, ended: int
) -> None:
    """A sender that changes its SSRC says goodbye to the old one (RFC 3550 section 8.2), perhaps late."""
    ends: list[int] = []
    connection = Connection([], relay_only=False, loopback=False, on_picture=print, on_end=lambda: ends.append(1))
    receiver = connection.receiver
    receiver._receiving, receiver._formats, receiver._announced = True, {96: "VP8"}, frozenset({7})
    if current is not None:
        receiver.take_rtp(RtpPacket(96, 0, 1, 0, current, b"\x10\x01").serialize())
    receiver.take_rtcp(bytes(RtcpByePacket([7])))
    assert len(ends) == ended
    await connection.close()
