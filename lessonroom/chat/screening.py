"""A process that screens: ``python -m lessonroom.chat.screening``, started by :mod:`lessonroom.chat.apart`.

It keeps what it read of a room's latest lines, since each is looked at again with the messages after it, and nothing
else: it can be lost at any time.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lessonroom import logs
from lessonroom.chat.classifier import Classifier
from lessonroom.chat.conversation import remember
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.questions import CANNOT, COMPARED, FOLLOW, Answer, Orders
from lessonroom.chat.releases import Releases
from lessonroom.chat.screen import Case, decide, decide_by_rules, is_for_rules, judge, look
from lessonroom.chat.types import Action, Line, Verdict
from lessonroom.errors import EngineDown, ModelRefused
from lessonroom.processes import collector, inside
from lessonroom.processes.frames import Message

log = logs.get(__name__)

MOST_ROOMS: Final = 2048
FORGET_SECONDS: Final = 600.0
"""A room that was silent for so long is forgotten: its lines are not for this process to keep."""
IDLE_SECONDS: Final = 30.0


@dataclass(slots=True)
class _Kept:
    lines: list[Line]
    at: float


class Lines:
    """The lines of the latest rooms as objects: what was read of a line lasts as long as its object."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rooms: OrderedDict[str, _Kept] = OrderedDict()

    def of(self, room: str, said: Sequence[Sequence[str]]) -> list[Line]:
        """The lines (sender and text of each) that stand before a room's message."""
        before = self._rooms.pop(room, None)
        known = {(line.sender, line.text): line for line in before.lines} if before is not None else {}
        lines = [known.get((sender, text)) or Line(sender, text) for sender, text in said]
        self._rooms[room] = _Kept(lines, self._clock())
        self.forget()
        return list(lines)

    def add(self, room: str, line: Line) -> None:
        """Keep the message, too: it will be the last of the lines."""
        self._rooms[room].lines.append(line)

    def forget(self) -> None:
        """Let go of rooms that were silent for long, or are too many."""
        oldest = self._clock() - FORGET_SECONDS
        while self._rooms and (len(self._rooms) > MOST_ROOMS or next(iter(self._rooms.values())).at < oldest):
            self._rooms.popitem(last=False)


class Screening:
    """Answers questions one after the other."""

    def __init__(self, orders: Orders, lines: Lines) -> None:
        self._policy: ChatPolicy = orders.policy
        self._releases = Releases(Path(orders.data_dir), Path(orders.models_dir) if orders.models_dir else None)
        self._lines = lines
        self._current: Classifier | None = None
        self._candidate: Classifier | None = None
        self._use(orders.current, orders.shadow)

    def handle(self, message: Message) -> Iterator[Message]:
        """Answer a message of the parent, see :mod:`lessonroom.chat.questions`."""
        if message["do"] == FOLLOW:
            self._use(message["current"], message["shadow"])
            return
        number = message["number"]
        if self._current is None or time.monotonic() > message["until"]:
            yield {"say": CANNOT, "number": number}
            return
        try:
            yield from self._screen(number, message, self._current)
        except Exception:  # a defect met one message: the gate looks at it again, and others are not kept waiting
            log.exception("a message could not be screened")
            yield {"say": CANNOT, "number": number}

    def _screen(self, number: int, message: Message, model: Classifier) -> Iterator[Message]:
        room, text, sender = message["room"], message["text"], message["sender"]
        case = look(text, self._policy, sender, self._lines.of(room, message["context"]))
        if case.reading is not None:
            line = Line(sender, text)
            remember(line, case.reading)
            self._lines.add(room, line)
        verdict, failure = self._verdict(case, model, message["severity"])
        yield Answer(verdict, failure).message(number)
        if self._candidate is not None and not failure and not is_for_rules(case, self._policy):
            yield self._compared(case, verdict, message["severity"], self._candidate)

    def _verdict(self, case: Case, model: Classifier, severity: float) -> tuple[Verdict, str]:
        if is_for_rules(case, self._policy):
            return decide_by_rules(case, self._policy, degraded=False), ""
        try:
            return decide(case, judge(case, model), self._policy, severity, model.version), ""
        except EngineDown as error:
            return decide_by_rules(case, self._policy), type(error).__name__

    def _compared(self, case: Case, verdict: Verdict, severity: float, candidate: Classifier) -> dict[str, Any]:
        told: dict[str, Any] = {
            "say": COMPARED,
            "version": candidate.version,
            "current": verdict.action is not Action.RELAY,
        }
        try:
            other = decide(case, judge(case, candidate), self._policy, severity, candidate.version)
        except EngineDown:
            return {**told, "candidate": None}
        return {**told, "candidate": other.action is not Action.RELAY}

    def _use(self, current: str, shadow: str | None) -> None:
        self._current = self._load(current)
        self._candidate = self._load(shadow) if shadow is not None else None

    def _load(self, release: str) -> Classifier | None:
        try:
            return self._releases.load(release)
        except ModelRefused as error:
            log.error("a release of the chat model was refused by a screening process", reason=str(error))
            return None


def main() -> None:
    """Answer the server until it is gone."""
    lines = Lines()

    def start(hello: Message) -> inside.Handle:
        orders = Orders.of(hello)
        logs.setup(level=orders.log_level, as_json=orders.log_json)
        screening = Screening(orders, lines)
        collector.spare()
        return screening.handle

    inside.serve(start, idle=lines.forget, every=IDLE_SECONDS)


if __name__ == "__main__":
    main()
