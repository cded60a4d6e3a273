"""What a lesson gives away without a picture: words of the chat, exercises, the button, a question left open. Pure.

With an analyser, its watch hears of every cue and decides. Without one, be it for want of a camera, of consent or of
models, the cues alone may make a hint: weaker, as they must come together to be enough, and under the same rules of
silence. Both keep one account of the hints: a watch gets it when it begins (:meth:`Listening.hand_over`) and gives it
back when it ends (:meth:`Listening.take_back`).

Times are those of the watch's clock. Texts are read and forgotten.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from lessonroom.chat.cues import asks, asks_for_help, dictates
from lessonroom.media import hints as speaking
from lessonroom.media import strain as feeling
from lessonroom.media.hints import HintRules, HintState
from lessonroom.media.strain import StrainRules, StrainState
from lessonroom.media.types import Cue, Hint

MANY_WRONG = 3
"""From so many wrong answers in a row on each of them counts."""
TOO_MANY_WRONG = 5
"""From so many on each counts twice: enough for a hint, however long the student thinks about each."""
MOST_IDS = 64
"""Latest exercise events whose ids are remembered, so that one that is sent again does not count again."""
DICTATED_SECONDS = 180.0
"""For so long after a teacher has set words to translate or repeat, words of not understanding may be the answer."""
HALF_LIVES = 8
"""After so many half-lives an event is forgotten."""


class Exercise(StrEnum):
    """What a platform tells of a student's exercise."""

    WRONG_ANSWER = "wrong_answer"
    RIGHT_ANSWER = "right_answer"
    LONG_PAUSE = "long_pause"


class Heard(NamedTuple):
    """A cue and when it began."""

    cue: Cue
    since: float


@dataclass(frozen=True, slots=True)
class ListeningRules:
    """``silence``: seconds after a teacher's question in the chat from which it counts as open; 0: never."""

    strain: StrainRules = field(default_factory=StrainRules)
    hints: HintRules = field(default_factory=HintRules)
    silence: float = 90.0


class Listening:
    """One lesson's ears. ``hints``: what is known of the lesson's hints while no watch knows it better."""

    def __init__(self, rules: ListeningRules, hints: HintState | None = None) -> None:
        self._rules = rules
        self._strain = StrainState()
        self._watched = False
        self._asked_at: float | None = None
        self._dictated_at: float | None = None
        self._wrong = 0
        self._known: deque[str] = deque(maxlen=MOST_IDS)
        self.hints = hints

    # --- what is heard -----------------------------------------------------------------------------------------------

    def said(self, role: str, text: str, now: float) -> list[Heard]:
        """A message that was relayed."""
        if role == "teacher":
            self._asked_at = now if asks(text) else None
            self._dictated_at = now if dictates(text) else None
            return []
        self._asked_at = None
        dictated = self._dictated_at is not None and now - self._dictated_at <= DICTATED_SECONDS
        if role != "student" or dictated or not asks_for_help(text):
            return []
        return [self._note(Cue.CHAT, now)]

    def solved(self, event: Exercise, id_: str, now: float) -> list[Heard]:
        """Something happened in an exercise; the same id again is no news."""
        if id_ in self._known:
            return []
        self._known.append(id_)
        if event is Exercise.LONG_PAUSE:
            return [self._note(Cue.EXERCISE, now)]
        self._wrong = self._wrong + 1 if event is Exercise.WRONG_ANSWER else 0
        times = (self._wrong >= MANY_WRONG) + (self._wrong >= TOO_MANY_WRONG)
        return [self._note(Cue.EXERCISE, now) for _ in range(times)]

    def pressed(self, now: float) -> list[Heard]:
        """The student's "I'm stuck", of which the teacher has been told."""
        self._asked_at = None
        if self.hints is not None:
            self.hints = speaking.pressed(self.hints, now, self._rules.hints)
        return [self._note(Cue.STUCK_BUTTON, now)]

    def waited(self, now: float) -> list[Heard]:
        """Time went by. A question without an answer in writing counts as old as it is: most answers are spoken."""
        asked = self._asked_at
        if asked is None or not self._rules.silence or now - asked < self._rules.silence:
            return []
        self._asked_at = None
        return [self._note(Cue.CHAT, asked)]

    def recent(self, now: float) -> list[Heard]:
        """All that still counts, oldest first: for a watch that begins."""
        longest = HALF_LIVES * self._rules.strain.event_half_life
        kept = tuple(event for event in self._strain.events if now - event[1] <= longest)
        self._strain = replace(self._strain, events=kept)
        return [Heard(*event) for event in kept]

    def parted(self) -> None:
        """One of the two is away: nobody can answer a question."""
        self._asked_at = None

    def forget(self) -> None:
        """The teacher wants no hints: nothing that was heard counts any more, nor for how long it held."""
        self._strain = StrainState()
        if self.hints is not None:
            self.hints = replace(self.hints, held=None)
        self._asked_at = self._dictated_at = None
        self._wrong = 0

    def _note(self, cue: Cue, since: float) -> Heard:
        self._strain = feeling.note(self._strain, cue, since)
        return Heard(cue, since)

    # --- what comes of it --------------------------------------------------------------------------------------------

    def begin(self, now: float) -> None:
        """Teacher and student are here: the minutes without hints begin, once."""
        if self.hints is None:
            self.hints = HintState(started=now)

    def due(self, now: float, *, hint_id: str) -> Hint | None:
        """The hint that is due, from what was heard alone. To be asked every second or so while there is no watch."""
        if self.hints is None or not (self.recent(now) or self.hints.held is not None):
            return None
        strain = feeling.estimate(self._strain, now, self._rules.strain)
        self.hints, hint = speaking.decide(self.hints, strain, now, self._rules.hints, hint_id=hint_id)
        return hint

    def answered(self, hint: str, helpful: bool | None) -> None:
        """What the teacher said about a hint, be it ours or that of a watch that has ended."""
        if self.hints is not None:
            self.hints = speaking.answered(self.hints, hint, helpful, self._rules.hints)

    def hand_over(self, now: float) -> HintState:
        """What a watch that begins should know of the hints. A lesson's first watch has first minutes of its own."""
        known = self.hints or HintState(started=now)
        return known if self._watched else replace(known, started=now)

    def take_back(self, hints: HintState) -> None:
        """What the watch knew when it ended."""
        self._watched = True
        self.hints = hints
