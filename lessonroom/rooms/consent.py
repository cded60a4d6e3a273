"""The student's word on analysis. Pure.

A no counts in the event that brings it. A yes counts when it is stored: without a record there is no consent.
"""

from __future__ import annotations

from lessonroom.messages import Problem
from lessonroom.rooms.effects import Effect, KeepConsent
from lessonroom.rooms.people import People, Person


class Consent:
    """``agreed``: None until the student was asked. Every word has a number, so that a late answer is recognised."""

    def __init__(self, people: People, agreed: bool | None) -> None:
        self._people = people
        self.agreed = agreed
        self._latest = 0

    def say(self, person: Person, agreed: bool) -> list[Effect]:
        """Take the student's word."""
        self._latest += 1
        if not agreed:
            self.agreed = False
        return [KeepConsent(self._latest, person.id, agreed)]

    def kept(self, answer: KeepConsent, kept: bool) -> list[Effect]:
        """The store has that word, or could not take it."""
        if answer.ask != self._latest or not answer.agreed:
            return []  # the student has said something else since, or a no, which holds already
        if kept:
            self.agreed = True
            return []
        return self._people.tell(self._people.get(answer.member), Problem(code="store_down"))
