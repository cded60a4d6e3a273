"""Cues without a picture: what counts, what does not, and when they make a hint by themselves."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from lessonroom.config import Settings, load
from lessonroom.errors import BadSetting
from lessonroom.media.hints import HintRules, HintState, Shown
from lessonroom.media.pipeline import hint_rules, strain_rules
from lessonroom.media.strain import StrainRules, StrainState, estimate, note
from lessonroom.media.types import Cue, Hint
from lessonroom.rooms.listening import DICTATED_SECONDS, MOST_IDS, Exercise, Heard, Listening, ListeningRules

PLEA = "я не понимаю"
START = 1000.0
RULES = ListeningRules(
    StrainRules(
        event_half_life=60.0,
        event_pull=6.0,
        bias=-2.5,
        events={Cue.STUCK_BUTTON: 0.7, Cue.CHAT: 0.35, Cue.EXERCISE: 0.3},
    ),
    HintRules(threshold=0.6, hold=8.0, first=120.0, pause=300.0),
    silence=90.0,
)


class Lesson:
    """A lesson without a camera, second by second. ``hints``: what was due, with the second of the lesson."""

    def __init__(self, rules: ListeningRules = RULES, begun: float = 600.0) -> None:
        self.ears = Listening(rules)
        self.now = START
        self.hints: list[tuple[float, Hint]] = []
        self.ears.begin(self.now)
        self.go(begun)

    def go(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.now += 1.0
            self.ears.waited(self.now)
            hint = self.ears.due(self.now, hint_id=f"hint-{self.now:.0f}")
            if hint is not None:
                self.hints.append((self.now - START, hint))

    def plead(self, times: int = 2) -> None:
        for _ in range(times):
            self.ears.said("student", PLEA, self.now)

    def fail(self, times: int) -> None:
        for number in range(times):
            self.ears.solved(Exercise.WRONG_ANSWER, f"event-{self.now}-{number}", self.now)

    @property
    def cues(self) -> list[Cue]:
        return [hint.cue for _, hint in self.hints]


# --- what is heard ---------------------------------------------------------------------------------------------------


def test_only_a_plea_of_the_student_counts() -> None:
    ears = Listening(RULES)
    assert ears.said("student", PLEA, START) == [Heard(Cue.CHAT, START)]
    assert ears.said("student", "я понимаю", START) == []
    assert ears.said("teacher", PLEA, START) == []
    assert ears.said("observer", PLEA, START) == []


def test_after_a_teacher_set_words_to_translate_the_same_words_are_an_answer() -> None:
    ears = Listening(RULES)
    ears.said("teacher", "Translate: я не понимаю", START)
    assert ears.said("student", "I don't understand", START + 10) == []
    assert ears.said("student", "I don't understand", START + DICTATED_SECONDS + 1) != []
    ears.said("teacher", "Переведи предложения", START)
    ears.said("teacher", "Всё ясно?", START + 5)
    assert ears.said("student", "I don't understand", START + 10) != []


def test_wrong_answers_count_from_the_third_in_a_row_on_more_from_the_fifth_and_a_right_one_begins_anew() -> None:
    ears = Listening(RULES)
    row = [Exercise.WRONG_ANSWER] * 6 + [Exercise.RIGHT_ANSWER] + [Exercise.WRONG_ANSWER] * 3
    heard = [len(ears.solved(event, f"event-{number}", START)) for number, event in enumerate(row)]
    assert heard == [0, 0, 1, 1, 2, 2, 0, 0, 0, 1]


def test_a_long_pause_counts_and_does_not_end_a_row_of_wrong_answers() -> None:
    ears = Listening(RULES)
    for number, event in enumerate([Exercise.WRONG_ANSWER, Exercise.WRONG_ANSWER]):
        assert ears.solved(event, f"event-{number}", START) == []
    assert ears.solved(Exercise.LONG_PAUSE, "event-2", START) == [Heard(Cue.EXERCISE, START)]
    assert ears.solved(Exercise.WRONG_ANSWER, "event-3", START) == [Heard(Cue.EXERCISE, START)]


def test_an_exercise_event_that_is_sent_again_is_no_news() -> None:
    ears = Listening(RULES)
    for _ in range(5):
        assert ears.solved(Exercise.WRONG_ANSWER, "event-1", START) == []
    ears.solved(Exercise.LONG_PAUSE, "event-2", START)
    assert ears.solved(Exercise.LONG_PAUSE, "event-2", START + 1) == []
    for number in range(MOST_IDS):
        ears.solved(Exercise.RIGHT_ANSWER, f"right-{number}", START)
    assert len(ears._known) == MOST_IDS  # not a list that grows for ever


@pytest.mark.parametrize("spoken", [False, True])
def test_a_question_that_stays_open_counts_once_and_as_old_as_it_is(spoken: bool) -> None:
    ears = Listening(RULES)
    ears.said("teacher", "What is the answer?", START)
    if spoken:
        ears.said("student", "b", START + 30)
    heard = [cue for second in range(300) for cue in ears.waited(START + second)]
    assert heard == ([] if spoken else [Heard(Cue.CHAT, START)])


@pytest.mark.parametrize("after", ["went on", "parted", "button", "forget"])
def test_a_question_is_closed_by_what_comes_after_it(after: str) -> None:
    ears = Listening(RULES)
    ears.said("teacher", "What is the answer?", START)
    {
        "went on": lambda: ears.said("teacher", "I will show you.", START + 5),
        "parted": ears.parted,
        "button": lambda: ears.pressed(START + 5),
        "forget": ears.forget,
    }[after]()
    assert ears.waited(START + 100) == []


def test_silence_may_be_left_out() -> None:
    ears = Listening(replace(RULES, silence=0.0))
    ears.said("teacher", "What is the answer?", START)
    assert ears.waited(START + 10_000) == []


def test_silence_still_counts_a_little_at_its_bound_and_is_not_taken_above() -> None:
    """It dates back to the question and fades with age: a setting that does nothing must not look as if it did."""
    with pytest.raises(BadSetting, match="LESSONROOM_CHAT_SILENCE_SECONDS"):
        load({"LESSONROOM_CHAT_SILENCE_SECONDS": "151"})
    rules = strain_rules(load({"LESSONROOM_CHAT_SILENCE_SECONDS": "150"}))
    plea = note(StrainState(), Cue.CHAT, START)
    open_too = note(plea, Cue.CHAT, START - 150)
    alone, together = (estimate(state, START, rules).level or 0.0 for state in (plea, open_too))
    assert together - alone > 0.03


# --- what comes of it ------------------------------------------------------------------------------------------------


def test_two_pleas_make_a_hint_after_the_hold_and_one_does_not() -> None:
    lesson = Lesson()
    lesson.plead(1)
    lesson.go(120)
    assert lesson.hints == []
    lesson.plead(2)
    lesson.go(60)
    assert lesson.cues == [Cue.CHAT]
    assert 728 <= lesson.hints[0][0] <= 732


@pytest.mark.parametrize("pause", [1, 20, 90, 300])
def test_five_wrong_answers_in_a_row_make_a_hint_of_their_own_kind_however_slow_they_come(pause: int) -> None:
    lesson = Lesson()
    for _ in range(4):
        lesson.fail(1)
        lesson.go(pause)
    assert lesson.hints == [] or pause < 12  # four that come one upon the other may be enough
    lesson.fail(1)
    lesson.go(15)
    assert lesson.cues == [Cue.EXERCISE]


def test_a_plea_and_an_exercise_that_goes_badly_come_together() -> None:
    lesson = Lesson()
    lesson.fail(3)
    lesson.go(15)
    lesson.plead(1)
    lesson.go(60)
    assert len(lesson.hints) == 1


def test_the_button_and_a_plea_make_no_second_card_at_once() -> None:
    lesson = Lesson()
    lesson.ears.pressed(lesson.now)
    lesson.plead(1)
    lesson.go(59)
    assert lesson.hints == []


def test_the_button_alone_is_never_repeated_as_a_hint() -> None:
    lesson = Lesson()
    for _ in range(5):
        lesson.ears.pressed(lesson.now)
        lesson.go(100)
    assert lesson.hints == []


def test_silence_alone_never_makes_a_hint() -> None:
    """Most answers are spoken: a teacher who asks in writing all the time must not be told each time."""
    lesson = Lesson()
    for _ in range(20):
        lesson.ears.said("teacher", "And this one?", lesson.now)
        lesson.go(100)
    assert lesson.hints == []


def test_no_hint_in_the_first_two_minutes_and_one_in_five_at_most() -> None:
    lesson = Lesson(begun=0)
    for _ in range(90):
        lesson.plead()
        lesson.go(10)
    seconds = [second for second, _ in lesson.hints]
    assert seconds[0] >= 120
    assert all(later - earlier >= 300 for earlier, later in pairwise(seconds))
    assert len(seconds) == 3
    assert len({hint.advice for _, hint in lesson.hints}) == 3


def test_what_was_heard_fades() -> None:
    lesson = Lesson()
    lesson.plead(1)
    lesson.go(180)
    lesson.plead(1)
    lesson.go(60)
    assert lesson.hints == []
    lesson.go(600)
    assert lesson.ears.recent(lesson.now) == []


def test_nothing_is_due_before_both_were_there() -> None:
    ears = Listening(RULES)
    for second in range(1000):
        ears.said("student", PLEA, START + second)
        assert ears.due(START + second, hint_id="hint") is None


def test_what_was_heard_before_hints_were_turned_off_does_not_count_afterwards() -> None:
    lesson = Lesson()
    lesson.plead(3)
    lesson.fail(2)
    lesson.ears.forget()
    lesson.fail(1)
    lesson.go(60)
    assert lesson.hints == []


def test_not_helpful_makes_the_ears_more_careful() -> None:
    lesson = Lesson()
    lesson.fail(4)
    lesson.go(20)
    lesson.ears.answered(lesson.hints[0][1].id, helpful=False)
    lesson.go(600)
    lesson.ears.solved(Exercise.RIGHT_ANSWER, "right", lesson.now)
    lesson.fail(4)
    lesson.go(60)
    assert len(lesson.hints) == 1
    lesson.fail(4)
    lesson.go(60)
    assert len(lesson.hints) == 2


# --- with the watch --------------------------------------------------------------------------------------------------


def test_five_minutes_hold_from_the_watch_to_the_ears() -> None:
    lesson = Lesson()
    lesson.ears.take_back(HintState(started=START, last=Shown("seen", lesson.now, answered=True)))
    lesson.plead(3)
    lesson.go(100)
    assert lesson.hints == []
    lesson.go(180)
    lesson.plead(3)
    lesson.go(60)
    assert len(lesson.hints) == 1


def test_five_minutes_hold_from_the_ears_to_the_watch() -> None:
    lesson = Lesson()
    lesson.plead()
    lesson.go(20)
    last = lesson.ears.hand_over(lesson.now).last
    assert last is not None
    assert last.id == lesson.hints[0][1].id


def test_the_first_watch_has_first_minutes_of_its_own_and_the_next_goes_on_with_them() -> None:
    lesson = Lesson()
    given = lesson.ears.hand_over(lesson.now)
    assert given.started == lesson.now
    lesson.ears.take_back(given)
    lesson.go(50)
    assert lesson.ears.hand_over(lesson.now).started == given.started


def test_a_watch_that_begins_hears_what_still_counts() -> None:
    lesson = Lesson()
    lesson.plead(1)
    lesson.go(30)
    assert lesson.ears.recent(lesson.now) == [Heard(Cue.CHAT, lesson.now - 30)]


# --- what docs/protocol.md promises of the settings as they come -----------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "cues", "told"),
    [
        (0, ["plea"], False),
        (40, ["plea", "plea"], True),
        (90, ["plea", "plea"], False),
        (50, ["plea", Exercise.LONG_PAUSE], True),
        (60, [Exercise.WRONG_ANSWER] * 5, True),
        (60, [Exercise.WRONG_ANSWER] * 4, False),
    ],
)
def test_the_cues_that_come_together_as_the_protocol_says_make_a_hint(
    seconds: int, cues: list[str], told: bool
) -> None:
    settings = Settings()
    lesson = Lesson(ListeningRules(strain_rules(settings), hint_rules(settings), settings.chat_silence_seconds))
    for number, cue in enumerate(cues):
        lesson.go(seconds if number else 0)
        if cue == "plea":
            lesson.plead(1)
        else:
            lesson.ears.solved(Exercise(cue), f"event-{number:03}", lesson.now)
    lesson.go(30)
    assert len(lesson.hints) == told
