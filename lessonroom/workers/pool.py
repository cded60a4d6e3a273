"""The media workers of a server: where its analysers are when they are not in its own process."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from lessonroom import logs
from lessonroom.config import Settings
from lessonroom.errors import EngineDown
from lessonroom.media.hints import HintState
from lessonroom.media.peer import IceServer
from lessonroom.media.pipeline import hint_rules
from lessonroom.media.sdp import SdpPolicy
from lessonroom.media.types import Hint, Strain
from lessonroom.metrics import Metrics
from lessonroom.processes.frames import Message
from lessonroom.workers.apart import ApartAnalyser, ApartWatch
from lessonroom.workers.desk import LOOK_SECONDS, WorkerDesk
from lessonroom.workers.placing import least, uneven

log = logs.get(__name__)

READY_SECONDS: Final = 4.0
"""Longest wait of an offer for a worker that is ready: a little more than one takes to start."""
MOVE_SECONDS: Final = 2.0
"""Between lessons that move one after the other: each costs its pages and both workers a new connection."""
TOGETHER_SECONDS: Final = 3.0
"""So long after the start offers wait for all workers, or the first that is ready would get all lessons that come back
to a server that was started again."""
NOT_THEIRS: Final = {"admin_keys", "database_url", "turn_urls", "turn_secret"}
"""Settings that a media worker has no use for, secrets among them."""

Changed = Callable[[str, str], None]
"""Hears where models run now, empty for nowhere, and why there."""


def _nobody(provider: str, reason: str) -> None:
    """Nobody wants to know."""


class Workers:
    """So many media workers as the settings say. ``on_change`` hears where models run, when that changes."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.on_change: Changed = _nobody
        self._settings = settings
        self._metrics = metrics
        self._rules = hint_rules(settings)
        self._numbers = itertools.count(1)
        self._desks = [WorkerDesk(self._hello, metrics, self._changed) for _ in range(settings.workers)]
        self._came = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self._said = ("", "")
        self._together_until = 0.0
        self._move_at = 0.0

    @property
    def pids(self) -> Sequence[int]:
        """The processes that are there and ready."""
        return [desk.child.pid for desk in self._desks if desk.child.up and desk.child.pid is not None]

    def start(self) -> None:
        """Begin, without waiting. Call on the event loop."""
        self._together_until = time.monotonic() + TOGETHER_SECONDS
        for desk in self._desks:
            desk.child.start()
        self._looking = asyncio.create_task(self._look(), name="look-after-workers")

    async def stop(self) -> None:
        """Let all of them go; nothing of them is left when this returns."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*(desk.stop() for desk in self._desks))

    async def accept(
        self,
        offer_sdp: str,
        ice_servers: Sequence[IceServer],
        *,
        policy: SdpPolicy,
        on_end: Callable[[str], None],
    ) -> ApartAnalyser:
        """As :meth:`lessonroom.media.peer.Analyser.accept`, by the worker with the least to do.

        When that one dies over it, another is asked. Raises BadSdp, Busy, and EngineDown when none is ready in time.
        """
        until = time.monotonic() + READY_SECONDS
        while True:
            desk = await self._ready(until)
            try:
                return await desk.accept(next(self._numbers), offer_sdp, ice_servers, policy, on_end)
            except EngineDown:
                if desk.child.up:  # it met a defect, or takes too long
                    raise
                log.warning("a media worker was lost over an offer")

    def watch(
        self,
        analyser: object,
        hints: HintState | None,
        on_strain: Callable[[Strain], None],
        on_hint: Callable[[Hint], None],
    ) -> ApartWatch:
        """A watch on an analyser that :meth:`accept` has made; see :data:`lessonroom.rooms.live.MakeWatch`."""
        return ApartWatch(
            cast("ApartAnalyser", analyser),
            hints or HintState(started=time.monotonic()),
            self._rules,
            on_strain=on_strain,
            on_hint=on_hint,
        )

    async def _ready(self, until: float) -> WorkerDesk:
        while True:
            up, now = [desk for desk in self._desks if desk.child.up], time.monotonic()
            together = len(up) == len(self._desks) or now >= self._together_until
            if together and (desk := least(desk.load for desk in up)) is not None:
                return desk
            if now >= until:
                raise EngineDown("expected a media worker that is ready, got none")
            self._came.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout((until if together else min(until, self._together_until)) - now):
                    await self._came.wait()

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for look in (*(desk.look for desk in self._desks), self._even_out):
                try:
                    look()
                except Exception:  # of one worker or lesson: the others hang no less
                    log.exception("looking after media workers met a defect")

    def _even_out(self) -> None:
        crowded = uneven([desk.load for desk in self._desks if desk.child.up])
        if crowded is not None and time.monotonic() >= self._move_at:
            self._move_at = time.monotonic() + MOVE_SECONDS
            crowded.move_one()

    def _changed(self) -> None:
        up = [desk for desk in self._desks if desk.child.up]
        if up:
            self._came.set()
        known = next(((desk.provider, desk.reason) for desk in up if desk.provider), None)
        refusal = next((desk.refusal for desk in self._desks if desk.refusal), "")
        said = known or ("", f"no media worker begins: {refusal}" if refusal else "no media worker is ready")
        if said != self._said:
            self._said = said
            self.on_change(*said)

    def _hello(self) -> Message:
        settings: dict[str, Any] = self._settings.model_dump(mode="json", exclude=NOT_THEIRS)
        return {"settings": settings}
