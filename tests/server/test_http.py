"""Every route over a real server: who may ask, what comes back, what every answer carries."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

import fastapi.dependencies.utils
import fastapi.routing
import httpx
import pytest

from lessonroom import logs
from lessonroom import messages as m
from lessonroom.app import App
from lessonroom.errors import EngineDown, LessonroomError, ModelRefused, StoreDown
from lessonroom.server import security
from lessonroom.server.capacity import CAN_BE_FULL, Part
from tests.integration.serving import Lesson, Visitor, serving

KEY = "an-admin-key"
SMALL = {"the", "is", "a", "by", "no", "such", "database"}
HASH = hashlib.sha256(KEY.encode()).hexdigest()


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[App]:
    async with serving(tmp_path, admin_keys=HASH, models_dir=tmp_path) as app:
        yield app


@pytest.fixture
async def admin(app: App) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(base_url=app.admission.public_url, headers=headers, verify=False) as client:
        yield client


@pytest.fixture
async def anybody(app: App) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.admission.public_url, verify=False) as client:
        yield client


# --- administration --------------------------------------------------------------------------------------------------


async def test_the_platform_makes_a_lesson_whose_links_open_it(app: App, admin: httpx.AsyncClient) -> None:
    room = (await admin.post("/api/admin/rooms", json={"mode_cap": "M3"})).json()["room"]
    made = await admin.post(
        f"/api/admin/rooms/{room}/members", json={"role": "teacher", "name": "Тина", "sender": "t1"}
    )
    assert made.status_code == 201
    visitor = Visitor(app.admission.public_url, made.json()["link"])
    await visitor.enter()
    async with visitor.page() as page:
        assert (page.welcome.room, page.welcome.members[0].name) == (room, "Тина")
        listed = (await admin.get("/api/admin/rooms")).json()
        assert [(row["room"], row["mode_cap"], row["present"]) for row in listed] == [(room, "M3", 1)]
        assert (await admin.delete(f"/api/admin/rooms/{room}")).status_code == 204
        assert await page.closed() == 4004
    assert (await admin.get("/api/admin/rooms")).json() == []


async def test_another_link_takes_the_place_of_a_lost_one_and_of_its_session(
    app: App, admin: httpx.AsyncClient
) -> None:
    lesson = await Lesson.make(app)
    answer = await admin.post(f"/api/admin/rooms/{lesson.room}/members/{lesson.student.member}/link")
    assert (answer.status_code, answer.json()["member"]) == (201, lesson.student.member)
    path = f"/api/members/{lesson.student.member}/session"
    assert (await lesson.student.http.post(path, json={})).status_code == 401
    assert (await lesson.student.http.post(path, json={"code": lesson.student.code})).status_code == 401
    other_browser = Visitor(app.admission.public_url, answer.json()["link"])
    await other_browser.enter()
    async with other_browser.page() as page:
        assert (page.welcome.room, page.welcome.role) == (lesson.room, "student")
    done = [(one.action, one.subject) for one in await app.services.review.audits(None, 100)]
    assert ("link.renewed", f"member:{lesson.student.member}") in done


async def test_no_other_link_is_made_for_a_closed_room_or_through_another_room(
    app: App, admin: httpx.AsyncClient
) -> None:
    lesson, other = await Lesson.make(app), await Lesson.make(app)
    path = f"/members/{lesson.student.member}/link"
    assert (await admin.post(f"/api/admin/rooms/{other.room}{path}")).status_code == 403
    assert (await admin.post(f"/api/admin/rooms/{lesson.room}/members/none/link")).status_code == 404
    await admin.delete(f"/api/admin/rooms/{lesson.room}")
    assert (await admin.post(f"/api/admin/rooms/{lesson.room}{path}")).status_code == 403


async def test_a_room_has_one_teacher_and_one_student(admin: httpx.AsyncClient) -> None:
    room = (await admin.post("/api/admin/rooms", json={})).json()["room"]
    for expected in (201, 422):
        answer = await admin.post(f"/api/admin/rooms/{room}/members", json={"role": "student", "name": "Sam"})
        assert answer.status_code == expected


ADMINISTERED = (
    ("POST", "/api/admin/rooms", {}),
    ("GET", "/api/admin/rooms", None),
    ("DELETE", "/api/admin/rooms/any", None),
    ("POST", "/api/admin/rooms/any/members", {"role": "teacher", "name": "T"}),
    ("POST", "/api/admin/operators", {}),
    ("POST", "/api/admin/rooms/any/members/any/link", None),
    ("POST", "/api/admin/rooms/any/members/any/tickets", None),
    ("POST", "/api/admin/rooms/any/members/any/exercise", {"event": "wrong_answer", "id": "event-001"}),
    ("PUT", "/api/admin/senders/any", {"paying": True}),
)


@pytest.mark.parametrize("header", [None, "Bearer another-key", f"Basic {KEY}", f"Bearer {HASH}"])
async def test_without_a_key_nothing_is_administered(anybody: httpx.AsyncClient, header: str | None) -> None:
    headers = {"Authorization": header} if header else {}
    for method, path, body in ADMINISTERED:
        answer = await anybody.request(method, path, json=body, headers=headers)
        assert (method, path, answer.status_code, answer.json()["code"]) == (method, path, 401, "ticket_refused")


BAD_REQUESTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("/api/admin/rooms", {"mode_cap": "M9"}),
    ("/api/admin/rooms", {"secret words": 1}),
    ("/api/admin/rooms/x/members", {"role": "observer", "name": "O"}),
    ("/api/admin/rooms/x/members", {"role": "teacher", "name": ""}),
    ("/api/admin/rooms/x/members", {"role": "teacher", "name": "a\nb"}),
    ("/api/admin/rooms/x/members/y/exercise", {"event": "secret words", "id": "event-001"}),
    ("/api/admin/rooms/x/members/y/exercise", {"event": "wrong_answer", "id": "short"}),
    ("/api/admin/rooms/x/members/y/exercise", {"event": "wrong_answer"}),
)


async def test_a_bad_request_is_told_in_one_line_without_its_own_words(admin: httpx.AsyncClient) -> None:
    for path, body in BAD_REQUESTS:
        answer = await admin.post(path, json=body)
        assert (body, answer.status_code, answer.json()["code"]) == (body, 422, "bad_input")
        assert "\n" not in answer.json()["message"]
        assert not any(str(word) in answer.text for word in body if " " in word)


async def test_a_room_that_does_not_exist_is_not_found(admin: httpx.AsyncClient) -> None:
    answer = await admin.post("/api/admin/rooms/none/members", json={"role": "teacher", "name": "T"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await admin.delete("/api/admin/rooms/none")).status_code == 404


async def test_a_foreign_client_gets_a_whip_ticket_for_a_student_only(app: App, admin: httpx.AsyncClient) -> None:
    lesson = await Lesson.make(app)
    path = f"/api/admin/rooms/{lesson.room}/members"
    assert (await admin.post(f"{path}/{lesson.student.member}/tickets")).json()["ticket"]
    assert (await admin.post(f"{path}/{lesson.teacher.member}/tickets")).status_code == 403


async def test_the_platform_says_who_pays(app: App, admin: httpx.AsyncClient) -> None:
    answer = await admin.put("/api/admin/senders/sam", json={"paying": True})
    assert answer.json() == {"sender": "sam", "paying": True}
    assert await app.services.store.paying("sam")


async def test_exercises_that_the_platform_tells_of_become_a_hint(tmp_path: Path) -> None:
    """Over HTTP and a socket, without a camera and without models; an event that is sent again counts once."""
    quick = {"hint_first_seconds": 0, "hint_hold_seconds": 0}
    async with serving(tmp_path, admin_keys=HASH, models_dir=tmp_path, **quick) as app:
        lesson = await Lesson.make(app)
        path = f"{app.admission.public_url}/api/admin/rooms/{lesson.room}/members/{lesson.student.member}/exercise"
        async with (
            httpx.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, verify=False) as admin,
            lesson.teacher.page("page-t001") as teacher,
            lesson.student.page("page-s001"),
        ):
            for number in (1, 2, 2, 2, 2, 2, 2, 3, 4, 5):
                if number == 3:
                    await teacher.nothing(m.HintShow)
                answer = await admin.post(path, json={"event": "wrong_answer", "id": f"event-{number:03}"})
                assert (answer.status_code, answer.content) == (204, b"")
            hint = await teacher.get(m.HintShow)
            assert (hint.cue, hint.advice) == ("exercise", "smaller_step")


async def test_exercises_are_of_a_rooms_own_student(app: App, admin: httpx.AsyncClient) -> None:
    lesson, other = await Lesson.make(app), await Lesson.make(app)
    event = {"event": "long_pause", "id": "event-001"}
    for room, member, status in (
        (lesson.room, lesson.student.member, 204),  # nobody is here, and that is no error
        (lesson.room, lesson.teacher.member, 403),
        (lesson.room, other.student.member, 404),
        ("none", lesson.student.member, 404),
        (lesson.room, "none", 404),
    ):
        answer = await admin.post(f"/api/admin/rooms/{room}/members/{member}/exercise", json=event)
        assert answer.status_code == status


# --- links, sessions, tickets ----------------------------------------------------------------------------------------


async def test_a_page_comes_in_without_a_thread(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI hands what is not a coroutine to a thread; when a thousand pages come back at once, that is the wait."""

    async def refuse(*_: object, **__: object) -> None:
        raise AssertionError("expected a coroutine, got a function that needs a thread")

    for module in (fastapi.dependencies.utils, fastapi.routing):
        monkeypatch.setattr(module, "run_in_threadpool", refuse)
    lesson = await Lesson.make(app)
    assert await lesson.teacher.ticket()


async def test_a_link_works_once_and_its_cookie_goes_on(app: App) -> None:
    lesson = await Lesson.make(app)
    path = f"/api/members/{lesson.teacher.member}/session"
    again = await lesson.teacher.http.post(path, json={})
    assert again.json() == {"member": lesson.teacher.member, "room": lesson.room, "role": "teacher", "name": "Tina"}
    assert (await lesson.teacher.http.post(path, json={"code": lesson.teacher.code})).status_code == 401
    assert (await lesson.student.http.post(path, json={})).status_code == 401


async def test_the_cookie_is_for_this_member_alone_and_no_script_reads_it(app: App) -> None:
    made = await app.admission.make_operator()
    visitor = Visitor(app.admission.public_url, made.link)
    answer = await visitor.http.post(f"/api/members/{visitor.member}/session", json={"code": visitor.code})
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=strict", f"Path=/api/members/{visitor.member}"):
        assert part in cookie
    assert "Secure" not in cookie


async def test_under_https_the_cookie_is_secure(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path, public_url="https://school.example/lessons/") as app:
        made = await app.admission.make_operator()
        assert made.link.startswith("https://school.example/lessons/operations/")
        visitor = Visitor(f"http://127.0.0.1:{app.settings.port}", made.link)
        answer = await visitor.http.post(
            f"/api/members/{visitor.member}/session",
            json={"code": visitor.code},
            headers={"Origin": "https://school.example"},
        )
        assert "Secure" in answer.headers["set-cookie"]
        assert f"Path=/lessons/api/members/{visitor.member}" in answer.headers["set-cookie"]


async def test_a_post_of_another_origin_is_refused(app: App, anybody: httpx.AsyncClient) -> None:
    lesson = await Lesson.make(app)
    for origin in (None, "http://evil.example", "null", "http://127.0.0.1"):
        headers = {"Origin": origin} if origin else {}
        answer = await anybody.post(f"/api/members/{lesson.teacher.member}/session", json={}, headers=headers)
        assert (origin, answer.status_code, answer.json()["code"]) == (origin, 403, "refused")


async def test_a_form_of_a_foreign_page_is_no_json(app: App) -> None:
    lesson = await Lesson.make(app)
    answer = await lesson.teacher.http.post(
        f"/api/members/{lesson.teacher.member}/tickets",
        content=b'{"purpose": "socket"}',
        headers={"Content-Type": "text/plain"},
    )
    assert answer.status_code == 403


async def test_a_ticket_is_only_for_places_that_the_role_may_enter(app: App) -> None:
    lesson = await Lesson.make(app)
    path = f"/api/members/{lesson.teacher.member}/tickets"
    for purpose, status in (("socket", 200), ("whip", 403), ("operations", 403), ("moon", 422)):
        assert (await lesson.teacher.http.post(path, json={"purpose": purpose})).status_code == status


async def test_a_session_ends_after_its_hours(tmp_path: Path) -> None:
    async with serving(tmp_path, models_dir=tmp_path, link_hours=0.01, session_hours=0.1) as app:
        lesson = await Lesson.make(app)
        made = await app.admission.make_operator()
        app.admission._clock = lambda: 2e9 + 3600
        path = f"/api/members/{lesson.teacher.member}/session"
        assert (await lesson.teacher.http.post(path, json={})).status_code == 401
        late = Visitor(app.admission.public_url, made.link)
        assert (
            await late.http.post(f"/api/members/{late.member}/session", json={"code": late.code})
        ).status_code == 401


# --- pages, health, the rest -----------------------------------------------------------------------------------------


async def test_every_answer_carries_the_safe_headers(anybody: httpx.AsyncClient) -> None:
    for path in ("/", "/lesson/some-member", "/operations/some-member", "/static/js/socket.js", "/healthz", "/no"):
        headers = (await anybody.get(path)).headers
        assert (path, {name: headers.get(name) for name in security.HEADERS}) == (path, security.HEADERS)
        assert headers["cache-control"] == ("no-cache" if "static" in path else "no-store")
        assert "server" not in headers


async def test_the_answer_to_a_defect_carries_the_safe_headers_too(
    app: App, anybody: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is made outside of everything that dresses the others."""

    def defect() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(app.services.metrics, "render", defect)
    answer = await anybody.get("/metrics")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert {name: answer.headers.get(name) for name in security.HEADERS} == security.HEADERS
    assert answer.headers["cache-control"] == "no-store"


async def test_the_policy_allows_no_inline_script_and_no_other_host() -> None:
    assert "unsafe" not in security.POLICY
    assert "http" not in security.POLICY
    assert "frame-ancestors 'none'" in security.POLICY


async def test_health_readiness_and_metrics(app: App, anybody: httpx.AsyncClient) -> None:
    assert (await anybody.get("/healthz")).json() == {"status": "ok"}
    assert (await anybody.get("/readyz")).json() == {"status": "ok", "inference": "off"}
    text = (await anybody.get("/metrics")).text
    for series in ("lessonroom_samples_total", "lessonroom_rooms ", "lessonroom_inference_seconds", "lessonroom_hints"):
        assert series in text
    await app.services.store.close()
    assert (await anybody.get("/readyz")).status_code == 503
    assert (await anybody.get("/healthz")).status_code == 200


def overload(app: App, part: str) -> None:
    """Let this part of the server be full."""
    app.services.figures.capacity._parts[part] = Part(full=True)


@pytest.mark.parametrize("part", CAN_BE_FULL)
async def test_an_overloaded_server_is_alive_and_not_ready_and_says_which_part_is_full(
    app: App, anybody: httpx.AsyncClient, part: str
) -> None:
    may_admit = app.hub.analysing._may_admit
    assert may_admit()
    overload(app, part)
    assert not may_admit()
    answer = await anybody.get("/readyz")
    assert answer.status_code == 503
    assert (answer.json()["code"], answer.json()["full"]) == ("overloaded", [part])
    assert int(answer.headers["retry-after"]) > 0
    assert (await anybody.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("part", "status"), [("store", 503), ("event_loop", 503), ("processor", 201), ("inference", 201)]
)
async def test_an_overloaded_server_takes_rooms_while_it_can_carry_their_chat(
    app: App, admin: httpx.AsyncClient, part: str, status: int
) -> None:
    """A lesson without hints is better than no lesson; one whose messages are lost is not."""
    overload(app, part)
    assert (await admin.post("/api/admin/rooms", json={})).status_code == status


@pytest.mark.parametrize(
    "inside",
    [
        StoreDown("the database is locked by another process (SQLITE_BUSY)"),
        EngineDown("onnx: no such node"),
        ModelRefused("models/face.onnx is missing"),
    ],
)
async def test_what_is_wrong_inside_is_told_by_its_class_alone(
    app: App,
    anybody: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    inside: LessonroomError,
) -> None:
    """Which database it is, its codes and its files are for the log of the operators."""

    async def check() -> None:
        raise inside

    monkeypatch.setattr(app.services.store, "check", check)
    lines = io.StringIO()
    monkeypatch.setattr(logs._output, "stream", lines)
    answers = [await anybody.get("/readyz") for _ in range(3)]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(inside.status, inside.code)}
    told = answers[0].text
    assert not any(word in told for word in str(inside).replace("(", "").replace(")", "").split() if word not in SMALL)
    assert lines.getvalue().count(str(inside)) == 1


async def test_a_body_that_is_too_large_is_refused(anybody: httpx.AsyncClient) -> None:
    big = b"x" * (security.LARGEST_BODY + 1)
    answer = await anybody.post("/api/members/any/session", content=big)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")

    async def unannounced() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 4096

    headers = {"Origin": str(anybody.base_url).rstrip("/"), "Content-Type": "application/json"}
    answer = await anybody.post("/api/members/any/session", content=unannounced(), headers=headers)
    assert answer.status_code in {400, 413, 422}


async def test_the_document_names_every_route_with_a_tag(anybody: httpx.AsyncClient) -> None:
    document = (await anybody.get("/openapi.json")).json()
    tags = {tag["name"] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert set(operation["tags"]) <= tags, (method, path)
            assert operation.get("description"), (method, path)
    assert "/whip/{room}" in document["paths"]


async def test_the_document_says_how_errors_look_and_who_may_ask(anybody: httpx.AsyncClient) -> None:
    document = (await anybody.get("/openapi.json")).json()
    assert "HTTPValidationError" not in document["components"]["schemas"]  # FastAPI's own form, which we never send
    schemes = document["components"]["securitySchemes"]
    assert {name: (one["type"], one.get("scheme", one.get("in"))) for name, one in schemes.items()} == {
        "session": ("apiKey", "cookie"),
        "ticket": ("http", "bearer"),
        "admin_key": ("http", "bearer"),
    }
    wanted = {"/api/members": "session", "/whip": "ticket", "/api/admin": "admin_key"}
    for path, item in document["paths"].items():
        scheme = next((name for prefix, name in wanted.items() if path.startswith(prefix)), None)
        for method, operation in item.items():
            for status, answer in operation["responses"].items():
                if not status.startswith("2"):
                    found = answer["content"]["application/json"]["schema"]["$ref"]
                    assert found.endswith(("/ProblemView", "/NotReady")), (method, path, status)
            known = operation.get("security")
            if scheme is None or method == "options":
                assert known is None, (method, path)
                continue
            ((name, scopes),) = known[0].items()
            assert (name, len(known), len(scopes)) == (scheme, 1, int(scheme == "admin_key")), (method, path)


async def test_the_document_describes_whip(anybody: httpx.AsyncClient) -> None:
    paths = (await anybody.get("/openapi.json")).json()["paths"]
    offer, session = paths["/whip/{room}"]["post"], paths["/whip/{room}/{session}"]
    made = offer["responses"]["201"]
    assert set(made["content"]) == {"application/sdp"}
    assert set(made["headers"]) == {"Location", "Link"}
    assert {"400", "401", "403", "408", "413", "415", "503"} <= set(offer["responses"])
    assert {"204", "408", "412", "413", "415", "422"} <= set(session["patch"]["responses"])
    assert {"200", "401", "404"} <= set(session["delete"]["responses"])


async def test_what_does_not_exist_is_told_as_json(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/no/such/thing")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await anybody.put("/healthz")).json()["code"] == "bad_method"


async def test_nobody_climbs_out_of_the_folder_of_pages(anybody: httpx.AsyncClient) -> None:
    for path in ("/static/../pyproject.toml", "/static/%2e%2e/pyproject.toml", "/static/..%2fpyproject.toml"):
        assert (await anybody.get(path)).status_code == 404
