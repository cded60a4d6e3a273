"""What is known of the senders who write now, so that not every message asks the store."""

from __future__ import annotations

from lessonroom.chat.standing import settle
from lessonroom.chat.types import Standing, StandingClass
from lessonroom.storage.store import Store

FRESH_SECONDS = 60.0
"""How long what was read is taken for true; a change that comes through this process counts at once."""


class Standings:
    """Standing by the platform's name of the sender."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[str, tuple[Standing, float]] = {}

    async def of(self, sender: str, now: float) -> Standing:
        """The sender's standing. Raises StoreDown."""
        known = self._known.get(sender)
        if known is not None and abs(now - known[1]) < FRESH_SECONDS:
            return known[0]
        paying, strikes = await self._store.paying(sender), await self._store.strikes(sender)
        found = Standing(StandingClass.PAYING if paying else StandingClass.NEW, tuple(strikes))
        self._known[sender] = settle(found, now), now
        return self._known[sender][0]

    def changed(self, sender: str) -> None:
        """Read this sender anew next time."""
        self._known.pop(sender, None)

    def forget(self, now: float) -> None:
        """Drop what is too old to be used."""
        self._known = {sender: known for sender, known in self._known.items() if abs(now - known[1]) < FRESH_SECONDS}
