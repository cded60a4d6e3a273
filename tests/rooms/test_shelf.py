"""Rooms in memory: what the first of a process waits for, so that no message has to."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from lessonroom.chat import cues
from lessonroom.config import Settings
from lessonroom.media.pipeline import hint_rules, strain_rules
from lessonroom.policy import Mode
from lessonroom.rooms.listening import ListeningRules
from lessonroom.rooms.live import Limits, Live
from lessonroom.rooms.shelf import Shelf
from lessonroom.storage.store import RoomRecord
from tests.fakes import FakeStore


async def test_what_listening_needs_is_compiled_beside_the_loop_before_the_first_room_and_only_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes a third of a second: a message that paid for it would hold up everybody on the server."""
    fresh, threads, prepare = tuple(replace(pleas) for pleas in cues.LANGUAGES), [], cues.prepare

    def watched() -> None:
        threads.append(threading.get_ident())
        prepare()

    monkeypatch.setattr(cues, "LANGUAGES", fresh)
    monkeypatch.setattr(cues, "prepare", watched)
    store, settings = FakeStore(), Settings()
    await store.open()
    rules = ListeningRules(strain_rules(settings), hint_rules(settings), settings.chat_silence_seconds)
    shelf = Shelf(store, Limits(2000, 20, 3, Mode.M0, rules), fail)
    for room in ("room-0001", "room-0002"):
        await store.add_room(RoomRecord(room, "M0", time.time()))
        await shelf.get(room)
        assert all({"plea", "filler"} <= set(vars(pleas)) for pleas in fresh)
    assert len(threads) == 1
    assert threads[0] != threading.get_ident()


def fail(live: Live, error: BaseException) -> None:
    raise AssertionError(live.room.id) from error
