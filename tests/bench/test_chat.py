"""The bench of the chat filter: what it reports, not how fast it is."""

from __future__ import annotations

import io
import json
from importlib.util import find_spec

import pytest
from rich.console import Console

from lessonroom.bench import chat

TEXTS = ["спасибо за урок", "мой телефон 8 905 123-45-67, звоните", "see you at 18:00"]


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short hostile texts: the figures are not what is looked at."""
    monkeypatch.setattr(chat, "HOSTILE", ("1 ",))
    monkeypatch.setattr(chat, "_LONG", 4_001)


def shown(figures: dict[str, object]) -> str:
    page = io.StringIO()
    chat.show(figures, Console(file=page, width=120))
    return page.getvalue()


@pytest.mark.usefixtures("brief")
def test_without_another_tool_one_line_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_spec("presidio_analyzer") is not None:
        monkeypatch.setattr(chat, "_presidio", lambda: None)
    figures = chat.measure(TEXTS, seconds=0.1)
    assert json.loads(json.dumps(figures)) == figures
    assert figures["messages"] >= len(TEXTS)
    assert 0 < figures["median_ms"] <= figures["p99_ms"]
    assert figures["hostile_64k_ms"] > 0
    assert figures["presidio"] == chat.ABSENT
    assert "\n" not in chat.ABSENT
    assert shown(figures).count("not installed") == 1


@pytest.mark.usefixtures("brief")
def test_another_tool_is_asked_about_the_same_texts_in_turn_and_the_ratio_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(chat, "_presidio", lambda: chat._Presidio(heard.append, "none"))
    figures = chat.measure(TEXTS, seconds=0.1)["presidio"]
    assert heard[1:] == TEXTS * (figures["messages"] // len(TEXTS))
    assert figures["language_model"] == "none"
    assert figures["ratio_of_medians"] >= 0
    assert "presidio ratio of medians" in shown(chat.measure(TEXTS, seconds=0.1))


@pytest.mark.skipif(find_spec("presidio_analyzer") is None, reason="Presidio is not installed here")
def test_the_real_tool_finds_a_telephone_number() -> None:
    presidio = chat._presidio()
    assert presidio is not None
    found = presidio.analyse("call me on +1 212 555 0187")
    assert "PHONE_NUMBER" in str(found)


def test_how_far_a_round_is_can_be_seen() -> None:
    """All of the corpus has its turn, which takes a minute, however few seconds were asked for."""
    told: list[tuple[float, float]] = []
    chat.measure(TEXTS * 300, seconds=0.0, progress=lambda what, done, of: told.append((done, of)))
    assert told[0] == (500, len(TEXTS) * 300)
