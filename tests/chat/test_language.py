"""The language of a message: a guess by letters and short words."""

from __future__ import annotations

import pytest

from lessonroom.chat.language import LANGUAGES, language_of


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Доброе утро! Я сделал упражнение, но не всё понял", "ru"),
        ("да, хорошо", "ru"),
        ("спасибо за урок", "ru"),
        ("мой email vasya.pupkin82@gmail.com", "ru"),
        ("Доброго ранку! Я зробила вправу, є питання", "uk"),
        ("дуже добре, дякую", "uk"),
        ("об'єкт", "uk"),
        ("що це", "uk"),
        ("можемо почати о п'ятнадцятій", "uk"),
        ("треба подумати секунду", "uk"),
        ("можем начать завтра", "ru"),
        ("она говорит, что знает ответ", "ru"),
        ("я знаю", "ru"),
        ("Good morning! I did exercise 5.", "en"),
        ("homework", "en"),
        ("café? I don't know where it is", "en"),
        ("¿Qué quieres hacer?", "other"),
        ("to nie jest trudne", "other"),
        ("Што гэта за ўрок", "other"),
        ("今日は宿題をしました", "other"),
        ("8 905 123-45-67", "other"),
        ("👩‍🎓", "other"),
        ("", "other"),
    ],
)
def test_letters_decide_and_short_words_where_letters_do_not(text: str, language: str) -> None:
    assert language_of(text) == language


def test_a_text_in_two_alphabets_is_in_that_of_most_of_its_words() -> None:
    assert language_of("переведите, пожалуйста: dog") == "ru"
    assert language_of("I have been living здесь for ten years") == "en"


def test_any_text_has_one_of_the_known_languages() -> None:
    for text in ("\u202e\ufeff", "@", "a" * 20_000, "ı İ ß", "1.2.3", "vk.com/x"):
        assert language_of(text) in LANGUAGES
