"""Out of the packets of a stream only its keyframes are put together. Pure: time is an argument.

The interface is that of :class:`~lessonroom.media.guard.assembly.Assembly`; packets of other frames are passed over.
"""

from __future__ import annotations

from collections import deque

from lessonroom.media.guard.assembly import (
    CAPACITY,
    NACKS,
    NOTHING,
    REPEAT_NACK,
    EncodedFrame,
    Outcome,
    Piece,
    Positions,
)

EARLY = 16
"""Packets remembered that came before the first one of their keyframe."""
GIVE_UP = 0.4
"""Seconds after its first packet at which a keyframe that is not whole is forgotten."""


class Keyframes:
    """The packets of the keyframe that is coming."""

    def __init__(self) -> None:
        self.dropped = 0
        """Packets of keyframes that did not become whole."""
        self._positions = Positions()
        self._pieces: dict[int, Piece] = {}
        self._early: deque[tuple[int, Piece]] = deque(maxlen=EARLY)
        self._start = self._done = 0
        self._timestamp = 0
        self._began = self._asked = 0.0
        self._after: int | None = None
        """The position after the keyframe's last packet, or a later one until that is known."""

    def add(self, piece: Piece, now: float) -> Outcome:
        """Take one packet. ``now``: seconds, never going back.

        A keyframe is asked for only in the place of one that began to come and did not become whole.
        """
        position = self._positions.of(piece.sequence)
        if self._positions.jumped:
            self.lose()
            self._done = position
        if position < self._done:
            return NOTHING
        given_up = bool(self._pieces) and (now - self._began > GIVE_UP or len(self._pieces) > CAPACITY)
        if given_up:
            self.lose()
        self._keep(position, piece, now)
        if not self._pieces:
            return Outcome([], [], ask_key=True) if given_up else NOTHING
        return self._whole(now) or self._missing(now)

    def lose(self) -> None:
        """Forget what has come of a keyframe."""
        self.dropped += len(self._pieces)
        self._pieces.clear()
        self._early.clear()

    def _keep(self, position: int, piece: Piece, now: float) -> None:
        if self._pieces and piece.timestamp == self._timestamp:
            self._pieces[position] = piece
            if piece.key_start:  # its parameters, which the network has put behind its picture
                self._start = min(self._start, position)
            if piece.marker:
                self._after = position + 1
        elif piece.key_start and (not self._pieces or position > self._start):
            self._begin(position, piece, now)
        elif not self._pieces:
            self._early.append((position, piece))
        elif position > self._start and (self._after is None or position < self._after):
            self._after = position

    def _begin(self, position: int, piece: Piece, now: float) -> None:
        early = [(p, other) for p, other in self._early if other.timestamp == piece.timestamp and p > position]
        self.lose()
        self._start, self._timestamp, self._began, self._asked = position, piece.timestamp, now, now
        self._pieces = {position: piece, **dict(early)}
        ends = [p + 1 for p, other in self._pieces.items() if other.marker]
        self._after = min(ends) if ends else None

    def _whole(self, now: float) -> Outcome | None:
        """The keyframe, when no packet of it is missing."""
        end = self._after
        if end is None or any(position not in self._pieces for position in range(self._start, end)):
            return None
        data = b"".join(self._pieces[position].data for position in range(self._start, end))
        self._pieces.clear()
        self._done = end
        return Outcome([EncodedFrame(data, self._timestamp, key=True, at=now)], [], ask_key=False)

    def _missing(self, now: float) -> Outcome:
        """What to ask for again: the holes between the first packet and the last one that is known of."""
        if now - self._asked < REPEAT_NACK:
            return NOTHING
        self._asked = now
        end = max(self._pieces) if self._after is None else self._after
        holes = [position for position in range(self._start, end) if position not in self._pieces]
        return Outcome([], [position % 0x10000 for position in holes[:NACKS]], ask_key=False)
