"""How much analysis is allowed: the least of what the owner, the student and the server allow. Pure."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """How much analysis is allowed. Ordered as written: ``Mode.M1 < Mode.M3``, and ``min`` gives the more careful."""

    M0 = "M0"
    """None: only the button and the cues of chat and exercises."""
    M1 = "M1"
    """On the student's device, shown to the student."""
    M2 = "M2"
    """On the student's device, with a coarse hint to the teacher."""
    M3 = "M3"
    """By the server's analyser, with frames in memory only."""


def read_mode(word: object) -> Mode:
    """The mode of this name. What cannot be read is ``M0``: in doubt nothing is analysed."""
    try:
        return Mode(str(word))
    except ValueError:
        return Mode.M0


def effective(cap: Mode, consent: bool | None, server_can: Mode) -> Mode:
    """The mode that holds now.

    ``cap``: the most that the owner of the room allows; ``consent``: what the student said last, None when not asked;
    ``server_can``: the most that the server is able to do now. Without a clear yes it is ``M0``.
    """
    if consent is not True:
        return Mode.M0
    return min(cap, server_can)
