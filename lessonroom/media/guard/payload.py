"""From the payload of an RTP packet to a :class:`~lessonroom.media.guard.assembly.Piece`: VP8 and H.264.

Pure. The payload formats are those of RFC 7741 and RFC 6184; aiortc's own parsers read them.
"""

from __future__ import annotations

from aiortc.codecs.h264 import H264PayloadDescriptor
from aiortc.codecs.vpx import VpxPayloadDescriptor
from aiortc.rtp import RtpPacket

from lessonroom.media.guard.assembly import Piece

_SEQUENCE_PARAMETERS = 7
_INSTANT_REFRESH = 5


def piece_of(codec: str, packet: RtpPacket) -> Piece:
    """Read one packet. ``codec``: ``"VP8"`` or ``"H264"``.

    Raises ValueError when the payload is not what its format demands.
    """
    key_start, data = False, b""
    if packet.payload:
        key_start, data = _vp8(packet.payload) if codec == "VP8" else _h264(packet.payload)
    return Piece(packet.sequence_number, packet.timestamp, bool(packet.marker), key_start, data)


def _vp8(payload: bytes) -> tuple[bool, bytes]:
    """RFC 7741 sections 4.2 and 4.3: the first partition's first packet begins with the frame's own header."""
    descriptor, data = VpxPayloadDescriptor.parse(payload)
    begins = bool(descriptor.partition_start) and descriptor.partition_id == 0 and bool(data)
    return begins and not data[0] & 1, data


def _h264(payload: bytes) -> tuple[bool, bytes]:
    """RFC 6184 section 5.4: a keyframe comes with its parameters, or is a picture of instant refresh."""
    descriptor, data = H264PayloadDescriptor.parse(payload)
    if not descriptor.first_fragment or len(data) < 5:
        return False, data
    return data[4] & 0x1F in {_SEQUENCE_PARAMETERS, _INSTANT_REFRESH}, data
