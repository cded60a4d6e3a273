"""Hints of one lesson: from the pipeline and from the student's "I'm stuck", and the teacher's answers. Pure."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from lessonroom.media.hints import ADVICE, HintState, Shown
from lessonroom.media.types import Cue, Hint
from lessonroom.messages import HintFeedback, HintShow, Problem, StuckAck
from lessonroom.rooms.effects import Effect, KeepAnswer, KeepHint
from lessonroom.rooms.people import People, Person
from lessonroom.storage.store import HintRecord

MOST_KEPT = 100
"""How many of a lesson's latest hints are in memory, and given to a teacher who comes back; the store has them all."""
STUCK_PAUSE = 5.0
"""Presses of the button within so many seconds of the press that made the last hint belong to that hint."""

HELPFUL = {"helpful": True, "not_helpful": False, "closed": None}
"""The teacher's answer as the store keeps it, and as the protocol says it."""
_ANSWERS = {said: kept for kept, said in HELPFUL.items()}


@dataclass(slots=True)
class _Waiting:
    """A hint of the button that the teacher has not seen: who pressed, and every press that is to hear of it."""

    member: str
    presses: list[str]
    kept: bool = False


class Hinting:
    """The hints' part of a room: the newest :data:`MOST_KEPT` of them."""

    def __init__(self, room: str, people: People, hints: Iterable[HintRecord]) -> None:
        self._room = room
        self._people = people
        self._hints = {hint.id: hint for hint in list(hints)[-MOST_KEPT:]}
        self._unshown: set[str] = set()
        self._waiting: dict[str, _Waiting] = {}

    def shown(self) -> list[HintShow]:
        """The lesson's hints, oldest first, for a teacher who comes (back)."""
        return [_show(hint) for hint in self._hints.values()]

    def remembered(self, now: float, clock: float) -> HintState | None:
        """What the lesson's first watch after a restart should know, so that a restart buys no more hints.

        ``now``: the room's time; ``clock``: the same moment on the watch's clock. None before the first hint.
        """
        told = [hint for hint in self._hints.values() if hint.cue != Cue.STUCK_BUTTON]
        if not told:
            return None
        last = told[-1]
        used = Counter(Cue(hint.cue) for hint in told)
        return HintState(
            started=clock, last=Shown(last.id, clock - max(0.0, now - last.at), last.answer is not None), used=used
        )

    def teacher_came(self) -> list[Effect]:
        """The welcome has shown the teacher everything; tell the student that it did."""
        self._unshown.clear()
        waiting, self._waiting = self._waiting, {}
        return [effect for one in waiting.values() for effect in self._receipts(one, delivered=True)]

    def stuck(self, person: Person, press: str, now: float) -> list[Effect]:
        """The student pressed the button: its own hint, at once or on the teacher's return, once for each press.

        A press within :data:`STUCK_PAUSE` seconds of the one that made the last such hint makes none: it gets the
        receipt of that hint. Impatience is one "I'm stuck", and a page gone wrong does not fill the store.
        """
        hint = _hint_of(self._room, person.id, press)
        if hint in self._hints:
            return self._people.tell(person, StuckAck(id=press, delivered=hint not in self._unshown))
        last = self._last_press()
        if last is not None and 0.0 <= now - last.at < STUCK_PAUSE:
            return self._again(person, press, last.id)
        record = HintRecord(hint, self._room, Cue.STUCK_BUTTON.value, _next_advice(last), now)
        shown = self._show(record)
        if shown:
            return [*shown, *self._people.tell(person, StuckAck(id=press, delivered=True)), KeepHint(record)]
        # nobody to show it to: the receipt waits for the disk
        self._waiting[hint] = _Waiting(person.id, [press])
        return [KeepHint(record)]

    def due(self, hint: Hint, now: float) -> list[Effect]:
        """A hint from pictures or cues. ``hint.at`` is on another clock, so the room's own time is kept."""
        if hint.id in self._hints:
            return []
        record = HintRecord(hint.id, self._room, hint.cue.value, hint.advice, now)
        return [*self._show(record), KeepHint(record)]

    def kept(self, hint: str, kept: bool) -> list[Effect]:
        """The store answered. A press that neither the disk nor the teacher has is given back to the student."""
        waiting = self._waiting.get(hint)
        if waiting is None:
            return []
        if kept:
            waiting.kept = True
            return self._receipts(waiting, delivered=False)
        self._forget(hint)
        return self._people.tell(self._people.get(waiting.member), Problem(code="store_down"))

    def answer(self, person: Person, message: HintFeedback) -> list[Effect]:
        """The teacher's answer; the last one counts."""
        hint = self._hints.get(message.hint)
        if hint is None:
            return self._people.tell(person, Problem(code="not_found"))
        answer = _ANSWERS[message.helpful]
        self._hints[hint.id] = replace(hint, answer=answer)
        return [KeepAnswer(hint.id, answer)]

    def _again(self, person: Person, press: str, hint: str) -> list[Effect]:
        """Another press that belongs to a hint: the same receipts as for the press that made it."""
        waiting = self._waiting.get(hint)
        if waiting is None:
            return self._people.tell(person, StuckAck(id=press, delivered=hint not in self._unshown))
        if press not in waiting.presses:
            waiting.presses.append(press)
        return self._people.tell(person, StuckAck(id=press, delivered=False)) if waiting.kept else []

    def _receipts(self, waiting: _Waiting, *, delivered: bool) -> list[Effect]:
        writer = self._people.get(waiting.member)
        return [
            effect
            for press in waiting.presses
            for effect in self._people.tell(writer, StuckAck(id=press, delivered=delivered))
        ]

    def _last_press(self) -> HintRecord | None:
        return next((hint for hint in reversed(self._hints.values()) if hint.cue == Cue.STUCK_BUTTON), None)

    def _forget(self, hint: str) -> None:
        self._hints.pop(hint, None)
        self._waiting.pop(hint, None)
        self._unshown.discard(hint)

    def _show(self, record: HintRecord) -> list[Effect]:
        if len(self._hints) >= MOST_KEPT:
            self._forget(next(iter(self._hints)))
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
        helpful=HELPFUL[hint.answer] if hint.answer is not None else None,
    )


def _next_advice(last: HintRecord | None) -> str:
    """Another piece of advice for each press, in turn."""
    advice = ADVICE[Cue.STUCK_BUTTON]
    turn = advice.index(last.advice) + 1 if last is not None and last.advice in advice else 0
    return advice[turn % len(advice)]


def _hint_of(room: str, member: str, press: str) -> str:
    """The hint's id for a press: the same press gives the same hint, also after a restart."""
    digest = hashlib.sha256(f"{room}/{member}/{press}".encode()).digest()
    return base64.urlsafe_b64encode(digest[:18]).decode()
