"""One lesson of the bench, on a clock of its own."""

from __future__ import annotations

import asyncio
import time

import pytest

from lessonroom.bench.lesson import CHAT_EVERY, Lesson, Waits


async def spoken(monkeypatch: pytest.MonkeyPatch, number: int, seconds: float) -> tuple[list[float], float]:
    """When the student of a lesson speaks, and when the lesson has ended."""
    now, times = 0.0, []

    async def sleep(delay: float) -> None:
        nonlocal now
        now += delay

    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "sleep", sleep)
        patch.setattr(time, "monotonic", lambda: now)
        lesson = Lesson(number, Waits())
        patch.setattr(lesson, "_chat", lambda name: times.append(now))
        lesson._pressed = float("inf")  # nobody presses the button
        await lesson.talk(seconds, lambda gone: None)
    return times, now


async def test_no_two_lessons_speak_in_the_same_moment_at_any_time(monkeypatch: pytest.MonkeyPatch) -> None:
    first, ended = await spoken(monkeypatch, 0, 20.0)
    other, _ = await spoken(monkeypatch, 5, 20.0)
    assert len(first) == len(other) == 20.0 / CHAT_EVERY
    assert ended == pytest.approx(20.0), "the time that is measured is that which was asked for"
    assert min(abs(one - two) for one in first for two in other) > CHAT_EVERY / 8
