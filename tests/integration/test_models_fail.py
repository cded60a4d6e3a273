"""A whole lesson whose models fail: vision is down and says so, the chat and the call go on, nobody is told a lie.

The engine is the product's own. What fails lies below it (a network that lies, hangs or breaks) or beside it (a file).
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from lessonroom import messages as m
from lessonroom import models
from lessonroom.app import App
from lessonroom.chat.classifier import NetworkClassifier
from lessonroom.rooms import watching
from tests.fakes_whip import WhipClient
from tests.integration.serving import PATIENCE, Lesson, Page, serving

DEADLINE = 1.0
"""Of a look, in seconds; a look that has taken five of it is taken for hung."""


UNDECIDED = "ask vasya_82 in tg"
"""A contact for the model; the rules alone are not sure."""


class Trouble:
    """What is wrong with the networks now; ``""``: nothing."""

    def __init__(self) -> None:
        self.kind = ""
        self.let_go = threading.Event()

    def __call__(self, answers: list[Any]) -> list[Any]:
        match self.kind:
            case "raises":
                raise RuntimeError("out of memory")
            case "hangs":
                self.let_go.wait(30)
            case "says NaN":
                return [np.full_like(answer, np.nan) for answer in answers]
            case "says infinity":
                return [np.full_like(answer, np.inf) for answer in answers]
            case "has another shape":
                return [answer[..., :-1] for answer in answers]
            case "has another rank":
                return [answer.reshape(-1) for answer in answers]
        return answers

    def heal(self) -> None:
        self.kind = ""
        self.let_go.set()


@pytest.fixture
def trouble(monkeypatch: pytest.MonkeyPatch) -> Iterator[Trouble]:
    """Networks that do as they are told, below the engine and its checks."""
    trouble = Trouble()

    class Session(onnxruntime.InferenceSession):
        def run(self, *arguments: Any, **named: Any) -> list[Any]:
            return trouble(super().run(*arguments, **named))

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    monkeypatch.setattr(watching, "STEADY", 0.2)
    yield trouble
    trouble.heal()


@contextmanager
def spoiled(folder: Path, name: str, how: str) -> Iterator[Path]:
    """The shipped models in a folder of their own, one truncated, swapped or missing; at the end it is whole."""
    folder.mkdir()
    for path in models.folder().iterdir():
        (folder / path.name).symlink_to(path)
    victim = folder / name
    whole = victim.read_bytes()
    victim.unlink()
    if how == "truncated":
        victim.write_bytes(whole[: len(whole) // 2])
    elif how == "swapped":
        victim.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    yield folder
    victim.write_bytes(whole)


@asynccontextmanager
async def camera(lesson: Lesson) -> AsyncIterator[WhipClient]:
    """The student's video, sent for as long as it lasts."""
    client = WhipClient(f"{lesson.student.base}/whip/{lesson.room}", await lesson.student.ticket("whip"))
    try:
        answer = await client.post(await client.sender.offer(), Origin=lesson.student.base)
        assert answer.status_code == 201
        await client.sender.answered(answer.text)
        yield client
    finally:
        await client.close()


async def chat_and_call_go_on(lesson: Lesson, teacher: Page, student: Page, number: int) -> None:
    """A message is stored and relayed, a contact is still blocked, the pages still reach one another."""
    assert (await student.chat("Is exercise 5 right?", f"message-{number}a")).state == "relayed"
    assert (await teacher.get(m.ChatMessage)).text == "Is exercise 5 right?"
    assert (await student.chat("call me: +7 912 345 67 89", f"message-{number}b")).state == "blocked"
    await student.say(
        m.SignalSend(to=lesson.teacher.member, page="page-t001", candidate=m.Candidate(candidate="candidate:1"))
    )
    await teacher.get(m.Signal)


async def shows(page: Page, state: str, reason: str | None) -> None:
    await page.get(m.Analysis, lambda now: (now.state, now.reason) == (state, reason))


def hints_from_pictures(page: Page) -> list[m.HintShow]:
    return [message for message in page.got if isinstance(message, m.HintShow)]


@pytest.mark.parametrize(
    "kind", ["raises", "hangs", "says NaN", "says infinity", "has another shape", "has another rank"]
)
async def test_an_engine_that_fails_in_mid_lesson_turns_the_indicator_off_and_nothing_else(
    tmp_path: Path, trouble: Trouble, kind: str
) -> None:
    """And never "no face": that would be "nothing found" for "could not look". When it is well again, so is all."""
    async with serving(tmp_path, ice_loopback=True, analysers=1, inference_deadline=DEADLINE) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await student.say(m.ConsentSend(agreed=True))
            await shows(teacher, "off", "connecting")
            async with camera(lesson):
                await shows(teacher, "learning", "no_face")
                await shows(student, "learning", "no_face")
                teacher.got.clear()
                trouble.kind = kind
                await shows(teacher, "off", "vision_down")
                await shows(student, "off", "vision_down")
                await chat_and_call_go_on(lesson, teacher, student, 1)
                assert {now.state for now in teacher.got if isinstance(now, m.Analysis)} <= {"off"}
                assert failures(app) > 0
                trouble.heal()
                await shows(teacher, "learning", "no_face")
                await chat_and_call_go_on(lesson, teacher, student, 2)
                assert hints_from_pictures(teacher) == []


async def test_when_every_thread_hangs_lessons_go_on_and_come_back_when_it_ends(
    tmp_path: Path, trouble: Trouble
) -> None:
    """More looks hang than there are threads and spares: from then on they are refused at once, not waited for."""
    async with serving(tmp_path, ice_loopback=True, analysers=1, inference_deadline=0.05) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await student.say(m.ConsentSend(agreed=True))
            trouble.kind = "hangs"
            async with camera(lesson):
                await shows(teacher, "off", "vision_down")
                await chat_and_call_go_on(lesson, teacher, student, 1)
                async with asyncio.timeout(PATIENCE):
                    while failures(app, "refused") == 0:
                        await asyncio.sleep(0.02)
                await chat_and_call_go_on(lesson, teacher, student, 2)
                trouble.heal()
                await shows(teacher, "learning", "no_face")


@pytest.mark.parametrize("name", ["face_detector.onnx", "face_mesh.onnx", "expression.onnx"])
@pytest.mark.parametrize("how", ["truncated", "swapped", "missing"])
async def test_without_a_sound_model_lessons_run_unwatched_and_say_so(tmp_path: Path, name: str, how: str) -> None:
    with spoiled(tmp_path / "models", name, how) as folder:
        async with serving(tmp_path, ice_loopback=True, models_dir=folder) as app:
            lesson = await Lesson.make(app)
            async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
                assert (teacher.welcome.analysis.state, teacher.welcome.analysis.reason) == ("off", "vision_down")
                await student.say(m.ConsentSend(agreed=True))
                client = WhipClient(f"{lesson.student.base}/whip/{lesson.room}", await lesson.student.ticket("whip"))
                refused = await client.post(await client.sender.offer(), Origin=lesson.student.base)
                await client.close()
                assert (refused.status_code, refused.json()["code"]) == (403, "refused")
                await chat_and_call_go_on(lesson, teacher, student, 1)


async def test_with_the_right_file_back_the_next_start_watches_again(tmp_path: Path) -> None:
    with spoiled(tmp_path / "models", "expression.onnx", "truncated") as folder:
        async with serving(tmp_path, models_dir=folder) as app:
            lesson = await Lesson.make(app)
            async with lesson.teacher.page("page-t001") as teacher:
                assert teacher.welcome.analysis.reason == "vision_down"
    async with serving(tmp_path, models_dir=folder) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher:
            assert teacher.welcome.analysis.reason == "not_agreed"


async def test_a_file_that_is_lost_under_a_running_server_changes_nothing_in_its_lessons(tmp_path: Path) -> None:
    """Networks are read once, when they are checked; what happens to the file later is for the next start to find."""
    with spoiled(tmp_path / "models", "expression.onnx", "missing") as folder:
        whole = folder / "expression.onnx"
        whole.write_bytes((models.folder() / "expression.onnx").read_bytes())
        async with serving(tmp_path, ice_loopback=True, analysers=1, models_dir=folder) as app:
            for path in folder.glob("*.onnx"):
                path.unlink()
            lesson = await Lesson.make(app)
            async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
                await student.say(m.ConsentSend(agreed=True))
                async with camera(lesson):
                    await shows(teacher, "learning", "no_face")


@pytest.mark.parametrize("how", ["truncated", "swapped", "missing"])
async def test_without_the_chat_model_the_rules_decide_and_the_rest_is_held_visibly(tmp_path: Path, how: str) -> None:
    with spoiled(tmp_path / "models", "contact_filter.npz", how) as folder:
        async with serving(tmp_path, models_dir=folder) as app:
            lesson = await Lesson.make(app)
            async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
                await the_rules_decide(teacher, student, 1)


@pytest.mark.parametrize("kind", ["raises", "hangs", "says NaN", "says infinity"])
async def test_a_chat_model_that_fails_in_mid_lesson_leaves_the_rules_and_comes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    trouble, logits = Trouble(), NetworkClassifier.logits
    monkeypatch.setattr(NetworkClassifier, "logits", lambda *asked: trouble([logits(*asked)])[0])
    async with serving(tmp_path, chat_deadline=1.0) as app:
        lesson = await Lesson.make(app)
        async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
            await chat_and_call_go_on(lesson, teacher, student, 1)
            trouble.kind = kind
            await the_rules_decide(teacher, student, 2)
            trouble.heal()
            assert (await student.chat(UNDECIDED, "message-x")).state != "held"


async def the_rules_decide(teacher: Page, student: Page, number: int) -> None:
    """What is sure is blocked, what is harmless goes on, what the rules cannot decide is held and its writer told."""
    assert (await student.chat(UNDECIDED, f"message-{number}c")).state == "held"
    assert (await student.chat("call me: +7 912 345 67 89", f"message-{number}d")).state == "blocked"
    assert (await student.chat("Is exercise 6 right?", f"message-{number}e")).state == "relayed"
    assert (await teacher.get(m.ChatMessage)).text == "Is exercise 6 right?"


def failures(app: App, kind: str = "") -> float:
    """Looks without an answer, of one kind or of all."""
    samples = next(iter(app.services.metrics.inference_failures.collect())).samples
    return sum(each.value for each in samples if each.name.endswith("_total") and kind in {"", each.labels.get("kind")})
