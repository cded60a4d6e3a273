"""What a platform reads is what it gets: every route, scope, error code and recorded action stands in the pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from lessonroom.app import build
from lessonroom.auth import Scope
from lessonroom.config import Settings
from lessonroom.errors import LessonroomError
from lessonroom.policy import Band, Mode
from lessonroom.policy_file import load_table
from lessonroom.server import admin, review
from lessonroom.server.keys import KeyedRoute
from lessonroom.server.problems import WORDS

ROOT = Path(__file__).parent.parent
ROUTES = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "platform.md").read_text(encoding="utf-8")

KEYED = [one for one in (*admin.router.routes, *review.platform.routes) if isinstance(one, KeyedRoute)]

ELSEWHERE = {
    "bad_setting": "start-up",
    "bad_message": "sockets",
    "bad_media": "lessonroom analyse",
    "model_refused": "start-up and the operations page",
    "violator": "sockets",
    "internal": "what is no error of ours; the page tells of it",
}
"""Codes of the tree that no request is answered with."""


@pytest.fixture(scope="module")
def asgi(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    folder = tmp_path_factory.mktemp("data")
    return build(Settings(data_dir=folder, models_dir=folder, chat_processes=0)).asgi


def _errors(root: type[LessonroomError] = LessonroomError) -> Iterator[type[LessonroomError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith("lessonroom."):
            yield from _errors(child)


def _told() -> set[tuple[int, str]]:
    rows = re.findall(r"^\| (\d{3}) \| (.+?) \|", PAGE, re.MULTILINE)
    return {(int(status), code) for status, codes in rows for code in re.findall(r"`(\w+)`", codes)}


def _path(address: str) -> str:
    """As the table of routes writes it: the review has two doors to the same routes."""
    return re.sub(r"^/api/(members/\{member\}|admin)(?=/review)", "...", address)


def test_every_route_stands_in_the_architecture(asgi: FastAPI) -> None:
    assert [path for path in asgi.openapi()["paths"] if f"{_path(path)}`" not in ROUTES] == []


def test_every_route_of_administration_is_told_with_its_scope() -> None:
    rows = [row for row in ROUTES.splitlines() if row.startswith("| `")]
    for route in KEYED:
        own = [row for row in rows if f"{_path(route.path)}`" in row]
        assert any(f"admin key: `{route.scope}`" in row for row in own), route.path


def test_every_scope_that_opens_something_has_its_row_on_the_page() -> None:
    used = {str(route.scope) for route in KEYED}
    assert set(re.findall(r"^\| `(\w+)` \| ", PAGE, re.MULTILINE)) & {str(one) for one in Scope} == used


def test_every_error_that_a_request_is_answered_with_is_told_with_its_status() -> None:
    ours = {(error.status, error.code) for error in _errors() if error.code not in ELSEWHERE}
    assert ours - _told() == set()


def test_no_error_is_told_that_there_is_not() -> None:
    known = {(error.status, error.code) for error in _errors()} | set(WORDS.items())
    # refused by the name that was called, and what is told by /readyz and of defects, have no class of their own
    known |= {(421, "refused"), (503, "overloaded")}
    assert _told() - known == set()


def test_in_the_table_that_ships_no_minor_is_watched_by_the_server() -> None:
    minors = [row for row in load_table(None).rows if row.bands - {Band.ADULT}]
    assert minors
    assert [row.id for row in minors if max(row.highest, row.beyond.mode if row.beyond else Mode.M0) >= Mode.M3] == []
    assert "no student under 18 is analysed by camera anywhere" in PAGE


def test_every_action_that_the_page_names_is_one_that_goes_on_record() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "lessonroom").rglob("*.py"))
    named = re.findall(r"`((?:room|member|policy|consent|analysis|hint|message)\.\w+)`", PAGE)
    assert len(named) > 10
    for action in named:
        subject, state = action.split(".")
        made = f'f"{subject}.{{' in sources and f'"{state}"' in sources
        assert made or f'"{action}"' in sources, action
