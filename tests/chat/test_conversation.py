"""Contacts over several messages, and answers that are none."""

from __future__ import annotations

import gc

import pytest
from hypothesis import given

from lessonroom.chat import conversation
from lessonroom.chat.conversation import NOTHING, Talk, listen, remember
from lessonroom.chat.policy import ChatPolicy
from lessonroom.chat.rules import SURE, UNSURE, Hit, read
from lessonroom.chat.rules.reading import read_lines
from lessonroom.chat.screen import MAX_LENGTH, Case, look
from lessonroom.chat.types import Line
from tests.chat.evidence import MORE_HOSTILE, conversations, steps, texts

POLICY = ChatPolicy(context=16)


def heard(*said: str) -> Case:
    """The last of lines like "a>8905" after the others; the sender is who wrote it."""
    lines = [Line(*line.split(">", 1)) for line in said]
    return look(lines[-1].text, POLICY, lines[-1].sender, lines[:-1])


def talk(*said: str) -> Talk:
    return heard(*said).talk


def best(*said: str) -> float:
    case = heard(*said)
    return max((hit.score for hit in (*case.hits, *case.talk.hits)), default=0.0)


def hit(rule: str, *said: str) -> Hit | None:
    return next((hit for hit in talk(*said).hits if hit.rule == rule), None)


@pytest.mark.parametrize(
    "said",
    [
        ("a>мой номер 8905", "a>123", "a>45 67"),
        ("a>8905", "b>ага", "a>185", "b>да", "a>4967 это мой номер"),
        ("a>мой номер", "b>ок", "a>8905", "b>да", "a>185", "b>ага", "a>4967"),
        ("b>what's your telegram?", "a>vasya_82"),
        ("b>дай номер телефона", "a>185 49 67"),
        ("a>olga.repetitor", "a>собака", "a>gmail.com"),
        ("a>anna", "a>@", "a>mail", "a>.", "a>ru"),
        ("a>telegram", "b>?", "a>vasya82"),
        ("a>vk.com", "a>/anna_petrova85"),
        ("a>vk.com", "b>и?", "a>anna_petrova"),
        ("b>на какую карту переводить?", "a>4276 3800 1234 5678"),
    ],
)
def test_pieces_add_up(said: tuple[str, ...]) -> None:
    assert best(*said) >= SURE


@pytest.mark.parametrize(
    "said",
    [
        ("b>сколько будет 800+105?", "a>905", "b>а 100+23?", "a>123", "b>40+5?", "a>45", "b>60+7?", "a>67"),
        ("b>which problems did you do?", "a>201", "a>202", "a>305", "a>317"),
        ("b>when are you free?", "a>10 30", "b>and Friday?", "a>17 45"),
        ("b>Skype or Zoom?", "a>this classroom is fine"),
        ("a>я читал об этом на vk.com", "b>и как?", "a>очень хорошо"),
        ("a>vk.com", "b>и как?", "a>very good idea"),
        ("a>vk.com", "b>и как?", "a>нормально"),
        ("a>vk.com не открывается", "b>почему?", "a>anna_petrova"),
        ("a>на какую карту?", "a>1234 5678 1234 5678"),
    ],
)
def test_answers_to_exercises_and_other_talk_do_not_add_up(said: tuple[str, ...]) -> None:
    assert best(*said) < SURE


@pytest.mark.parametrize(
    "said",
    [("b>8905", "a>1234567"), ("b>8905", "b>185", "a>4967"), ("b>telegram", "a>vasya82"), ("b>vk.com", "a>/anna")],
)
def test_the_other_side_s_lines_are_no_pieces(said: tuple[str, ...]) -> None:
    """Digits of two people are not one person's number."""
    assert best(*said) < UNSURE
    assert not [hit for hit in talk(*said).hits if hit.rule.startswith(("split", "across"))]


# --- digits of several messages --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        (("a>8905", "a>185", "a>4967"), "split_digits"),
        (("a>8", "a>9", "a>0", "a>5", "a>1", "a>8", "a>5", "a>4", "a>9", "a>6", "a>7"), "split_digits"),
        (("a>4967", "a>185", "a>8905"), "split_turned"),
        (("a>905", "a>185", "a>4967"), "split_weak"),
        (("a>8905", "a>ну вот", "b>185", "a>185 4967"), "split_digits"),
    ],
)
def test_digits_of_several_messages_are_put_together_from_the_front_and_from_the_back(
    said: tuple[str, ...], rule: str
) -> None:
    assert {hit.rule for hit in talk(*said).hits if hit.rule.startswith("split")} == {rule}


def test_a_number_said_backwards_counts_for_less_than_one_said_forwards() -> None:
    turned, straight = (
        hit("split_turned", "a>4967", "a>185", "a>8905"),
        hit("split_digits", "a>8905", "a>185", "a>4967"),
    )
    assert turned is not None
    assert straight is not None
    assert 0 < turned.score < straight.score


def test_words_about_calling_in_any_of_the_lines_count_for_a_number_in_pieces() -> None:
    without, with_ = hit("split_digits", "a>8905", "a>1854967"), hit("split_digits", "a>звони 8905", "a>1854967")
    assert without is not None
    assert with_ is not None
    assert with_.score > without.score


@pytest.mark.parametrize("between", ["b>сколько там будет?", "b>реши пример", "b>упражнение"])
def test_questions_and_exercises_in_between_count_against_a_number_in_pieces(between: str) -> None:
    plain, asked = (talk("a>8905", line, "a>185", line, "a>4967").hits[0].score for line in ("b>да", between))
    assert asked < plain - 0.2


@pytest.mark.parametrize("prompt", ["b>да?", "b>и?", "b>ну и?", "b>and then?"])
def test_a_question_that_only_says_go_on_does_not_count_against_it(prompt: str) -> None:
    said = ("a>мой номер 8905", prompt, "a>185", prompt, "a>4967")
    assert talk(*said).hits[0].score == talk(*(line for line in said if line != prompt)).hits[0].score
    assert talk(*said).questions == 0


def test_a_whole_number_of_before_is_no_piece_of_another() -> None:
    assert hit("split_digits", "a>89051854967", "a>123") is None


def test_a_message_that_is_a_whole_number_needs_no_pieces() -> None:
    assert hit("split_digits", "a>12", "a>89051854967") is None


# --- answers ---------------------------------------------------------------------------------------------------------


def test_a_bare_name_is_an_answer_only_where_a_contact_was_asked_for() -> None:
    assert hit("answer_name", "b>what's your telegram?", "a>vasya_82") is not None
    assert hit("answer_name", "b>what's your favourite film?", "a>vasya_82") is None
    assert hit("answer_name", "a>what's your telegram?", "a>vasya_82") is None


def test_the_last_two_lines_of_the_other_side_are_asked_what_they_ask() -> None:
    asked = ("b>what's your telegram?", "b>hm", "a>vasya_82"), ("b>what's your telegram?", "b>a", "b>b", "a>vasya_82")
    assert [talk(*said).asked > 0 for said in asked] == [True, False]


def test_a_long_answer_without_a_candidate_is_no_bare_answer() -> None:
    assert not talk("b>what's your telegram?", "a>" + "слово " * 20).hits


# --- what is known of the talk ---------------------------------------------------------------------------------------


def test_without_earlier_lines_there_is_no_talk() -> None:
    assert talk("a>8905") is NOTHING


def test_the_talk_knows_the_last_lines_of_both_sides_and_those_before() -> None:
    found = talk("b>b1", "a>a1", "b>b2", "a>a2", "b>b3", "a>now")
    assert found.theirs is not None
    assert found.own is not None
    assert (found.theirs.text, found.own.text) == ("b3", "a2")
    assert [line.text for line in found.earlier_theirs] == ["b1", "b2"]
    assert [line.text for line in found.earlier_own] == ["a1"]


def test_at_most_four_earlier_lines_of_a_side_say_what_is_talked_about() -> None:
    found = talk(*(f"b>line {i}" for i in range(9)), "a>now")
    assert [line.text for line in found.earlier_theirs] == [f"line {i}" for i in range(4, 8)]


def test_the_writer_s_short_lines_are_read_as_one_text_with_the_message() -> None:
    found = talk("a>мой", "b>что?", "a>" + "длинное слово " * 20, "a>ник", "a>вася")
    assert found.before is not None
    assert found.joined is not None
    assert found.before.text == "мой\nник"
    assert found.joined.text == "мой\nник\nвася"


def test_the_last_six_short_lines_are_joined() -> None:
    found = talk(*(f"a>{i}" for i in range(10)), "a>now")
    assert found.joined is not None
    assert found.joined.text == "4\n5\n6\n7\n8\n9\nnow"


def test_a_long_message_without_a_candidate_is_joined_to_nothing() -> None:
    assert talk("a>мой ник", "a>" + "слово " * 20).joined is None
    assert talk("a>мой ник", "a>" + "слово " * 20 + "vk.com/anna").joined is not None


def test_a_hit_that_the_message_has_by_itself_is_not_found_again_in_the_joined_text() -> None:
    found = heard("a>привет", "a>мой телефон 8 905 123-45-67")
    assert found.hits[0].rule == "phone_3_asked"
    assert not [hit for hit in found.talk.hits if hit.rule == "across_phone"]


@given(texts, conversations)
def test_a_finding_over_several_messages_points_into_the_last_one(text: str, context: tuple[Line, ...]) -> None:
    for found in look(text, POLICY, "a", context).talk.hits:
        assert 0 <= found.start < found.end <= len(text)
        assert 0 < found.score <= 1


@pytest.mark.parametrize(
    ("said", "covered"),
    [
        (("a>мой номер 8905", "a>ага", "a>123 45 67"), "123 45 67"),
        (("a>мой ник", "a>вот: vasya_82!"), "вот: vasya_82"),
        (("a>8905", "a>ну 185 и", "a>вот 4967!"), "4967"),
    ],
)
def test_a_finding_over_several_messages_covers_its_part_of_the_last(said: tuple[str, ...], covered: str) -> None:
    text = said[-1].split(">")[1]
    assert covered in {text[hit.start : hit.end] for hit in talk(*said).hits}


def test_only_as_many_lines_as_the_setting_says_are_read() -> None:
    lines = [Line("a", "мой номер 8905"), Line("a", "123")]
    assert look("45 67", ChatPolicy(context=1), "a", lines).talk.pieces == 1
    assert look("45 67", ChatPolicy(context=0), "a", lines).talk is NOTHING


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_a_line_is_read_once_for_as_long_as_the_room_keeps_it() -> None:
    """Each message of a room brings the same earlier lines: reading them again would be most of the work."""
    lines = [Line("b", f"{i} what a long line about nothing at all " * 5) for i in range(10)]
    first = steps(lambda: look("ну", POLICY, "a", lines))
    again = steps(lambda: look("ну", POLICY, "a", lines))
    assert again < first / 4
    # Their texts alone: lines that other tests left in a circle go from the memory whenever the collector comes by.
    said = {line.text for line in lines}
    assert {line.text for line in conversation._READINGS} >= said
    lines.clear()
    gc.collect()
    assert not {line.text for line in conversation._READINGS} & said


def test_what_is_remembered_of_a_line_is_the_same_as_what_is_read() -> None:
    one, other = Line("b", "дай номер"), Line("b", "дай номер")
    assert look("8905", POLICY, "a", (one,)).talk.theirs == look("8905", POLICY, "a", (other,)).talk.theirs


@pytest.mark.parametrize("piece", MORE_HOSTILE)
def test_steps_grow_in_step_with_the_message_among_sixteen_long_lines(piece: str) -> None:
    """Eight times the message may take some ten times the steps, never the sixty-four of a quadratic reading."""
    context = tuple(Line("ab"[i % 2], (f"{i} " + piece * MAX_LENGTH)[:MAX_LENGTH]) for i in range(16))
    short, long = ((piece * length)[:length] for length in (MAX_LENGTH // 8, MAX_LENGTH))
    costs = [steps(lambda text=text: look(text, POLICY, "a", context)) for text in (long, short, long)]
    assert costs[2] < 10 * costs[1]


@pytest.mark.parametrize(
    "lines",
    [
        ("мой", "номер"),
        ("8905", "", "  123\n", "45"),
        ("te le", "gram"),
        ("see (", ".", ") it"),
        ("a b", "c d e"),
        ("\u200bmy", "n\u00famero", "\u2460\u2461"),
        ("@", "anna_p"),
        ("one",),
    ],
)
def test_lines_read_one_by_one_and_put_together_are_read_as_their_text_is(lines: tuple[str, ...]) -> None:
    """What was read of a line is kept, so it must not matter where one line ended."""
    together, whole = read_lines([read(line) for line in lines]), read("\n".join(lines))
    assert together.text == whole.text
    assert [t._replace(cues=0) for t in together.tokens] == [t._replace(cues=0) for t in whole.tokens]
    assert (together.cues, together.runs, together.hosts) == (whole.cues, whole.runs, whole.hosts)
    assert together.view.text == whole.view.text
    for start in range(len(whole.view.text)):
        assert together.view.span(start, start + 1) == whole.view.span(start, start + 1)


def test_a_message_that_was_read_is_not_read_again_as_an_earlier_line() -> None:
    line = Line("a", "мой номер 8905")
    message = read(line.text)
    remember(line, message)
    heard = listen(read("и ещё"), "a", [Line("a", "мой номер 8905")])
    assert heard.own is message


def test_an_earlier_line_is_read_with_the_domains_that_may_be_named_now() -> None:
    line = Line("a", "look at ours.org/x")
    remember(line, read(line.text))
    heard = listen(read("and?", frozenset({"ours.org"})), "b", [line])
    assert heard.theirs is not None
    assert heard.theirs.allowed == {"ours.org"}
