"""The words that people agree to have a version. Who changes the words gives them a new one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from lessonroom.rooms.consent import TEXT

I18N = Path(__file__).parents[2] / "web" / "i18n"
VERSION = "2026-11"
WORDS = {
    "en": "fd914ed542080138d01d597fdeed4a8d46b655f6606c15a1a617603aece7dab5",
    "ru": "15944772719545b3dc87d1946f58ecae3a3ff6d99f0361481fd1e31ed0685173",
    "uk": "1329de1045a22a0ac8f82af1e1eec83321868340c3bb8124a563c9af919b722a",
}
"""sha256 of the texts of that version. When this test fails: choose a new version in ``rooms/consent.py``, in the three
catalogues and here, and put the new sums beside it; what people have agreed to is kept with the version they saw."""


def words_of(language: str) -> dict[str, str]:
    texts: dict[str, str] = json.loads((I18N / f"{language}.json").read_text(encoding="utf-8"))
    return {key: text for key, text in texts.items() if key.startswith(("consent.", "choices."))}


def sum_of(words: dict[str, str]) -> str:
    said = {key: text for key, text in words.items() if key != "consent.version"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


@pytest.mark.parametrize("language", WORDS)
def test_the_words_of_consent_change_only_with_their_version(language: str) -> None:
    words = words_of(language)
    assert (VERSION, words["consent.version"]) == (TEXT, TEXT)
    assert sum_of(words) == WORDS[language]


def test_a_changed_word_changes_the_sum() -> None:
    words = words_of("en")
    assert sum_of(words | {"choices.no": "Not now"}) != sum_of(words)
