"""The inference server where it answers as our own models do, this process where it does not.

A thread of its own tries a server that is down, so that no look at a lesson pays for that: first whether it says it is
ready, then whether it gives the answers of our files to an input of our choice. A server with other weights under the
same names, or with worse arithmetic than :data:`AGREED`, is thus as good as none.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any, Final

from numpy.typing import NDArray

from lessonroom import logs
from lessonroom.errors import EngineDown
from lessonroom.media import promises
from lessonroom.media.engine import Arrays
from lessonroom.media.kserve_engine import KserveEngine
from lessonroom.media.kserve_patience import Breaker, Trust
from lessonroom.media.meter import UNMETERED, Meter
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.models import Sidecar

log = logs.get(__name__)

AGREED: Final = 0.02
"""Largest difference of an answer from our own, as a part of the largest number in it: half precision passes."""

Changed = Callable[[str, str], None]
"""Told of provider and reason, on any thread, whenever the place of inference changes."""


def _nobody_hears(provider: str, reason: str) -> None:
    """Nobody wants to know."""


class FallbackEngine:
    """Implements :class:`~lessonroom.media.engine.Engine`: asks ``remote``, answers from ``local`` while it is down.

    A call takes no longer than the remote's deadline and one local inference. Both engines are closed with this one.
    """

    def __init__(
        self,
        remote: KserveEngine,
        local: OnnxEngine,
        *,
        on_changed: Changed = _nobody_hears,
        meter: Meter = UNMETERED,
    ) -> None:
        self._meter = meter
        self._remote = remote
        self._local = local
        self._on_changed = on_changed
        self._breaker = Breaker(time.monotonic())
        self._why = "not asked yet"
        self._closing = threading.Event()
        self._wake = threading.Event()
        self._trials = threading.Thread(target=self._try_for_ever, name="inference-server-trials", daemon=True)
        self._trials.start()

    @property
    def provider(self) -> str:
        """Where inference runs now: ``"server"``, or what the local engine says."""
        return self._remote.provider if self._breaker.trust is Trust.CLOSED else self._local.provider

    @property
    def reason(self) -> str:
        """Why there, in one line."""
        if self._breaker.trust is Trust.CLOSED:
            return self._remote.reason
        return f"{self._remote.reason}, which is not used: {self._why}; here: {self._local.reason}"

    @property
    def models(self) -> tuple[str, ...]:
        """Names of the loaded models, sorted."""
        return self._local.models

    def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model; see :meth:`lessonroom.media.engine.Engine.infer`."""
        if self._breaker.trust is not Trust.CLOSED:
            return self._local.infer(model, inputs)
        try:
            answer = self._remote.infer(model, inputs)
        except EngineDown as error:
            here = self._local.infer(model, inputs)  # where this fails, too, the input was at fault and not the server
            self._failed(model, str(error))
            return here
        self._breaker.worked(model)
        return answer

    def close(self) -> None:
        """Close both engines; again changes nothing.

        Called on an event loop, so it waits for no inference: a trial that is under way ends after the one it is at.
        """
        if not self._closing.is_set():
            atexit.register(self._trials.join)  # the interpreter must not go from under a network that runs
        self._closing.set()
        self._wake.set()
        self._remote.close()
        self._local.close()

    def _failed(self, model: str, why: str) -> None:
        if self._breaker.failed(model, time.monotonic()):
            self._why = why
            log.info("inference server is down, inference runs here", provider=self.provider, reason=self.reason)
            self._tell()
            self._wake.set()

    def _try_for_ever(self) -> None:
        while True:
            self._wake.clear()
            if self._closing.is_set():  # only now: what woke us before is forgotten
                return
            self._wake.wait(self._breaker.wait(time.monotonic()))
            if not self._closing.is_set() and self._breaker.due(time.monotonic()):
                self._try()

    def _try(self) -> None:
        """Make a trial, tell the breaker, and tell whoever listens when something changed."""
        before = self._why
        self._why = self._objection()
        self._breaker.tried(time.monotonic(), answered=not self._why)
        if self._closing.is_set():
            return
        self._meter.server_tried(not self._why)
        if self._why == before:
            return
        if self._why:
            log.info("inference server is not used", provider=self.provider, reason=self.reason)
        else:
            log.info("inference server is used", provider=self.provider, reason=self.reason)
        self._tell()

    def _objection(self) -> str:
        """Ask for readiness and for known answers: why the server is not to be used, "" when it is."""
        try:
            self._remote.ready()
            for card in self._local.cards:
                self._compare(card)
        except EngineDown as error:
            return str(error)
        except Exception as error:  # nobody else would ever try again
            log.exception("a trial of the inference server failed")
            return type(error).__name__
        return ""

    def _compare(self, card: Sidecar) -> None:
        inputs = promises.probe(card)
        try:
            ours = self._local.infer(card.name, inputs)
        except EngineDown:
            return  # a model that does not like the probe's numbers says nothing about the server
        theirs = self._remote.infer(card.name, inputs)
        for name, array in ours.items():
            if promises.difference(theirs[name], array) > AGREED:
                raise EngineDown(f"{card.name}.{name}: expected the answers of our own file, got others")

    def _tell(self) -> None:
        try:
            self._on_changed(self.provider, self.reason)
        except Exception:  # neither a look nor the trials end because a listener is gone
            log.exception("nobody could be told where inference runs")
