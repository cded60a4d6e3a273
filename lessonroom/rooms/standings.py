"""What is known of the senders who write now, so that not every message asks the store."""

from __future__ import annotations

from lessonroom.chat.standing import known
from lessonroom.chat.types import Standing
from lessonroom.storage.store import Store

FRESH_SECONDS = 60.0
"""How long what was read is taken for true; a change that comes through this process counts at once."""


class Standings:
    """Standing by the platform's name of the sender. ``forgiving``: whether proven violations fade."""

    def __init__(self, store: Store, *, forgiving: bool = True) -> None:
        self._store = store
        self._forgiving = forgiving
        self._known: dict[str, tuple[Standing, float]] = {}
        self._reading: dict[str, object] = {}

    async def of(self, sender: str, now: float) -> Standing:
        """The sender's standing. Raises StoreDown."""
        found = self._known.get(sender)
        if found is not None and abs(now - found[1]) < FRESH_SECONDS:
            return found[0]
        mine = self._reading[sender] = object()
        try:
            paying, strikes = await self._store.paying(sender), await self._store.strikes(sender)
        finally:
            newest = self._reading.get(sender) is mine
            if newest:
                del self._reading[sender]
        standing = known(strikes, now, paying=paying, forgiving=self._forgiving)
        if newest:  # else what was read may be from before a change
            self._known[sender] = standing, now
        return standing

    def changed(self, sender: str) -> None:
        """Read this sender anew next time, also where somebody reads just now."""
        self._known.pop(sender, None)
        self._reading.pop(sender, None)

    def forget(self, now: float) -> None:
        """Drop what is too old to be used."""
        self._known = {sender: known for sender, known in self._known.items() if abs(now - known[1]) < FRESH_SECONDS}
