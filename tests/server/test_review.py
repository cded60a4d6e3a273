"""The review over a real server: the queue without sense, the text on record, decisions that reach the room."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest

from lessonroom import messages as m
from lessonroom import models
from lessonroom.app import App
from lessonroom.storage.audit import AuditRecord
from lessonroom.storage.store import MessageState, NewMessage
from tests.integration.serving import Lesson, Visitor, serving

KEY = "an-admin-key"
HASH = hashlib.sha256(KEY.encode()).hexdigest()
DECISION = {"contact": True}
NUMBER = "звоните мне 👍 +7 912 345 67 89"


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    """With the chat's model alone: nobody has a camera here, and loading the others takes longer than most tests."""
    for file in models.folder().glob("contact_filter.*"):
        (tmp_path / file.name).symlink_to(file.absolute())
    async with serving(tmp_path, admin_keys=HASH, models_dir=tmp_path) as app:
        yield app


class Desk:
    """Somebody who reviews, by cookie or by key."""

    def __init__(self, http: httpx.AsyncClient, path: str, actor: str) -> None:
        self.http, self.path, self.actor = http, path, actor

    async def get(self, path: str = "", **query: Any) -> Any:
        answer = await self.http.get(f"{self.path}/review{path}", params=query)
        answer.raise_for_status()
        return answer.json()

    async def post(self, message: str, what: str, body: object) -> httpx.Response:
        return await self.http.post(f"{self.path}/review/{message}/{what}", json=body)

    async def decide(self, message: str, contact: bool, **more: object) -> Any:
        answer = await self.post(message, "decision", {"contact": contact, **more})
        answer.raise_for_status()
        return answer.json()

    async def first(self) -> Any:
        return (await self.get())["items"][0]


@pytest.fixture(params=["operator", "platform"])
async def desk(request: pytest.FixtureRequest, app: App) -> AsyncIterator[Desk]:
    if request.param == "operator":
        made = await app.admission.make_operator()
        visitor = Visitor(app.admission.public_url, made.link)
        await visitor.enter()
        yield Desk(visitor.http, f"/api/members/{visitor.member}", visitor.member)
        return
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=app.admission.public_url, headers=headers, verify=False) as http:
        yield Desk(http, "/api/admin", f"key:{HASH[:8]}")


async def keep(app: App, lesson: Lesson, number: int, state: MessageState, text: str = NUMBER, **more: Any) -> None:
    """A message on the disk, past the filter."""
    message = NewMessage(
        room=lesson.room,
        sender=lesson.student.member,
        id=f"message-{number}",
        text=text,
        at=1_800_000_000.0 + number,
        state=state,
        probability=0.9,
        decider="model",
        model="a model",
    )
    fields = {**{name: getattr(message, name) for name in NewMessage.__slots__}, **more}
    await app.services.store.append(NewMessage(**fields))


# --- the queue -------------------------------------------------------------------------------------------------------


async def test_a_waiting_message_is_shown_without_its_sense_and_without_anybody(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    async with lesson.student.page() as student:
        assert (await student.chat(NUMBER)).state == "blocked"
    answer = await desk.get()
    (item,) = answer["items"]
    assert sorted(item["words"]) == sorted(NUMBER.split())
    assert (item["why"], item["kinds"], item["lang"], item["degraded"]) == ("blocked", ["phone"], "ru", False)
    assert item["probability"] > 0.9
    assert item["model"]
    assert answer["waiting"] == {"appealed": 0, "held": 0, "blocked": 1, "sample": 0}
    assert answer["wrong_blocks"] == {"decided": 0, "wrong": 0, "share": None, "low": 0.0, "high": 1.0}
    assert answer["violators"] == 0
    for secret in (lesson.room, lesson.student.member, "'Sam'", "'sam'", "message-1"):
        assert secret not in str(answer)


async def test_words_come_in_another_order_each_time(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD, " ".join(str(word) for word in range(100)))
    assert (await desk.first())["words"] != (await desk.first())["words"]


async def test_the_queue_can_be_asked_for_some_reasons_and_for_a_part(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    for number, state in enumerate([MessageState.BLOCKED, MessageState.HELD, MessageState.HELD]):
        await keep(app, lesson, number, state)
    assert [item["why"] for item in (await desk.get())["items"]] == ["held", "held", "blocked"]
    assert [item["why"] for item in (await desk.get(why="blocked,held", limit=2))["items"]] == ["held", "held"]
    assert [item["why"] for item in (await desk.get(why="blocked"))["items"]] == ["blocked"]
    assert (await desk.get(limit=0))["waiting"] == {"appealed": 0, "held": 2, "blocked": 1, "sample": 0}


async def test_a_bad_question_is_told_in_one_line(desk: Desk) -> None:
    queries: list[dict[str, Any]] = [{"why": "moon"}, {"why": ""}, {"limit": -1}, {"limit": 101}]
    for query in queries:
        answer = await desk.http.get(f"{desk.path}/review", params=query)
        assert (query, answer.status_code, answer.json()["code"]) == (query, 422, "bad_input")
        assert "moon" not in answer.text


# --- the text --------------------------------------------------------------------------------------------------------


async def test_the_text_is_shown_with_its_findings_and_the_lines_before_it(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        await teacher.chat("Good morning!")
        await student.chat("Hello!")
        await student.chat(NUMBER, "message-2")
    found = (await desk.post((await desk.first())["id"], "text", {})).json()
    assert found["text"] == NUMBER
    assert found["before"] == [{"own": False, "text": "Good morning!"}, {"own": True, "text": "Hello!"}]
    span = found["findings"][0]
    assert span["kind"] == "phone"
    assert span["evidence"]
    units = NUMBER.encode("utf-16-le")[2 * span["start"] : 2 * span["end"]]  # as JavaScript counts
    assert units.decode("utf-16-le") == "+7 912 345 67 89"


async def test_who_saw_which_text_is_on_record_and_the_words_are_not(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    item = await desk.first()
    assert await of_messages(app) == []
    await desk.post(item["id"], "text", {})
    await desk.decide(item["id"], True, kind="phone")
    read, decided = await of_messages(app)
    assert (read.actor, read.action, read.subject) == (desk.actor, "message.read", f"message:{item['id']}")
    assert (decided.actor, decided.action, decided.subject) == (desk.actor, "message.decided", read.subject)
    assert decided.detail == {"contact": True, "kind": "phone"}
    assert "звоните" not in str((read, decided))


async def test_without_a_record_no_text_is_shown(app: App, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    item = await desk.first()
    monkeypatch.setattr("lessonroom.storage.reviewlog.auditlog.add", fails)
    assert (await desk.post(item["id"], "text", {})).status_code == 500


async def test_what_does_not_wait_cannot_be_read_or_decided(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.RELAYED)
    for message, (what, body) in product(("1", "999", "0", "x", str(2**60)), (("text", {}), ("decision", DECISION))):
        answer = await desk.post(message, what, body)
        assert (answer.status_code, answer.json()["code"]) in {(404, "not_found"), (422, "bad_input")}


# --- decisions -------------------------------------------------------------------------------------------------------


async def test_an_appeal_that_was_right_reaches_the_other_side(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        await student.chat(NUMBER)
        await student.say(m.ChatAppeal(id="message-1"))
        await student.get(m.ChatAck)
        item = await desk.first()
        assert item["why"] == "appealed"
        assert await desk.decide(item["id"], False) == {"state": "relayed", "released": True}
        got = await teacher.get(m.ChatMessage)
        assert (got.seq, got.text, got.sender, got.decided) == (2, NUMBER, lesson.student.member, True)
        own = await student.get(m.ChatMessage)
        assert (own.id, own.seq, own.state, own.decided) == ("message-1", 2, "relayed", True)
        assert (await student.chat("thank you", "message-2")).seq == 3
    assert (await desk.get())["wrong_blocks"]["share"] == 1.0


async def test_an_appeal_that_was_wrong_stays_stopped_and_only_its_writer_hears(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    async with lesson.teacher.page("page-t001") as teacher, lesson.student.page("page-s001") as student:
        await student.chat(NUMBER)
        await student.say(m.ChatAppeal(id="message-1"))
        await student.get(m.ChatAck)
        item = await desk.first()
        assert await desk.decide(item["id"], True, kind="phone") == {"state": "blocked", "released": False}
        own = await student.get(m.ChatMessage)
        assert (own.state, own.seq, own.decided, own.findings[0].kind) == ("blocked", 2, True, "phone")
        await teacher.nothing(m.ChatMessage)
        await student.say(m.ChatAppeal(id="message-1"))  # there is no second appeal
        again = await student.get(m.ChatAck)
        assert (again.state, again.decided) == ("blocked", True)
    assert (await desk.get())["waiting"]["appealed"] == 0


async def test_a_writer_who_was_away_hears_of_the_decision_on_return(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    await keep(app, lesson, 2, MessageState.HELD)
    for item in (await desk.get())["items"]:
        await desk.decide(item["id"], item["id"] == "1")
    async with lesson.student.page("page-s001", after=2) as student:
        assert [(await student.get(m.ChatMessage)).state for _ in range(2)] == ["blocked", "relayed"]
    async with lesson.teacher.page("page-t001") as teacher:
        assert (await teacher.get(m.ChatMessage)).seq == 4


async def test_the_same_decision_is_answered_again_and_another_is_a_conflict(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    item = await desk.first()
    for _ in range(2):
        assert await desk.decide(item["id"], False) == {"state": "relayed", "released": True}
    answer = await desk.post(item["id"], "decision", {"contact": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "\n" not in answer.json()["message"]


async def test_a_decision_in_a_closed_room_is_kept_and_releases_nothing(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    await app.hub.close_room(lesson.room)
    assert await desk.decide((await desk.first())["id"], False) == {"state": "relayed", "released": False}


async def test_a_bad_decision_is_told_in_one_line(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    bodies: list[dict[str, Any]] = [
        {}, {"contact": "perhaps"}, {"contact": True, "kind": "pigeon"}, {"verdict": 1},
    ]  # fmt: skip
    for body in bodies:
        answer = await desk.post((await desk.first())["id"], "decision", body)
        assert (body, answer.status_code, answer.json()["code"]) == (body, 422, "bad_input")
        assert "pigeon" not in answer.text


async def test_decisions_and_what_waits_are_counted(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    await keep(app, lesson, 2, MessageState.BLOCKED)
    await desk.decide((await desk.first())["id"], True)
    await app.services.review._count()
    text = app.services.metrics.render().decode()
    assert 'lessonroom_review_decisions_total{contact="yes",why="held"} 1.0' in text
    assert 'lessonroom_review_waiting{why="blocked"} 1.0' in text
    assert 'lessonroom_review_waiting{why="held"} 0.0' in text
    assert (app.services.review.counts.waiting, app.services.review.counts.repeated) == (1, 0)
    assert app.services.figures._make(0.0)["review"] == {"waiting": 1, "repeated": 0}


async def of_messages(app: App) -> list[AuditRecord]:
    """What is on record about messages, oldest first; rooms and members are on record, too."""
    records = await app.services.review.audits(None, 99)
    return [record for record in records if record.action.startswith("message.")]


# --- senders ---------------------------------------------------------------------------------------------------------


async def test_repeated_violations_are_told_without_a_name_and_listed_for_the_platform(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    headers = {"Authorization": f"Bearer {KEY}"}
    times = [time.time() - 2.0, time.time() - 1.0]
    for number, at in enumerate(times):
        await keep(app, lesson, number, MessageState.BLOCKED, at=at)
    async with httpx.AsyncClient(base_url=app.admission.public_url, headers=headers, verify=False) as platform:
        assert (await platform.get("/api/admin/senders")).json() == []
        for item in (await desk.get())["items"]:
            await desk.decide(item["id"], True)
        listed = (await platform.get("/api/admin/senders")).json()
        assert [(one["sender"], one["standing"], one["severity"]) for one in listed] == [("sam", "violator", 2.0)]
        assert (await platform.get("/api/admin/senders/sam")).json() == listed[0]
        nobody = (await platform.get("/api/admin/senders/nobody")).json()
    assert listed[0]["strikes"] == times
    assert nobody == {"sender": "nobody", "paying": False, "standing": "new", "strikes": [], "severity": 0.0}
    answer = await desk.get()
    assert answer["violators"] == 1
    assert "'sam'" not in str(answer)


async def test_the_platform_reads_the_audit_in_parts(app: App, desk: Desk) -> None:
    lesson = await Lesson.make(app)
    await keep(app, lesson, 1, MessageState.HELD)
    item = await desk.first()
    for _ in range(3):
        await desk.post(item["id"], "text", {})
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=app.admission.public_url, headers=headers, verify=False) as platform:
        first = (await platform.get("/api/admin/audit", params={"limit": 2})).json()
        rest = (await platform.get("/api/admin/audit", params={"after": first[-1]["id"]})).json()
        assert (await platform.get("/api/admin/audit", params={"after": "unknown"})).status_code == 404
    read = [record for record in first + rest if record["action"].startswith("message.")]
    assert [record["action"] for record in read] == ["message.read"] * 3
    assert {record["actor"] for record in read} == {desk.actor}


# --- drift -----------------------------------------------------------------------------------------------------------


async def test_drift_has_a_row_for_each_day_and_a_histogram_for_each_language(
    app: App, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lesson = await Lesson.make(app)
    day = 86_400.0
    monkeypatch.setattr(app.services.review, "_clock", lambda: 20_001.5 * day)
    await keep(app, lesson, 1, MessageState.BLOCKED, at=20_000.2 * day, lang="uk")
    await keep(app, lesson, 2, MessageState.RELAYED, at=20_001.2 * day, probability=0.02)
    await keep(app, lesson, 3, MessageState.RELAYED, at=19_999.9 * day)
    await desk.decide((await desk.first())["id"], False)
    found = await desk.get("/drift", days=2)
    assert [(row["day"], row["relay"], row["block"]) for row in found["days"]] == [
        ("2024-10-04", 0, 1),
        ("2024-10-05", 1, 0),
    ]
    assert found["scores"] == {"other": [1] + [0] * 19, "uk": [0] * 18 + [1, 0]}
    assert found["models"] == [{"version": "a model", "decided": 1, "wrong": 1}]
    assert found["shadow"] is None


async def test_a_model_that_is_tried_is_shown(app: App, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: dict[str, Any] = {"version": "next", "messages": 9, "both": 2, "only_current": 1, "only_candidate": 0}
    monkeypatch.setattr(app.services.review, "shadow", lambda: tried)
    assert (await desk.get("/drift"))["shadow"] == tried


# --- doors -----------------------------------------------------------------------------------------------------------


async def test_only_operators_and_key_holders_come_in(app: App) -> None:
    lesson = await Lesson.make(app)
    made = await app.admission.make_operator()
    teacher = lesson.teacher
    doors = {
        f"/api/members/{teacher.member}": (403, "refused"),
        f"/api/members/{made.member}": (401, "ticket_refused"),  # the link was not opened, the cookie is another's
        "/api/members/nobody": (404, "not_found"),
        "/api/admin": (401, "ticket_refused"),
    }
    rooms = (("GET", "", None), ("GET", "/drift", None), ("POST", "/1/text", {}), ("POST", "/1/decision", DECISION))
    for (door, expected), (method, path, body) in product(doors.items(), rooms):
        answer = await teacher.http.request(method, f"{door}/review{path}", json=body)
        assert (door, path, answer.status_code, answer.json()["code"]) == (door, path, *expected)


@pytest.mark.parametrize("what", ["text", "decision"])
async def test_a_foreign_page_cannot_use_an_operators_cookie(app: App, what: str) -> None:
    made = await app.admission.make_operator()
    visitor = Visitor(app.admission.public_url, made.link)
    await visitor.enter()
    path = f"/api/members/{visitor.member}/review/1/{what}"
    for headers in ({"Origin": "http://evil.example"}, {"Content-Type": "text/plain"}):
        answer = await visitor.http.post(path, content=b'{"contact": true}', headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "refused")
