"""A media worker that meets a defect: whoever asked gets an answer, and nothing is left."""

from __future__ import annotations

import asyncio
import threading
from typing import Any, cast

import pytest

from lessonroom.config import Settings
from lessonroom.errors import EngineDown
from lessonroom.media.eyes import Eyes
from lessonroom.media.peer import Analyser
from lessonroom.media.sdp import SdpPolicy
from lessonroom.metrics import Metrics
from lessonroom.tracing import Spans, Tracer
from lessonroom.workers import words
from lessonroom.workers import worker as module
from lessonroom.workers.worker import Worker


class NoEyes:
    """Nothing is looked at in these tests."""

    class engine:  # noqa: N801 - an attribute
        provider = reason = "CPU"

    vision = None

    def close(self) -> None:
        """Nothing to close."""


@pytest.mark.parametrize("ice", [[], [["too", "few"]]])
async def test_an_offer_that_meets_a_defect_is_answered_and_forgotten(
    ice: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def accept(*_: Any, **__: Any) -> Analyser:
        raise OSError("too many open files")

    monkeypatch.setattr(Analyser, "accept", accept)
    said: list[Any] = []
    worker = Worker(Settings(), cast("Eyes", NoEyes()), Metrics(), said.append)
    policy = words.policy(SdpPolicy())
    worker.hear({"do": words.ACCEPT, "n": 1, "ask": 7, "sdp": "v=0", "ice": ice, "policy": policy})
    async with asyncio.timeout(30):
        while not (answers := [one for one in said if one["say"] == words.ANSWER]):
            await asyncio.sleep(0.01)
    assert answers[0]["to"] == 7
    assert isinstance(words.refused(answers[0]["refused"]), EngineDown)
    assert not worker._lessons
    await worker.close()


def traced(tracer: Tracer) -> Worker:
    metrics = Metrics()
    metrics.tracer = tracer
    return Worker(Settings(), cast("Eyes", NoEyes()), metrics, lambda message: None)


async def test_traces_of_the_last_seconds_are_sent_when_a_worker_ends() -> None:
    """They are sent in batches, every few seconds; nobody would see why the last looks were late."""
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter", reason="no extra otel")
    exporter = memory.InMemorySpanExporter()
    worker = traced(Spans(exporter, 1.0))
    worker._metrics.observation_age(0.2)
    await worker.close()
    assert [span.name for span in exporter.get_finished_spans()] == ["look"]


async def test_a_collector_that_hangs_does_not_keep_a_worker_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SEND_SECONDS", 0.01)
    let_go, over = threading.Event(), threading.Event()

    class Hangs:
        def close(self) -> None:
            let_go.wait(20)
            over.set()

    await traced(cast("Tracer", Hangs())).close()
    assert not over.is_set()
    let_go.set()
    assert over.wait(20)
