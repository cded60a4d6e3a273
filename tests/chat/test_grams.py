"""N-grams as bucket numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from lessonroom.chat import grams
from lessonroom.chat.grams import BUCKETS, of_characters, of_cues, of_symbols, of_words
from lessonroom.chat.lexicon import BIT
from lessonroom.chat.rules import read
from lessonroom.chat.symbols import Symbol, marks, symbols
from tests.chat.evidence import texts

ALL = -1


def row(text: str) -> list[Symbol]:
    return symbols(read(text))


@pytest.mark.parametrize(("text", "count"), [("", 0), ("a", 0), ("ab", 1), ("abc", 3), ("abcde", 10), ("ababab", 8)])
def test_characters_give_their_2_to_5_grams_each_once(text: str, count: int) -> None:
    assert len(of_characters(text)) == count


@given(texts)
def test_buckets_are_in_range_sorted_and_each_once(text: str) -> None:
    reading = read(text)
    mine = symbols(reading)
    for found in (
        of_characters(text),
        of_symbols(mine, marks(reading)),
        of_words(mine),
        of_cues(mine, (1 << 40) - 1),
        grams.crossed(mine, mine, 7),
    ):
        assert found.dtype == np.int64
        assert ((found >= 0) & (found < BUCKETS)).all()
        assert (np.diff(found) > 0).all()


def test_nothing_gives_nothing() -> None:
    for found in (
        of_symbols([]),
        of_words([]),
        of_cues([], ALL),
        grams.crossed([], row("hi"), 1),
        of_cues(row("hi"), 0),
    ):
        assert len(found) == 0


def test_a_gram_is_the_same_wherever_it_stands() -> None:
    """What a message shares with another it shares in buckets: "мой номер" in the middle of both."""
    one, other = set(of_symbols(row("вот мой номер там"))), set(of_symbols(row("запиши мой номер тут")))
    assert set(of_symbols(row("мой номер"))) & one & other


def test_the_order_of_words_counts_among_symbols_and_not_among_words() -> None:
    one, other = row("дай мой номер"), row("номер дай мой")
    assert set(of_symbols(one)) != set(of_symbols(other))
    assert set(of_words(one)) == set(of_words(other))


def test_a_salt_keeps_the_kinds_of_rows_apart() -> None:
    """The same word by the other side, by oneself, or earlier says something else."""
    mine = row("дай мой номер телефона")
    for of in (of_symbols, of_words):
        assert not set(of(mine, salt=100)) & set(of(mine, salt=200))
        assert not set(of(mine)) & set(of(mine, salt=100))


def test_cues_say_the_same_in_every_language() -> None:
    """What is learned from one language is known of the others: words without a cue are left out."""
    one, other = row("номер 8 905 123-45-67"), row("number then 8 905 123-45-67")
    kept = BIT["NUMBER"]
    assert set(of_cues(one, kept)) == set(of_cues(other, kept))
    assert set(of_symbols(one)) != set(of_symbols(other))


def test_marks_add_to_the_symbols() -> None:
    reading = read("8 905 123-45-67")
    bare, marked = of_symbols(symbols(reading)), of_symbols(symbols(reading), marks(reading))
    assert set(bare) < set(marked)
    assert len(marked) == len(bare) + len(set(marks(reading)))


def test_a_line_and_its_answer_are_crossed_pair_by_pair() -> None:
    before, answer = row("какой твой скайп ?"), row("vasya_82")
    assert len(grams.crossed(before, answer, 1)) == len(before) * len(answer)
    assert not set(grams.crossed(before, answer, 1)) & set(grams.crossed(answer, before, 1))
    long = row("слово " * 50)
    assert len(grams.crossed(long, row("раз два"), 1)) <= 8 * 8
