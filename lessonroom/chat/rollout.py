"""Keeps the gate on the release that the pointer names, while it serves: no restart, and no message waits for it.

A release that cannot be loaded changes nothing: the one before keeps serving, and the log and the metrics say so.
"""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

from lessonroom import logs
from lessonroom.chat.classifier import Classifier
from lessonroom.chat.gate import Gate
from lessonroom.chat.releases import Pointer, Releases, Stamp
from lessonroom.chat.shadow import Shadow
from lessonroom.errors import ModelRefused

log = logs.get(__name__)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks at the pointer."""


class Meter(Protocol):
    """What the metrics hear of releases."""

    def chat_model_serves(self, role: str, version: str) -> None:
        """A version has the role ``current`` or ``shadow`` from now on; '' for none."""
        ...

    def chat_release_refused(self) -> None:
        """A release or the pointer could not be used."""
        ...

    def chat_shadowed(self, outcome: str) -> None:
        """A message was compared (:data:`lessonroom.chat.shadow.OUTCOMES`)."""
        ...


class Rollout:
    """One for a gate. ``every``: seconds between two looks. Call :meth:`choose` first, then :meth:`start`."""

    def __init__(self, gate: Gate, releases: Releases, meter: Meter, every: float = LOOK_EVERY) -> None:
        self._gate = gate
        self._releases = releases
        self._meter = meter
        self._every = every
        self._seen: tuple[Stamp, ...] = ()
        self._serving = ""
        self._task: asyncio.Task[None] | None = None

    def choose(self) -> None:
        """Give the gate the first release that can serve: the current one, the one before, the packaged one.

        Without any the rules decide alone; the log and the metrics say that, too.
        """
        self._seen = self._releases.stamp()
        pointer = self._pointer() or Pointer()
        found = next(((name, model) for name in pointer.chain if (model := self._load(name)) is not None), None)
        if found is None:
            log.error("no release of the chat model can serve: the rules decide alone")
        else:
            self._use(*found)
        self._ask_too(pointer.shadow, self._load(pointer.shadow))

    def start(self) -> None:
        """Look at the pointer from now on. Call on the event loop."""
        self._task = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """Look no more, let go of the candidate."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._ask_too(None, None)

    def shadow(self) -> dict[str, int | str] | None:
        """What the candidate would have done since it is asked: see :meth:`Shadow.figures`. None: there is none."""
        return self._gate.shadow.figures() if self._gate.shadow is not None else None

    def compared(self, version: str, current: bool, candidate: bool | None) -> None:
        """A screening process has asked the candidate, too: whether each raised an alarm, None for one that failed."""
        if self._gate.shadow is not None and self._gate.shadow.version == version:
            self._gate.shadow.heard(current, candidate)

    async def look(self) -> None:
        """Follow the pointer, if it or a release that it names has changed since the last look."""
        stamp = await asyncio.to_thread(self._releases.stamp)
        if stamp == self._seen:
            return
        self._seen = stamp
        pointer = await asyncio.to_thread(self._pointer)
        if pointer is None:
            return
        model = await asyncio.to_thread(self._load, pointer.current)
        candidate = await asyncio.to_thread(self._load, pointer.shadow)
        if model is not None:
            self._use(pointer.current, model)
        self._ask_too(pointer.shadow, candidate)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._every)
            try:
                await self.look()
            except Exception:  # a defect here must not end the watch: the next look may go better
                log.exception("the releases of the chat model could not be looked at")

    def _pointer(self) -> Pointer | None:
        try:
            return self._releases.pointer()
        except ModelRefused as error:
            self._refused(error)
            return None

    def _load(self, version: str | None) -> Classifier | None:
        """The model of a version; None for no version, and for one that was refused."""
        try:
            return self._releases.load(version) if version is not None else None
        except ModelRefused as error:
            self._refused(error)
            return None

    def _refused(self, error: ModelRefused) -> None:
        serves = self._gate.classifier.version if self._gate.classifier is not None else ""
        log.error("a release of the chat model was refused", reason=str(error), model=serves)
        self._meter.chat_release_refused()

    def _use(self, release: str, model: Classifier) -> None:
        """What is being asked by now keeps the model that it asked; its verdict names that one."""
        self._gate.classifier = model
        self._serving = release
        self._meter.chat_model_serves("current", model.version)
        log.info("the chat model serves", model=model.version)

    def _ask_too(self, release: str | None, candidate: Classifier | None) -> None:
        if self._gate.shadow is not None:
            self._gate.shadow.close()
        self._gate.shadow = None
        if candidate is not None:
            self._gate.shadow = Shadow(candidate, self._gate.policy, self._meter.chat_shadowed)
        self._gate.follow(self._serving, release if candidate is not None else None)
        self._meter.chat_model_serves("shadow", candidate.version if candidate is not None else "")
