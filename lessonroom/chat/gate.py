"""The gate that every chat message passes before it is stored and relayed: standing → evidence → classifier → policy.

Where there are screening processes (:mod:`~lessonroom.chat.apart`) one of them does all of it. Without, the rules run
at once; they are linear and their input is capped; and the classifier runs in an executor. Either way there is one
deadline. If the classifier is late, fails, or hangs from earlier messages, the rules decide, what they cannot decide is
held, and the verdict says ``degraded``: never "nothing found" for "could not look".
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Final

from lessonroom.chat.apart import Apart
from lessonroom.chat.classifier import Classifier, Opinion
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.questions import Question
from lessonroom.chat.screen import MAX_LENGTH, Case, decide, decide_by_rules, is_for_rules, judge, look
from lessonroom.chat.shadow import Shadow
from lessonroom.chat.standing import severity
from lessonroom.chat.types import Action, Decider, Line, Standing, StandingClass, Verdict
from lessonroom.errors import EngineDown

MOST_WAITING: Final = 64
"""Questions to the classifier that may be under way; with more, it counts as down until some are answered."""


class Gate:
    """One for the whole process. ``classifier`` None: there is no model, the rules decide (degraded).

    ``classifier`` and ``shadow`` (asked after the verdict, without a say) may be changed at any time, and then
    :meth:`follow` says so to the screening processes: a message keeps the model that it asked. ``deadline``: seconds
    for a verdict. ``executor``: where the classifier runs, the loop's own by default. ``apart``: the screening
    processes. ``clock``: seconds since the epoch, for the decay of strikes. ``on_failure`` hears the class name of each
    failure, for metrics.
    """

    def __init__(
        self,
        classifier: Classifier | None,
        policy: ChatPolicy,
        *,
        deadline: float = 0.3,
        executor: Executor | None = None,
        apart: Apart | None = None,
        clock: Callable[[], float] = time.time,
        on_failure: Callable[[str], None] = lambda failure: None,
    ) -> None:
        self.classifier = classifier
        self.shadow: Shadow | None = None
        self.policy = policy
        self.deadline = deadline
        self._executor = executor
        self._apart = apart
        self._clock = clock
        self._on_failure = on_failure
        self._waiting = 0

    async def screen(
        self,
        text: str,
        *,
        room: str = "",
        sender: str = "",
        standing: Standing | None = None,
        context: Sequence[Line] = (),
    ) -> Verdict:
        """The verdict on a message. ``context``: earlier lines of the room, oldest first; ``sender`` as in them."""
        standing = standing or Standing()
        if standing.standing is StandingClass.PAYING and not self.policy.screen_paying:
            return Verdict(Action.RELAY, 0.0, (), Decider.STANDING)
        weight, until = severity(standing, self._clock()), time.monotonic() + self.deadline
        if self._apart is not None and len(text) <= MAX_LENGTH:
            verdict = await self._far(self._apart, Question(room, text, sender, tuple(context), weight, until))
            if verdict is not None:
                return verdict
        return await self._here(look(text, self.policy, sender, context), weight, until)

    async def _far(self, apart: Apart, question: Question) -> Verdict | None:
        """What a screening process says; None when it cannot now."""
        try:
            answer = await apart.screen(question)
        except TimeoutError as error:
            self._on_failure(type(error).__name__)
            return decide_by_rules(look(question.text, self.policy, question.sender, question.context), self.policy)
        if answer is not None and answer.failure:
            self._on_failure(answer.failure)
        return answer.verdict if answer is not None else None

    async def _here(self, case: Case, weight: float, until: float) -> Verdict:
        if is_for_rules(case, self.policy):
            return decide_by_rules(case, self.policy, degraded=False)
        model = self.classifier
        try:
            opinion = await self._ask(model, case, until)
        except (TimeoutError, EngineDown) as error:
            self._on_failure(type(error).__name__)
            return decide_by_rules(case, self.policy)
        verdict = decide(case, opinion, self.policy, weight, model.version if model else "")
        if self.shadow is not None:
            self.shadow.compare(case, verdict.action, weight)
        return verdict

    def follow(self, current: str, shadow: str | None) -> None:
        """Have the screening processes use these releases, too."""
        if self._apart is not None:
            self._apart.follow(current, shadow)

    async def _ask(self, model: Classifier | None, case: Case, until: float) -> Opinion:
        if model is None:
            raise EngineDown("there is no chat model")
        if self._waiting >= MOST_WAITING:
            raise EngineDown("the chat model does not answer")
        loop = asyncio.get_running_loop()
        self._waiting += 1
        answer = loop.run_in_executor(self._executor, judge, case, model)
        answer.add_done_callback(self._answered)
        return await asyncio.wait_for(asyncio.shield(answer), max(0.0, until - time.monotonic()))

    def _answered(self, answer: asyncio.Future[Opinion]) -> None:
        self._waiting -= 1
        if not answer.cancelled():
            answer.exception()  # looked at, so that a late failure is not reported as forgotten
