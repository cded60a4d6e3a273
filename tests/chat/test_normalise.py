"""Views of a message: what a disguise hides, and where it stands in the original."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.chat.lexicon import BIT, cues_of
from lessonroom.chat.normalise import fold, tokenise


def words(text: str) -> list[str]:
    return [token.text for token in tokenise(fold(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8️⃣9️⃣0️⃣", ["890"]),
        ("①②③", ["123"]),
        ("８９０", ["890"]),
        ("8\u200b9\u00ad0", ["890"]),
        ("8\u03369\u03360", ["890"]),
        ("т е л е г а", ["телега"]),
        ("s.k.y.p.e", ["skype"]),
        ("tеlеgrаm", ["telegram"]),
        ("9один6", ["9", "один", "6"]),
        ("wh@tsapp", ["whatsapp"]),
    ],
)
def test_a_disguise_is_undone(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize("text", ["я и в", "a b c", "Сор", "он тут", "x + y = z"])
def test_ordinary_short_words_stay_apart(text: str) -> None:
    assert len(words(text)) == len(text.split())


@given(st.text(max_size=200))
def test_every_token_says_where_it_stands_in_the_original(text: str) -> None:
    """Spans are inside the text, not empty and in order, whatever the text is made of."""
    last = 0
    for token in tokenise(fold(text)):
        assert 0 <= token.start < token.end <= len(text)
        assert token.start >= last  # several tokens may come from one character, such as a fraction
        last = token.start


def test_a_span_covers_the_invisible_characters_inside_it() -> None:
    text = "тел 8\u200b9\u200b0!"
    token = tokenise(fold(text))[1]
    assert text[token.start : token.end] == "8\u200b9\u200b0"


@pytest.mark.parametrize("word", ["telegram", "телеграме", "ntktuhfv", "t3l3gram", "ылнзу", "скайпе", "telegrama"])
def test_a_channel_is_known_in_any_dress(word: str) -> None:
    assert cues_of(word) & (BIT["MESSENGER"] | BIT["CALLAPP"])


@pytest.mark.parametrize("word", ["привет", "английский", "hello", "слон", "зебра", "урон"])
def test_an_everyday_word_is_no_channel(word: str) -> None:
    assert not cues_of(word) & (BIT["MESSENGER"] | BIT["CALLAPP"] | BIT["SOCIAL"] | BIT["MAILHOST"])
