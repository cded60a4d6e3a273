"""A message as symbols: what it says stays, what is private in it goes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lessonroom.chat.rules import Reading, read
from lessonroom.chat.rules.names import name_at
from lessonroom.chat.rules.reading import read_lines
from lessonroom.chat.symbols import lines_stand_alone, marks, symbols
from tests.chat.evidence import texts

PIECES = (
    "anna", "well-known", "my_name", "@", "_", ".", "t", "e", "l", "г", "whats", "app", "te", "le", "gram", "привет",
    "слово",
    "vk", "com", "t.me", "one", "905", "o", "double", "wh@tsapp", "(", "[.]", "Kostya", "?", "!", ",", "вася82",
)  # fmt: skip


def names(text: str) -> list[str]:
    return [symbol.name for symbol in symbols(read(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("мой скайп vasya_82, звони после 18:00", ["мой", "скайп", "@name", ",", "звони", "после", "#4time"]),
        ("тел 8 905 123-45-67", ["тел", "#103"]),
        ("+380671234567", ["+", "#124"]),
        ("call me on two one two five five five oh one eight seven", ["call", "me", "on", "#102w"]),
        ("карта 4276 3800 1234 5678", ["карта", "#160"]),
        ("упражнение 15", ["упражнение", "#2list"]),
        ("my name is Kostya", ["my", "name", "is", "@like", "kostya"]),
        ("пиши @anna_petrova", ["пиши", "@name"]),
        ("vk.com/anna", ["@network/"]),
        ("vk.com", ["@network"]),
        ("us02web.zoom.us/j/84512345678", ["@meeting/"]),
        ("read bbc.co.uk", ["read", "@listed"]),
        ("look at my-own-pages.xyz", ["look", "at", "@host"]),
        ("homework.docx", ["@dotted"]),
        ("привет", ["привет"]),
        ("", []),
    ],
)
def test_a_candidate_becomes_one_symbol_by_what_it_looks_like(text: str, expected: list[str]) -> None:
    assert names(text) == expected


def test_domains_that_may_be_named_are_listed_ones() -> None:
    assert [s.name for s in symbols(read("see ours.org/x", frozenset({"ours.org"})))] == ["see", "@listed"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("мой номер 8 905 123-45-67", "мой номер 8 916 765-43-21"),
        ("мой скайп vasya_82", "мой скайп olga-repetitor7"),
        ("пиши на vk.com/anna", "пиши на instagram.com/olga"),
        (
            "тел девять ноль пять один два три четыре пять шесть семь",
            "тел девять один шесть семь шесть пять четыре три два один",
        ),
    ],
)
def test_two_messages_that_differ_in_the_contact_alone_are_the_same_symbols(one: str, other: str) -> None:
    """Else the classifier could learn somebody's number by heart."""
    assert symbols(read(one)) == symbols(read(other))
    assert marks(read(one)) == marks(read(other))


CONTACTS = [
    "vasya_82",
    "anna.petrova",
    "@olga_k",
    "sunny-girl7",
    "x_kot_x",
    "Kolya#1234",
    "9051234567",
    "8-905-123-45-67",
]
AROUND = [
    "{}",
    "мой скайп {}, звони после 18:00",
    "{} 8 916 555 44 33",
    "8 916 555 44 33 {}",
    "add me: {} thanks",
    "({})",
]


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize("around", AROUND)
def test_no_symbol_is_a_handle_or_a_number_of_the_message(contact: str, around: str) -> None:
    text = around.format(contact)
    private = {t.text for t in read(contact).tokens if t.shape in "dx"} | {contact.lower(), contact.lower().strip("@")}
    private |= {"916", "555", "44", "33"} if "916" in text else set()
    assert not private & set(names(text))


def test_digits_after_a_handle_that_ends_in_digits_are_a_number_still() -> None:
    """ "vasya_8 905..." is one run whose first figure the handle has taken: the rest must not stand as it is."""
    assert names("мой скайп vasya_8 905 123-45-67") == ["мой", "скайп", "@name", "#103"]


def test_a_number_whose_last_groups_have_dots_is_one_number() -> None:
    assert names("тел 8 905 123.45.67") == ["тел", "#103"]


@given(texts)
@example("@A00:A00")
def test_no_symbol_of_any_text_is_one_of_its_numbers_or_sure_handles(text: str) -> None:
    reading = read(text)
    told = {symbol.name for symbol in symbols(reading)}
    assert not told & numbers(reading)
    assert not told & {
        name.text
        for i in range(len(reading.tokens))
        if (name := name_at(reading, i)) is not None
        and name.likeness >= 0.85
        and name.last > name.first
        # the same word once more, without the sign that made it a handle, is a word
        and sum(token.text == name.text for token in reading.tokens) <= 1
    }


def numbers(reading: Reading) -> set[str]:
    """Runs of three digits and more, and the figures that they are made of."""
    figures = {
        token.text
        for run in reading.runs
        for token in reading.tokens[run.first : run.last + 1]
        if token.shape == "d" and len(token.text) > 2
    }
    return figures | {run.digits for run in reading.runs if len(run.digits) > 2}


@given(texts)
def test_any_text_has_at_most_two_symbols_a_token_and_codes_of_32_bits(text: str) -> None:
    reading = read(text)
    row = symbols(reading)
    assert len(row) <= 2 * len(reading.tokens)
    for code in (*(c for symbol in row for c in (symbol.word, symbol.stem)), *marks(reading)):
        assert 0 <= code < 1 << 32


def test_forms_of_a_word_share_a_stem_and_short_words_are_their_own() -> None:
    row = symbols(read("телефон телефоне кот котик"))
    assert row[0].stem == row[1].stem != row[2].stem
    assert row[0].word != row[1].word
    assert row[2].stem == row[2].word
    assert row[2].stem != row[3].stem


def test_a_candidate_s_symbol_carries_the_cues_of_its_words() -> None:
    network, word = symbols(read("vk.com/anna hello"))
    assert network.is_candidate
    assert network.cues == read("vk.com/anna").cues
    assert not word.is_candidate


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("8 905 123-45-67", "8 916 765-43-21", True),
        ("8 905 123-45-67", "8 (905) 1234567", False),
        ("8 905 123-45-67", "тел 8 905 123-45-67", False),
        ("89051234567", "9O5I23456З", False),
        ("89051234567", "восемь девять ноль пять один два три четыре пять шесть семь", False),
        ("+44 7700 900123", "+44 7911 123456", False),
        ("8 9 0 5 1 2 3 4 5 6 7", "8 9 1 6 7 6 5 4 3 2 1", True),
    ],
)
def test_marks_tell_how_a_number_is_written_and_not_which(one: str, other: str, same: bool) -> None:
    """Sizes of groups, what stands between, what stands beside, letters for digits, numbers that films may show."""
    assert (marks(read(one)) == marks(read(other))) is same


@pytest.mark.parametrize("text", ["", "привет", "в 18:00", "упр 345"])
def test_what_is_no_number_to_call_has_no_marks(text: str) -> None:
    assert marks(read(text)) == []


@given(st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5), min_size=2, max_size=4))
def test_lines_that_stand_alone_have_the_symbols_of_the_whole(lines: list[list[str]]) -> None:
    """That is a short cut: reading them as one text, token by token, comes to the same."""
    joined = read_lines([read(" ".join(line)) for line in lines])
    if lines_stand_alone(joined):
        assert symbols(joined) == symbols(replace(joined, lines=()))
