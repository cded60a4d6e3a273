"""The pool of media workers where a worker does what only a broken one does."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from lessonroom.config import Settings
from lessonroom.errors import BadSdp, EngineDown
from lessonroom.media.sdp import SdpPolicy
from lessonroom.metrics import Metrics
from lessonroom.processes import child as parent_side
from lessonroom.processes import frames
from lessonroom.workers import desk, pool, words
from lessonroom.workers.apart import ApartAnalyser
from lessonroom.workers.pool import Workers


@asynccontextmanager
async def working(count: int = 1) -> AsyncIterator[Workers]:
    workers = Workers(Settings(workers=count), Metrics())
    workers.start()
    try:
        async with asyncio.timeout(60):
            while len(workers.pids) < count:
                await asyncio.sleep(0.01)
        yield workers
    finally:
        await workers.stop()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parent_side, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(pool, "READY_SECONDS", 20.0)  # a busy machine starts a worker later than teachers wait for it


async def offer(workers: Workers) -> None:
    await workers.accept("v=0", [], policy=SdpPolicy(), on_end=lambda _: None)


async def test_an_offer_that_is_none_is_refused_by_the_worker_which_forgets_it() -> None:
    async with working() as workers:
        for _ in range(3):
            with pytest.raises(BadSdp):
                await offer(workers)
        assert workers._desks[0].load.analysers == 0


async def test_a_worker_to_which_nothing_more_can_be_said_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes no bytes any more: it could not be told to stop either. Nor need anybody have more to say to it."""
    monkeypatch.setattr(desk, "MOST_SILENT", 10**6)
    async with working() as workers:
        (first,) = workers.pids
        os.kill(first, signal.SIGSTOP)
        while first in workers.pids:
            workers._desks[0].tell({"do": "waited", "all": [0] * 500_000})
            await asyncio.sleep(0)
        with pytest.raises(BadSdp):
            await offer(workers)
        assert workers.pids != [first]


async def test_an_offer_that_nobody_waits_for_any_more_leaves_nothing() -> None:
    async with working() as workers:
        asked = asyncio.create_task(offer(workers))
        await asyncio.sleep(0)
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert workers._desks[0].load.analysers == 0
        with pytest.raises(BadSdp):
            await offer(workers)


async def test_an_offer_waits_no_longer_than_it_says_for_workers_that_do_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(desk, "MODULE", "tests.processes.there_is_no_such_module")
    monkeypatch.setattr(pool, "READY_SECONDS", 0.1)
    workers = Workers(Settings(workers=1), Metrics())
    heard: list[tuple[str, str]] = []
    workers.on_change = lambda *said: heard.append(said)
    workers.start()
    try:
        with pytest.raises(EngineDown):
            await offer(workers)
    finally:
        await workers.stop()
    assert heard == []


async def test_secrets_do_not_go_to_a_worker() -> None:
    settings = Settings(
        admin_keys=("0" * 64,), turn_urls=("turn:turn.example",), turn_secret="s" * 20, database_url="sqlite:///x"
    )
    told = str(Workers(settings, Metrics())._hello())
    assert not [word for word in ("0" * 64, "s" * 20, "turn.example", "sqlite") if word in told]
    assert Settings.model_validate(Workers(settings, Metrics())._hello()["settings"]).sample_rate


async def test_workers_whose_models_are_refused_are_told_as_such_and_not_as_lost(tmp_path: Path) -> None:
    """The operations page says it, and nobody counts a crash."""
    metrics, told = Metrics(), asyncio.Queue[tuple[str, str]]()
    workers = Workers(Settings(workers=1, models_dir=tmp_path), metrics)
    workers.on_change = lambda *said: told.put_nowait(said)
    workers.start()
    try:
        async with asyncio.timeout(60):
            provider, reason = await told.get()
    finally:
        await workers.stop()
    assert provider == ""
    assert reason.startswith("no media worker begins: ")
    assert "face_" in reason
    assert "media_workers_ended_total{" not in metrics.render().decode()


async def test_workers_of_another_version_take_no_lesson_and_the_reason_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An upgrade on disk under a server that runs: lessons go on without analysis until it is restarted."""
    monkeypatch.setattr(frames, "__version__", "0.0.9")
    monkeypatch.setattr(pool, "READY_SECONDS", 0.1)
    told = asyncio.Queue[tuple[str, str]]()
    workers = Workers(Settings(workers=1), Metrics())
    workers.on_change = lambda *said: told.put_nowait(said)
    workers.start()
    try:
        async with asyncio.timeout(60):
            provider, reason = await told.get()
        with pytest.raises(EngineDown):
            await offer(workers)
    finally:
        await workers.stop()
    assert (provider, reason.endswith("restart the server")) == ("", True)


async def test_a_defect_of_a_look_is_not_the_last_look(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody else would end a worker that hangs, and its lessons would seem to be looked at for ever."""
    monkeypatch.setattr(pool, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(desk, "MOST_SILENT", 20)
    monkeypatch.setattr(pool, "uneven", lambda loads: 1 / 0)
    defects = iter([KeyError("a defect")])
    look = desk.WorkerDesk.look

    def looked(one: desk.WorkerDesk) -> None:
        if error := next(defects, None):
            raise error
        look(one)

    monkeypatch.setattr(desk.WorkerDesk, "look", looked)
    async with working() as workers:
        (first,) = workers.pids
        os.kill(first, signal.SIGSTOP)
        async with asyncio.timeout(60):
            while workers.pids in ([], [first]):
                await asyncio.sleep(0.01)
    assert {"KeyError", "ZeroDivisionError"} <= {word.split("=")[-1] for word in caplog.text.split()}


async def test_a_lesson_that_meets_a_defect_costs_the_others_of_its_worker_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its own watch ends as one that broke; the worker, and what the others hear of it, go on."""
    ends: list[str] = []

    def defect(reason: str) -> None:
        raise KeyError(reason)

    async with working() as workers:
        place = workers._desks[0]
        odd, other = (ApartAnalyser(place, number, on_end) for number, on_end in ((1, defect), (2, ends.append)))
        for one in (odd, other):
            place._analysers[one.number] = one
            one.begin("v=0", "ufrag")
            workers.watch(one, None, lambda strain: None, lambda hint: None)
        place._heard({"say": words.ENDED, "n": 1, "reason": "lost"})
        async with asyncio.timeout(60):
            await odd.over.wait()
        assert odd.failed
        assert not ends
        odd._ended = None
        os.kill(place.child.pid or 0, signal.SIGKILL)
        async with asyncio.timeout(60):
            await other.over.wait()
        assert ends == ["moved"]
