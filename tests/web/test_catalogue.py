"""Texts: every language has every key, every key that a page asks for exists, and none is left over."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from lessonroom.chat.types import Kind
from lessonroom.media.hints import ADVICE
from lessonroom.media.types import Cue, Unseen, Watching
from lessonroom.media.vision import MODELS
from lessonroom.messages import Analysis
from lessonroom.server.capacity import CAN_BE_FULL, PARTS
from lessonroom.server.counting import AGE, CHAT, DELIVERY
from lessonroom.storage.consent import Purpose
from lessonroom.storage.review import Why

WEB = Path(__file__).parents[2] / "web"
LANGUAGES = ("en", "ru", "uk")
CATALOGUES = {
    language: json.loads((WEB / "i18n" / f"{language}.json").read_text(encoding="utf-8")) for language in LANGUAGES
}
PAGES = sorted(WEB.glob("*.html"))
MODULES = sorted((WEB / "js").glob("*.js"))

REASONS = re.findall(r"``(\w+)``", (Analysis.__doc__ or "").partition("or a value")[0].partition("sees nothing:")[2])
FROM_THE_SERVER = {
    "cue": [cue.value for cue in Cue],
    "advice": [key for keys in ADVICE.values() for key in keys],
    "found": [kind.value for kind in Kind],
    "indicator": [*REASONS, *(reason.value for reason in Unseen), "learning", "watching"],
    "chat": ["held", "appealed", "sending", "waiting"],
    "stuck": ["sending", "waiting", "delivered", "kept", "failed"],
    "chat.refused": ["store_down", "rate_limited", "too_long", "not_allowed", "violator"],
    "ops.state": ["off", Watching.LEARNING.value, Watching.WATCHING.value],
    "health": [
        *("all_well", "store_down", "no_vision", "vision_down", "analysers_taken"),
        *(f"{part}_full" for part in CAN_BE_FULL),
        *(f"{part}_busy" for part in PARTS),
    ],
    "limits": [*PARTS, "none"],
    "part": PARTS,
    "process": ["own", "screening", "media"],
    "stage.look": ["receive", "wait", "convert", "look", AGE, DELIVERY, *MODELS],
    "stage.message": ["wait", "screen", "store", "acknowledge", CHAT],
    "chat.decided": ["relayed", "blocked"],
    "why": [why.value for why in Why],
    "why.more": [why.value for why in Why],
    "filter": ["all", *(why.value for why in Why)],
    "means.ordinary": [why.value for why in Why],
    "means.contact": [why.value for why in Why],
    "kind": [*(kind.value for kind in Kind), "other", "none"],
    **{f"choices.{purpose}": ["title", "self", "guardian"] for purpose in Purpose},
    "role": ["teacher", "student", "observer"],
}


def asked_for() -> Iterator[tuple[str, str]]:
    """Where a page names a key outright."""
    for page in PAGES:
        for key in re.findall(r'data-t(?:-label|-placeholder)?="([^"]+)"', page.read_text(encoding="utf-8")):
            yield page.name, key
    for module in MODULES:
        source = module.read_text(encoding="utf-8")
        for key in re.findall(r'\bt\(\s*"([^"]+)"', source):
            yield module.name, key
        for first, second in re.findall(r'\bt\([^"`()]*\?\s*"([^"]+)"\s*:\s*"([^"]+)"', source):
            yield module.name, first
            yield module.name, second


def families() -> set[str]:
    """Beginnings of keys that a module completes itself: ``t(`cue.${cue}`)``."""
    return {
        beginning
        for module in MODULES
        for beginning in re.findall(r"`([a-z_.]+\.)\$\{", module.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    assert CATALOGUES[language].keys() == CATALOGUES["en"].keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_left_in_english(language: str) -> None:
    texts = CATALOGUES[language]
    assert all(text.strip() for text in texts.values())
    if language != "en":
        wordy = {key for key, text in texts.items() if len(re.sub(r"\{[^}]*\}|[\d-]", "", text)) > 6}
        assert not [key for key in wordy if texts[key] == CATALOGUES["en"][key]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_use_typographic_apostrophes(language: str) -> None:
    """A straight apostrophe quotes in ICU MessageFormat; a translator's tool would read another text than we do."""
    assert not [key for key, text in CATALOGUES[language].items() if "'" in text]


@pytest.mark.parametrize(("where", "key"), sorted(set(asked_for())))
def test_a_key_that_a_page_names_exists(where: str, key: str) -> None:
    assert key in CATALOGUES["en"], f"{where} asks for {key}"


@pytest.mark.parametrize(
    "key", [f"{family}.{word}" for family, words in FROM_THE_SERVER.items() for word in sorted(set(words))]
)
def test_every_word_of_the_server_has_its_text(key: str) -> None:
    assert key in CATALOGUES["en"]


def test_the_reasons_of_the_protocol_are_read_from_its_documentation() -> None:
    assert {"not_allowed", "vision_down", "hints_off"} <= set(REASONS)


def test_no_text_is_left_over() -> None:
    """A key that no page names and no family covers is dead, or misspelt."""
    named = {key for _, key in asked_for()}
    literal = {
        word
        for module in MODULES
        for word in re.findall(r'"([a-z_]+(?:\.[a-z_]+)+)"', module.read_text(encoding="utf-8"))
    }
    left = [
        key
        for key in CATALOGUES["en"]
        if key not in named | literal and not any(key.startswith(family) for family in families())
    ]
    assert left == []
