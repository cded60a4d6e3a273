"""Hints of one lesson: from the pipeline and from the student's "I'm stuck", and the teacher's answers. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lessonroom.media.hints import ADVICE
from lessonroom.media.types import Cue, Hint
from lessonroom.messages import HintFeedback, HintShow, Problem, StuckAck
from lessonroom.rooms.effects import Effect, KeepAnswer, KeepHint
from lessonroom.rooms.people import People, Person
from lessonroom.storage.store import HintRecord

MOST_SHOWN = 100
"""How many of a lesson's latest hints a returning teacher is given."""

_ANSWERS = {True: "helpful", False: "not_helpful", None: "closed"}
_HELPFUL = {"helpful": True, "not_helpful": False}


@dataclass(slots=True)
class _Press:
    """One press of the button that waits for its receipt or for the teacher."""

    id: str
    member: str


class Hinting:
    """The hints' part of a room."""

    def __init__(self, room: str, people: People, hints: Iterable[HintRecord]) -> None:
        self._room = room
        self._people = people
        self._hints = {hint.id: hint for hint in hints}
        self._unshown: set[str] = set()
        self._waiting: dict[str, _Press] = {}

    def shown(self) -> list[HintShow]:
        """The lesson's hints, oldest first, for a teacher who comes (back)."""
        return [_show(hint) for hint in list(self._hints.values())[-MOST_SHOWN:]]

    def teacher_came(self) -> list[Effect]:
        """The welcome has shown the teacher everything; tell the student that it did."""
        self._unshown.clear()
        waiting, self._waiting = self._waiting, {}
        return [
            effect
            for press in waiting.values()
            for effect in self._people.tell(self._people.get(press.member), StuckAck(id=press.id, delivered=True))
        ]

    def stuck(self, person: Person, press: str, now: float) -> list[Effect]:
        """The student pressed the button: its own hint, at once or on the teacher's return, once for each press."""
        hint = _hint_of(self._room, person.id, press)
        if hint in self._hints:
            return self._people.tell(person, StuckAck(id=press, delivered=hint not in self._unshown))
        record = HintRecord(hint, self._room, Cue.STUCK_BUTTON.value, self._stuck_advice(), now)
        shown = self._show(record)
        if shown:
            return [*shown, *self._people.tell(person, StuckAck(id=press, delivered=True)), KeepHint(record)]
        # nobody to show it to: the receipt waits for the disk
        self._waiting[hint] = _Press(press, person.id)
        return [KeepHint(record)]

    def due(self, hint: Hint, now: float) -> list[Effect]:
        """A hint of the pipeline. ``hint.at`` is on another clock, so the room's own time is kept."""
        if hint.id in self._hints:
            return []
        record = HintRecord(hint.id, self._room, hint.cue.value, hint.advice, now)
        return [*self._show(record), KeepHint(record)]

    def kept(self, hint: str, kept: bool) -> list[Effect]:
        """The store answered. A press that neither the disk nor the teacher has is given back to the student."""
        press = self._waiting.get(hint)
        if press is None:
            return []
        writer = self._people.get(press.member)
        if kept:
            return self._people.tell(writer, StuckAck(id=press.id, delivered=False))
        del self._waiting[hint], self._hints[hint]
        self._unshown.discard(hint)
        return self._people.tell(writer, Problem(code="store_down"))

    def answer(self, person: Person, message: HintFeedback) -> list[Effect]:
        """The teacher's answer; the last one counts."""
        hint = self._hints.get(message.hint)
        if hint is None:
            return self._people.tell(person, Problem(code="not_found"))
        answer = _ANSWERS[message.helpful]
        self._hints[hint.id] = replace(hint, answer=answer)
        return [KeepAnswer(hint.id, answer)]

    def _stuck_advice(self) -> str:
        """Another piece of advice for each press, in turn."""
        advice = ADVICE[Cue.STUCK_BUTTON]
        return advice[sum(hint.cue == Cue.STUCK_BUTTON for hint in self._hints.values()) % len(advice)]

    def _show(self, record: HintRecord) -> list[Effect]:
        self._hints[record.id] = record
        effects = self._people.tell_all(_show(record), "teacher")
        if not effects:
            self._unshown.add(record.id)
        return effects


def _show(hint: HintRecord) -> HintShow:
    return HintShow(
        id=hint.id,
        at=int(hint.at * 1000),
        cue=hint.cue,
        advice=hint.advice,
        answered=hint.answer is not None,
        helpful=_HELPFUL.get(hint.answer or ""),
    )


def _hint_of(room: str, member: str, press: str) -> str:
    """The hint's id for a press: the same press gives the same hint, also after a restart."""
    digest = hashlib.sha256(f"{room}/{member}/{press}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()
