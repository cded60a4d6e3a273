"""From packets to frames, on a virtual clock."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from lessonroom.media.guard.assembly import CAPACITY, PATIENCE, REPEAT_KEY, Assembly, EncodedFrame, Piece


def frame_of(number: int, *, packets: int = 1, key: bool = False, first: int) -> list[Piece]:
    """The packets of frame ``number``, the first with sequence number ``first``."""
    return [
        Piece(
            sequence=(first + i) % 0x10000,
            timestamp=number * 18_000,
            marker=i == packets - 1,
            key_start=key and i == 0,
            data=f"{number}.{i};".encode(),
        )
        for i in range(packets)
    ]


def stream(frames: int, *, keys: set[int] = frozenset({0}), first: int = 100) -> list[list[Piece]]:  # type: ignore[assignment]
    """Frames of one packet, keyframes of three."""
    made: list[list[Piece]] = []
    for number in range(frames):
        packets = 3 if number in keys else 1
        made.append(frame_of(number, packets=packets, key=number in keys, first=first))
        first += packets
    return made


def feed(assembly: Assembly, pieces: list[Piece], now: float = 0.0) -> list[EncodedFrame]:
    return [frame for piece in pieces for frame in assembly.add(piece, now).frames]


def numbers(frames: list[EncodedFrame]) -> list[int]:
    return [frame.timestamp // 18_000 for frame in frames]


def test_a_frame_comes_out_with_its_last_packet_and_not_with_the_next_frame() -> None:
    assembly = Assembly()
    key, delta = stream(2)
    assert feed(assembly, key[:-1]) == []
    (frame,) = feed(assembly, key[-1:], now=3.0)
    assert frame == EncodedFrame(b"0.0;0.1;0.2;", 0, key=True, at=3.0)
    assert numbers(feed(assembly, delta)) == [1]


def test_a_sender_without_markers_is_understood_by_its_timestamps() -> None:
    assembly = Assembly()
    pieces = [Piece(p.sequence, p.timestamp, False, p.key_start, p.data) for f in stream(3) for p in f]
    assert numbers(feed(assembly, pieces)) == [0, 1]


def test_packets_out_of_order_and_twice_make_the_same_frames() -> None:
    assembly = Assembly()
    pieces = [piece for frame in stream(40) for piece in frame]
    mixed = pieces[:3]
    for i in range(3, len(pieces) - 4, 4):
        mixed += random.Random(i).sample(pieces[i : i + 4], 4)
        mixed.append(mixed[-2])
    assert numbers(feed(assembly, mixed)) == list(range(len(mixed[3:]) // 5 * 4 + 1))


def test_a_keyframe_whose_delimiter_has_a_packet_of_its_own_is_a_keyframe() -> None:
    """Told otherwise, a sender that answers requests for keyframes would be taken for a deaf one."""
    assembly = Assembly()
    feed(assembly, frame_of(0, packets=2, key=True, first=100))
    delimiter, *rest = frame_of(1, packets=3, first=102)
    rest[0].key_start = True
    (frame,) = feed(assembly, [delimiter, *rest])
    assert frame == EncodedFrame(b"1.0;1.1;1.2;", 18_000, key=True, at=0.0)


def test_all_frames_that_waited_for_a_packet_come_at_once_when_it_does() -> None:
    """aiortc gives out one frame per packet, so that the delay stays for the rest of the lesson."""
    assembly = Assembly()
    frames = stream(5)
    feed(assembly, frames[0])
    assert [feed(assembly, frame) for frame in frames[2:]] == [[], [], []]
    assert numbers(feed(assembly, frames[1])) == [1, 2, 3, 4]


def test_a_missing_packet_is_asked_for_at_once_and_again() -> None:
    assembly = Assembly()
    frames = stream(6)
    feed(assembly, frames[0])
    assert assembly.add(frames[2][0], 1.0).missing == [103]
    assert assembly.add(frames[3][0], 1.05).missing == []
    assert assembly.add(frames[5][0], 1.2).missing == [103, 106]


def test_a_packet_lost_for_good_leads_to_a_keyframe_and_no_smeared_frame_comes_out() -> None:
    assembly = Assembly()
    frames = stream(20, keys={0, 12})
    feed(assembly, frames[0])
    asked = [n for n in range(2, 12) if assembly.add(frames[n][0], n * 0.2).ask_key]
    assert asked == [4, 9]
    assert asked[0] * 0.2 - 0.4 >= PATIENCE
    assert (asked[1] - asked[0]) * 0.2 >= REPEAT_KEY
    assert numbers(feed(assembly, frames[12] + frames[13], now=2.4)) == [12, 13]
    assert assembly.dropped == 10
    assert not assembly.add(frames[14][0], 9.0).ask_key


def test_holes_that_are_filled_in_time_one_after_the_other_ask_for_no_keyframe() -> None:
    """Each one waits for less than PATIENCE, but there is always one: a lossy line whose round trip takes a while."""
    assembly, came = Assembly(), 0
    pieces = [piece for frame in stream(200) for piece in frame]
    late = {n: piece for n, piece in enumerate(pieces) if n > 3 and n % 3 == 0}
    holes = 0
    for n, piece in enumerate(pieces):
        arrived = [late[n - 6]] if n - 6 in late else []
        for each in [*arrived, *([] if n in late else [piece])]:
            outcome = assembly.add(each, n / 20)
            assert not outcome.ask_key
            came += len(outcome.frames)
        holes += assembly._has_hole()
    assert came > 190
    assert holes > 190


def test_a_decoder_that_fails_at_every_keyframe_asks_no_more_often_than_one_that_gets_none() -> None:
    """Each keyframe closes the hole for a moment, which must not make the next request come sooner."""
    assembly, asked, answered, sequence = Assembly(), [], True, 100
    for number in range(20 * 30):
        now = number / 30
        frame = frame_of(number, key=not answered, first=sequence)
        answered, sequence = True, sequence + 1
        outcome = assembly.add(frame[0], now)
        if outcome.frames:
            assembly.lose()
        if outcome.ask_key:
            asked.append(now)
            answered = False
    assert len(asked) > 10
    assert min(later - earlier for earlier, later in pairwise(asked)) >= REPEAT_KEY


def test_a_stream_joined_in_the_middle_waits_for_a_keyframe() -> None:
    assembly = Assembly()
    frames = stream(9, keys={7})
    outcomes = [assembly.add(piece, 0.2 * n) for n, frame in enumerate(frames[:7]) for piece in frame]
    assert not any(outcome.frames for outcome in outcomes)
    assert any(outcome.ask_key for outcome in outcomes)
    assert numbers(feed(assembly, frames[7] + frames[8])) == [7, 8]


def test_a_decoder_that_lost_the_thread_gets_a_keyframe_next() -> None:
    assembly = Assembly()
    frames = stream(6, keys={0, 4})
    feed(assembly, frames[0])
    assembly.lose()
    assert numbers(feed(assembly, [p for frame in frames[1:] for p in frame])) == [4, 5]


@pytest.mark.parametrize("first", [0, 65_533, 65_535])
def test_sequence_numbers_wrap_around(first: int) -> None:
    assembly = Assembly()
    pieces = [piece for frame in stream(10, first=first) for piece in frame]
    assert numbers(feed(assembly, pieces)) == list(range(10))


def test_padding_packets_take_a_number_and_nothing_else() -> None:
    assembly = Assembly()
    first, second = stream(1)[0], frame_of(1, first=104)
    padding = Piece(103, first[0].timestamp, False, False, b"")
    assert numbers(feed(assembly, [*first, padding, *second])) == [0, 1]


def test_a_stream_that_begins_anew_is_followed() -> None:
    assembly = Assembly()
    feed(assembly, [p for frame in stream(5, first=30_000) for p in frame])
    assert numbers(feed(assembly, [p for frame in stream(3, first=7) for p in frame])) == [0, 1, 2]


def test_packets_that_never_make_a_frame_do_not_pile_up() -> None:
    assembly = Assembly()
    for number in range(20_000):
        assembly.add(Piece(number % 0x10000, number, False, False, b"x" * 10), number / 1000)
        assert len(assembly._pieces) <= CAPACITY
    assert assembly.dropped > 19_000


def test_no_order_of_packets_breaks_it() -> None:
    """Ten thousand packets with numbers, times and marks at random: bounded, and each frame in one piece."""
    chance = random.Random(7)
    assembly = Assembly()
    for i in range(10_000):
        piece = Piece(chance.choice([i % 0x10000, chance.randrange(0x10000)]), i // 3, chance.random() < 0.3,
                      chance.random() < 0.1, bytes(chance.randrange(4)))  # fmt: skip
        outcome = assembly.add(piece, i / 100)
        assert len(outcome.missing) <= 64
        assert all(0 <= number < 0x10000 for number in outcome.missing)
        assert len(assembly._pieces) <= CAPACITY


def test_a_second_hole_is_asked_for_at_once_when_the_first_was_filled() -> None:
    assembly = Assembly()
    frames = stream(6)
    feed(assembly, frames[0])
    assert assembly.add(frames[2][0], 1.0).missing == [103]
    assert assembly.add(frames[1][0], 1.01).missing == []
    assert assembly.add(frames[4][0], 1.02).missing == [105]
