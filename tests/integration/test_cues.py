"""From what a student writes to the teacher's hint: real server, real sockets, the real filter, and no camera."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from lessonroom import messages as m
from lessonroom.media.types import Cue
from lessonroom.policy import Mode
from tests.integration.serving import PATIENCE, Lesson, Page, serving

QUICK = {"hint_first_seconds": 0, "hint_hold_seconds": 1}
TURNS = [
    ("ru", "не понимаю", "Можете объяснить ещё раз?"),
    ("uk", "я не розумію це завдання", "поясніть, будь ласка, ще раз"),
    ("en", "I don't get it", "Can you explain it again, please?"),
]


async def write(page: Page, *texts: str, of: str) -> None:
    for number, text in enumerate(texts):
        assert (await page.chat(text, f"message-{of}-{number}")).state == "relayed"


@pytest.mark.parametrize(("language", "first", "second"), TURNS, ids=[turn[0] for turn in TURNS])
async def test_a_student_who_writes_that_it_is_unclear_becomes_a_hint_in_every_language(
    tmp_path: Path, language: str, first: str, second: str
) -> None:
    """The room allows no analysis at all (M0): the cues of the chat are what is left, and they are enough."""
    async with serving(tmp_path, **QUICK) as app:
        lesson = await Lesson.make(app, mode_cap=Mode.M0)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await write(student, first, second, of=language)
            hint = await teacher.get(m.HintShow)
            assert (hint.cue, hint.advice) == ("chat", "explain_again")
            shown = m.dump(hint)
            assert first not in shown
            assert second not in shown
            await student.nothing(m.HintShow)
            await teacher.say(m.HintFeedback(hint=hint.id, helpful=True))
            async with asyncio.timeout(PATIENCE):
                while not [kept for kept in await app.services.store.hints(lesson.room) if kept.answer == "helpful"]:
                    await asyncio.sleep(0.02)


async def test_with_the_default_settings_nobody_is_told_in_the_first_minutes(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path, hint_hold_seconds=0) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await write(student, "не понимаю", "вообще ничего не понимаю", of="early")
            ears = next(app.hub.live_rooms()).listening
            async with asyncio.timeout(PATIENCE):
                while ears.hints is None or ears.hints.held is None:  # until it would speak
                    await asyncio.sleep(0.02)
            await teacher.nothing(m.HintShow)


async def test_no_words_of_the_chat_are_kept_with_what_was_heard(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await write(teacher, "Do you like hippopotamus?", of="t")
            await write(student, "sorry, i don't understand the word «hippopotamus»", of="s")
            ears = next(app.hub.live_rooms()).listening
            assert [heard.cue for heard in ears.recent(0.0)] == [Cue.CHAT]
            assert "hippo" not in repr(vars(ears)).lower()
