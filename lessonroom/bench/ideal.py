"""The bound of ``bench rooms``: what one lesson would take that did nothing but decode and ask the networks.

libav decodes the same frames, and the two networks that no look can do without, mesh and expression, are asked about
a face that is ready for them. It runs beside the lessons, a little each second, so that whatever makes the machine
slower for the server, hyper-threads, caches, clocks, makes it as much slower for the bound.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import suppress
from typing import Any, Final

import av
import cv2

from lessonroom.bench.video import Kept
from lessonroom.errors import BadMedia
from lessonroom.media import expression, faces
from lessonroom.media.engine import Arrays
from lessonroom.media.onnx_engine import OnnxEngine
from lessonroom.media.shots import pixels
from lessonroom.media.types import Unseen
from lessonroom.simulate import shaped

EVERY_SECONDS: Final = 1.0
MODELS: Final = (faces.DETECTOR, faces.MESH, expression.MODEL)
ONE: Final = 10
"""Frames that are decoded in one measurement."""


class Ideal:
    """Measures the bound while something else goes on. Use as a context manager; close the engine with it."""

    def __init__(self, frames: list[bytes]) -> None:
        self._engine = OnnxEngine(list(MODELS), threads=1)
        self._frames = frames
        self._asked = _ready(self._engine, frames)
        self._decoder = _decoder()
        self._number = 0
        self.decode_ms: list[float] = []
        self.networks_ms: list[float] = []

    @property
    def spent(self) -> float:
        """Processor seconds that measuring the bound has taken."""
        return (ONE * sum(self.decode_ms) + sum(self.networks_ms)) / 1000

    def forget(self) -> None:
        """Begin anew: what comes is beside another load."""
        self.decode_ms.clear()
        self.networks_ms.clear()

    async def beside(self) -> None:
        """Measure once a second until cancelled, on a thread."""
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.to_thread(self.once)
                await asyncio.sleep(EVERY_SECONDS)

    def once(self) -> None:
        """Decode some frames and ask the networks once; processor time of this thread."""
        began = time.thread_time()
        for _ in range(ONE):
            self._decoder.decode(shaped.packet(self._frames, self._number))
            self._number += 1
        decoded = time.thread_time()
        for model, inputs in self._asked:
            self._engine.infer(model, inputs)
        self.decode_ms.append(1000 * (decoded - began) / ONE)
        self.networks_ms.append(1000 * (time.thread_time() - decoded))

    def figures(self, samples: float) -> dict[str, float]:
        """Medians, and per cent of a core for one lesson with so many looks a second."""
        decode, networks = statistics.median(self.decode_ms), statistics.median(self.networks_ms)
        percent = (decode * shaped.RATE + networks * samples) / 10
        return {
            "decode_ms_a_frame": round(decode, 4), "networks_ms_a_look": round(networks, 4),
            "percent_of_a_core": round(percent, 4),
        }  # fmt: skip

    def close(self) -> None:
        """Let go of the networks."""
        self._engine.close()


def _ready(engine: OnnxEngine, frames: list[bytes]) -> list[tuple[str, Arrays]]:
    """What mesh and expression are asked about the first face. Raises BadMedia for frames without one."""
    decoder, kept = _decoder(), Kept(engine)
    for number in range(len(frames)):
        for picture in decoder.decode(shaped.packet(frames, number)):
            image = pixels(picture)
            found = faces.detect(engine, image)
            face = faces.landmark(kept, image, found[0]) if found else Unseen.NO_FACE
            if not isinstance(face, Unseen):
                expression.read(kept, expression.crop(image, face))
                return kept.taken()
            kept.taken()
    raise BadMedia("expected a clip that shows a face, found none in it")


def _decoder() -> Any:
    cv2.setNumThreads(1)
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    return decoder
