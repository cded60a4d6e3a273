"""Views of a message: what a disguise hides, and where it stands in the original."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.chat.lexicon import BIT, DISGUISED, WHOLE, cues_of
from lessonroom.chat.normalise import fold, tokenise
from tests.chat.evidence import texts


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
        ("te le gram", ["telegram"]),
        ("пиши в те ле грам", ["пиши", "в", "телеграм"]),
        ("insta-gram", ["instagram"]),
        ("what then sapp", ["whatsapp"]),
        ("«теле» і «грам»", ["«", "телеграм", "»"]),
        ("те. леграм!", ["телеграм", "!"]),
        ("anna[.]ru", ["anna", ".", "ru"]),
        ("anna(.)ru", ["anna", ".", "ru"]),
        ("vasya ( @ ) mail {.} ru", ["vasya", "@", "mail", ".", "ru"]),
        ("anna<,>com", ["anna", ".", "com"]),
        ("скаи\u0306п", ["скайп"]),
        ("е\u0308лка і\u0308жак", ["ёлка", "їжак"]),
        ("s\u0301k\u0301y\u0301pe", ["skype"]),
        ("৮৯০", ["890"]),
        ("⓼⓽⓪", ["890"]),
        ("፩፪፫", ["123"]),
    ],
)
def test_a_disguise_is_undone(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    "text",
    ["can we chat in English", "work it out look here", "we then chat", "go out and look", "te le gra", "в кон такте",
     "он те и ле", "insta gran"],
)  # fmt: skip
def test_words_that_only_begin_like_a_name_stay_apart(text: str) -> None:
    """ "we chat" and "out, look" are talk: a name is joined where its pieces are no words of their own."""
    assert not WHOLE.keys() & set(words(text))


@pytest.mark.parametrize("text", ["( a )", "( ,", "[ .", "see [ 1 ]", "f ( x ) . y", "{", "( . . )"])
def test_other_brackets_stay(text: str) -> None:
    assert words(text) == text.split()


def test_a_joined_name_stands_over_all_its_pieces() -> None:
    text = "пиши в те-ле-грам мне"
    token = next(token for token in tokenise(fold(text)) if token.text == "телеграм")
    assert text[token.start : token.end] == "те-ле-грам"


def test_what_is_out_of_brackets_touches_both_sides() -> None:
    """So that a link is read as one."""
    text = "anna [ . ] ru"
    assert [(t.gap, text[t.start : t.end]) for t in tokenise(fold(text))[1:]] == [(0, "."), (0, "ru")]


@given(texts)
def test_folding_twice_changes_nothing(text: str) -> None:
    once = fold(text).text
    assert fold(once).text == once


def test_every_digit_of_every_script_becomes_one_of_ten() -> None:
    for code in range(128, sys.maxunicode + 1):
        if chr(code).isdigit():
            assert fold(chr(code)).text == str(unicodedata.digit(chr(code)))


@given(texts)
def test_a_view_says_for_every_character_where_it_stands(text: str) -> None:
    view = fold(text)
    spans = [view.span(i, i + 1) for i in range(len(view.text))]
    assert all(0 <= start < end <= len(text) for start, end in spans)
    assert spans == sorted(spans)


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


CHANNELS = BIT["MESSENGER"] | BIT["CALLAPP"] | BIT["SOCIAL"] | BIT["MAILHOST"]


@pytest.mark.parametrize("word", ["telegram", "телеграме", "ntktuhfv", "t3l3gram", "ылнзу", "скайпе", "telegrama"])
def test_a_channel_is_known_in_any_dress(word: str) -> None:
    assert cues_of(word) & (BIT["MESSENGER"] | BIT["CALLAPP"])


@pytest.mark.parametrize("word", ["margelet", "epyks", "маргелет", "ppastahw", "rebiv", "marg" + "atsni", "koobecaf"])
def test_a_channel_s_name_is_known_backwards_and_says_so(word: str) -> None:
    cues = cues_of(word)
    assert cues & CHANNELS
    assert cues & DISGUISED
    assert cues & BIT["REVERSE"]


@pytest.mark.parametrize("word", ["ntktuhfv", "crfqg", "еудупкфь", "ылнзу", "ілнзу", "црфеыфзз", "црфеіфзз", "cyfgxfn"])
def test_a_channel_is_known_on_the_wrong_layout(word: str) -> None:
    """Russian and Ukrainian layouts differ in a few letters: "skype" is "ылнзу" on one and "ілнзу" on the other."""
    assert cues_of(word) & CHANNELS
    assert cues_of(word) & DISGUISED


@pytest.mark.parametrize("word", ["привет", "английский", "hello", "слон", "зебра", "урон", "level", "грамм"])
def test_an_everyday_word_is_no_channel(word: str) -> None:
    assert not cues_of(word) & CHANNELS
