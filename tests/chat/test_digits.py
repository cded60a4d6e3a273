"""Runs of digits, written in any way, and what they look like."""

from __future__ import annotations

import pytest

from lessonroom.chat.digits import Run, runs_of
from lessonroom.chat.normalise import fold, tokenise
from lessonroom.chat.shapes import harmless_shape, is_fiction, loose_digits, luhn, phone_level


def longest(text: str) -> Run:
    return max(runs(text), key=lambda run: len(run.digits))


def runs(text: str) -> list[Run]:
    return runs_of(tokenise(fold(text)))


@pytest.mark.parametrize(
    "text",
    [
        "8 (905) 123-45-67",
        "восемь девятьсот пять сто двадцать три сорок пять шестьдесят семь",
        "8 девятьсот пять, потом сто двадцать три 45 шесть семь",
        "8.9.0.5.1.2.3.4.5.6.7",
        "8️⃣9️⃣0️⃣5️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣",
        "89О5 l23 45 б7",
        "8а9б0в5г1д2е3ж4к5л6м7",
        "eight nine oh five one two three four five six seven",
        "8 905 один23 4пять 67",
        "8 905 l23 4s 67",
        "8 9o5 lzз 45 б7",
        "восимь дивятьсот пять сто двацать три сорак пять шисят семь",
        "vosem devyatsot pyat odin dva tri chetyre pyat shest sem",
        "৮৯০৫১২৩৪৫৬৭",
        "٨٩٠٥١٢٣٤٥٦٧",
        "⓼⓽⓪⓹⓵⓶⓷⓸⓹⓺⓻",
    ],
)
def test_a_number_is_read_through_its_dress(text: str) -> None:
    assert longest(text).digits == "89051234567"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("double five triple three", "55333"),
        ("nine hundred five", "905"),
        ("нуль шістдесят сім", "067"),
        ("дев'ятсот п'ять", "905"),
        ("siedemset dwadzieścia trzy", "723"),
        ("ochocientos", "800"),
        ("семьсот 45", "745"),
    ],
)
def test_number_words_of_many_languages_become_digits(text: str, digits: str) -> None:
    assert "".join(run.digits for run in runs(text)) == digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("three fives", "555"),
        ("3 fives", "555"),
        ("три пятёрки", "555"),
        ("3 пятёрки", "555"),
        ("две семёрки три нуля", "77000"),
        ("дві двійки", "22"),
        ("восемь девятьсот пять три двойки", "8905222"),
        ("семёрки", "7"),
        ("nine fives", "95"),
    ],
)
def test_how_many_times_a_figure_is_said_is_said_by_the_figure_before(text: str, digits: str) -> None:
    """Two to five times: "nine fives" is a nine and a five."""
    assert "".join(run.digits for run in runs(text)) == digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("дивятьсот пять", "905"),
        ("девяноста", "90"),
        ("питнацать", "15"),
        ("чотыреста", "400"),
        ("devyatsot", "900"),
        ("devjatsot", "900"),
        ("dvadtsat", "20"),
        ("shistdesyat dva", "62"),
    ],
)
def test_a_number_is_known_by_its_sound_and_in_other_letters(text: str, digits: str) -> None:
    assert "".join(run.digits for run in runs(text)) == digits


@pytest.mark.parametrize(
    "text",
    ["не бачу твого файлу", "у меня новая симка", "до четверга", "вот это жесть", "не трогай", "these ones are fine",
     "I ate it once", "sto lat", "привет", "it is so good", "боб и лоб", "oil"],
)  # fmt: skip
def test_an_everyday_word_is_no_digit(text: str) -> None:
    """Some sound or look like a number, in this language or another: alone they are none."""
    assert runs(text) == []


@pytest.mark.parametrize(
    ("text", "digits"),
    [("905 зз 44", "9053344"), ("905 lо 22 33", "905102233"), ("905 ооо 11", "90500011"), ("8 905 ll", "890511"),
     ("is 5 so 6", "5 6"), ("2 is 3", "2 3"), ("905 об 44", "905 44"), ("34 і 17", "3417")],
)  # fmt: skip
def test_short_words_of_letters_that_look_like_digits_are_digits_among_digits(text: str, digits: str) -> None:
    """Not where the letters are a word of their own."""
    assert " ".join(run.digits for run in runs(text)) == digits


@pytest.mark.parametrize(
    ("text", "plus"),
    [
        ("+79051234567", True),
        ("звони: +7 905 123 45 67", True),
        ("плюс 7 905 123 45 67", True),
        ("5 + 79051234567", False),
        ("x+79051234567", False),
        ("(2) + 79051234567", False),
        ("три плюс 79051234567", False),
        ("y = +79051234567", False),
    ],
)
def test_a_plus_after_a_number_a_bracket_or_an_unknown_adds(text: str, plus: bool) -> None:
    """Elsewhere it begins an international number."""
    assert longest(text).plus is plus


@pytest.mark.parametrize(
    ("digits", "plus", "level"),
    [
        ("89051234567", False, 3),
        ("79051234567", True, 4),
        ("0671234567", False, 3),
        ("380671234567", False, 4),
        ("07700900123", False, 3),
        ("4155552671", False, 2),
        ("1234", False, 0),
        ("11111111111", False, 0),
        ("1234567890123456", False, 0),
        ("9051234", False, 1),
    ],
)
def test_dialling_plans_are_known(digits: str, plus: bool, level: int) -> None:
    assert phone_level(digits, plus=plus) == level


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("13 00-15 00-15 30", "time"),
        ("10:00, 11:30, 14:00", "time"),
        ("12.05.2024", "date"),
        ("1939-1945", "date"),
        ("1 000 000", "number"),
        ("2 4 6 8 10 12", "list"),
        ("one two three four five six seven eight nine ten", "list"),
        ("192.168.0.1", "version"),
        ("255.255.255.0", "version"),
        ("1.12.3", "version"),
        ("905.123.45.67", ""),
        ("905.123.4567", ""),
        ("27/49", "fraction"),
        ("312/847 then 209/6", "fraction"),
        ("905/123/45/67", ""),
        ("8 905 123 45 67", ""),
        ("050 222 11 33", ""),
        ("(050) 900-10-20", ""),
    ],
)
def test_a_run_that_looks_like_something_else_says_so(text: str, shape: str) -> None:
    assert harmless_shape(longest(text)) == shape


def test_sums_are_not_one_run() -> None:
    """Digits on both sides of an equals sign never add up to a number to call."""
    assert max(len(run.digits) for run in runs("8905 + 1234 = 567")) <= 4


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("начинается с 8916, затем идёт 555, в конце стоит 12-34", "89165551234"),
        ("на 18:00 или в 19:30, дом 905", "905"),
        ("12.05.2024 было 4967", "4967"),
        ("1 2 3 4 5 6 7 8 потом слово 905", "905"),
        ("за 1 000 000 слово 905", "905"),
        ("27/49 слово 12 слово 905", "12905"),
        ("привет", ""),
    ],
)
def test_pieces_of_a_number_are_all_digits_but_times_dates_and_long_lists(text: str, digits: str) -> None:
    """A few figures that could be a list or a round number ("12", "555") may be a piece."""
    assert loose_digits(runs(text)) == digits


@pytest.mark.parametrize("digits", ["1234567", "12345678910", "10987654321", "30292827262524"])
def test_counting_is_no_number_to_call(digits: str) -> None:
    assert phone_level(digits) == 0


@pytest.mark.parametrize(
    ("text", "fiction"),
    [("07700 900123", True), ("+44 7700 900 123", True), ("020 7946 0123", True), ("0121 496 0123", True),
     ("(212) 555-0187", True), ("+1 212 555 0187", True), ("555-0123", True), ("07911 123456", False),
     ("212 555 1234", False), ("8 905 123-45-67", False), ("020 7946 1234", False)],
)  # fmt: skip
def test_numbers_that_are_kept_free_for_films_are_known(text: str, fiction: bool) -> None:
    """Ofcom's and NANPA's ranges: what a textbook prints, and what a learner may use to play."""
    assert is_fiction(longest(text).digits) is fiction


def test_the_check_digit_of_cards_is_known() -> None:
    assert luhn("4539578763621486")
    assert not luhn("4539578763621487")
