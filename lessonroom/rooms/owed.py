"""What people took back and the store does not have yet: one book for a whole process, whoever brought the word.

A no counts from the moment it is said. It stands here until it is written, so that a lesson that is read meanwhile, be
it a new one or one that broke, knows it, too.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from weakref import WeakValueDictionary

from lessonroom.rooms.recording import consent_said
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import Store

Whose = tuple[str, Purpose, By]


class _Turn:
    """Held by whoever writes such a word now. ``noes``: how many were said while a yes had still to be written."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.noes = 0


@dataclass(frozen=True, slots=True)
class Since:
    """When a yes was said, so that a no that was said after it is known."""

    turn: _Turn
    noes: int

    @property
    def overtaken(self) -> bool:
        """Whether a no was said since."""
        return self.turn.noes != self.noes


class Owed:
    """Words of one person on one purpose are written one after the other, in the order in which they were said."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._words: dict[Whose, ConsentRecord] = {}
        self._turns: WeakValueDictionary[Whose, _Turn] = WeakValueDictionary()
        self._doubtful: dict[Whose, ConsentRecord] = {}

    def add(self, no: ConsentRecord) -> None:
        """Somebody took something back; it stands in the place of an earlier no, and no yes from before is written."""
        self._words[_whose(no)] = no
        self._turn(no).noes += 1

    def since(self, yes: ConsentRecord) -> Since:
        """Call when a yes is said, for :meth:`write_yes`."""
        turn = self._turn(yes)
        return Since(turn, turn.noes)

    def of(self, person: str) -> list[ConsentRecord]:
        """What was taken back about this person and is not written yet."""
        return [no for no in self._words.values() if no.person == person]

    def stands(self, no: ConsentRecord) -> bool:
        """Whether this no has still to be written: nothing that was said later stands in its place."""
        return self._words.get(_whose(no)) is no

    def doubt(self, no: ConsentRecord) -> ConsentRecord | None:
        """A yes that the store may have been given and does not show yet, so that what it shows decides nothing.

        It may be on its way, or have been given up by us and be written all the same.
        """
        return self._doubtful.get(_whose(no))

    def drop(self, no: ConsentRecord) -> None:
        """This no never can be written."""
        if self.stands(no):
            del self._words[_whose(no)]

    def written(self, no: ConsentRecord, doubt: ConsentRecord | None) -> None:
        """This no is written. ``doubt``: as it was when the store was given it; it is written after that."""
        self._certain(no, doubt)
        self.drop(no)

    async def write_no(self, no: ConsentRecord) -> None:
        """Write a no, unless something said later stands in its place. Raises StoreDown and NotFound."""
        async with self._turn(no).lock:
            if self.stands(no):
                doubt = self.doubt(no)
                await self._store.add_consent(no, consent_said(no))
                self.written(no, doubt)

    async def write_yes(self, yes: ConsentRecord, since: Since) -> bool:
        """Write a yes; False when a no was said after it, and it does not count. Then it may be written, before the no.

        Raises StoreDown and NotFound.
        """
        async with since.turn.lock:
            if since.overtaken:
                return False
            self._doubtful[_whose(yes)] = yes
            await self._store.add_consent(yes, consent_said(yes))
            self._certain(yes, yes)
            if since.overtaken:
                return False
            self._words.pop(_whose(yes), None)
            return True

    def _certain(self, said: ConsentRecord, doubt: ConsentRecord | None) -> None:
        if self._doubtful.get(_whose(said)) is doubt:
            self._doubtful.pop(_whose(said), None)

    def _turn(self, said: ConsentRecord) -> _Turn:
        return self._turns.setdefault(_whose(said), _Turn())


def _whose(said: ConsentRecord) -> Whose:
    return said.person, said.purpose, said.by
