"""Pleas for help in three languages: precision first. The sentences are in ``tests/chat/pleas.py``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given

import lessonroom.chat
from lessonroom.chat import cues
from tests.chat.evidence import texts
from tests.chat.pleas import AT_A_LOSS, SOUNDS_ALIKE

CORPUS = Path(lessonroom.chat.__file__).parent / "corpus"


def test_there_are_sentences_enough_in_each_language_to_mean_something() -> None:
    for lines in (AT_A_LOSS, SOUNDS_ALIKE):
        cyrillic = sum(any("а" <= letter.lower() <= "я" for letter in line) for line in lines)
        assert min(cyrillic, len(lines) - cyrillic) >= 30
        assert len(set(lines)) == len(lines) >= 60


@pytest.mark.parametrize("text", AT_A_LOSS)
def test_a_student_at_a_loss_is_heard(text: str) -> None:
    assert cues.asks_for_help(text)


@pytest.mark.parametrize("text", SOUNDS_ALIKE)
def test_what_only_sounds_like_it_is_not(text: str) -> None:
    assert not cues.asks_for_help(text)


@pytest.mark.parametrize("text", AT_A_LOSS[::9])
def test_a_plea_is_no_plea_in_quotation_marks_or_as_a_numbered_answer(text: str) -> None:
    for disguise in (f"«{text}»", f'"{text}"', f"“{text}”", f"3) {text}", f"{text} = !", f"1. {text}"):
        assert not cues.asks_for_help(disguise), disguise


@pytest.mark.parametrize(
    ("plain", "written"),
    [("I don't get it", "I DON’T GET IT!!!"), ("не понимаю", "НЕ ПОНИМАААЮ ((("), ("не розумію", "не   розумію 😭😭")],
)
def test_case_signs_and_stretched_letters_do_not_matter(plain: str, written: str) -> None:
    assert cues.asks_for_help(plain)
    assert cues.asks_for_help(written)


def test_in_the_talk_of_ten_thousands_of_lesson_messages_hardly_anything_is_taken_for_a_plea() -> None:
    """The contact filter's corpus is ordinary lesson talk with few pleas; those found there were read one by one."""
    for name in ("harmless_en", "harmless_ru", "harmless_uk"):
        lines = (CORPUS / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()[::4]
        heard = sum(cues.asks_for_help(json.loads(line)["text"]) for line in lines)
        assert heard <= len(lines) / 1000, name


@given(texts)
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert cues.asks_for_help(text) in {True, False}
    assert cues.dictates(text) in {True, False}
    assert cues.asks(text) in {True, False}


@pytest.mark.parametrize("text", ["What did you get?", "Готово? :)", "Чому? 🙂", "Is it «a» or «the»?»", "так?)))"])
def test_a_question_ends_with_its_mark_whatever_smiles_behind_it(text: str) -> None:
    assert cues.asks(text)


@pytest.mark.parametrize("text", ["", "Well done!", "? is a question mark", "Why? Because it is past."])
def test_a_message_that_goes_on_after_the_mark_asks_nothing(text: str) -> None:
    assert not cues.asks(text)


@pytest.mark.parametrize(
    "text",
    [
        "Translate: я не понимаю",
        "How do you say «мне трудно»?",
        "Переведи предложения 1-5",
        "Повтори за мной",
        "Як сказати це англійською?",
        "Переклади, будь ласка",
        "Make the sentence negative",
        'Say "I am lost"',
        "Read the dialogue",
    ],
)
def test_a_teacher_who_sets_words_to_say_is_recognised(text: str) -> None:
    assert cues.dictates(text)


@pytest.mark.parametrize("text", ["How are you today?", "Сделал упражнение 5?", "Що нового?", "Good, go on"])
def test_ordinary_talk_of_a_teacher_sets_no_words(text: str) -> None:
    assert not cues.dictates(text)
