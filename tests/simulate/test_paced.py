"""When frames of our tracks are due."""

from __future__ import annotations

import time
from typing import Any

import pytest
from aiortc.mediastreams import MediaStreamError
from av.packet import Packet

from lessonroom.simulate.paced import TICKS, PacedTrack


class Track(PacedTrack):
    async def recv(self) -> Packet[Any]:
        raise NotImplementedError


@pytest.mark.parametrize("leave_out", [True, False])
async def test_what_is_late_is_left_out_only_where_a_stream_can_do_without(leave_out: bool) -> None:
    track = Track(100, leave_out=leave_out)
    assert await track.due() == 0
    time.sleep(0.1)  # a machine that is busy
    assert (await track.due() >= 10) is leave_out


async def test_frames_do_not_come_before_they_are_due() -> None:
    track, began = Track(50), time.monotonic()
    assert [await track.due() for _ in range(6)] == list(range(6))
    assert time.monotonic() - began >= 0.1


async def test_a_track_that_has_ended_has_no_more_frames() -> None:
    track = Track(50)
    track.stop()
    with pytest.raises(MediaStreamError):
        await track.due()


def test_every_frame_gets_its_own_time_to_the_tick() -> None:
    """Cut off instead of rounded, the third of five a second would come a tick too soon."""
    track, made = Track(5), Packet(b"")
    times = []
    for number in range(1000):
        track.stamp(made, number)
        times.append(made.pts)
    assert times == [number * TICKS // 5 for number in range(1000)]
