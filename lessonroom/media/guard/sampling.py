"""Which frames of a stream are worth decoding for a reader who takes a picture now and then. Pure.

A frame of VP8 or H.264 is built on those before it, so that one picture a second out of thirty costs all thirty; only
a keyframe stands alone. A sender must make one when it is asked to (RFC 4585 section 6.3.1, RFC 8834 section 5.1.2), so
from a stream that is dear to decode keyframes are asked for when the reader wants a picture, and nothing else of it is
decoded. A sender that does not answer soon is decoded whole, unless its own keyframes come at least half as often;
nothing is asked for where they come every second. A stream that is cheap, such as our own page's, is decoded
whole, too: for its 100 kbit/s a keyframe a second would be a third of what it may send.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Final, Protocol

DEAR = 1_500_000
"""Pixels a second from which on a stream is dear: our page's has 0.4 million, 640x360 at 30 has 7 million."""
LEAST_INTERVAL = 0.45
"""A reader who wants pictures at shorter intervals, in seconds, gets them out of the whole stream."""
KEY_SECONDS = 1.0
"""Keyframes are asked for no more often, whatever the reader wants: they cost the sender bits and sharpness."""
MEASURED = 2.0
"""Seconds of a stream after which its rate is known."""
UNANSWERED = 1.0
"""Seconds after which a keyframe is asked for once more."""
SLOW = 0.6
"""A sender that takes longer than so many seconds does not answer: its own keyframes come by chance."""
PROBES = 2
"""Requests that must be answered before anything is left out, or a deaf sender's picture would stand still."""
OWN_RUN = 3
"""So many times running a sender's own keyframes must have come soon enough to be relied on."""
EVEN = 1.1
"""A tenth more time is given them than is wanted, since no clock is even."""
STALE = 0.5
"""Seconds after which a keyframe that nobody took is too old to be looked at."""
_SMOOTH = 0.25


class Reader(Protocol):
    """Who takes the pictures."""

    @property
    def interval(self) -> float:
        """Seconds between two pictures that are wanted; 0 while every one may be."""
        ...

    @property
    def hungry(self) -> bool:
        """Whether the reader waits for a picture, or has taken the latest."""
        ...

    def clear(self) -> None:
        """Forget the picture that waits."""
        ...


class _Insatiable:
    """Wants every picture."""

    interval = 0.0
    hungry = True

    def clear(self) -> None:
        """Nothing waits."""


EVERY_PICTURE: Final[Reader] = _Insatiable()


class Sampling:
    """Decides for one stream. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.keys_only = False
        """Whether only keyframes are decoded now."""
        self.mending = False
        """Whether the next keyframe was asked for because something was lost: it is none of the sender's own."""
        self._pictures = 0
        self._since: float | None = None
        self._probes = 0
        self._deaf = False
        self._lead = 0.1
        self._asked_at: float | None = None
        self._key_at = 0.0
        self._lost_at = -math.inf
        self._gaps: deque[float] = deque([math.inf] * OWN_RUN, OWN_RUN)
        self._enough = 0.0
        self._own = False

    def decoded(self, pixels: int, now: float, interval: float) -> None:
        """A picture of the whole stream came out. It may turn out that the stream is too dear for that."""
        if self._since is None:
            self._since = now
        self._pictures += 1
        if (lasted := now - self._since) < MEASURED:
            return
        dear = pixels * self._pictures / lasted >= DEAR and interval >= LEAST_INTERVAL
        self._since, self._pictures = now, 0
        self._enough = _spacing(interval) if dear else 0.0
        if not dear or self._deaf:
            self._probes = 0
        elif not self._probes:
            self._probes = 1

    def key_due(self, now: float, reader: Reader) -> bool:
        """Whether to ask for a keyframe now; call whenever a packet comes.

        It is asked for as long before the picture is wanted as the sender took for the earlier ones. A sender that does
        not answer is asked once more where everything is to be decoded again, for that begins with a keyframe.
        """
        if self._asked_at is not None:
            if now - self._asked_at < UNANSWERED:
                return False
            self._judge(UNANSWERED)
        elif not self._wanted(now, reader):
            return False
        if self.keys_only and (self._own or self._deaf or reader.interval < LEAST_INTERVAL):
            self._whole()
            return True
        self._asked_at = now if self.keys_only or self._probes else None
        return self._asked_at is not None

    def key_came(self, now: float) -> None:
        """A whole keyframe came, asked for or not."""
        asked = self.mending or self._asked_at is not None
        self._gaps.append(math.inf if asked else now - self._key_at)
        self._key_at, self.mending = now, False
        if not self.keys_only and max(self._gaps) <= self._enough:
            self.keys_only = self._own = True
        if self._asked_at is not None:
            wait, self._asked_at = now - self._asked_at, None
            self._judge(wait)

    def key_lost(self, now: float) -> None:
        """A keyframe came, but not whole, or could not be decoded: ask for another one at once.

        Where that happens again and again, the next one is due as after any other: keyframes that can never be decoded
        would be asked for one round trip after the other.
        """
        again, self._lost_at = now - self._lost_at < 2 * KEY_SECONDS, now
        self._asked_at, self._key_at = None, now if again or self._own else -math.inf

    def _wanted(self, now: float, reader: Reader) -> bool:
        if not self.keys_only:
            return self._probes > 0 and now - self._key_at >= KEY_SECONDS
        old = now - self._key_at
        if self._own and (old > _spacing(reader.interval) or reader.interval < LEAST_INTERVAL):
            return True
        if not self._own and reader.hungry and old >= max(reader.interval, KEY_SECONDS) - self._lead:
            return True
        if old >= STALE:
            reader.clear()
        return False

    def _judge(self, wait: float) -> None:
        """Learn how long the sender takes, and whether it can be relied on."""
        self._lead += _SMOOTH * (wait - self._lead)
        if self.keys_only:
            self._deaf = self._lead > SLOW
        elif self._probes:
            self._deaf = wait > SLOW
            self._probes = 0 if self._deaf else self._probes + 1
            self.keys_only = self._probes > PROBES

    def _whole(self) -> None:
        """Decode everything again, from the keyframe on that is asked for now."""
        self.keys_only, self._since, self._pictures = False, None, 0
        self._probes, self._asked_at = 0, None
        self._enough, self._own = 0.0, False


def _spacing(interval: float) -> float:
    """Seconds between two of a sender's own keyframes at most: a picture for every other one that is wanted."""
    return EVEN * max(2 * interval, KEY_SECONDS)
