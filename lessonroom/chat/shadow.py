"""A candidate that is asked too, after the verdict, and has no say: how often would it have decided otherwise?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

from lessonroom.chat.classifier import Classifier
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.screen import Case, decide, judge
from lessonroom.chat.types import Action

MOST_WAITING: Final = 64
"""Questions to the candidate that may wait; what comes when there are more is not asked, and counted as skipped."""

OUTCOMES: Final = ("neither", "both", "only_current", "only_candidate", "failed", "skipped")
"""What a message was to the two: an alarm for whom; or the candidate did not answer, or was not asked."""

_WHO: Final = {
    (False, False): "neither",
    (True, True): "both",
    (True, False): "only_current",
    (False, True): "only_candidate",
}


class Shadow:
    """One candidate and its counts. ``on_outcome`` hears one of ``OUTCOMES`` for each message, for metrics.

    It has one thread of its own, so that it never takes a turn from the classifier that serves.
    """

    def __init__(
        self, candidate: Classifier, policy: ChatPolicy, on_outcome: Callable[[str], None] = lambda outcome: None
    ) -> None:
        self.version = candidate.version
        self._candidate = candidate
        self._policy = policy
        self._on_outcome = on_outcome
        self._counts = dict.fromkeys(OUTCOMES, 0)
        self._waiting = 0
        self._thread = ThreadPoolExecutor(1, "chat-shadow")

    def compare(self, case: Case, action: Action, severity: float) -> None:
        """Ask about a message that the current model has judged. Never waits and never raises for the candidate."""
        alarm = action is not Action.RELAY
        if self._waiting >= MOST_WAITING:
            self._count("skipped")
        else:
            self._waiting += 1
            loop = asyncio.get_running_loop()
            answer = loop.run_in_executor(self._thread, self._alarms, case, severity)
            answer.add_done_callback(partial(self._answered, alarm))

    def figures(self) -> dict[str, int | str]:
        """Version, messages that both have judged, and for how many of them who would have raised an alarm."""
        counts = self._counts
        judged = sum(counts[name] for name in ("neither", "both", "only_current", "only_candidate"))
        told = {name: counts[name] for name in ("both", "only_current", "only_candidate")}
        return {"version": self.version, "messages": judged, **told}

    def heard(self, current: bool, candidate: bool | None) -> None:
        """Count a message that both were asked about elsewhere; None: the candidate failed."""
        self._count("failed" if candidate is None else _WHO[current, candidate])

    def close(self) -> None:
        """Ask no more; what waits is dropped."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _alarms(self, case: Case, severity: float) -> bool:
        opinion = judge(case, self._candidate)
        return decide(case, opinion, self._policy, severity, self.version).action is not Action.RELAY

    def _answered(self, alarm: bool, answer: asyncio.Future[bool]) -> None:
        self._waiting -= 1
        if answer.cancelled():
            self._count("skipped")
        elif answer.exception() is not None:
            self._count("failed")
        else:
            self._count(_WHO[alarm, answer.result()])

    def _count(self, outcome: str) -> None:
        self._counts[outcome] += 1
        self._on_outcome(outcome)
