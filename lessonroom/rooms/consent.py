"""What student and guardian said about analysis. Pure.

A no counts in the event that brings it. A yes counts when it is stored: without a record there is no consent. Either
ends by itself when its time is over.
"""

from __future__ import annotations

from dataclasses import dataclass

from lessonroom.messages import ConsentSend, Problem
from lessonroom.rooms.effects import Effect, KeepConsent
from lessonroom.rooms.people import People, Person
from lessonroom.storage.consent import By

TEXT = "2026-11"
"""Version of the words that pages show; a test compares it with the catalogues."""


@dataclass(frozen=True, slots=True)
class Word:
    """What somebody said last. ``until``: when it stops to count, in seconds since the epoch."""

    given: bool
    until: float


class Consent:
    """The words on camera hints in one lesson. Every word has a number: a late answer is recognised.

    ``two_keys``: the student's yes needs the guardian's beside it.
    """

    def __init__(self, people: People) -> None:
        self.two_keys = True
        self._people = people
        self._words: dict[By, Word] = {}
        self._said = dict.fromkeys(By, 0)

    def said(self, by: By) -> int:
        """How many words of this side were heard: the number of the last one."""
        return self._said[by]

    @property
    def agreed(self) -> bool | None:
        """What the student said; None when they were not asked, or it is too long ago."""
        return self._given(By.SELF)

    @property
    def guardian_missing(self) -> bool:
        """Whether a guardian has to agree who does not."""
        return self.two_keys and self._given(By.GUARDIAN) is not True

    def say(self, person: Person, said: ConsentSend) -> list[Effect]:
        """Take the student's word from the lesson's page."""
        self._said[By.SELF] += 1
        if not said.agreed:
            self._words[By.SELF] = Word(given=False, until=float("inf"))
        return [KeepConsent(self._said[By.SELF], person.id, said.agreed, said.text or TEXT, said.lang)]

    def kept(self, answer: KeepConsent, until: float | None) -> list[Effect]:
        """The store has that word, which counts ``until`` then, or could not take it (None)."""
        if answer.ask != self._said[By.SELF] or not answer.agreed:
            return []  # the student has said something else since, or a no, which holds already
        if until is not None:
            self._words[By.SELF] = Word(given=True, until=until)
            return []
        return self._people.tell(self._people.get(answer.member), Problem(code="store_down"))

    def heard(self, by: By, word: Word) -> None:
        """Somebody's word reached us by another way than the lesson's page."""
        self._said[by] += 1
        self._words[by] = word

    def remember(self, by: By, word: Word | None) -> None:
        """What the store has. Whatever was said here since is newer: it may still wait to be written."""
        if word is not None and not self._said[by]:
            self._words[by] = word

    def due(self, now: float) -> bool:
        """Whether somebody's word has had its time."""
        return any(word.until <= now for word in self._words.values())

    def expire(self, now: float) -> list[By]:
        """Forget what no longer counts; whose yes that was."""
        if not self.due(now):
            return []
        ended = [by for by, word in self._words.items() if word.until <= now and word.given]
        self._words = {by: word for by, word in self._words.items() if now < word.until}
        return ended

    def _given(self, by: By) -> bool | None:
        word = self._words.get(by)
        return None if word is None else word.given
