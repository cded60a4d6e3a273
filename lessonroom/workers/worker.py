"""A media worker: ``python -m lessonroom.workers.worker``, started by :mod:`lessonroom.workers.desk`.

It has the analysers, the eyes and the watches of some lessons, and nothing of a lesson but its pictures and what they
mean: no names, no chat, no store. It can be lost at any time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.errors import BadSdp, Busy, EngineDown
from lessonroom.media.eyes import Eyes, open_eyes
from lessonroom.metrics import Metrics
from lessonroom.metrics_sum import Growth
from lessonroom.processes import collector, within
from lessonroom.processes.frames import Message
from lessonroom.processes.within import Say
from lessonroom.tracing import SEND_SECONDS, spans_to
from lessonroom.workers import words
from lessonroom.workers.lesson import Lesson, Servers

log = logs.get("lessonroom.workers.worker")  # which is __main__ here

TELL_SECONDS: Final = 1.0
CLOSE_SECONDS: Final = 2.0


class Worker:
    """The analysers of this process. A :class:`~lessonroom.processes.within.Part`."""

    def __init__(self, settings: Settings, eyes: Eyes, metrics: Metrics, say: Say) -> None:
        self._settings = settings
        self._eyes = eyes
        self._metrics = metrics
        self._say = say
        self._growth = Growth(metrics)
        self._lessons: dict[int, Lesson] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn(self._tell())

    def hear(self, message: Message) -> None:
        """What the server says; see :mod:`lessonroom.workers.words`."""
        match message["do"]:
            case words.ACCEPT:
                self._spawn(self._accept(message))
            case words.WAITED:
                for number in message["all"]:
                    if number in self._lessons:
                        self._lessons[number].waited()
            case words.CLOSE:
                self._spawn(self._close(message["n"]))
            case words.STOP:
                self._stop(message["n"])
            case words.CANDIDATE:
                self._spawn(self._candidate(message))
            case _:
                lesson = self._lessons.get(message["n"])
                if lesson is not None:
                    lesson.hear(message)

    async def close(self) -> None:
        """The server is gone: so is all that it wanted."""
        for lesson in self._lessons.values():
            lesson.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.gather(*(lesson.close() for lesson in self._lessons.values()))
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._eyes.close()
        self._send_spans()

    def _send_spans(self) -> None:
        """Send the last seconds' traces; a collector that does not take them must not hold up a server that stops.

        Blocks, since nothing is left that could wait; on a thread that ends with this process.
        """
        if self._metrics.tracer is not None:
            last = threading.Thread(target=self._metrics.tracer.close, name="last-spans", daemon=True)
            last.start()
            last.join(SEND_SECONDS)

    # --- one analyser ------------------------------------------------------------------------------------------------

    async def _accept(self, message: Message) -> None:
        number = message["n"]
        lesson = self._lessons[number] = Lesson(number, self._eyes.vision, self._settings, self._metrics, self._say)
        try:
            servers = Servers.read(message["ice"])
            analyser = await lesson.accept(message["sdp"], servers, words.read_policy(message["policy"]))
        except Exception as error:  # noqa: BLE001 - logged there; whoever asked must not wait for ever
            self._lessons.pop(number, None)
            self._say({"say": words.ANSWER, "to": message["ask"], "refused": _refusal(error)})
            return
        said = {"answer": analyser.answer, "ufrag": analyser.ufrag, "refused": None}
        self._say({"say": words.ANSWER, "to": message["ask"], **said})

    async def _candidate(self, message: Message) -> None:
        lesson, refused = self._lessons.get(message["n"]), None
        try:
            if lesson is not None:
                await lesson.add_candidate(message["line"], message["mid"])
        except Exception as error:  # noqa: BLE001 - as above
            refused = _refusal(error)
        self._say({"say": words.ANSWER, "to": message["ask"], "refused": refused})

    def _stop(self, number: int) -> None:
        lesson = self._lessons.get(number)
        if lesson is not None:
            lesson.stop()
        self._say({"say": words.STOPPED, "n": number})

    async def _close(self, number: int) -> None:
        lesson = self._lessons.pop(number, None)
        if lesson is not None:
            lesson.stop()
            await lesson.close()
        self._say({"say": words.CLOSED, "n": number})

    # --- all of them -------------------------------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Say every second how things stand; that it is said at all shows that this process does not hang."""
        while True:
            engine = self._eyes.engine
            counts = [counted for lesson in self._lessons.values() if (counted := lesson.counts()) is not None]
            for lesson in self._lessons.values():
                lesson.tell()
            told = {"grown": self._growth.next(), "counts": counts}
            self._say({"say": words.SECOND, "provider": engine.provider, "reason": engine.reason, **told})
            await asyncio.sleep(TELL_SECONDS)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a task of a media worker failed", exc_info=task.exception())


def _refusal(error: Exception) -> Any:
    """What a defect is told as, too: nobody outside needs to know more than that it was one."""
    if isinstance(error, BadSdp | Busy):
        return words.refusal(error)
    log.error("an offer or a candidate met a defect", exc_info=error)
    return words.refusal(EngineDown("expected a media worker that answers, got one with a defect"))


def begin(hello: Message, say: Say) -> Worker:
    """Load the models and be ready. Raises ModelRefused: the server is told, the process ends and is tried again."""
    settings = Settings.model_validate(hello["settings"])
    logs.setup(level=settings.log_level, as_json=settings.log_json)
    metrics = Metrics()
    metrics.tracer = spans_to(settings.trace_url, settings.trace_share)
    eyes = open_eyes(settings, metrics)
    collector.spare()
    log.info("a media worker is ready", provider=eyes.engine.provider, reason=eyes.engine.reason)
    return Worker(settings, eyes, metrics, say)


if __name__ == "__main__":
    within.serve(begin)
