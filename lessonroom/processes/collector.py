"""Python's collector of cycles where a process serves: it stops everybody while it looks, so it must see little."""

from __future__ import annotations

import gc
from typing import Final

COLLECT_AFTER: Final = (5_000, 10, 20)
"""Objects made and not freed before the young ones are looked at (half a ms), and how many such looks before the older
ones have theirs."""


def spare() -> None:
    """Let it look at what lessons make, and not at libraries and models again and again: call when those are there.

    A look at them takes 0.1 s, in a server and in a process that screens, and comes every few seconds under load. What
    is here now stays for the life of the process.

    The old ones are looked at when a quarter more has come than the last such look left behind. It has to be told that
    this is nothing now, or what strangers leave behind would lie about until there are 150,000 objects of it.
    """
    gc.collect()
    gc.freeze()
    gc.collect()
    gc.set_threshold(*COLLECT_AFTER)
