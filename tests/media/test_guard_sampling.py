"""When only keyframes of a stream are decoded, on a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from lessonroom.media.guard.sampling import EVERY_PICTURE, KEY_SECONDS, PROBES, STALE, UNANSWERED, Sampling

LARGE, SMALL = 640 * 360, 320 * 240


@dataclass
class Reading:
    """A reader who takes each picture at once, unless told to be full."""

    interval: float = 1.0
    hungry: bool = True
    cleared: int = 0

    def clear(self) -> None:
        self.cleared += 1


@dataclass
class Stream:
    """A sender of ``rate`` frames a second whose keyframes come ``answer`` seconds after they were asked for."""

    pixels: int = LARGE
    rate: int = 30
    answer: float | None = 0.1
    every: float | None = None
    """Its own keyframes, every so many seconds."""
    reader: Reading = field(default_factory=Reading)
    sampling: Sampling = field(default_factory=Sampling)
    now: float = 100.0
    asked: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    decoded: int = 0
    waiting: list[float] = field(default_factory=list)

    def run(self, seconds: float) -> Stream:
        self.asked, self.keys, self.decoded = [], [], 0
        for _ in range(round(seconds * self.rate)):
            self.now += 1 / self.rate
            key = any(self.answer is not None and self.now - at >= self.answer for at in self.waiting)
            key = key or bool(self.every and self.now % self.every < 1 / self.rate)
            if key:
                self.waiting.clear()
                self.keys.append(self.now)
                self.sampling.key_came(self.now)
            if key or not self.sampling.keys_only:
                self.decoded += 1
            if not self.sampling.keys_only:
                self.sampling.decoded(self.pixels, self.now, self.reader.interval)
            if self.sampling.key_due(self.now, self.reader):
                self.asked.append(self.now)
                self.waiting.append(self.now)
        return self


def test_a_dear_stream_is_sampled_by_keyframes_once_its_sender_has_shown_that_it_answers() -> None:
    stream = Stream().run(8)
    assert stream.sampling.keys_only
    stream.run(20)
    assert stream.decoded == len(stream.keys) == pytest.approx(20, abs=1)


def test_nothing_is_left_out_before_the_sender_has_answered_every_probe() -> None:
    stream = Stream()
    while not stream.sampling.keys_only:
        stream.run(1 / 30)
        assert stream.decoded == 1
        assert stream.now < 110
    assert stream.now > 102 + (PROBES - 1) * KEY_SECONDS


@pytest.mark.parametrize(("pixels", "rate", "interval"), [(SMALL, 5, 1.0), (SMALL, 15, 1.0), (LARGE, 30, 0.2)])
def test_cheap_streams_and_eager_readers_get_everything(pixels: int, rate: int, interval: float) -> None:
    stream = Stream(pixels, rate, reader=Reading(interval)).run(60)
    assert (stream.asked, stream.decoded) == ([], 60 * rate)


def test_a_reader_who_does_not_say_how_much_it_wants_gets_everything() -> None:
    stream = Stream(reader=EVERY_PICTURE)  # type: ignore[arg-type]
    assert stream.run(20).decoded == 600


@pytest.mark.parametrize(("answer", "every"), [(None, None), (None, 3.0), (None, 10.0), (0.9, None)])
def test_a_sender_that_does_not_answer_soon_is_decoded_whole_and_left_alone(
    answer: float | None, every: float | None
) -> None:
    """Many WHIP clients send keyframes at their own intervals, whatever they are asked."""
    stream = Stream(answer=answer, every=every).run(120)
    stream.run(30)
    assert not stream.sampling.keys_only
    assert (stream.asked, stream.decoded) == ([], 900)


@pytest.mark.parametrize(("every", "interval"), [(1.0, 1.0), (2.0, 1.0), (2.0, 4.0), (0.9, 0.5), (8.0, 4.0)])
def test_a_deaf_senders_own_keyframes_are_enough_when_they_come_about_as_often_as_pictures_are_wanted(
    every: float, interval: float
) -> None:
    """All of it would be decoded otherwise, fifteen times as much and more."""
    stream = Stream(answer=None, every=every, reader=Reading(interval)).run(120)
    stream.run(80)
    assert stream.sampling.keys_only
    assert stream.decoded == len(stream.keys) == pytest.approx(80 / every, abs=1)


def test_a_sender_whose_own_keyframes_are_as_frequent_as_that_is_asked_for_none() -> None:
    """OBS makes one a second, if it is told to; whether it would answer need not be known."""
    stream = Stream(every=1.0)
    stream.run(60)
    assert stream.sampling.keys_only
    assert stream.asked == []


def test_a_sender_that_answers_is_asked_rather_than_seen_half_as_often() -> None:
    stream = Stream(every=2.0, reader=Reading(0.1)).run(20)
    stream.reader.interval = 1.0
    stream.run(20)
    assert stream.sampling.keys_only
    assert len(stream.run(20).keys) == pytest.approx(20, abs=1)


def test_a_sender_that_answers_is_asked_once_its_own_keyframes_come_no_more() -> None:
    stream = Stream(every=1.0).run(20)
    stream.every = None
    stream.run(20)
    assert len(stream.run(20).keys) == pytest.approx(20, abs=1)


def test_own_keyframes_must_come_so_often_again_and_again() -> None:
    stream = Stream(answer=None, every=20.0).run(40)
    for wait in (2.0, 2.0, 3.0, 2.0, 2.0):
        stream.run(wait)
        stream.sampling.key_came(stream.now)
        assert not stream.sampling.keys_only
    stream.run(1.9)
    stream.sampling.key_came(stream.now)
    assert stream.sampling.keys_only


def test_keyframes_that_are_asked_for_since_something_was_lost_are_not_the_senders_own() -> None:
    """On a poor line they come often; with the loss they end, and the picture would stand still."""
    stream = Stream(answer=0.9).run(60)
    assert stream.sampling._deaf
    for _ in range(6):
        stream.run(1.0)
        stream.sampling.mending = True
        stream.waiting.append(stream.now)
        stream.run(1.0)
        assert stream.keys
    assert not stream.sampling.keys_only


@pytest.mark.parametrize("change", ["the sender makes fewer", "the reader wants more", "the reader wants every one"])
def test_own_keyframes_that_are_not_enough_any_more_are_not_relied_on(change: str) -> None:
    stream = Stream(answer=None, every=2.0, reader=Reading(1.5)).run(60)
    assert stream.sampling.keys_only
    if change == "the sender makes fewer":
        stream.every = 10.0
    else:
        stream.reader.interval = 0.6 if change == "the reader wants more" else 0.0
    assert len(stream.run(10).asked) == 1
    assert not stream.sampling.keys_only
    assert stream.run(30).decoded == 900


def test_own_keyframes_that_are_lost_are_not_asked_for_of_a_deaf_sender() -> None:
    stream = Stream(answer=None, every=2.0).run(61)
    for _ in range(5):
        stream.sampling.key_lost(stream.now)
        assert stream.run(2.0).asked == []
    assert stream.sampling.keys_only


def test_an_own_keyframe_that_nobody_took_soon_is_forgotten() -> None:
    stream = Stream(answer=None, every=2.0).run(60)
    stream.reader.hungry, stream.reader.cleared = False, 0
    stream.run(4.0)
    assert stream.reader.cleared > 0


def test_keyframes_are_asked_for_so_early_that_they_come_when_they_are_wanted() -> None:
    stream = Stream(answer=0.4).run(40)
    stream.run(20)
    waits = [later - earlier for earlier, later in zip(stream.keys, stream.keys[1:], strict=False)]
    assert waits == pytest.approx([1.0] * len(waits), abs=0.1)


@pytest.mark.parametrize(("interval", "expected"), [(0.5, 20), (1.0, 20), (4.0, 5)])
def test_keyframes_are_asked_for_as_often_as_pictures_are_wanted_but_no_more_than_once_a_second(
    interval: float, expected: int
) -> None:
    stream = Stream(reader=Reading(interval)).run(10)
    assert len(stream.run(20).asked) == pytest.approx(expected, abs=1)


def test_nothing_is_asked_for_while_nobody_takes_pictures_and_the_old_one_is_forgotten() -> None:
    stream = Stream().run(10)
    stream.reader.hungry = False
    stream.run(1)
    assert stream.run(30).asked == []
    assert stream.reader.cleared > 0
    assert stream.now - stream.sampling._key_at > STALE


def test_a_sender_that_falls_silent_to_requests_is_decoded_whole_again() -> None:
    stream = Stream().run(10)
    assert stream.sampling.keys_only
    stream.answer = None
    stream.run(5 * UNANSWERED)
    assert not stream.sampling.keys_only
    assert stream.asked[-1] < stream.now


def test_a_reader_who_becomes_eager_gets_everything_again() -> None:
    stream = Stream().run(10)
    stream.reader.interval = 0.1
    stream.run(2)
    assert not stream.sampling.keys_only
    assert len(stream.asked) == 1


def test_a_keyframe_that_was_lost_is_asked_for_again_at_once() -> None:
    stream = Stream().run(10)
    while stream.sampling._asked_at is None:
        stream.run(1 / 30)
    stream.sampling.key_lost(stream.now)
    assert stream.sampling.key_due(stream.now, stream.reader)


def test_keyframes_that_can_never_be_decoded_are_not_asked_for_in_a_storm() -> None:
    """A client may go on with a picture larger than we decode. Each keyframe of it fails as soon as it has come: asked
    for at once every time, they would come one round trip after the other, and take all of the client's uplink.
    """
    stream = Stream(answer=0.05).run(10)
    asked = 0
    for _ in range(10 * stream.rate):
        stream.run(1 / stream.rate)
        asked += len(stream.asked)
        if stream.keys:
            stream.sampling.key_lost(stream.now)
    assert stream.sampling.keys_only
    assert asked <= 10 / KEY_SECONDS + 2
