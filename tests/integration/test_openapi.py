"""The server against its own document: whatever the document allows, and what it does not, has a foreseen answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import (
    CheckFunction,
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from lessonroom.app import App
from lessonroom.auth import hash_secret
from lessonroom.server import whip
from tests.integration.serving import Lesson, Visitor, origin_of, serving

KEY = "the key of a test, long and random"
EXAMPLES = 8
"""Requests per route and kind; honest ones and such as break the document."""
CHECKS: list[CheckFunction] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@schemathesis.serializer(whip.OFFER, whip.FRAGMENT)
def plain(context: object, value: object) -> bytes:
    """SDP is text as it is."""
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


class Stranger:
    """Asks what the document says, with every right there is, so that no door keeps the questions outside."""

    def __init__(self, base: str, known: Mapping[str, str], cookie: str) -> None:
        self.base = base
        self.known = known
        self.http = requests.Session()
        self.http.trust_env = False
        self.own = {"Origin": origin_of(base), "Cookie": f"lessonroom={cookie}"}
        self.asked = 0

    def ask(self, case: Case, real: frozenset[str]) -> None:
        """One request; ``real``: names in the path that are exchanged for such as exist."""
        for name in real & case.path_parameters.keys():
            case.path_parameters[name] = self.known[name]
        bearer = {"Authorization": f"Bearer {KEY}"} if case.path.startswith("/api/admin") else {}
        try:
            answer = case.call(base_url=self.base, session=self.http, headers=self.own | bearer)
        except requests.RequestException:
            # WHIP refuses a ticket without reading the body, and closes; a body on its way then meets a closed door
            assert case.path.startswith("/whip/"), "no answer"
            return
        self.asked += 1
        assert b"Traceback" not in answer.content
        case.validate_response(answer, checks=CHECKS)


def cases(document: dict[str, Any]) -> Iterator[tuple[str, st.SearchStrategy[Case]]]:
    """What can be asked, route by route."""
    for operation in schemathesis.openapi.from_dict(document).get_all_operations():
        route = operation.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            yield f"{route.method.upper()} {route.path} {mode.value}", route.as_strategy(generation_mode=mode)


def ask_everything(stranger: Stranger, document: dict[str, Any]) -> Iterator[str]:
    """Ask all of it; gives out what was wrong, with the route."""
    reals = st.frozensets(st.sampled_from(sorted(stranger.known)))
    for name, strategy in cases(document):

        @seed(5)
        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy, real=reals)
        def one_route(case: Case, real: frozenset[str]) -> None:
            stranger.ask(case, real)

        try:
            one_route()
        except Unsatisfiable:
            assert name.endswith(GenerationMode.NEGATIVE.value), name  # whatever is asked there, the document allows it
        except (AssertionError, BaseExceptionGroup) as error:
            yield f"{name}: {_told(error)}"
    stranger.http.close()


def _told(error: BaseException) -> str:
    """All that was wrong, in one line."""
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
    return " ".join(" ".join(str(each).split()) for each in inner)


async def who(app: App) -> tuple[dict[str, str], str]:
    """Ids that exist, and the cookie of an operator."""
    lesson = await Lesson.make(app)
    operator = await app.admission.make_operator("Olga")
    visitor = Visitor(app.admission.public_url, operator.link)
    await visitor.enter()
    async with lesson.student.page("page-s001") as student:
        await student.chat("call me: +7 912 345 67 89")
    known = {"room": lesson.room, "member": visitor.member, "sender": "sam", "session": "session", "message": "1"}
    return known, str(visitor.http.cookies["lessonroom"])


@pytest.mark.timeout(300)
async def test_every_route_answers_as_its_document_says_and_never_with_a_defect(tmp_path: Path) -> None:
    settings = {"admin_keys": hash_secret(KEY), "refusals_per_minute": 10**9, "tickets_per_minute": 10**9}
    async with serving(tmp_path, **settings) as app:
        known, cookie = await who(app)
        stranger = Stranger(app.admission.public_url, known, cookie)
        wrong = await asyncio.to_thread(lambda: list(ask_everything(stranger, app.asgi.openapi())))
        assert not wrong, "\n".join(wrong)
        assert stranger.asked > EXAMPLES * 30
