"""A release of the chat model comes into service in a server that runs, with people talking."""

from __future__ import annotations

import asyncio
from pathlib import Path

from lessonroom.chat.releases import Releases
from lessonroom.storage.store import Store, StoredMessage
from tests.chat.models import copied, damage
from tests.integration.serving import PATIENCE, Lesson, Page, serving

NUMBER = "мой телефон 8 905 123-45-67, звоните"


async def chat_until(page: Page, model: str, lesson: Lesson, store: Store, start: int) -> list[StoredMessage]:
    """Send one message after another until one was judged by this model; all that is stored by then."""
    async with asyncio.timeout(3 * PATIENCE):
        for number in range(start, 100_000):
            await page.chat(NUMBER, f"message-{number}")
            stored = list(await store.recent(lesson.room, 100_000))
            if stored[-1].message.model == model:
                return stored
            await asyncio.sleep(0.05)
    raise AssertionError


async def test_a_release_is_switched_to_and_rolled_back_without_a_restart_and_without_losing_a_message(
    tmp_path: Path,
) -> None:
    """Somebody writes all the time; every message is acknowledged, stored and judged by the one model or the other."""
    releases = Releases(tmp_path)
    releases.add("better", copied("better"))
    async with serving(tmp_path, chat_per_minute=100_000) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page() as page:
            packaged = releases.load("packaged").version
            stored = await chat_until(page, packaged, lesson, app.services.store, 0)
            releases.switch("better")
            stored = await chat_until(page, "better", lesson, app.services.store, len(stored))
            assert b'chat_model_info{role="current",version="better"} 1.0' in app.services.metrics.render()
            releases.rollback()
            stored = await chat_until(page, packaged, lesson, app.services.store, len(stored))
    assert [one.message.id for one in stored] == [f"message-{number}" for number in range(len(stored))]
    models = [one.message.model for one in stored]
    assert [model for n, model in enumerate(models) if model != models[n - 1] or n == 0] == [
        packaged, "better", packaged,
    ]  # fmt: skip
    assert {one.message.state for one in stored} == {"blocked"}


async def test_a_server_that_starts_with_a_damaged_release_serves_the_one_before_and_says_so(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    for version in ("good", "bad"):
        releases.add(version, copied(version))
        releases.switch(version)
    damage(releases.place("bad"))
    async with serving(tmp_path) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page() as page:
            await page.chat(NUMBER)
        assert (await app.services.store.recent(lesson.room, 1))[0].message.model == "good"
        assert b"lessonroom_chat_releases_refused_total 1.0" in app.services.metrics.render()


async def test_what_a_candidate_would_have_done_is_among_the_figures_for_reviewers(tmp_path: Path) -> None:
    releases = Releases(tmp_path)
    releases.add("next", copied("next"))
    releases.shadow("next")
    async with serving(tmp_path) as app:
        lesson = await Lesson.make(app)
        async with lesson.student.page() as page:
            await page.chat("спасибо за урок", "message-1")
            await page.chat(NUMBER, "message-2")
        async with asyncio.timeout(PATIENCE):
            while (shadow := dict(app.services.review.shadow() or {})) != {
                "version": "next", "messages": 2, "both": 1, "only_current": 0, "only_candidate": 0,
            }:  # fmt: skip
                assert shadow["version"] == "next"
                await asyncio.sleep(0.01)
