"""The bench of receiving: what it reports, not how fast it is."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from lessonroom.bench import receive
from lessonroom.bench.against import compare
from lessonroom.bench.sending import BITRATE, RATE, Footage, LiveTrack
from lessonroom.simulate.sources import SHIPPED_CLIP


def test_both_streams_are_received_by_both_and_put_beside_the_decoder_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "STREAMS", {"shaped": 2, "foreign": 1})
    monkeypatch.setattr(receive, "SETTLE_SECONDS", 0.5)
    figures = receive.run(SHIPPED_CLIP, seconds=2.0)
    assert json.loads(json.dumps(figures)) == figures
    for name, rate in (("shaped", 5), ("foreign", RATE)):
        row = figures["receive"][name]
        # a busy machine sends some of them late, but not so few that it was the other stream
        assert row["pictures_per_second"]["stock"] == pytest.approx(rate, rel=0.6)
        assert 0 < row["pictures_per_second"]["ours"] <= 1.5
        assert 0 < row["libav_percent"] < row["stock_percent"]
    assert set(figures["costs"]) == {"shaped_percent", "foreign_percent"}
    assert not compare(figures, figures).regressions
    page = io.StringIO()
    receive.show(figures, Console(file=page, width=120))
    assert "libav" in page.getvalue()


async def test_a_foreign_client_answers_a_request_for_a_keyframe_and_sends_none_otherwise() -> None:
    """Else nothing would be measured of what asking for them saves."""
    footage = Footage.foreign(SHIPPED_CLIP)
    assert sum(map(len, footage.frames)) * 8 / (len(footage.frames) / RATE) == pytest.approx(BITRATE, rel=0.3)
    track = footage.track()
    assert isinstance(track, LiveTrack)
    frames = [await track.recv()]
    track.ask_key()
    frames += [await track.recv() for _ in range(3)]
    # RFC 6386 section 9.1: the lowest bit of a keyframe is 0
    assert [bytes(frame)[0] & 1 for frame in frames] == [0, 0, 1, 1]
    track.stop()
