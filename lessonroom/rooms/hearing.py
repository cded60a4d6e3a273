"""The hub's part that listens: what is written, solved and pressed, for the lesson's ears and for its watch."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable

from lessonroom.media.types import Cue
from lessonroom.metrics import Metrics
from lessonroom.rooms import events as ev
from lessonroom.rooms.effects import KeepAnswer, KeepHint, KeepHintsOn
from lessonroom.rooms.hinting import HELPFUL
from lessonroom.rooms.listening import Exercise, Heard
from lessonroom.rooms.live import Live


class Hearing:
    """Brings cues to a room's :class:`~lessonroom.rooms.listening.Listening` and to the watch that runs, if any.

    While the teacher wants no hints, nothing is listened to.
    """

    def __init__(self, metrics: Metrics, apply: Callable[[Live, ev.Event], None]) -> None:
        self._metrics = metrics
        self._apply = apply

    def said(self, live: Live, member: str, text: str) -> None:
        """A message of this member was relayed."""
        person = live.room.people.get(member)
        if person is not None and live.room.watch.hints_on:
            self._pass_on(live, live.listening.said(person.role, text, time.monotonic()))

    def solved(self, live: Live, event: Exercise, id_: str) -> None:
        """The platform says what the student did. Homework, done while one of the two is away, is no lesson."""
        if live.room.watch.hints_on and live.room.people.meet:
            self._pass_on(live, live.listening.solved(event, id_, time.monotonic()))

    def tell(self, live: Live, news: KeepHint | KeepAnswer | KeepHintsOn) -> None:
        """A hint was made, the teacher has answered one, or turned hints off or on."""
        match news:
            case KeepHint(record):
                live.last_hint_at = time.time()
                self._metrics.hint_made(record.cue)
                if record.cue == Cue.STUCK_BUTTON and live.room.watch.hints_on:
                    self._pass_on(live, live.listening.pressed(time.monotonic()))
            case KeepAnswer(hint, answer):
                self._metrics.hint_answered(answer)
                knows = live.listening if live.session is None else live.session.watch
                knows.answered(hint, HELPFUL[answer])
            case KeepHintsOn():
                live.listening.forget()  # either way: on the way back a watch that ended has left what it held

    def tick(self, live: Live) -> None:
        """A second went by."""
        now = time.monotonic()
        if not live.room.watch.hints_on:
            return
        if not live.room.people.meet:
            live.listening.parted()
        else:
            live.listening.begin(now)
            self._pass_on(live, live.listening.waited(now))
            self._speak(live, now)

    def _speak(self, live: Live, now: float) -> None:
        if live.session is not None:
            live.session.watch.waited()  # it has heard the same, and may see
            return
        hint = live.listening.due(now, hint_id=secrets.token_urlsafe(12))
        if hint is not None:
            self._apply(live, ev.HintDue(None, hint))

    def _pass_on(self, live: Live, heard: Iterable[Heard]) -> None:
        if live.session is not None:
            for cue, since in heard:
                live.session.watch.note(cue, time.monotonic() - since)
