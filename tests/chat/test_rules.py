"""Text to rule and span, one table; and that the rules take a number of steps that is linear in the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lessonroom.chat.features import RULES
from lessonroom.chat.rules import SURE, apply, read
from lessonroom.chat.rules.names import name_at
from lessonroom.chat.screen import MAX_LENGTH
from tests.chat.evidence import MORE_HOSTILE, steps, texts


@pytest.mark.parametrize(
    ("text", "kind", "covered"),
    [
        ("мой телефон 8 905 123-45-67, звоните", "phone", "8 905 123-45-67"),
        ("call me on +44 7700 900123", "phone", "+44 7700 900123"),
        ("пишіть на anna.petrenko@ukr.net", "email", "anna.petrenko@ukr.net"),
        ("vasya (собака) pupkin (точка) ru", "email", "vasya (собака) pupkin (точка) ru"),
        ("kostya at gmail dot com", "email", "kostya at gmail dot com"),
        ("please add me in Skype — vasya82pupkin", "messenger", "Skype — vasya82pupkin"),
        ("vk.com/anna_petrova85", "profile", "vk.com/anna_petrova85"),
        ("пиши t. me/anna_petrova85", "profile", "t. me/anna_petrova85"),
        ("мой скаи\u0306п vasya82", "messenger", "скаи\u0306п vasya82"),
        ("звони ৮৯০৫১২৩৪৫৬৭", "phone", "৮৯০৫১২৩৪৫৬৭"),
        ("восимь дивятьсот пять сто двацать три сорак пять шисят семь", "phone", "восимь дивятьсот"),
        ("мой номер 8 905 три двойки 45 67", "phone", "8 905 три двойки 45 67"),
        ("8 905 lзз 45 67 звони", "phone", "8 905 lзз 45 67"),
        ("https://us02web.zoom.us/j/84512345678", "meeting", "us02web.zoom.us/j/84512345678"),
        ("карта 4276 3800 1234 5678", "payment", "4276 3800 1234 5678"),
        ("приезжайте, ул. Ленина 15, кв 42", "address", "ул. Ленина 15, кв 42"),
    ],
)
def test_a_contact_is_found_where_it_stands(text: str, kind: str, covered: str) -> None:
    best = apply(read(text))[0]
    assert best.kind == kind
    assert best.score >= SURE
    assert covered in text[best.start : best.end] or text[best.start : best.end] in covered


@pytest.mark.parametrize(
    "text",
    [
        "Могу в 18:00 или с 19-30 до 21-00",
        "номера 345, 346, 350, 351",
        "12345 + 67890 = 80235",
        "312/847 then 209/6 and 1/8",
        "can we chat about it tomorrow?",
        "work it out, look at page 5",
        "до четверга твого файлу нема",
        "ISBN 978-5-09-071234-5",
        "write an e-mail to a friend",
        "my favourite site is bbc.co.uk",
        "homework.docx",
        "user@localhost",
        "we say john@example.com in the exercise",
        "Как вы занимаетесь, скайп или зум?",
        "У меня есть собака и кот",
        "хорошо.Потом продолжим",
        "it costs 1 250 000 rubles",
    ],
)
def test_lesson_talk_has_no_sure_hit(text: str) -> None:
    assert all(hit.score < SURE for hit in apply(read(text)))


@given(st.text(alphabet="a1@. :/_8собакtочкa0-+()?vk\n", max_size=120))
def test_every_hit_is_inside_the_text_and_known_to_the_classifier(text: str) -> None:
    for hit in apply(read(text)):
        assert 0 <= hit.start < hit.end <= len(text)
        assert hit.rule in RULES
        assert hit.score <= 1.0


@pytest.mark.parametrize("piece", MORE_HOSTILE)
def test_steps_grow_in_step_with_length(piece: str) -> None:
    """Eight times the text may take some ten times the steps, never the sixty-four of a quadratic rule."""
    short, long = ((piece * length)[:length] for length in (MAX_LENGTH // 8, MAX_LENGTH))
    assert steps(lambda: apply(read(long))) < 10 * steps(lambda: apply(read(short)))


@pytest.mark.parametrize(
    "text",
    ["начинается с 8916, затем идёт 555, в конце стоит 12-34", "it begins with 8916, goes on with 555, and ends 12-34"],
)
def test_a_number_with_words_between_its_pieces_is_put_together(text: str) -> None:
    """Also where a piece by itself looks like a list or a round number."""
    best = apply(read(text))[0]
    assert (best.kind, best.rule) == ("phone", "phone_scattered")
    assert text[best.start : best.end].startswith("8916")
    assert text[best.start : best.end].endswith("12-34")


# --- hosts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("vk.com/anna", ["vk.com"]),
        ("t. me/anna", ["t.me"]),
        ("t .me/anna", ["t.me"]),
        ("vk . com", ["vk.com"]),
        ("site,com,ua", ["site.com.ua"]),
        ("hello,com", ["hello.com"]),
        ("anna[.]ru", ["anna.ru"]),
        ("anna (.) tutor (.) com", ["anna.tutor.com"]),
        ("www.anna.ru", ["anna.ru"]),
        ("да,ru", []),
        ("привет, com", []),
        ("one, two,three", []),
        ("конец. Начало", []),
        ("3. me too", []),
    ],
)
def test_a_host_is_read_with_the_dots_that_people_write(text: str, hosts: list[str]) -> None:
    """Loose dots only in the names of networks, commas only before an ending that is nothing else."""
    assert [host.name for host in read(text).hosts] == hosts


@given(texts)
def test_every_host_lies_inside_the_tokens(text: str) -> None:
    reading = read(text)
    for host in reading.hosts:
        assert 0 <= host.first <= host.last < len(reading.tokens)
        assert len(host.labels) >= 2


# --- handles ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "name", "likeness"),
    [
        ("vasya_82", "vasya_82", 0.9),
        ("anna.petrova", "anna.petrova", 0.8),
        ("Kolya#1234", "kolya#1234", 0.9),
        ("anna#bella", "anna#bella", 0.85),
        ("мой ник anna-bella там", "anna-bella", 0.75),
        ("sunny-girl", "sunny-girl", 0.3),
        ("@vasya", "vasya", 0.85),
        ("phone_number", "phone_number", 0.2),
        ("мой ник kostyan", "kostyan", 0.6),
        ("my name kostyan", "kostyan", 0.4),
        ("lesson", None, 0),
        ("ok", None, 0),
        ("!", None, 0),
    ],
)
def test_a_handle_is_known_by_its_joiners_digits_and_the_language_around(
    text: str, name: str | None, likeness: float
) -> None:
    reading = read(text)
    names = [found for i in range(len(reading.tokens)) if (found := name_at(reading, i)) is not None]
    best = names[0] if names else None
    assert (best.text if best else None) == name
    assert (best.likeness if best else 0) == likeness


@given(texts)
def test_a_handle_lies_inside_the_tokens_and_is_the_same_when_asked_again(text: str) -> None:
    reading = read(text)
    for i in range(len(reading.tokens)):
        name = name_at(reading, i)
        assert name == name_at(reading, i)
        assert name is None or (name.first == i <= name.last < len(reading.tokens) and 0 < name.likeness <= 1)


@pytest.mark.parametrize(
    ("plain", "framed"),
    [
        ("my number is 8 905 123-45-67", "in the dialogue he says: my number is 8 905 123-45-67"),
        ("пиши на vasya82@gmail.com", "пример из учебника: пиши на vasya82@gmail.com"),
    ],
)
def test_what_a_dialogue_or_an_example_shows_counts_for_less(plain: str, framed: str) -> None:
    assert apply(read(framed))[0].score < apply(read(plain))[0].score - 0.2
