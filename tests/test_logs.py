"""Logs say what happened and never what somebody said."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from lessonroom import logs

SECRET = "my number is +7 912 345 67 89"
SOURCES = sorted((Path(__file__).parent.parent / "lessonroom").rglob("*.py"))


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    logs.setup(level="debug", as_json=True, stream=stream)
    yield stream
    root.handlers, root.level = before
    structlog.reset_defaults()


def test_known_keys_are_written_and_others_are_not(lines: io.StringIO) -> None:
    logs.get("a.module").info("a room was loaded", room="room-0001", text=SECRET, name="Sam")
    written = json.loads(lines.getvalue())
    assert (written["event"], written["room"], written["module"]) == ("a room was loaded", "room-0001", "a.module")
    assert SECRET not in lines.getvalue()
    assert "Sam" not in lines.getvalue()


def test_of_an_exception_only_its_class_and_its_way_are_written(lines: io.StringIO) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logs.get("a.module").exception("something broke")
    written = json.loads(lines.getvalue())
    assert written["error"] == "ValueError"
    assert "test_logs.py" in written["where"]
    assert SECRET not in lines.getvalue()


@pytest.mark.parametrize("filled", [True, False])
def test_foreign_libraries_are_heard_without_their_arguments(lines: io.StringIO, filled: bool) -> None:
    if filled:
        logging.getLogger("a.library").warning("got %s", SECRET)
    else:
        logging.getLogger("a.library").warning(f"got {SECRET}")  # noqa: G004
    assert json.loads(lines.getvalue())["module"] == "a.library"
    assert SECRET not in lines.getvalue()


def test_a_foreign_exception_is_written_by_its_class(lines: io.StringIO) -> None:
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("a.library").exception(SECRET)
    assert json.loads(lines.getvalue())["error"] == "KeyError"
    assert SECRET not in lines.getvalue()


def test_foreign_chatter_is_not_heard(lines: io.StringIO) -> None:
    logging.getLogger("a.library").info("hello")
    assert lines.getvalue() == ""


def test_events_are_fixed_sentences_and_keys_are_known() -> None:
    """A log call whose event is put together at run time could carry anybody's words."""
    calls = 0
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=args, keywords=keywords):
                    if level not in {"debug", "info", "warning", "error", "exception"}:
                        continue
                    calls += 1
                    assert isinstance(args[0], ast.Constant), f"{path.name}:{node.lineno}"
                    unknown = {key.arg for key in keywords} - logs.KNOWN - {"exc_info"}
                    assert not unknown, f"{path.name}:{node.lineno}: {unknown} would not be written"
    assert calls > 10
