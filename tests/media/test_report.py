"""The page that ``analyse --html`` writes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from typing import ClassVar

from lessonroom.config import Settings
from lessonroom.media import hints
from lessonroom.media.analyse import Record, Tally
from lessonroom.media.report import page
from lessonroom.media.timeline import Stretch, draw, stretches
from lessonroom.media.types import Cue, Unseen, Watching
from lessonroom.media.words import ADVICE, CUES, UNSEEN, WATCHING, clock, lasting
from tests.media.sequences import Student, held


def records(student: Student, seconds: float) -> list[Record]:
    tally = Tally(Settings())
    clip: Record = {
        "type": "clip", "seconds": seconds, "width": 320, "height": 240, "samples_per_second": 2.0, "provider": "CPU",
    }  # fmt: skip
    found = [record for observation in student.observe(seconds) for record in tally.take_in(observation)]
    return [clip, *found, tally.summary()]


def away(at: float) -> Unseen | None:
    return Unseen.TURNED_AWAY if 60 <= at < 80 else None


def hinted() -> str:
    return page("a & <b>.webm", records(Student(1, mood=held("anger", 130), drop=away), 200), threshold=0.6)


def test_it_needs_nothing_from_anywhere() -> None:
    assert not re.search(r"https?:|//|url\(|@import|<script|<link|<img|src=", hinted().replace("<!doctype html>", ""))


def test_a_file_name_is_text_and_not_markup() -> None:
    assert "a &amp; &lt;b&gt;.webm" in hinted()
    assert "<b>.webm" not in hinted()


def test_hints_stand_with_words_and_time_and_never_with_a_number_for_the_person() -> None:
    text = hinted()
    assert CUES[Cue.FROWNING] in text
    assert ADVICE[hints.ADVICE[Cue.FROWNING][0]] in text
    assert re.search(r"<time>2:\d\d</time>", text)
    assert "turned away" in text


def test_tags_are_balanced() -> None:
    class Balance(HTMLParser):
        open: ClassVar[list[str]] = []

        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag not in {"meta", "br"}:
                self.open.append(tag)

        def handle_startendtag(self, tag: str, attrs: object) -> None: ...

        def handle_endtag(self, tag: str) -> None:
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(hinted())
    assert parser.open == []


def test_nobody_seen_is_said() -> None:
    text = page("x.webm", records(Student(1, drop=lambda _: Unseen.NO_FACE), 30), threshold=0.6)
    assert "Nobody was seen" in text
    assert "no face in the picture" in text


def test_the_drawing_is_one_well_formed_picture_with_a_title() -> None:
    root = ET.fromstring(draw(records(Student(1, mood=held("anger", 130), drop=away), 200), 200.0, 0.5, 0.6))
    assert root.tag == "svg"
    assert root.find("title") is not None
    assert len(root.findall("g[@class='hint']")) == 1
    assert root.findall("rect[@class='unseen']")
    assert root.findall("rect[@class='learning']")


def test_a_long_lesson_stays_a_small_page() -> None:
    assert len(page("x.webm", records(Student(1), 3600), threshold=0.6)) < 100_000


def test_equal_neighbours_are_one_stretch() -> None:
    moments = [(0.0, "a"), (0.5, "a"), (1.0, None), (1.5, "a"), (2.0, "b")]
    assert stretches(moments, 0.5) == [Stretch(0.0, 1.0, "a"), Stretch(1.5, 2.0, "a"), Stretch(2.0, 2.5, "b")]


def test_everything_that_can_come_has_a_word() -> None:
    assert set(CUES) == set(Cue)
    assert set(UNSEEN) == set(Unseen)
    assert set(WATCHING) == set(Watching)
    assert set(ADVICE) == {key for keys in hints.ADVICE.values() for key in keys}


def test_times_are_written_as_people_do() -> None:
    assert [clock(t) for t in (0, 62.4, 3661)] == ["0:00", "1:02", "1:01:01"]
    assert [lasting(t) for t in (0, 59, 60, 62)] == ["0 s", "59 s", "1 min", "1 min 2 s"]
