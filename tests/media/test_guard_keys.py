"""Only keyframes are put together, on a virtual clock."""

from __future__ import annotations

import random

import pytest

from lessonroom.media.guard.assembly import CAPACITY, REPEAT_NACK, EncodedFrame, Outcome, Piece
from lessonroom.media.guard.keys import EARLY, GIVE_UP, Keyframes

FIRST = 65_520
"""The streams of these tests wrap around at 2^16."""


def stream(frames: int, *, keys: set[int], packets: int = 4) -> list[Piece]:
    """Frames of so many packets each."""
    return [
        Piece(
            (FIRST + number * packets + at) % 0x10000,
            number * 3000,
            at == packets - 1,
            at == 0 and number in keys,
            f"{number}.{at};".encode(),
        )
        for number in range(frames)
        for at in range(packets)
    ]


def feed(keyframes: Keyframes, pieces: list[Piece], now: float = 0.0, step: float = 0.0) -> list[Outcome]:
    return [keyframes.add(piece, now + step * number) for number, piece in enumerate(pieces)]


def frames(outcomes: list[Outcome]) -> list[EncodedFrame]:
    return [frame for outcome in outcomes for frame in outcome.frames]


def test_keyframes_come_out_and_nothing_else_does() -> None:
    made = frames(feed(Keyframes(), stream(30, keys={3, 20}), now=2.0))
    assert made == [
        EncodedFrame(b"3.0;3.1;3.2;3.3;", 9000, key=True, at=2.0),
        EncodedFrame(b"20.0;20.1;20.2;20.3;", 60_000, key=True, at=2.0),
    ]


def test_packets_out_of_order_and_twice_make_the_same_keyframes() -> None:
    pieces = stream(40, keys={5, 12, 30})
    mixed = []
    for at in range(0, len(pieces), 4):
        mixed += random.Random(at).sample(pieces[at : at + 4], 4)
        mixed.append(mixed[-2])
    assert [frame.timestamp // 3000 for frame in frames(feed(Keyframes(), mixed))] == [5, 12, 30]


def test_a_sender_without_markers_is_understood_by_its_timestamps() -> None:
    pieces = [Piece(p.sequence, p.timestamp, False, p.key_start, p.data) for p in stream(6, keys={2})]
    (frame,) = frames(feed(Keyframes(), pieces))
    assert frame.data == b"2.0;2.1;2.2;2.3;"


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_what_is_missing_of_a_keyframe_is_asked_for_again_and_only_that(lost: int) -> None:
    keyframes, pieces = Keyframes(), stream(7, keys={2})
    gone = pieces.pop(2 * 4 + lost)
    del pieces[20]
    outcomes = feed(keyframes, pieces, step=REPEAT_NACK / 8)
    asked = [outcome.missing for outcome in outcomes if outcome.missing]
    assert asked
    assert all(missing == [gone.sequence] for missing in asked)
    (frame,) = frames(feed(keyframes, [gone], now=REPEAT_NACK * 3))
    assert frame.data == b"2.0;2.1;2.2;2.3;"


def test_a_keyframe_that_does_not_become_whole_is_given_up_and_another_one_asked_for_once() -> None:
    keyframes, pieces = Keyframes(), stream(40, keys={2, 30})
    del pieces[2 * 4 + 1]
    outcomes = feed(keyframes, pieces, step=GIVE_UP / 20)
    assert sum(outcome.ask_key for outcome in outcomes) == 1
    assert [frame.timestamp // 3000 for frame in frames(outcomes)] == [30]
    assert keyframes.dropped == 3


def test_a_newer_keyframe_takes_the_place_of_a_broken_one() -> None:
    pieces = stream(8, keys={2, 4})
    del pieces[2 * 4 + 1]
    assert [frame.timestamp // 3000 for frame in frames(feed(Keyframes(), pieces))] == [4]


def test_a_keyframe_that_begins_when_a_broken_one_is_given_up_is_not_lost_with_it() -> None:
    keyframes, pieces = Keyframes(), stream(4, keys={0, 3})
    feed(keyframes, pieces[:2])
    outcomes = feed(keyframes, pieces[12:], now=2 * GIVE_UP)
    assert [frame.timestamp // 3000 for frame in frames(outcomes)] == [3]
    assert not any(outcome.ask_key for outcome in outcomes)


def test_the_late_first_packet_of_an_older_keyframe_does_not_take_the_place_of_a_newer_one() -> None:
    pieces = stream(4, keys={1, 3})
    late = pieces.pop(4)
    pieces.insert(-2, late)
    assert [frame.timestamp // 3000 for frame in frames(feed(Keyframes(), pieces))] == [3]


def test_parameters_that_come_after_their_picture_are_put_before_it() -> None:
    """Both begin a keyframe: in H.264 they may be packets of their own."""
    parameters, *picture = stream(1, keys={0})
    picture[0].key_start = True
    (frame,) = frames(feed(Keyframes(), [*picture[:2], parameters, picture[2]]))
    assert frame.data == b"0.0;0.1;0.2;0.3;"


def test_a_stream_that_begins_anew_is_followed() -> None:
    keyframes = Keyframes()
    feed(keyframes, stream(3, keys={1}))
    again = [Piece(p.sequence - 40_000, p.timestamp, p.marker, p.key_start, p.data) for p in stream(3, keys={1})[:12]]
    again = [Piece(p.sequence % 0x10000, p.timestamp, p.marker, p.key_start, p.data) for p in again]
    assert len(frames(feed(keyframes, again))) == 1


def test_nothing_grows() -> None:
    """A keyframe of endless packets, and packets that belong to nothing."""
    keyframes = Keyframes()
    for number in range(3 * CAPACITY):
        keyframes.add(Piece(number, 7, False, number == 0, b"x"), 0.0)
        assert len(keyframes._pieces) <= CAPACITY + 1
    for number in range(3 * CAPACITY):
        keyframes.add(Piece(number, number, False, False, b"x"), 0.0)
    assert len(keyframes._early) <= EARLY
