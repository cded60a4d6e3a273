"""From the payload of an RTP packet to a :class:`~lessonroom.media.guard.assembly.Piece`: VP8 and H.264.

Pure. The payload formats are those of RFC 7741 and RFC 6184; aiortc's own parser reads the latter.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiortc.codecs.h264 import NAL_TYPE_STAP_A, H264PayloadDescriptor

from lessonroom.media.guard.assembly import Piece
from lessonroom.media.guard.rtp import Packet

_SEQUENCE_PARAMETERS = 7
_INSTANT_REFRESH = 5


def piece_of(codec: str, packet: Packet) -> Piece:
    """Read one packet. ``codec``: ``"VP8"`` or ``"H264"``.

    Raises ValueError when the payload is not what its format demands.
    """
    key_start, data = False, b""
    if packet.payload:
        key_start, data = _vp8(packet.payload) if codec == "VP8" else _h264(packet.payload)
    return Piece(packet.sequence_number, packet.timestamp, bool(packet.marker), key_start, data)


def _vp8(payload: bytes) -> tuple[bool, bytes]:
    """RFC 7741 sections 4.2 and 4.3: the first partition's first packet begins with the frame's own header."""
    first, start = payload[0], 1
    try:
        if first & 0x80:
            start = _past_extensions(payload)
    except IndexError:
        raise ValueError("expected a VP8 payload descriptor, got fewer bytes") from None
    if start > len(payload):
        raise ValueError("expected a VP8 payload descriptor, got fewer bytes")
    data = payload[start:]
    # S is set and the partition's number is 0
    return first & 0x17 == 0x10 and bool(data) and not data[0] & 1, data


def _past_extensions(payload: bytes) -> int:
    """Where the frame's data begin: past the picture's number, TL0PICIDX, and the octet of TID, Y and KEYIDX."""
    extensions, start = payload[1], 2
    if extensions & 0x80:
        start += 2 if payload[start] & 0x80 else 1
    if extensions & 0x40:
        start += 1
    if extensions & 0x30:
        start += 1
    return start


def _h264(payload: bytes) -> tuple[bool, bytes]:
    """RFC 6184 section 5.4: a keyframe comes with its parameters, or is a picture of instant refresh."""
    descriptor, data = H264PayloadDescriptor.parse(payload)
    return descriptor.first_fragment and any(map(_begins_keyframe, _units(payload, data))), data


def _units(payload: bytes, data: bytes) -> Iterator[bytes]:
    """The first two bytes of each NAL unit that begins in a packet (RFC 6184 sections 5.6 to 5.8)."""
    if payload[0] & 0x1F != NAL_TYPE_STAP_A:
        yield data[4:6]
        return
    start = 1
    while start < len(payload):
        size = int.from_bytes(payload[start : start + 2], "big")
        yield payload[start + 2 : start + 2 + min(size, 2)]
        start += 2 + size


def _begins_keyframe(unit: bytes) -> bool:
    """Of a picture's slices only the first does: its first macroblock's number, 0, is one set bit (H.264 7.3.3)."""
    kind = unit[0] & 0x1F if unit else 0
    return kind == _SEQUENCE_PARAMETERS or (kind == _INSTANT_REFRESH and len(unit) > 1 and unit[1] >= 0x80)
