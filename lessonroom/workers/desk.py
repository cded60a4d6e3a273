"""One media worker, as the server sees it: its process, its analysers, and whether it still answers."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from lessonroom import logs
from lessonroom.errors import EngineDown
from lessonroom.media.peer import IceServer
from lessonroom.media.sdp import SdpPolicy
from lessonroom.metrics import Metrics
from lessonroom.metrics_sum import Sum
from lessonroom.processes.child import Child
from lessonroom.processes.frames import Message
from lessonroom.workers import words
from lessonroom.workers.apart import ApartAnalyser
from lessonroom.workers.placing import Load, later

log = logs.get(__name__)

MODULE: Final = "lessonroom.workers.worker"
LOOK_SECONDS: Final = 0.5
MOST_SILENT: Final = 6
"""Looks without a word of a worker, which says something every second: it hangs. Three seconds; counted in looks, so
that a pause of this process is not taken for one of the worker's."""
LATE: Final = "lessonroom_inference_failures"
ANSWER_SECONDS: Final = 15.0
"""Longest wait for the answer to an offer: candidates are gathered for 5 s when a TURN server does not answer."""
GONE: Final = "gone"
HUNG: Final = "hung"
STOPPED: Final = "stopped"


class WorkerDesk:
    """A :class:`~lessonroom.workers.apart.Desk`. ``on_change``: it came, went, or says where it looks with models."""

    def __init__(self, hello: Callable[[], Message], metrics: Metrics, on_change: Callable[[], None]) -> None:
        self.child = Child(
            MODULE, hello, on_message=self._heard, on_up=self._came, on_gone=self._gone, on_refused=self._refused
        )
        self.provider = ""
        self.reason = ""
        self.refusal = ""
        """Why it does not begin, where it says so: its models are refused, for example."""
        self._metrics = metrics
        self._sum = Sum(metrics)
        self._on_change = on_change
        self._analysers: dict[int, ApartAnalyser] = {}
        self._asked: dict[int, asyncio.Future[Message]] = {}
        """What was asked and has not been answered."""
        self._asks = itertools.count(1)
        self._why = GONE
        self._waits: list[int] = []
        self._there = False
        """It has come and is not gone; whether it takes more work is another question."""
        self._silent = 0
        self._late = 0.0
        self._up_since = 0.0

    @property
    def load(self) -> Load[WorkerDesk]:
        """How much it has to do."""
        return Load(self, len(self._analysers), self._late, time.monotonic() - self._up_since)

    async def accept(
        self,
        number: int,
        offer_sdp: str,
        ice_servers: Sequence[IceServer],
        policy: SdpPolicy,
        on_end: Callable[[str], None],
    ) -> ApartAnalyser:
        """Have it answer an offer. Raises BadSdp, Busy, and EngineDown when it dies over it."""
        analyser = self._analysers[number] = ApartAnalyser(self, number, on_end)
        servers = [[list(one.urls), one.username, one.credential] for one in ice_servers]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                said = await self.ask(
                    {"do": words.ACCEPT, "n": number, "sdp": offer_sdp, "ice": servers, "policy": words.policy(policy)}
                )
        except BaseException as error:  # the worker died or does not say, or nobody wants the answer any more
            self._analysers.pop(number, None)
            self.tell({"do": words.CLOSE, "n": number})
            if isinstance(error, TimeoutError):
                raise EngineDown("expected an answer to an offer in time, got none") from None
            raise
        if said["refused"] is not None:
            self.forget(number)
            raise words.refused(said["refused"])
        analyser.begin(said["answer"], said["ufrag"])
        return analyser

    # --- what its lessons need (lessonroom.workers.apart.Desk) -------------------------------------------------------

    def tell(self, message: Message) -> None:
        """Say something; a worker that is not there any more does not mind."""
        try:
            self._send(message)
        except EngineDown:
            log.debug("a media worker was not told", kind=message["do"])

    async def ask(self, message: Message) -> Message:
        """Say something and wait for what it says to it. Raises EngineDown when it dies over it."""
        number = next(self._asks)
        self._send({**message, "ask": number})
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            return await answer
        finally:
            self._asked.pop(number, None)

    def waits(self, number: int) -> None:
        """Time goes by for this lesson; lessons of one turn of the loop are told of together."""
        if not self._waits:
            asyncio.get_running_loop().call_soon(self._tell_waits)
        self._waits.append(number)

    def end(self, why: str) -> None:
        """End the worker now."""
        if self._there:
            self._why = why
            self.child.kill()

    def forget(self, number: int) -> None:
        """This analyser is over."""
        self._analysers.pop(number, None)

    def move_one(self) -> None:
        """Have one lesson leave for another worker; of those that a room watches, the one that is here for longest."""
        analyser = next((one for one in self._analysers.values() if one.watched), None)
        if analyser is not None:
            log.info("a lesson moves to another media worker", count=len(self._analysers))
            analyser.move()

    # --- whether it is there -----------------------------------------------------------------------------------------

    async def stop(self) -> None:
        """Let it go."""
        self._why = STOPPED
        await self.child.stop()

    def look(self) -> None:
        """Call every ``LOOK_SECONDS``: a worker that says nothing, or reads nothing any more, hangs and is ended."""
        if self._there:
            self._silent += 1
            if self._silent > MOST_SILENT or not self.child.up:
                self.end(HUNG)

    def _came(self) -> None:
        self._silent, self._late, self._why = 0, 0.0, GONE
        self._there, self._up_since, self.refusal = True, time.monotonic(), ""
        self._on_change()

    def _refused(self, why: str) -> None:
        self.refusal = why
        self._on_change()

    def _gone(self) -> None:
        self._there = False
        if self._why != STOPPED:
            log.error("a media worker is lost", reason=self._why, count=len(self._analysers))
            self._metrics.worker_ended(self._why)
        self.provider = ""
        self._sum.gone()
        asked, self._asked = self._asked, {}
        for answer in asked.values():
            if not answer.done():
                answer.set_exception(EngineDown("expected a worker that answers, got one that has ended"))
        analysers, self._analysers = self._analysers, {}
        for analyser in analysers.values():
            self._hand(analyser, analyser.lost)
        self._on_change()

    # --- what is said ------------------------------------------------------------------------------------------------

    def _send(self, message: Message) -> None:
        """Say something; a worker to which nothing more can be said hangs, and is ended. Raises EngineDown."""
        try:
            self.child.send(message)
        except EngineDown:
            self.end(HUNG)
            raise

    def _heard(self, said: Message) -> None:
        self._silent = 0
        match said["say"]:
            case words.SECOND:
                self._second(said)
            case words.ANSWER:
                self._answered(said)
            case _:
                analyser = self._analysers.get(said["n"])
                if analyser is not None:
                    self._hand(analyser, partial(analyser.hear, said))

    @staticmethod
    def _hand(analyser: ApartAnalyser, tell: Callable[[], None]) -> None:
        """Tell one lesson something. Its defect ends its watch, and costs no other lesson of this worker anything."""
        try:
            tell()
        except Exception:
            log.exception("a lesson met a defect over what its media worker said")
            analyser.broke()

    def _answered(self, said: Message) -> None:
        answer = self._asked.get(said["to"])
        if answer is not None and not answer.done():
            answer.set_result(said)

    def _second(self, said: dict[str, Any]) -> None:
        """What it says every second: how its figures have grown, and where each of its analysers is."""
        self._sum.add(said["grown"])
        self._late = later(self._late, sum(grown[0] for name, _, grown in said["grown"] if name == LATE))
        for number, received, dropped in said["counts"]:
            analyser = self._analysers.get(number)
            if analyser is not None:
                analyser.frames.received, analyser.frames.dropped = received, dropped
        if said["provider"] != self.provider:
            self.provider, self.reason = said["provider"], said["reason"]
            self._on_change()

    def _tell_waits(self) -> None:
        numbers, self._waits = self._waits, []
        self.tell({"do": words.WAITED, "all": numbers})
