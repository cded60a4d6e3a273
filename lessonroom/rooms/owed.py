"""What people took back and the store does not have yet: one book for a whole process, whoever brought the word.

A no counts from the moment it is said. It stands here until it is written, so that a lesson that is read meanwhile, be
it a new one or one that broke, knows it, too.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

from lessonroom.rooms.recording import consent_said
from lessonroom.storage.consent import By, ConsentRecord, Purpose
from lessonroom.storage.store import Store

Whose = tuple[str, Purpose, By]


class Owed:
    """Words of one person on one purpose are written one after the other, in the order in which they were said."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._words: dict[Whose, ConsentRecord] = {}
        self._turns: WeakValueDictionary[Whose, asyncio.Lock] = WeakValueDictionary()

    def add(self, no: ConsentRecord) -> None:
        """Somebody took something back; it stands in the place of an earlier no."""
        self._words[_whose(no)] = no

    def of(self, person: str) -> list[ConsentRecord]:
        """What was taken back about this person and is not written yet."""
        return [no for no in self._words.values() if no.person == person]

    def like(self, said: ConsentRecord) -> ConsentRecord | None:
        """The no that stands where this word would stand."""
        return self._words.get(_whose(said))

    def stands(self, no: ConsentRecord) -> bool:
        """Whether this no has still to be written: nothing that was said later stands in its place."""
        return self.like(no) is no

    def drop(self, no: ConsentRecord) -> None:
        """This no is written, or never can be."""
        if self.stands(no):
            del self._words[_whose(no)]

    async def write_no(self, no: ConsentRecord) -> None:
        """Write a no, unless something said later stands in its place. Raises StoreDown and NotFound."""
        async with self._turn(no):
            if self.stands(no):
                await self._store.add_consent(no, consent_said(no))
                self.drop(no)

    async def write_yes(self, yes: ConsentRecord, over: ConsentRecord | None) -> bool:
        """Write a yes; False when a no was said after it. ``over``: the no that stood when it was said.

        Raises StoreDown and NotFound.
        """
        async with self._turn(yes):
            await self._store.add_consent(yes, consent_said(yes))
            if self.like(yes) not in {over, None}:
                return False
            self._words.pop(_whose(yes), None)
            return True

    def _turn(self, said: ConsentRecord) -> asyncio.Lock:
        return self._turns.setdefault(_whose(said), asyncio.Lock())


def _whose(said: ConsentRecord) -> Whose:
    return said.person, said.purpose, said.by
