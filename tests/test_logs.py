"""Logs say what happened and never what somebody said."""

from __future__ import annotations

import ast
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessonroom import app, logs
from lessonroom.app import build
from lessonroom.config import Settings
from lessonroom.media import vision
from lessonroom.simulate import client

SECRET = "my number is +7 912 345 67 89"
SOURCES = sorted((Path(__file__).parent.parent / "lessonroom").rglob("*.py"))


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    monkeypatch.setattr(logs, "_output", logs._Output())
    root = logging.getLogger()
    before = root.handlers, root.level
    stream = io.StringIO()
    logs.setup(level="debug", as_json=True, stream=stream)
    yield stream
    root.handlers, root.level = before


@pytest.fixture
def host() -> Iterator[io.StringIO]:
    """The host's own logging, of everything; setup was not called."""
    stream = io.StringIO()
    root, handler = logging.getLogger(), logging.StreamHandler(stream)
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


def test_mounted_without_a_setup_nothing_leaks_either(
    host: io.StringIO, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Who mounts the application never calls setup; every logger of the product has the filter in itself."""
    build(Settings(data_dir=tmp_path, models_dir=tmp_path))
    for module in (app, vision, client):
        words = SECRET
        try:
            raise ValueError(words)
        except ValueError:
            module.log.exception("something broke", room="room-0001", text=SECRET, name="Sam")
    written = host.getvalue() + "".join(capsys.readouterr())
    assert written.count("something broke") == 3
    assert "ValueError" in written
    assert "room-0001" in written
    assert SECRET not in written
    assert "Sam" not in written


def test_a_host_hears_as_much_as_it_wants(host: io.StringIO) -> None:
    logging.getLogger().setLevel(logging.ERROR)
    logs.get("a.module").warning("a room was loaded")
    assert host.getvalue() == ""


def test_the_level_of_the_settings_is_heard(lines: io.StringIO) -> None:
    logs.setup(level="warning", stream=lines)
    logs.get("a.module").info("not heard")
    logs.get("a.module").error("heard")
    assert "not heard" not in lines.getvalue()
    assert "heard" in lines.getvalue()


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


@pytest.mark.parametrize(
    ("message", "arguments", "said"),
    [
        ("got %s", (SECRET,), "got %s"),
        ("got %(words)s", ({"words": SECRET},), "got %(words)s"),
        (f"got {SECRET}", (), "a library reports"),
        (f"100% sure of {SECRET}", (), "a library reports"),
        (f"%s of {SECRET}", (), "a library reports"),
        (ValueError(SECRET), (), "a library reports"),
    ],
)
def test_foreign_libraries_are_heard_without_what_they_filled_in(
    lines: io.StringIO, message: object, arguments: tuple[object, ...], said: str
) -> None:
    logging.getLogger("a.library").warning(message, *arguments)
    written = json.loads(lines.getvalue())
    assert (written["module"], written["event"], written["level"]) == ("a.library", said, "warning")
    assert SECRET not in lines.getvalue()


def test_a_foreign_exception_is_written_by_its_class(lines: io.StringIO) -> None:
    try:
        raise KeyError(SECRET)
    except KeyError:
        logging.getLogger("a.library").exception(SECRET)
    assert json.loads(lines.getvalue())["error"] == "KeyError"
    assert SECRET not in lines.getvalue()


def test_a_library_that_says_the_same_again_and_again_fills_no_disk(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvicorn says a line for each malformed request of a stranger. What else happens meanwhile is heard."""
    now = 100.0
    monkeypatch.setattr("lessonroom.logs.time.monotonic", lambda: now)

    def say(error: Exception | None = None) -> None:
        logging.getLogger("a.library").warning("malformed", exc_info=error)

    for _ in range(50):
        say()
    say(KeyError())
    say(ValueError())
    now += logs.AGAIN_SECONDS
    say()
    written = [json.loads(line) for line in lines.getvalue().splitlines()]
    assert [(line.get("error"), line.get("count")) for line in written] == [
        (None, None), ("KeyError", None), ("ValueError", None), (None, 50)
    ]  # fmt: skip


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
