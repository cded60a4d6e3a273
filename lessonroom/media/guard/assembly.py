"""From RTP packets to whole encoded frames: in order, at once when complete, and never stuck behind a lost packet.

Pure: time is an argument. A hole is asked for again (RFC 4585 section 6.2.1, generic NACK); when it stays, a new
keyframe is asked for (section 6.3.1, picture loss indication), and the first whole keyframe is jumped to. What lies
between is thrown away, for a decoder would smear it.

aiortc's own buffer waits for a lost packet until 512 later ones have come: 53.8 s at five small frames a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

PATIENCE = 0.4
"""Seconds that a hole may wait for its retransmission before a keyframe is asked for."""
REPEAT_KEY = 1.0
"""Seconds between two requests for a keyframe."""
REPEAT_NACK = 0.1
"""Seconds between two requests for the same missing packets."""
CAPACITY = 512
"""Packets kept at most; one more, and all are thrown away."""
NACKS = 64
"""Missing packets asked for at once."""
MISORDER = 1000
"""How far a sequence number may jump back before it is taken for a new start of the stream."""


@dataclass(slots=True)
class Piece:
    """What one RTP packet carries. ``key_start``: it begins a keyframe. ``data`` is empty in a padding packet."""

    sequence: int
    timestamp: int
    marker: bool
    key_start: bool
    data: bytes = field(repr=False)


@dataclass(slots=True)
class EncodedFrame:
    """A whole frame, ready to decode. ``timestamp``: RTP, 90 kHz. ``at``: when its last packet came, in seconds."""

    data: bytes = field(repr=False)
    timestamp: int
    key: bool
    at: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a packet brought: frames to decode in this order, sequence numbers to ask for again, a keyframe to ask."""

    frames: list[EncodedFrame]
    missing: list[int]
    ask_key: bool


NOTHING = Outcome([], [], ask_key=False)
"""What most packets bring. Not to be changed."""


class Positions:
    """16-bit sequence numbers as positions in an unending count."""

    def __init__(self) -> None:
        self.highest: int | None = None
        """The highest position so far."""
        self.jumped = False
        """Whether the latest number was so far back that the stream must have begun anew."""

    def of(self, sequence: int) -> int:
        """The position nearest to the highest so far."""
        if self.highest is None:
            self.highest = sequence
            return sequence
        step = (sequence - self.highest + 0x8000) % 0x10000 - 0x8000
        position = self.highest + step
        self.jumped = step < -MISORDER
        if step > 0 or self.jumped:
            self.highest = position
        return position


class Assembly:
    """The packets of one stream that are not yet a frame."""

    def __init__(self) -> None:
        self.dropped = 0
        """Packets thrown away because what they belong to cannot be decoded any more."""
        self._pieces: dict[int, Piece] = {}
        self._next: int | None = None
        self._positions = Positions()
        self._blocked_since: float | None = None
        self._asked_key: float | None = None
        self._asked_missing: float | None = None

    def add(self, piece: Piece, now: float) -> Outcome:
        """Take one packet, late and repeated ones included. ``now``: seconds, never going back."""
        position = self._positions.of(piece.sequence)
        if self._positions.jumped:
            self.lose()
        if self._next is None or position >= self._next:
            self._pieces[position] = piece
        if len(self._pieces) > CAPACITY:
            self.lose()
        frames = list(self._whole_frames(now))
        return Outcome(frames, self._missing_due(now), self._key_due(now))

    def lose(self) -> None:
        """Throw away what is kept and go on with the next keyframe: the decoder cannot use what is in between."""
        self.dropped += len(self._pieces)
        self._pieces.clear()
        self._next = None

    def _whole_frames(self, now: float) -> Iterator[EncodedFrame]:
        while (span := self._next_span()) is not None:
            yield self._take(*span, now)

    def _next_span(self) -> tuple[int, int] | None:
        """First and last position of the frame to decode next, when it is whole."""
        if self._next is not None:
            while (piece := self._pieces.get(self._next)) is not None and not piece.data:
                del self._pieces[self._next]
                self._next += 1
            if (end := self._end(self._next)) is not None:
                return self._next, end
            if not self._has_hole():
                return None
        for start in sorted(p for p, piece in self._pieces.items() if piece.key_start):
            if (end := self._end(start)) is not None:
                return start, end
        return None

    def _end(self, start: int) -> int | None:
        """Last position of the frame that begins at ``start``; None while a packet of it is missing."""
        first = self._pieces.get(start)
        position = start
        while first is not None and (piece := self._pieces.get(position)) is not None:
            if piece.timestamp != first.timestamp:
                return position - 1
            if piece.marker:
                return position
            position += 1
        return None

    def _take(self, start: int, end: int, now: float) -> EncodedFrame:
        pieces = [self._pieces.pop(position) for position in range(start, end + 1)]
        for position in [p for p in self._pieces if p < start]:
            del self._pieces[position]
            self.dropped += 1
        self._next = end + 1
        self._blocked_since = None
        # a keyframe may come after a delimiter of its own (H.264 section 7.4.1.2.3)
        key = any(piece.key_start for piece in pieces)
        return EncodedFrame(b"".join(piece.data for piece in pieces), pieces[0].timestamp, key, now)

    def _has_hole(self) -> bool:
        """Whether something waits that cannot become a frame without a packet that did not come."""
        highest = self._positions.highest
        if self._next is None or highest is None:
            return True
        return highest - self._next + 1 != len(self._pieces)

    def _missing_due(self, now: float) -> list[int]:
        highest = self._positions.highest
        if self._next is None or highest is None or not self._has_hole():
            self._asked_missing = None
            return []
        if self._asked_missing is not None and now - self._asked_missing < REPEAT_NACK:
            return []
        self._asked_missing = now
        nearest = range(max(self._next, highest - CAPACITY), highest)
        return [p % 0x10000 for p in islice((p for p in nearest if p not in self._pieces), NACKS)]

    def _key_due(self, now: float) -> bool:
        if not self._has_hole():
            self._blocked_since = None
            return False
        if self._blocked_since is None:
            self._blocked_since = now
        if now - self._blocked_since < PATIENCE:
            return False
        if self._asked_key is not None and now - self._asked_key < REPEAT_KEY:
            return False
        self._asked_key = now
        return True
