"""How a child behaves, whatever it does: it lives for its parent, and leaves nothing behind."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from typing import Final

_PR_SET_PDEATHSIG: Final = 1
"""prctl(2): the signal that this process gets when its parent dies."""


def behave() -> None:
    """Call first in a child: no signal of a terminal or a group counts, its parent's death does."""
    for ignored in (signal.SIGINT, signal.SIGTERM):  # both are for the parent, which lets us go when it has finished
        signal.signal(ignored, signal.SIG_IGN)
    no_core_dumps()
    _end_with_parent()


def no_core_dumps() -> None:
    """A process that dies must not leave its memory, with a picture or somebody's words in it, on a disk."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with_parent() -> None:
    """Have the system end us with our parent, even while we hang: pictures must not outlive their lesson."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
