"""Consent outside the lesson: by the student and by a guardian with a link of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lessonroom import messages as m
from lessonroom import rights
from lessonroom.app import App
from lessonroom.errors import BadInput, StoreDown
from lessonroom.policy import Band, Mode
from lessonroom.rooms import ruling
from lessonroom.rooms.consent import TEXT
from lessonroom.server.admission import About
from lessonroom.simulate.facts import ADULT, PLACE, SETTING
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.consent import ConsentRecord
from tests.integration.serving import PATIENCE, Lesson, Visitor, serving
from tests.tables import minors_allowed

MINOR = About(PLACE, Band.FROM_13)


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with serving(tmp_path) as app:
        yield app


async def family(app: App) -> tuple[Visitor, Visitor]:
    """A minor student and their guardian, both with open sessions."""
    room = await app.admission.make_room(Mode.M3, SETTING)
    await app.admission.make_member(room, "teacher", "Tina", about=ADULT)
    student = await app.admission.make_member(room, "student", "Sam", "sam", about=MINOR)
    guardian = await app.admission.make_member(room, "guardian", "Gus")
    assert "/consents/" in guardian.link
    visitors = [Visitor(app.admission.public_url, made.link) for made in (student, guardian)]
    for visitor in visitors:
        await visitor.enter()
    return visitors[0], visitors[1]


async def say(visitor: Visitor, purpose: str, given: bool, **more: Any) -> dict[str, Any]:
    body = {"purpose": purpose, "given": given, **more}
    answer = await visitor.http.post(f"/api/members/{visitor.member}/consents", json=body)
    answer.raise_for_status()
    return answer.json()


def words(view: dict[str, Any]) -> dict[str, tuple[bool | None, bool | None]]:
    return {
        one["purpose"]: tuple(one[by] and one[by]["given"] for by in ("own", "guardian")) for one in view["purposes"]
    }


async def test_each_purpose_is_agreed_to_apart_and_by_each_side_apart(app: App) -> None:
    student, guardian = await family(app)
    view = await say(guardian, "hints", True)
    assert (view["by"], view["name"], view["two_keys"]) == ("guardian", "Sam", True)
    assert words(view) == {"hints": (None, True), "research": (None, None), "training": (None, None)}
    await say(student, "training", True)
    view = await say(student, "hints", False)
    assert words(view) == {"hints": (False, True), "research": (None, None), "training": (True, None)}


async def test_a_word_is_kept_with_version_language_and_end_and_goes_on_record_without_a_name(app: App) -> None:
    _, guardian = await family(app)
    await say(guardian, "research", True, text="2026-11", lang="uk")
    (said,) = await app.services.store.consents("sam")
    assert (said.text, said.lang, said.by, said.member) == ("2026-11", "uk", "guardian", guardian.member)
    assert said.expires_at - said.at == app.settings.consent_days * 86_400
    record = (await app.services.review.audits(None, 100))[-1]
    assert (record.action, record.actor) == ("consent.given", guardian.member)
    assert record.detail == {"purpose": "research", "by": "guardian", "text": "2026-11", "lang": "uk"}


async def test_nobody_but_student_and_guardian_speaks_and_only_with_their_own_session(app: App) -> None:
    student, guardian = await family(app)
    for visitor, member in ((student, guardian.member), (guardian, student.member)):
        answer = await visitor.http.get(f"/api/members/{member}/consents")
        assert answer.status_code == 401
    body = {"purpose": "hints", "given": True}
    path = f"/api/members/{student.member}/consents"
    assert (await student.http.post(path, json=body, headers={"Origin": "http://evil.example"})).status_code == 403
    for broken in ({**body, "purpose": "all"}, {**body, "given": "yes"}, {"purpose": "hints"}, {**body, "more": 1}):
        assert (await student.http.post(path, json=broken)).status_code == 422


async def test_a_body_that_says_a_thing_twice_is_no_consent(app: App) -> None:
    student, _ = await family(app)
    body = '{"purpose": "training", "given": false, "given": true}'
    answer = await student.http.post(
        f"/api/members/{student.member}/consents", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 422
    assert not await app.services.store.consents("sam")


async def test_a_member_says_yes_so_often_and_no_as_often_as_they_like_on_one_record(tmp_path: Path) -> None:
    async with serving(tmp_path, tickets_per_minute=3) as app:
        student, _ = await family(app)
        for _ in range(3):
            await say(student, "research", True)
        body = {"purpose": "research", "given": True}
        answer = await student.http.post(f"/api/members/{student.member}/consents", json=body)
        assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)
        for _ in range(5):
            await say(student, "research", False)
        records = [row.action for row in await app.services.review.audits(None, 100) if "consent" in row.action]
        assert records == ["consent.given"] * 3 + ["consent.taken_back"]


async def test_a_no_to_ever_other_words_does_not_fill_the_record(app: App) -> None:
    student, _ = await family(app)
    app.services.words._rate, app.services.words._burst = 0.001, 3.0
    for number in range(8):
        assert words(await say(student, "hints", False, text=f"v{number}"))["hints"] == (False, None)
    taken_back = [one for one in await app.services.review.audits(None, 100) if one.action == "consent.taken_back"]
    assert [one.detail["text"] for one in taken_back] == ["v0", "v1", "v2", TEXT]


async def test_a_page_that_consents_without_end_is_closed_and_its_last_no_is_heard(app: App) -> None:
    """Each word stays on record for good, so 40 in a second would be too many; and a no is never one too many."""
    lesson = await Lesson.make(app)
    app.services.words._rate, app.services.words._burst = 0.001, 2.0
    async with lesson.student.page() as page:
        for agreed in (True, False, True):
            await page.say(m.ConsentSend(agreed=agreed))
        assert await page.closed() == m.CloseCode.RATE_LIMITED
    async with lesson.student.page() as page:
        await page.say(m.ConsentSend(agreed=False))
        assert await page.closed() == m.CloseCode.RATE_LIMITED
    async with lesson.student.page() as page:
        assert page.welcome.consent is False


async def test_where_training_does_not_depend_on_consent_nobody_is_asked_about_it(tmp_path: Path) -> None:
    async with serving(tmp_path, training_consent=False) as app:
        student, _ = await family(app)
        assert set(words(await say(student, "research", True))) == {"hints", "research"}


async def test_a_no_is_written_when_the_store_is_back_unless_a_yes_was_said_since(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, guardian = await family(app)
    store, down = app.services.store, True
    keep, kept = store.add_consent, asyncio.Event()

    async def sometimes(consent: ConsentRecord, audit: AuditRecord) -> None:
        if down:
            raise StoreDown("told to be down")
        await keep(consent, audit)
        kept.set()

    monkeypatch.setattr(store, "add_consent", sometimes)
    monkeypatch.setattr(ruling, "RETRY_SECONDS", 0.01)
    with pytest.raises(httpx.HTTPStatusError):
        await say(guardian, "hints", False)
    down = False
    async with asyncio.timeout(PATIENCE):
        await kept.wait()
    assert [word.given for word in await store.consents("sam")] == [False]
    await say(guardian, "hints", True)
    down = True
    with pytest.raises(httpx.HTTPStatusError):
        await say(guardian, "hints", False)
    down = False
    await say(guardian, "hints", True)
    await asyncio.sleep(0.1)
    assert [word.given for word in await store.consents("sam")] == [True]


async def test_a_server_that_stops_still_writes_the_no_that_waits(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    _, guardian = await family(app)
    store, down = app.services.store, True
    keep, kept = store.add_consent, list[bool]()

    async def sometimes(consent: ConsentRecord, audit: AuditRecord) -> None:
        if down:
            raise StoreDown("told to be down")
        await keep(consent, audit)
        kept.append(consent.given)

    monkeypatch.setattr(store, "add_consent", sometimes)
    monkeypatch.setattr(ruling, "RETRY_SECONDS", 0.2)
    with pytest.raises(httpx.HTTPStatusError):
        await say(guardian, "hints", False)
    down = False
    await app.stop()
    assert kept == [False]


async def test_a_teacher_is_asked_about_research_and_training_and_never_about_hints(app: App) -> None:
    """Teachers are not looked at."""
    lesson = await Lesson.make(app)
    view = await say(lesson.teacher, "training", True)
    assert words(view) == {"research": (None, None), "training": (True, None)}
    body = {"purpose": "hints", "given": True}
    answer = await lesson.teacher.http.post(f"/api/members/{lesson.teacher.member}/consents", json=body)
    assert answer.status_code == 403


async def test_an_operator_has_nothing_to_consent_to(app: App) -> None:
    operator = Visitor(app.admission.public_url, (await app.admission.make_operator()).link)
    await operator.enter()
    assert (await operator.http.get(f"/api/members/{operator.member}/consents")).status_code == 403


async def test_a_guardian_enters_no_room_and_is_in_no_list(app: App) -> None:
    student, guardian = await family(app)
    for purpose in ("socket", "whip", "operations"):
        answer = await guardian.http.post(f"/api/members/{guardian.member}/tickets", json={"purpose": purpose})
        assert answer.status_code == 403
    async with student.page() as page:
        assert [row.role for row in page.welcome.members] == ["teacher", "student"]


async def test_there_is_no_guardian_without_a_student_under_18_and_no_second_one(app: App) -> None:
    room = await app.admission.make_room(Mode.M3, SETTING)
    with pytest.raises(BadInput, match="student under 18"):
        await app.admission.make_member(room, "guardian", "Gus")
    await app.admission.make_member(room, "student", "Sam", about=ADULT)
    with pytest.raises(BadInput, match="student under 18"):
        await app.admission.make_member(room, "guardian", "Gus")


async def test_what_is_taken_back_ends_while_the_database_is_gone(tmp_path: Path) -> None:
    async with serving(tmp_path, policy_table=minors_allowed(tmp_path)) as app:
        student, guardian = await family(app)
        async with student.page():
            live = app.hub._shelf.peek(live_room(app))
            assert live is not None
            await say(guardian, "hints", True)
            assert not live.room.consent.guardian_missing
            file = tmp_path / "lessonroom.sqlite3"
            away = file.rename(tmp_path / "away.sqlite3")
            with pytest.raises(httpx.HTTPStatusError, match="503"):
                await say(guardian, "hints", False)
            assert live.room.consent.guardian_missing
            with pytest.raises(httpx.HTTPStatusError, match="503"):
                await say(guardian, "hints", True)
            assert live.room.consent.guardian_missing
            foreign = f"/api/members/{guardian.member}/consents"
            cookies = {"Cookie": "lessonroom=another-secret"}
            body = {"purpose": "hints", "given": False}
            assert (await student.http.post(foreign, json=body, headers=cookies)).status_code == 401
            away.rename(file)


async def test_nobody_speaks_for_a_student_who_was_forgotten(app: App) -> None:
    """What is left of all who were forgotten has one and the same name: none."""
    _, guardian = await family(app)
    record = await app.services.store.member(guardian.member)
    await app.hub.close_room(record.room)
    await rights.erase(app._store, "sam", actor="command")
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        await say(guardian, "training", True)
    assert not await app.services.store.consents("")


async def test_the_guardians_word_reaches_a_lesson_that_goes_on(tmp_path: Path) -> None:
    """A table that lets the server look at minors whose guardian agrees: what is told follows at once."""
    async with serving(tmp_path, policy_table=minors_allowed(tmp_path)) as app:
        student, guardian = await family(app)
        async with student.page() as page:
            assert page.welcome.analysis.reason in {"not_agreed", "vision_down"}
            live = app.hub._shelf.peek(live_room(app))
            assert live is not None
            assert live.room.consent.guardian_missing
            await say(guardian, "hints", True)
            assert not live.room.consent.guardian_missing
            await page.say(m.ConsentSend(agreed=True))
            async with asyncio.timeout(PATIENCE):
                while live.room.consent.agreed is not True:
                    await asyncio.sleep(0.005)
            assert (await page.get(m.Analysis, lambda told: told.mode == "M3")).reason == "connecting"
            await say(guardian, "hints", False)
            assert (await page.get(m.Analysis, lambda told: told.mode == "M0")).reason == "guardian_missing"


async def test_a_yes_that_waits_for_the_store_does_not_undo_the_no_that_was_said_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, policy_table=minors_allowed(tmp_path)) as app:
        student, guardian = await family(app)
        store, slow, asked = app.services.store, asyncio.Event(), asyncio.Event()
        keep = store.add_consent

        async def slowly(consent: ConsentRecord, audit: AuditRecord) -> None:
            await keep(consent, audit)
            if consent.given:
                asked.set()
                await slow.wait()

        monkeypatch.setattr(store, "add_consent", slowly)
        async with student.page():
            live = app.hub._shelf.peek(live_room(app))
            assert live is not None
            yes = asyncio.create_task(say(guardian, "hints", True))
            await asked.wait()
            await say(guardian, "hints", False)
            slow.set()
            await yes
            assert live.room.consent.guardian_missing


async def test_a_no_that_is_not_written_yet_counts_in_a_lesson_that_is_loaded_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(tmp_path, policy_table=minors_allowed(tmp_path)) as app:
        student, guardian = await family(app)
        await say(guardian, "hints", True)

        async def down(consent: ConsentRecord, audit: AuditRecord) -> None:
            raise StoreDown("told to be down")

        monkeypatch.setattr(app.services.store, "add_consent", down)
        with pytest.raises(httpx.HTTPStatusError):
            await say(guardian, "hints", False)
        async with student.page():
            live = app.hub._shelf.peek(live_room(app))
            assert live is not None
            assert live.room.consent.guardian_missing


def live_room(app: App) -> str:
    return next(live.room.id for live in app.hub.live_rooms())
