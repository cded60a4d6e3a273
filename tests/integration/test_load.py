"""500 lessons and 1,000 messages a second on real sockets: nothing is lost or doubled, and memory stays as it is.

How fast it is depends on the machine and is not asserted; ``lessonroom bench rooms --rate`` says it.
"""

from __future__ import annotations

import os

import pytest

from lessonroom.bench import talk

LATE = pytest.mark.long


@pytest.mark.parametrize("seconds", [30, pytest.param(600, marks=LATE)])
@pytest.mark.timeout(1200)
def test_under_load_nothing_is_lost_or_doubled_and_memory_does_not_grow(seconds: float) -> None:
    figures = talk.run(os.environ, talk.Load(rooms=500, rate=1000, seconds=seconds))
    print(figures)
    assert figures["failed"] == []
    assert figures["sent"] == figures["stored"] + figures["refused"]
    # a slow machine with others on it says less than it was asked for
    assert figures["sent"] > 100 * seconds, "the clients could not say enough to call it a load"
