"""Who is looked at next and how often, on a virtual clock."""

from __future__ import annotations

import heapq
import itertools
import statistics
from collections import Counter

import pytest

from lessonroom.media import schedule
from lessonroom.media.schedule import EARLIER, TARGET, Beat, Line, Rhythm, Trend, Turn


def turn(item: str, asked: float, *, rising: bool = False, deadline: float = 2.0) -> Turn[str]:
    return Turn(item, asked, asked + deadline, rising)


def line(*turns: Turn[str]) -> Line[str]:
    made: Line[str] = Line()
    for each in turns:
        made.put(each)
    return made


def test_who_asked_first_goes_first() -> None:
    waiting = line(turn("b", 1.0), turn("a", 0.5), turn("c", 1.5))
    assert [waiting.take(2.0) for _ in range(4)] == [["a"], ["b"], ["c"], []]


def test_a_lesson_whose_strain_rises_goes_before_others_but_not_before_those_who_waited_long() -> None:
    waiting = line(turn("long", 0.0), turn("other", EARLIER), turn("rising", EARLIER + 0.1, rising=True))
    assert [waiting.take(0.5) for _ in range(3)] == [["long"], ["rising"], ["other"]]


def test_what_would_be_answered_too_late_is_dropped() -> None:
    waiting = line(turn("late", 0.0), turn("just", 0.5), turn("soon", 1.0))
    waiting.took(0.6, 1)
    assert waiting.take(1.95) == ["soon"]
    assert len(waiting) == 0


def test_one_slow_look_is_not_the_last() -> None:
    """How long a look takes is known from looks alone."""
    waiting: Line[str] = Line()
    waiting.took(2.1, 1)
    waiting.put(turn("old", 0.0))
    waiting.put(turn("new", 0.1))
    assert waiting.take(0.2) == ["new"]
    assert len(waiting) == 0
    waiting.took(0.005, 1)
    waiting.put(turn("a", 1.0))
    waiting.put(turn("b", 1.0))
    assert [waiting.take(1.1), waiting.take(1.1)] == [["a"], ["b"]]
    waiting.put(turn("over", 0.0))
    assert waiting.take(2.0) == []


def test_who_left_is_not_looked_at() -> None:
    waiting = line(turn("a", 0.0), turn("b", 0.1))
    waiting.remove("a")
    waiting.remove("nobody")
    assert waiting.take(0.2) == ["b"]


@pytest.mark.parametrize(
    ("most", "each", "waited", "together"),
    [
        (1, 0.001, 0.0, 1), (16, 0.004, 0.0, 16), (16, 0.02, 0.0, 7), (16, 0.02, 0.1, 2), (16, 0.2, 0.0, 1),
        (16, 0.2, TARGET, 16),
    ],
    ids=["no gain", "quick", "slow", "slow and somebody waited", "very slow", "late anyway"],
)  # fmt: skip
def test_so_many_go_together_as_are_answered_in_time(most: int, each: float, waited: float, together: int) -> None:
    """Once somebody has waited for longer than that, what counts is how many get through."""
    waiting = line(*(turn(str(number), 0.0) for number in range(20)))
    for _ in range(100):
        waiting.took(each * 4, 4)
    assert len(waiting.take(waited, most)) == together


def told(beat: Beat, seconds: float, took: float, *, answered: bool = True, since: float = 0.0) -> list[float]:
    shares = []
    for number in range(int(seconds * 10)):
        beat.heard(since + number / 10, took, answered=answered)
        shares.append(beat.share)
    return shares


def test_a_quick_machine_keeps_the_highest_rate() -> None:
    beat = Beat()
    assert set(told(beat, 60, 0.01)) == {1.0}
    assert beat.rate(0.5, 2.0) == 2.0


def test_slow_or_missing_answers_lower_the_rate_to_the_least_and_no_further() -> None:
    for took, answered in ((0.3, True), (0.001, False)):
        beat = Beat(least=0.25)
        told(beat, 30, took, answered=answered)
        assert beat.rate(0.5, 2.0) == 0.5
        assert beat.share == 0.25


def test_one_slow_look_among_many_is_no_load() -> None:
    beat = Beat()
    for number in range(600):
        beat.heard(number / 20, 0.5 if number % 20 == 0 else 0.01, answered=True)
    assert beat.share == 1.0


def test_many_lessons_lower_the_rate_once_and_not_each() -> None:
    """Sixty lessons say so in the same second; it is one load."""
    beat = Beat()
    for number in range(300):
        beat.heard(number / 60, 0.5, answered=True)
    assert beat.share >= schedule.DOWN**5


def test_it_comes_back_in_small_steps() -> None:
    beat = Beat()
    told(beat, 5, 1.0)
    low = beat.share
    shares = told(beat, 30, 0.01, since=5.0)
    assert shares == sorted(shares)
    assert shares[15] <= low + 2 * schedule.UP
    assert shares[-1] == 1.0


def test_in_between_it_stays() -> None:
    beat = Beat()
    told(beat, 5, 1.0)
    assert len(set(told(beat, 10, TARGET * 0.7, since=6.0)[15:])) == 1


def test_a_lesson_whose_strain_rises_keeps_its_rate_longer() -> None:
    beat = Beat()
    told(beat, 12, 1.0)
    assert beat.share < 0.5
    assert beat.rate(0.1, 2.0, rising=True) == pytest.approx(2 * beat.rate(0.1, 2.0))
    assert beat.rate(0.1, 2.0, rising=True) <= 2.0


def test_a_least_above_the_most_counts_as_the_most() -> None:
    assert Beat().rate(5.0, 2.0) == 2.0


def test_lessons_are_spread_between_two_looks_however_many_there_are() -> None:
    beat = Beat()
    places = [beat.join() for _ in range(64)]
    for count in (2, 5, 8, 33, 64):
        near = sorted(places[:count])
        gaps = [b - a for a, b in zip(near, [*near[1:], near[0] + 1], strict=True)]
        assert min(gaps) > 0.3 / count
        assert max(gaps) < 2.7 / count


@pytest.mark.parametrize("rate", [0.5, 1.0, 1.7])
def test_a_look_comes_once_in_each_interval_at_its_place(rate: float) -> None:
    asked, times = 1000.0, []
    for _ in range(10):
        asked = Beat.due(0.3, rate, asked, now=asked + 0.02)
        times.append(asked)
    assert [time * rate % 1.0 for time in times] == pytest.approx([0.3] * 10)
    assert [b - a for a, b in itertools.pairwise(times)] == pytest.approx([1 / rate] * 9)


def test_after_a_change_of_rate_a_look_comes_neither_at_once_nor_much_later() -> None:
    for place in (0.0, 0.2, 0.4, 0.6, 0.8):
        for asked in (100.0, 100.3, 100.7):
            wait = Beat.due(place, 1.3, asked, now=asked + 0.01) - asked
            assert 0.5 / 1.3 <= wait <= 1.5 / 1.3 + 1e-9


def test_a_backlog_leaves_no_crowd_behind() -> None:
    """All lessons asked within a tenth of an interval; after one more look each they are spread again."""
    places = [Beat().join()] + [0.37 * number % 1.0 for number in range(1, 50)]
    dues = sorted(Beat.due(place, 0.5, 10.0 + 0.004 * number, now=10.3) for number, place in enumerate(places))
    gaps = [b - a for a, b in itertools.pairwise(dues)]
    assert max(gaps) < 0.2


def test_strain_rises_while_it_does_and_for_a_while_after() -> None:
    trend, rising = Trend(), []
    for second in range(160):
        level = 0.1 if second < 30 else min(0.8, 0.1 + (second - 30) * 0.05)
        trend = trend.after(None if second == 35 else level, float(second))
        rising.append(trend.rising)
    assert not any(rising[:31])
    assert all(rising[36:60])
    assert not any(rising[150:])


def test_a_fall_is_no_rise() -> None:
    trend = Trend()
    for second in range(60):
        trend = trend.after(0.8 - second * 0.01, float(second))
        assert not trend.rising


def test_a_look_waits_for_the_frame_that_is_about_to_come_and_not_for_a_rare_one() -> None:
    rhythm = Rhythm().heard(10.0, 50).heard(11.0, 55)
    assert rhythm.spacing == pytest.approx(0.2)
    for due in (11.9, 12.0, 12.01, 12.15):
        wait = rhythm.after(due)
        assert due <= wait <= due + 0.2 + schedule.JITTER
        assert (wait - 11.0) % 0.2 == pytest.approx(schedule.JITTER, abs=1e-9)
    assert Rhythm().after(5.0) == 5.0
    assert Rhythm().heard(10.0, 50).heard(11.0, 51).after(12.3) == 12.3


class Machine:
    """Lessons on one thread that takes ``each`` seconds a look, as Vision runs them; ``sick``: not before that time."""

    def __init__(self, lessons: int, each: float, *, rising: int = 0, most: int = 1, rate: float = 1.0) -> None:
        self.line: Line[int] = Line()
        self.most = most
        self.beat = Beat(least=0.25)
        self.each = each
        self.rising = rising
        self.rate = rate
        self.ages: list[float] = []
        self.looks: Counter[int] = Counter()
        self.batches: list[int] = []
        self._places = [self.beat.join() for _ in range(lessons)]
        self._due = [(Beat.first(place, rate, 0.0), number) for number, place in enumerate(self._places)]
        heapq.heapify(self._due)
        self._asked: dict[int, float] = {}

    def run(self, seconds: float) -> None:
        now = 0.0
        while now < seconds:
            while self._due and self._due[0][0] <= now:
                asked, number = heapq.heappop(self._due)
                self._asked[number] = asked
                self.line.put(Turn(number, asked, asked + 2.0, number < self.rising))
            chosen = self.line.take(now, self.most)
            if not chosen:
                now = max(now + 1e-4, self._due[0][0] if self._due else seconds)
                self._give_up(now)
                continue
            took = self.each * (0.5 + 0.5 * len(chosen)) if len(chosen) > 1 else self.each
            now += took
            self.line.took(took, len(chosen))
            self.batches.append(len(chosen))
            for number in chosen:
                self._answer(number, now, answered=True)
            self._give_up(now)

    def _give_up(self, now: float) -> None:
        for number in [number for number, asked in self._asked.items() if now - asked >= 2.0]:
            self.line.remove(number)
            self._answer(number, now, answered=False)

    def _answer(self, number: int, now: float, *, answered: bool) -> None:
        asked = self._asked.pop(number)
        self.beat.heard(now, now - asked, answered=answered)
        if answered:
            self.ages.append(now - asked)
            self.looks[number] += 1
        rate = self.beat.rate(self.rate / 4, self.rate, rising=number < self.rising)
        heapq.heappush(self._due, (Beat.due(self._places[number], rate, asked, now), number))


def test_sixty_four_lessons_that_fit_are_all_answered_at_once_at_the_full_rate() -> None:
    machine = Machine(64, each=0.005)
    machine.run(60)
    assert machine.beat.share == 1.0
    assert statistics.quantiles(machine.ages, n=20)[-1] < 0.02
    assert set(machine.looks.values()) <= {59, 60, 61}


def test_twice_as_many_as_fit_settle_at_a_common_rate_and_none_starves() -> None:
    """At the full rate they would need 128 looks a second of a machine that does 66."""
    machine = Machine(128, each=0.015)
    machine.run(120)
    assert sum(machine.looks.values()) > 0.6 * 66 * 120
    assert min(machine.looks.values()) > 0.6 * max(machine.looks.values())
    assert statistics.quantiles(machine.ages[len(machine.ages) // 4 :], n=20)[-1] < 4 * TARGET


def test_under_load_lessons_whose_strain_rises_are_looked_at_more_often_and_sooner() -> None:
    machine = Machine(128, each=0.015, rising=8)
    machine.run(120)
    rising = [machine.looks[number] for number in range(8)]
    others = [machine.looks[number] for number in range(8, 128)]
    assert min(rising) > 1.3 * statistics.mean(others)


def test_where_batches_pay_they_grow_with_the_line_and_more_get_through() -> None:
    single, batched = Machine(128, each=0.015), Machine(128, each=0.015, most=16)
    single.run(60)
    batched.run(60)
    assert max(batched.batches) > 4
    assert sum(batched.looks.values()) > 1.3 * sum(single.looks.values())
